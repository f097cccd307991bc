/** What the human sees of the ledger: one read for a whole page. */
import { leftOf, startCeiling, startLimits } from '../authority/limits.ts';
import type { Authority } from '../authority/policy.ts';
import { CALLS, maySpend, type Amounts, type Ceiling } from '../authority/terms.ts';
import { useOf, type Windows, type Pair } from '../authority/window.ts';
import { PENDING_MS } from '../lifetimes.ts';
import type { AccountState } from './account.ts';
import type { Deputy } from './deputies.ts';
import type { Effect } from './effects.ts';
import type { Ledger } from './ledger.ts';
import type { Passkey } from './passkeys.ts';
import { type Recent, recentOf } from './recent.ts';
import type { Line, Search } from './record.ts';
import { type AskedView, lookAtWaiting } from './waiting-view.ts';

export type DeputyView = Deputy & {
  /** The mandate's end has come. */
  expired: boolean;
  /** What it may still use; undefined when it may make no metered call. */
  left?: Left;
  /** ISO 8601; undefined when it never called. */
  lastSeen?: string;
  /** When the first of what it used counts no longer, in milliseconds; undefined when nothing counts. */
  freesAt?: number;
  /** When its state or what is left changes without any act, in milliseconds. */
  changesAt: number;
};

/** What is left of each counted unit: by its own mandate alone, and with the ceiling of the account. */
export type Left = { own: Amounts; all: Amounts };

/** How things stand: what is allowed, to whom, and what was used of it. */
export type Overview = {
  now: number;
  account: Omit<AccountState, 'windows' | 'exported' | 'presence'>;
  /** Whether a deputy has set the demo ban. It is independent of authority. */
  banned: boolean;
  /** By the name of each limit of the account. */
  used: Amounts;
  /** What the account still leaves to all deputies together, by unit. */
  left: Amounts;
  /** How many can act, or are about to; and how many of these are paused alone. */
  live: number;
  paused: number;
  /** The newest of those, and others that what is shown beside them names. Newest first. */
  deputies: DeputyView[];
};

/** Lines of the record, and what they are about. */
export type Story = {
  /** Newest first. */
  lines: Line[];
  /** Those that the lines made or changed, as they are now. */
  effects: Effect[];
  /** Those that the lines name. */
  deputies: Deputy[];
};

export type View = Overview & {
  /** Newest first. */
  effects: Effect[];
  /** What waits for the human, and what they have allowed in advance. */
  asked: AskedView;
  recent: Recent;
  /** Newest first. */
  timeline: Line[];
  story: Story;
  /** Pass it as `before` for older lines. */
  older?: number;
  head: { sequence: number; hash: string };
  /** The line that a page has just led here with. */
  did?: Line;
  /** Milliseconds until what is shown stops being true without any act; undefined when it does not. */
  changesIn?: number;
};

/** What one page shows at most. */
const [DEPUTIES_SHOWN, LINES_SHOWN, EFFECTS_SHOWN] = [24, 50, 10];
const ON_A_PAGE = 50;

/** Everything on the console's page. `did` is the line of an act that was just carried out. */
export function lookAt(ledger: Ledger, search: Search, did?: number): View {
  const { record } = ledger;
  const overview = lookAtOverview(ledger);
  const { now, account } = overview;
  const { sequence, hash } = record.head();
  const { lines, older } = record.newest(LINES_SHOWN, search);
  const story = storyOf(ledger, lines);
  const known = new Set(overview.deputies.map(({ deputyId }) => deputyId));
  const asked = lookAtWaiting(ledger, now);
  const asking = ledger.deputies.named(
    new Set([...asked.waiting, ...asked.allowances].map(({ deputyId }) => deputyId)),
  );
  // Appointments that ran out are as if they had never been; the lines still have their names.
  const isVoid = ({ status, appointedAt }: Deputy) =>
    status === 'pending' && Date.parse(appointedAt) + PENDING_MS <= now;
  const others = [...new Map([...story.deputies, ...asking].map((one) => [one.deputyId, one])).values()].filter(
    (deputy) => !known.has(deputy.deputyId) && !isVoid(deputy),
  );
  const deputies = [...overview.deputies, ...others.map((deputy) => toView(ledger, deputy, now))];
  const free = firstToFree(ledger.account.read().windows, ledger.pairs.all, now);
  const ends = [...asked.waiting, ...asked.allowances].map(({ endsAt }) => endsAt);
  const changes = [...deputies.filter(isLive).map(({ changesAt }) => changesAt), free, ...ends].filter(
    (at) => at < Infinity,
  );
  const [just] = did === undefined ? [] : record.lines(did - 1, 1);
  return {
    ...overview,
    deputies: deputies.toSorted((one, other) => other.appointedAt.localeCompare(one.appointedAt)),
    effects: ledger.effects.newest(EFFECTS_SHOWN),
    asked,
    recent: recentOf(record, account, now),
    timeline: lines,
    story,
    ...(older !== undefined && { older }),
    head: { sequence, hash },
    ...(just?.sequence === did && just && { did: just }),
    ...(changes.length > 0 && { changesIn: Math.min(...changes) - now }),
  };
}

