/** What the shop sells. The schema of a purchase and the inventory come from this one place. */
import { money, things } from '../authority/units.ts';

export const SIZES = ['S', 'M', 'L', 'XL', 'XXL'] as const;
export const COLORS = ['black', 'blue', 'white'] as const;
export const CURRENCY = 'USD';
/** Shirts in one order. The human's mandate may allow fewer. */
export const MAX_QUANTITY = 100;

export const shirts = things('shirt', 'shirts');
export const dollars = money(CURRENCY, 'US dollars', '$');

export const SHIRT = {
  label: 'MCP Shop T-shirt',
  description: 'Soft cotton, printed on the front: "My deputy bought me this shirt".',
  sizes: [...SIZES],
  colors: [...COLORS],
  /** Whole cents of CURRENCY. */
  price: 2500,
};
export const DEFAULT_COLOR: (typeof COLORS)[number] = 'black';

/** An amount in whole cents, for people: 2500 is "$25.00". */
export const formatPrice = dollars.reads;
