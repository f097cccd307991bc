/** Which metered call a deputy has already made under which key. */
import { IDEMPOTENCY_KEPT_MS } from '../lifetimes.ts';

type Row = { digest: string; effect_id: string; at: number };

export class IdempotencyKeys {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The effect under this key of this deputy. `digest` tells whether the arguments were the same. */
  find(deputyId: string, key: string, now: number): { digest: string; effectId: string } | undefined {
    const [row] = this.#sql.exec<Row>(
      'SELECT digest, effect_id, at FROM idempotency WHERE deputy_id = ? AND key = ?',
      deputyId,
      key,
    );
    return row && now < row.at + IDEMPOTENCY_KEPT_MS ? { digest: row.digest, effectId: row.effect_id } : undefined;
  }

  keep(deputyId: string, key: string, digest: string, effectId: string, now: number): void {
    this.#sql.exec('INSERT OR REPLACE INTO idempotency VALUES (?, ?, ?, ?, ?)', deputyId, key, digest, effectId, now);
  }

  /** A day later than they count: the clock may be ahead now, and be set back. */
  forgetOld(now: number): void {
    this.#sql.exec('DELETE FROM idempotency WHERE at <= ?', now - 2 * IDEMPOTENCY_KEPT_MS);
  }
}
