/** What a human grants: the sentence that says it, its shape for machines, what is wider, and the blanks as typed. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Problems,
  readCeiling,
  readDuration,
  readLimits,
  type Typed,
  typedCeiling,
  typedDefaults,
  typedLimits,
} from '../../src/authority/form.ts';
import { isValid, startCeiling, startLimits } from '../../src/authority/limits.ts';
import {
  authorizationDetails,
  isNoWider,
  latestEnd,
  type Mandate,
  mandateSchema,
  newMandate,
} from '../../src/authority/mandate.ts';
import type { Limits } from '../../src/authority/terms.ts';
import { sentenceOf } from '../../src/authority/words.ts';
import { DURATIONS_MS, LONGEST_MANDATE_MS } from '../../src/lifetimes.ts';
import { shop } from '../../src/shop/index.ts';
import { domain as mails } from '../second-domain/mails.ts';

const SCOPES = Object.keys(shop.powers);
const START = startLimits(shop);
const CEILING = startCeiling(shop);
/** The largest values a human can enter. */
const MOST = { shirtsPerOrder: 100, shirtsPerDay: 1000, spendPerDay: 2_500_000, askAbove: 100 };

const MANDATE: Mandate = {
  format: 1,
  version: 3,
  scopes: ['shop:browse', 'shop:buy', 'orders:read'],
  limits: START,
  expiresAt: Date.parse('2026-11-30T18:00:00Z'),
};

function limited(limits: Limits): Mandate {
  return { ...MANDATE, limits: { ...START, ...limits } };
}

test('a mandate reads as one plain sentence after the other', () => {
  expect(sentenceOf(shop, 'Claude', MANDATE)).toBe(
    'Claude may look around the shop, buy shirts and cancel orders, and read the order history in your name. It may buy up to 5 shirts an order, and up to 10 shirts for $250.00 in any 24 hours. Above 3 shirts in one order it must ask first. All this until 30 November 2026, 18:00 UTC.',
  );
});

test('one shirt is one shirt, and a large number has its commas', () => {
  const narrow = limited({ shirtsPerOrder: 1, shirtsPerDay: 1, spendPerDay: 2500, askAbove: 1 });
  expect(sentenceOf(shop, 'This deputy', { ...narrow, scopes: ['shop:browse', 'shop:buy'] })).toBe(
    'This deputy may look around the shop and buy shirts and cancel orders in your name. It may buy up to 1 shirt an order, and up to 1 shirt for $25.00 in any 24 hours. All this until 30 November 2026, 18:00 UTC.',
  );
  const wide = limited({ shirtsPerOrder: 100, shirtsPerDay: 1000, spendPerDay: 2_500_000, askAbove: 0 });
  expect(sentenceOf(shop, 'It', wide)).toContain(
    'up to 100 shirts an order, and up to 1,000 shirts for $25,000.00 in any 24 hours. Above 0 shirts in one order it must ask first.',
  );
});

test('a mandate without buying says so, and says nothing of limits', () => {
  expect(sentenceOf(shop, 'Łódź 👋', { ...MANDATE, scopes: ['shop:browse', 'orders:read'] })).toBe(
    'Łódź 👋 may look around the shop and read the order history in your name, until 30 November 2026, 18:00 UTC. It may not buy.',
  );
  expect(sentenceOf(shop, 'It', { ...MANDATE, scopes: ['shop:browse'] })).toBe(
    'It may look around the shop in your name, until 30 November 2026, 18:00 UTC. It may not buy.',
  );
});

test('looking around is part of every mandate, whether it is written there or not', () => {
  expect(sentenceOf(shop, 'It', { ...MANDATE, scopes: [] })).toBe(
    sentenceOf(shop, 'It', { ...MANDATE, scopes: ['shop:browse'] }),
  );
});

