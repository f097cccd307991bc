/** The record: every call is accounted for, every change behind its back is named, and its length costs a call nothing. */
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startCeiling } from '../../src/authority/limits.ts';
import type { Limits } from '../../src/authority/terms.ts';
import { toModel } from '../../src/authority/words.ts';
import {
  activate,
  amend,
  appoint,
  erase,
  grantCleared,
  hear,
  pause,
  resume,
  revoke,
  setCeiling,
} from '../../src/ledger/acts.ts';
import type { Effect } from '../../src/ledger/effects.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { prune, recordingShared } from '../../src/ledger/prune.ts';
import { GENESIS, type Line } from '../../src/ledger/record.ts';
import { apply, coreSchema, type State } from '../../src/ledger/replay.ts';
import { verify } from '../../src/ledger/verify.ts';
import { allOf } from '../../src/steps.ts';
import { LONGEST_MANDATE_MS, PENDING_MS, RECORD_KEPT_MS } from '../../src/lifetimes.ts';
import { shop } from '../../src/shop/index.ts';
import * as support from '../support/ledger.ts';
import { callerOf, inLedger, ledgerOver, SCOPES } from '../support/ledger.ts';

const START = Date.parse('2026-11-23T12:00:00Z');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

function mandate(limits: Limits = {}) {
  return support.mandateOf(limits, { expiresAt: START + LONGEST_MANDATE_MS });
}

function announce(ledger: Ledger, deputyId: string, limits?: Limits, replaces?: string[]): void {
  support.announce(ledger, deputyId, mandate(limits), replaces);
}

/** A deputy that is live. */
function employ(ledger: Ledger, deputyId: string, limits?: Limits, replaces?: string[]): void {
  support.employ(ledger, deputyId, mandate(limits), replaces);
}

/** A call that reads. Tells the code of its refusal, if any. */
function call(ledger: Ledger, deputyId: string, scope = 'orders:read'): string | undefined {
  return ledger.transaction(() => {
    const turn = ledger.begin(callerOf(deputyId));
    const reason = turn.reasonAgainst({ name: 'listMcpShopOrders', scope });
    if (reason) turn.refused(toModel(shop, reason), { tool: 'listMcpShopOrders' });
    else turn.allowed({ tool: 'listMcpShopOrders' });
    return reason?.code;
  });
}

/** A purchase, recorded as a call does it; undefined when it was refused. */
function buy(ledger: Ledger, deputyId: string, quantity = 1): string | undefined {
  return ledger.transaction(() => {
    const caller = callerOf(deputyId);
    const turn = ledger.begin(caller);
    const amounts = { shirts: quantity, spend: quantity * 2500 };
    const reason = turn.reasonAgainst({ name: 'buyMcpShopItem', scope: 'shop:buy', uses: amounts });
    if (reason) {
      turn.refused(toModel(shop, reason), { tool: 'buyMcpShopItem', asked: amounts });
      return undefined;
    }
    const data = { email: caller.email, company: 'Engines', mailingAddress: 'London', tshirtSize: 'L', color: 'blue' };
    const made = ledger.effects.make(caller, { state: 'confirmed', amounts, data: JSON.stringify(data) }, turn);
    const effect = { ...factsOf(made), amounts };
    turn.allowed({ tool: 'buyMcpShopItem', amounts, effect, arguments: ledger.account.seal({ ...data, quantity }) });
    return made.id;
  });
}

function cancel(ledger: Ledger, deputyId: string, orderId: string): void {
  ledger.transaction(() => {
    const turn = ledger.begin(callerOf(deputyId));
    const effect = ledger.effects.change(orderId, 'cancelled', turn.line);
    turn.allowed({ tool: 'cancelMcpShopOrder', effect: effect && factsOf(effect) });
  });
}

function factsOf({ id, number, state }: Effect) {
  return { id, number, state };
}

const LIMITS = { shirtsPerOrder: 2, shirtsPerDay: 4, spendPerDay: 10_000, askAbove: 2 };

/** A story with a line of nearly every kind: eighteen of them, two orders, three deputies. */
function tell(ledger: Ledger): { kept: string; cancelled: string } {
  employ(ledger, 'dep_1');
  const kept = buy(ledger, 'dep_1', 2) ?? '';
  const cancelled = buy(ledger, 'dep_1') ?? '';
  call(ledger, 'dep_1');
  cancel(ledger, 'dep_1', cancelled);
  setCeiling(ledger, { shirtsPerDay: 40, spendPerDay: 90_000 }, ledger.account.read().ceilingVersion);
  const amendment = { deputyId: 'dep_1', version: 1, scopes: [...SCOPES], limits: LIMITS };
  amend(ledger, amendment, { narrowOnly: true });
  pause(ledger);
  call(ledger, 'dep_1');
  resume(ledger, ledger.account.read().authoritySequence ?? 0);
  employ(ledger, 'dep_2', {}, ['dep_1']);
  employ(ledger, 'dep_3');
  revoke(ledger, 'dep_3');
  return { kept, cancelled };
}

