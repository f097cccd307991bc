/** Asking first: what is above the asking limit waits for its human's yes, which only their own page takes. */
import { afterEach, expect, test, vi } from 'vitest';
import { textOf } from '../../src/dev/browser.ts';
import { type Deputy, ERAS, type Person } from '../../src/dev/clients.ts';
import { setCeiling } from '../../src/ledger/acts.ts';
import { agreementOf, approve as yes } from '../../src/ledger/approving.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { verify } from '../../src/ledger/verify.ts';
import { DAY_MS } from '../../src/lifetimes.ts';
import { addPasskey, approve, questionPath } from '../support/answering.ts';
import { callerOf, employ, inLedger, mandateOf, serve } from '../support/ledger.ts';
import { deputyOf, objectOf, person } from '../support/people.ts';
import { outcome, recordOf } from '../support/scene.ts';
import { buy, PURCHASE } from '../support/shop.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const FOUR = { ...PURCHASE, quantity: 4 };

/** Asks for four shirts, and tells the id of what waits. */
async function ask(deputy: Deputy, changes: Record<string, unknown> = {}): Promise<string> {
  const { data } = await deputy.call('buyMcpShopItem', { ...FOUR, ...changes });
  const { code, waiting } = data['error'] as { code: string; waiting: { id: string } };
  expect(code).toBe('approval_required');
  return waiting.id;
}

/** The human says yes to the one thing that waits, after a fresh sign-in. */
function sayYes(ledger: Ledger, { next = false } = {}): void {
  const [approval] = ledger.approvals.waiting();
  if (!approval) throw new Error('nothing waits');
  const shown = agreementOf(ledger, 'user_1', approval, { next });
  const decision = { effectId: approval.effectId, shown, grade: 'confirmed', next } as const;
  const usesNow = () => approval.action.uses;
  expect(yes(ledger, 'user_1', decision, { signed: undefined, usesNow })).not.toHaveProperty('problem');
}

async function verified(human: Person): Promise<boolean> {
  return (await objectOf(human).verifyRecord()).ok;
}

test.each(ERAS)('a %s client is told where its human answers, and repeating the call brings the order', async (era) => {
  const human = person();
  const deputy = await deputyOf(human, era);
  const { text, data } = await deputy.call('buyMcpShopItem', FOUR);
  const { waiting, url, whoCanLift } = data['error'] as { waiting: { id: string }; url: string; whoCanLift: string };
  expect({ url, whoCanLift }).toEqual({ url: `http://localhost:8787${questionPath(waiting.id)}`, whoCanLift: 'human' });
  expect(text).toContain(url);
  // Nothing is ordered, it counts, and the same call is the same question.
  expect(await ask(deputy)).toBe(waiting.id);
  expect((await deputy.call('getMyMandate')).data).toMatchObject({
    remaining: { shirts: 6 },
    waiting: [{ id: waiting.id, url }],
  });
  const { data: listed } = await deputy.call('listMcpShopOrders');
  expect(listed['orders']).toMatchObject([{ id: waiting.id, status: 'waiting', quantity: 4 }]);

  const page = await human.browser.open(url);
  expect(textOf(page)).toContain('4 black shirts for $100.00?');
  expect(textOf(page)).toContain('above 3 shirts in one order it asks you first');
  expect(textOf(await approve(human, waiting.id))).toContain('You said yes: it is order 1.');
  const { data: bought } = await deputy.call('buyMcpShopItem', FOUR);
  expect(bought).toMatchObject({ status: 'success', order: { id: waiting.id, number: 1, status: 'confirmed' } });
  // Once more is not another one, and the model is told so.
  expect((await deputy.call('buyMcpShopItem', FOUR)).text).toContain('this very call brings nothing more');
  expect((await recordOf(human)).effects).toHaveLength(1);
  expect(await verified(human)).toBe(true);
});

test('a passkey signs exactly that order, and nothing else does', async () => {
  const human = person();
  const device = await addPasskey(human);
  const deputy = await deputyOf(human, '2026-07-28');
  const id = await ask(deputy);
  expect((await approve(human, id)).status).toBe(403);
  expect((await approve(human, id, { device, verified: false })).status).toBe(403);
  expect((await approve(human, id, { device, origin: 'https://evil.example' })).status).toBe(403);
  expect(textOf(await approve(human, id, { device }))).toContain('You said yes');
  const [line] = (await recordOf(human)).timeline;
  expect(line).toMatchObject({ act: 'approved', grade: 'device', proof: { passkey: device.id } });
  expect(await verified(human)).toBe(true);
});

