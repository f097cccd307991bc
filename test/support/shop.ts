/** Purchases in the shop, for the tests that are about it. */
import type { Deputy } from '../../src/dev/clients.ts';
import { type Order, orderSchema } from '../../src/shop/order.ts';

/** A purchase that nothing is wrong with. */
export const PURCHASE = {
  company: 'Analytical Engines Ltd',
  mailingAddress: "12 St James's Square, London",
  tshirtSize: 'L',
};

/** Buys, and returns the order; fails when the purchase does. */
export async function buy(deputy: Deputy, changes: Record<string, unknown> = {}): Promise<Order> {
  const { data } = await deputy.call('buyMcpShopItem', { ...PURCHASE, ...changes });
  return orderSchema.parse(data['order']);
}