function linesOf(ledger: Ledger): Line[] {
  return ledger.record.lines(0, 10_000);
}

type Stored = { sequence: number; line: string; hash: string };

/** The table as it stands, whatever the code makes of it. */
function rowsOf({ sql }: Ledger): Stored[] {
  return sql.exec<Stored>('SELECT sequence, line, hash FROM record ORDER BY sequence').toArray();
}

async function sha256(text: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).toHex();
}

/** What `work` gives; what it wrote is undone. */
function undone<Result>(ledger: Ledger, work: () => Result): Result {
  let result: { value: Result } | undefined;
  class Undo extends Error {}
  try {
    ledger.transaction(() => {
      result = { value: work() };
      throw new Undo();
    });
  } catch (error) {
    if (!(error instanceof Undo)) throw error;
  }
  if (!result) throw new Error('nothing was done');
  return result.value;
}

test('each line has the next number, its own hash and the hash of the line before', () =>
  inLedger((ledger) => {
    expect(ledger.record.head().sequence).toBe(1);
    tell(ledger);
    const rows = rowsOf(ledger);
    const lines = linesOf(ledger);
    expect(lines.map(({ sequence }) => sequence)).toEqual(rows.map((_, index) => index + 1));
    expect(lines.map(({ previous }) => previous)).toEqual([GENESIS, ...rows.slice(0, -1).map(({ hash }) => hash)]);
    expect(ledger.record.head()).toEqual({ sequence: rows.length, hash: rows.at(-1)?.hash, at: START });
    expect(verify(ledger)).toMatchObject({
      ok: true,
      lines: rows.length,
      head: { sequence: rows.length, hash: rows.at(-1)?.hash },
    });
  }));

test('the story is told in the order in which it happened, with who did it', () =>
  inLedger((ledger) => {
    const { kept, cancelled } = tell(ledger);
    const told = linesOf(ledger).map((line) =>
      line.actor === 'deputy'
        ? `${line.deputy} ${line.tool} ${line.code ?? line.decision}`
        : `${line.actor} ${line.act}`,
    );
    expect(told).toEqual([
      'system opened',
      'human appointed',
      'client activated',
      'dep_1 buyMcpShopItem allowed',
      'dep_1 buyMcpShopItem allowed',
      'dep_1 listMcpShopOrders allowed',
      'dep_1 cancelMcpShopOrder allowed',
      'human ceiling',
      'human amended',
      'human paused',
      'dep_1 listMcpShopOrders paused',
      'human resumed',
      'human appointed',
      'client activated',
      'human superseded',
      'human appointed',
      'client activated',
      'human revoked',
    ]);
    expect(linesOf(ledger)[3]).toMatchObject({
      effect: { id: kept, number: 1, state: 'confirmed', amounts: { shirts: 2, spend: 5000 } },
    });
    // Only the line that used them up has amounts.
    expect(linesOf(ledger)[6]).toMatchObject({
      effect: { id: cancelled, number: 2, state: 'cancelled' },
      mandateVersion: 1,
    });
    expect(linesOf(ledger)[6]).not.toHaveProperty('effect.amounts');
    expect(linesOf(ledger)[10]).toMatchObject({ decision: 'refused', mandateVersion: 2 });
    // An order knows the line that made it.
    expect(ledger.effects.newest(9)).toMatchObject([
      { id: cancelled, number: 2, line: 5 },
      { id: kept, number: 1, line: 4 },
    ]);
  }));

test('no address, e-mail, name or argument is in the record, only a seal under a key of its own', () =>
  inLedger((ledger) => {
    tell(ledger);
    const text = JSON.stringify(ledger.record.text(0, 1000));
    for (const secret of ['ada@example.com', 'Ada', 'Engines', 'London']) expect(text).not.toContain(secret);
    const [first, second] = linesOf(ledger).flatMap((line) =>
      line.actor === 'deputy' && line.arguments !== undefined ? [line.arguments] : [],
    );
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(second).not.toBe(first);
    const unkeyed = ledger.account.seal({ a: 1 });
    undone(ledger, () => {
      ledger.sql.exec("UPDATE account SET secret = 'YW5vdGhlcg=='");
      expect(ledger.account.seal({ a: 1 })).not.toBe(unkeyed);
    });
  }));

test('an exported file can be checked with SHA-256 alone', async () => {
  const file = await inLedger((ledger) => {
    tell(ledger);
    const first = ledger.record.text(0, 5);
    const rest = ledger.record.text(5, 1000);
    return `${[...first, ...rest].map(({ line }) => line).join('\n')}\n`;
  });
  let before = GENESIS;
  for (const line of file.trimEnd().split('\n')) {
    expect(JSON.parse(line)).toMatchObject({ previous: before });
    before = await sha256(line);
  }
});

