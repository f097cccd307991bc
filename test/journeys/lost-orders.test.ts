/** Orders that cannot be lost or doubled: whatever KV and the object do, KV ends up equal to the ledger. */
import { abortAllDurableObjects, evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { objectName } from '../../src/deputy.ts';
import { type Order, orderSchema } from '../../src/shop/order.ts';
import { backOffSeconds } from '../../src/ledger/jobs.ts';
import type { Deputy } from '../../src/dev/clients.ts';
import { deputyOf, jobsOf, person, waitingIn } from '../support/people.ts';
import { recordOf } from '../support/scene.ts';
import { buy, PURCHASE } from '../support/shop.ts';

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const MINUTE = 60 * 1000;
const HOUR = 60 * MINUTE;

function objectOf({ userId }: Order) {
  return env.MCP_OBJECT.getByName(objectName(userId));
}

const waiting = (order: Order) => waitingIn(objectOf(order));

function alarmOf(order: Order): Promise<number | null> {
  return runInDurableObject(objectOf(order), (_, { storage }) => storage.getAlarm());
}

/** Lets an hour of ledger time pass at a time, and runs the sweep, until nothing is to be delivered. */
async function drain(order: Order): Promise<number> {
  let runs = 0;
  const start = Date.now();
  while ((await waiting(order)) > 0) {
    vi.useFakeTimers({ toFake: ['Date'], now: start + (runs + 1) * HOUR });
    await runDurableObjectAlarm(objectOf(order));
    runs += 1;
    if (runs > 50) throw new Error('the sweeps never end');
  }
  vi.useRealTimers();
  return runs;
}

/** Lets the sweep that a purchase arms come and go. */
async function sweepOnce(order: Order): Promise<void> {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + MINUTE });
  await runDurableObjectAlarm(objectOf(order));
  vi.useRealTimers();
}

async function inKv({ userId }: Order): Promise<Order[]> {
  const { keys } = await env.ORDERS.list({ prefix: `order:${userId}:` });
  const values = await Promise.all(keys.map(({ name }) => env.ORDERS.get<Order>(name, 'json')));
  return values.filter((value) => value !== null);
}

/** KV holds exactly the orders that the deputy can list. */
async function expectKvEqualsLedger(deputy: Deputy, order: Order, count: number): Promise<void> {
  const orders = (await deputy.call('listMcpShopOrders')).data['orders'] as Order[];
  expect(orders).toHaveLength(count);
  const copies = await inKv(order);
  expect(copies).toHaveLength(count);
  for (const one of orders) expect(copies).toContainEqual(expect.objectContaining(orderSchema.parse(one)));
}

test('an order that KV takes waits for nothing, and the sweep ends with its one alarm', async () => {
  const deputy = await deputyOf(person(), '2026-07-28');
  const order = await buy(deputy);
  await expectKvEqualsLedger(deputy, order, 1);
  expect(await waiting(order)).toBe(0);
  expect(await alarmOf(order)).toBeLessThanOrEqual(Date.now() + 5000);
  await sweepOnce(order);
  // What is left is the daily round.
  expect(await alarmOf(order)).toBeGreaterThan(Date.now() + HOUR);
});

test('an order that KV refuses stands, and is delivered by the sweep without any request', async () => {
  const deputy = await deputyOf(person(), '2026-07-28');
  vi.spyOn(env.ORDERS, 'put').mockRejectedValueOnce(new Error('KV is down'));
  const order = await buy(deputy);
  expect(await inKv(order)).toEqual([]);
  expect(await drain(order)).toBe(1);
  await expectKvEqualsLedger(deputy, order, 1);
});

test('a write that hangs does not hang the purchase, and the order is delivered by the sweep', async () => {
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
  const deputy = await deputyOf(person(), '2025-11-25');
  vi.spyOn(env.ORDERS, 'put').mockReturnValueOnce(new Promise(() => {}));
  const order = await buy(deputy);
  expect(await inKv(order)).toEqual([]);
  expect(logged.mock.calls.join()).toContain('no answer within');
  await drain(order);
  await expectKvEqualsLedger(deputy, order, 1);
});

