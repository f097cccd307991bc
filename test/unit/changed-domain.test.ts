/** A domain that changed between two starts: what was recorded before still verifies, and a limit that is new counts what was done. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startCeiling } from '../../src/authority/limits.ts';
import { isNames, type Limit, type NumberLimit } from '../../src/authority/terms.ts';
import { ceilingInWords } from '../../src/authority/words.ts';
import { canonical } from '../../src/canonical.ts';
import { erase, setCeiling } from '../../src/ledger/acts.ts';
import { lookAtApproval } from '../../src/ledger/approval-view.ts';
import { approve } from '../../src/ledger/approving.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { prune } from '../../src/ledger/prune.ts';
import { checking, type Verification } from '../../src/ledger/verify.ts';
import { lookAtOverview } from '../../src/ledger/view.ts';
import { DAY_MS, RECORD_KEPT_MS } from '../../src/lifetimes.ts';
import { things } from '../../src/authority/units.ts';
import { shop } from '../../src/shop/index.ts';
import type { Domain } from '../../src/tools/define-domain.ts';
import { callerOf, employ, inStorage, ledgerOver, mandateOf, serve } from '../support/ledger.ts';

const START = Date.parse('2026-11-23T12:00:00Z');
const MINUTE_MS = 60_000;
const PURCHASE = { company: 'Engines', mailingAddress: 'London', tshirtSize: 'L' };
const FOUR_SHIRTS = { shirts: 4, spend: 10_000 };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

/** The shop with other limits; undefined takes one away. */
function shopWith(changes: Record<string, Limit | undefined>): Domain {
  const limits = Object.entries({ ...shop.limits, ...changes }).flatMap(([name, limit]) =>
    limit ? [[name, limit] as const] : [],
  );
  return { ...shop, limits: Object.fromEntries(limits) };
}

/** A limit of the shop that is a number. */
function limitOf(name: string): NumberLimit {
  const limit = shop.limits[name];
  if (!limit || isNames(limit)) throw new Error(`${name} is no number`);
  return limit;
}

function withoutCeiling(limit: NumberLimit): NumberLimit {
  const { ceiling, ...rest } = limit;
  expect(ceiling).toBeDefined();
  return rest;
}