test('a single byte changed, in the text or the hash of any line, is found, and the line is named', () =>
  inLedger((ledger, { sql }) => {
    tell(ledger);
    const rows = rowsOf(ledger);
    const places = rows.flatMap(({ sequence, line, hash }) => [
      { sequence, column: 'line', bytes: new TextEncoder().encode(line) },
      { sequence, column: 'hash', bytes: new TextEncoder().encode(hash) },
    ]);
    fc.assert(
      fc.property(
        fc.constantFrom(...places).chain((place) => fc.tuple(fc.constant(place), fc.nat(place.bytes.length - 1))),
        fc.integer({ min: 1, max: 255 }),
        ([{ sequence, column, bytes }, index], flip) => {
          const changed = bytes.with(index, (bytes[index] ?? 0) ^ flip);
          const verification = undone(ledger, () => {
            sql.exec(
              `UPDATE record SET ${column} = CAST(? AS TEXT) WHERE sequence = ?`,
              changed.slice().buffer,
              sequence,
            );
            return verify(ledger);
          });
          expect(verification).toMatchObject({ ok: false, sequence });
        },
      ),
      { numRuns: 300 },
    );
    expect(verify(ledger).ok).toBe(true);
  }));

test('a line that is gone, or two that changed places, are found and named', () =>
  inLedger((ledger, { sql }) => {
    tell(ledger);
    const rows = rowsOf(ledger);
    const head = ledger.record.head();
    for (const { sequence } of rows.slice(0, -1)) {
      const verification = undone(ledger, () => {
        sql.exec('DELETE FROM record WHERE sequence = ?', sequence);
        return verify(ledger);
      });
      expect(verification).toEqual({ ok: false, sequence: sequence + 1, problem: `line ${sequence} is missing` });
    }
    const write = (sequence: number, { line, hash }: Stored) =>
      sql.exec('UPDATE record SET line = ?, hash = ? WHERE sequence = ?', line, hash, sequence);
    fc.assert(
      fc.property(fc.constantFrom(...rows), fc.constantFrom(...rows), (one, other) => {
        if (one === other) return;
        const verification = undone(ledger, () => {
          write(one.sequence, other);
          write(other.sequence, one);
          return verify(ledger);
        });
        expect(verification).toMatchObject({ ok: false, sequence: Math.min(one.sequence, other.sequence) });
      }),
    );
    // The newest line can be cut off unseen when it changed no table: an anchor shows it.
    call(ledger, 'dep_2');
    const newest = ledger.record.head();
    sql.exec('DELETE FROM record WHERE sequence = ?', newest.sequence);
    expect(verify(ledger, newest)).toEqual({ ok: false, problem: 'the expected head is not part of this record' });
    expect(verify(ledger, head).ok).toBe(true);
  }));

/** Puts `line` in the place of the one that has its number, with the hash it should have. */
async function forgery(rows: Stored[], sequence: number, forge: (line: string) => string): Promise<Stored[]> {
  const forged: Stored[] = [];
  for (const row of rows) {
    const previous = forged.at(-1)?.hash ?? GENESIS;
    const parsed = JSON.parse(row.line) as { previous: string };
    const line = JSON.stringify({ ...parsed, previous: row.sequence > sequence ? previous : parsed.previous });
    const text = row.sequence === sequence ? forge(line) : line;
    forged.push({ sequence: row.sequence, line: text, hash: await sha256(text) });
  }
  return forged;
}

test('a line rewritten with a fitting hash is shown by the next one; a chain rewritten whole, only by an anchor', async () => {
  await inLedger(async (ledger, { sql }) => {
    tell(ledger);
    const rows = rowsOf(ledger);
    const forged = await forgery(rows, 6, (line) => line.replace('listMcpShopOrders', 'listMcpShopItemss'));
    const head = ledger.record.head();
    const write = ({ sequence, line, hash }: Stored) =>
      sql.exec('UPDATE record SET line = ?, hash = ? WHERE sequence = ?', line, hash, sequence);
    forged.filter(({ sequence }) => sequence === 6).forEach(write);
    expect(verify(ledger)).toEqual({ ok: false, sequence: 7, problem: 'it does not follow from the line before' });
    forged.forEach(write);
    expect(verify(ledger)).toMatchObject({ ok: true });
    expect(verify(ledger, head)).toEqual({ ok: false, problem: 'the expected head is not part of this record' });
    const before = rows[4];
    expect(before && verify(ledger, before).ok).toBe(true);
  });
});

test('a line that is older than the one before, or follows from nothing, is named though its hash fits', () =>
  inLedger((ledger, { sql }) => {
    tell(ledger);
    const head = ledger.record.head();
    const older = undone(ledger, () => {
      ledger.record.append({ actor: 'human', act: 'resumed' }, head, head.at - 1);
      return verify(ledger);
    });
    expect(older).toEqual({ ok: false, sequence: head.sequence + 1, problem: 'it is older than the line before' });
    const stranger = undone(ledger, () => {
      ledger.record.append({ actor: 'human', act: 'revoked', deputy: 'dep_9' }, head, head.at);
      return verify(ledger);
    });
    expect(stranger).toMatchObject({ ok: false, sequence: head.sequence + 1 });
    const unread = undone(ledger, () => {
      ledger.record.append({ actor: 'human', act: 'crowned' } as never, head, head.at);
      return verify(ledger);
    });
    expect(unread).toMatchObject({ ok: false, sequence: head.sequence + 1 });
    const renumbered = undone(ledger, () => {
      ledger.record.append({ actor: 'human', act: 'resumed' }, { ...head, sequence: head.sequence + 1 }, head.at);
      sql.exec('UPDATE record SET sequence = sequence - 1 WHERE sequence > ?', head.sequence);
      return verify(ledger);
    });
    expect(renumbered).toMatchObject({ ok: false, sequence: head.sequence + 1 });
  }));

