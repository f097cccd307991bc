/** Whether a call may be carried out: a pure function of what the human said and what was used so far. */
import type { Scope } from '../deputy.ts';
import { formatPrice } from '../shop/catalog.ts';
import { type Ceiling, type Mandate, moment, shirts } from './mandate.ts';
import type { Denial, Remaining } from './refusal.ts';

/** Whether deputies may act at all; the human alone sets it. */
export type Authority = 'active' | 'paused';

/** `expired` follows from the mandate's end; `unknown` is a deputy that the record does not hold. */
export type Status = 'pending' | 'active' | 'revoked' | 'superseded';

/** What the deputy was granted, and whether that still stands. */
export type Grant = { status: Status; mandate: Mandate };

/** What counts against the limits now. Money in whole cents; `freesAt` in milliseconds since the epoch. */
export type Usage = {
  calls: number;
  purchases: number;
  /** When the first call of the minute counts no longer. */
  minuteFreesAt?: number | undefined;
  shirts: number;
  spend: number;
  freesAt: number | undefined;
  accountShirts: number;
  accountSpend: number;
  accountFreesAt: number | undefined;
};

export type Action = {
  /** The tool's name. */
  name: string;
  scope: Scope;
  /** What the caller's token holds; the mandate may have been narrowed since. */
  tokenScopes: readonly string[];
  /** A WorkOS permission that the human must have, and those they have. */
  permission?: string | undefined;
  permissions: readonly string[];
  /** What is to be bought, once the arguments are known. `total` in whole cents. */
  purchase?: { quantity: number; total: number } | undefined;
};

/** The denial that stops `action` at `now` (milliseconds since the epoch), or undefined when it may be carried out. */
export function decide(
  authority: Authority,
  grant: Grant | undefined,
  ceiling: Ceiling,
  usage: Usage,
  action: Action,
  now: number,
): Denial | undefined {
  const ended = denyEnded(grant, now);
  if (ended) return ended;
  if (!grant) throw new Error('a deputy that is not in the record was not denied');
  const { scopes, limits } = grant.mandate;
  if (authority === 'paused') {
    return {
      code: 'paused',
      message:
        'Your human has paused all their deputies. No tool lifts that, prettyPlease included. Stop, tell them, and wait until they resume on their page.',
      rule: 'While the human has paused their deputies, no deputy may do anything.',
      whoCanLift: 'human',
    };
  }
  if (usage.calls >= limits.callsPerMinute) {
    return {
      code: 'rate_limited',
      message: `You have made ${usage.calls} calls within a minute, and that is the limit. Wait a minute, then go on more slowly.`,
      rule: `At most ${limits.callsPerMinute} calls in any minute.`,
      ...waits(usage.minuteFreesAt),
      whoCanLift: 'deputy',
    };
  }
  if (!scopes.includes(action.scope) || !action.tokenScopes.includes(action.scope)) {
    return {
      code: 'insufficient_scope',
      message: `${action.name} needs ${action.scope}, which your human has not granted. Sign in again to ask for it.`,
      rule: `${action.name} needs the scope ${action.scope}.`,
      whoCanLift: 'human',
    };
  }
  if (action.permission && !action.permissions.includes(action.permission)) {
    return {
      code: 'permission_required',
      message: `${action.name} needs the ${action.permission} permission, which your human does not have. Carry on without it, or tell them that an administrator can give it to them.`,
      rule: `${action.name} needs the WorkOS permission ${action.permission}.`,
      whoCanLift: 'administrator',
    };
  }
  return action.purchase && denyPurchase(grant.mandate, ceiling, usage, action.purchase);
}

/** The denial of a deputy that is not live. The client is told so with HTTP 401. */
export function denyEnded(grant: Grant | undefined, now: number): Denial | undefined {
  const again = 'Stop, tell your human, and sign in again if they want you to go on.';
  if (!grant || grant.status === 'pending') {
    return {
      code: 'deputy_unknown',
      message: `Your human has no such deputy. ${again}`,
      rule: 'A deputy acts only after its human has appointed it.',
      whoCanLift: 'human',
    };
  }
  if (grant.status === 'revoked') {
    return {
      code: 'deputy_revoked',
      message: `Your human has dismissed this deputy. ${again}`,
      rule: 'A dismissed deputy may do nothing.',
      whoCanLift: 'human',
    };
  }
  if (grant.status === 'superseded') {
    return {
      code: 'deputy_superseded',
      message: `Your human has replaced this deputy by a newer one. ${again}`,
      rule: 'A replaced deputy may do nothing.',
      whoCanLift: 'human',
    };
  }
  if (now >= grant.mandate.expiresAt) {
    return {
      code: 'mandate_expired',
      message: `Your mandate ended on ${moment(grant.mandate.expiresAt)}. ${again}`,
      rule: `The mandate ended on ${moment(grant.mandate.expiresAt)}.`,
      whoCanLift: 'human',
    };
  }
  return undefined;
}

