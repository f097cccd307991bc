/** The tables of a ledger: made once, brought to a later version step by step or not at all, and left alone when they are of one. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startCeiling } from '../../src/authority/limits.ts';
import { GENESIS } from '../../src/ledger/record.ts';
import { migrate, type Step } from '../../src/ledger/schema.ts';
import { verify } from '../../src/ledger/verify.ts';
import { shop } from '../../src/shop/index.ts';
import { callerOf, employ, inLedger, inStorage, ledgerOver, serve } from '../support/ledger.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const CEILING = { shirtsPerDay: 20, spendPerDay: 50_000 };
const PURCHASE = { company: 'Engines', mailingAddress: 'London', tshirtSize: 'L' };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Our tables and indexes, and how they were made. What the Agent keeps beside them is its own. */
function tables(sql: SqlStorage): { name: string; sql: string }[] {
  return sql
    .exec<{ name: string; sql: string }>(
      `SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name NOT LIKE 'sqlite!_%' ESCAPE '!'
         AND tbl_name NOT LIKE 'cf!_%' ESCAPE '!' AND tbl_name NOT LIKE '!_cf!_%' ESCAPE '!' ORDER BY name`,
    )
    .toArray();
}

/** Everything of ours that is stored, to compare. */
function stored({ sql, kv }: DurableObjectStorage) {
  const ours = tables(sql).filter((table) => table.sql.startsWith('CREATE TABLE'));
  return {
    kept: [...kv.list()],
    tables: tables(sql),
    rows: ours.map(({ name }) => [name, sql.exec(`SELECT * FROM ${name}`).toArray()]),
  };
}

/** Takes the storage back to before a ledger first touched it. */
function empty({ sql, kv }: DurableObjectStorage): void {
  for (const table of tables(sql)) if (table.sql.startsWith('CREATE TABLE')) sql.exec(`DROP TABLE ${table.name}`);
  for (const key of ['schemaVersion', 'counted']) kv.delete(key);
  expect(tables(sql)).toEqual([]);
}

/** A ledger with a deputy and an order in it. */
async function use(storage: DurableObjectStorage): Promise<void> {
  const ledger = ledgerOver(storage);
  employ(ledger, 'dep_1');
  expect(await serve(ledger, callerOf('dep_1'), 'buyMcpShopItem', PURCHASE)).toMatchObject({ allowed: true });
}

/** Stands for the step that the storage has behind it. */
function taken(): void {
  throw new Error('a step ran a second time');
}

test('a new ledger has its tables, nobody in it, and the ceiling of the domain', () =>
  inLedger((ledger, { sql, kv }) => {
    expect(tables(sql).map(({ name }) => name)).toEqual([
      'account',
      'approvals',
      'checkpoint',
      'checkpoint_effects',
      'deputies',
      'effects',
      'idempotency',
      'meters',
      'outbox',
      'record',
    ]);
    expect(kv.get('schemaVersion')).toBe(1);
    expect(ledger.account.read()).toMatchObject({ authority: 'active', ceiling: CEILING, windows: {}, exported: 0 });
    expect(ledger.deputies.page(100, NOW)).toEqual([]);
    expect(ledger.effects.newest(1)).toEqual([]);
    expect(ledger.pending.oldest(100)).toEqual([]);
  }));

test('a record opens with a line that vouches for its checkpoint, and verifies', () =>
  inLedger((ledger, { sql }) => {
    const { hash, sequence } = ledger.record.head();
    expect(sequence).toBe(1);
    expect(ledger.record.lines(0, 9)).toEqual([
      {
        sequence: 1,
        at: '2026-11-23T12:00:00.000Z',
        actor: 'system',
        act: 'opened',
        through: 0,
        hash: GENESIS,
        checkpoint: expect.stringMatching(/^[0-9a-f]{64}$/),
        previous: GENESIS,
      },
    ]);
    expect(verify(ledger)).toMatchObject({ ok: true, lines: 1, head: { sequence: 1, hash } });
    // What the record starts from cannot be made another, even together with the table.
    sql.exec("UPDATE checkpoint SET state = replace(state, 'active', 'paused')");
    sql.exec("UPDATE account SET authority = 'paused'");
    expect(verify(ledger)).toEqual({ ok: false, problem: 'the checkpoint is not the one it was made with' });
  }));

