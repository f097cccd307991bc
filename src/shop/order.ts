/** An order: what an effect of the kernel means in this shop, and its copy in KV. */
import { z } from 'zod';
import type { Effect } from '../ledger/effects.ts';
import { line, paragraph } from '../tools/fields.ts';
import { COLORS, CURRENCY, MAX_QUANTITY, SIZES } from './catalog.ts';

const STATUSES = ['confirmed', 'cancelled', 'waiting', 'denied', 'lapsed', 'void'] as const;
/** Whom and where an order is for, as a deputy states it or a human keeps it in their profile. */
export const COMPANY = line('The company the shirts are for, e.g. "Analytical Engines Ltd".', 100);
export const MAILING_ADDRESS = paragraph('Where to send them, e.g. "12 St James\'s Square, London SW1Y 4JH, UK".', 500);

/** As tools answer with it and KV holds it. */
export const orderSchema = z.object({
  id: z.uuid(),
  number: z.int().describe('Counts the orders of this human from 1.'),
  userId: z.string(),
  email: z.string(),
  company: z.string(),
  mailingAddress: z.string(),
  tshirtSize: z.enum(SIZES),
  color: z.enum(COLORS),
  quantity: z.int().min(1).max(MAX_QUANTITY),
  unitPrice: z.int().describe('Whole cents.'),
  total: z.int().describe('Whole cents: quantity times unitPrice.'),
  currency: z.literal(CURRENCY),
  orderDate: z.iso.datetime(),
  status: z
    .enum(STATUSES)
    .describe('"waiting" for the yes of your human; "denied", "lapsed" and "void" were never ordered.'),
});
export type Order = z.infer<typeof orderSchema>;

/** What the kernel keeps for the shop, beside the amounts. A list reads many, so it is compiled. */
export const orderData = z.compile(
  orderSchema.pick({
    email: true,
    company: true,
    mailingAddress: true,
    tshirtSize: true,
    color: true,
    unitPrice: true,
  }),
);
export type OrderData = z.infer<typeof orderData>;

export function orderOf({ id, number, at, state, amounts, data }: Effect<OrderData>, userId: string): Order {
  const { email, company, mailingAddress, tshirtSize, color, unitPrice } = data;
  return {
    id,
    number,
    userId,
    email,
    company,
    mailingAddress,
    tshirtSize,
    color,
    quantity: amounts['shirts'] ?? 0,
    unitPrice,
    total: amounts['spend'] ?? 0,
    currency: CURRENCY,
    orderDate: at,
    status: STATUSES.find((status) => status === state) ?? 'confirmed',
  };
}

/** Seconds that KV keeps an order: 30 days. */
const KV_SECONDS = 30 * 24 * 60 * 60;

/** Brings an order to KV as it is now, or deletes its copy. */
export async function deliverOrder(
  { ORDERS }: Pick<Cloudflare.Env, 'ORDERS'>,
  { userId, id }: { userId: string; id: string },
  effect: Effect<OrderData> | undefined,
): Promise<void> {
  const key = `order:${userId}:${id}`;
  if (!effect) return ORDERS.delete(key);
  const { deputyId, clientId } = effect;
  const value = JSON.stringify({ ...orderOf(effect, userId), deputyId, clientId });
  return ORDERS.put(key, value, { expirationTtl: KV_SECONDS });
}