test('a mandate has the shape of a rich authorization request, with amounts in whole cents', () => {
  expect(authorizationDetails(shop, MANDATE, 'https://shop.example/mcp')).toEqual({
    type: 'mcp_shop_mandate',
    locations: ['https://shop.example/mcp'],
    actions: ['shop:browse', 'shop:buy', 'orders:read'],
    constraints: [
      { type: 'shop.quantity_range', max: 5 },
      { type: 'shop.approval_above', quantity: 3 },
      { type: 'payment.agent_recurrence', frequency: 'MINUTELY', max_occurrences: 10 },
      { type: 'shop.quantity_budget', max: 10, frequency: 'DAILY' },
      { type: 'payment.budget', currency: 'USD', max: 25_000, frequency: 'DAILY' },
    ],
    expires_at: '2026-11-30T18:00:00.000Z',
  });
});

test('what the human sees as the start is allowed by the bounds and by the ceiling', () => {
  expect(readLimits(shop, typedDefaults(shop, CEILING), CEILING)).toEqual({
    limits: { shirtsPerOrder: 5, shirtsPerDay: 10, spendPerDay: 25_000, askAbove: 3 },
  });
  const low = { shirtsPerDay: 2, spendPerDay: 4999 };
  expect(readLimits(shop, typedDefaults(shop, low), low)).toEqual({
    limits: { shirtsPerOrder: 2, askAbove: 2, ...low },
  });
  expect(readDuration('week')).toBe(7 * 24 * 60 * 60_000);
  expect(Math.max(...Object.values(DURATIONS_MS))).toBe(LONGEST_MANDATE_MS);
  expect(latestEnd(0)).toBe(LONGEST_MANDATE_MS);
});

const COUNTS = [
  'shirtsPerOrder',
  'shirtsPerDay',
  'spendPerDay',
  'askAbove',
  'callsPerMinute',
  'purchasesPerMinute',
] as const;
type Counts = Record<(typeof COUNTS)[number], number>;
/** A mandate of the shop, whose limits are all numbers. */
type Counted = Omit<Mandate, 'limits'> & { limits: Counts };

const counts: fc.Arbitrary<Counts> = fc.record({
  shirtsPerOrder: fc.integer({ min: 1, max: 3 }),
  shirtsPerDay: fc.integer({ min: 1, max: 3 }),
  spendPerDay: fc.integer({ min: 1, max: 3 }),
  askAbove: fc.integer({ min: 0, max: 2 }),
  callsPerMinute: fc.integer({ min: 1, max: 3 }),
  purchasesPerMinute: fc.integer({ min: 1, max: 3 }),
});
const mandates: fc.Arbitrary<Counted> = fc.record({
  format: fc.constant(1 as const),
  version: fc.integer({ min: 1, max: 9 }),
  scopes: fc.subarray(SCOPES),
  limits: counts,
  expiresAt: fc.integer({ min: 0, max: 2 }),
});

/** A mandate that grants no more than `from`, by lowering some of it. */
function narrowed(from: Counted): fc.Arbitrary<Counted> {
  return fc
    .record({
      scopes: fc.subarray([...from.scopes]),
      down: fc.record({ ...Object.fromEntries(COUNTS.map((count) => [count, fc.nat(2)])), expiresAt: fc.nat(2) }),
    })
    .map(({ scopes, down }) => ({
      ...from,
      scopes,
      limits: Object.fromEntries(
        COUNTS.map((count) => [count, from.limits[count] - ((down as Record<string, number>)[count] ?? 0)]),
      ) as Counts,
      expiresAt: from.expiresAt - down.expiresAt,
    }));
}

test('a mandate is no wider than itself, nor than what it was narrowed from, however often', () => {
  fc.assert(
    fc.property(
      mandates.chain((first) =>
        narrowed(first).chain((second) => narrowed(second).map((third) => [first, second, third] as const)),
      ),
      ([first, second, third]) => {
        expect(isNoWider(shop, first, structuredClone(first))).toBe(true);
        expect(isNoWider(shop, second, first)).toBe(true);
        expect(isNoWider(shop, third, second)).toBe(true);
        expect(isNoWider(shop, third, first)).toBe(true);
      },
    ),
  );
});