test('a write that succeeds late is noticed, and the sweep has nothing left to do', async () => {
  const deputy = await deputyOf(person(), '2026-07-28');
  const { promise: late, resolve: arrive } = Promise.withResolvers<void>();
  const put = vi.spyOn(env.ORDERS, 'put').mockReturnValueOnce(late);
  const order = await buy(deputy);
  arrive();
  const noticed = () =>
    runInDurableObject(objectOf(order), (_, { storage }) => storage.sql.exec('SELECT * FROM outbox').toArray());
  await vi.waitUntil(async () => (await noticed()).length === 0);
  await drain(order);
  expect(put).toHaveBeenCalledTimes(1);
});

test('an old write that comes in after a newer one is corrected', async () => {
  const deputy = await deputyOf(person(), '2026-07-28');
  const { promise: late, resolve: arrive } = Promise.withResolvers<void>();
  const real = env.ORDERS.put.bind(env.ORDERS);
  const put = vi.spyOn(env.ORDERS, 'put').mockImplementationOnce(async (key, value, options) => {
    await late;
    await real(key, value, options);
  });
  const order = await buy(deputy);
  await runInDurableObject(objectOf(order), (_, { storage }) => {
    storage.sql.exec("UPDATE effects SET data = json_set(data, '$.company', 'Renamed Ltd'), changed = changed + 1");
    storage.sql.exec('UPDATE outbox SET version = version + 1');
  });
  await drain(order);
  expect(await inKv(order)).toMatchObject([{ company: 'Renamed Ltd' }]);

  arrive();
  await vi.waitUntil(async () => (await inKv(order))[0]?.company !== 'Renamed Ltd');
  await drain(order);
  expect(await inKv(order)).toMatchObject([{ company: 'Renamed Ltd' }]);
  expect(put.mock.calls.length).toBeGreaterThan(2);
});

test('an old write that comes in after a newer one is corrected, even when KV says that it failed', async () => {
  const deputy = await deputyOf(person(), '2025-11-25');
  const { promise: late, resolve: arrive } = Promise.withResolvers<void>();
  const real = env.ORDERS.put.bind(env.ORDERS);
  vi.spyOn(env.ORDERS, 'put').mockImplementationOnce(async (key, value, options) => {
    await late;
    await real(key, value, options);
    throw new Error('the connection broke after the write');
  });
  const order = await buy(deputy);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * MINUTE });
  expect((await deputy.call('cancelMcpShopOrder', { orderId: order.id })).isError).toBe(false);
  expect(await inKv(order)).toMatchObject([{ status: 'cancelled' }]);

  arrive();
  await vi.waitUntil(async () => (await inKv(order))[0]?.status === 'confirmed');
  await vi.waitUntil(async () => (await waiting(order)) > 0);
  await drain(order);
  expect(await inKv(order)).toMatchObject([{ status: 'cancelled' }]);
});

test('an old write that comes in while a newer one waits for its answer is corrected', async () => {
  const deputy = await deputyOf(person(), '2026-07-28');
  const [old, newer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const real = env.ORDERS.put.bind(env.ORDERS);
  const put = vi
    .spyOn(env.ORDERS, 'put')
    .mockImplementationOnce(async (key, value, options) => {
      await old.promise;
      await real(key, value, options);
    })
    .mockImplementationOnce(async (key, value, options) => {
      await real(key, value, options);
      await newer.promise;
    });
  const order = await buy(deputy);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * MINUTE });
  expect((await deputy.call('cancelMcpShopOrder', { orderId: order.id })).isError).toBe(false);
  expect(await inKv(order)).toMatchObject([{ status: 'cancelled' }]);

  old.resolve();
  await vi.waitUntil(async () => (await inKv(order))[0]?.status === 'confirmed');
  newer.resolve();
  await vi.waitUntil(() => put.mock.settledResults[1]?.type === 'fulfilled');
  await deputy.call('listMcpShopOrders');
  await drain(order);
  expect(await inKv(order)).toMatchObject([{ status: 'cancelled' }]);
});

test('KV that is down for many hours is tried less and less often, and gets the order in the end', async () => {
  const deputy = await deputyOf(person(), '2025-11-25');
  const put = vi.spyOn(env.ORDERS, 'put').mockRejectedValue(new Error('KV is down'));
  const order = await buy(deputy);
  const waits: number[] = [];
  for (let hours = 0; hours < 12; hours += 1) {
    const alarm = (await alarmOf(order)) ?? 0;
    waits.push(Math.round((alarm - Date.now()) / 1000));
    vi.useFakeTimers({ toFake: ['Date'], now: alarm + 1000 });
    await runDurableObjectAlarm(objectOf(order));
  }
  expect(waits.slice(0, 4).every((seconds, index) => Math.abs(seconds - 5 * 2 ** index) <= 1)).toBe(true);
  expect(waits.at(-1)).toBeGreaterThan(3500);
  expect(waits.at(-1)).toBeLessThanOrEqual(3601);
  put.mockRestore();
  vi.useRealTimers();
  await drain(order);
  await expectKvEqualsLedger(deputy, order, 1);
});