test('a no frees what was counted, and the same call stays refused', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  const id = await ask(deputy);
  const page = await human.browser.open(questionPath(id));
  await human.browser.press(page, 'Deny');
  expect(await outcome(deputy, 'buyMcpShopItem', FOUR)).toBe('approval_denied');
  expect((await deputy.call('getMyMandate')).data).toMatchObject({ remaining: { shirts: 10 }, waiting: [] });
  expect(await verified(human)).toBe(true);
});

test('what is not answered within ten minutes lapses', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  const id = await ask(deputy);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10 * 60_000 });
  expect(await outcome(deputy, 'buyMcpShopItem', FOUR)).toBe('approval_lapsed');
  expect((await deputy.call('getMyMandate')).data).toMatchObject({ remaining: { shirts: 10 } });
  expect(textOf(await human.browser.open(questionPath(id)))).toContain('Nobody answered in time');
  expect(await verified(human)).toBe(true);
});

test('a deputy takes its own question back, and no other one does', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  const other = await deputyOf(human, '2025-11-25');
  const orderId = await ask(deputy);
  expect(await outcome(other, 'cancelMcpShopOrder', { orderId })).toBe('not_your_request');
  const { data } = await deputy.call('cancelMcpShopOrder', { orderId });
  expect(data).toMatchObject({ order: { status: 'void' } });
  expect(await outcome(deputy, 'buyMcpShopItem', FOUR)).toBe('approval_withdrawn');
  expect((await deputy.call('getMyMandate')).data).toMatchObject({ remaining: { shirts: 10 } });
  expect(await verified(human)).toBe(true);
});

test('five questions of a deputy wait, and no sixth', async () => {
  const human = person();
  human.blanks = { shirtsPerDay: '20', spendPerDay: '500' };
  const deputy = await deputyOf(human, '2026-07-28');
  for (let count = 0; count < 4; count += 1) await ask(deputy, { idempotencyKey: `${count}` });
  await objectOf(human).act({ do: 'ceiling', ceiling: { shirtsPerDay: 100, spendPerDay: 500_000 }, version: 0 });
  expect(await outcome(deputy, 'buyMcpShopItem', { ...FOUR, idempotencyKey: '4' })).toBe('approval_required');
  expect(await outcome(deputy, 'buyMcpShopItem', PURCHASE)).toBe('daily_limit');
});

test('the same call is recognised for a day, and is another question after that', () =>
  inLedger(async (ledger) => {
    employ(ledger, 'dep_1');
    const call = () => serve(ledger, callerOf('dep_1'), 'buyMcpShopItem', FOUR);
    await call();
    sayYes(ledger);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + DAY_MS - 60_000 });
    expect(await call()).toMatchObject({ allowed: true, data: { order: { number: 1 } } });
    vi.setSystemTime(Date.now() + 60_000);
    expect(await call()).toMatchObject({ allowed: false, code: 'approval_required' });
    expect(ledger.effects.newest(10).map(({ state }) => state)).toEqual(['waiting', 'confirmed']);
    expect(verify(ledger)).toMatchObject({ ok: true });
  }));

test('what was allowed in advance is carried out while five other questions wait', () =>
  inLedger(async (ledger) => {
    setCeiling(ledger, { shirtsPerDay: 100, spendPerDay: 250_000 }, 0);
    employ(ledger, 'dep_1', mandateOf({ shirtsPerDay: 100, spendPerDay: 250_000 }));
    const call = async (changes: Record<string, unknown>) =>
      (await serve(ledger, callerOf('dep_1'), 'buyMcpShopItem', { ...FOUR, ...changes })).code ?? 'allowed';
    await call({});
    sayYes(ledger, { next: true });
    for (const company of ['1', '2', '3', '4', '5']) expect(await call({ company })).toBe('approval_required');
    expect(await call({ idempotencyKey: 'like it' })).toBe('allowed');
    expect(await call({ company: '6' })).toBe('too_many_waiting');
    expect(ledger.approvals.waiting()).toHaveLength(5);
    expect(verify(ledger)).toMatchObject({ ok: true });
  }));

test('and the next three like it, within the hour, and no more each', async () => {
  const human = person();
  human.blanks = { shirtsPerOrder: '5', shirtsPerDay: '20', spendPerDay: '500' };
  const deputy = await deputyOf(human, '2026-07-28');
  const device = await addPasskey(human);
  const id = await ask(deputy);
  expect(textOf(await approve(human, id, { device, next: true }))).toContain('You said yes');
  expect(await outcome(deputy, 'buyMcpShopItem', { ...FOUR, quantity: 5, idempotencyKey: 'more' })).toBe(
    'approval_required',
  );
  expect(await outcome(deputy, 'buyMcpShopItem', { ...FOUR, color: 'blue' })).toBe('approval_required');
  await buy(deputy, { ...FOUR, idempotencyKey: '1' });
  expect(await verified(human)).toBe(true);
});
