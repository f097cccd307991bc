/** The last minutes as the strip shows them, and what was refused since everything was stopped. */
import { expect, test } from 'vitest';
import { recentOf, STEP_MS, STEPS } from '../../src/ledger/recent.ts';
import type { Entry } from '../../src/ledger/record.ts';
import { inLedger } from '../support/ledger.ts';

const NOW = Date.parse('2026-11-24T12:30:05Z');
const MINUTE_MS = 60_000;

type Told = { ago: number; entry: Entry };

/** What is recent in a record with these lines, each so many milliseconds before now. `stopped` is the line that stopped all. */
function recent(lines: Told[], stopped?: number) {
  return inLedger(({ record }) => {
    let head = record.head();
    for (const { ago, entry } of lines) head = record.append(entry, head, NOW - ago);
    const account =
      stopped === undefined
        ? { authority: 'active' as const }
        : { authority: 'paused' as const, authoritySequence: stopped };
    return recentOf(record, account, NOW);
  });
}

function call(deputy: string, facts: Partial<Extract<Entry, { actor: 'deputy' }>> = {}): Entry {
  return { actor: 'deputy', deputy, client: 'c', tool: 'listMcpShopInventory', decision: 'allowed', ...facts };
}
const refused = (deputy: string, code = 'paused', refusedBefore?: number) =>
  call(deputy, { decision: 'refused', code, ...(refusedBefore !== undefined && { refusedBefore }) });
const bought = (deputy: string) =>
  call(deputy, { effect: { id: 'o', number: 1, state: 'confirmed', amounts: { shirts: 1 } } });
const QUESTION = { id: 'q', number: 2, amounts: { shirts: 4 } };
const asking = (deputy: string) => call(deputy, { decision: 'asked', effect: { ...QUESTION, state: 'waiting' } });
const approved = (deputy: string): Entry => ({
  actor: 'human',
  act: 'approved',
  deputy,
  effect: { id: 'q', number: 2, state: 'confirmed' },
  grade: 'pressed',
  mandateVersion: 1,
});
const paused = (deputy?: string): Entry => ({ actor: 'human', act: 'paused', ...(deputy && { deputy }) });
const resumed = (deputy?: string): Entry => ({ actor: 'human', act: 'resumed', ...(deputy && { deputy }) });

test('what a deputy did is marked in its ten seconds: looked, asked, made something, also with a yes, refused', async () => {
  const { lanes } = await recent([
    { ago: 14 * MINUTE_MS, entry: call('dep_1') },
    { ago: 60_000, entry: asking('dep_1') },
    { ago: 50_000, entry: approved('dep_1') },
    { ago: 20_000, entry: bought('dep_1') },
    { ago: 0, entry: refused('dep_1', 'act_limit') },
  ]);
  expect(lanes).toMatchObject([{ deputyId: 'dep_1', count: { made: 2, refused: 1, asked: 1, looked: 1 } }]);
  const deeds = ['made', 'refused', 'asked', 'looked'] as const;
  expect(lanes[0]?.marks.map((mark) => [mark.step, ...deeds.filter((deed) => mark[deed])])).toEqual([
    [STEPS - 1, 'refused'],
    [STEPS - 3, 'made'],
    [STEPS - 6, 'made'],
    [STEPS - 7, 'asked'],
    [STEPS - 1 - (14 * MINUTE_MS) / STEP_MS, 'looked'],
  ]);
});

test('what is older than a quarter of an hour is not shown', async () => {
  const { lanes } = await recent([{ ago: 16 * MINUTE_MS, entry: call('dep_old') }]);
  expect(lanes).toEqual([]);
});

test('refusals since the stop are counted by deputy, those that share a line too, and no earlier ones', async () => {
  const { tried, cut } = await recent(
    [
      { ago: 40 * MINUTE_MS, entry: refused('dep_1') },
      { ago: 30 * MINUTE_MS, entry: paused() },
      { ago: 20 * MINUTE_MS, entry: refused('dep_1') },
      { ago: 1000, entry: refused('dep_1', 'paused', 14) },
      { ago: 0, entry: refused('dep_2') },
      { ago: 0, entry: refused('dep_2', 'deputy_revoked') },
    ],
    3,
  );
  expect(tried).toMatchObject({ dep_1: { count: 16 }, dep_2: { count: 1 } });
  expect(cut).toBe(false);
});

test('of more lines than are read, it says that there are more', async () => {
  const lines = Array.from({ length: 5001 }, () => ({ ago: 0, entry: refused('dep_1') }));
  const { tried, cut } = await recent([{ ago: 1000, entry: paused() }, ...lines], 2);
  expect(tried['dep_1']?.count).toBe(5000);
  expect(cut).toBe(true);
});

test('a stop is drawn over all lanes, from when it began to when it ended, and that of one deputy over its own', async () => {
  const { stops } = await recent([
    { ago: 10 * MINUTE_MS, entry: paused() },
    { ago: 9 * MINUTE_MS, entry: resumed() },
    { ago: 5 * MINUTE_MS, entry: paused('dep_1') },
  ]);
  expect(stops).toEqual([
    { from: NOW - 10 * MINUTE_MS, to: NOW - 9 * MINUTE_MS },
    { deputyId: 'dep_1', from: NOW - 5 * MINUTE_MS, to: NOW },
  ]);
});

test('a stop from before what is shown covers all of it', async () => {
  const { stops, since } = await recent([{ ago: 60 * MINUTE_MS, entry: paused() }], 2);
  expect(stops).toEqual([{ from: since, to: NOW }]);
});

test('a resume that lifts a suspension leaves the pause below it', async () => {
  const suspended: Entry = { actor: 'system', act: 'suspended', why: 'user_gone' };
  const { stops } = await recent(
    [
      { ago: 9 * MINUTE_MS, entry: paused() },
      { ago: 8 * MINUTE_MS, entry: suspended },
      { ago: 7 * MINUTE_MS, entry: resumed() },
    ],
    4,
  );
  expect(stops).toEqual([{ from: NOW - 9 * MINUTE_MS, to: NOW }]);
});
