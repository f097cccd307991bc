/** What the human sees of the record: one read for a whole page. */
import type { Order } from '../shop/orders.ts';
import type { AccountState } from './account.ts';
import { type Activity, activityOf } from './activity.ts';
import type { Line, Search } from './audit.ts';
import { type Deputy, PENDING_FOR } from './deputies.ts';
import type { Ledger } from './ledger.ts';
import type { Ceiling, Used } from './mandate.ts';
import { DAY, freesAt, used } from './window.ts';

export type DeputyView = Deputy & {
  /** The mandate's end has come. */
  expired: boolean;
  /** Within the last 24 hours. */
  used: Used;
  /** ISO 8601; undefined when it never called. */
  lastSeen?: string;
  /** When its state or what is left changes without any act, in milliseconds. */
  changesAt: number;
};

/** An order with the line of the audit that placed it: pauses and orders are numbered alike. */
export type NumberedOrder = Order & { number: number };

/** How things stand: what is allowed, to whom, and what was used of it. */
export type Standing = {
  now: number;
  account: Omit<AccountState, 'day' | 'exported'>;
  used: Used;
  /** Newest first. */
  deputies: DeputyView[];
};

export type View = Standing & {
  /** Newest first. */
  orders: NumberedOrder[];
  activity: Activity;
  /** Newest first. */
  timeline: Line[];
  /** Pass it as `before` for older lines. */
  older?: number;
  head: { sequence: number; hash: string };
  /** Milliseconds until what is shown stops being true without any act; undefined when it does not. */
  changesIn?: number;
};

const TIMELINE_PAGE = 50;
const ORDERS_SHOWN = 10;
const ORDERS_PAGE = 50;

/** Everything on the console's page. */
export function lookAt(ledger: Ledger, search: Search): View {
  const standing = lookAtStanding(ledger);
  const { now, account, deputies } = standing;
  const { sequence, hash } = ledger.audit.head();
  const { lines, older } = ledger.audit.newest(TIMELINE_PAGE, search);
  const free = freesAt(ledger.account.read().day, DAY, now);
  const changes = [...deputies.filter(isLive).map(({ changesAt }) => changesAt), free].filter((at) => at !== undefined);
  return {
    ...standing,
    orders: ledger.orders.newest(ORDERS_SHOWN),
    activity: activityOf(ledger.audit, account.authority, now),
    timeline: lines,
    ...(older !== undefined && { older }),
    head: { sequence, hash },
    ...(changes.length > 0 && { changesIn: Math.min(...changes) - now }),
  };
}

export function lookAtStanding(ledger: Ledger): Standing {
  const now = ledger.now();
  const { day, exported: _, ...account } = ledger.account.read();
  const deputies = ledger.deputies.all(now).map((deputy) => toView(ledger, deputy, now));
  return { now, account, used: toUsed(used(day, DAY, now)), deputies };
}

/** A page of all orders, newest first. Pass `older` as `before` for the next one. */
export function lookAtOrders({ orders }: Ledger, before?: number): { orders: NumberedOrder[]; older?: number } {
  // One more than is shown tells whether there is a next page.
  const found = orders.newest(ORDERS_PAGE + 1, before);
  const shown = found.slice(0, ORDERS_PAGE);
  const last = shown.at(-1);
  return { orders: shown, ...(found.length > ORDERS_PAGE && last && { older: last.number }) };
}

/** What the consent page needs to know of the record. */
export type ConsentView = { ceiling: Ceiling; paused: boolean; deputies: DeputyView[] };

/** The live deputies that the client has already, and what a new mandate must stay within. */
export function lookForConsent(ledger: Ledger, clientId: string): ConsentView {
  const now = ledger.now();
  const { ceiling, authority } = ledger.account.read();
  const deputies = ledger.deputies
    .all(now)
    .filter((deputy) => deputy.clientId === clientId && deputy.status === 'active')
    .map((deputy) => toView(ledger, deputy, now))
    .filter(({ expired }) => !expired);
  return { ceiling, paused: authority === 'paused', deputies };
}

/** Whether the deputy can act, or is about to. */
export function isLive({ status, expired }: DeputyView): boolean {
  return (status === 'active' || status === 'pending') && !expired;
}

function toView(ledger: Ledger, deputy: Deputy, now: number): DeputyView {
  const { lastSeen, day } = ledger.deputies.meter(deputy.deputyId);
  const { status, mandate, appointedAt } = deputy;
  const ends = status === 'pending' ? Date.parse(appointedAt) + PENDING_FOR : mandate.expiresAt;
  return {
    ...deputy,
    expired: status === 'active' && now >= mandate.expiresAt,
    used: toUsed(used(day, DAY, now)),
    ...(lastSeen > 0 && { lastSeen: new Date(lastSeen).toISOString() }),
    changesAt: Math.min(ends, freesAt(day, DAY, now) ?? Infinity),
  };
}

function toUsed([shirts, spend]: readonly [number, number]): Used {
  return { shirts, spend };
}