const BEHIND: [string, string][] = [
  ["UPDATE account SET authority = 'paused'", 'authority is paused, the record says active'],
  ['UPDATE account SET suspended = 1', 'authority is suspended, the record says active'],
  [`UPDATE account SET ceiling = '{"shirtsPerDay":41,"spendPerDay":90000}'`, 'the ceiling'],
  [
    "UPDATE deputies SET status = 'active' WHERE deputy_id = 'dep_3'",
    'deputy dep_3 is active, the record says revoked',
  ],
  ["UPDATE deputies SET status = 'pending' WHERE deputy_id = 'dep_2'", 'deputy dep_2'],
  ["DELETE FROM deputies WHERE deputy_id = 'dep_1'", 'deputy dep_1 is missing'],
  ["UPDATE deputies SET mandate = replace(mandate, '25000', '25001') WHERE deputy_id = 'dep_2'", 'mandate of dep_2'],
  [
    `UPDATE deputies SET mandate = replace(mandate, ',"orders:read"', '') WHERE deputy_id = 'dep_2'`,
    'mandate of dep_2',
  ],
  [
    "UPDATE deputies SET mandate = replace(mandate, 'expiresAt\":', 'expiresAt\":1') WHERE deputy_id = 'dep_2'",
    'dep_2',
  ],
  ["UPDATE deputies SET paused = 1 WHERE deputy_id = 'dep_2'", 'the pause of dep_2 is not the one in the record'],
  ["UPDATE deputies SET name = 'x' WHERE deputy_id = 'dep_2'", 'the name of dep_2 is not the one in the record'],
  [
    `INSERT INTO deputies SELECT 'dep_9', client_id, client_name, client_domain, redirect_host, scopes, appointed_at,
       status, mandate, replaces, grant_id, changed_at, paused, name FROM deputies WHERE deputy_id = 'dep_2'`,
    'deputy dep_9 was never appointed',
  ],
  [
    `UPDATE deputies SET client_name = 'Claude' WHERE deputy_id = 'dep_2'`,
    'the client of dep_2 is not the one in the record',
  ],
  [
    `UPDATE deputies SET scopes = replace(scopes, ',"orders:read"', '') WHERE deputy_id = 'dep_2'`,
    'the client of dep_2',
  ],
  [`UPDATE effects SET amounts = '{"shirts":1,"spend":5000}' WHERE number = 1`, 'is not as the record says'],
  [`UPDATE effects SET amounts = '{"shirts":2,"spend":5001}' WHERE number = 1`, 'is not as the record says'],
  [`UPDATE effects SET amounts = '{"shirts":2}' WHERE number = 1`, 'is not as the record says'],
  ["UPDATE effects SET state = 'confirmed' WHERE number = 2", 'is not as the record says'],
  ['UPDATE effects SET number = 3 WHERE number = 2', 'is not as the record says'],
  ['DELETE FROM effects WHERE number = 2', 'is in the record and nowhere else'],
  ['UPDATE effects SET id = upper(id) WHERE number = 1', 'is not in the record'],
  [
    `INSERT INTO effects SELECT 3, 'another', line, changed, at, deputy_id, client_id, state, amounts, data FROM effects
       WHERE number = 1`,
    'another is not in the record',
  ],
  ["UPDATE account SET windows = '{}'", 'what all deputies used is not what the record says'],
  ["UPDATE account SET windows = replace(windows, ',3]', ',2]')", 'what all deputies used is not what the record says'],
  ["UPDATE meters SET windows = '{}' WHERE deputy_id = 'dep_1'", 'what dep_1 used is not what the record says'],
  ["DELETE FROM meters WHERE deputy_id = 'dep_1'", 'what dep_1 used is not what the record says'],
];

test.each(BEHIND)('a table changed behind the record is found: %s', (statement, problem) =>
  inLedger((ledger, { sql }) => {
    tell(ledger);
    expect(verify(ledger).ok).toBe(true);
    expect(sql.exec(statement).rowsWritten).toBeGreaterThan(0);
    const verification = verify(ledger);
    expect(verification).toEqual({ ok: false, problem: expect.stringContaining(problem) });
  }),
);

