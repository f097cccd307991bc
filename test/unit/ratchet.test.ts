/** The ratchet: whatever deputies call, in whatever order, they lay authority down and never pick any up. */
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ceilingOf, valueOf } from '../../src/authority/limits.ts';
import { isNames } from '../../src/authority/terms.ts';
import type { Caller } from '../../src/deputy.ts';
import { perform } from '../../src/ledger/perform.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { verify } from '../../src/ledger/verify.ts';
import { DAY_MS } from '../../src/lifetimes.ts';
import { shop } from '../../src/shop/index.ts';
import { type Answer, callerOf, employ, inLedger, mandateOf, SCOPES, serve } from '../support/ledger.ts';

const BY = { userId: 'user_1', usesNow: () => undefined };

const START = Date.parse('2026-11-23T12:00:00Z');
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

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
const DEPUTIES = [
  {
    mandate: mandateOf(
      { shirtsPerOrder: 4, shirtsPerDay: 8, spendPerDay: 17_500, callsPerMinute: 12, purchasesPerMinute: 3 },
      { expiresAt: START + 7 * DAY_MS },
    ),
    token: { permissions: [shop.adminPermission] },
  },
  {
    mandate: mandateOf(
      { shirtsPerOrder: 2, shirtsPerDay: 2, purchasesPerMinute: 1 },
      { expiresAt: START + 6 * HOUR_MS },
    ),
    token: { scopes: ['shop:browse', 'shop:buy'] },
  },
  {
    mandate: mandateOf({ callsPerMinute: 4 }, { scopes: ['shop:browse', 'orders:read'], expiresAt: START + HOUR_MS }),
    token: {},
  },
] as const;

/** A number that no deputy has is somebody whom the human never appointed. */
function tokenOf(deputy: number): Caller {
  const { permissions = [], scopes = SCOPES }: { permissions?: readonly string[]; scopes?: readonly string[] } =
    DEPUTIES[deputy]?.token ?? {};
  return callerOf(`dep_${deputy}`, { permissions: [...permissions], scopes: [...scopes] });
}

/** What a call may never change: all that the human said, byte for byte as it is stored. */
function saidIn({ sql }: Ledger): string {
  return JSON.stringify([
    sql.exec('SELECT record_id, secret, authority, authority_at, authority_sequence, ceiling FROM account').toArray(),
    sql.exec('SELECT * FROM deputies ORDER BY deputy_id').toArray(),
    sql.exec('SELECT * FROM checkpoint').toArray(),
    sql.exec('SELECT * FROM checkpoint_effects').toArray(),
  ]);
}

/** What a refused call may not leave either. */
function doneIn({ sql, demo }: Ledger): string {
  return JSON.stringify([
    sql.exec('SELECT * FROM effects ORDER BY number').toArray(),
    sql.exec('SELECT * FROM outbox ORDER BY effect_id').toArray(),
    sql.exec('SELECT * FROM idempotency ORDER BY deputy_id, key').toArray(),
    demo.read(),
  ]);
}

/** All that is left at this moment under every limit with a span, each deputy's own and the account's. */
function budgetsIn(ledger: Ledger): number[] {
  return DEPUTIES.flatMap((_, deputy) => {
    const { usage, standing, account } = ledger.transaction(() => ledger.begin(tokenOf(deputy)));
    if (!standing) throw new Error('a deputy is gone');
    return Object.entries(shop.limits).flatMap(([name, limit]) => {
      if (isNames(limit) || limit.per === 'act') return [];
      const own = valueOf(standing.mandate.limits, name, limit) - usage.own(name).used;
      return limit.ceiling === undefined
        ? [own]
        : [own, ceilingOf(account.ceiling, name, limit) - usage.all(name).used];
    });
  });
}

type Moment = { said: string; done: string; budgets: number[] };

function momentOf(ledger: Ledger): Moment {
  // Looked at first, because that ends what nobody has answered in time.
  const budgets = budgetsIn(ledger);
  return { said: saidIn(ledger), done: doneIn(ledger), budgets };
}

/** The first law: no call changes what the human said or gives a budget back, and a refused one leaves nothing. */
function laysDown(before: Moment, after: Moment, { allowed, code }: Answer, takesBack: boolean): void {
  expect(after.said).toBe(before.said);
  // What was only asked for is free again once its deputy asks for it no more.
  if (takesBack) return;
  for (const [index, left] of after.budgets.entries()) expect(left).toBeLessThanOrEqual(before.budgets[index] ?? 0);
  // A question is left with its human; it counts, and does nothing.
  if (!allowed && code !== 'approval_required') expect(after.done).toBe(before.done);
}

