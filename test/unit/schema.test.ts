/** A record that an older version wrote is brought to today's tables, whole; one of a later version is left alone. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { appoint } from '../../src/authority/acts.ts';
import { GENESIS } from '../../src/authority/audit.ts';
import { Ledger } from '../../src/authority/ledger.ts';
import { DEFAULT_CEILING, DEFAULT_LIMITS } from '../../src/authority/mandate.ts';
import { verify } from '../../src/authority/record.ts';
import { type Caller, objectName } from '../../src/deputy.ts';

const APPOINTED = Date.parse('2026-11-20T09:00:00Z');
const NOW = Date.parse('2026-11-23T12:00:00Z');
const MONTH = 30 * 24 * 60 * 60_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

const CALLER: Caller = {
  userId: 'user_1',
  email: 'ada@example.com',
  name: 'Ada',
  permissions: [],
  deputyId: 'dep_1',
  clientId: 'client_1',
  scopes: ['shop:browse', 'shop:buy'],
  resource: 'http://localhost:8787/mcp',
};

function inStorage(work: (storage: DurableObjectStorage) => void): Promise<void> {
  const object = env.MCP_OBJECT.getByName(objectName(`schema_${crypto.randomUUID()}`));
  return runInDurableObject(object, (_, { storage }) => work(storage));
}

/** Our tables and indexes, and how they were made. What the Agent keeps beside them is its own. */
function tables(sql: SqlStorage): { name: string; sql: string }[] {
  return sql
    .exec<{ name: string; sql: string }>(
      `SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name NOT LIKE 'sqlite!_%' ESCAPE '!'
         AND tbl_name NOT LIKE 'cf!_%' ESCAPE '!' AND tbl_name NOT LIKE '!_cf!_%' ESCAPE '!' ORDER BY name`,
    )
    .toArray();
}

/** Every row of ours, to compare. */
function rows({ sql, kv }: DurableObjectStorage) {
  const ours = tables(sql).filter((table) => table.sql.startsWith('CREATE TABLE'));
  return {
    schemaVersion: kv.get('schemaVersion'),
    tables: tables(sql),
    rows: ours.map(({ name }) => [name, sql.exec(`SELECT * FROM ${name}`).toArray()]),
  };
}

/** Takes the storage back to before this version first touched it. */
function empty({ sql, kv }: DurableObjectStorage): void {
  for (const table of tables(sql)) if (table.sql.startsWith('CREATE TABLE')) sql.exec(`DROP TABLE ${table.name}`);
  kv.delete('schemaVersion');
  expect(tables(sql)).toEqual([]);
}