test('two ledgers have different names and different keys', async () => {
  const seals: string[] = [];
  for (const _ of [1, 2]) {
    await inLedger(({ account }) => {
      seals.push(account.read().recordId, account.seal('London'));
    });
  }
  expect(new Set(seals).size).toBe(4);
});

test('the ledger made again over the same storage changes nothing', () =>
  inStorage(async (storage) => {
    await use(storage);
    const before = stored(storage);
    vi.setSystemTime(NOW + 1000);
    expect(verify(ledgerOver(storage))).toMatchObject({ ok: true, lines: 4 });
    expect(stored(storage)).toEqual(before);
  }));

test('steps that were added run once, in their order, and no earlier one again', () =>
  inStorage(async (storage) => {
    await use(storage);
    const ran: unknown[] = [];
    const add: Step = ({ sql }, ceiling) => {
      ran.push('add', ceiling);
      sql.exec('ALTER TABLE effects ADD COLUMN note TEXT');
    };
    const fill: Step = ({ sql }, ceiling) => {
      ran.push('fill', ceiling);
      sql.exec("UPDATE effects SET note = 'from before'");
    };
    migrate(storage, startCeiling(shop), [taken, add, fill]);
    expect(ran).toEqual(['add', CEILING, 'fill', CEILING]);
    expect(storage.sql.exec('SELECT number, note FROM effects').toArray()).toEqual([
      { number: 1, note: 'from before' },
    ]);
    const after = stored(storage);
    migrate(storage, startCeiling(shop), [taken, add, fill]);
    expect(ran).toHaveLength(4);
    expect(stored(storage)).toEqual(after);
    // One more, at a later start.
    migrate(storage, startCeiling(shop), [taken, taken, taken, () => ran.push('last')]);
    expect(ran).toHaveLength(5);
    expect(storage.kv.get('schemaVersion')).toBe(4);
  }));

test('an empty storage takes every step', () =>
  inStorage((storage) => {
    empty(storage);
    const ran: number[] = [];
    migrate(storage, startCeiling(shop), [() => ran.push(1), () => ran.push(2)]);
    expect(ran).toEqual([1, 2]);
    expect(storage.kv.get('schemaVersion')).toBe(2);
  }));

test('a step that throws undoes those before it, and is tried again at the next start', () =>
  inStorage(async (storage) => {
    await use(storage);
    const before = stored(storage);
    let broken = true;
    const steps: Step[] = [
      taken,
      ({ sql }) => sql.exec('CREATE TABLE later (id TEXT PRIMARY KEY)'),
      ({ sql, kv }) => {
        sql.exec("UPDATE effects SET state = 'lost'");
        kv.put('demoMode', 'banned');
        if (broken) throw new Error('no');
      },
    ];
    for (let start = 0; start < 2; start += 1) expect(() => migrate(storage, startCeiling(shop), steps)).toThrow('no');
    expect(stored(storage)).toEqual(before);
    broken = false;
    migrate(storage, startCeiling(shop), steps);
    expect(storage.kv.get('schemaVersion')).toBe(3);
    expect(storage.sql.exec('SELECT state FROM effects').one()).toEqual({ state: 'lost' });
  }));

test('a ledger of a later version, or of none that can be, is refused and not touched', () =>
  inStorage(async (storage) => {
    await use(storage);
    for (const [version, problem] of [
      [2, 'this ledger is of schema 2, from a later version'],
      ['1', /invalid/i],
      [1.5, /int/],
      [-1, /small/i],
      [{}, /invalid/i],
    ] as const) {
      storage.kv.put('schemaVersion', version);
      const before = stored(storage);
      expect(() => ledgerOver(storage)).toThrow(problem);
      expect(stored(storage)).toEqual(before);
    }
  }));