/** What an open page is of: the newest line, and what became known of it afterwards. */
export function versionOf({ hash }: { hash: string }, { authorityTook }: Pick<AccountState, 'authorityTook'>): string {
  return authorityTook === undefined ? hash : `${hash} ${authorityTook}`;
}

/** The effects and deputies that lines are about. */
export function storyOf(ledger: Ledger, lines: Line[]): Story {
  const effects = lines.flatMap((line) => ('effect' in line && line.effect ? [line.effect.id] : []));
  const deputies = lines.flatMap((line) => ('deputy' in line && line.deputy !== undefined ? [line.deputy] : []));
  return { lines, effects: ledger.effects.withIds(effects), deputies: ledger.deputies.named(new Set(deputies)) };
}

export function lookAtOverview(ledger: Ledger): Overview {
  const now = ledger.now();
  const { windows, exported: _, presence: __, ...account } = ledger.account.read();
  const usage = ledger.usage(windows, now);
  const deputies = ledger.deputies.live(now, DEPUTIES_SHOWN);
  return {
    now,
    account,
    banned: ledger.demo.read() === 'banned',
    used: Object.fromEntries(Object.keys(startCeiling(ledger.terms)).map((name) => [name, usage(name).used])),
    left: leftOfAccount(ledger, now),
    ...ledger.deputies.countLive(now),
    deputies: deputies.map((deputy) => toView(ledger, deputy, now)),
  };
}

/** What is left to all deputies together, whatever each may; units that no limit of the account counts are left out. */
function leftOfAccount(ledger: Ledger, now: number): Amounts {
  const { ceiling, windows } = ledger.account.read();
  const usage = ledger.usage(windows, now);
  const unbound = Object.fromEntries(Object.keys(startLimits(ledger.terms)).map((name) => [name, Infinity]));
  const left = leftOf(ledger.terms, unbound, ceiling, { own: () => ({ used: 0, freesAt: undefined }), all: usage });
  return Object.fromEntries(Object.entries(left).filter(([, amount]) => amount < Infinity));
}

/** Lines of the record that match, and what they are about. */
export function lookAtRecord(ledger: Ledger, search: Search) {
  const now = ledger.now();
  const { lines, older } = ledger.record.newest(ON_A_PAGE, search);
  const { account, deputies } = lookAtOverview(ledger);
  return { now, account, live: deputies, story: storyOf(ledger, lines), older, head: ledger.record.head() };
}

/** One deputy, and what it did last. Undefined when the human has none of that id. */
export function lookAtDeputy(ledger: Ledger, deputyId: string) {
  const now = ledger.now();
  const deputy = ledger.deputies.find(deputyId, now);
  if (!deputy) return undefined;
  const { account } = lookAtOverview(ledger);
  const { lines } = ledger.record.newest(EFFECTS_SHOWN * 2, { deputy: deputyId });
  return { now, account, deputy: toView(ledger, deputy, now), story: storyOf(ledger, lines) };
}

/** A page of all deputies, newest first. Pass `older` as `after` for the next one. */
export function lookAtDeputies(ledger: Ledger, after?: string) {
  const now = ledger.now();
  const { account, live, paused } = lookAtOverview(ledger);
  const found = ledger.deputies.page(ON_A_PAGE + 1, now, after);
  const shown = found.slice(0, ON_A_PAGE);
  const older = found.length > ON_A_PAGE ? shown.at(-1)?.deputyId : undefined;
  return { now, account, acting: live - paused, deputies: shown.map((deputy) => toView(ledger, deputy, now)), older };
}

