/** Which purchase a deputy has already made under which key, for 24 hours. */
const KEPT = 24 * 60 * 60_000;

type Row = { digest: string; order_id: string; at: number };

export class IdempotencyKeys {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The purchase under this key of this deputy. `digest` tells whether its arguments were the same. */
  find(deputyId: string, key: string, now: number): { digest: string; orderId: string } | undefined {
    const [row] = this.#sql.exec<Row>(
      'SELECT digest, order_id, at FROM idempotency WHERE deputy_id = ? AND key = ?',
      deputyId,
      key,
    );
    return row && now < row.at + KEPT ? { digest: row.digest, orderId: row.order_id } : undefined;
  }

  keep(deputyId: string, key: string, digest: string, orderId: string, now: number): void {
    this.#sql.exec('INSERT OR REPLACE INTO idempotency VALUES (?, ?, ?, ?, ?)', deputyId, key, digest, orderId, now);
  }

  forgetOld(now: number): void {
    this.#sql.exec('DELETE FROM idempotency WHERE at <= ?', now - KEPT);
  }
}
