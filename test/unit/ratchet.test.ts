/** The ratchet: whatever deputies call, in whatever order, they lay authority down and never pick any up. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import type { McpServer } from '@modelcontextprotocol/server';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { activate, appoint, perform } from '../../src/authority/acts.ts';
import { Ledger } from '../../src/authority/ledger.ts';
import { DEFAULT_LIMITS, type Mandate } from '../../src/authority/mandate.ts';
import { verify } from '../../src/authority/record.ts';
import { ADMIN_PERMISSION, type Caller, objectName, type Scope, SCOPES } from '../../src/deputy.ts';
import { registerTools, type Visit } from '../../src/tools/boundary.ts';
import { TOOLS } from '../../src/tools/registry.ts';

const START = Date.parse('2026-11-23T12:00:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

beforeEach(() => {
  // Each call has a line in the log; a failing run should show its seed and not thousands of those.
  vi.spyOn(console, 'log').mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/**
 * Three deputies of one human: a wide one, a narrow one for six hours whose token says less
 * than its mandate, and one that may not buy, whatever its token says.
 */
const DEPUTIES: { deputyId: string; mandate: Mandate; tokenScopes: Scope[]; permissions: string[] }[] = [
  {
    deputyId: 'dep_0',
    mandate: {
      format: 1,
      version: 1,
      scopes: [...SCOPES],
      limits: {
        ...DEFAULT_LIMITS,
        shirtsPerOrder: 4,
        shirtsPerDay: 8,
        spendPerDay: 17_500,
        callsPerMinute: 12,
        purchasesPerMinute: 3,
      },
      expiresAt: START + 7 * DAY,
    },
    tokenScopes: [...SCOPES],
    permissions: [ADMIN_PERMISSION],
  },
  {
    deputyId: 'dep_1',
    mandate: {
      format: 1,
      version: 1,
      scopes: [...SCOPES],
      limits: { ...DEFAULT_LIMITS, shirtsPerOrder: 2, shirtsPerDay: 2, spendPerDay: 25_000, purchasesPerMinute: 1 },
      expiresAt: START + 6 * HOUR,
    },
    tokenScopes: ['shop:browse', 'shop:buy'],
    permissions: [],
  },
  {
    deputyId: 'dep_2',
    mandate: {
      format: 1,
      version: 1,
      scopes: ['shop:browse', 'orders:read'],
      limits: { ...DEFAULT_LIMITS, callsPerMinute: 4 },
      expiresAt: START + HOUR,
    },
    tokenScopes: [...SCOPES],
    permissions: [],
  },
];

function callerOf(deputy: number): Caller {
  const nobody = { deputyId: 'nobody', tokenScopes: [...SCOPES], permissions: [] };
  const { deputyId, tokenScopes, permissions } = DEPUTIES[deputy] ?? nobody;
  return {
    userId: 'user_1',
    email: 'ada@example.com',
    name: 'Ada',
    permissions,
    deputyId,
    clientId: `client of ${deputyId}`,
    scopes: tokenScopes,
    resource: 'http://localhost:8787/mcp',
  };
}

/** All three together may buy less than each for itself. */
function employAll(ledger: Ledger): void {
  perform(ledger, { do: 'ceiling', ceiling: { shirtsPerDay: 7, spendPerDay: 40_000 } });
  for (const { deputyId, mandate } of DEPUTIES) {
    const client = { clientId: `client of ${deputyId}`, clientName: 'Claude', redirectHost: 'localhost' };
    appoint(ledger, { deputyId, ...client, mandate, replaces: [] });
    activate(ledger, deputyId, `grant of ${deputyId}`);
  }
}

type Answer = { allowed: boolean; code?: string | undefined; data?: Record<string, unknown> };
type Result = { isError?: boolean; structuredContent?: { error?: { code: string } } };

/** One call through the boundary, in the two steps in which the SDK makes it: first the scope challenge, then the call. */
async function make(ledger: Ledger, deputy: number, tool: string, args: unknown): Promise<Answer> {
  type Handler = (args: unknown) => Promise<Result>;
  let found: { challenge: () => unknown; handler: Handler } | undefined;
  const server = {
    registerTool(name: string, config: { scopeChallenge: () => unknown }, handler: Handler) {
      if (name === tool) found = { challenge: config.scopeChallenge, handler };
    },
  } as unknown as McpServer;
  const visit: Visit = {
    caller: callerOf(deputy),
    ledger,
    demoTools: true,
    deliver: async () => {},
    recorded: false,
    allowed: false,
  };
  registerTools(server, TOOLS, visit);
  if (!found) throw new Error(`no tool ${tool}`);
  if (found.challenge()) {
    expect(visit.recorded).toBe(true);
    return { allowed: false, code: 'insufficient_scope' };
  }
  const { isError, structuredContent } = await found.handler(args);
  expect(visit).toMatchObject({ recorded: true, allowed: !isError });
  return isError
    ? { allowed: false, code: structuredContent?.error?.code }
    : { allowed: true, data: structuredContent ?? {} };
}