test('of two mandates that are each no wider than the other, neither grants more', () => {
  fc.assert(
    fc.property(mandates, mandates, (one, other) => {
      if (!isNoWider(shop, one, other) || !isNoWider(shop, other, one)) return;
      expect({ ...one, version: 1, scopes: one.scopes.toSorted() }).toEqual({
        ...other,
        version: 1,
        scopes: other.scopes.toSorted(),
      });
    }),
    { numRuns: 300 },
  );
});

test('one count more, one power more or one millisecond longer is wider, whatever else was narrowed', () => {
  fc.assert(
    fc.property(
      mandates.chain((from) => fc.tuple(fc.constant(from), narrowed(from))),
      ([from, narrow]) => {
        for (const count of COUNTS) {
          const raised = { ...narrow, limits: { ...narrow.limits, [count]: from.limits[count] + 1 } };
          expect([count, isNoWider(shop, raised, from)]).toEqual([count, false]);
        }
        expect(isNoWider(shop, { ...narrow, expiresAt: from.expiresAt + 1 }, from)).toBe(false);
        for (const scope of SCOPES.filter((each) => !from.scopes.includes(each))) {
          expect(isNoWider(shop, { ...narrow, scopes: [...narrow.scopes, scope] }, from)).toBe(false);
        }
      },
    ),
  );
});

test('every limit of a mandate is one that isNoWider compares', () => {
  expect(Object.keys(newMandate(shop, { scopes: [], limits: {}, expiresAt: 0 }).limits).toSorted()).toEqual(
    COUNTS.toSorted(),
  );
});

const GOOD: Typed = { shirtsPerOrder: '4', shirtsPerDay: '10', spendPerDay: '250', askAbove: '0' };
const NOT_NUMBERS = [
  '',
  ' ',
  '-1',
  '+1',
  '1e3',
  '0x10',
  '0b1',
  '٣',
  '５',
  '1,000',
  '1 000',
  '1_000',
  'NaN',
  'Infinity',
  '-Infinity',
  'five',
  'null',
  '½',
  '.5',
  '5.',
  '5..5',
  '1;2',
  '5\n6',
  '$',
  '$$5',
  '5$',
  '€5',
  '99999999999999999999',
  '1'.repeat(400),
];

/** The one problem with `field`, and none with another. */
function problemWith(field: string, read: object): string | undefined {
  if (!('problems' in read)) return undefined;
  const problems = read.problems as Problems;
  expect(Object.keys(problems)).toEqual([field]);
  return problems[field];
}

const FIELDS = [
  { field: 'shirtsPerOrder', told: /^Enter a whole number from 1 to 100\.$/ },
  { field: 'shirtsPerDay', told: /^Enter a whole number from 1 to 1000\.$/ },
  { field: 'askAbove', told: /^Enter a whole number from 0 to 100\.$/ },
  {
    field: 'spendPerDay',
    told: /^Enter an amount in US dollars from 25\.00 to 25000\.00, such as 100 or 99\.50\.$/,
  },
];

test.each(FIELDS)('what is not a number in $field is told what to enter', ({ field, told }) => {
  for (const typed of NOT_NUMBERS) {
    // It may be left empty.
    if (field === 'askAbove' && typed.trim() === '') continue;
    expect([typed, problemWith(field, readLimits(shop, { ...GOOD, [field]: typed }, CEILING))]).toEqual([
      typed,
      expect.stringMatching(told),
    ]);
  }
  const { [field]: _, ...missing } = GOOD;
  expect(problemWith(field, readLimits(shop, missing, CEILING))).toMatch(told);
});

