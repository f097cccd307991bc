/** The deputies one human has appointed: who they are, and what they were granted. */
import { z } from 'zod';
import { type Mandate, mandateSchema } from '../authority/mandate.ts';
import type { Standing, Status } from '../authority/policy.ts';
import { PENDING_MS } from '../lifetimes.ts';
import { JsonColumn } from './json-column.ts';

/** Who asks, as the OAuth provider verified them when the human said yes. */
export type Appointment = {
  deputyId: string;
  clientId: string;
  /** The client's own word, unless `clientDomain` is set. */
  clientName: string;
  /** The domain a Client ID Metadata Document client proved to control. */
  clientDomain?: string;
  redirectHost: string;
  mandate: Mandate;
  /** Deputies that this one takes the place of, once it is live. */
  replaces: string[];
};

export type Deputy = Omit<Appointment, 'replaces'> & {
  status: Status;
  replaces: string[];
  /** What its human calls it, instead of the name it came with. */
  name?: string;
  /** The line with which its human paused it alone; undefined while they have not. */
  paused?: number;
  /** What the token was granted; the mandate can be narrower. */
  scopes: string[];
  /** The OAuth provider's grant, known from the first token on, until it was cleaned up. */
  grantId?: string;
  /** ISO 8601. */
  appointedAt: string;
  changedAt: string;
};

/** Null where the deputy is not there. */
export type StandingRow = { status: Status | null; mandate: string | null; paused: number | null };

type Row = {
  deputy_id: string;
  client_id: string;
  client_name: string;
  client_domain: string | null;
  redirect_host: string;
  scopes: string;
  appointed_at: number;
  status: Status;
  mandate: string;
  replaces: string;
  grant_id: string | null;
  changed_at: number;
  paused: number | null;
  name: string | null;
};

/** When a mandate ends, in milliseconds. */
const END = "mandate ->> 'expiresAt'";

/** With so many deputies, what a page, a consent or an act asks for is found without reading every one. */
export const MANY = 50;
/** What each is made on, by its name after `deputies_by_`. */
export const INDEXES = {
  age: '(status, appointed_at)',
  end: `(status, ${END}, paused)`,
  client: '(client_id, status, appointed_at)',
  look: '(client_name, redirect_host, status, changed_at)',
  grant: '(status, grant_id) WHERE grant_id IS NOT NULL',
};