/** What the human has said, kept beside the ledger, and the calls that were carried out since. */
type Human = { paused: boolean; revoked: Set<number> };
type Served = { deputy: number; at: number; bought: boolean };

/** The second law: nothing that the human said stands against a call that was carried out, the last one of `served`. */
function wasAllowed(ledger: Ledger, human: Human, called: string, served: Served[]): void {
  const { deputy, at: now, bought } = served.at(-1) ?? { deputy: NaN, at: NaN, bought: false };
  const { status, mandate } = ledger.deputies.standingOf(`dep_${deputy}`) ?? {};
  const { scopes, permissions } = tokenOf(deputy);
  const tool = shop.tools.find(({ name }) => name === called);
  if (!mandate || !tool) throw new Error('what was allowed is not there');
  const { limits } = mandate;
  const lately = served.filter((each) => each.deputy === deputy && each.at > now - MINUTE_MS);

  expect([human.paused, human.revoked.has(deputy), status]).toEqual([false, false, 'active']);
  expect(now).toBeLessThan(mandate.expiresAt);
  expect(mandate.scopes).toContain(tool.scope);
  expect(scopes).toContain(tool.scope);
  if (tool.permission) expect(permissions).toContain(tool.permission);
  expect(lately.length).toBeLessThanOrEqual(Number(limits['callsPerMinute']));
  if (!bought) return;
  const quantity = ledger.effects.newest(1)[0]?.amounts['shirts'] ?? Infinity;
  expect(quantity).toBeLessThanOrEqual(Math.min(Number(limits['shirtsPerOrder']), Number(limits['askAbove'])));
  expect(lately.filter((each) => each.bought).length).toBeLessThanOrEqual(Number(limits['purchasesPerMinute']));
  for (const [used, most] of [
    [boughtWithin(ledger, now, `dep_${deputy}`), limits],
    [boughtWithin(ledger, now), ledger.account.read().ceiling],
  ] as const) {
    expect(used.shirts).toBeLessThanOrEqual(Number(most['shirtsPerDay']));
    expect(used.spend).toBeLessThanOrEqual(Number(most['spendPerDay']));
  }
}

/** What was bought within the 24 hours before `now`, cancelled or not, as the effects say it. */
function boughtWithin({ sql }: Ledger, now: number, deputyId?: string) {
  return sql
    .exec<{ shirts: number; spend: number }>(
      `SELECT coalesce(sum(amounts ->> 'shirts'), 0) AS shirts, coalesce(sum(amounts ->> 'spend'), 0) AS spend
       FROM effects WHERE state NOT IN ('denied', 'lapsed', 'void') AND at > ? AND deputy_id = coalesce(?, deputy_id)`,
      now - DAY_MS,
      deputyId ?? null,
    )
    .one();
}

/** The calls that the record has a line for, or counts in one. */
function accountedFor(ledger: Ledger): number {
  const counts = ledger.record
    .lines(0, 10_000)
    .map((line) => (line.actor === 'deputy' ? 1 + (line.refusedBefore ?? 0) : 0));
  const waiting = DEPUTIES.map((_, deputy) => ledger.meters.read(`dep_${deputy}`).unrecorded);
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
  { deputyId: 'dep_0', scopes: SCOPES },
  { limits: { shirtsPerDay: 1000 }, ceiling: { shirtsPerDay: 1000, spendPerDay: 2_500_000 } },
  { expiresAt: START + 1000 * DAY_MS, mandate: DEPUTIES[0]?.mandate },
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
const names = shop.tools.map(({ name }) => name);
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
  longer: fc.constantFrom(undefined, undefined, undefined, -HOUR_MS, DAY_MS),
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
    {
      weight: 14,
      arbitrary: fc.record({ wait: fc.constantFrom(1, 5000, MINUTE_MS, MINUTE_MS + 5000, HOUR_MS, 7 * HOUR_MS) }),
    },
    { weight: 2, arbitrary: fc.constant({ human: 'pause' } as const) },
    { weight: 6, arbitrary: fc.constant({ human: 'resume' } as const) },
    { weight: 2, arbitrary: fc.record({ revoke: fc.constantFrom(0, 1, 2) }) },
    { weight: 3, arbitrary: amendment },
    { weight: 4, arbitrary: ceiling },
  ),
  { minLength: 1, maxLength: 100, size: 'max' },
);