test('whole shirts only, and whole cents', () => {
  for (const field of ['shirtsPerOrder', 'shirtsPerDay', 'askAbove']) {
    for (const typed of ['5.5', '5.0', '$5'])
      expect(problemWith(field, readLimits(shop, { ...GOOD, [field]: typed }, CEILING))).toMatch(/^Enter a whole/);
  }
  for (const typed of ['0.001', '5.555', '0', '0.00'])
    expect(problemWith('spendPerDay', readLimits(shop, { ...GOOD, spendPerDay: typed }, CEILING))).toMatch(/^Enter/);
});

test('every number from the smallest to the largest is read, and none beyond', () => {
  for (const [field, min, max, beside] of [
    ['shirtsPerOrder', 1, MOST.shirtsPerOrder, { shirtsPerDay: '1000' }],
    ['shirtsPerDay', 1, MOST.shirtsPerDay, { shirtsPerOrder: '1' }],
    ['askAbove', 0, MOST.shirtsPerOrder, { shirtsPerOrder: '100', shirtsPerDay: '1000' }],
  ] as const) {
    const read = (count: number) => readLimits(shop, { ...GOOD, ...beside, [field]: String(count) }, MOST);
    expect(read(min)).toMatchObject({ limits: { [field]: min } });
    expect(read(max)).toMatchObject({ limits: { [field]: max } });
    expect(problemWith(field, read(min - 1))).toContain(`from ${min} to ${max}`);
    expect(problemWith(field, read(max + 1))).toContain(`from ${min} to ${max}`);
  }
  expect(readLimits(shop, { ...GOOD, spendPerDay: '25000' }, MOST)).toMatchObject({
    limits: { spendPerDay: 2_500_000 },
  });
  expect(problemWith('spendPerDay', readLimits(shop, { ...GOOD, spendPerDay: '25000.01' }, MOST))).toMatch(/^Enter/);
});

test.each([
  ['25', 2500],
  ['25.01', 2501],
  ['99.5', 9950],
  ['99.50', 9950],
  ['$99.50', 9950],
  [' $250 ', 25_000],
  ['0070', 7000],
  // These three are not whole cents in binary floating point.
  ['64.1', 6410],
  ['81.15', 8115],
  ['297.29', 29_729],
])('the dollars %j are %i cents', (typed, cents) => {
  expect(readLimits(shop, { ...GOOD, spendPerDay: typed }, CEILING)).toMatchObject({
    limits: { spendPerDay: cents },
  });
});

test('blanks around a number do not matter', () => {
  expect(readLimits(shop, { ...GOOD, shirtsPerOrder: ' 5 ', shirtsPerDay: '\t7\n' }, CEILING)).toEqual({
    limits: { shirtsPerOrder: 5, shirtsPerDay: 7, spendPerDay: 25_000, askAbove: 0 },
  });
});

test('every wrong field is told of at once', () => {
  const read = readLimits(shop, { shirtsPerOrder: '0', shirtsPerDay: '21', spendPerDay: 'x' }, CEILING);
  expect(Object.keys('problems' in read ? read.problems : {}).toSorted()).toEqual([
    'askAbove',
    'shirtsPerDay',
    'shirtsPerOrder',
    'spendPerDay',
  ]);
});

test('up to the ceiling is fine; above it, the problem names the ceiling and where to raise it', () => {
  const ceiling = { shirtsPerDay: 20, spendPerDay: 50_050 };
  expect(readLimits(shop, { ...GOOD, shirtsPerDay: '20', spendPerDay: '500.50' }, ceiling)).toMatchObject({
    limits: { shirtsPerDay: 20, spendPerDay: 50_050 },
  });
  expect(problemWith('shirtsPerDay', readLimits(shop, { ...GOOD, shirtsPerDay: '21' }, ceiling))).toBe(
    'Your account allows 20 shirts in 24 hours over all deputies: enter at most that, or raise that limit on the page of your deputies first.',
  );
  expect(problemWith('spendPerDay', readLimits(shop, { ...GOOD, spendPerDay: '500.51' }, ceiling))).toBe(
    'Your account allows $500.50 in 24 hours over all deputies: enter at most that, or raise that limit on the page of your deputies first.',
  );
});

