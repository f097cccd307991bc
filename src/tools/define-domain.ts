/** A domain: what a server is about, as one plain object, checked when the Worker starts. */
import { z } from 'zod';
import { contradictions } from '../authority/form.ts';
import { isValid, neverAsks, startCeiling, startLimits } from '../authority/limits.ts';
import { ACTS, basePower, CALLS, isNames, type Limit, type Terms } from '../authority/terms.ts';
import { isNamed, type Unit } from '../authority/units.ts';
import { sentencesIn } from '../authority/words.ts';
import type { Effect } from '../ledger/effects.ts';
import { demoTools } from './demo.ts';
import type { AnyTool } from './define-tool.ts';
import { mandateTools } from './mandate-tools.ts';
import { type ProfileSpec, profileTool } from './profile-tool.ts';

/** Who is told that, wherever a human or a model first meets the server. */
type Introduction = {
  /** Of the server and its pages: "MCP Shop". */
  name: string;
  serverInfo: { name: string; version: string };
  /** For the landing page: "This is a T-shirt shop that AI agents shop at." */
  about: string;
  /** For models, beside the tools. */
  instructions: string;
  /** The permission at the identity provider that `getUserInfo` needs. */
  adminPermission: string;
  /** What humans may keep on a page of theirs, for deputies that may read it. Without it there is no such page and no such tool. */
  profile?: ProfileSpec;
};

type Effects<Data> = {
  data: z.ZodType<Data>;
  /** What the record says that a deputy did: "bought 2 shirts for $50.00". */
  tells: (effect: Pick<Effect, 'id' | 'number' | 'state'> & { amounts?: Effect['amounts'] | undefined }) => string;
  /** In a line of the human's page. */
  brief?: (effect: Effect<Data>) => Brief;
  /** What else its human may want to know of it, by its label. */
  columns: Record<string, (effect: Effect<Data>) => string>;
  /** Copies an effect to elsewhere after its commit, or deletes the copy of one that was erased. Tried until it succeeds. */
  deliver?: Deliver<Effect<Data>>;
};

/**
 * "2 blue shirts", "M", "$50". `count` and `tint` are what is drawn: how many, and in which colour, each written as the
 * argument of the call, so that the page of a question does not show it twice.
 */
export type Brief = { what: string; more?: string; sum?: string; count?: number; tint?: string };

/** What pages draw of a domain. Paths are of the squares that `icons.tsx` names, addresses of `static/`. */
type Look = {
  thing: string;
  star: string;
  hero: { light: string; dark: string; alt: string };
  /** What the deputies on the landing page did, and what one of them tried. */
  scene: { did: readonly Brief[]; tried: string };
};

type Deliver<Of> = (env: Cloudflare.Env, at: { userId: string; id: string }, effect: Of | undefined) => Promise<void>;

export type Domain = Terms &
  Introduction & {
    look?: Look;
    /** As the kernel uses it: with data that it has not looked into. */
    effect: {
      tells: Effects<unknown>['tells'];
      brief?: (effect: Effect) => Brief;
      columns: Record<string, (effect: Effect) => string>;
      deliver?: Deliver<Effect>;
    };
    /** The domain's own, then those of every server. */
    tools: readonly AnyTool[];
  };

/** Names that the forms around the blanks use themselves. */
const TAKEN = new Set([
  'scope',
  'until',
  'version',
  'form',
  'handle',
  'user',
  'decision',
  'replaces',
  'shown',
  'read',
  'approval',
  'assertion',
]);

/**
 * Throws for a domain that contradicts itself, in one sentence that names it.
 *
 * @example
 * export const rooms = defineDomain({ name: 'Meeting rooms', powers: { 'rooms:see': { … } }, tools: [listRooms], … });
 */
export function defineDomain<Data>(
  spec: Terms & Introduction & { look?: Look; effect: Effects<Data>; tools: readonly AnyTool[] },
): Domain {
  const { brief, columns, deliver, tells } = spec.effect;
  const data = z.compile(spec.effect.data);
  const typed = (effect: Effect): Effect<Data> => ({ ...effect, data: data.parse(JSON.parse(effect.data)) });
  const first = spec.tools[0]?.name ?? '';
  const metered = spec.tools.find((tool) => tool.metered)?.name ?? first;
  const domain: Domain = {
    ...spec,
    instructions: `${spec.instructions} You are a deputy: you act for one human, within what they granted. A refusal says which rule stopped you and who can lift it; do not try to get around it.`,
    effect: {
      tells,
      ...(brief && { brief: (effect: Effect) => brief(typed(effect)) }),
      columns: Object.fromEntries(
        Object.entries(columns).map(([title, read]) => [title, (effect: Effect) => read(typed(effect))]),
      ),
      ...(deliver && { deliver: (env, at, effect) => deliver(env, at, effect && typed(effect)) }),
    },
    tools: [
      ...spec.tools,
      ...mandateTools(spec, spec.adminPermission),
      ...(spec.profile ? [profileTool(spec.profile, metered)] : []),
      ...demoTools(basePower(spec), first, metered),
    ],
  };
  for (const problem of problemsIn(domain))
    throw new Error(`The domain "${spec.name}" contradicts itself: ${problem}.`);
  return domain;
}