/** A page of all effects, newest first, and who made them. Pass `older` as `before` for the next one. */
export function lookAtEffects(
  { effects, deputies }: Ledger,
  before?: number,
): { effects: Effect[]; deputies: Deputy[]; older?: number } {
  // One more than is shown tells whether there is a next page.
  const found = effects.newest(ON_A_PAGE + 1, before);
  const shown = found.slice(0, ON_A_PAGE);
  const last = shown.at(-1);
  return {
    effects: shown,
    deputies: deputies.named(new Set(shown.map(({ deputyId }) => deputyId))),
    ...(found.length > ON_A_PAGE && last && { older: last.number }),
  };
}

/** What the consent page needs to know of the ledger. */
export type ConsentView = {
  ceiling: Ceiling;
  authority: Authority;
  /** What the account still leaves to all deputies together, by unit. */
  left: Amounts;
  /** Of the record that the page is about. */
  recordId: string;
  deputies: DeputyView[];
  /** The line since which an appointment needs a passkey; 0 when it does not. Those that count now. */
  guarded: number;
  passkeys: Passkey[];
  /** When the human last dismissed this client (ISO 8601), or one that registered with its name and went to its host. */
  dismissed?: { at: string; same: boolean };
  /** The operator lets this client do nothing now. */
  halted: boolean;
};

/** The client as it is now. It has another id whenever it registers anew. */
export type AskingClient = Pick<Deputy, 'clientId' | 'clientName' | 'redirectHost'>;

/** The live deputies that the client has already, its dismissal if it has none, and what a new mandate must stay within. */
export function lookForConsent(ledger: Ledger, client: AskingClient): Omit<ConsentView, 'halted'> {
  const now = ledger.now();
  const { ceiling, authority, recordId, guarded } = ledger.account.read();
  const deputies = ledger.deputies.liveOf(client.clientId, now).map((deputy) => toView(ledger, deputy, now));
  const { own, alike } = ledger.deputies.dismissals(client);
  const at = own ?? alike;
  return {
    ceiling,
    authority,
    left: leftOfAccount(ledger, now),
    recordId,
    deputies,
    guarded,
    passkeys: guarded > 0 ? ledger.passkeys.usable(now) : [],
    ...(at !== undefined &&
      deputies.length === 0 && { dismissed: { at: new Date(at).toISOString(), same: own !== undefined } }),
  };
}

/** Whether the deputy can act, or is about to. */
export function isLive({ status, expired }: DeputyView): boolean {
  return (status === 'active' || status === 'pending') && !expired;
}

function toView(ledger: Ledger, deputy: Deputy, now: number): DeputyView {
  const { lastSeen, windows } = ledger.meters.read(deputy.deputyId);
  const { status, mandate, appointedAt } = deputy;
  const frees = firstToFree(
    windows,
    ledger.pairs.own.filter(({ of }) => of !== CALLS),
    now,
  );
  const ends = status === 'pending' ? Date.parse(appointedAt) + PENDING_MS : mandate.expiresAt;
  return {
    ...deputy,
    expired: status === 'active' && now >= mandate.expiresAt,
    ...(maySpend(ledger.terms, mandate.scopes) && { left: leftFor(ledger, deputy, windows, now) }),
    ...(lastSeen > 0 && { lastSeen: new Date(lastSeen).toISOString() }),
    ...(frees < Infinity && { freesAt: frees }),
    changesAt: Math.min(ends, frees),
  };
}

function leftFor(ledger: Ledger, { mandate }: Deputy, windows: Windows, now: number): Left {
  const { ceiling, windows: shared } = ledger.account.read();
  const usage = { own: ledger.usage(windows, now), all: ledger.usage(shared, now) };
  const unbound = Object.fromEntries(Object.keys(startLimits(ledger.terms)).map((name) => [name, Infinity]));
  return {
    own: leftOf(ledger.terms, mandate.limits, unbound, usage),
    all: leftOf(ledger.terms, mandate.limits, ceiling, usage),
  };
}

/** When the first of what was used stops counting, in milliseconds; Infinity when nothing counts. */
function firstToFree(windows: Windows, pairs: readonly Pair[], now: number): number {
  return Math.min(Infinity, ...pairs.flatMap((pair) => useOf(windows, pair, now).freesAt ?? []));
}