test('numbers that contradict each other are told which one to change', () => {
  const told = (typed: Typed) => readLimits(shop, { ...GOOD, ...typed }, CEILING);
  expect(problemWith('shirtsPerOrder', told({ shirtsPerOrder: '4', shirtsPerDay: '3' }))).toBe(
    'The most in 24 hours is 3 shirts. Enter at most that, or raise that number.',
  );
  for (const askAbove of ['5', '100'])
    expect(problemWith('askAbove', told({ askAbove }))).toBe(
      'It would never ask, because the most in one order is 4 shirts. Enter at most 3 shirts, or nothing if it need not ask.',
    );
  expect(told({ shirtsPerOrder: '4', shirtsPerDay: '4', askAbove: '3' })).toMatchObject({ limits: { askAbove: 3 } });
  // Asking above all that is allowed is never asking, however it is typed.
  expect(told({ askAbove: '4' })).toMatchObject({ limits: { askAbove: 4 } });
  expect(told({ askAbove: '' })).toMatchObject({ limits: { askAbove: 4 } });
  expect(told({ shirtsPerOrder: '1', askAbove: ' ' })).toMatchObject({ limits: { askAbove: 1 } });
  expect(problemWith('spendPerDay', told({ spendPerDay: '24.99' }))).toMatch(/from 25\.00 to/);
});

test('a mandate that is narrowed and never asks is no wider than before', () => {
  const made = (typed: Typed) => {
    const read = readLimits(shop, { ...GOOD, ...typed }, CEILING);
    if ('problems' in read) throw new Error(JSON.stringify(read.problems));
    return newMandate(shop, { scopes: ['shop:buy'], limits: read.limits, expiresAt: 0 });
  };
  const asking = made({ shirtsPerOrder: '4', askAbove: '2' });
  expect(isNoWider(shop, made({ shirtsPerOrder: '2', askAbove: '' }), asking)).toBe(true);
  expect(isNoWider(shop, made({ shirtsPerOrder: '4', askAbove: '' }), asking)).toBe(false);
  expect(isNoWider(shop, made({ shirtsPerOrder: '3', askAbove: '' }), made({ askAbove: '' }))).toBe(true);
});

test('the ceiling is read like the rest, within its own bounds', () => {
  expect(readCeiling(shop, { shirtsPerDay: '1000', spendPerDay: '25000' })).toEqual({
    ceiling: { shirtsPerDay: 1000, spendPerDay: 2_500_000 },
  });
  for (const typed of [...NOT_NUMBERS, '0', '1001', '5.5']) {
    const read = readCeiling(shop, { shirtsPerDay: typed, spendPerDay: '25' });
    expect([typed, problemWith('shirtsPerDay', read)]).toEqual([typed, 'Enter a whole number from 1 to 1000.']);
  }
  for (const typed of [...NOT_NUMBERS, '0', '24.99', '25000.01', '1.234']) {
    const read = readCeiling(shop, { shirtsPerDay: '1', spendPerDay: typed });
    expect([typed, problemWith('spendPerDay', read)]).toEqual([typed, expect.stringMatching(/^Enter an amount/)]);
  }
  expect(readCeiling(shop, {})).toEqual({
    problems: { shirtsPerDay: expect.any(String), spendPerDay: expect.any(String) },
  });
});

