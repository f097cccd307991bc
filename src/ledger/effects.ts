/** What metered calls left, one row each, for people numbered 1, 2, 3. What the data means is the domain's. */
import { z } from 'zod';
import type { Amounts } from '../authority/terms.ts';

/** With `data` as JSON, which the kernel keeps and does not look into, or as the domain reads it. */
export type Effect<Data = string> = {
  id: string;
  number: number;
  /** The line of the record that made it. */
  line: number;
  /** ISO 8601. */
  at: string;
  deputyId: string;
  clientId: string;
  /** The domain's word, such as "confirmed". */
  state: string;
  amounts: Readonly<Amounts>;
  data: Data;
};

/** What the record says of an effect. */
export type EffectFacts = Pick<Effect, 'id' | 'number' | 'state' | 'amounts'>;

type Row = {
  number: number;
  id: string;
  line: number;
  /** The line that last changed it, which is the version that its copy outside has. */
  changed: number;
  at: number;
  deputy_id: string;
  client_id: string;
  state: string;
  amounts: string;
  data: string;
};

const amountsSchema = z.record(z.string(), z.int());

export class Effects {
  readonly #sql: SqlStorage;
  readonly #delivers: boolean;

  /** With `delivers`, each change waits in the outbox for its copy outside. */
  constructor(sql: SqlStorage, delivers: boolean) {
    this.#sql = sql;
    this.#delivers = delivers;
  }

  /** `now` in milliseconds. */
  make(
    by: { deputyId: string; clientId: string },
    { state, amounts, data }: { state: string; amounts: Amounts; data: string },
    { line, now }: { line: number; now: number },
  ): Effect {
    const id = crypto.randomUUID();
    const { deputyId, clientId } = by;
    const { number } = this.#sql
      .exec<{ number: number }>(
        `INSERT INTO effects (id, line, changed, at, deputy_id, client_id, state, amounts, data)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING number`,
        id,
        line,
        line,
        now,
        deputyId,
        clientId,
        state,
        JSON.stringify(amounts),
        data,
      )
      .one();
    this.#waits(id, line);
    return { id, number, line, at: new Date(now).toISOString(), deputyId, clientId, state, amounts, data };
  }

  /** The effect, or undefined when this human has none of that id. */
  find(id: string): Effect | undefined {
    const [row] = this.#sql.exec<Row>('SELECT * FROM effects WHERE id = ?', id);
    return row && toEffect(row);
  }

  /** Those of these ids, in no order. */
  withIds(ids: readonly string[]): Effect[] {
    return this.#sql
      .exec<Row>('SELECT * FROM effects WHERE id IN (SELECT value FROM json_each(?))', JSON.stringify(ids))
      .toArray()
      .map(toEffect);
  }

  /** Gives an effect another state; undefined when there is none of that id. */
  change(id: string, state: string, line: number): Effect | undefined {
    const [row] = this.#sql.exec<Row>(
      'UPDATE effects SET state = ?, changed = ? WHERE id = ? RETURNING *',
      state,
      line,
      id,
    );
    if (!row) return undefined;
    this.#waits(id, line);
    return toEffect(row);
  }

  /** The newest first, before a number. */
  newest(limit: number, before = Number.MAX_SAFE_INTEGER): Effect[] {
    return this.#sql
      .exec<Row>('SELECT * FROM effects WHERE number < ? ORDER BY number DESC LIMIT ?', before, limit)
      .toArray()
      .map(toEffect);
  }

  /** What the record says of each. */
  *facts(): Iterable<EffectFacts> {
    for (const row of this.#sql.exec<Row>('SELECT * FROM effects')) {
      const { id, number, state } = row;
      yield { id, number, state, amounts: amountsSchema.parse(JSON.parse(row.amounts)) };
    }
  }

  /** Deletes all of them; their copies outside wait to be deleted. */
  erase(): void {
    if (this.#delivers) this.#sql.exec('INSERT OR REPLACE INTO outbox SELECT id, 0 FROM effects');
    this.#sql.exec('DELETE FROM effects');
  }

  #waits(id: string, version: number): void {
    if (this.#delivers) this.#sql.exec('INSERT OR REPLACE INTO outbox VALUES (?, ?)', id, version);
  }
}

function toEffect(row: Row): Effect {
  return {
    id: row.id,
    number: row.number,
    line: row.line,
    at: new Date(row.at).toISOString(),
    deputyId: row.deputy_id,
    clientId: row.client_id,
    state: row.state,
    amounts: amountsSchema.parse(JSON.parse(row.amounts)),
    data: row.data,
  };
}