type Step = typeof steps extends fc.Arbitrary<(infer One)[]> ? One : never;
type Call = Extract<Step, { call: string }>;
/** What the human does, and the time that passes in between. */
type Happening = Exclude<Step, Call>;

/** Carries out all that is no call; `now` is what the clock says then. */
function happen(ledger: Ledger, human: Human, step: Happening, now: number): void {
  if ('wait' in step) vi.setSystemTime(now + step.wait);
  else if ('human' in step) {
    const pauseSequence = ledger.account.read().authoritySequence ?? 0;
    perform(ledger, step.human === 'pause' ? { do: 'pause' } : { do: 'resume', pause: pauseSequence }, BY);
    human.paused = step.human === 'pause';
  } else if ('revoke' in step) {
    perform(ledger, { do: 'revoke', deputyId: `dep_${step.revoke}` }, BY);
    human.revoked.add(step.revoke);
  } else if ('ceiling' in step)
    perform(ledger, { do: 'ceiling', ceiling: step.ceiling, version: ledger.account.read().ceilingVersion }, BY);
  else {
    const deputyId = `dep_${step.amend}`;
    const held = ledger.deputies.find(deputyId, now)?.mandate;
    if (!held) throw new Error(`${deputyId} is gone`);
    const { scopes, limits, narrowOnly, longer } = step;
    const expiresAt = longer && held.expiresAt + longer;
    const amended = { deputyId, version: held.version, scopes, limits, expiresAt };
    perform(ledger, { do: 'amend', amendment: amended, narrowOnly }, BY);
  }
}

test('no sequence of calls raises authority, lengthens a mandate, lifts a pause, undoes a revocation or passes a limit', async () => {
  const seen = new Set<string>();

  await fc.assert(
    fc.asyncProperty(steps, async (story) => {
      vi.useFakeTimers({ toFake: ['Date'], now: START });
      await inLedger(async (ledger) => {
        // All three together may buy less than each for itself.
        perform(ledger, { do: 'ceiling', ceiling: { shirtsPerDay: 7, spendPerDay: 40_000 }, version: 0 }, BY);
        for (const [index, { mandate }] of DEPUTIES.entries()) employ(ledger, `dep_${index}`, mandate);
        const human: Human = { paused: false, revoked: new Set() };
        const served: Served[] = [];
        const named = new Map<string, { at: number; color: string; id: string }>();

        let before = momentOf(ledger);
        for (const step of story) {
          const now = Date.now();
          if (!('call' in step)) {
            happen(ledger, human, step, now);
            before = momentOf(ledger);
            continue;
          }
          const { id } = ledger.effects.newest(4)[Number(Object(step.args)?.order ?? 9)] ?? {};
          const args = id === undefined ? step.args : { orderId: id };
          const newest = ledger.effects.newest(1)[0]?.number;

          const answer = await serve(ledger, tokenOf(step.deputy), step.call, args);

          const after = momentOf(ledger);
          const takesBack = step.call === 'cancelMcpShopOrder' && ledger.effects.find(id ?? '')?.state === 'void';
          laysDown(before, after, answer, takesBack);
          before = after;
          seen.add(answer.allowed ? step.call : (answer.code ?? 'not served'));
          if (!answer.allowed) continue;
          const bought = ledger.effects.newest(1)[0]?.number !== newest;
          served.push({ deputy: step.deputy, at: now, bought });
          wasAllowed(ledger, human, step.call, served);
          if (step.call !== 'buyMcpShopItem') continue;

          // A name stands for one purchase for a day: the same order again, and nothing is bought.
          const { idempotencyKey: key, color } = args as { idempotencyKey?: string; color: string };
          const { id: placed } = answer.data['order'] as { id: string };
          const earlier = key === undefined ? undefined : named.get(`${step.deputy} ${key}`);
          const repeated = earlier !== undefined && now < earlier.at + DAY_MS;
          expect(bought).toBe(!repeated);
          if (repeated) expect({ color, id: placed }).toEqual({ color: earlier.color, id: earlier.id });
          else if (key !== undefined) named.set(`${step.deputy} ${key}`, { at: now, color, id: placed });
          seen.add(repeated ? 'repeated' : 'bought');
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
  expect([...seen]).toEqual(expect.arrayContaining([...names, 'bought', 'repeated', ...rules]));
}, 120_000);
