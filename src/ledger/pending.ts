/** The table of what waits to be delivered: an effect's id, and the version that its copy outside lacks. */
import { z } from 'zod';
import { numberIn } from './effects.ts';

const FAILED = 'sweepsFailed';

export class Pending {
  readonly #sql: SqlStorage;
  readonly #kv: SyncKvStorage;

  constructor(sql: SqlStorage, kv: SyncKvStorage) {
    this.#sql = sql;
    this.#kv = kv;
  }

  /** Sweeps in a row that left something undelivered. Stored, as the object seldom lives from one sweep to a later one. */
  get failed(): number {
    return z.int().parse(this.#kv.get(FAILED) ?? 0);
  }
  set failed(sweeps: number) {
    if (sweeps > 0) this.#kv.put(FAILED, sweeps);
    else if (this.failed > 0) this.#kv.delete(FAILED);
  }

  /** At most so many of the effects that wait, those that changed longest ago first. */
  oldest(limit: number): string[] {
    return this.#sql
      .exec<{ id: string }>('SELECT effect_id AS id FROM outbox ORDER BY version LIMIT ?', limit)
      .toArray()
      .map(({ id }) => id);
  }

  some(): boolean {
    return this.oldest(1).length > 0;
  }

  /** The version that waits, or undefined when nothing does. */
  versionOf(id: string): number | undefined {
    const [row] = this.#sql.exec<{ version: number }>('SELECT version FROM outbox WHERE effect_id = ?', id);
    return row?.version;
  }

  /** Notes which version was delivered; false when the effect is another one by now, and still waits. */
  delivered(id: string, version: number): boolean {
    const deleted = this.#sql.exec('DELETE FROM outbox WHERE effect_id = ? AND version = ? RETURNING 1', id, version);
    return deleted.toArray().length > 0 || this.versionOf(id) === undefined;
  }

  /** Makes an effect wait once more, because an older delivery may have replaced a newer one. */
  again(id: string): void {
    this.#sql.exec(
      `INSERT OR REPLACE INTO outbox
         VALUES (?1, coalesce((SELECT changed FROM effects WHERE number = ?2 AND id = ?1), 0))`,
      id,
      numberIn(id),
    );
  }
}