test('a checkpoint changed behind the record is found', () =>
  inLedger((ledger, { sql }) => {
    const { kept } = tell(ledger);
    vi.setSystemTime(START + RECORD_KEPT_MS);
    expect(prune(ledger)).toBe(18);
    expect(verify(ledger)).toMatchObject({ ok: true, lines: 1 });
    for (const statement of [
      "UPDATE checkpoint SET state = replace(state, 'revoked', 'active')",
      "UPDATE checkpoint SET state = replace(state, '90000', '90001')",
      'UPDATE checkpoint SET at = at - 1',
      `UPDATE checkpoint SET hash = '${GENESIS}'`,
      'UPDATE checkpoint SET sequence = sequence - 1',
      'UPDATE checkpoint_effects SET number = number + 1',
      `UPDATE checkpoint_effects SET amounts = '{"shirts":3,"spend":5000}' WHERE id = '${kept}'`,
      'DELETE FROM checkpoint_effects',
      `UPDATE checkpoint_effects SET state = 'cancelled' WHERE id = '${kept}'`,
    ]) {
      const verification = undone(ledger, () => {
        sql.exec(statement);
        return verify(ledger);
      });
      expect([statement, verification]).toMatchObject([statement, { ok: false }]);
    }
    // Changed to fit each other, the checkpoint and the table are still not what the line about the pruning says.
    sql.exec("UPDATE checkpoint SET state = replace(state, 'revoked', 'active')");
    sql.exec("UPDATE deputies SET status = 'active' WHERE deputy_id = 'dep_3'");
    expect(verify(ledger)).toMatchObject({ ok: false, problem: 'the checkpoint is not the one it was made with' });
  }));

test('an anchor that is part of the record is accepted wherever it lies, and any other one refused', () =>
  inLedger((ledger) => {
    tell(ledger);
    const rows = rowsOf(ledger);
    expect(verify(ledger, { sequence: 0, hash: GENESIS }).ok).toBe(true);
    for (const row of rows) expect(verify(ledger, row).ok).toBe(true);
    const refused = { ok: false, problem: 'the expected head is not part of this record' };
    const { hash } = ledger.record.head();
    expect(verify(ledger, { sequence: 3, hash })).toEqual(refused);
    expect(verify(ledger, { sequence: rows.length + 1, hash })).toEqual(refused);
    expect(verify(ledger, { sequence: rows.length, hash: GENESIS })).toEqual(refused);
    expect(verify(ledger, { sequence: 0, hash })).toEqual(refused);
  }));

/** As the identity provider's clear no does. */
function suspend(ledger: Ledger): void {
  const presence = { permissions: [], at: Date.now() };
  ledger.account.setPresence(presence);
  hear(ledger, presence, { gone: 'user_gone' });
}

test('replayed from nothing, the lines alone give authority, ceiling, mandates and effects as they are', () =>
  inLedger((ledger) => {
    const { kept, cancelled } = tell(ledger);
    pause(ledger);
    const nothing = coreSchema.parse({
      windows: {},
      authority: 'active',
      suspended: false,
      ceiling: startCeiling(shop),
      guarded: 0,
      passkeysUntil: 0,
      passkeys: {},
      allowances: {},
      deputies: {},
    });
    const state: State = { ...nothing, effects: new Map() };
    for (const line of linesOf(ledger)) apply(state, line);
    expect(state).toMatchObject({
      authority: 'paused',
      ceiling: { shirtsPerDay: 40, spendPerDay: 90_000 },
      deputies: {
        dep_1: { status: 'superseded', mandate: { ...mandate(LIMITS), version: 2 } },
        dep_2: { status: 'active', mandate: mandate() },
        dep_3: { status: 'revoked', mandate: mandate() },
      },
      effects: new Map([
        [kept, { id: kept, number: 1, state: 'confirmed', amounts: { shirts: 2, spend: 5000 } }],
        [cancelled, { id: cancelled, number: 2, state: 'cancelled', amounts: { shirts: 1, spend: 2500 } }],
      ]),
    });
    expect(ledger.account.read()).toMatchObject({ authority: state.authority, ceiling: state.ceiling });
    for (const { deputyId, status, mandate: held } of ledger.deputies.page(100, START))
      expect(state.deputies[deputyId]).toMatchObject({ status, mandate: held });
  }));

test('a client whose name is no well-formed text is recorded as the table keeps it', () =>
  inLedger((ledger) => {
    const client = { clientId: 'client_1', clientName: 'A\ud800B', redirectHost: 'localhost' };
    appoint(ledger, { deputyId: 'dep_1', ...client, mandate: mandate(), replaces: [] });
    expect(ledger.deputies.find('dep_1', START)?.clientName).toBe('A\ufffdB');
    expect(verify(ledger).ok).toBe(true);
  }));

test('acts that change nothing leave no line', () =>
  inLedger((ledger) => {
    tell(ledger);
    pause(ledger);
    const head = ledger.record.head();
    expect(resume(ledger, head.sequence - 1)).toEqual({ problem: 'stale' });
    revoke(ledger, 'dep_3');
    revoke(ledger, 'nobody');
    activate(ledger, 'dep_2', 'grant of dep_2');
    activate(ledger, 'dep_3', 'grant of dep_3');
    grantCleared(ledger, 'dep_3');
    const amendment = { deputyId: 'dep_2', version: 1, scopes: [...SCOPES], limits: { ...LIMITS, askAbove: 50 } };
    expect(amend(ledger, amendment, { narrowOnly: true })).toEqual({ problem: 'wider' });
    expect(amend(ledger, { ...amendment, version: 2 }, { narrowOnly: false })).toEqual({ problem: 'stale' });
    expect(amend(ledger, { ...amendment, deputyId: 'dep_3' }, { narrowOnly: false })).toEqual({ problem: 'ended' });
    expect(ledger.record.head()).toEqual(head);
    expect(verify(ledger).ok).toBe(true);
  }));

