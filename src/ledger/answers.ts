/** The table of first answers: what came of a question that may be answered once, sealed by who asked it. */
import { ANSWER_KEPT_MS } from '../lifetimes.ts';

/** What came of the question. Only who asks it again in the same words can open `text`. */
export type Kept = {
  text: string;
  /** When there was an answer, in milliseconds since the epoch. */
  at: number;
};

export class Answers {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The answer to the question of that key. One that made a deputy live is given while that deputy is. */
  find(key: string): Kept | undefined {
    const [row] = this.#sql.exec<Kept>(
      `SELECT text, at FROM answers WHERE key = ? AND at > ?
         AND (grant_id IS NULL OR grant_id IN (SELECT grant_id FROM deputies WHERE status = 'active'))`,
      key,
      Date.now() - ANSWER_KEPT_MS,
    );
    return row;
  }

  /** Keeps an answer; with `grantId`, the one that brought the tokens of that grant. */
  keep(key: string, { text, at }: Kept, grantId?: string): void {
    this.forgetOld();
    this.#sql.exec('INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)', key, text, at, grantId ?? null);
  }

  /** Whether tokens of this grant were handed out a moment ago. */
  brought(grantId: string): boolean {
    return this.#sql.exec('SELECT 1 FROM answers WHERE grant_id = ?', grantId).toArray().length > 0;
  }

  forgetOld(): void {
    this.#sql.exec('DELETE FROM answers WHERE at <= ?', Date.now() - ANSWER_KEPT_MS);
  }
}