/** What only the human may change, byte for byte as it is stored. */
function authorityOf({ storage: { sql } }: Ledger): string {
  return JSON.stringify([
    sql.exec('SELECT record_id, secret, authority, authority_at, authority_sequence, ceiling FROM account').toArray(),
    sql.exec('SELECT * FROM deputies ORDER BY deputy_id').toArray(),
    sql.exec('SELECT * FROM checkpoint').toArray(),
  ]);
}

function ordersOf({ storage: { sql, kv } }: Ledger): string {
  return JSON.stringify([sql.exec('SELECT * FROM orders ORDER BY sequence').toArray(), kv.get('demoMode')]);
}

/** Everything that each deputy has left at this moment: calls, purchases, shirts and money, its own and the account's. */
function budgets(ledger: Ledger): number[] {
  return DEPUTIES.flatMap((_, deputy) => {
    const { usage, grant, account } = ledger.transaction(() => ledger.begin(callerOf(deputy)));
    if (!grant) throw new Error('a deputy is gone');
    const { limits } = grant.mandate;
    return [
      limits.callsPerMinute - usage.calls,
      limits.purchasesPerMinute - usage.purchases,
      limits.shirtsPerDay - usage.shirts,
      limits.spendPerDay - usage.spend,
      account.ceiling.shirtsPerDay - usage.accountShirts,
      account.ceiling.spendPerDay - usage.accountSpend,
    ];
  });
}

/** What was bought within the 24 hours before `now`, cancelled or not, as the orders say it. */
function boughtWithin({ storage: { sql } }: Ledger, now: number, deputyId?: string) {
  return sql
    .exec<{ shirts: number; spend: number }>(
      `SELECT coalesce(sum(quantity), 0) AS shirts, coalesce(sum(total), 0) AS spend FROM orders
       WHERE placed_at > ? AND deputy_id = coalesce(?, deputy_id)`,
      now - DAY,
      deputyId ?? null,
    )
    .one();
}

/** The calls that the audit has a line for, or counts in one. */
function accountedFor(ledger: Ledger): number {
  const counts = ledger.audit
    .lines(0, 10_000)
    .map((line) => (line.actor === 'deputy' ? 1 + (line.refusedBefore ?? 0) : 0));
  const waiting = DEPUTIES.map(({ deputyId }) => ledger.deputies.meter(deputyId).unrecorded);
  return [...counts, ...waiting].reduce((total, count) => total + count, 0);
}

const needed = { company: 'Engines', mailingAddress: 'London', tshirtSize: 'L' };
const anyPurchase = fc
  .record(
    { quantity: fc.integer({ min: 1, max: 5 }), color: fc.constantFrom('blue', 'black') },
    { requiredKeys: ['quantity'] },
  )
  .map((more) => ({ ...needed, ...more }));
/** Two names for two different purchases of two shirts: repetitions, and conflicts. */
const namedPurchase = fc
  .record({ idempotencyKey: fc.constantFrom('one', 'two'), color: fc.constantFrom('blue', 'blue', 'white') })
  .map((more) => ({ ...needed, ...more, quantity: 2 }));
