/** The deputies one human has appointed, as the OAuth provider verified them when the human said yes. */
import { z } from 'zod';

export const appointmentSchema = z.object({
  deputyId: z.string().min(1),
  clientId: z.string().min(1),
  /** Self-asserted unless `clientDomain` is set. */
  clientName: z.string(),
  /** The domain a Client ID Metadata Document client proved to control. */
  clientDomain: z.string().optional(),
  redirectHost: z.string(),
  scopes: z.array(z.string()),
});
export type Appointment = z.infer<typeof appointmentSchema>;
export type Deputy = Appointment & { appointedAt: string };

type Row = {
  deputy_id: string;
  client_id: string;
  client_name: string;
  client_domain: string | null;
  redirect_host: string;
  scopes: string;
  appointed_at: number;
};

export class Deputies {
  readonly #sql: SqlStorage;

  /** Creates its table, so it must be made before the object answers. */
  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS deputies (
      deputy_id TEXT PRIMARY KEY,
      client_id TEXT NOT NULL,
      client_name TEXT NOT NULL,
      client_domain TEXT,
      redirect_host TEXT NOT NULL,
      scopes TEXT NOT NULL,
      appointed_at INTEGER NOT NULL
    ) WITHOUT ROWID`);
  }

  /** `now` is the ledger's time in milliseconds. */
  appoint(deputy: Appointment, now: number): void {
    this.#sql.exec(
      'INSERT INTO deputies VALUES (?, ?, ?, ?, ?, ?, ?)',
      deputy.deputyId,
      deputy.clientId,
      deputy.clientName,
      deputy.clientDomain ?? null,
      deputy.redirectHost,
      JSON.stringify(deputy.scopes),
      now,
    );
  }

  find(deputyId: string): Deputy | undefined {
    const [row] = this.#sql.exec<Row>('SELECT * FROM deputies WHERE deputy_id = ?', deputyId);
    return row && toDeputy(row);
  }
}

function toDeputy(row: Row): Deputy {
  return {
    deputyId: row.deputy_id,
    clientId: row.client_id,
    clientName: row.client_name,
    ...(row.client_domain !== null && { clientDomain: row.client_domain }),
    redirectHost: row.redirect_host,
    scopes: z.array(z.string()).parse(JSON.parse(row.scopes)),
    appointedAt: new Date(row.appointed_at).toISOString(),
  };
}
