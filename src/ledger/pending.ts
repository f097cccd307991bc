/** The table of what waits to be delivered: an effect's id, and the version that its copy outside lacks. */

export class Pending {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  ids(): string[] {
    return this.#sql
      .exec<{ id: string }>('SELECT effect_id AS id FROM outbox')
      .toArray()
      .map(({ id }) => id);
  }

  /** The version that waits, or undefined when nothing does. */
  versionOf(id: string): number | undefined {
    const [row] = this.#sql.exec<{ version: number }>('SELECT version FROM outbox WHERE effect_id = ?', id);
    return row?.version;
  }

  /** Notes which version was delivered; false when the effect is another one by now, and still waits. */
  delivered(id: string, version: number): boolean {
    this.#sql.exec('DELETE FROM outbox WHERE effect_id = ? AND version = ?', id, version);
    return this.versionOf(id) === undefined;
  }

  /** Makes an effect wait once more, because an older delivery may have replaced a newer one. */
  again(id: string): void {
    this.#sql.exec(
      'INSERT OR REPLACE INTO outbox VALUES (?1, coalesce((SELECT changed FROM effects WHERE id = ?1), 0))',
      id,
    );
  }
}
