/** What holds for all deputies of one human together: their authority, the ceiling, and what was used of it. */
import { createHmac } from 'node:crypto';
import { z } from 'zod';
import type { Authority } from '../authority/policy.ts';
import type { Ceiling } from '../authority/terms.ts';
import { type Windows, windowsSchema } from '../authority/window.ts';
import { canonical } from '../canonical.ts';
import { JsonColumn } from './json-column.ts';

export const ceilingSchema = z.record(z.string(), z.int());

/**
 * What the identity provider said of the human when it was last heard: in which organization their session was, what they
 * may do there, and when that was, in milliseconds.
 */
const presenceSchema = z.object({
  organization: z.string().optional(),
  permissions: z.array(z.string()).readonly(),
  at: z.int(),
});
export type Presence = z.infer<typeof presenceSchema>;

export type AccountState = {
  /** Names this ledger in other systems. Erasing gives it another name. */
  recordId: string;
  authority: Authority;
  /** The human's own pause, which stands below a suspension and outlasts it. */
  paused: boolean;
  /** When, in milliseconds, and with which line any of that changed last. */
  authorityAt?: number;
  authoritySequence?: number;
  /** How many milliseconds after the human pressed its answer was there, once that is known. */
  authorityTook?: number;
  ceiling: Ceiling;
  /** The line that set the ceiling; 0 for the one that an account starts with. */
  ceilingVersion: number;
  windows: Windows;
  /** The last line that was exported. */
  exported: number;
  /** The line since which what grants deputies more needs a passkey too; 0 when it does not. */
  guarded: number;
  /** When the human removed their last passkey, in milliseconds; 0 when they never did. */
  passkeysUntil: number;
  /** Undefined until a session of the human has granted something. */
  presence?: Presence;
};

export type AccountRow = {
  record_id: string;
  authority: 'active' | 'paused';
  authority_at: number | null;
  authority_sequence: number | null;
  authority_took: number | null;
  suspended: number;
  presence: string | null;
  ceiling: string;
  ceiling_version: number;
  windows: string;
  exported: number;
  guarded: number;
  passkeys_until: number;
};

export class Account {
  readonly #sql: SqlStorage;
  readonly #ceilings = new JsonColumn(ceilingSchema);
  readonly #windows = new JsonColumn(windowsSchema);
  readonly #presences = new JsonColumn<Presence>(presenceSchema);

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  read(): AccountState {
    return this.toState(this.#sql.exec<AccountRow>('SELECT * FROM account').one());
  }

  toState(row: AccountRow): AccountState {
    return {
      recordId: row.record_id,
      authority: row.suspended ? 'suspended' : row.authority,
      paused: row.authority === 'paused',
      ...(row.authority_at !== null && { authorityAt: row.authority_at }),
      ...(row.authority_sequence !== null && { authoritySequence: row.authority_sequence }),
      ...(row.authority_took !== null && { authorityTook: row.authority_took }),
      ceiling: this.#ceilings.read(row.ceiling),
      ceilingVersion: row.ceiling_version,
      windows: this.#windows.read(row.windows),
      exported: row.exported,
      guarded: row.guarded,
      passkeysUntil: row.passkeys_until,
      ...(row.presence !== null && { presence: this.#presences.read(row.presence) }),
    };
  }

  /** What the human said last, with which line. A suspension stays as it is. */
  setAuthority(authority: 'active' | 'paused', now: number, sequence: number): void {
    this.#sql.exec(
      'UPDATE account SET authority = ?, authority_at = ?, authority_sequence = ?, authority_took = NULL WHERE id = 1',
      authority,
      now,
      sequence,
    );
  }

  /** Suspends, or ends the suspension, with that line. What the human said last stays as it is. */
  setSuspended(suspended: boolean, now: number, sequence: number): void {
    this.#sql.exec(
      'UPDATE account SET suspended = ?, authority_at = ?, authority_sequence = ?, authority_took = NULL WHERE id = 1',
      Number(suspended),
      now,
      sequence,
    );
  }

  /** With the line that says so; 0 for no longer. */
  setGuarded(sequence: number): void {
    this.#sql.exec('UPDATE account SET guarded = ? WHERE id = 1', sequence);
  }

  setPasskeysUntil(now: number): void {
    this.#sql.exec('UPDATE account SET passkeys_until = ? WHERE id = 1', now);
  }

  /** Notes how long the pause with that line took to be answered, in milliseconds, unless another one came since. */
  setTook(sequence: number, milliseconds: number): void {
    this.#sql.exec('UPDATE account SET authority_took = ? WHERE authority_sequence = ?', milliseconds, sequence);
  }

  setPresence(presence: Presence): void {
    this.#sql.exec('UPDATE account SET presence = ? WHERE id = 1', this.#presences.write(presence));
  }

  setCeiling(ceiling: Ceiling, version: number): void {
    const json = JSON.stringify(ceilingSchema.parse(ceiling));
    this.#sql.exec('UPDATE account SET ceiling = ?, ceiling_version = ? WHERE id = 1', json, version);
  }

  setWindows(windows: Windows): void {
    this.#sql.exec('UPDATE account SET windows = ? WHERE id = 1', this.#windows.write(windows));
  }

  /** Changes nothing when the ledger was erased after `recordId` was read. */
  setExported(recordId: string, sequence: number): void {
    this.#sql.exec('UPDATE account SET exported = ? WHERE id = 1 AND record_id = ?', sequence, recordId);
  }

  /** Gives the ledger another name in other systems. */
  rename(recordId: string): void {
    this.#sql.exec('UPDATE account SET record_id = ? WHERE id = 1', recordId);
  }

  /**
   * An HMAC-SHA-256 under the account's own key, in hex: equal values are recognised in any order of their members, and
   * nothing is read back.
   */
  seal(value: unknown): string {
    const { secret } = this.#sql.exec<{ secret: string }>('SELECT secret FROM account WHERE id = 1').one();
    return createHmac('sha256', Buffer.from(secret, 'base64')).update(canonical(value)).digest('hex');
  }
}