test('whatever is typed, it is read into limits that a mandate may have, or told what to change', () => {
  const typed = fc.oneof(
    fc.constantFrom(...NOT_NUMBERS),
    fc.string(),
    fc.integer({ min: -2, max: 2000 }).map(String),
    fc.double({ noNaN: true }).map(String),
    fc.integer({ min: 0, max: 3_000_000 }).map((cents) => (cents / 100).toFixed(2)),
  );
  const form = fc.record({ shirtsPerOrder: typed, shirtsPerDay: typed, spendPerDay: typed, askAbove: typed });
  fc.assert(
    fc.property(form, (fields) => {
      const read = readLimits(shop, fields, CEILING);
      if ('problems' in read) {
        const problems = Object.values(read.problems);
        expect(problems.length).toBeGreaterThan(0);
        for (const problem of problems) expect(problem).toMatch(/[Ee]nter .*\d|[Ee]nter (at most that|nothing)/);
        return;
      }
      const { limits } = newMandate(shop, { scopes: [], limits: read.limits, expiresAt: 0 });
      for (const [name, limit] of Object.entries(shop.limits))
        expect([name, isValid(limit, limits[name])]).toEqual([name, true]);
      expect(read.limits['shirtsPerDay']).toBeLessThanOrEqual(CEILING['shirtsPerDay'] ?? NaN);
      expect(read.limits['spendPerDay']).toBeLessThanOrEqual(CEILING['spendPerDay'] ?? NaN);
    }),
    { numRuns: 500 },
  );
});

test('what a form shows is read back as it was', () => {
  fc.assert(
    fc.property(
      fc.record({
        shirtsPerOrder: fc.integer({ min: 1, max: MOST.shirtsPerOrder }),
        shirtsPerDay: fc.integer({ min: MOST.shirtsPerOrder, max: MOST.shirtsPerDay }),
        spendPerDay: fc.integer({ min: 2500, max: MOST.spendPerDay }),
        askAbove: fc.integer({ min: 0, max: MOST.shirtsPerOrder }),
      }),
      (shown) => {
        // What is never asked is an empty blank, whatever number stands for it.
        const never = shown.askAbove >= shown.shirtsPerOrder && { askAbove: shown.shirtsPerOrder };
        expect(readLimits(shop, typedLimits(shop, shown), MOST)).toEqual({ limits: { ...shown, ...never } });
        const { shirtsPerDay, spendPerDay } = shown;
        expect(readCeiling(shop, typedCeiling(shop, shown))).toEqual({ ceiling: { shirtsPerDay, spendPerDay } });
      },
    ),
    { numRuns: 500 },
  );
});

test('only the durations of the list are taken', () => {
  for (const [name, milliseconds] of Object.entries(DURATIONS_MS)) expect(readDuration(name)).toBe(milliseconds);
  for (const typed of [undefined, '', 'year', 'Week', ' week', '604800000', 'constructor', '__proto__', 'toString'])
    expect(readDuration(typed)).toEqual({ problems: { until: 'Choose one of the moments in the list.' } });
});

test('only powers that exist can be ticked, each once, and looking around needs no tick', () => {
  const ticked = (scopes: string[]) => newMandate(shop, { scopes, limits: {}, expiresAt: 0 }).scopes;
  expect(ticked([])).toEqual(['shop:browse']);
  expect(ticked(['orders:read', 'shop:buy', 'shop:buy', 'shop:admin', '*', ''])).toEqual([
    'shop:browse',
    'shop:buy',
    'orders:read',
  ]);
});

test('a first mandate starts where nothing is said, and each change counts on and keeps what it does not name', () => {
  const expiresAt = 7;
  const first = newMandate(shop, { scopes: ['shop:buy'], limits: { shirtsPerDay: 2 }, expiresAt });
  expect(first).toEqual({
    format: 1,
    version: 1,
    scopes: ['shop:browse', 'shop:buy'],
    limits: { ...START, shirtsPerDay: 2 },
    expiresAt,
  });
  const second = newMandate(shop, { scopes: [], limits: { askAbove: 0 }, expiresAt: 9 }, first);
  expect(second).toEqual({
    format: 1,
    version: 2,
    scopes: ['shop:browse'],
    limits: { ...START, shirtsPerDay: 2, askAbove: 0 },
    expiresAt: 9,
  });
  expect(mandateSchema.parse(JSON.parse(JSON.stringify(second)))).toEqual(second);
});

