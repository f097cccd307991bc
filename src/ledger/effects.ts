/** What metered calls left, one row each, for people numbered 1, 2, 3. What the data means is the domain's. */
import { z } from 'zod';
import type { Amounts } from '../authority/terms.ts';
import { isEnded, WAITING } from './approvals.ts';

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
  /** The domain's word, such as "confirmed"; or while it waits for its human, and when nothing came of it, the kernel's. */
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

/** A list reads many, so it is compiled. */
const amountsSchema = z.compile(z.record(z.string(), z.int()));

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
    const { deputyId, clientId } = by;
    const { number, id } = this.#sql
      .exec<Pick<Row, 'number' | 'id'>>(
        `INSERT INTO effects (number, id, line, changed, at, deputy_id, client_id, state, amounts, data)
         SELECT number, ? || printf('%012x', number), ?, ?, ?, ?, ?, ?, ?, ?
         FROM (SELECT coalesce(max(number), 0) + 1 AS number FROM effects) RETURNING number, id`,
        startOfId(),
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
    // What waits for its human goes nowhere.
    if (state !== WAITING) this.#waits(id, line);
    return { id, number, line, at: new Date(now).toISOString(), deputyId, clientId, state, amounts, data };
  }

  /** The effect, or undefined when this human has none of that id. */
  find(id: string): Effect | undefined {
    const [row] = this.#sql.exec<Row>('SELECT * FROM effects WHERE number = ? AND id = ?', numberIn(id), id);
    return row && toEffect(row);
  }

  /** Those of these ids, in no order. */
  withIds(ids: readonly string[]): Effect[] {
    return this.#sql
      .exec<Row>(
        `SELECT * FROM effects
         WHERE number IN (SELECT value FROM json_each(?)) AND id IN (SELECT value FROM json_each(?))`,
        JSON.stringify(ids.map(numberIn)),
        JSON.stringify(ids),
      )
      .toArray()
      .map(toEffect);
  }

  /** Gives an effect another state; undefined when there is none of that id. */
  change(id: string, state: string, line: number): Effect | undefined {
    const [row] = this.#sql.exec<Row>(
      'UPDATE effects SET state = ?, changed = ? WHERE number = ? AND id = ? RETURNING *',
      state,
      line,
      numberIn(id),
      id,
    );
    if (!row) return undefined;
    if (!isEnded(state)) this.#waits(id, line);
    return toEffect(row);
  }

  /** The newest first, before a number. */
  newest(limit: number, before = Number.MAX_SAFE_INTEGER): Effect[] {
    return this.#sql
      .exec<Row>('SELECT * FROM effects WHERE number < ? ORDER BY number DESC LIMIT ?', before, limit)
      .toArray()
      .map(toEffect);
  }

  /** What the record says of those after a number, in their order. */
  facts(limit: number, after: number): EffectFacts[] {
    return this.#sql
      .exec<Row>('SELECT * FROM effects WHERE number > ? ORDER BY number LIMIT ?', after, limit)
      .toArray()
      .map(({ id, number, state, amounts }) => ({
        id,
        number,
        state,
        amounts: amountsSchema.parse(JSON.parse(amounts)),
      }));
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

/** An id is a UUID of version 8 (RFC 9562, section 5.8) that ends in the number: rows are found by that, so ids need no index. */
function startOfId(): string {
  return crypto
    .randomUUID()
    .slice(0, -12)
    .replace(/^(.{14})4/, '$18');
}

/** NaN for what is no id of an effect. */
export function numberIn(id: string): number {
  return Number.parseInt(id.slice(-12), 16);
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
