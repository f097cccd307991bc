/** The main job, in both protocol eras: sign in, browse, buy, list. */
import { expect, test } from 'vitest';
import { ERAS } from '../support/clients.ts';
import { deputyOf, person, PURCHASE } from '../support/shop.ts';

test.each(ERAS)('a client of %s signs in, browses, buys and lists what it bought', async (era) => {
  const deputy = await deputyOf(person(), era);
  const inventory = await deputy.call('listMcpShopInventory');
  expect(inventory.data).toMatchObject({ title: expect.any(String), products: [{ label: expect.any(String), price: 2500 }] });
  const bought = await deputy.call('buyMcpShopItem', { ...PURCHASE, color: 'blue', quantity: 2 });
  expect(bought.data).toMatchObject({ status: 'success', order: { ...PURCHASE, color: 'blue', quantity: 2, total: 5000 } });
  const listed = await deputy.call('listMcpShopOrders');
  expect(listed.data['orders']).toEqual([bought.data['order']]);
});