test('an appointment that was never taken up is forgotten by the tables, and the record still holds', () =>
  inLedger((ledger) => {
    announce(ledger, 'dep_1');
    vi.setSystemTime(START + PENDING_MS - 1);
    expect(ledger.deputies.find('dep_1', ledger.now())).toBeDefined();
    vi.setSystemTime(START + PENDING_MS);
    expect(activate(ledger, 'dep_1', 'grant')).toEqual({ problem: 'unknown_deputy' });
    employ(ledger, 'dep_2');
    expect(ledger.sql.exec("SELECT 1 FROM deputies WHERE deputy_id = 'dep_1'").toArray()).toEqual([]);
    expect(verify(ledger).ok).toBe(true);
    vi.setSystemTime(START + 2 * RECORD_KEPT_MS);
    expect(prune(ledger)).toBe(4);
    expect(verify(ledger).ok).toBe(true);
  }));

test('after everything was erased, a new record begins that knows nothing of the old one', () =>
  inLedger((ledger) => {
    const { kept } = tell(ledger);
    const { recordId } = ledger.account.read();
    const head = ledger.record.head();
    const done = erase(ledger);
    expect(done.grants.map(({ deputyId }) => deputyId).toSorted()).toEqual(['dep_1', 'dep_2', 'dep_3']);
    expect(linesOf(ledger)).toMatchObject([{ sequence: head.sequence + 1, act: 'erased', previous: GENESIS }]);
    expect(ledger.account.read().recordId).not.toBe(recordId);
    expect(ledger.deputies.page(100, START)).toEqual([]);
    expect(ledger.effects.find(kept)).toBeUndefined();
    expect(ledger.pending.oldest(100)).toContain(kept);
    // The deputies of before leave no trace in it, however they try.
    expect(call(ledger, 'dep_2')).toBe('deputy_unknown');
    expect(buy(ledger, 'dep_2')).toBeUndefined();
    expect(linesOf(ledger)).toHaveLength(1);
    expect(verify(ledger).ok).toBe(true);
    expect(verify(ledger, head)).toMatchObject({ ok: false });
  }));

test('lines of 90 days ago fold into the checkpoint, to the millisecond, and everything still verifies', () =>
  inLedger((ledger) => {
    const { kept, cancelled } = tell(ledger);
    const old = ledger.record.head();
    vi.setSystemTime(START + 1);
    const late = buy(ledger, 'dep_2') ?? '';
    const young = ledger.record.head();
    const [early] = rowsOf(ledger);

    vi.setSystemTime(START + RECORD_KEPT_MS - 1);
    expect(prune(ledger)).toBe(0);
    expect(ledger.record.head()).toEqual(young);
    vi.setSystemTime(START + RECORD_KEPT_MS);
    expect(prune(ledger)).toBe(old.sequence);
    expect(prune(ledger)).toBe(0);
    expect(linesOf(ledger)).toMatchObject([
      { sequence: young.sequence, previous: old.hash },
      { sequence: young.sequence + 1, act: 'pruned', through: old.sequence, hash: old.hash },
    ]);

    expect(verify(ledger)).toMatchObject({ ok: true, lines: 2 });
    expect(verify(ledger, old).ok).toBe(true);
    expect(verify(ledger, young).ok).toBe(true);
    // That is no sign of somebody's hand.
    expect(early && verify(ledger, early)).toEqual({
      ok: false,
      tooOld: true,
      problem: 'the line of that head was folded or erased since',
    });

    // An order whose own line is gone can still be cancelled, and that folds in as well.
    cancel(ledger, 'dep_2', kept);
    expect(verify(ledger).ok).toBe(true);
    vi.setSystemTime(START + 3 * RECORD_KEPT_MS);
    expect(prune(ledger)).toBe(3);
    expect(verify(ledger)).toMatchObject({ ok: true, lines: 1 });
    expect(ledger.sql.exec('SELECT id, number, state FROM checkpoint_effects ORDER BY number').toArray()).toEqual([
      { id: kept, number: 1, state: 'cancelled' },
      { id: cancelled, number: 2, state: 'cancelled' },
      { id: late, number: 3, state: 'confirmed' },
    ]);
  }));

