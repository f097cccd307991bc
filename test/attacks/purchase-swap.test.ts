/**
 * A deputy repeats a purchase under its old idempotency key, with a larger order slipped in; or it tries the key of another
 * deputy, to see what that one bought. A key stands for one purchase of one deputy, with the arguments it was first used with.
 */
import { expect, test } from 'vitest';
import { ERAS } from '../../src/dev/clients.ts';
import { deputyOf, person } from '../support/people.ts';
import { buy, PURCHASE } from '../support/shop.ts';
import { outcome, recordOf } from '../support/scene.ts';

test.each(ERAS)('a key used again by a %s client buys nothing else', async (era) => {
  const ada = person();
  const deputy = await deputyOf(ada, era);
  const first = await buy(deputy, { idempotencyKey: 'k' });
  for (const change of [{ quantity: 3 }, { mailingAddress: '1 Evil Street' }, { tshirtSize: 'S' }]) {
    const swapped = { ...PURCHASE, ...change, idempotencyKey: 'k' };
    expect(await outcome(deputy, 'buyMcpShopItem', swapped)).toBe('idempotency_conflict');
  }
  expect(await buy(deputy, { idempotencyKey: 'k' })).toEqual(first);
  expect((await recordOf(ada)).effects).toHaveLength(1);
});

test("another deputy's key finds nothing", async () => {
  const ada = person();
  const [honest, nosy] = [await deputyOf(ada, '2025-11-25'), await deputyOf(ada, '2026-07-28')];
  const { id } = await buy(honest, { idempotencyKey: 'k' });
  expect((await buy(nosy, { idempotencyKey: 'k' })).id).not.toBe(id);
});