test.each([
  ['a limit that is none', { shirtsPerYear: 1 }],
  ['less than the least', { shirtsPerOrder: 0 }],
  ['less than nothing', { askAbove: -1 }],
  ['more than the most', { shirtsPerDay: 1001 }],
  ['half a shirt', { shirtsPerOrder: 1.5 }],
  ['no number', { spendPerDay: NaN }],
  ['names for a number', { shirtsPerDay: ['10'] }],
  ['a limit of ours that is raised', { callsPerMinute: 61 }],
])('no mandate is made with %s', (_, limits: Limits) => {
  const [name] = Object.keys(limits);
  expect(() => newMandate(shop, { scopes: [], limits, expiresAt: 0 })).toThrow(`is no value of ${name}`);
});

test('no mandate is made with a number for names, or with more names than it can have', () => {
  for (const recipientsIn of [1, Array.from({ length: 11 }, (_, index) => `${index}.example`)])
    expect(() => newMandate(mails, { scopes: [], limits: { recipientsIn }, expiresAt: 0 })).toThrow(
      'is no value of recipientsIn',
    );
});

/** What a human fills in for mails. */
const MAILS: Typed = { recipientsIn: 'example.com', kilobytesPerMail: '10', mailsPerDay: '5', askAbove: '3' };

test('names are read from their blank into a mandate, and it reads as a sentence', () => {
  expect(typedDefaults(mails, startCeiling(mails))).toEqual(MAILS);
  const read = readLimits(mails, { ...MAILS, recipientsIn: ' B.example,a.example  b.example' }, startCeiling(mails));
  const limits = { recipientsIn: ['b.example', 'a.example'], kilobytesPerMail: 10, askAbove: 3, mailsPerDay: 5 };
  expect(read).toEqual({ limits });
  const mandate = newMandate(mails, { scopes: ['mails:send'], limits, expiresAt: MANDATE.expiresAt });
  expect(sentenceOf(mails, 'It', mandate)).toMatch(
    /^It may read what was sent and send mails in your name\. .* in b\.example or a\.example, up to 10 kilobytes .* 5 mails .* Above 3 mails at once it must ask first\. All this until 30 November 2026, 18:00 UTC\.$/,
  );
  expect(readLimits(mails, typedLimits(mails, mandate.limits), startCeiling(mails))).toEqual({ limits });
});

test('wrong names, too many of them and none are told what to enter', () => {
  const eleven = Array.from({ length: 11 }, (_, index) => `${index}.example`).join(',');
  for (const typed of ['', ' , ', 'example', 'a.example; b.example', 'ada@example.com', eleven]) {
    const read = readLimits(mails, { ...MAILS, recipientsIn: typed }, startCeiling(mails));
    expect([typed, problemWith('recipientsIn', read)]).toEqual([
      typed,
      'Enter a domain, or up to 10 domains with commas between them, such as example.com.',
    ]);
  }
});

test('a mandate with more names is wider, one with fewer or other order is not, and one name for another is', () => {
  const to = (...recipientsIn: string[]) =>
    newMandate(mails, { scopes: ['mails:send'], limits: { recipientsIn }, expiresAt: 0 });
  const both = to('a.example', 'b.example');
  expect(isNoWider(mails, to('b.example', 'a.example'), both)).toBe(true);
  expect(isNoWider(mails, to('a.example'), both)).toBe(true);
  expect(isNoWider(mails, to('a.example', 'c.example'), both)).toBe(false);
  expect(isNoWider(mails, both, to('a.example'))).toBe(false);
});

test('limits that a domain does not word for machines have their names and numbers there', () => {
  const { limits } = newMandate(mails, { scopes: [], limits: {}, expiresAt: 0 });
  expect(authorizationDetails(mails, { ...MANDATE, limits }, 'https://mails.example/mcp').constraints).toEqual([
    { type: 'recipientsIn', values: ['example.com'] },
    { type: 'kilobytesPerMail', max: 10, per: 'act' },
    { type: 'askAbove', asksAbove: 3, per: 'act' },
    { type: 'mailsPerDay', max: 5, per: 'day' },
  ]);
});