const purchase = fc.oneof(anyPurchase, namedPurchase);
/** What a deputy might add that wants to be more than it is. */
const presumption = fc.constantFrom(
  { confirm: true },
  { authority: 'active', status: 'active' },
  { deputyId: 'dep_0', scopes: [...SCOPES] },
  { limits: { shirtsPerDay: 1000 }, ceiling: { shirtsPerDay: 1000, spendPerDay: 2_500_000 } },
  { expiresAt: START + 1000 * DAY, mandate: DEPUTIES[0]?.mandate },
  { quantity: -5 },
  { quantity: 1e9 },
  { orderId: "' OR 1=1; UPDATE account SET authority='active'; --" },
);
/** Right arguments of each tool. `order` stands for the order of that number, counted from the newest. */
const right: Record<string, fc.Arbitrary<object>> = {
  buyMcpShopItem: purchase,
  cancelMcpShopOrder: fc.record({ order: fc.nat(2) }),
  listMcpShopOrders: fc.record({ limit: fc.integer({ min: 1, max: 100 }) }, { requiredKeys: [] }),
  setDemoMode: fc.record({ mode: fc.constantFrom('normal', 'banned') }),
};
const names = TOOLS.map(({ name }) => name);
const toolName = fc.oneof(
  { weight: 7, arbitrary: fc.constant('buyMcpShopItem') },
  { weight: 1, arbitrary: fc.constant('cancelMcpShopOrder') },
  { weight: 6, arbitrary: fc.constantFrom(...names) },
);
const deputy = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.constantFrom(0, 1, 1, 2));
/** Now and then somebody calls whom the human never appointed. */
const caller = fc.oneof({ weight: 40, arbitrary: deputy }, fc.constant(DEPUTIES.length));

const call = toolName.chain((tool) => {
  const valid = right[tool] ?? fc.constant({});
  const args = fc.oneof(
    { weight: 8, arbitrary: valid },
    { weight: 1, arbitrary: fc.tuple(valid, presumption).map(([one, other]) => ({ ...one, ...other })) },
    { weight: 1, arbitrary: fc.anything() },
  );
  return fc.record({ call: fc.constant(tool), deputy: caller, args });
});
const amendment = fc.record({
  amend: deputy,
  scopes: fc.subarray([...SCOPES]),
  limits: fc.record({
    shirtsPerOrder: fc.integer({ min: 1, max: 6 }),
    shirtsPerDay: fc.integer({ min: 1, max: 12 }),
    spendPerDay: fc.integer({ min: 1, max: 12 }).map((count) => count * 2500),
    askAbove: fc.integer({ min: 0, max: 6 }),
  }),
  longer: fc.constantFrom(undefined, undefined, undefined, -HOUR, DAY),
  narrowOnly: fc.boolean(),
});
const ceiling = fc.record({
  ceiling: fc.record({
    shirtsPerDay: fc.integer({ min: 3, max: 15 }),
    spendPerDay: fc.integer({ min: 5000, max: 40_000 }),
  }),
});
const steps = fc.array(
  fc.oneof(
    { weight: 100, arbitrary: call },
    { weight: 14, arbitrary: fc.record({ wait: fc.constantFrom(1, 5000, MINUTE, MINUTE + 5000, HOUR, 7 * HOUR) }) },
    { weight: 2, arbitrary: fc.constant({ human: 'pause' } as const) },
    { weight: 6, arbitrary: fc.constant({ human: 'resume' } as const) },
    { weight: 2, arbitrary: fc.record({ revoke: fc.constantFrom(0, 1, 2) }) },
    { weight: 3, arbitrary: amendment },
    { weight: 4, arbitrary: ceiling },
  ),
  { minLength: 1, maxLength: 100, size: 'max' },
);

