/**
 * Nobody attacks: for a moment the machine's clock was ahead. Deputies are not locked out until time has caught up, no limit
 * lets more through because of it, and the record says what happened.
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { pause, resume } from '../../src/ledger/acts.ts';
import { prune } from '../../src/ledger/prune.ts';
import { verify } from '../../src/ledger/verify.ts';
import { DAY_MS, RECORD_KEPT_MS } from '../../src/lifetimes.ts';
import { buy, PURCHASE } from '../support/shop.ts';
import { shop } from '../../src/shop/index.ts';
import { employ, inLedger, inStorage, ledgerOver, mandateOf, place } from '../support/ledger.ts';
import { deputyOf, person } from '../support/people.ts';
import { recordOf, stoppedBy } from '../support/scene.ts';

const MINUTE_MS = 60_000;
const START = Date.parse('2026-11-23T12:00:00Z');

beforeEach(() => {
  clockAt(0);
});
afterEach(() => {
  vi.useRealTimers();
});

/** `ms` after the start. */
function clockAt(ms: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: START + ms });
}

test('a deputy goes on at once, and what it used while the clock was ahead counts from then on', async () => {
  vi.useRealTimers();
  const ada = person();
  ada.blanks = { shirtsPerDay: '12', spendPerDay: '500' };
  const deputy = await deputyOf(ada, '2026-07-28');
  const tryIt = async () => stoppedBy((await deputy.call('buyMcpShopItem', PURCHASE)).data);
  const start = Date.now();
  const at = (minutes: number) => vi.useFakeTimers({ toFake: ['Date'], now: start + minutes * MINUTE_MS });
  at(50);
  for (let count = 0; count < 9; count += 1) await buy(deputy);
  at(0);
  // Ten within a minute, as far as anybody can tell.
  await buy(deputy);
  expect(await tryIt()).toBe('act_rate purchasesPerMinute');
  // Not after fifty minutes.
  at(1.2);
  await buy(deputy);
  await buy(deputy);
  expect(await tryIt()).toBe('daily_limit shirtsPerDay');
  const { timeline } = await recordOf(ada);
  expect(timeline.filter((line) => line.actor === 'system' && line.act === 'clock')).toHaveLength(1);
  expect((await ada.walk('/deputies')).html).toContain('The clock was 50 minutes ahead');
  expect((await ada.walk('/deputies/verify')).html).toContain('The record holds.');
});

test.each([2 * MINUTE_MS, DAY_MS, 40 * DAY_MS, 2 * RECORD_KEPT_MS])(
  'the record verifies, and a pause holds, after a clock that was ahead by %i ms',
  (ahead) =>
    inLedger((ledger) => {
      employ(ledger, 'dep_1', mandateOf({ shirtsPerDay: 20, spendPerDay: 50_000 }));
      place(ledger);
      clockAt(ahead);
      employ(ledger, 'dep_2');
      place(ledger);
      prune(ledger);
      expect(verify(ledger)).toMatchObject({ ok: true });
      clockAt(1000);
      const { sequence, at } = pause(ledger);
      expect(at).toBe(START + 1000);
      expect(verify(ledger)).toMatchObject({ ok: true });
      expect(resume(ledger, sequence)).not.toHaveProperty('problem');
      place(ledger);
      expect(verify(ledger)).toMatchObject({ ok: true });
      clockAt(2000);
      prune(ledger);
      expect(verify(ledger)).toMatchObject({ ok: true });
    }),
);

test('lines from the future are pruned with those around them', () =>
  inLedger((ledger) => {
    clockAt(1000 * DAY_MS);
    pause(ledger);
    clockAt(1000);
    pause(ledger);
    clockAt(RECORD_KEPT_MS + 1000);
    // The one that opened it, the two pauses, and the one that set the clock back.
    expect(prune(ledger)).toBe(4);
    expect(verify(ledger)).toMatchObject({ ok: true });
  }));

test('a clock that is a little behind stands still', () =>
  inLedger((ledger) => {
    pause(ledger);
    clockAt(-MINUTE_MS);
    expect(pause(ledger)).toMatchObject({ sequence: 3, at: START });
  }));

test('a limit that is new after that counts what the lines say', () =>
  inStorage((storage) => {
    const ledger = ledgerOver(storage);
    employ(ledger, 'dep_1');
    clockAt(5 * 60 * MINUTE_MS);
    place(ledger);
    clockAt(MINUTE_MS);
    pause(ledger);
    clockAt(3 * 60 * MINUTE_MS);
    const ordersPerDay = { of: 'acts', per: 'day', start: 3, max: 9 } as const;
    const changed = ledgerOver(storage, { ...shop, limits: { ...shop.limits, ordersPerDay } });
    for (const hours of [3, 24, 25, 28, 30]) {
      clockAt(hours * 60 * MINUTE_MS);
      expect(verify(changed), `after ${hours} hours`).toMatchObject({ ok: true });
    }
  }));
