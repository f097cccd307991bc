/** What the human sees of the record: one read for a whole page. */
import type { Order } from '../shop/orders.ts';
import type { AccountState } from './account.ts';
import type { Line } from './audit.ts';
import type { Deputy } from './deputies.ts';
import type { Ledger } from './ledger.ts';
import type { Ceiling, Used } from './mandate.ts';
import { DAY, used } from './window.ts';

export type DeputyView = Deputy & {
  /** The mandate's end has come. */
  expired: boolean;
  /** Within the last 24 hours. */
  used: Used;
  /** ISO 8601; undefined when it never called. */
  lastSeen?: string;
};

export type View = {
  now: number;
  account: Omit<AccountState, 'day' | 'exported'>;
  used: Used;
  deputies: DeputyView[];
  orders: Order[];
  /** Newest first. */
  timeline: Line[];
  /** Pass it as `before` for older lines. */
  older?: number;
  head: { sequence: number; hash: string };
};

const TIMELINE_PAGE = 50;
const ORDERS_SHOWN = 10;

/** Everything on the console's page; `before` pages the timeline. */
export function lookAt(ledger: Ledger, { before }: { before?: number | undefined }): View {
  const head = ledger.audit.head();
  const now = ledger.now(head);
  const { day, exported: _, ...account } = ledger.account.read();
  const timeline = ledger.audit.newest(TIMELINE_PAGE, before);
  const oldest = timeline.at(-1);
  const more = oldest && timeline.length === TIMELINE_PAGE && ledger.audit.newest(1, oldest.sequence).length > 0;
  return {
    now,
    account,
    used: toUsed(used(day, DAY, now)),
    deputies: ledger.deputies.all(now).map((deputy) => toView(ledger, deputy, now)),
    orders: ledger.orders.list({ limit: ORDERS_SHOWN }).orders,
    timeline,
    ...(more && { older: oldest.sequence }),
    head: { sequence: head.sequence, hash: head.hash },
  };
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
  return {
    ...deputy,
    expired: deputy.status === 'active' && now >= deputy.mandate.expiresAt,
    used: toUsed(used(day, DAY, now)),
    ...(lastSeen > 0 && { lastSeen: new Date(lastSeen).toISOString() }),
  };
}

function toUsed([shirts, spend]: readonly [number, number]): Used {
  return { shirts, spend };
}
