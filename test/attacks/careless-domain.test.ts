/**
 * A domain is written carelessly, or by somebody who means it: a tool states less than it uses, does what nobody counted, or
 * does it twice; a limit comes later than its first use. What can be counted is, and all else is refused and undone.
 */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { newMandate } from '../../src/authority/mandate.ts';
import type { Limit, LimitValue } from '../../src/authority/terms.ts';
import { names, things } from '../../src/authority/units.ts';
import { type Caller, objectName } from '../../src/deputy.ts';
import { activate, appoint, setCeiling } from '../../src/ledger/acts.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { verify } from '../../src/ledger/verify.ts';
import { EITHER, inForm } from '../../src/mcp/accept.ts';
import { readMessage, serveMcp } from '../../src/mcp/transport.ts';
import { Boundary } from '../../src/tools/boundary.ts';
import { defineDomain, type Domain } from '../../src/tools/define-domain.ts';
import { type AnyTool, type Desk, defineTool } from '../../src/tools/define-tool.ts';
import { strict } from '../../src/tools/fields.ts';
import { callMessage, messageOf } from '../support/http.ts';
import { stoppedBy } from '../support/scene.ts';

beforeEach(() => {
  // Each fault is logged, and here they are meant.
  vi.spyOn(console, 'error').mockImplementation(() => {});
  vi.spyOn(console, 'log').mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

const taken = z.object({});
const HONEST = { jars: 1, rooms: ['cellar'] };

type Careless = {
  uses?: Record<string, LimitValue>;
  run?: (desk: Desk) => unknown;
  again?: (desk: Desk, id: string) => unknown;
};

/** A tool that takes jars from a larder: one from the cellar, unless it is told otherwise. */
function take({ uses = HONEST, run = make, again = () => {} }: Careless = {}): AnyTool {
  const answer = { text: 'Done. Go on.', data: {} };
  return defineTool({
    ...SHAPE,
    name: 'take',
    scope: 'larder:take',
    input: strict({ jars: z.int().optional() }),
    meter: {
      uses: ({ jars }) => (jars === undefined ? uses : { ...uses, jars }),
      idempotency: ({ jars }) => ({ key: jars === undefined ? undefined : `key for ${jars}`, arguments: jars }),
      again(id, desk) {
        again(desk, id);
        return answer;
      },
    },
    run(_, desk) {
      run(desk);
      return answer;
    },
  });
}

/** A tool that only looks, or should. */
function look(run: (desk: Desk) => unknown = () => {}): AnyTool {
  return defineTool({
    ...SHAPE,
    name: 'look',
    scope: 'larder:look',
    input: strict({}),
    run(_, desk) {
      run(desk);
      return { text: 'Jars. Go on.', data: {} };
    },
  });
}

const SHAPE = {
  title: 'A tool',
  description: 'Does something. Call it when you like. Next: go on.',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  output: z.object({}),
};

function make({ effects }: Desk) {
  return effects(taken).make('taken', {});
}

const jars = { of: 'jars', per: 'day', start: 5, max: 50, ceiling: 8, label: 'Jars in 24 hours' } as const;
const LIMITS: Record<string, Limit> = {
  callsPerMinute: { of: 'calls', per: 'minute', start: 60, max: 60 },
  roomsToTakeFrom: { names: true, of: 'rooms', per: 'act', start: ['cellar'], max: 3, label: 'Rooms' },
  jarsPerDay: jars,
};

type Spec = Parameters<typeof defineDomain<z.infer<typeof taken>>>[0];

function larder(tools: AnyTool[], changes: Partial<Spec> = {}): Domain {
  return defineDomain({
    name: 'Larder',
    serverInfo: { name: 'Larder', version: '1.0.0' },
    about: 'This is a larder.',
    instructions: 'A larder.',
    adminPermission: 'larder:admin',
    mandateType: 'larder_mandate',
    act: { noun: 'taking', nouns: 'takings', verb: 'take', did: 'taken', less: 'Take less', look: 'look' },
    powers: {
      'larder:look': { reads: 'look', title: 'Look', detail: 'Everybody may.' },
      'larder:take': { reads: 'take jars', title: 'Take jars', detail: 'At once.', metered: true },
    },
    units: { jars: things('jar', 'jars'), rooms: names('room', 'rooms', /^[a-z]+$/, 'cellar') },
    limits: LIMITS,
    sentence: 'It may take from {roomsToTakeFrom}, up to {jarsPerDay} in any 24 hours.',
    ceiling: 'All deputies together may take up to {jarsPerDay} in any 24 hours.',
    effect: { data: taken, tells: () => 'took something', columns: {} },
    tools,
    ...changes,
  });
}

/** The domain's larder, and how its deputies call there. */
async function inLarder(domain: Domain, work: (larder: Larder) => Promise<void>): Promise<void> {
  const object = env.MCP_OBJECT.getByName(objectName(`larder_${crypto.randomUUID()}`));
  await runInDurableObject(object, (_, { storage }) => work(new Larder(storage, domain)));
}

class Larder {
  readonly ledger: Ledger;
  readonly #storage: DurableObjectStorage;
  readonly #domain: Domain;

  constructor(storage: DurableObjectStorage, domain: Domain) {
    this.ledger = new Ledger(storage, domain, { delivers: false });
    this.#storage = storage;
    this.#domain = domain;
  }

  /** The same one, served by a later version. */
  servedBy(domain: Domain): Larder {
    return new Larder(this.#storage, domain);
  }

  /** The code of the refusal and its limit; "allowed" when there was none. */
  async call(tool: string, args: Record<string, unknown> = {}, deputyId = 'dep_1'): Promise<string> {
    const caller = this.#caller(deputyId);
    const boundary = new Boundary(this.ledger, caller, this.#domain, {
      demoTools: true,
      deliver: async () => {},
      waits: async () => {},
    });
    const headers = { 'content-type': 'application/json', accept: EITHER };
    const message = readMessage(JSON.stringify(callMessage(tool, args)));
    const answer = await serveMcp(message, headers, caller, () => boundary.serverFor(tool));
    const { result } = await messageOf(inForm(answer, ['stream']));
    return stoppedBy(result?.['structuredContent'] as { error?: unknown });
  }

  /** The caller; whom nobody knows yet is appointed. */
  #caller(deputyId: string): Caller {
    const scopes = Object.keys(this.#domain.powers);
    if (!this.ledger.deputies.standingOf(deputyId)) {
      const granted = { scopes, limits: {}, expiresAt: Date.now() + 60 * 60_000 };
      const mandate = newMandate(this.#domain, granted);
      const client = { clientId: 'client', clientName: 'Client', redirectHost: 'client.example' };
      appoint(this.ledger, { ...client, deputyId, mandate, replaces: [] });
      activate(this.ledger, deputyId, `grant of ${deputyId}`);
    }
    const who = { userId: 'user', email: 'ada@example.com', name: 'Ada', permissions: [], clientId: 'client' };
    return { ...who, deputyId, scopes, resource: 'http://localhost:8787/mcp' };
  }

  /** What is there, in words: each effect's number, state and jars. The record must say the same. */
  held(): string[] {
    expect(verify(this.ledger)).toMatchObject({ ok: true });
    return this.ledger.effects.newest(100).map(({ number, state, amounts }) => `${number} ${state} ${amounts['jars']}`);
  }
}

test.each<[string, Record<string, LimitValue>]>([
  ['a negative amount', { ...HONEST, jars: -5 }],
  ['half a jar', { ...HONEST, jars: 0.5 }],
  ['no number', { ...HONEST, jars: NaN }],
  ['more than can be counted', { ...HONEST, jars: 2 ** 60 }],
  ['names for a number', { ...HONEST, jars: ['one'] }],
  ['a number for names', { ...HONEST, rooms: 1 }],
  ['no jars', { rooms: ['cellar'] }],
  ['no rooms', { jars: 1 }],
  ['what is no unit', { ...HONEST, spoons: 1 }],
  ['a unit of the kernel', { ...HONEST, acts: 0 }],
])('a tool that states %s takes nothing', (_, uses) =>
  inLarder(larder([look(), take({ uses })]), async (place) => {
    expect(await place.call('take')).toBe('internal_error');
    expect(place.held()).toEqual([]);
  }),
);

test('a tool without a meter can take nothing', () =>
  inLarder(larder([look(make), take()]), async (place) => {
    expect(await place.call('look')).toBe('internal_error');
    expect(place.held()).toEqual([]);
  }));

test.each<[string, (desk: Desk) => unknown]>([
  ['takes nothing', () => {}],
  ['takes twice', (desk) => [make(desk), make(desk)]],
  ['only changes what was taken before', ({ effects }) => changeFirst(effects)],
])('a metered tool that %s is refused, and undone', (_, careless) =>
  inLarder(larder([look(), take()]), async (place) => {
    expect(await place.call('take')).toBe('allowed');
    const careful = place.held();
    expect(await place.servedBy(larder([look(), take({ run: careless })])).call('take')).toBe('internal_error');
    expect(place.held()).toEqual(careful);
  }),
);

function changeFirst(effects: Desk['effects']): void {
  const [first] = effects(taken).page(1).effects;
  if (first) effects(taken).change(first, 'given back');
}

test('a metered tool that passes over what its desk tells it takes once all the same', () => {
  const run = (desk: Desk) => {
    make(desk);
    expect(() => make(desk)).toThrow('one effect at most');
    expect(() => changeFirst(desk.effects)).toThrow('one effect at most');
  };
  return inLarder(larder([look(), take({ run })]), async (place) => {
    expect(await place.call('take')).toBe('allowed');
    expect(place.held()).toEqual(['1 taken 1']);
  });
});

test('a desk that a tool has kept is of no use after its call', () => {
  const kept: Desk[] = [];
  return inLarder(larder([look((desk) => kept.push(desk)), take()]), async (place) => {
    expect(await place.call('take')).toBe('allowed');
    expect(await place.call('look')).toBe('allowed');
    expect(() => kept.forEach(({ effects }) => changeFirst(effects))).toThrow('the call is over');
    expect(kept).toHaveLength(1);
    expect(place.held()).toEqual(['1 taken 1']);
  });
});

test('the answer to a repetition takes nothing and changes nothing', () =>
  inLarder(larder([look(), take()]), async (place) => {
    expect(await place.call('take', { jars: 2 })).toBe('allowed');
    expect(await place.call('take', { jars: 2 })).toBe('allowed');
    expect(place.held()).toEqual(['1 taken 2']);
    for (const again of [make, ({ effects }: Desk) => changeFirst(effects)]) {
      const careless = place.servedBy(larder([look(), take({ again })]));
      expect(await careless.call('take', { jars: 2 })).toBe('internal_error');
      expect(place.held()).toEqual(['1 taken 2']);
    }
  }));

test('of what a tool names, all must be among what the human named', () =>
  inLarder(larder([look(), take({ uses: { jars: 1, rooms: ['cellar', 'attic'] } })]), async (place) => {
    expect(await place.call('take')).toBe('act_limit roomsToTakeFrom');
    expect(place.held()).toEqual([]);
  }));

test('a limit that a later version brings counts what was used before it, of each deputy and of all', () => {
  const { jarsPerDay: _, ...before } = LIMITS;
  const jarsAtOnce: Limit = { of: 'jars', per: 'act', start: 5, max: 50, label: 'Jars at once' };
  const earlier = larder([look(), take()], {
    limits: { ...before, jarsAtOnce },
    sentence: 'It may take from {roomsToTakeFrom}, up to {jarsAtOnce}.',
    ceiling: '',
  });
  return inLarder(earlier, async (place) => {
    for (const deputy of ['dep_1', 'dep_2']) expect(await place.call('take', { jars: 4 }, deputy)).toBe('allowed');
    const later = place.servedBy(larder([look(), take()]));
    expect(await later.call('take', { jars: 2 })).toBe('daily_limit jarsPerDay');
    expect(await later.call('take', { jars: 1 })).toBe('account_limit jarsPerDay');
    expect(later.held()).toEqual(['2 taken 4', '1 taken 4']);
  });
});

test.each<[string, Record<string, LimitValue>]>([
  ['above its bounds', { jarsPerDay: 51 }],
  ['below them', { jarsPerDay: 0 }],
  ['of half a jar', { jarsPerDay: 1.5 }],
  ['of the wrong kind', { roomsToTakeFrom: 3 }],
  ['of nothing that there is', { spoonsPerDay: 1 }],
])('no mandate has a limit %s, and no account', (_, limits) =>
  inLarder(larder([look(), take()]), async ({ ledger }) => {
    expect(() => newMandate(ledger.terms, { scopes: [], limits, expiresAt: 0 })).toThrow('is no value of');
    const before = ledger.account.read();
    expect(() => setCeiling(ledger, limits as Record<string, number>, ledger.account.read().ceilingVersion)).toThrow(
      'is no value of',
    );
    expect(ledger.account.read()).toEqual(before);
  }),
);

test.each<[string, () => Domain]>([
  [
    'no limit counts the calls of a minute',
    () =>
      larder([look(), take()], {
        limits: { ...LIMITS, callsPerMinute: { of: 'calls', per: 'day', start: 1, max: 1 } },
      }),
  ],
  [
    'no limit counts the unit spoons',
    () => larder([look(), take()], { units: { ...larder([look(), take()]).units, spoons: things('spoon', 'spoons') } }),
  ],
  [
    'is metered, and its power larder:look is not',
    () => larder([look(), take(), { ...take(), name: 'takeToo', scope: 'larder:look' }]),
  ],
  [
    'the limit jarsPerDay starts outside its bounds',
    () => larder([look(), take()], { limits: { ...LIMITS, jarsPerDay: { ...jars, start: 51 } } }),
  ],
  [
    'the ceiling of jarsPerDay is outside its bounds',
    () => larder([look(), take()], { limits: { ...LIMITS, jarsPerDay: { ...jars, ceiling: 51 } } }),
  ],
])('a domain of which this is true is not served: %s', (problem, domain) => {
  expect(domain).toThrow(problem);
});
