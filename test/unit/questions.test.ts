/** What becomes of a question in the ledger: with its deputy, with everything, with a permission that is gone, with a clock that was ahead. */
import { afterEach, expect, test, vi } from 'vitest';
import { erase, resign, revoke } from '../../src/ledger/acts.ts';
import { type Approval, WAITING } from '../../src/ledger/approvals.ts';
import { denyAndPause, reasonAgainst } from '../../src/ledger/approving.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { verify } from '../../src/ledger/verify.ts';
import { lookAtWaiting } from '../../src/ledger/waiting-view.ts';
import { ASKED_MS, DAY_MS } from '../../src/lifetimes.ts';
import { callerOf, employ, inLedger, mandateOf, serve } from '../support/ledger.ts';
import { PURCHASE } from '../support/shop.ts';

afterEach(() => void vi.useRealTimers());

/** Has `dep_1` ask for four shirts. */
async function asked(ledger: Ledger): Promise<Approval> {
  employ(ledger, 'dep_1', mandateOf());
  const { code } = await serve(ledger, callerOf('dep_1'), 'buyMcpShopItem', { ...PURCHASE, quantity: 4 });
  expect(code).toBe('approval_required');
  const [approval] = ledger.approvals.waiting();
  if (!approval) throw new Error('nothing waits');
  return approval;
}

const stateOf = (ledger: Ledger, { effectId }: Approval) => ledger.effects.find(effectId)?.state;
const usedBy = (ledger: Ledger) => ledger.usage(ledger.account.read().windows, ledger.now())('shirtsPerDay').used;

test.each([
  ['dismissed', (ledger: Ledger) => revoke(ledger, 'dep_1')],
  ['resigned', (ledger: Ledger) => resign(ledger, 'grant of dep_1')],
  ['replaced', (ledger: Ledger) => employ(ledger, 'dep_2', mandateOf(), ['dep_1'])],
] as const)('what a deputy asked is void, and free again, once it is %s', (_, end) =>
  inLedger(async (ledger) => {
    const approval = await asked(ledger);
    expect([stateOf(ledger, approval), usedBy(ledger)]).toEqual([WAITING, 4]);
    end(ledger);
    expect([stateOf(ledger, approval), usedBy(ledger)]).toEqual(['void', 0]);
    expect(verify(ledger)).toMatchObject({ ok: true });
  }),
);

test('what waits when everything is deleted counts no more', () =>
  inLedger(async (ledger) => {
    await asked(ledger);
    erase(ledger);
    expect(usedBy(ledger)).toBe(0);
    expect(verify(ledger)).toMatchObject({ ok: true });
  }));

test('a yes is decided with the permissions that the human has now', () =>
  inLedger(async (ledger) => {
    const { action, ...rest } = await asked(ledger);
    const restricted = { ...rest, action: { ...action, permission: 'shop:admin', permissions: ['shop:admin'] } };
    expect(reasonAgainst(ledger, restricted, ledger.now())).toBeUndefined();
    ledger.account.setPresence({ permissions: [], at: ledger.now() });
    expect(reasonAgainst(ledger, restricted, ledger.now())).toMatchObject({ code: 'permission_required' });
  }));

test('what is allowed in advance is allowed to one tool', () =>
  inLedger(async (ledger) => {
    const { effectId } = await asked(ledger);
    const effect = ledger.effects.find(effectId);
    if (!effect) throw new Error('nothing was asked');
    const now = ledger.now();
    const allowance = { line: 1, deputyId: 'dep_1', amounts: { ...effect.amounts }, mandateVersion: 1, count: 3 };
    ledger.allowances.keep({ ...allowance, tool: 'buyMcpShopItem', like: 'like', endsAt: now + 1000 });
    expect(ledger.allowances.use(effect, 'rentMcpShopItem', 'like', 1, now)).toBeUndefined();
    expect(ledger.allowances.use(effect, 'buyMcpShopItem', 'like', 1, now)).toBe(1);
  }));

