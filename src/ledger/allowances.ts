/** The table of what a human said yes to in advance: so many more like one effect, of one deputy, for an hour. */
import { z } from 'zod';
import type { Amounts } from '../authority/terms.ts';
import type { Effect } from './effects.ts';

const amountsSchema = z.record(z.string(), z.int());

/** Like it: made by the same deputy with the same tool, the same in what the domain says, and of no unit more. */
export type Allowance = {
  /** The line of the yes. */
  line: number;
  deputyId: string;
  tool: string;
  amounts: Amounts;
  /** It holds for that version of the mandate only. */
  mandateVersion: number;
  /** How many are left. */
  count: number;
  /** Milliseconds since the epoch. */
  endsAt: number;
};

type Row = {
  line: number;
  deputy_id: string;
  tool: string;
  like_it: string;
  amounts: string;
  mandate_version: number;
  count: number;
  ends_at: number;
};

export class Allowances {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  keep(allowance: Allowance, like: string): void {
    this.#sql.exec(
      'INSERT INTO allowances VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      allowance.line,
      allowance.deputyId,
      allowance.tool,
      like,
      JSON.stringify(allowance.amounts),
      allowance.mandateVersion,
      allowance.count,
      allowance.endsAt,
    );
  }

  /** Those that are not used up and have not ended, newest first. */
  open(now: number): Allowance[] {
    return this.#rows(now).map(toAllowance);
  }

  /** Uses one that allows this effect, of that tool and like that, under that version of the mandate; tells its line, or undefined. */
  use(effect: Effect, tool: string, like: string, mandateVersion: number, now: number): number | undefined {
    const [found] = this.#rows(now).filter((row) => {
      const most = amountsSchema.parse(JSON.parse(row.amounts));
      return (
        row.deputy_id === effect.deputyId &&
        row.tool === tool &&
        row.mandate_version === mandateVersion &&
        row.like_it === like &&
        Object.entries(effect.amounts).every(([unit, amount]) => amount <= (most[unit] ?? 0))
      );
    });
    if (found) this.#sql.exec('UPDATE allowances SET count = count - 1 WHERE line = ?', found.line);
    return found?.line;
  }

  /** Ends one; tells whose it was, or undefined when there is none of that line. */
  end(line: number): string | undefined {
    const [row] = this.#sql.exec<Row>('DELETE FROM allowances WHERE line = ? RETURNING *', line);
    return row?.deputy_id;
  }

  /** Of what was allowed in advance it is not known any more how long it has held, or how often it was used. */
  endAll(): void {
    this.#sql.exec('DELETE FROM allowances');
  }

  forgetOld(now: number): void {
    this.#sql.exec('DELETE FROM allowances WHERE ends_at <= ?', now);
  }

  #rows(now: number): Row[] {
    return this.#sql
      .exec<Row>('SELECT * FROM allowances WHERE count > 0 AND ends_at > ? ORDER BY line DESC', now)
      .toArray();
  }
}

function toAllowance(row: Row): Allowance {
  return {
    line: row.line,
    deputyId: row.deputy_id,
    tool: row.tool,
    amounts: amountsSchema.parse(JSON.parse(row.amounts)),
    mandateVersion: row.mandate_version,
    count: row.count,
    endsAt: row.ends_at,
  };
}
