/** The operator puts one human's record back in time. Whatever that undoes, it never brings deputies back to life unasked. */
import { createScheduledController, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import type { Person } from '../../src/dev/clients.ts';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import worker from '../../src/dev/index.ts';
import { resume, setCeiling } from '../../src/ledger/acts.ts';
import { Restore } from '../../src/ledger/restore.ts';
import type { Assertion } from '../../src/ledger/passkeys.ts';
import { verify } from '../../src/ledger/verify.ts';
import { addPasskey, approve, send, yesTo } from '../support/answering.ts';
import { deputyOf, objectOf, person, resumption } from '../support/people.ts';
import { employ, inLedger } from '../support/ledger.ts';
import { outcome, recordOf } from '../support/scene.ts';
import { buy, PURCHASE } from '../support/shop.ts';
import { ORIGIN } from '../support/worker.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const TO = '2026-11-29T12:00:00.000Z';

/** Leaves a storage as it was. */
type GoBack = (storage: DurableObjectStorage) => void;

/** What the cron does with these variables. `goBack` is what the platform does once the object has ended. */
function cron(human: Person, HALT: 'on' | 'off', goBack: GoBack = () => {}) {
  const RESTORE = `${userIdOf(human.email)} ${TO}`;
  const getByName = () => {
    const object = objectOf(human);
    return {
      wasRestored: (name: string) => object.wasRestored(name),
      prepareRestore: (to: number) => object.prepareRestore(to),
      async end() {
        await runInDurableObject(object, (_, { storage }) => goBack(storage));
        await object.end();
      },
      finishRestore: (name: string, to: number, undone: number) => object.finishRestore(name, to, undone),
    };
  };
  // These four are all that the cron asks of an object here.
  return worker.scheduled(createScheduledController(), { ...env, MCP_OBJECT: { getByName }, RESTORE, HALT } as never);
}

/** The storage of the test runner has no recovery. This one says what it was asked for, and keeps how it is now. */
function recoverable(human: Person): Promise<{ asked: string[]; goBack: GoBack }> {
  return runInDurableObject(objectOf(human), (_, { storage }) => {
    const asked: string[] = [];
    vi.spyOn(storage, 'getBookmarkForTime').mockImplementation(async (time) => `at ${new Date(time).toISOString()}`);
    vi.spyOn(storage, 'onNextSessionRestoreBookmark').mockImplementation(async (bookmark) => {
      asked.push(bookmark);
      return 'undo';
    });
    return { asked, goBack: snapshot(storage) };
  });
}

/** Keeps every row and value of a storage. */
function snapshot({ sql, kv }: DurableObjectStorage): GoBack {
  const tables = sql
    .exec<{ name: string }>(
      String.raw`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\_cf\_%' ESCAPE '\'`,
    )
    .toArray()
    .map(({ name }) => ({ name, ...rowsOf(sql, name) }));
  const values = [...kv.list()];
  return (storage) => {
    storage.sql.exec('PRAGMA defer_foreign_keys = on');
    for (const { name, columns, rows } of tables) {
      storage.sql.exec(`DELETE FROM "${name}"`);
      for (const row of rows)
        storage.sql.exec(`INSERT INTO "${name}" (${columns}) VALUES (${row.map(() => '?').join()})`, ...row);
    }
    for (const key of Array.from(storage.kv.list(), ([name]) => name)) storage.kv.delete(key);
    for (const [key, value] of values) storage.kv.put(key, value);
  };
}

function rowsOf(sql: SqlStorage, table: string) {
  const cursor = sql.exec(`SELECT * FROM "${table}"`);
  return { columns: cursor.columnNames.map((name) => `"${name}"`).join(), rows: [...cursor.raw()] };
}

test('what is put back undoes what came later, is paused, says so, verifies, and is put back once', async () => {
  const ada = person();
  const deputy = await deputyOf(ada, '2026-07-28');
  await buy(deputy);
  const { asked, goBack } = await recoverable(ada);
  await buy(deputy);
  await objectOf(ada).act({ do: 'pause' });
  const before = await recordOf(ada);
  const staleResume = await resumption(objectOf(ada));
  await cron(ada, 'on', goBack);
  expect(asked).toEqual([`at ${TO}`]);

  const { account, timeline, effects } = await recordOf(ada);
  expect(effects).toMatchObject([{ number: 1 }]);
  expect(account.authority).toBe('paused');
  expect(account.authoritySequence).toBeGreaterThan(before.head.sequence);
  expect(timeline[0]).toMatchObject({ actor: 'system', act: 'restored', to: TO });
  // Lines that WorkOS has under these numbers are others.
  expect(account.recordId).not.toBe(before.account.recordId);
  expect(await outcome(deputy, 'buyMcpShopItem', PURCHASE)).toBe('paused');
  expect((await ada.walk('/deputies')).html).toContain('The operator put your record back to');
  expect(await objectOf(ada).verifyRecord()).toMatchObject({ ok: true });

  expect(await objectOf(ada).act(staleResume)).toEqual({ problem: 'stale' });
  await objectOf(ada).act(await resumption(objectOf(ada)));
  const again = await recoverable(ada);
  await cron(ada, 'on', again.goBack);
  expect(again.asked).toEqual([]);
  expect((await recordOf(ada)).account.authority).toBe('active');
  await buy(deputy);
  expect(await objectOf(ada).verifyRecord()).toMatchObject({ ok: true });
});

test('what waited when the storage went back is void, and no yes from before or after it counts', async () => {
  const ada = person();
  ada.blanks = { approval: 'confirmed', shirtsPerDay: '20', spendPerDay: '500' };
  const deputy = await deputyOf(ada, '2026-07-28');
  const four = (company: string, key = company) => ({ ...PURCHASE, company, quantity: 4, idempotencyKey: key });
  const ask = async (company: string) => {
    const { data } = await deputy.call('buyMcpShopItem', four(company));
    return (data['error'] as { waiting: { id: string } }).waiting.id;
  };
  const [denied, allowed, open] = [await ask('Denied'), await ask('Allowed'), await ask('Open')];
  await approve(ada, allowed, { next: true });
  const { goBack } = await recoverable(ada);
  // All that is undone: a yes, a no, one of the next three, and their end.
  const yes = await yesTo(ada, open);
  expect((await send(ada, open, yes)).status).toBe(200);
  await send(ada, denied, { ...(await yesTo(ada, denied)), decision: 'deny' });
  expect(await outcome(deputy, 'buyMcpShopItem', four('Allowed', 'next'))).toBe('allowed');
  await ada.browser.press(await ada.browser.open('/deputies'), 'Ask me again');
  await cron(ada, 'on', goBack);

  const states = async () => (await recordOf(ada)).effects.map(({ state }) => state);
  expect(await states()).toEqual(['void', 'confirmed', 'void']);
  expect(await objectOf(ada).verifyRecord()).toMatchObject({ ok: true });
  await objectOf(ada).act(await resumption(objectOf(ada)));
  // The page of before says yes to nothing, and the amounts are free again.
  expect((await send(ada, open, yes)).status).toBe(409);
  expect((await deputy.call('getMyMandate')).data).toMatchObject({ remaining: { shirts: 16 }, waiting: [] });
  expect(await outcome(deputy, 'buyMcpShopItem', four('Open'))).toBe('approval_withdrawn');
  expect(await outcome(deputy, 'buyMcpShopItem', four('Denied'))).toBe('approval_withdrawn');
  // What was taken back is not allowed once more.
  expect((await ada.browser.open('/deputies')).html).not.toContain('need not ask');
  expect(await outcome(deputy, 'buyMcpShopItem', four('Allowed', 'later'))).toBe('approval_required');
  expect(await states()).toEqual(['waiting', 'void', 'confirmed', 'void']);
  expect(await objectOf(ada).verifyRecord()).toMatchObject({ ok: true });
});

test('a page from the time that is undone lifts nothing', () =>
  inLedger((ledger, storage) => {
    employ(ledger, 'dep_1');
    const next = ledger.record.head().sequence + 1;
    // The pause of a page that is still open was the line that says now that it is undone.
    new Restore(ledger, storage).finish('once', 0, next);
    expect(resume(ledger, next)).toEqual({ problem: 'stale' });
    const raised = { shirtsPerDay: 30 };
    expect(setCeiling(ledger, raised, next)).toEqual({ problem: 'stale' });
    expect(verify(ledger)).toMatchObject({ ok: true });
  }));

test('a storage that has not gone back is not said to be back', async () => {
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
  const ada = person();
  await deputyOf(ada, '2026-07-28');
  await recoverable(ada);
  await cron(ada, 'on');
  expect(logged.mock.calls.join()).toContain('has not gone back');
  expect((await recordOf(ada)).account.authority).toBe('active');
});

test('without a halt nothing is put back, and nothing is when the storage cannot go back so far', async () => {
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
  const ada = person();
  const deputy = await deputyOf(ada, '2025-11-25');
  const { asked } = await recoverable(ada);
  await cron(ada, 'off');
  expect(asked).toEqual([]);
  expect(logged.mock.calls.join()).toContain('set HALT');

  vi.restoreAllMocks();
  vi.spyOn(console, 'error').mockImplementation(() => {});
  // The storage of the test runner, as it is, refuses.
  await cron(ada, 'on');
  expect((await recordOf(ada)).account.authority).toBe('active');
  await buy(deputy);
});

test('what was allowed in advance is not there again, and what a passkey signed in the time that is undone counts no more', async () => {
  const ada = person();
  const device = await addPasskey(ada);
  const deputy = await deputyOf(ada, '2026-07-28');
  const object = objectOf(ada);
  const four = (key: string) => ({ ...PURCHASE, quantity: 4, idempotencyKey: key });
  const { data } = await deputy.call('buyMcpShopItem', four('asked'));
  const { waiting } = data['error'] as { waiting: { id: string } };
  expect((await approve(ada, waiting.id, { device, next: true })).status).toBe(200);
  await object.act({ do: 'guard', device: true });
  const { goBack } = await recoverable(ada);
  const off = { do: 'guard', device: false } as const;
  const asked = await object.act(off);
  if (!('problem' in asked && asked.problem === 'needs_device')) throw new Error('no passkey was asked for');
  const assertion = (await device.assertion(asked.challenge, { origin: ORIGIN })) as Assertion;
  expect(await object.act(off, { assertion, origin: ORIGIN })).not.toHaveProperty('problem');
  await object.act({ do: 'endAllowance', line: (await recordOf(ada)).asked.allowances[0]?.line ?? 0 });

  await cron(ada, 'on', goBack);
  expect((await recordOf(ada)).asked.allowances).toEqual([]);
  expect(await objectOf(ada).act(off, { assertion, origin: ORIGIN })).toEqual({ problem: 'stale' });
  expect(await objectOf(ada).verifyRecord()).toMatchObject({ ok: true });
});
