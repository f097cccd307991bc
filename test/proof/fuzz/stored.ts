/** What is stored of the humans of a run, read from the server's files: their authority, and how much there is of it. */
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { LARGEST, MOST_CALLS, SHARED_LINES } from './bounds.ts';

const size = z.object({ page_count: z.number() });

export type Stored = {
  /** All that only the human may change, as text. */
  authority: string;
  lines: number;
  orders: number;
  largestLine: number;
  bytes: number;
};

/** The record in that file, or undefined when it is not the record of this client's human. */
export function readStored(file: string, clientId: string): Stored | undefined {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 10_000 });
  try {
    const rows = (sql: string) => database.prepare(sql).all();
    const number = (sql: string) => Number(Object.values(database.prepare(sql).get() ?? {})[0] ?? 0);
    const deputies = rows('SELECT deputy_id, client_id, status, mandate, scopes FROM deputies ORDER BY deputy_id');
    if (!deputies.some((deputy) => deputy['client_id'] === clientId)) return undefined;
    const account = rows('SELECT record_id, authority, authority_at, ceiling FROM account');
    return {
      authority: JSON.stringify({ deputies, account }),
      lines: number('SELECT count(*) FROM record'),
      orders: number('SELECT count(*) FROM effects'),
      largestLine: number('SELECT max(length(CAST(line AS BLOB))) FROM record'),
      bytes: size.parse(database.prepare('PRAGMA page_count').get()).page_count * 4096,
    };
  } finally {
    database.close();
  }
}

/**
 * What is too much, in words, after so many calls of the human's two deputies over so many minutes. A call has one line
 * at most; a deputy has 60 lines in any minute, and over that one more, which its refusals share.
 */
export function tooMuch(before: Stored, after: Stored, calls: number, minutes: number): string | undefined {
  const most = Math.min(calls, 2 * (Math.floor(minutes) + 1) * (MOST_CALLS + SHARED_LINES));
  const lines = after.lines - before.lines;
  if (lines > most)
    return `${lines} lines for ${calls} calls in ${minutes.toFixed(1)} minutes, of which ${most} may have one`;
  if (after.largestLine > LARGEST.line) return `a line of ${after.largestLine} bytes`;
  if (after.orders > LARGEST.orders) return `${after.orders} orders`;
  const bytes = before.bytes + LARGEST.unfilled + lines * LARGEST.line + after.orders * LARGEST.order;
  return after.bytes > bytes ? `${after.bytes} bytes, and at most ${bytes} can be needed` : undefined;
}