function* problemsIn(domain: Domain): Generator<string> {
  const { powers, units, tools } = domain;
  if (basePower(domain) === '') yield 'it has no power';
  for (const [scope, { title, metered }] of Object.entries(powers)) {
    // RFC 6749, section 3.3.
    if (!/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope) || scope === 'offline_access') yield `"${scope}" can be no scope`;
    if (title === '') yield `the power ${scope} has no title, so nobody could tick it`;
    if (!tools.some((tool) => tool.scope === scope)) yield `no tool needs the power ${scope}`;
    if (metered && !tools.some((tool) => tool.scope === scope && tool.metered))
      yield `the power ${scope} is metered, and none of its tools is`;
  }
  const names = tools.map(({ name }) => name);
  for (const [index, { name, scope, metered }] of tools.entries()) {
    if (names.indexOf(name) !== index) yield `two tools are called ${name}`;
    if (!Object.hasOwn(powers, scope)) yield `the tool ${name} needs ${scope}, which is no power`;
    else if (metered && !powers[scope]?.metered) yield `the tool ${name} is metered, and its power ${scope} is not`;
  }
  for (const name of Object.keys(units)) {
    if (name === ACTS || name === CALLS) yield `the kernel counts ${name} itself, so no unit can be called that`;
    if (!Object.values(domain.limits).some(({ of }) => of === name)) yield `no limit counts the unit ${name}`;
  }
  if (domain.profile?.power === basePower(domain))
    yield "every deputy could read the profile, because its power is every deputy's";
  for (const name of Object.keys(domain.profile?.fields ?? {}))
    if (TAKEN.has(name)) yield `no field of the profile can be called ${name}`;
  yield* problemsOfLimits(domain);
}

function* problemsOfLimits(domain: Domain): Generator<string> {
  const { units, limits, sentence, ceiling } = domain;
  const typed = blanksIn(sentence);
  const shared = blanksIn(ceiling);
  for (const name of [...typed, ...shared])
    if (!Object.hasOwn(limits, name)) yield `there is no limit for the blank {${name}}`;
  const asking = Object.values(limits).filter((limit) => !isNames(limit) && limit.asks);
  const maxima = Object.fromEntries(
    Object.entries(limits).map(([name, { start, max }]) => [name, typeof start === 'number' ? max : start]),
  );
  for (const [name, limit] of Object.entries(limits)) {
    const unit = units[limit.of];
    const kernels = limit.of === ACTS || limit.of === CALLS;
    if (!/^[a-z]\w*$/i.test(name) || TAKEN.has(name)) yield `no limit can be called ${name}`;
    if (!unit && !kernels) yield `the limit ${name} counts ${limit.of}, which is no unit`;
    if (unit && isNamed(unit) !== isNames(limit))
      yield `the limit ${name} is not of the kind that its unit ${limit.of} is`;
    if (!isNames(limit) && limit.asks && (limit.per !== 'act' || asking.length > 1))
      yield `${name} must be the only limit that asks, and of a single act`;
    if (!isNames(limit) && limit.asks && !neverAsks(domain, maxima, name))
      yield `${name} must be able to reach what it asks under`;
    if (
      !isNames(limit) &&
      limit.asks &&
      sentencesIn(sentence).some((one) => blanksIn(one).includes(name) && blanksIn(one).length > 1)
    )
      yield `the blank {${name}} needs a sentence of its own, because it may be left out`;
    if (!isValid(limit, limit.start)) yield `the limit ${name} starts outside its bounds`;
    if (limit.label !== undefined && kernels) yield `nobody can type the limit ${name}, because it counts ${limit.of}`;
    if (limit.of === CALLS && limit.per === 'act') yield `the limit ${name} counts ${CALLS} of no span`;
    if (limit.label !== undefined && unit && !readsItself(unit, limit))
      yield `the limit ${name} starts with what its blank does not read`;
    if (typed.indexOf(name) !== typed.lastIndexOf(name)) yield `the sentence has the blank {${name}} twice`;
    if ((limit.label !== undefined) !== typed.includes(name))
      yield limit.label === undefined
        ? `the blank {${name}} has no label`
        : `the limit ${name} has no blank in the sentence`;
    const bound = !isNames(limit) && limit.ceiling !== undefined;
    if (bound && limit.label === undefined) yield `nobody can type the ceiling of ${name}, because it has no label`;
    if (bound !== shared.includes(name))
      yield bound
        ? `the limit ${name} has no blank in the ceiling`
        : `the blank {${name}} of the ceiling has no ceiling`;
    if (!isNames(limit) && bound && (limit.per === 'act' || !isValid(limit, limit.ceiling)))
      yield `the ceiling of ${name} is outside its bounds, or of a single act`;
  }
  const starts = contradictions(domain, startLimits(domain), (_, { start }) => start);
  const ceilings = contradictions(domain, startCeiling(domain), (_, { ceiling: most = Infinity }) => most);
  for (const name of Object.keys({ ...starts, ...ceilings }))
    yield `${name} starts with more than the limits beside it`;
  if (!Object.values(limits).some((limit) => limit.of === CALLS && limit.per === 'minute'))
    yield `no limit counts the ${CALLS} of a minute, so that a record could grow without end`;
}

/** Whether what a form shows first is read back as it was. */
function readsItself(unit: Unit, { start }: Limit): boolean {
  if (!isNamed(unit)) return typeof start === 'number' && unit.read(unit.write(start)) === start;
  return typeof start === 'object' && JSON.stringify(unit.read(unit.write(start))) === JSON.stringify(start);
}

function blanksIn(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
}