export class Deputies {
  readonly #sql: SqlStorage;
  readonly #mandates = new JsonColumn<Mandate>(mandateSchema);

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** `now` is the ledger's time in milliseconds. Appointments that were never taken up are forgotten on the way. */
  appoint(deputy: Appointment, now: number): void {
    this.forgetPending(now);
    this.#indexMany();
    this.#sql.exec(
      `INSERT INTO deputies (deputy_id, client_id, client_name, client_domain, redirect_host, scopes, appointed_at,
         status, mandate, replaces, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?)`,
      deputy.deputyId,
      deputy.clientId,
      deputy.clientName,
      deputy.clientDomain ?? null,
      deputy.redirectHost,
      JSON.stringify(deputy.mandate.scopes),
      now,
      JSON.stringify(mandateSchema.parse(deputy.mandate)),
      JSON.stringify(deputy.replaces),
      now,
    );
  }

  /** Few are read faster than found, and an index takes a page of storage of each human. */
  #indexMany(): void {
    const { count } = this.#sql.exec<{ count: number }>('SELECT count(*) AS count FROM deputies').one();
    if (count !== MANY) return;
    for (const [index, columns] of Object.entries(INDEXES))
      this.#sql.exec(`CREATE INDEX IF NOT EXISTS deputies_by_${index} ON deputies ${columns}`);
  }

  /** An appointment that ran out is as if it had never been. */
  find(deputyId: string, now: number): Deputy | undefined {
    const [row] = this.#sql.exec<Row>('SELECT * FROM deputies WHERE deputy_id = ?', deputyId);
    return row && !isVoid(row, now) ? toDeputy(row) : undefined;
  }

  /** What decides about a call, and no more. */
  standingOf(deputyId: string): Standing | undefined {
    const [row] = this.#sql.exec<StandingRow>(
      'SELECT status, mandate, paused FROM deputies WHERE deputy_id = ?',
      deputyId,
    );
    return row && this.toStanding(row);
  }

  toStanding({ status, mandate, paused }: StandingRow): Standing | undefined {
    if (status === null || mandate === null) return undefined;
    return { status, mandate: this.#mandates.read(mandate), ...(paused !== null && { paused: true }) };
  }

  /** Ids after that one, in their order. */
  ids(limit: number, after: string): string[] {
    return this.#sql
      .exec<{ id: string }>(
        'SELECT deputy_id AS id FROM deputies WHERE deputy_id > ? ORDER BY deputy_id LIMIT ?',
        after,
        limit,
      )
      .toArray()
      .map(({ id }) => id);
  }

  /** The live ones of that client, newest first. */
  liveOf(clientId: string, now: number): Deputy[] {
    return this.#sql
      .exec<Row>(
        `SELECT * FROM deputies WHERE client_id = ? AND status = 'active' ORDER BY appointed_at DESC, deputy_id DESC`,
        clientId,
      )
      .toArray()
      .map(toDeputy)
      .filter(({ mandate }) => mandate.expiresAt > now);
  }

  /** When this client was dismissed last, or any that looked like it, in milliseconds. */
  dismissals({ clientId, clientName, redirectHost }: Pick<Deputy, 'clientId' | 'clientName' | 'redirectHost'>) {
    const last = (where: string, ...values: string[]) =>
      this.#sql
        .exec<{ at: number | null }>(
          `SELECT max(changed_at) AS at FROM deputies WHERE status = 'revoked' AND ${where}`,
          ...values,
        )
        .one().at ?? undefined;
    return {
      own: last('client_id = ?', clientId),
      alike: last('client_name = ? AND redirect_host = ?', clientName, redirectHost),
    };
  }

  /** Grants that are of no more use; with `everyOne`, all there are. */
  grants(limit: number, everyOne = false): { deputyId: string; grantId: string }[] {
    return this.#sql
      .exec<{ deputyId: string; grantId: string }>(
        `SELECT deputy_id AS deputyId, grant_id AS grantId FROM deputies
         WHERE grant_id IS NOT NULL ${everyOne ? '' : "AND status IN ('revoked', 'superseded', 'resigned')"} LIMIT ?`,
        limit,
      )
      .toArray();
  }

  /** The live deputy with that grant. */
  withGrant(grantId: string): string | undefined {
    const [row] = this.#sql.exec<{ id: string }>(
      "SELECT deputy_id AS id FROM deputies WHERE status = 'active' AND grant_id = ?",
      grantId,
    );
    return row?.id;
  }

  /** The newest that can act or are about to, newest first. */
  live(now: number, limit: number): Deputy[] {
    const newest = (status: Status, still: string, time: number) =>
      this.#sql
        .exec<Row>(
          // The plus keeps SQLite from an index in another order, by which it would read all of them.
          `SELECT * FROM deputies WHERE status = ? AND +(${still}) > ? ORDER BY appointed_at DESC, deputy_id DESC LIMIT ?`,
          status,
          time,
          limit,
        )
        .toArray();
    return [...newest('active', END, now), ...newest('pending', 'appointed_at', now - PENDING_MS)]
      .toSorted((one, other) => other.appointed_at - one.appointed_at || (one.deputy_id < other.deputy_id ? 1 : -1))
      .slice(0, limit)
      .map(toDeputy);
  }

  /** How many can act or are about to, and how many of them their human has paused alone, counted in an index. */
  countLive(now: number): { live: number; paused: number } {
    const counts = 'SELECT count(*) AS live, count(paused) AS paused FROM deputies';
    return this.#sql
      .exec<{ live: number; paused: number }>(
        `SELECT sum(live) AS live, sum(paused) AS paused FROM (
           ${counts} WHERE status = 'active' AND ${END} > ? UNION ALL
           ${counts} WHERE status = 'pending' AND appointed_at > ?)`,
        now,
        now - PENDING_MS,
      )
      .one();
  }

  /** Those of these ids, also the void ones: what a line of the record names is told apart by its name. */
  named(ids: Iterable<string>): Deputy[] {
    return this.#sql
      .exec<Row>('SELECT * FROM deputies WHERE deputy_id IN (SELECT value FROM json_each(?))', JSON.stringify([...ids]))
      .toArray()
      .map(toDeputy);
  }

  /** A page of all of them, newest first, after the one with that id. */
  page(limit: number, now: number, after?: string): Deputy[] {
    return this.#sql
      .exec<Row>(
        `SELECT * FROM deputies WHERE NOT (status = 'pending' AND appointed_at <= ?1) AND (?2 IS NULL OR
           (appointed_at, deputy_id) < (SELECT appointed_at, deputy_id FROM deputies WHERE deputy_id = ?2))
         ORDER BY appointed_at DESC, deputy_id DESC LIMIT ?3`,
        now - PENDING_MS,
        after ?? null,
        limit,
      )
      .toArray()
      .map(toDeputy);
  }

  /** Pauses it with that line, or lets it go on. */
  setPaused(deputyId: string, sequence: number | undefined): void {
    this.#sql.exec('UPDATE deputies SET paused = ? WHERE deputy_id = ?', sequence ?? null, deputyId);
  }

  setName(deputyId: string, name: string | undefined): void {
    this.#sql.exec('UPDATE deputies SET name = ? WHERE deputy_id = ?', name ?? null, deputyId);
  }

  setStatus(deputyId: string, status: Status, now: number): void {
    this.#sql.exec('UPDATE deputies SET status = ?, changed_at = ? WHERE deputy_id = ?', status, now, deputyId);
  }

  setMandate(deputyId: string, mandate: Mandate, now: number): void {
    const json = JSON.stringify(mandateSchema.parse(mandate));
    this.#sql.exec('UPDATE deputies SET mandate = ?, changed_at = ? WHERE deputy_id = ?', json, now, deputyId);
  }

  /** Notes the OAuth grant of a deputy, or that it is gone. */
  setOAuthGrant(deputyId: string, grantId: string | undefined): void {
    this.#sql.exec('UPDATE deputies SET grant_id = ? WHERE deputy_id = ?', grantId ?? null, deputyId);
  }

  forgetPending(now: number): void {
    this.#sql.exec("DELETE FROM deputies WHERE status = 'pending' AND appointed_at <= ?", now - PENDING_MS);
  }
}

function isVoid({ status, appointed_at: at }: Row, now: number): boolean {
  return status === 'pending' && now >= at + PENDING_MS;
}

const ids = z.array(z.string());

function toDeputy(row: Row): Deputy {
  return {
    deputyId: row.deputy_id,
    clientId: row.client_id,
    clientName: row.client_name,
    ...(row.client_domain !== null && { clientDomain: row.client_domain }),
    redirectHost: row.redirect_host,
    status: row.status,
    mandate: mandateSchema.parse(JSON.parse(row.mandate)),
    replaces: ids.parse(JSON.parse(row.replaces)),
    scopes: ids.parse(JSON.parse(row.scopes)),
    ...(row.name !== null && { name: row.name }),
    ...(row.paused !== null && { paused: row.paused }),
    ...(row.grant_id !== null && { grantId: row.grant_id }),
    appointedAt: new Date(row.appointed_at).toISOString(),
    changedAt: new Date(row.changed_at).toISOString(),
  };
}
