/** How much may be stored of what strangers and deputies send. */
import { startCeiling, startLimits } from '../../../src/authority/limits.ts';
import { domain } from '../../../src/domain.ts';

export const MOST_CALLS = Number(startLimits(domain)['callsPerMinute']);
export const SHARED_LINES = 1;

/** In bytes; `orders` is how many one account can place in a day. */
export const LARGEST = {
  /** A line holds nothing that a caller made up, but for its client's id. */
  line: 1024,
  orders: Number(startCeiling(domain)['shirtsPerDay']),
  /** Pages that a table has begun and not filled. */
  unfilled: 8 * 4096,
  /** Company, address and e-mail of four bytes a character, ids, and the indexes. */
  order: 12 * 1024,
  /** What KV holds of a registered client. */
  client: 10 * 1024,
} as const;
