/** What a run of the conformance suite must not let pass unnoticed. */
import { expect, test } from 'vitest';
import type { Entry, Era } from '../proof/conformance/scenarios.ts';
import { type Result, surprises } from '../proof/conformance/verdict.ts';

const ERA = '2026-07-28';

function run(entry: Partial<Entry>, checks: Record<string, string>, known: Era[] = [ERA]): string[] {
  const list = new Map<string, Entry>([['tools-list', { eras: [ERA], passes: ['shop'], ...entry }]]);
  const results: Result[] = [
    {
      scenario: 'tools-list',
      era: ERA,
      place: 'shop',
      checks: Object.entries(checks).map(([id, status]) => ({ id, status, message: 'as it is' })),
    },
  ];
  return surprises(list, new Map([['tools-list', known]]), results);
}

const LATE = { check: 'late', status: 'WARNING', reason: 'It has a reason.' } as const;

test('a scenario whose checks all pass is no surprise, and neither is a listed exception', () => {
  expect(run({}, { first: 'SUCCESS' })).toEqual([]);
  expect(run({ exceptions: [LATE] }, { first: 'SUCCESS', late: 'WARNING' })).toEqual([]);
});

test.each(['FAILURE', 'WARNING', 'SKIPPED', 'INFO'])(
  'a check that is %s without being listed is a surprise',
  (status) => {
    expect(run({}, { first: 'SUCCESS', late: status })).toEqual([
      `tools-list (${ERA}, shop): late: ${status} as it is`,
    ]);
  },
);

test('an exception excuses that check with that status, at that place and in that era alone', () => {
  expect(run({ exceptions: [LATE] }, { first: 'SUCCESS', late: 'FAILURE' })).toHaveLength(2);
  expect(run({ exceptions: [{ ...LATE, place: 'fixtures' }] }, { first: 'SUCCESS', late: 'WARNING' })).toHaveLength(1);
  expect(run({ exceptions: [{ ...LATE, era: '2025-11-25' }] }, { first: 'SUCCESS', late: 'WARNING' })).toHaveLength(1);
});

test('an exception that passes by now, or is gone, is a surprise', () => {
  const stale = [`tools-list (${ERA}, shop): late: listed as WARNING, which it no longer is`];
  expect(run({ exceptions: [LATE] }, { first: 'SUCCESS', late: 'SUCCESS' })).toEqual(stale);
  expect(run({ exceptions: [LATE] }, { first: 'SUCCESS' })).toEqual(stale);
});

test('a scenario that was to pass and checked nothing but the messages is a surprise', () => {
  expect(run({}, { 'wire-schema-valid': 'SUCCESS' })).toEqual([`tools-list (${ERA}, shop): nothing was checked`]);
});

test('a scenario that cannot pass and does is a surprise', () => {
  const unlike = [`tools-list (${ERA}, shop): passes, but is listed as one that cannot`];
  expect(run({ passes: [] }, { first: 'SUCCESS' })).toEqual(unlike);
  expect(run({ passes: [] }, { first: 'FAILURE' })).toEqual([]);
  expect(run({ passes: [], passesEmptyHanded: true }, { first: 'SUCCESS' })).toEqual([]);
});

test('a scenario that the list does not know, or for other eras, and one that the suite no longer has, are surprises', () => {
  expect(run({}, { first: 'SUCCESS' }, ['2025-11-25', ERA])).toEqual([
    `tools-list: the suite has it for 2025-11-25, ${ERA}, the list for ${ERA}`,
  ]);
  expect(run({}, { first: 'SUCCESS' }, [])).toHaveLength(1);
  expect(surprises(new Map(), new Map([['new-one', [ERA]]]), [])).toEqual([
    `new-one: the suite has it for ${ERA}, the list for none`,
  ]);
});

test('a scenario that was not run where it must pass is a surprise', () => {
  expect(run({ passes: ['shop', 'fixtures'] }, { first: 'SUCCESS' })).toEqual([
    `tools-list (${ERA}, fixtures): the suite did not run it`,
  ]);
});
