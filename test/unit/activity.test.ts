/** The last day of a record as the chart shows it: what is counted, from when on, and when all were paused. */
import { expect, test } from 'vitest';
import { activityOf, HOUR_MS } from '../../src/ledger/activity.ts';
import type { Entry } from '../../src/ledger/record.ts';
import { inLedger } from '../support/ledger.ts';

const NOW = Date.parse('2026-11-24T12:30:00Z');

/** The activity of a record with these lines, each so many milliseconds before now. */
function activity(lines: { ago: number; entry: Entry }[], authority: 'active' | 'paused' = 'active') {
  return inLedger(({ record }) => {
    let head = record.head();
    for (const { ago, entry } of lines) head = record.append(entry, head, NOW - ago);
    return activityOf(record, authority, NOW);
  });
}

const call = (deputy: string, decision: 'allowed' | 'refused', refusedBefore?: number): Entry => ({
  actor: 'deputy',
  deputy,
  client: 'client_1',
  tool: 'listMcpShopInventory',
  decision,
  ...(refusedBefore !== undefined && { refusedBefore }),
});
const counted = (deputy: string, refused: number): Entry => ({ actor: 'system', act: 'counted', deputy, refused });
const switched = (act: 'paused' | 'resumed'): Entry => ({ actor: 'human', act });

test('refusals that share a line are counted one by one, whichever line holds them', async () => {
  const { lanes } = await activity([
    { ago: 3 * HOUR_MS, entry: call('dep_1', 'allowed') },
    { ago: 2 * HOUR_MS, entry: call('dep_1', 'refused') },
    { ago: HOUR_MS, entry: counted('dep_1', 14) },
    { ago: 0, entry: call('dep_1', 'allowed', 5) },
  ]);
  expect(lanes).toMatchObject([{ deputyId: 'dep_1', allowed: 2, refused: 20 }]);
});

test('a deputy that was refused comes before busier ones', async () => {
  const busy = Array.from({ length: 9 }, () => ({ ago: 0, entry: call('dep_busy', 'allowed') }));
  const { lanes } = await activity([...busy, { ago: 0, entry: call('dep_refused', 'refused') }]);
  expect(lanes.map(({ deputyId }) => deputyId)).toEqual(['dep_refused', 'dep_busy']);
});

test('of more lines than are read, it says from when on it counts, and what was paused then', async () => {
  const earlier = { ago: 5 * HOUR_MS, entry: call('dep_1', 'allowed') };
  const lines = Array.from({ length: 5000 }, (_, index) => ({
    ago: 2 * HOUR_MS - index,
    entry: call('dep_1', 'refused'),
  }));
  const all = await activity([{ ago: 6 * HOUR_MS, entry: switched('paused') }, earlier, ...lines], 'paused');
  expect(all.from).toBe(NOW - 2 * HOUR_MS);
  expect(all.lanes).toMatchObject([{ allowed: 0, refused: 5000 }]);
  expect(all.pauses).toEqual([{ from: NOW - 2 * HOUR_MS, to: NOW }]);
  const whole = await activity(lines.slice(0, 100));
  expect(whole.from).toBe(whole.since);
});

test('pauses are drawn from when they began to when they ended', async () => {
  const { pauses } = await activity(
    [
      { ago: 30 * HOUR_MS, entry: switched('paused') },
      { ago: 10 * HOUR_MS, entry: switched('resumed') },
      { ago: 4 * HOUR_MS, entry: switched('paused') },
    ],
    'paused',
  );
  expect(pauses).toEqual([
    { from: Date.parse('2026-11-23T13:00:00Z'), to: NOW - 10 * HOUR_MS },
    { from: NOW - 4 * HOUR_MS, to: NOW },
  ]);
});

test('a resume that lifts a suspension leaves the pause below it', async () => {
  const suspended: Entry = { actor: 'system', act: 'suspended', why: 'user_gone' };
  const { pauses } = await activity(
    [
      { ago: 9 * HOUR_MS, entry: suspended },
      { ago: 8 * HOUR_MS, entry: switched('resumed') },
      { ago: 6 * HOUR_MS, entry: switched('paused') },
      { ago: 5 * HOUR_MS, entry: suspended },
      { ago: 4 * HOUR_MS, entry: switched('resumed') },
    ],
    'paused',
  );
  expect(pauses).toEqual([
    { from: NOW - 9 * HOUR_MS, to: NOW - 8 * HOUR_MS },
    { from: NOW - 6 * HOUR_MS, to: NOW },
  ]);
});
