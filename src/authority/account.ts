/** What holds for all deputies of one human together: their authority, the ceiling, and what was used of it. */
import { createHmac } from 'node:crypto';
import { JsonColumn } from './json-column.ts';
import { type Ceiling, ceilingSchema } from './mandate.ts';
import type { Authority } from './policy.ts';
import { type Window, windowSchema } from './window.ts';

export type AccountState = {
  /** Names this record in other systems; a record that starts anew gets another one. */
  recordId: string;
  authority: Authority;
  /** When, in milliseconds, and with which audit line the human last paused or resumed. */
  authorityAt?: number;
  authoritySequence?: number;
  ceiling: Ceiling;
  day: Window;
  /** The last audit line that WorkOS has. */
  exported: number;
};

type Row = {
  record_id: string;
  authority: Authority;
  authority_at: number | null;
  authority_sequence: number | null;
  ceiling: string;
  day: string;
  exported: number;
};

export class Account {
  readonly #sql: SqlStorage;
  readonly #ceilings = new JsonColumn(ceilingSchema);
  readonly #days = new JsonColumn(windowSchema);

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  read(): AccountState {
    const row = this.#sql
      .exec<Row>(
        'SELECT record_id, authority, authority_at, authority_sequence, ceiling, day, exported FROM account WHERE id = 1',
      )
      .one();
    return {
      recordId: row.record_id,
      authority: row.authority,
      ...(row.authority_at !== null && { authorityAt: row.authority_at }),
      ...(row.authority_sequence !== null && { authoritySequence: row.authority_sequence }),
      ceiling: this.#ceilings.read(row.ceiling),
      day: this.#days.read(row.day),
      exported: row.exported,
    };
  }

  setAuthority(authority: Authority, now: number, sequence: number): void {
    this.#sql.exec(
      'UPDATE account SET authority = ?, authority_at = ?, authority_sequence = ? WHERE id = 1',
      authority,
      now,
      sequence,
    );
  }

  setCeiling(ceiling: Ceiling): void {
    this.#sql.exec('UPDATE account SET ceiling = ? WHERE id = 1', JSON.stringify(ceilingSchema.parse(ceiling)));
  }

  setDay(day: Window): void {
    this.#sql.exec('UPDATE account SET day = ? WHERE id = 1', this.#days.write(day));
  }

  /** Nothing, when the record has been erased and begun anew meanwhile. */
  setExported(recordId: string, sequence: number): void {
    this.#sql.exec('UPDATE account SET exported = ? WHERE id = 1 AND record_id = ?', sequence, recordId);
  }

  /** An HMAC-SHA-256 under the account's own key, in hex: equal values can be recognised, and nothing read back. */
  seal(value: unknown): string {
    const { secret } = this.#sql.exec<{ secret: string }>('SELECT secret FROM account WHERE id = 1').one();
    return createHmac('sha256', Buffer.from(secret, 'base64')).update(JSON.stringify(value)).digest('hex');
  }
}