test('the back-off doubles from five seconds and ends at an hour', () => {
  expect([0, 1, 2, 9, 10, 50].map(backOffSeconds)).toEqual([5, 10, 20, 2560, 3600, 3600]);
});

test('an object that dies between the two writes delivers by the sweep, without a request', async () => {
  const deputy = await deputyOf(person(), '2026-07-28');
  const first = await buy(deputy);
  vi.spyOn(env.ORDERS, 'put').mockReturnValueOnce(new Promise(() => {}));
  const second = deputy.call('buyMcpShopItem', { company: 'Lost Ltd', mailingAddress: 'London', tshirtSize: 'S' });
  const aborted = second.catch(() => undefined);
  await vi.waitUntil(async () => (await waiting(first)) > 0);
  await abortAllDurableObjects();
  await aborted;
  expect(await inKv(first)).toHaveLength(1);
  await drain(first);
  expect((await inKv(first)).map(({ company }) => company).toSorted()).toEqual(['Analytical Engines Ltd', 'Lost Ltd']);
  await expectKvEqualsLedger(deputy, first, 2);
});

test('a pending order without an alarm, left by an object that died even earlier, gets one at the next start', async () => {
  const deputy = await deputyOf(person(), '2025-11-25');
  const order = await buy(deputy);
  await env.ORDERS.delete(`order:${order.userId}:${order.id}`);
  await runInDurableObject(objectOf(order), (_, { storage }) => {
    storage.sql.exec('INSERT INTO outbox SELECT id, changed FROM effects');
  });
  await evictDurableObject(objectOf(order));
  await deputy.call('listMcpShopOrders');
  await drain(order);
  await expectKvEqualsLedger(deputy, order, 1);
});

test('an order is delivered at once even when no alarm can be set', async () => {
  const deputy = await deputyOf(person(), '2026-07-28');
  const first = await buy(deputy);
  await sweepOnce(first);
  await runInDurableObject(objectOf(first), (_, { storage }) => {
    vi.spyOn(storage, 'setAlarm').mockRejectedValueOnce(new Error('alarms are down'));
  });
  await buy(deputy);
  await expectKvEqualsLedger(deputy, first, 2);
});

test('a job of the scheduler does not put off the sweep, nor the sweep the job', async () => {
  const deputy = await deputyOf(person(), '2026-07-28');
  vi.spyOn(env.ORDERS, 'put').mockRejectedValueOnce(new Error('KV is down'));
  const order = await buy(deputy);
  const sweep = await alarmOf(order);
  await runInDurableObject(objectOf(order), (instance) => instance.act({ do: 'pause' }));
  expect(await alarmOf(order)).toBe(sweep);
  await drain(order);
  expect(await jobsOf(objectOf(order), 'daily')).toBe(1);
  expect(await alarmOf(order)).toBeGreaterThan(Date.now() + HOUR);
});

test('a job of another kind does not keep an object with pending orders from starting', async () => {
  const deputy = await deputyOf(person(), '2026-07-28');
  vi.spyOn(env.ORDERS, 'put').mockRejectedValueOnce(new Error('KV is down'));
  const order = await buy(deputy);
  await runInDurableObject(objectOf(order), (instance) => instance.schedule(3600, 'init', { other: 1 }));
  await evictDurableObject(objectOf(order));
  expect((await deputy.call('listMcpShopOrders')).data['orders']).toHaveLength(1);
});

test('a purchase repeated while KV is down for an hour is two orders, in the ledger and then in KV', async () => {
  const deputy = await deputyOf(person(), '2025-11-25');
  const put = vi.spyOn(env.ORDERS, 'put').mockRejectedValue(new Error('KV is down'));
  const order = await buy(deputy);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + HOUR });
  await runDurableObjectAlarm(objectOf(order));
  expect((await buy(deputy)).id).not.toBe(order.id);
  vi.useRealTimers();
  put.mockRestore();
  await drain(order);
  await expectKvEqualsLedger(deputy, order, 2);
});

