/** The tables of one human's ledger, and how those of an older version become today's. Runs in the object's constructor. */
import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Ceiling } from '../authority/terms.ts';
import { folded } from './checkpoint.ts';
import { GENESIS, RecordLines } from './record.ts';
import type { Core } from './replay.ts';

const VERSION_KEY = 'schemaVersion';

/** One step of the schema. `startCeiling` is what a new account starts with. */
export type Step = (storage: DurableObjectStorage, startCeiling: Ceiling) => void;

/** Each table's columns are explained where it is read: the file of its name. */
function first({ sql }: DurableObjectStorage, ceiling: Ceiling): void {
  sql.exec(`CREATE TABLE deputies (
    deputy_id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    client_name TEXT NOT NULL,
    client_domain TEXT,
    redirect_host TEXT NOT NULL,
    scopes TEXT NOT NULL,
    appointed_at INTEGER NOT NULL,
    status TEXT NOT NULL,
    mandate TEXT NOT NULL,
    replaces TEXT NOT NULL,
    grant_id TEXT,
    changed_at INTEGER NOT NULL,
    paused INTEGER,
    name TEXT
  ) WITHOUT ROWID`);
  sql.exec(`CREATE TABLE meters (
    deputy_id TEXT PRIMARY KEY,
    last_seen INTEGER NOT NULL,
    windows TEXT NOT NULL,
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
    authority_took INTEGER,
    suspended INTEGER NOT NULL,
    presence TEXT,
    ceiling TEXT NOT NULL,
    ceiling_version INTEGER NOT NULL,
    windows TEXT NOT NULL,
    exported INTEGER NOT NULL,
    guarded INTEGER NOT NULL,
    passkeys_until INTEGER NOT NULL
  )`);
  sql.exec(`CREATE TABLE effects (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    line INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    at INTEGER NOT NULL,
    deputy_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    state TEXT NOT NULL,
    amounts TEXT NOT NULL,
    data TEXT NOT NULL
  )`);
  sql.exec(`CREATE TABLE approvals (
    effect_id TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    deputy_id TEXT NOT NULL,
    tool TEXT NOT NULL,
    digest TEXT NOT NULL,
    arguments TEXT NOT NULL,
    like_it TEXT NOT NULL,
    action TEXT NOT NULL,
    limit_name TEXT NOT NULL,
    most INTEGER NOT NULL,
    state TEXT NOT NULL,
    answer TEXT NOT NULL,
    grade TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL
  ) WITHOUT ROWID`);
  sql.exec('CREATE TABLE outbox (effect_id TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID');
  sql.exec(`CREATE TABLE idempotency (
    deputy_id TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    effect_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (deputy_id, key)
  ) WITHOUT ROWID`);
  sql.exec('CREATE TABLE record (sequence INTEGER PRIMARY KEY, line TEXT NOT NULL, hash TEXT NOT NULL)');
  sql.exec(`CREATE TABLE checkpoint (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sequence INTEGER NOT NULL,
    at INTEGER NOT NULL,
    hash TEXT NOT NULL,
    state TEXT NOT NULL
  )`);
  sql.exec(`CREATE TABLE checkpoint_effects (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    state TEXT NOT NULL,
    amounts TEXT NOT NULL
  ) WITHOUT ROWID`);
  openRecord(sql, { authority: 'active', suspended: false, guarded: 0, passkeysUntil: 0, ceiling, windows: {} }, 0);
  const record = new RecordLines(sql);
  record.append({ actor: 'system', act: 'opened', ...folded(sql) }, record.head(), Date.now());
}

/** In their order. A step, once released, is never changed: it says nothing of today's defaults, and a later one is added. */
const STEPS: readonly Step[] = [first];

/**
 * Brings the tables to the newest of `steps`. Throws for a ledger that a later version has written: what it does not
 * understand of a human's authority, it must not decide about.
 */
export function migrate(storage: DurableObjectStorage, startCeiling: Ceiling, steps = STEPS): void {
  const current = z
    .int()
    .min(0)
    .parse(storage.kv.get(VERSION_KEY) ?? 0);
  if (current === steps.length) return;
  if (current > steps.length) throw new Error(`this ledger is of schema ${current}, from a later version`);
  storage.transactionSync(() => {
    for (const step of steps.slice(current)) step(storage, startCeiling);
    storage.kv.put(VERSION_KEY, steps.length);
  });
}

/** What an account starts with. */
export type Start = Omit<Core, 'deputies' | 'passkeys' | 'allowances'>;

/** Starts the account and its checkpoint. The next line has the number after `sequence`, and must vouch for that checkpoint. */
export function openRecord(sql: SqlStorage, start: Start, sequence: number): void {
  sql.exec(
    `INSERT INTO account (id, record_id, secret, authority, suspended, ceiling, ceiling_version, windows, exported,
       guarded, passkeys_until) VALUES (1, ?, ?, ?, ?, ?, 0, ?, 0, ?, ?)`,
    randomUUID(),
    randomBytes(32).toString('base64'),
    start.authority,
    Number(start.suspended),
    JSON.stringify(start.ceiling),
    JSON.stringify(start.windows),
    start.guarded,
    start.passkeysUntil,
  );
  const state: Core = { ...start, deputies: {}, passkeys: {}, allowances: {} };
  sql.exec('INSERT INTO checkpoint VALUES (1, ?, 0, ?, ?)', sequence, GENESIS, JSON.stringify(state));
}