function denyPurchase(
  { limits }: Mandate,
  ceiling: Ceiling,
  usage: Usage,
  { quantity, total }: { quantity: number; total: number },
): Denial | undefined {
  const ask = 'Order less, or ask your human to change that on their page.';
  if (quantity > limits.shirtsPerOrder) {
    return {
      code: 'order_limit',
      message: `${shirts(quantity)} are more than your human allows in one order: ${shirts(limits.shirtsPerOrder)}. ${ask}`,
      rule: `At most ${shirts(limits.shirtsPerOrder)} an order.`,
      remaining: { quantity: limits.shirtsPerOrder },
      whoCanLift: 'human',
    };
  }
  if (quantity > limits.askAbove) {
    return {
      code: 'approval_required',
      message: `Your human wants to be asked above ${shirts(limits.askAbove)} in one order. Order less, or ask them to raise that number on their page.`,
      rule: `Above ${shirts(limits.askAbove)} in one order the human must approve.`,
      remaining: { quantity: limits.askAbove },
      whoCanLift: 'human',
    };
  }
  if (usage.purchases >= limits.purchasesPerMinute) {
    return {
      code: 'purchase_rate',
      message: `You have bought ${usage.purchases} times within a minute, and that is the limit. Check with listMcpShopOrders that you mean it, then wait a minute.`,
      rule: `At most ${limits.purchasesPerMinute} purchases in any minute.`,
      ...waits(usage.minuteFreesAt),
      whoCanLift: 'deputy',
    };
  }
  const mine = { until: usage.freesAt, of: 'your human allows you', message: ask };
  if (usage.shirts + quantity > limits.shirtsPerDay)
    return dayOfShirts('daily_shirts', limits.shirtsPerDay, usage.shirts, quantity, mine);
  if (usage.spend + total > limits.spendPerDay)
    return dayOfSpend('daily_spend', limits.spendPerDay, usage.spend, total, mine);

  const all = { until: usage.accountFreesAt, of: 'the account allows all its deputies together', message: ask };
  if (usage.accountShirts + quantity > ceiling.shirtsPerDay)
    return dayOfShirts('account_shirts', ceiling.shirtsPerDay, usage.accountShirts, quantity, all);
  if (usage.accountSpend + total > ceiling.spendPerDay)
    return dayOfSpend('account_spend', ceiling.spendPerDay, usage.accountSpend, total, all);
  return undefined;
}

type Day = { until: number | undefined; of: string; message: string };

function dayOfShirts(code: Denial['code'], limit: number, used: number, wanted: number, day: Day): Denial {
  const left = Math.max(0, limit - used);
  return {
    code,
    message: `${shirts(wanted)} would be more than ${day.of} in 24 hours: ${shirts(limit)}, of which ${left} ${left === 1 ? 'is' : 'are'} left. ${day.message}`,
    rule: `At most ${shirts(limit)} in any 24 hours${code === 'account_shirts' ? ', over all deputies' : ''}.`,
    remaining: { quantity: left, ...frees(day.until) },
    whoCanLift: 'human',
  };
}

function dayOfSpend(code: Denial['code'], limit: number, used: number, wanted: number, day: Day): Denial {
  const left = Math.max(0, limit - used);
  return {
    code,
    message: `${formatPrice(wanted)} would be more than ${day.of} in 24 hours: ${formatPrice(limit)}, of which ${formatPrice(left)} is left. ${day.message}`,
    rule: `At most ${formatPrice(limit)} in any 24 hours${code === 'account_spend' ? ', over all deputies' : ''}.`,
    remaining: { spend: left, ...frees(day.until) },
    whoCanLift: 'human',
  };
}

function waits(until: number | undefined): Pick<Denial, 'remaining'> {
  return until === undefined ? {} : { remaining: frees(until) };
}

function frees(until: number | undefined): Pick<Remaining, 'freesAt'> {
  return until === undefined ? {} : { freesAt: new Date(until).toISOString() };
}
