/** A purchase that is repeated, and one that is taken back. */
import { env } from 'cloudflare:workers';
import { runDurableObjectAlarm } from 'cloudflare:test';
import { afterEach, expect, test, vi } from 'vitest';
import { ERAS } from '../../src/dev/clients.ts';
import type { Order } from '../../src/shop/order.ts';
import { deputyOf, objectOf, person, resumption } from '../support/people.ts';
import { buy, PURCHASE } from '../support/shop.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test.each(ERAS)('a %s client that repeats a purchase with its key gets the same order, and pays once', async (era) => {
  const human = person();
  const deputy = await deputyOf(human, era);
  const order = await buy(deputy, { quantity: 2, idempotencyKey: 'one' });
  const { data, text } = await deputy.call('buyMcpShopItem', { ...PURCHASE, quantity: 2, idempotencyKey: 'one' });
  expect(data['order']).toEqual(order);
  expect(text).toContain('nothing was bought again');
  expect((await deputy.call('listMcpShopOrders')).data['orders']).toHaveLength(1);
  expect((await deputy.call('getMyMandate')).data['remaining']).toMatchObject({ shirts: 8, spend: 20_000 });
  const [, repeated] = (await objectOf(human).look({})).timeline.filter((line) => 'tool' in line).slice(1);
  expect(repeated).toMatchObject({ decision: 'allowed', repeats: order.id });
});

test.each(ERAS)('ten repetitions of a %s client at once are one order', async (era) => {
  const deputy = await deputyOf(person(), era);
  const orders = await Promise.all(Array.from({ length: 10 }, () => buy(deputy, { idempotencyKey: 'at once' })));
  expect(new Set(orders.map(({ id }) => id)).size).toBe(1);
});

test('a default that is spelled out is the same purchase, another argument is a conflict that says so', async () => {
  const deputy = await deputyOf(person(), '2026-07-28');
  const order = await buy(deputy, { idempotencyKey: 'k' });
  expect((await buy(deputy, { idempotencyKey: 'k', quantity: 1, color: 'black' })).id).toBe(order.id);
  for (const change of [{ quantity: 2 }, { color: 'blue' }, { mailingAddress: 'Paris' }, { tshirtSize: 'S' }]) {
    const answer = await deputy.call('buyMcpShopItem', { ...PURCHASE, idempotencyKey: 'k', ...change });
    expect(answer).toMatchObject({
      isError: true,
      data: { error: { code: 'idempotency_conflict', whoCanLift: 'deputy' } },
    });
    expect(answer.text).toContain('nothing was bought');
  }
  expect((await deputy.call('listMcpShopOrders')).data['orders']).toHaveLength(1);
});

test('a key is the deputy’s own: another deputy, or another human, with the same key buys', async () => {
  const human = person();
  const deputies = [
    await deputyOf(human, '2025-11-25'),
    await deputyOf(human, '2026-07-28'),
    await deputyOf(person(), '2026-07-28'),
  ];
  const orders = await Promise.all(deputies.map((deputy) => buy(deputy, { idempotencyKey: 'shared' })));
  expect(new Set(orders.map(({ id }) => id)).size).toBe(3);
});

test('a purchase that was refused does not use up its key', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  await objectOf(human).act({ do: 'pause' });
  expect((await deputy.call('buyMcpShopItem', { ...PURCHASE, idempotencyKey: 'k' })).isError).toBe(true);
  await objectOf(human).act(await resumption(objectOf(human)));
  expect((await buy(deputy, { idempotencyKey: 'k' })).status).toBe('confirmed');
});

test('a repetition is answered although the limit is used up, and refused while the human has paused', async () => {
  const human = person();
  human.blanks = { shirtsPerDay: '1', shirtsPerOrder: '1', askAbove: '' };
  const deputy = await deputyOf(human, '2025-11-25');
  const order = await buy(deputy, { idempotencyKey: 'k' });
  expect((await deputy.call('buyMcpShopItem', PURCHASE)).isError).toBe(true);
  expect((await buy(deputy, { idempotencyKey: 'k' })).id).toBe(order.id);
  await objectOf(human).act({ do: 'pause' });
  expect((await deputy.call('buyMcpShopItem', { ...PURCHASE, idempotencyKey: 'k' })).isError).toBe(true);
});

test('a key is kept for 24 hours', async () => {
  const deputy = await deputyOf(person(), '2026-07-28');
  const start = Date.now();
  const { id } = await buy(deputy, { idempotencyKey: 'k' });
  vi.useFakeTimers({ toFake: ['Date'], now: start + 24 * 60 * 60_000 - 60_000 });
  expect((await buy(deputy, { idempotencyKey: 'k' })).id).toBe(id);
  vi.useFakeTimers({ toFake: ['Date'], now: start + 24 * 60 * 60_000 + 60_000 });
  expect((await buy(deputy, { idempotencyKey: 'k' })).id).not.toBe(id);
});

