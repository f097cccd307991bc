/** A human with very many deputies or orders: what acts and pages ask for is found, and the brake reads what it read with one. */
import { expect, test } from 'vitest';
import { pause, pauseOne, revoke } from '../../src/ledger/acts.ts';
import type { Approval } from '../../src/ledger/approvals.ts';
import type { Effect } from '../../src/ledger/effects.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { lookAt, lookForConsent } from '../../src/ledger/view.ts';
import { callerOf, employ, inLedger, place } from '../support/ledger.ts';

/** Rows that `work` read, by the storage's own counters. */
function rowsRead(ledger: Ledger, work: () => unknown): number {
  const cursors: SqlStorageCursor<never>[] = [];
  const exec = ledger.sql.exec.bind(ledger.sql);
  Object.assign(ledger.sql, {
    exec(query: string, ...bindings: never[]) {
      const cursor = exec<never>(query, ...bindings);
      cursors.push(cursor);
      return cursor;
    },
  });
  try {
    work();
    return cursors.reduce((sum, cursor) => sum + cursor.rowsRead, 0);
  } finally {
    Object.assign(ledger.sql, { exec });
  }
}

const ORDER = { state: 'confirmed', amounts: { shirts: 1, spend: 2500 }, data: '{}' };

/** A question about that effect, which its human has said yes to. */
function answered({ id, number, state }: Effect, digest: number): Approval {
  const action = { name: 'buy', scope: 'shop:buy', tokenScopes: [], permissions: [], uses: {} };
  const asked = { limit: 'askAbove', most: 3, grade: 'pressed', askedAt: Date.now(), endsAt: Date.now() + 1 } as const;
  const answer = { text: '', data: {} };
  const call = { deputyId: 'dep_1', tool: 'buy', digest: `${number} ${digest}`, arguments: {}, like: '' };
  return { effectId: id, number, state, action, answer, ...call, ...asked };
}

const CLIENT = { clientId: 'client of dep_1', clientName: 'nobody', redirectHost: 'nowhere.example' };

test('pausing, dismissing and a consent read as many rows with 2,000 deputies as with sixty', () =>
  inLedger((ledger) => {
    const measured: number[][] = [];
    let appointed = 0;
    for (const many of [60, 2000]) {
      for (; appointed < many; appointed += 1) employ(ledger, `dep_${appointed}`);
      measured.push([
        rowsRead(ledger, () => pause(ledger)),
        rowsRead(ledger, () => revoke(ledger, `dep_${many - 1}`)),
        rowsRead(ledger, () => lookForConsent(ledger, CLIENT)),
        rowsRead(ledger, () => ledger.deputies.live(ledger.now(), 24)),
      ]);
    }
    const [few = [], many = []] = measured;
    for (const [index, rows] of many.entries()) expect(rows, `of ${index}`).toBeLessThanOrEqual((few[index] ?? 0) + 3);
  }));

test('but for counting them, the console reads as many rows with 500 deputies and 100,000 lines as with 24 and 200', () =>
  inLedger((ledger) => {
    const read = (appointed: number, lines: number) => {
      for (let count = ledger.deputies.countLive(ledger.now()).live; count < appointed; count += 1)
        employ(ledger, `dep_${count}`);
      ledger.sql.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
        INSERT INTO record SELECT sequence + i, json_set(line, '$.at', '2026-01-01T00:00:00.000Z'), hash FROM n, (SELECT * FROM record ORDER BY sequence DESC LIMIT 1)`,
        lines,
      );
      return rowsRead(ledger, () => lookAt(ledger, {}));
    };
    const few = read(24, 200);
    // One entry of an index for each deputy, because the page says how many there are.
    expect(read(500, 100_000)).toBeLessThanOrEqual(few + (500 - 24) + 3);
  }));

test('questions and the console read as many rows with 5,000 orders as with fifty', () =>
  inLedger((ledger) => {
    employ(ledger, 'dep_1');
    for (let count = 0; count < 20; count += 1) place(ledger);
    const measured: number[][] = [];
    let made = 0;
    for (const many of [50, 5000]) {
      ledger.transaction(() => {
        for (; made < many; made += 1) ledger.effects.make(callerOf('dep_1'), ORDER, { line: 3, now: ledger.now() });
      });
      for (const effect of ledger.effects.newest(20)) ledger.approvals.keep(answered(effect, made));
      measured.push([
        rowsRead(ledger, () => {
          ledger.approvals.changed();
          return ledger.approvals.firstEnd();
        }),
        rowsRead(ledger, () => lookAt(ledger, {})),
      ]);
      ledger.sql.exec('DELETE FROM approvals');
    }
    const [few = [], many = []] = measured;
    expect(many).toEqual(few);
  }));

test('each way to look deputies up finds the same with an index as without one', () =>
  inLedger((ledger) => {
    const now = ledger.now();
    const found = () => ({
      live: ledger.deputies.live(now, 3).map(({ deputyId }) => deputyId),
      count: ledger.deputies.countLive(now),
      consent: lookForConsent(ledger, CLIENT).deputies.map(({ deputyId }) => deputyId),
      grants: ledger.deputies.grants(9),
      own: ledger.deputies.withGrant('grant of dep_7'),
    });
    for (let count = 0; count < 70; count += 1) employ(ledger, `dep_${count}`);
    revoke(ledger, 'dep_3');
    pauseOne(ledger, 'dep_4');
    ledger.deputies.setOAuthGrant('dep_3', 'grant of dep_3');
    ledger.deputies.setOAuthGrant('dep_7', 'grant of dep_7');
    const indexed = found();
    expect(indexed).toMatchObject({
      count: { live: 69, paused: 1 },
      consent: ['dep_1'],
      grants: [{ deputyId: 'dep_3', grantId: 'grant of dep_3' }],
      own: 'dep_7',
    });
    for (const name of ['age', 'end', 'client', 'look', 'grant']) ledger.sql.exec(`DROP INDEX deputies_by_${name}`);
    expect(found()).toEqual(indexed);
  }));