test('no sequence of calls raises authority, lengthens a mandate, lifts a pause, undoes a revocation or passes a limit', async () => {
  const seen = new Map<string, number>();
  const note = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);

  await fc.assert(
    fc.asyncProperty(steps, async (story) => {
      vi.useFakeTimers({ toFake: ['Date'], now: START });
      const object = env.MCP_OBJECT.getByName(objectName(`ratchet_${crypto.randomUUID()}`));
      await runInDurableObject(object, async (_, { storage }) => {
        const ledger = new Ledger(storage, 'user_1');
        employAll(ledger);
        // What the human has said, kept here beside the record.
        let paused = false;
        let now = START;
        const revoked = new Set<number>();
        const served: { deputy: number; at: number; bought: boolean }[] = [];
        const named = new Map<string, { at: number; color: string; id: string }>();

        for (const step of story) {
          if ('wait' in step) {
            now += step.wait;
            vi.setSystemTime(now);
          } else if ('human' in step) {
            perform(ledger, { do: step.human });
            paused = step.human === 'pause';
          } else if ('revoke' in step) {
            perform(ledger, { do: 'revoke', deputyId: `dep_${step.revoke}` });
            revoked.add(step.revoke);
          } else if ('ceiling' in step) {
            perform(ledger, { do: 'ceiling', ceiling: step.ceiling });
          } else if ('amend' in step) {
            const deputyId = `dep_${step.amend}`;
            const held = ledger.deputies.find(deputyId, now)?.mandate;
            if (!held) throw new Error(`${deputyId} is gone`);
            const { scopes, limits, narrowOnly, longer } = step;
            const expiresAt = longer && held.expiresAt + longer;
            const amended = { deputyId, version: held.version, scopes, limits, expiresAt };
            perform(ledger, { do: 'amend', amendment: amended, narrowOnly });
          } else {
            const { id } = ledger.orders.list({ limit: 4 }).orders[Number(Object(step.args)?.order ?? 9)] ?? {};
            const args = id === undefined ? step.args : { orderId: id };
            const authority = authorityOf(ledger);
            const left = budgets(ledger);
            const orders = ordersOf(ledger);
            const newest = ledger.orders.newest(1)[0]?.number;

            const answer = await make(ledger, step.deputy, step.call, args);
            note(answer.allowed ? step.call : (answer.code ?? 'no code'));

            expect(authorityOf(ledger)).toBe(authority);
            for (const [index, after] of budgets(ledger).entries()) expect(after).toBeLessThanOrEqual(left[index] ?? 0);
            if (!answer.allowed) {
              expect(ordersOf(ledger)).toBe(orders);
              continue;
            }
            // Allowed: then nothing that the human said stands against it.
            const { status, mandate } = ledger.deputies.grantOf(`dep_${step.deputy}`) ?? {};
            const tool = TOOLS.find(({ name }) => name === step.call);
            expect({ paused, revoked: revoked.has(step.deputy), status }).toEqual({
              paused: false,
              revoked: false,
              status: 'active',
            });
            if (!mandate || !tool) throw new Error('what was allowed is not there');
            expect(now).toBeLessThan(mandate.expiresAt);
            expect(mandate.scopes).toContain(tool.scope);
            expect(callerOf(step.deputy).scopes).toContain(tool.scope);
            if (tool.permission) expect(callerOf(step.deputy).permissions).toContain(tool.permission);

            const bought = ledger.orders.newest(1)[0]?.number !== newest;
            served.push({ deputy: step.deputy, at: now, bought });
            const lately = served.filter((each) => each.deputy === step.deputy && each.at > now - MINUTE);
            const { limits } = mandate;
            expect(lately.length).toBeLessThanOrEqual(limits.callsPerMinute);
            if (step.call === 'buyMcpShopItem') {
              const { idempotencyKey: key, color } = args as { idempotencyKey?: string; color: string };
              const { id: placed } = (answer.data as { order: { id: string } }).order;
              const before = key === undefined ? undefined : named.get(`${step.deputy} ${key}`);
              const repeated = before !== undefined && now < before.at + DAY;
              // A name stands for one purchase for a day: the same order again, and nothing is bought.
              expect(bought).toBe(!repeated);
              if (repeated) expect({ color, id: placed }).toEqual({ color: before.color, id: before.id });
              else if (key !== undefined) named.set(`${step.deputy} ${key}`, { at: now, color, id: placed });
              note(repeated ? 'repeated' : 'bought');
            }
            if (!bought) continue;
            const quantity = ledger.orders.list({ limit: 1 }).orders[0]?.quantity ?? Infinity;
            expect(quantity).toBeLessThanOrEqual(Math.min(limits.shirtsPerOrder, limits.askAbove));
            expect(lately.filter((each) => each.bought).length).toBeLessThanOrEqual(limits.purchasesPerMinute);
            const own = boughtWithin(ledger, now, `dep_${step.deputy}`);
            expect(own.shirts).toBeLessThanOrEqual(limits.shirtsPerDay);
            expect(own.spend).toBeLessThanOrEqual(limits.spendPerDay);
            const all = boughtWithin(ledger, now);
            const { ceiling: over } = ledger.account.read();
            expect(all.shirts).toBeLessThanOrEqual(over.shirtsPerDay);
            expect(all.spend).toBeLessThanOrEqual(over.spendPerDay);
          }
        }
        expect(verify(ledger)).toMatchObject({ ok: true });
        const made = story.filter((step) => 'call' in step && step.deputy < DEPUTIES.length);
        expect(accountedFor(ledger)).toBe(made.length);
      });
    }),
    { numRuns: 50 },
  );

  // The story is worth little if it never gets to the point: every tool has worked, and every rule has stopped one.
  const rules = ['paused', 'mandate_expired', 'deputy_revoked', 'deputy_unknown', 'insufficient_scope', 'rate_limited'];
  expect([...seen.keys()]).toEqual(expect.arrayContaining([...names, 'bought', 'repeated', ...rules]));
}, 60_000);
