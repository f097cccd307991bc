/** What a human keeps here for deputies to read, such as where orders go. No line of the record holds it. */
import { z } from 'zod';

const fieldsSchema = z.record(z.string(), z.string());

/** `version` is the line that set it; 0 for one that was never set. */
export type Profile = { fields: Readonly<Record<string, string>>; version: number };

export class ProfileSheet {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  read(): Profile {
    const [row] = this.#sql.exec<{ fields: string; version: number }>('SELECT fields, version FROM profile');
    return row
      ? { fields: fieldsSchema.parse(JSON.parse(row.fields)), version: row.version }
      : { fields: {}, version: 0 };
  }

  write({ fields, version }: Profile): void {
    this.#sql.exec('INSERT OR REPLACE INTO profile VALUES (1, ?, ?)', JSON.stringify(fields), version);
  }
}