test('whatever is pruned when, the record verifies, and only anchors at or after the checkpoint are known', () =>
  inLedger((ledger) => {
    employ(ledger, 'dep_1', { callsPerMinute: 1000 });
    const acts = fc.array(fc.constantFrom('buy', 'call', 'pause', 'suspend', 'resume', 'wait', 'prune'), {
      minLength: 10,
      maxLength: 40,
    });
    fc.assert(
      fc.property(acts, (story) =>
        undone(ledger, () => {
          const heads = [ledger.record.head()];
          let now = START;
          for (const act of story) {
            if (act === 'wait') now += RECORD_KEPT_MS / 3;
            vi.setSystemTime(now);
            if (act === 'prune') prune(ledger);
            if (act === 'buy') buy(ledger, 'dep_1');
            if (act === 'call') call(ledger, 'dep_1');
            if (act === 'pause') pause(ledger);
            if (act === 'suspend') suspend(ledger);
            if (act === 'resume') resume(ledger, ledger.account.read().authoritySequence ?? 0);
            heads.push(ledger.record.head());
          }
          const { sequence } = ledger.sql.exec<{ sequence: number }>('SELECT sequence FROM checkpoint').one();
          expect(verify(ledger)).toMatchObject({ ok: true });
          for (const head of heads) expect(verify(ledger, head).ok).toBe(head.sequence >= sequence);
        }),
      ),
      { numRuns: 25 },
    );
  }));

test('pruning takes 2000 lines at a time, and comes to an end', () =>
  inLedger((ledger) => {
    ledger.transaction(() => {
      let head = ledger.record.head();
      for (let count = 0; count < 2000; count += 1)
        head = ledger.record.append({ actor: 'human', act: 'resumed' }, head, START);
    });
    vi.setSystemTime(START + RECORD_KEPT_MS);
    expect([prune(ledger), prune(ledger), prune(ledger)]).toEqual([2000, 1, 0]);
    expect(verify(ledger)).toMatchObject({ ok: true, lines: 2 });
  }));

/** Counts the rows that `work` reads and writes, over all its statements. */
function costOf(storage: DurableObjectStorage, work: (ledger: Ledger) => void): { read: number; written: number } {
  const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
  const sql = {
    exec(query: string, ...values: SqlStorageValue[]) {
      const cursor = storage.sql.exec(query, ...values);
      cursors.push(cursor);
      return cursor;
    },
  } as SqlStorage;
  const counted = { sql, kv: storage.kv, transactionSync: storage.transactionSync.bind(storage) };
  const ledger = ledgerOver(counted as unknown as DurableObjectStorage);
  // What a start reads is no part of it.
  cursors.length = 0;
  work(ledger);
  return {
    read: cursors.reduce((total, { rowsRead }) => total + rowsRead, 0),
    written: cursors.reduce((total, { rowsWritten }) => total + rowsWritten, 0),
  };
}

test('a hundred thousand lines cost a call, an act and the head no row more than a few do', () =>
  inLedger((ledger, storage) => {
    employ(ledger, 'dep_1', { shirtsPerDay: 1000, spendPerDay: 2_500_000 });
    setCeiling(ledger, { shirtsPerDay: 1000, spendPerDay: 2_500_000 }, ledger.account.read().ceilingVersion);
    buy(ledger, 'dep_1');
    const costs = () => ({
      head: costOf(storage, (counted) => counted.record.head()),
      read: costOf(storage, (counted) => call(counted, 'dep_1')),
      purchase: costOf(storage, (counted) => buy(counted, 'dep_1')),
      refusal: costOf(storage, (counted) => buy(counted, 'dep_1', 99)),
      pause: costOf(storage, pause),
      resume: costOf(storage, (counted) => resume(counted, counted.account.read().authoritySequence ?? 0)),
      page: costOf(storage, (counted) => counted.record.newest(3, {})),
      export: costOf(storage, (counted) => counted.record.text(counted.record.head().sequence - 3, 3)),
    });
    const few = costs();
    expect(few.head.read).toBe(1);
    expect(few.read.written).toBeLessThanOrEqual(2);
    expect(few.purchase.written).toBeLessThanOrEqual(8);

    const { sequence } = ledger.record.head();
    storage.sql.exec(
      `WITH RECURSIVE more (sequence) AS (SELECT ? + 1 UNION ALL SELECT sequence + 1 FROM more LIMIT 100000)
       INSERT INTO record SELECT more.sequence, first.line, first.hash FROM more JOIN record AS first ON first.sequence = 1`,
      sequence,
    );
    expect(ledger.record.head().sequence).toBe(sequence + 100_000);
    expect(costs()).toEqual(few);
  }));

test('after the limit of a minute, one deputy shares a line a minute; another one is not touched by that', () =>
  inLedger((ledger) => {
    employ(ledger, 'dep_1', { callsPerMinute: 2 });
    employ(ledger, 'dep_2', { callsPerMinute: 2 });
    const before = linesOf(ledger).length;
    for (let count = 0; count < 10; count += 1) call(ledger, 'dep_1');
    // Two that were allowed, one refusal with a line of its own, seven that wait for the next.
    expect(linesOf(ledger)).toHaveLength(before + 3);
    expect(ledger.meters.read('dep_1').unrecorded).toBe(7);
    expect(call(ledger, 'dep_2')).toBeUndefined();
    expect(linesOf(ledger).at(-1)).not.toHaveProperty('refusedBefore');

    vi.setSystemTime(START + 60_000 - 1);
    expect(call(ledger, 'dep_1')).toBe('rate_limited');
    expect(ledger.meters.read('dep_1').unrecorded).toBe(8);
    vi.setSystemTime(START + 60_000);
    expect(call(ledger, 'dep_1')).toBe('rate_limited');
    expect(linesOf(ledger).at(-1)).toMatchObject({ deputy: 'dep_1', code: 'rate_limited', refusedBefore: 8 });
    // What was refused over the limit did not count against it: both calls of the next minute are there.
    vi.setSystemTime(START + 65_000);
    expect([call(ledger, 'dep_1'), call(ledger, 'dep_1')]).toEqual([undefined, undefined]);
    expect(linesOf(ledger).at(-1)).not.toHaveProperty('refusedBefore');
  }));