test.each(ERAS)('a %s client cancels an order, once or twice, and KV learns of it', async (era) => {
  const human = person();
  const deputy = await deputyOf(human, era);
  const order = await buy(deputy);
  const cancelled = { ...order, status: 'cancelled' };
  for (const words of ['is cancelled', 'was cancelled before']) {
    const { data, text } = await deputy.call('cancelMcpShopOrder', { orderId: order.id });
    expect(data).toMatchObject({ status: 'success', order: cancelled });
    expect(text).toContain(words);
  }
  expect((await deputy.call('listMcpShopOrders')).data['orders']).toMatchObject([cancelled]);
  expect(await env.ORDERS.get(`order:${order.userId}:${order.id}`, 'json')).toMatchObject(cancelled);
  expect(await objectOf(human).verifyRecord()).toMatchObject({ ok: true });
});

test('what was cancelled still counts: a deputy cannot give itself anything back', async () => {
  const human = person();
  human.blanks = { shirtsPerDay: '2', shirtsPerOrder: '2', askAbove: '' };
  const deputy = await deputyOf(human, '2026-07-28');
  const order = await buy(deputy, { quantity: 2 });
  await deputy.call('cancelMcpShopOrder', { orderId: order.id });
  const { data } = await deputy.call('buyMcpShopItem', PURCHASE);
  expect(data['error']).toMatchObject({ code: 'daily_limit', limit: 'shirtsPerDay', remaining: { shirts: 0 } });
});

test('a purchase repeated after its order was cancelled says that it is cancelled', async () => {
  const deputy = await deputyOf(person(), '2025-11-25');
  const order = await buy(deputy, { idempotencyKey: 'k' });
  await deputy.call('cancelMcpShopOrder', { orderId: order.id });
  const again = await deputy.call('buyMcpShopItem', { ...PURCHASE, idempotencyKey: 'k' });
  expect(again.data['order']).toMatchObject({ id: order.id, status: 'cancelled' });
});

test('an order of somebody else, and one that never was, cannot be told apart, and stay as they are', async () => {
  const victim = await deputyOf(person(), '2026-07-28');
  const order = await buy(victim);
  const thief = await deputyOf(person(), '2026-07-28');
  const answers = [];
  for (const orderId of [order.id, crypto.randomUUID(), 'x']) {
    answers.push((await thief.call('cancelMcpShopOrder', { orderId })).data['error']);
  }
  expect(answers[0]).toMatchObject({ code: 'unknown_effect' });
  expect(answers).toEqual([answers[0], answers[0], answers[0]]);
  const [kept] = (await victim.call('listMcpShopOrders')).data['orders'] as Order[];
  expect(kept?.status).toBe('confirmed');
});

test('bought and cancelled while KV is down ends as cancelled in KV', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  const put = vi.spyOn(env.ORDERS, 'put').mockRejectedValue(new Error('KV is down'));
  const order = await buy(deputy);
  await deputy.call('cancelMcpShopOrder', { orderId: order.id });
  put.mockRestore();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
  await runDurableObjectAlarm(objectOf(human));
  expect(await env.ORDERS.get(`order:${order.userId}:${order.id}`, 'json')).toMatchObject({ status: 'cancelled' });
});

test('a cancel while the first copy is still on its way to KV does not end as confirmed', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2025-11-25');
  const { promise: slow, resolve: arrive } = Promise.withResolvers<void>();
  const real = env.ORDERS.put.bind(env.ORDERS);
  const put = vi.spyOn(env.ORDERS, 'put').mockImplementationOnce(async (key, value, options) => {
    await slow;
    await real(key, value, options);
  });
  const bought = buy(deputy);
  await vi.waitUntil(() => put.mock.calls.length === 1, { timeout: 10_000 });
  const [pending] = (await deputy.call('listMcpShopOrders')).data['orders'] as Order[];
  const cancelled = deputy.call('cancelMcpShopOrder', { orderId: pending?.id });
  await vi.waitUntil(
    async () => ((await deputy.call('listMcpShopOrders')).data['orders'] as Order[])[0]?.status === 'cancelled',
    { timeout: 10_000 },
  );
  expect(put, 'the second write waits for the first').toHaveBeenCalledTimes(1);
  arrive();
  const order = await bought;
  await cancelled;
  expect(put).toHaveBeenCalledTimes(2);
  expect(await env.ORDERS.get(`order:${order.userId}:${order.id}`, 'json')).toMatchObject({ status: 'cancelled' });
});
