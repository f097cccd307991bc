/** From counts to a monthly bill, at Cloudflare's list prices. */
import type { Counts } from './counting.ts';

/** Workers Paid and WorkOS, US dollars a month. Taken from their price pages as they stood in 2026; look before you rely on it. */
export const PRICES_OF = 'as known in November 2026';
export const BASE = 5;
/** What is included in a month, and the price of a million more. */
export const PRICES = {
  requests: { what: 'Worker requests', included: 10e6, million: 0.3 },
  cpuMilliseconds: { what: 'Worker CPU, ms', included: 30e6, million: 0.02 },
  objectRequests: { what: 'Durable Object requests', included: 1e6, million: 0.15 },
  gigabyteSeconds: { what: 'Durable Object duration, GB-s', included: 400_000, million: 12.5 },
  rowsRead: { what: 'SQLite rows read', included: 25e9, million: 0.001 },
  rowsWritten: { what: 'SQLite rows written', included: 50e6, million: 1 },
  sqliteMegabytes: { what: 'SQLite storage, MB-month', included: 5000, million: 200 },
  kvReads: { what: 'KV reads', included: 10e6, million: 0.5 },
  kvWrites: { what: 'KV writes', included: 1e6, million: 5 },
  kvDeletes: { what: 'KV deletes', included: 1e6, million: 5 },
  kvLists: { what: 'KV lists', included: 1e6, million: 5 },
  logEvents: { what: 'Workers Logs, events', included: 20e6, million: 0.6 },
  people: { what: 'WorkOS, people', included: 1e6, million: 2500 },
} as const;

export type Item = keyof typeof PRICES;
export type Use = Record<Item, number>;

/** Kinds of call that cost something, and how often one user's deputies make each in a month. */
export type Usage = Record<string, number>;

/** What a request does not log by itself: a tool call has a line of its own. */
const TOOL_CALLS = ['list the inventory', 'list 50 orders', 'purchase', 'refused call'];

/** Gigabytes that a Durable Object is billed for while it works, whatever it uses. */
const OBJECT_MEMORY = 0.128;

/**
 * What one user uses in a month. `milliseconds` is how long an object works on one of its requests, `cpu` what the Worker
 * computes for one of its own; `megabytes` is what the user's objects keep.
 */
export function useOf(
  usage: Usage,
  counts: Record<string, Counts>,
  { milliseconds, cpu, megabytes }: { milliseconds: number; cpu: number; megabytes: number },
): Use {
  const sum = (field: keyof Counts) =>
    Object.entries(usage).reduce((total, [kind, times]) => total + times * (counts[kind]?.[field] ?? NaN), 0);
  return {
    requests: sum('requests'),
    cpuMilliseconds: sum('requests') * cpu,
    objectRequests: sum('objectRequests'),
    gigabyteSeconds: (sum('objectRequests') * milliseconds * OBJECT_MEMORY) / 1000,
    rowsRead: sum('rowsRead'),
    rowsWritten: sum('rowsWritten'),
    sqliteMegabytes: megabytes,
    kvReads: sum('kvReads'),
    kvWrites: sum('kvWrites'),
    kvDeletes: sum('kvDeletes'),
    kvLists: sum('kvLists'),
    logEvents: sum('requests') + TOOL_CALLS.reduce((total, kind) => total + (usage[kind] ?? 0), 0),
    people: 1,
  };
}

/** US dollars a month for each item, beyond what is included. */
export function billOf(use: Use, users: number): Use {
  const price = (item: Item) => (Math.max(0, use[item] * users - PRICES[item].included) / 1e6) * PRICES[item].million;
  return Object.fromEntries(items().map((item) => [item, price(item)])) as Use;
}

export function items(): Item[] {
  return Object.keys(PRICES) as Item[];
}

export function totalOf(bill: Use): number {
  return items().reduce((total, item) => total + bill[item], BASE);
}
