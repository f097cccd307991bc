/** The tables of one human's record, and how older ones become today's. Runs in the object's constructor. */
import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { SCOPES } from '../deputy.ts';
import { AuditTrail, GENESIS } from './audit.ts';
import { folded } from './checkpoint.ts';
import { type Ceiling, DEFAULT_CEILING, DEFAULT_LIMITS, LONGEST, type Mandate, mandateSchema } from './mandate.ts';
import type { Authority } from './policy.ts';
import type { Core } from './replay.ts';
import type { Window } from './window.ts';

const VERSION_KEY = 'schemaVersion';

/** The first landed version: orders and deputies without a mandate, a status or an audit. */
function first({ sql }: DurableObjectStorage): void {
  sql.exec(`CREATE TABLE IF NOT EXISTS shop_orders (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    placed_at INTEGER NOT NULL,
    deputy_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    email TEXT NOT NULL,
    company TEXT NOT NULL,
    mailing_address TEXT NOT NULL,
    tshirt_size TEXT NOT NULL,
    color TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    unit_price INTEGER NOT NULL,
    total INTEGER NOT NULL,
    status TEXT NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    kv_version INTEGER NOT NULL DEFAULT 0
  )`);
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

/** Mandates, usage, the audit. An order's sequence is that of its audit row from here on. */
function second({ sql }: DurableObjectStorage): void {
  sql.exec(`CREATE TABLE orders (
    sequence INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    placed_at INTEGER NOT NULL,
    deputy_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    email TEXT NOT NULL,
    company TEXT NOT NULL,
    mailing_address TEXT NOT NULL,
    tshirt_size TEXT NOT NULL,
    color TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    unit_price INTEGER NOT NULL,
    total INTEGER NOT NULL,
    status TEXT NOT NULL,
    version INTEGER NOT NULL DEFAULT 1
  )`);
  sql.exec('CREATE TABLE outbox (order_id TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID');
  sql.exec(`INSERT INTO orders SELECT sequence, id, placed_at, deputy_id, client_id, email, company, mailing_address,
    tshirt_size, color, quantity, unit_price, total, status, version FROM shop_orders`);
  sql.exec('INSERT INTO outbox SELECT id, version FROM shop_orders WHERE kv_version <> version');

  sql.exec("ALTER TABLE deputies ADD COLUMN status TEXT NOT NULL DEFAULT 'active'");
  sql.exec('ALTER TABLE deputies ADD COLUMN mandate TEXT');
  sql.exec("ALTER TABLE deputies ADD COLUMN replaces TEXT NOT NULL DEFAULT '[]'");
  sql.exec('ALTER TABLE deputies ADD COLUMN grant_id TEXT');
  sql.exec('ALTER TABLE deputies ADD COLUMN changed_at INTEGER');
  for (const { deputy_id: id, scopes, appointed_at: at } of sql
    .exec<{ deputy_id: string; scopes: string; appointed_at: number }>(
      'SELECT deputy_id, scopes, appointed_at FROM deputies',
    )
    .toArray()) {
    sql.exec(
      'UPDATE deputies SET mandate = ?, changed_at = ? WHERE deputy_id = ?',
      JSON.stringify(mandateOf(scopes, at)),
      at,
      id,
    );
  }
  sql.exec(`CREATE TABLE meters (
    deputy_id TEXT PRIMARY KEY,
    last_seen INTEGER NOT NULL,
    minute TEXT NOT NULL,
    day TEXT NOT NULL,
    shared_at INTEGER NOT NULL,
    unrecorded INTEGER NOT NULL
  ) WITHOUT ROWID`);
  sql.exec(`CREATE TABLE account (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    record_id TEXT NOT NULL,
    secret TEXT NOT NULL,
    authority TEXT NOT NULL,
    authority_at INTEGER,
    authority_sequence INTEGER,
    ceiling TEXT NOT NULL,
    day TEXT NOT NULL,
    exported INTEGER NOT NULL
  )`);
  sql.exec(`CREATE TABLE idempotency (
    deputy_id TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    order_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (deputy_id, key)
  ) WITHOUT ROWID`);
  sql.exec('CREATE TABLE audit (sequence INTEGER PRIMARY KEY, line TEXT NOT NULL, hash TEXT NOT NULL)');
  sql.exec(`CREATE TABLE checkpoint (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sequence INTEGER NOT NULL,
    at INTEGER NOT NULL,
    hash TEXT NOT NULL,
    state TEXT NOT NULL
  )`);
  sql.exec(`CREATE TABLE checkpoint_orders (
    id TEXT PRIMARY KEY,
    quantity INTEGER NOT NULL,
    total INTEGER NOT NULL,
    status TEXT NOT NULL
  ) WITHOUT ROWID`);
  openRecord(sql);
  sql.exec('DROP TABLE shop_orders');
  // What was there before the audit is made part of it.
  const audit = new AuditTrail(sql);
  const head = audit.head();
  const held = sql.exec('SELECT 1 FROM deputies UNION ALL SELECT 1 FROM orders LIMIT 1').toArray().length > 0;
  if (held) audit.append({ actor: 'system', act: 'opened', ...folded(sql) }, head, Math.max(Date.now(), head.at));
}

/** What the first version granted had no limits; it gets those that a new mandate starts with. */
function mandateOf(scopes: string, appointedAt: number): Mandate {
  return {
    format: 1,
    version: 1,
    scopes: z.array(z.enum(SCOPES)).parse(JSON.parse(scopes)),
    limits: DEFAULT_LIMITS,
    expiresAt: appointedAt + LONGEST,
  };
}

/** What an account starts with. */
export type Start = { authority: Authority; authorityAt: number | null; ceiling: Ceiling; day: Window };
const NEW: Start = { authority: 'active', authorityAt: null, ceiling: DEFAULT_CEILING, day: [] };

type DeputyRow = {
  deputy_id: string;
  status: string;
  mandate: string;
  client_id: string;
  client_name: string;
  client_domain: string | null;
  scopes: string;
};

/** Starts the account and its audit from what the tables hold now. */
export function openRecord(sql: SqlStorage, { authority, authorityAt, ceiling, day }: Start = NEW): void {
  const { sequence, at } = sql
    .exec<{ sequence: number; at: number }>(
      'SELECT coalesce(max(sequence), 0) AS sequence, coalesce(max(placed_at), 0) AS at FROM orders',
    )
    .one();
  sql.exec(
    'INSERT INTO account VALUES (1, ?, ?, ?, ?, NULL, ?, ?, ?)',
    randomUUID(),
    randomBytes(32).toString('base64'),
    authority,
    authorityAt,
    JSON.stringify(ceiling),
    JSON.stringify(day),
    sequence,
  );
  const deputies: Core['deputies'] = {};
  for (const row of sql.exec<DeputyRow>('SELECT * FROM deputies')) {
    deputies[row.deputy_id] = {
      status: z.enum(['pending', 'active', 'revoked', 'superseded']).parse(row.status),
      mandate: mandateSchema.parse(JSON.parse(row.mandate)),
      clientId: row.client_id,
      clientName: row.client_name,
      ...(row.client_domain !== null && { clientDomain: row.client_domain }),
      scopes: z.array(z.string()).parse(JSON.parse(row.scopes)),
    };
  }
  const state: Core = { day, authority, ceiling, deputies };
  sql.exec('INSERT INTO checkpoint VALUES (1, ?, ?, ?, ?)', sequence, at, GENESIS, JSON.stringify(state));
  sql.exec('INSERT INTO checkpoint_orders SELECT id, quantity, total, status FROM orders');
}

const MIGRATIONS = [first, second];

/**
 * Brings the tables to this version. Throws for a record that a later version has written: what it does not understand
 * of a human's authority, it must not decide about.
 */
export function migrate(storage: DurableObjectStorage): void {
  const current = z.int().parse(storage.kv.get(VERSION_KEY) ?? 0);
  if (current === MIGRATIONS.length) return;
  if (current > MIGRATIONS.length) throw new Error(`this record is of schema ${current}, from a later version`);
  storage.transactionSync(() => {
    for (const step of MIGRATIONS.slice(current)) step(storage);
    storage.kv.put(VERSION_KEY, MIGRATIONS.length);
  });
}
