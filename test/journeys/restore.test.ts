/** The operator puts one human's record back in time. Whatever that undoes, it never brings deputies back to life unasked. */
import { createScheduledController, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import type { Person } from '../../src/dev/clients.ts';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import worker from '../../src/dev/index.ts';
import { deputyOf, objectOf, person, resumption } from '../support/people.ts';
import { outcome, recordOf } from '../support/scene.ts';
import { buy, PURCHASE } from '../support/shop.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const TO = '2026-11-29T12:00:00.000Z';

/** What the cron does with these variables. */
function cron(human: Person, HALT: 'on' | 'off') {
  const RESTORE = `${userIdOf(human.email)} ${TO}`;
  return worker.scheduled(createScheduledController(), { ...env, RESTORE, HALT });
}

/** The test runner's storage cannot go back in time; this one says what it was asked to do. */
function recoverable(human: Person): Promise<string[]> {
  return runInDurableObject(objectOf(human), (_, { storage }) => {
    const asked: string[] = [];
    vi.spyOn(storage, 'getBookmarkForTime').mockImplementation(async (time) => `at ${new Date(time).toISOString()}`);
    vi.spyOn(storage, 'onNextSessionRestoreBookmark').mockImplementation(async (bookmark) => {
      asked.push(bookmark);
      return 'undo';
    });
    return asked;
  });
}

test('what is put back is paused, says so, verifies, and is put back once', async () => {
  const ada = person();
  const deputy = await deputyOf(ada, '2026-07-28');
  await buy(deputy);
  const before = await recordOf(ada);
  const asked = await recoverable(ada);
  await cron(ada, 'on');
  expect(asked).toEqual([`at ${TO}`]);

  const { account, timeline } = await recordOf(ada);
  expect(account).toMatchObject({ authority: 'paused', authoritySequence: before.head.sequence + 1 });
  expect(timeline[0]).toMatchObject({ actor: 'system', act: 'restored', to: TO });
  // Lines that WorkOS has under these numbers are others.
  expect(account.recordId).not.toBe(before.account.recordId);
  expect(await outcome(deputy, 'buyMcpShopItem', PURCHASE)).toBe('paused');
  expect((await ada.walk('/deputies')).html).toContain('The operator put your record back to');
  expect(await objectOf(ada).verifyRecord()).toMatchObject({ ok: true });

  await objectOf(ada).act(await resumption(objectOf(ada)));
  const again = await recoverable(ada);
  await cron(ada, 'on');
  expect(again).toEqual([]);
  expect((await recordOf(ada)).account.authority).toBe('active');
  await buy(deputy);
});

test('without a halt nothing is put back, and nothing is when the storage cannot go back so far', async () => {
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
  const ada = person();
  const deputy = await deputyOf(ada, '2025-11-25');
  const asked = await recoverable(ada);
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