test('each start while an order waits arms the sweep again', async () => {
  const deputy = await deputyOf(person(), '2025-11-25');
  vi.spyOn(env.ORDERS, 'put').mockRejectedValueOnce(new Error('KV is down'));
  const order = await buy(deputy);
  for (let start = 0; start < 3; start += 1) {
    await evictDurableObject(objectOf(order));
    await deputy.call('listMcpShopOrders');
  }
  expect(await waiting(order)).toBe(1);
  expect(await alarmOf(order)).toBeLessThanOrEqual(Date.now() + 5000);
});

test('two clients that buy in the same moment get two orders, and both reach KV, while KV fails every other time', async () => {
  const human = person();
  const [legacy, modern] = [await deputyOf(human, '2025-11-25'), await deputyOf(human, '2026-07-28')];
  const real = env.ORDERS.put.bind(env.ORDERS);
  let writes = 0;
  vi.spyOn(env.ORDERS, 'put').mockImplementation(async (key, value, options) => {
    if (writes++ % 2 === 0) throw new Error('KV is flaky');
    await real(key, value, options);
  });
  const [order, ...others] = await Promise.all([
    buy(legacy),
    ...Array.from({ length: 9 }, (_, n) => buy(n % 2 ? legacy : modern)),
  ]);
  expect(new Set([order, ...others].map(({ id }) => id)).size).toBe(10);
  await drain(order);
  await expectKvEqualsLedger(legacy, order, 10);
});

test('while KV is down, what else is due comes on time', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  vi.spyOn(env.ORDERS, 'put').mockRejectedValue(new Error('KV is down'));
  const order = await buy(deputy);
  for (let sweeps = 0; sweeps < 12; sweeps += 1) {
    vi.useFakeTimers({ toFake: ['Date'], now: (await alarmOf(order)) ?? 0 });
    await runDurableObjectAlarm(objectOf(order));
  }
  expect(await alarmOf(order)).toBe(Date.now() + HOUR);
  await deputy.call('buyMcpShopItem', { ...PURCHASE, quantity: 4 });
  const lapses = Date.now() + 10 * MINUTE;
  expect(await alarmOf(order)).toBeLessThan(lapses + 2000);
  vi.setSystemTime(lapses + 2000);
  await runDurableObjectAlarm(objectOf(order));
  expect((await recordOf(human)).timeline[0]).toMatchObject({ act: 'lapsed' });
  expect(await alarmOf(order)).toBeLessThanOrEqual(lapses + HOUR);
});

test('an object that ends between two sweeps waits longer each time all the same', async () => {
  const deputy = await deputyOf(person(), '2026-07-28');
  vi.spyOn(env.ORDERS, 'put').mockRejectedValue(new Error('KV is down'));
  const order = await buy(deputy);
  for (const seconds of [5, 10, 20, 40, 80]) {
    const at = (await alarmOf(order)) ?? 0;
    expect(Math.round((at - Date.now()) / 1000)).toBe(seconds);
    await evictDurableObject(objectOf(order));
    vi.useFakeTimers({ toFake: ['Date'], now: at });
    await runDurableObjectAlarm(objectOf(order));
  }
  vi.restoreAllMocks();
  vi.setSystemTime((await alarmOf(order)) ?? 0);
  await runDurableObjectAlarm(objectOf(order));
  await expectKvEqualsLedger(deputy, order, 1);
});

test('twenty copies that never arrive do not hold up the order behind them', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  const put = env.ORDERS.put.bind(env.ORDERS);
  vi.spyOn(env.ORDERS, 'put').mockRejectedValue(new Error('KV is down'));
  const order = await buy(deputy);
  // Rows that no copy is made of, such as those that a later version cannot read.
  await runInDurableObject(objectOf(order), (_, { storage: { sql } }) => {
    for (let number = 2; number <= 21; number += 1)
      sql.exec(
        `INSERT INTO effects SELECT ?1, substr(id, 1, 24) || printf('%012x', ?1), line, changed, at, deputy_id, client_id,
           state, amounts, '{}' FROM effects WHERE number = 1`,
        number,
      );
    sql.exec('INSERT OR REPLACE INTO outbox SELECT id, iif(number = 1, 9, 1) FROM effects');
  });
  vi.spyOn(env.ORDERS, 'put').mockImplementation(put);
  for (let sweeps = 0; sweeps < 2; sweeps += 1) {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + MINUTE });
    await runDurableObjectAlarm(objectOf(order));
  }
  expect(await waiting(order)).toBe(20);
  expect(await inKv(order)).toMatchObject([{ id: order.id }]);
});
