/**
 * `pnpm prove cost`: what each kind of call costs on Cloudflare, counted on a running server with real clients, and the
 * monthly bill that follows, beside that of `McpAgent.serve()`. Prints Markdown.
 */
import { table } from '../bench/tables.ts';
import { BASE, billOf, items, PRICES, PRICES_OF, totalOf, type Usage, type Use, useOf } from './bill.ts';
import type { Counts } from './counting.ts';
import { countDaily, countFramework, countShop, type Growth } from './kinds.ts';

/** One user's deputies in a month. A month has ten days on which they do something, and a token lasts for a day. */
const USAGE: Usage = {
  'appoint a deputy': 1,
  'refresh a token': 10,
  'connect, 2026-07-28': 30,
  'list the inventory': 100,
  'list 50 orders': 30,
  purchase: 10,
  'refused call': 10,
  'open the console': 4,
  'daily round': 10,
};
/** `McpAgent.serve()` has no limits, no console and no daily round. */
const FRAMEWORK_USAGE: Usage = {
  'appoint a deputy': 1,
  'refresh a token': 10,
  connect: 30,
  'list the inventory': 110,
  'list 50 orders': 30,
  purchase: 10,
};
/** Orders and lines of the record are kept 90 days and more; three months' worth is what a user has in the end. */
const MONTHS_KEPT = 3;
const USERS = [1000, 100_000, 10_000_000];

/** Assumed, because no local run can tell them; both servers get the same. */
const ASSUMED = { milliseconds: 20, cpu: 2 };

function countsTable(title: string, counts: Record<string, Counts>): string {
  const header = [
    title,
    'Worker requests',
    'object requests',
    'rows read',
    'rows written',
    'KV reads',
    'KV writes',
    'KV deletes',
    'KV lists',
    'outgoing',
  ];
  const rows = Object.entries(counts).map(([kind, one]) => [
    kind,
    ...[
      one.requests,
      one.objectRequests,
      one.rowsRead,
      one.rowsWritten,
      one.kvReads,
      one.kvWrites,
      one.kvDeletes,
      one.kvLists,
      one.outgoing,
    ].map(String),
  ]);
  return table(header, rows);
}

/** What one SQLite-backed object can hold, in bytes, and requests a second that Cloudflare plans for one. */
const MOST_BYTES = 10e9;
const MOST_REQUESTS = 1000;
/** Days for which the record keeps a line, and shirts a day that an account can be allowed at most. */
const LINES_KEPT = 90;
const MOST_SHIRTS = 1000;

function limitsTable(call: Growth, purchase: Growth): string {
  const perDay = MOST_BYTES / LINES_KEPT / call.bytes;
  const years = MOST_BYTES / (purchase.bytes * MOST_SHIRTS * 365);
  return table(
    ['limit', 'when it is reached'],
    [
      ['one thread: inventory', `${call.perSecond.toFixed(0)} calls a second here, 8 clients of one user`],
      ['one thread: purchases', `${purchase.perSecond.toFixed(0)} calls a second here, 8 clients of one user`],
      ["Cloudflare's soft limit", `${MOST_REQUESTS} requests a second, or less when each takes longer`],
      [
        '10 GB of lines',
        `${(perDay / 1e6).toFixed(2)} million calls a day for ${LINES_KEPT} days: ${(perDay / 1440 / 60).toFixed(1)} deputies that never pause at 60 calls a minute`,
      ],
      [
        '10 GB of orders',
        `${years.toFixed(0)} years of ${MOST_SHIRTS} purchases a day, the most that an account can be allowed; orders are never pruned`,
      ],
    ],
  );
}

function dollars(amount: number): string {
  return amount === 0
    ? '-'
    : `$${amount.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

function billTable(name: string, use: Use): string {
  const bills = USERS.map((users) => billOf(use, users));
  const rows = items().map((item) => [
    PRICES[item].what,
    use[item].toLocaleString('en-US', { maximumFractionDigits: 2 }),
    ...bills.map((bill) => dollars(bill[item])),
  ]);
  const header = [`${name}, a month`, 'one user', ...USERS.map((users) => `${users.toLocaleString('en-US')} users`)];
  return table(header, [
    ...rows,
    ['**Together, with the base price**', '', ...bills.map((bill) => `**${dollars(totalOf(bill))}**`)],
  ]);
}

async function main(): Promise<void> {
  const { counts, object, call, purchase } = await countShop();
  counts['daily round'] = await countDaily();
  const framework = await countFramework();
  const calls = ['list the inventory', 'list 50 orders', 'refused call'].reduce(
    (sum, kind) => sum + (USAGE[kind] ?? 0),
    0,
  );
  const kept = object + MONTHS_KEPT * (calls * call.bytes + (USAGE['purchase'] ?? 0) * purchase.bytes);
  const use = useOf(USAGE, counts, { ...ASSUMED, megabytes: kept / 1e6 });
  // Every connection is an object of its own, and none is ever removed.
  const frameworkKept = (FRAMEWORK_USAGE['connect'] ?? 0) * MONTHS_KEPT * (framework.session / 1e6);
  const frameworkUse = useOf(FRAMEWORK_USAGE, framework.counts, { ...ASSUMED, megabytes: frameworkKept });
  const usage = Object.entries(USAGE).map(([kind, times]) => `${times} × ${kind}`);
  const parts = [
    '### Counted for each kind of call',
    countsTable('the shop', counts),
    countsTable('McpAgent.serve()', framework.counts),
    '### Storage of one user',
    table(
      ['what', 'bytes'],
      [
        ['an object with a deputy and its first order', object.toFixed(0)],
        ['each further call', call.bytes.toFixed(0)],
        ['each further purchase', purchase.bytes.toFixed(0)],
        ['for comparison: the object of one session of McpAgent.serve()', framework.session.toFixed(0)],
      ],
    ),
    '### What limits one object',
    limitsTable(call, purchase),
    '### The bill',
    `List prices of Workers Paid, ${PRICES_OF}, with $${BASE} a month as the base. One user in a month: ${usage.join(', ')}.`,
    `Assumed, not counted: an object works ${ASSUMED.milliseconds} ms on a request, and the Worker computes ${ASSUMED.cpu} ms on one.`,
    billTable('the shop', use),
    billTable('McpAgent.serve()', frameworkUse),
  ];
  process.stdout.write(`${parts.join('\n\n')}\n`);
}

await main();