test('within the limit, each refusal has a line of its own and counts as a call', () =>
  inLedger((ledger) => {
    employ(ledger, 'dep_1', { callsPerMinute: 2 });
    const refuse = () => (buy(ledger, 'dep_1', 99) === undefined ? linesOf(ledger).at(-1) : undefined);
    expect(refuse()).toMatchObject({ code: 'act_limit', sequence: 4 });
    expect(refuse()).toMatchObject({ code: 'act_limit', sequence: 5 });
    vi.setSystemTime(START + 59_000);
    expect(refuse()).toMatchObject({ code: 'rate_limited', sequence: 6 });
    expect(refuse()).toMatchObject({ code: 'rate_limited', sequence: 6 });
    // Less than a minute after the shared line, but within the limit again.
    vi.setSystemTime(START + 65_000);
    expect(refuse()).toMatchObject({ code: 'act_limit', sequence: 7, refusedBefore: 1 });
    expect(refuse()).toMatchObject({ code: 'act_limit', sequence: 8 });
  }));

test('what waits for a line gets one before the record is shown, once', () =>
  inLedger((ledger) => {
    employ(ledger, 'dep_1', { callsPerMinute: 1 });
    for (let count = 0; count < 5; count += 1) call(ledger, 'dep_1');
    allOf(recordingShared(ledger));
    expect(linesOf(ledger).at(-1)).toMatchObject({ actor: 'system', act: 'counted', deputy: 'dep_1', refused: 3 });
    const head = ledger.record.head();
    allOf(recordingShared(ledger));
    expect(ledger.record.head()).toEqual(head);
    expect(call(ledger, 'dep_1')).toBe('rate_limited');
    expect(ledger.meters.read('dep_1').unrecorded).toBe(1);
    expect(verify(ledger).ok).toBe(true);
  }));

const DEPUTIES = ['dep_1', 'dep_2'] as const;

test('lines, shared counts and what waits for a line add up to the calls that were made, deputy by deputy', () =>
  inLedger((ledger) => {
    employ(ledger, 'dep_1', { callsPerMinute: 2 });
    employ(ledger, 'dep_2', { callsPerMinute: 5 });
    const step = fc.oneof(
      {
        weight: 12,
        arbitrary: fc.record({ call: fc.constantFrom(...DEPUTIES), times: fc.integer({ min: 1, max: 9 }) }),
      },
      { weight: 4, arbitrary: fc.record({ wait: fc.constantFrom(1, 4999, 5000, 20_000, 59_999, 60_000, 65_000) }) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          { act: pause },
          { act: (held: Ledger) => void resume(held, held.account.read().authoritySequence ?? 0) },
          { act: (held: Ledger) => allOf(recordingShared(held)) },
        ),
      },
    );
    let shares = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 30 }), (steps) =>
        undone(ledger, () => {
          const made = { dep_1: 0, dep_2: 0 };
          let now = START;
          for (const each of steps) {
            if ('wait' in each) now += each.wait;
            vi.setSystemTime(now);
            if ('act' in each) each.act(ledger);
            if (!('call' in each)) continue;
            made[each.call] += each.times;
            for (let count = 0; count < each.times; count += 1) call(ledger, each.call);
          }
          const lines = linesOf(ledger);
          for (const deputy of DEPUTIES) {
            const own = lines.flatMap((line) => (line.actor === 'deputy' && line.deputy === deputy ? [line] : []));
            const counted = lines.flatMap((line) =>
              line.actor === 'system' && line.act === 'counted' && line.deputy === deputy ? [line.refused] : [],
            );
            const shared = [...own.map(({ refusedBefore }) => refusedBefore ?? 0), ...counted].reduce(
              (a, b) => a + b,
              0,
            );
            expect(own.length + shared + ledger.meters.read(deputy).unrecorded).toBe(made[deputy]);
            shares += shared;

            const limited = own.filter(({ code }) => code === 'rate_limited').map(({ at }) => Date.parse(at));
            for (const [index, at] of limited.slice(1).entries())
              expect(at - (limited[index] ?? 0)).toBeGreaterThanOrEqual(60_000);
          }
          expect(verify(ledger).ok).toBe(true);
        }),
      ),
      { numRuns: 40 },
    );
    expect(shares).toBeGreaterThan(100);
  }));
