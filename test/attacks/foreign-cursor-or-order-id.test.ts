/**
 * Mallory knows the id of one of Ada's orders, and uses it as a cursor to page through Ada's list, or cancels it. Each
 * human's orders are in an object of their own, so somebody else's id is simply not there.
 */
import { expect, test } from 'vitest';
import { ERAS } from '../../src/dev/clients.ts';
import { deputyOf, person } from '../support/people.ts';
import { buy } from '../support/shop.ts';
import { outcome, recordOf } from '../support/scene.ts';

test.each(ERAS)('with the order of somebody else a %s client learns and changes nothing', async (era) => {
  const ada = person();
  const adas = await deputyOf(ada, era);
  await buy(adas);
  const { id } = await buy(adas);
  const mallory = await deputyOf(person(), era);
  await buy(mallory);

  expect(await outcome(mallory, 'listMcpShopOrders', { cursor: id })).toBe('unknown_cursor');
  const foreign = await mallory.call('cancelMcpShopOrder', { orderId: id });
  expect(foreign.data).toMatchObject({ error: { code: 'unknown_effect' } });
  // Nothing tells an order of somebody else from one that never was.
  expect(await mallory.call('cancelMcpShopOrder', { orderId: crypto.randomUUID() })).toEqual(foreign);

  expect((await recordOf(ada)).effects.map(({ state }) => state)).toEqual(['confirmed', 'confirmed']);
  expect(await outcome(adas, 'cancelMcpShopOrder', { orderId: id })).toBe('allowed');
});
