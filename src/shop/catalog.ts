/** What the shop sells. The schema of a purchase and the inventory come from this one place. */

export const SIZES = ['S', 'M', 'L', 'XL', 'XXL'] as const;
export const COLORS = ['black', 'blue', 'white'] as const;
export const CURRENCY = 'USD';
/** Shirts in one order. The human's mandate may allow fewer. */
export const MAX_QUANTITY = 100;

export const SHIRT = {
  label: 'MCP Shop T-shirt',
  description: 'Soft cotton, printed on the front: "My deputy bought me this shirt".',
  sizes: [...SIZES],
  colors: [...COLORS],
  /** Whole cents of CURRENCY. */
  price: 2500,
};
export const DEFAULT_COLOR: (typeof COLORS)[number] = 'black';

/** Kept, because making one takes longer than all the rest of listing the inventory. */
const priceFormat = new Intl.NumberFormat('en-US', { style: 'currency', currency: CURRENCY });

/** An amount in whole cents, for people: 2500 is "$25.00". */
export function formatPrice(cents: number): string {
  return priceFormat.format(cents / 100);
}