function check(ledger: Ledger): Verification {
  const steps = checking(ledger, undefined);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

function buy(ledger: Ledger, deputyId: string, quantity = 1, domain: Domain = shop) {
  return serve(ledger, callerOf(deputyId), 'buyMcpShopItem', { ...PURCHASE, quantity }, domain);
}

/** A morning in the shop: three orders of two deputies, one of them cancelled, and a refusal by a limit. */
async function use(storage: DurableObjectStorage, domain: Domain = shop): Promise<void> {
  const ledger = ledgerOver(storage, domain);
  employ(ledger, 'dep_1');
  employ(ledger, 'dep_2', mandateOf({ shirtsPerDay: 4 }));
  expect(await buy(ledger, 'dep_1', 2, domain)).toMatchObject({ allowed: true });
  vi.setSystemTime(START + 2 * MINUTE_MS);
  const { data } = await buy(ledger, 'dep_2', 3, domain);
  const { id } = data['order'] as { id: string };
  expect(await serve(ledger, callerOf('dep_2'), 'cancelMcpShopOrder', { orderId: id }, domain)).toMatchObject({
    allowed: true,
  });
  expect(await buy(ledger, 'dep_2', 2, domain)).toMatchObject({ code: 'daily_limit' });
  expect(await buy(ledger, 'dep_1', 1, domain)).toMatchObject({ allowed: true });
}

const RUSH: NumberLimit = { of: 'shirts', per: 'minute', start: 5, max: 9, ceiling: 5, label: 'Shirts in a minute' };
const ORDERS: NumberLimit = { of: 'acts', per: 'day', start: 3, max: 9 };

/** Every number of every limit, one at a time, and what else can change. */
const CHANGES: [string, Domain][] = [
  ...Object.keys(shop.limits).flatMap((name): [string, Domain][] => {
    const limit = limitOf(name);
    return [
      [`another start of ${name}`, shopWith({ [name]: { ...limit, start: limit.start - 1 } })],
      [`another max of ${name}`, shopWith({ [name]: { ...limit, max: limit.max * 2 } })],
      [`a max of ${name} below what was used`, shopWith({ [name]: { ...limit, start: 1, max: 1 } })],
      [`no ${name}`, shopWith({ [name]: undefined })],
      ...(limit.ceiling === undefined
        ? []
        : [
            [`another ceiling of ${name}`, shopWith({ [name]: { ...limit, ceiling: 7 } })] as [string, Domain],
            [`no ceiling of ${name}`, shopWith({ [name]: withoutCeiling(limit) })] as [string, Domain],
          ]),
    ];
  }),
  ['a new limit of one act', shopWith({ dollarsPerOrder: { of: 'spend', per: 'act', start: 5000, max: 9000 } })],
  ['a new limit of a span that was counted', shopWith({ more: { of: 'shirts', per: 'day', start: 5, max: 9 } })],
  ['a new limit of another span', shopWith({ rush: RUSH })],
  ['a new limit of orders', shopWith({ ordersPerDay: ORDERS })],
  ['no limit at all', { ...shop, limits: {} }],
  [
    'a new power',
    { ...shop, powers: { ...shop.powers, 'shop:return': { reads: 'return', title: 'Return shirts', detail: '' } } },
  ],
  ['a power less', { ...shop, powers: { 'shop:browse': { reads: 'look', title: 'Look', detail: '' } } }],
  ['a unit less', { ...shop, units: {}, limits: {}, tools: shop.tools.filter(({ metered }) => !metered) }],
  ['other words', { ...shop, sentence: 'It may.', ceiling: 'All may.', mandateType: 'other', name: 'Other' }],
];

test.each(CHANGES)('what was recorded before still verifies with %s, and so does what comes after', (_, domain) =>
  inStorage(async (storage) => {
    await use(storage);
    const before = check(ledgerOver(storage));
    expect(before).toMatchObject({ ok: true });
    const ledger = ledgerOver(storage, domain);
    expect(check(ledger)).toEqual(before);
    vi.setSystemTime(START + 5 * MINUTE_MS);
    // Whatever the new rules say of it, it is recorded and verifies.
    expect(await buy(ledger, 'dep_1', 1, domain)).not.toMatchObject({ code: 'internal_error' });
    employ(ledger, 'dep_3');
    expect(check(ledger)).toMatchObject({ ok: true });
    vi.setSystemTime(START + RECORD_KEPT_MS + DAY_MS);
    expect(prune(ledger)).toBeGreaterThan(0);
    expect(check(ledger)).toMatchObject({ ok: true });
    // And the way back.
    expect(check(ledgerOver(storage))).toMatchObject({ ok: true });
  }),
);

/** The shop, which also counts what shirts weigh. */
const weighing: Domain = {
  ...shopWith({ gramsPerDay: { of: 'grams', per: 'day', start: 5000, max: 9000 } }),
  units: { ...shop.units, grams: things('gram', 'grams') },
  tools: shop.tools.map((tool) => ({
    ...tool,
    prepare(args: unknown) {
      const prepared = tool.prepare(args);
      return prepared.uses ? { ...prepared, uses: { ...prepared.uses, grams: 200 } } : prepared;
    },
  })),
};

const usesBy = (domain: Domain) => (tool: string, args: Record<string, unknown>) =>
  domain.tools.find(({ name }) => name === tool)?.prepare(args).uses;

test.each([...CHANGES, ['another unit', weighing] as [string, Domain]])(
  'a question that waited while the shop became one with %s is shown, answered or refused, and ends',
  (_, domain) =>
    inStorage(async (storage) => {
      const before = ledgerOver(storage);
      employ(before, 'dep_1');
      expect(await buy(before, 'dep_1', 4)).toMatchObject({ code: 'approval_required' });
      const ledger = ledgerOver(storage, domain);
      const usesNow = usesBy(domain);
      const id = ledger.approvals.waiting()[0]?.effectId ?? '';
      const view = lookAtApproval(ledger, 'user_1', id, usesNow);
      const isSame = canonical(usesNow('buyMcpShopItem', { ...PURCHASE, quantity: 4 })) === canonical(FOUR_SHIRTS);
      expect(view?.changed).toBe(!isSame);
      const decision = { effectId: id, shown: view?.agreed.one ?? '', grade: 'confirmed', next: false } as const;
      const answer = approve(ledger, 'user_1', decision, { signed: undefined, usesNow });
      const stopped = view?.stoppedBy && { problem: 'stopped', reason: view.stoppedBy };
      expect(answer).toEqual(isSame ? (stopped ?? expect.objectContaining({ grants: [] })) : { problem: 'changed' });
      vi.setSystemTime(START + DAY_MS);
      const ended = lookAtApproval(ledger, 'user_1', id, usesNow)?.effect.state;
      expect(ended).toBe('problem' in answer ? 'lapsed' : 'confirmed');
      expect(check(ledger)).toMatchObject({ ok: true });
    }),
);

const later = shopWith({ rush: RUSH, ordersPerDay: ORDERS });

/** What counts now under a limit: of each deputy, and of all. */
function counts(ledger: Ledger, limit: string) {
  const now = ledger.now();
  const used = (windows: Parameters<Ledger['usage']>[0]) => ledger.usage(windows, now)(limit).used;
  return {
    dep_1: used(ledger.meters.read('dep_1').windows),
    dep_2: used(ledger.meters.read('dep_2').windows),
    all: used(ledger.account.read().windows),
  };
}

test('a limit that is new counts what was done within its span, of each deputy and of all', () =>
  inStorage(async (storage) => {
    await use(storage);
    const ledger = ledgerOver(storage, later);
    // What was cancelled counts on; the first order is more than a minute old.
    expect(counts(ledger, 'rush')).toEqual({ dep_1: 1, dep_2: 3, all: 4 });
    expect(counts(ledger, 'ordersPerDay')).toEqual({ dep_1: 2, dep_2: 1, all: 0 });
    expect(counts(ledger, 'shirtsPerDay')).toEqual({ dep_1: 3, dep_2: 3, all: 6 });
    // They hold from the first call on: of all in a minute, and of the orders of one.
    expect(await buy(ledger, 'dep_1', 2, later)).toMatchObject({ code: 'account_limit' });
    expect(await buy(ledger, 'dep_1', 1, later)).toMatchObject({ allowed: true });
    vi.setSystemTime(START + 5 * MINUTE_MS);
    expect(await buy(ledger, 'dep_1', 1, later)).toMatchObject({ code: 'daily_limit' });
    expect(await buy(ledger, 'dep_2', 1, later)).toMatchObject({ allowed: true });
    expect(check(ledger)).toMatchObject({ ok: true });
    vi.setSystemTime(START + DAY_MS + 30 * MINUTE_MS);
    expect(counts(ledger, 'ordersPerDay')).toEqual({ dep_1: 0, dep_2: 0, all: 0 });
  }));

test('an old limit that becomes one of the account counts what was done for all', () =>
  inStorage(async (storage) => {
    await use(storage, shopWith({ shirtsPerDay: withoutCeiling(limitOf('shirtsPerDay')) }));
    const domain = shopWith({ shirtsPerDay: { ...limitOf('shirtsPerDay'), ceiling: 7 } });
    const ledger = ledgerOver(storage, domain);
    expect(counts(ledger, 'shirtsPerDay')).toEqual({ dep_1: 3, dep_2: 3, all: 6 });
    // The account was opened under today's shop, whose ceiling of 20 it keeps.
    setCeiling(ledger, { shirtsPerDay: 7, spendPerDay: 50_000 }, ledger.account.read().ceilingVersion);
    expect(await buy(ledger, 'dep_1', 2, domain)).toMatchObject({ code: 'account_limit' });
    expect(await buy(ledger, 'dep_1', 1, domain)).toMatchObject({ allowed: true });
    expect(check(ledger)).toMatchObject({ ok: true });
  }));

/** The rows and keys that counting writes. */
function counted({ sql, kv }: DurableObjectStorage) {
  return [
    sql.exec('SELECT * FROM meters ORDER BY deputy_id').toArray(),
    sql.exec('SELECT * FROM account').toArray(),
    kv.get('counted'),
  ];
}

test('a second start counts nothing twice, whatever changed in between', () =>
  inStorage(async (storage) => {
    await use(storage);
    const ledger = ledgerOver(storage, later);
    const once = counted(storage);
    ledgerOver(storage, later);
    expect(counted(storage)).toEqual(once);
    // Something that is counted already, and the same limits in another order.
    ledgerOver(storage, shopWith({ rush: RUSH, ordersPerDay: ORDERS, more: { ...ORDERS, start: 1 } }));
    const { callsPerMinute, ...others } = later.limits;
    if (!callsPerMinute) throw new Error('the shop counts no calls');
    const turned = ledgerOver(storage, { ...later, limits: { ...others, callsPerMinute } });
    expect(counts(turned, 'ordersPerDay')).toEqual({ dep_1: 2, dep_2: 1, all: 0 });
    // Away and back again.
    ledgerOver(storage);
    const back = ledgerOver(storage, later);
    expect(counts(back, 'ordersPerDay')).toEqual({ dep_1: 2, dep_2: 1, all: 0 });
    expect(counts(back, 'shirtsPerDay')).toEqual({ dep_1: 3, dep_2: 3, all: 6 });
    expect(check(back)).toMatchObject({ ok: true });
    expect(ledger.meters.read('dep_1').lastSeen).toBe(START + 2 * MINUTE_MS);
  }));

test('a limit that was away for an order counts that order too once it is back', () =>
  inStorage(async (storage) => {
    await use(storage);
    const without = shopWith({ shirtsPerDay: undefined });
    const between = ledgerOver(storage, without);
    expect(await buy(between, 'dep_1', 2, without)).toMatchObject({ allowed: true });
    const ledger = ledgerOver(storage);
    expect(counts(ledger, 'shirtsPerDay')).toEqual({ dep_1: 5, dep_2: 3, all: 8 });
    expect(check(ledger)).toMatchObject({ ok: true });
  }));

test('what the account had used stays when the human erases all, and a new limit does not lose it', () =>
  inStorage(async (storage) => {
    await use(storage);
    const ledger = ledgerOver(storage);
    erase(ledger);
    expect(counts(ledger, 'shirtsPerDay')).toEqual({ dep_1: 0, dep_2: 0, all: 6 });
    const with2 = ledgerOver(storage, later);
    expect(counts(with2, 'shirtsPerDay')).toEqual({ dep_1: 0, dep_2: 0, all: 6 });
    // Nothing is left to count for a limit that is new then.
    expect(counts(with2, 'ordersPerDay')).toEqual({ dep_1: 0, dep_2: 0, all: 0 });
    expect(check(with2)).toMatchObject({ ok: true });
    employ(with2, 'dep_1');
    expect(await buy(with2, 'dep_1', 3, later)).toMatchObject({ allowed: true });
    expect(counts(with2, 'shirtsPerDay')).toEqual({ dep_1: 3, dep_2: 0, all: 9 });
    expect(check(with2)).toMatchObject({ ok: true });
  }));

test('what the account had used before everything was erased counts on for a limit that was away meanwhile', () =>
  inStorage(async (storage) => {
    await use(storage);
    erase(ledgerOver(storage));
    const without = shopWith({ shirtsPerDay: undefined });
    const between = ledgerOver(storage, without);
    employ(between, 'dep_1');
    expect(await buy(between, 'dep_1', 2, without)).toMatchObject({ allowed: true });
    const ledger = ledgerOver(storage);
    expect(counts(ledger, 'shirtsPerDay')).toEqual({ dep_1: 2, dep_2: 0, all: 8 });
    expect(check(ledger)).toMatchObject({ ok: true });
  }));

test('an account from before a limit of all deputies has that limit, and is told so', () =>
  inStorage(async (storage) => {
    await use(storage);
    const ledger = ledgerOver(storage, later);
    expect(lookAtOverview(ledger).used).toEqual({ shirtsPerDay: 6, spendPerDay: 15_000, rush: 4 });
    expect(await buy(ledger, 'dep_1', 2, later)).toMatchObject({ code: 'account_limit' });
    setCeiling(ledger, { shirtsPerDay: 30, spendPerDay: 50_000, rush: 4 }, ledger.account.read().ceilingVersion);
    expect(await buy(ledger, 'dep_1', 1, later)).toMatchObject({ code: 'account_limit' });
    expect(ceilingInWords({ ...later, ceiling: 'At most {rush}.' }, startCeiling(shop))).toBe('At most 5 shirts.');
    // A limit that is gone says nothing any more.
    expect(lookAtOverview(ledgerOver(storage)).used).toEqual({ shirtsPerDay: 6, spendPerDay: 15_000 });
  }));
