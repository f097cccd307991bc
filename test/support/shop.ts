/** Shorthands for the journeys: people and deputies of the Worker under test. */
import { env } from 'cloudflare:workers';
import { objectName } from '../../src/deputy.ts';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import { type Order, orderSchema } from '../../src/shop/orders.ts';
import { Deputy, type Era, Person } from '../../src/dev/clients.ts';
import { ORIGIN, someone, workerFetch } from './worker.ts';

export function person(email = someone()): Person {
  return new Person(email, ORIGIN, workerFetch);
}

export function deputyOf(human: Person, era: Era, name?: string): Promise<Deputy> {
  return Deputy.connect(era, human, ORIGIN, workerFetch, name);
}

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

/** The Durable Object of that human. */
export function objectOf({ email }: Person) {
  return env.MCP_OBJECT.getByName(objectName(userIdOf(email)));
}
