/** What a call costs in storage: rows written, by the storage's own counters. The documents hold the same table. */
import { runInDurableObject } from 'cloudflare:test';
import { expect, test } from 'vitest';
import { type Deputy, ERAS, type Person } from '../../src/dev/clients.ts';
import { addPasskey, approve } from '../support/answering.ts';
import { deputyOf, objectOf, person } from '../support/people.ts';
import { PURCHASE } from '../support/shop.ts';

type Cost = { ours: number; wakeUp: number; questions: number };

/** Rows written by `work` in the object of that human: ours, and those of the scheduler's wake-up job; and questions of ours to the storage. */
async function rowsWritten(human: Person, work: () => Promise<unknown>): Promise<Cost> {
  const object = objectOf(human);
  const cursors: { query: string; cursor: SqlStorageCursor<never> }[] = [];
  let restore = () => {};
  await runInDurableObject(object, (_, { storage: { sql } }) => {
    const exec = sql.exec.bind(sql);
    Object.assign(sql, {
      exec(query: string, ...bindings: never[]) {
        const cursor = exec<never>(query, ...bindings);
        cursors.push({ query, cursor });
        return cursor;
      },
    });
    restore = () => Object.assign(sql, { exec });
  });
  await work();
  return runInDurableObject(object, () => {
    restore();
    const count = (wanted: boolean) =>
      cursors
        .filter(({ query }) => query.includes('cf_agents') === wanted)
        .reduce((sum, { cursor }) => sum + cursor.rowsWritten, 0);
    const questions = cursors.filter(({ query }) => !query.includes('cf_agents')).length;
    return { ours: count(false), wakeUp: count(true), questions };
  });
}

async function warm(deputy: Deputy): Promise<void> {
  await deputy.call('listMcpShopInventory');
  await deputy.call('buyMcpShopItem', { ...PURCHASE, idempotencyKey: 'warm' });
}

test.each(ERAS)('what a call of a %s client writes is bounded', async (era) => {
  const human = person();
  human.blanks = { shirtsPerOrder: '5' };
  const deputy = await deputyOf(human, era);
  await warm(deputy);
  const ours = async (name: string, args = {}) => (await rowsWritten(human, () => deputy.call(name, args))).ours;

  expect(await ours('listMcpShopInventory')).toBe(2);
  expect(await ours('listMcpShopOrders')).toBe(2);
  expect(await ours('getMyMandate')).toBe(2);
  expect(await ours('buyMcpShopItem', { ...PURCHASE, quantity: 99 }), 'a refusal').toBe(2);
  expect(await ours('buyMcpShopItem', PURCHASE)).toBe(6);
  expect(await ours('buyMcpShopItem', { ...PURCHASE, idempotencyKey: 'first' })).toBe(7);
  expect(await ours('buyMcpShopItem', { ...PURCHASE, idempotencyKey: 'first' }), 'a repetition').toBe(2);
});

test('a call that needs no approval writes no row more, and asks no question more, while others wait or are allowed', async () => {
  const human = person();
  human.blanks = { shirtsPerDay: '20', spendPerDay: '500' };
  const device = await addPasskey(human);
  const deputy = await deputyOf(human, '2026-07-28');
  await warm(deputy);
  const costs = async () => [
    await rowsWritten(human, () => deputy.call('listMcpShopInventory')),
    await rowsWritten(human, () => deputy.call('buyMcpShopItem', PURCHASE)),
  ];
  const before = await costs();
  expect(before.map(({ ours }) => ours)).toEqual([2, 6]);
  const ask = async (company: string) => {
    const { data } = await deputy.call('buyMcpShopItem', { ...PURCHASE, company, quantity: 4 });
    return (data['error'] as { waiting: { id: string } }).waiting.id;
  };
  await approve(human, await ask('Allowed'), { device, next: true });
  await ask('Waits');
  // What is known of questions is read once more after one of them changed.
  await warm(deputy);
  expect(await costs()).toEqual(before);
});
