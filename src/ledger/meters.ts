/** What each deputy has used, and which of its refusals wait for a line of the record. */
import { type Windows, windowsSchema } from '../authority/window.ts';
import { JsonColumn } from './json-column.ts';

/** `lastSeen` and `sharedAt` in milliseconds since the epoch; 0 for never. */
export type Meter = { lastSeen: number; windows: Windows; sharedAt: number; unrecorded: number };
const UNUSED: Meter = { lastSeen: 0, windows: {}, sharedAt: 0, unrecorded: 0 };

/** Null where the deputy never called. */
export type MeterRow = {
  last_seen: number | null;
  meter: string | null;
  shared_at: number | null;
  unrecorded: number | null;
};

export class Meters {
  readonly #sql: SqlStorage;
  readonly #windows = new JsonColumn(windowsSchema);

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  read(deputyId: string): Meter {
    const [row] = this.#sql.exec<MeterRow>(
      'SELECT last_seen, windows AS meter, shared_at, unrecorded FROM meters WHERE deputy_id = ?',
      deputyId,
    );
    return row ? this.toMeter(row) : UNUSED;
  }

  toMeter({ last_seen: lastSeen, meter, shared_at: sharedAt, unrecorded }: MeterRow): Meter {
    if (lastSeen === null || meter === null || sharedAt === null || unrecorded === null) return UNUSED;
    return { lastSeen, windows: this.#windows.read(meter), sharedAt, unrecorded };
  }

  save(deputyId: string, { lastSeen, windows, sharedAt, unrecorded }: Meter): void {
    this.#sql.exec(
      'INSERT OR REPLACE INTO meters VALUES (?, ?, ?, ?, ?)',
      deputyId,
      lastSeen,
      this.#windows.write(windows),
      sharedAt,
      unrecorded,
    );
  }

  /** Deputies that have called, by id. */
  ids(): string[] {
    return this.#sql
      .exec<{ id: string }>('SELECT deputy_id AS id FROM meters')
      .toArray()
      .map(({ id }) => id);
  }

  /** Deputies with refusals that no line holds yet. */
  unrecorded(limit: number): { deputyId: string; refused: number }[] {
    return this.#sql
      .exec<{ deputyId: string; refused: number }>(
        'SELECT deputy_id AS deputyId, unrecorded AS refused FROM meters WHERE unrecorded > 0 LIMIT ?',
        limit,
      )
      .toArray();
  }
}