/** What the first landed version left: two orders, the second one not yet in KV, and a deputy. */
function asFirstLanded(storage: DurableObjectStorage, scopes = '["shop:browse","shop:buy"]'): void {
  empty(storage);
  const { sql } = storage;
  sql.exec(`CREATE TABLE shop_orders (
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
  sql.exec('CREATE INDEX shop_orders_pending ON shop_orders (id) WHERE kv_version <> version');
  sql.exec(`CREATE TABLE deputies (
    deputy_id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    client_name TEXT NOT NULL,
    client_domain TEXT,
    redirect_host TEXT NOT NULL,
    scopes TEXT NOT NULL,
    appointed_at INTEGER NOT NULL
  ) WITHOUT ROWID`);
  const insert = 'INSERT INTO shop_orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)';
  const where = ['ada@example.com', 'Łódź GmbH', '12 St James’s\nLondon', 'L', 'blue'];
  sql.exec(insert, 3, ORDERED, APPOINTED + 1, 'dep_1', 'client_1', ...where, 2, 2500, 5000, 'confirmed', 1, 1);
  sql.exec(insert, 7, PENDING, APPOINTED + 2, 'dep_1', 'client_1', ...where, 1, 2500, 2500, 'cancelled', 2, 1);
  sql.exec(
    'INSERT INTO deputies VALUES (?, ?, ?, ?, ?, ?, ?)',
    'dep_1',
    'client_1',
    'Claude',
    null,
    'localhost',
    scopes,
    APPOINTED,
  );
}

const ORDERED = '11111111-1111-4111-8111-111111111111';
const PENDING = '22222222-2222-4222-8222-222222222222';
const ORDER = {
  userId: 'user_1',
  email: 'ada@example.com',
  company: 'Łódź GmbH',
  mailingAddress: '12 St James’s\nLondon',
  tshirtSize: 'L',
  color: 'blue',
  unitPrice: 2500,
  currency: 'USD',
};

test('orders of the first version keep all they had, their numbers included', () =>
  inStorage((storage) => {
    asFirstLanded(storage);
    const { orders } = new Ledger(storage, 'user_1');
    expect(orders.list({ limit: 5 })).toEqual({
      orders: [
        { ...ORDER, id: PENDING, quantity: 1, total: 2500, orderDate: '2026-11-20T09:00:00.002Z', status: 'cancelled' },
        { ...ORDER, id: ORDERED, quantity: 2, total: 5000, orderDate: '2026-11-20T09:00:00.001Z', status: 'confirmed' },
      ],
    });
    expect(storage.sql.exec('SELECT sequence, id, version FROM orders ORDER BY sequence').toArray()).toEqual([
      { sequence: 3, id: ORDERED, version: 1 },
      { sequence: 7, id: PENDING, version: 2 },
    ]);
    expect(orders.newest(1)[0]?.number).toBe(7);
  }));

test('an order that the first version had not yet copied to KV is still to be copied, as it is now; no other is', () =>
  inStorage((storage) => {
    asFirstLanded(storage);
    const { orders } = new Ledger(storage, 'user_1');
    expect(orders.pending()).toEqual([PENDING]);
    const copy = orders.copyOf(PENDING);
    expect(copy).toMatchObject({ key: `order:user_1:${PENDING}`, version: 2 });
    expect(JSON.parse(copy?.value ?? '')).toMatchObject({ id: PENDING, status: 'cancelled', deputyId: 'dep_1' });
    expect(orders.copied(PENDING, 2)).toBe(true);
    expect(orders.pending()).toEqual([]);
    expect(orders.copyOf(ORDERED)).toBeUndefined();
  }));

test('a deputy of the first version is live, with the limits of a new one, for 30 days from its appointment', () =>
  inStorage((storage) => {
    asFirstLanded(storage);
    const ledger = new Ledger(storage, 'user_1');
    expect(ledger.deputies.all(NOW)).toEqual([
      {
        deputyId: 'dep_1',
        clientId: 'client_1',
        clientName: 'Claude',
        redirectHost: 'localhost',
        status: 'active',
        mandate: {
          format: 1,
          version: 1,
          scopes: ['shop:browse', 'shop:buy'],
          limits: DEFAULT_LIMITS,
          expiresAt: APPOINTED + MONTH,
        },
        scopes: ['shop:browse', 'shop:buy'],
        replaces: [],
        appointedAt: '2026-11-20T09:00:00.000Z',
        changedAt: '2026-11-20T09:00:00.000Z',
      },
    ]);
    expect(ledger.account.read()).toMatchObject({ authority: 'active', ceiling: DEFAULT_CEILING, exported: 7 });
    vi.setSystemTime(APPOINTED + MONTH - 1);
    expect(ledger.endOf('dep_1')).toBeUndefined();
    vi.setSystemTime(APPOINTED + MONTH);
    expect(ledger.endOf('dep_1')?.code).toBe('mandate_expired');
  }));

test('the audit of an upgraded record begins after its orders, holds, and goes on', () =>
  inStorage((storage) => {
    asFirstLanded(storage);
    const ledger = new Ledger(storage, 'user_1');
    // The numbers of orders and lines are of one series, so that "before" and "after" mean something.
    const head = ledger.audit.head();
    expect(head.sequence).toBeGreaterThanOrEqual(7);
    expect(head.at).toBeGreaterThanOrEqual(APPOINTED + 2);
    expect(verify(ledger)).toMatchObject({ ok: true, head: { sequence: head.sequence, hash: head.hash } });
    ledger.transaction(() => {
      const turn = ledger.begin(CALLER);
      const purchase = { quantity: 1, total: 2500 };
      turn.decide({ name: 'buyMcpShopItem', scope: 'shop:buy', purchase });
      const request = { company: 'Engines', mailingAddress: 'London', tshirtSize: 'L', color: 'blue' } as const;
      const order = ledger.orders.place(CALLER, { ...request, quantity: 1 }, turn);
      turn.allowed({ tool: 'buyMcpShopItem', purchase, order });
      ledger.orders.cancel(ORDERED);
    });
    expect(ledger.orders.newest(1)[0]?.number).toBe(head.sequence + 1);
    expect(verify(ledger)).toMatchObject({ ok: false, problem: expect.stringContaining(ORDERED) });
    ledger.transaction(() => {
      const order = ledger.orders.find(ORDERED);
      ledger.begin(CALLER).allowed({ tool: 'cancelMcpShopOrder', order });
    });
    expect(verify(ledger, head)).toMatchObject({ ok: true, head: { sequence: head.sequence + 2 } });
  }));

test('an upgraded record has the tables of a new one, and nothing of the old ones is left', () =>
  inStorage((storage) => {
    const fresh = tables(storage.sql);
    asFirstLanded(storage);
    expect(tables(storage.sql)).not.toEqual(fresh);
    expect(new Ledger(storage, 'user_1').orders.newest(1)[0]?.number).toBe(7);
    expect(tables(storage.sql)).toEqual(fresh);
    expect(fresh.map(({ name }) => name)).not.toContain('shop_orders');
  }));

test('the ledger made again over the same storage changes nothing', () =>
  inStorage((storage) => {
    asFirstLanded(storage);
    const ledger = new Ledger(storage, 'user_1');
    expect(ledger.orders.pending()).toEqual([PENDING]);
    const before = rows(storage);
    expect(new Ledger(storage, 'user_1').orders.pending()).toEqual([PENDING]);
    expect(rows(storage)).toEqual(before);
  }));

test('an empty storage becomes an empty record that holds', () =>
  inStorage((storage) => {
    empty(storage);
    const ledger = new Ledger(storage, 'user_1');
    expect(verify(ledger)).toEqual({ ok: true, lines: 0, head: { sequence: 0, hash: GENESIS } });
    expect(ledger.deputies.all(NOW)).toEqual([]);
    expect(ledger.account.read().authority).toBe('active');
  }));

test('two records have different names and different keys', async () => {
  const seals: string[] = [];
  for (const _ of [1, 2]) {
    await inStorage((storage) => {
      const { account } = new Ledger(storage, 'user_1');
      seals.push(account.read().recordId, account.seal('London'));
    });
  }
  expect(new Set(seals).size).toBe(4);
});

test('what cannot be read of an old record stops the upgrade, and leaves it as it was', () =>
  inStorage((storage) => {
    for (const scopes of ['["shop:browse","shop:everything"]', '"shop:buy"', 'shop:buy']) {
      asFirstLanded(storage, scopes);
      const before = rows(storage);
      expect(() => new Ledger(storage, 'user_1')).toThrow(/./);
      expect(rows(storage)).toEqual(before);
    }
  }));

test('a record of a later version, or of none that can be, is not touched', () =>
  inStorage((storage) => {
    const ledger = new Ledger(storage, 'user_1');
    appoint(ledger, {
      deputyId: 'dep_1',
      clientId: 'client_1',
      clientName: 'Claude',
      redirectHost: 'localhost',
      mandate: { format: 1, version: 1, scopes: ['shop:browse'], limits: DEFAULT_LIMITS, expiresAt: NOW + 1 },
      replaces: [],
    });
    storage.kv.put('schemaVersion', 3);
    const before = rows(storage);
    expect(() => new Ledger(storage, 'user_1')).toThrow('this record is of schema 3, from a later version');
    for (const version of ['2', 1.5, -1, {}]) {
      storage.kv.put('schemaVersion', version);
      expect(() => new Ledger(storage, 'user_1')).toThrow(/./);
    }
    storage.kv.put('schemaVersion', 3);
    expect(rows(storage)).toEqual(before);
  }));
