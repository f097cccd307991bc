/** What each deputy has used, and which of its refusals wait for a line of the record. */
import { type Windows, windowsSchema } from '../authority/window.ts';
import { JsonColumn } from './json-column.ts';

/** `lastSeen` and `sharedAt` in milliseconds since the epoch; 0 for never. */
export type Meter = { lastSeen: number; windows: Windows; sharedAt: number; unrecorded: number };
const UNUSED: Meter = { lastSeen: 0, windows: {}, sharedAt: 0, unrecorded: 0 };

type Row = { last_seen: number; windows: string; shared_at: number; unrecorded: number };

export class Meters {
  readonly #sql: SqlStorage;
  readonly #windows = new JsonColumn(windowsSchema);

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  read(deputyId: string): Meter {
    const [row] = this.#sql.exec<Row>('SELECT * FROM meters WHERE deputy_id = ?', deputyId);
    if (!row) return UNUSED;
    const { last_seen: lastSeen, shared_at: sharedAt, unrecorded } = row;
    return { lastSeen, windows: this.#windows.read(row.windows), sharedAt, unrecorded };
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
  unrecorded(): { deputyId: string; refused: number }[] {
    return this.#sql
      .exec<{ deputyId: string; refused: number }>(
        'SELECT deputy_id AS deputyId, unrecorded AS refused FROM meters WHERE unrecorded > 0',
      )
      .toArray();
  }
}