test('a question is remembered for a day, and while it waits', () =>
  inLedger(async (ledger) => {
    const approval = await asked(ledger);
    const known = () => ledger.approvals.known('dep_1', approval.tool, () => approval.digest, ledger.now());
    ledger.approvals.forgetOld(ledger.now() + 2 * DAY_MS);
    expect(known()).toBe(approval.effectId);
    resign(ledger, 'grant of dep_1');
    ledger.approvals.forgetOld(ledger.now() + DAY_MS - 1000);
    expect(known()).toBe(approval.effectId);
    ledger.approvals.forgetOld(ledger.now() + 2 * DAY_MS);
    expect(known()).toBeUndefined();
  }));

test('a question of a clock that was ahead waits for ten minutes from now, and is recognised for a day from now', () =>
  inLedger(async (ledger) => {
    const real = Date.now();
    vi.useFakeTimers({ toFake: ['Date'], now: real + DAY_MS });
    const { effectId } = await asked(ledger);
    vi.setSystemTime(real);
    ledger.transaction(() => ledger.moment());
    expect(ledger.approvals.find(effectId)).toMatchObject({ askedAt: real, endsAt: real + ASKED_MS });
    vi.setSystemTime(real + ASKED_MS);
    ledger.transaction(() => ledger.moment());
    expect(ledger.effects.find(effectId)?.state).toBe('lapsed');
    expect(usedBy(ledger)).toBe(0);
    expect(verify(ledger)).toMatchObject({ ok: true });
  }));

test('an act that breaks off leaves its question as it was: it still waits, is shown, and ends', () =>
  inLedger(async (ledger) => {
    const { effectId, endsAt } = await asked(ledger);
    const append = ledger.record.append.bind(ledger.record);
    let lines = 0;
    const broken = vi.spyOn(ledger.record, 'append').mockImplementation((...line) => {
      lines += 1;
      // The no is written, and read again for the pause, whose line fails.
      if (lines === 2) throw new Error('storage is down');
      return append(...line);
    });
    expect(() => denyAndPause(ledger, effectId, {})).toThrow('storage is down');
    broken.mockRestore();
    expect(ledger.approvals.waiting()).toHaveLength(1);
    expect(lookAtWaiting(ledger, ledger.now()).waiting).toHaveLength(1);
    vi.useFakeTimers({ toFake: ['Date'], now: endsAt });
    ledger.transaction(() => ledger.moment());
    expect(ledger.effects.find(effectId)?.state).toBe('lapsed');
    expect(verify(ledger)).toMatchObject({ ok: true });
  }));

test('a key that is known for longer than its question, as the clock was ahead, makes no order of what came to nothing', () =>
  inLedger(async (ledger) => {
    const real = Date.now();
    const call = { ...PURCHASE, quantity: 4, idempotencyKey: 'once' };
    employ(ledger, 'dep_1', mandateOf());
    vi.useFakeTimers({ toFake: ['Date'], now: real + DAY_MS / 2 });
    expect((await serve(ledger, callerOf('dep_1'), 'buyMcpShopItem', call)).code).toBe('approval_required');
    vi.setSystemTime(real);
    ledger.transaction(() => ledger.moment());
    vi.setSystemTime(real + DAY_MS + 1000);
    expect(await serve(ledger, callerOf('dep_1'), 'buyMcpShopItem', call)).toMatchObject({
      allowed: false,
      code: 'approval_lapsed',
    });
  }));

test('a key counts for a day, also when the clock was ahead while old ones were forgotten', () =>
  inLedger(async (ledger) => {
    const real = Date.now();
    const call = { ...PURCHASE, idempotencyKey: 'once' };
    employ(ledger, 'dep_1');
    vi.useFakeTimers({ toFake: ['Date'], now: real });
    expect((await serve(ledger, callerOf('dep_1'), 'buyMcpShopItem', call)).allowed).toBe(true);
    ledger.idempotency.forgetOld(real + DAY_MS);
    vi.setSystemTime(real + DAY_MS - 50 * 60_000);
    expect((await serve(ledger, callerOf('dep_1'), 'buyMcpShopItem', call)).allowed).toBe(true);
    expect(ledger.effects.newest(9)).toHaveLength(1);
  }));
