/**
 * Nobody attacks, and it looks as if somebody had: lines are pruned or erased while the record is verified or downloaded.
 * Verify finds no fault that is not there, and no file lacks lines unsaid.
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { erase } from '../../src/ledger/acts.ts';
import { downloaded } from '../../src/ledger/download.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { prune } from '../../src/ledger/prune.ts';
import { GENESIS, hashOf } from '../../src/ledger/record.ts';
import { checking, type Verification } from '../../src/ledger/verify.ts';
import { RECORD_KEPT_MS } from '../../src/lifetimes.ts';
import { inLedger } from '../support/ledger.ts';

const START = Date.parse('2026-11-23T12:00:00Z');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Makes the record so many lines long. */
function fill(ledger: Ledger, length: number): void {
  ledger.transaction(() => {
    let head = ledger.record.head();
    while (head.sequence < length)
      head = ledger.record.append({ actor: 'human', act: 'resumed' }, head, ledger.now(head));
  });
}

function pruneLater(ledger: Ledger): void {
  vi.setSystemTime(Date.now() + RECORD_KEPT_MS);
  expect(prune(ledger)).toBeGreaterThan(0);
}

/** The file, with `between` after each page that was read. */
async function download(ledger: Ledger, between: (page: number) => void = () => {}): Promise<string[]> {
  let page = 0;
  let file = '';
  for await (const piece of downloaded(async (after, limit) => {
    const lines = ledger.record.text(after, limit);
    page += 1;
    await Promise.resolve();
    between(page);
    return lines;
  }))
    file += piece;
  expect(file.endsWith('\n')).toBe(true);
  return file.slice(0, -1).split('\n');
}

/** Asks of a file what its reader would: each line follows from the one before, up to the head. */
function expectWhole(ledger: Ledger, file: string[]): void {
  const lines = file.slice(0, -1);
  expect(lines.length).toBeGreaterThan(0);
  for (const [index, line] of lines.entries()) {
    const { previous } = JSON.parse(line) as { previous: string };
    if (index > 0) expect(previous).toBe(hashOf(lines[index - 1] ?? ''));
  }
  const { sequence, hash } = ledger.record.head();
  expect(JSON.parse(file.at(-1) ?? '')).toEqual({ head: { sequence, hash } });
  expect(hashOf(lines.at(-1) ?? '')).toBe(hash);
}

test.each([1, 2, 999, 1000, 1001, 1002, 2000, 2001, 2002, 5001, 6001, 7000, 7500])(
  'a record of %i lines is downloaded whole',
  (length) =>
    inLedger(async (ledger) => {
      fill(ledger, length);
      const file = await download(ledger);
      expect(file).toHaveLength(length + 1);
      expect(JSON.parse(file[0] ?? '')).toMatchObject({ sequence: 1, previous: GENESIS });
      expectWhole(ledger, file);
    }),
);

test.each([
  ['pruning', pruneLater],
  ['erasing', erase],
])('a download that %s overtakes before anything was sent starts again, unseen', (_, change) =>
  inLedger(async (ledger) => {
    fill(ledger, 3500);
    const file = await download(ledger, (page) => {
      if (page === 2) change(ledger);
    });
    expectWhole(ledger, file);
  }),
);

test.each([
  ['pruning', 7, (ledger: Ledger) => Array.from({ length: 5 }, () => pruneLater(ledger))],
  ['erasing', 7, erase],
])('a download that %s overtakes later ends with a line that says so, and without a head', (_, when, change) =>
  inLedger(async (ledger) => {
    fill(ledger, 9001);
    const file = await download(ledger, (page) => {
      if (page === when) change(ledger);
    });
    expect(JSON.parse(file.at(-1) ?? '')).toEqual({ incomplete: expect.stringContaining('Download it again') });
    expect(file.some((line) => line.startsWith('{"head"'))).toBe(false);
    // What was sent before still follows line by line.
    for (const [index, line] of file.slice(1, -1).entries())
      expect(JSON.parse(line)).toMatchObject({ previous: hashOf(file[index] ?? '') });
  }),
);

test('a record that is erased each time comes to an end', () =>
  inLedger(async (ledger) => {
    fill(ledger, 2500);
    const file = await download(ledger, (page) => {
      if (page > 50) throw new Error('it does not come to an end');
      vi.setSystemTime(Date.now() + 1000);
      erase(ledger);
      fill(ledger, ledger.record.head().sequence + 2499);
    });
    expect(file).toHaveLength(1002);
    expect(JSON.parse(file.at(-1) ?? '')).toHaveProperty('incomplete');
  }));

test('pruning of nothing but what was sent leaves nothing out', () =>
  inLedger(async (ledger) => {
    // Seven pages, and the line that tells whether there is another one.
    const sent = 7001;
    fill(ledger, sent);
    vi.setSystemTime(START + RECORD_KEPT_MS - 1);
    fill(ledger, 9000);
    const file = await download(ledger, (page) => {
      if (page !== 7) return;
      vi.setSystemTime(START + RECORD_KEPT_MS);
      let pruned = 0;
      while (pruned < sent) pruned += prune(ledger);
      expect(pruned).toBe(sent);
    });
    // Each run of pruning left a line.
    expect(file).toHaveLength(9000 + 4 + 1);
    expectWhole(ledger, file);
  }));

/** Verifies with `between` after each batch of lines. Tells how many there were. */
function verifyWith(ledger: Ledger, between: (batch: number) => void): { verification: Verification; batches: number } {
  const steps = checking(ledger, undefined);
  for (let batches = 0; ;) {
    const { done, value } = steps.next();
    if (done) return { verification: value, batches };
    batches += 1;
    between(batches);
  }
}

test.each([
  ['pruning', pruneLater],
  ['erasing', erase],
])('Verify starts again when %s comes in between two batches of lines', (_, change) =>
  inLedger((ledger) => {
    fill(ledger, 4500);
    const { verification } = verifyWith(ledger, (batch) => {
      if (batch === 2) change(ledger);
    });
    const { sequence, hash } = ledger.record.head();
    expect(verification).toMatchObject({ ok: true, head: { sequence, hash } });
  }),
);

test('Verify comes to an end, however often the record is pruned meanwhile', () =>
  inLedger((ledger) => {
    fill(ledger, 4500);
    const { verification, batches } = verifyWith(ledger, () => {
      pruneLater(ledger);
      fill(ledger, ledger.record.head().sequence + 4500);
    });
    expect(verification).toMatchObject({ ok: true });
    expect(batches).toBe(3);
  }));

test('Verify that was overtaken still finds what is wrong', () =>
  inLedger((ledger) => {
    fill(ledger, 4500);
    const { verification } = verifyWith(ledger, (batch) => {
      if (batch !== 1) return;
      pruneLater(ledger);
      ledger.sql.exec("UPDATE account SET authority = 'paused'");
    });
    expect(verification).toEqual({ ok: false, problem: 'authority is paused, the record says active' });
  }));
