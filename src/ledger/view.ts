/** What the human sees of the ledger: one read for a whole page. */
import { leftOf, startCeiling, startLimits } from '../authority/limits.ts';
import type { Authority } from '../authority/policy.ts';
import { maySpend, type Amounts, type Ceiling } from '../authority/terms.ts';
import { useOf, type Windows, type Pair } from '../authority/window.ts';
import { PENDING_MS } from '../lifetimes.ts';
import type { AccountState } from './account.ts';
import { type Activity, activityOf } from './activity.ts';
import type { Deputy } from './deputies.ts';
import type { Effect } from './effects.ts';
import type { Ledger } from './ledger.ts';
import type { Passkey } from './passkeys.ts';
import type { Line, Search } from './record.ts';

export type DeputyView = Deputy & {
  /** The mandate's end has come. */
  expired: boolean;
  /** What it may still use; undefined when it may make no metered call. */
  left?: Left;
  /** ISO 8601; undefined when it never called. */
  lastSeen?: string;
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
  /** Newest first. */
  deputies: DeputyView[];
};

export type View = Overview & {
  /** Newest first. */
  effects: Effect[];
  activity: Activity;
  /** Newest first. */
  timeline: Line[];
  /** Pass it as `before` for older lines. */
  older?: number;
  head: { sequence: number; hash: string };
  /** The line that paused or resumed; undefined when it was erased or pruned. */
  authorityLine?: number;
  /** Milliseconds until what is shown stops being true without any act; undefined when it does not. */
  changesIn?: number;
};

const LINES_SHOWN = 50;
const EFFECTS_SHOWN = 10;
const EFFECTS_ON_A_PAGE = 50;

/** Everything on the console's page. */
export function lookAt(ledger: Ledger, search: Search): View {
  const overview = lookAtOverview(ledger);
  const { now, account, deputies } = overview;
  const { sequence, hash } = ledger.record.head();
  const { lines, older } = ledger.record.newest(LINES_SHOWN, search);
  const free = firstToFree(ledger.account.read().windows, ledger.pairs.all, now);
  const changes = [...deputies.filter(isLive).map(({ changesAt }) => changesAt), free].filter((at) => at < Infinity);
  return {
    ...overview,
    effects: ledger.effects.newest(EFFECTS_SHOWN),
    activity: activityOf(ledger.record, account.authority, now),
    timeline: lines,
    ...(older !== undefined && { older }),
    head: { sequence, hash },
    ...authorityLineOf(ledger, account),
    ...(changes.length > 0 && { changesIn: Math.min(...changes) - now }),
  };
}

function authorityLineOf({ record }: Ledger, { authoritySequence = 0 }: Pick<AccountState, 'authoritySequence'>) {
  const [line] = record.lines(authoritySequence - 1, 1);
  return line?.sequence === authoritySequence && !('act' in line && line.act === 'erased')
    ? { authorityLine: authoritySequence }
    : undefined;
}

export function lookAtOverview(ledger: Ledger): Overview {
  const now = ledger.now();
  const { windows, exported: _, presence: __, ...account } = ledger.account.read();
  const usage = ledger.usage(windows, now);
  const deputies = ledger.deputies.all(now).map((deputy) => toView(ledger, deputy, now));
  return {
    now,
    account,
    banned: ledger.demo.read() === 'banned',
    used: Object.fromEntries(Object.keys(startCeiling(ledger.terms)).map((name) => [name, usage(name).used])),
    deputies,
  };
}

/** A page of all effects, newest first. Pass `older` as `before` for the next one. */
export function lookAtEffects({ effects }: Ledger, before?: number): { effects: Effect[]; older?: number } {
  // One more than is shown tells whether there is a next page.
  const found = effects.newest(EFFECTS_ON_A_PAGE + 1, before);
  const shown = found.slice(0, EFFECTS_ON_A_PAGE);
  const last = shown.at(-1);
  return { effects: shown, ...(found.length > EFFECTS_ON_A_PAGE && last && { older: last.number }) };
}

/** What the consent page needs to know of the ledger. */
export type ConsentView = {
  ceiling: Ceiling;
  authority: Authority;
  /** Of the record that the page is about. */
  recordId: string;
  deputies: DeputyView[];
  /** The line since which an appointment needs a passkey; 0 when it does not. Those that count now. */
  guarded: number;
  passkeys: Passkey[];
  /** When the human last dismissed this client (ISO 8601), or one that registered with its name and went to its host. */
  dismissed?: { at: string; same: boolean };
};

/** The client as it is now. It has another id whenever it registers anew. */
export type AskingClient = Pick<Deputy, 'clientId' | 'clientName' | 'redirectHost'>;

/** The live deputies that the client has already, its dismissal if it has none, and what a new mandate must stay within. */
export function lookForConsent(ledger: Ledger, client: AskingClient): ConsentView {
  const now = ledger.now();
  const { ceiling, authority, recordId, guarded } = ledger.account.read();
  const all = ledger.deputies.all(now);
  const own = all.filter(({ clientId }) => clientId === client.clientId);
  const deputies = own
    .filter(({ status }) => status === 'active')
    .map((deputy) => toView(ledger, deputy, now))
    .filter(({ expired }) => !expired);
  const alike = all.filter(
    ({ clientName, redirectHost }) => clientName === client.clientName && redirectHost === client.redirectHost,
  );
  const [mine, theirs] = [lastDismissed(own), lastDismissed(alike)];
  const at = mine ?? theirs;
  return {
    ceiling,
    authority,
    recordId,
    deputies,
    guarded,
    passkeys: guarded > 0 ? ledger.passkeys.usable(now) : [],
    ...(at !== undefined && deputies.length === 0 && { dismissed: { at, same: mine !== undefined } }),
  };
}

function lastDismissed(deputies: Deputy[]): string | undefined {
  const at = deputies.filter(({ status }) => status === 'revoked').map(({ changedAt }) => changedAt);
  return at.toSorted().at(-1);
}

/** Whether the deputy can act, or is about to. */
export function isLive({ status, expired }: DeputyView): boolean {
  return (status === 'active' || status === 'pending') && !expired;
}

function toView(ledger: Ledger, deputy: Deputy, now: number): DeputyView {
  const { lastSeen, windows } = ledger.meters.read(deputy.deputyId);
  const { status, mandate, appointedAt } = deputy;
  const ends = status === 'pending' ? Date.parse(appointedAt) + PENDING_MS : mandate.expiresAt;
  return {
    ...deputy,
    expired: status === 'active' && now >= mandate.expiresAt,
    ...(maySpend(ledger.terms, mandate.scopes) && { left: leftFor(ledger, deputy, windows, now) }),
    ...(lastSeen > 0 && { lastSeen: new Date(lastSeen).toISOString() }),
    changesAt: Math.min(ends, firstToFree(windows, ledger.pairs.own, now)),
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
