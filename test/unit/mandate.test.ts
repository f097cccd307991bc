/** What a human grants: the sentence that says it, its shape for machines, what is wider, and the blanks as typed. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Problems,
  readCeiling,
  readDuration,
  readLimits,
  readScopes,
  type Typed,
  typedCeiling,
  typedDefaults,
  typedLimits,
} from '../../src/authority/blanks.ts';
import {
  authorizationDetails,
  BOUNDS,
  DEFAULT_CEILING,
  DEFAULT_DURATION,
  DEFAULT_LIMITS,
  DURATIONS,
  isNoWider,
  type Limits,
  LONGEST,
  type Mandate,
  mandateSchema,
  sentenceOf,
} from '../../src/authority/mandate.ts';
import { SCOPES } from '../../src/deputy.ts';

const MANDATE: Mandate = {
  format: 1,
  version: 3,
  scopes: ['shop:browse', 'shop:buy', 'orders:read'],
  limits: DEFAULT_LIMITS,
  expiresAt: Date.parse('2026-11-30T18:00:00Z'),
};

function limited(limits: Partial<Limits>): Mandate {
  return { ...MANDATE, limits: { ...DEFAULT_LIMITS, ...limits } };
}

test('a mandate reads as one plain sentence after the other', () => {
  expect(sentenceOf('Claude', MANDATE)).toBe(
    'Claude may look around the shop, buy shirts and cancel orders, and read the order history in your name. It may buy up to 5 shirts an order, and up to 10 shirts for $250.00 in any 24 hours. Above 3 shirts in one order it must ask first. All this until 30 November 2026, 18:00 UTC.',
  );
});

test('one shirt is one shirt, and a large number has its commas', () => {
  const narrow = limited({ shirtsPerOrder: 1, shirtsPerDay: 1, spendPerDay: 2500, askAbove: 1 });
  expect(sentenceOf('This deputy', { ...narrow, scopes: ['shop:browse', 'shop:buy'] })).toBe(
    'This deputy may look around the shop and buy shirts and cancel orders in your name. It may buy up to 1 shirt an order, and up to 1 shirt for $25.00 in any 24 hours. Above 1 shirt in one order it must ask first. All this until 30 November 2026, 18:00 UTC.',
  );
  const wide = limited({ shirtsPerOrder: 100, shirtsPerDay: 1000, spendPerDay: 2_500_000, askAbove: 0 });
  expect(sentenceOf('It', wide)).toContain(
    'up to 100 shirts an order, and up to 1,000 shirts for $25,000.00 in any 24 hours. Above 0 shirts in one order it must ask first.',
  );
});

test('a mandate without buying says so, and says nothing of limits', () => {
  expect(sentenceOf('Łódź 👋', { ...MANDATE, scopes: ['shop:browse', 'orders:read'] })).toBe(
    'Łódź 👋 may look around the shop and read the order history in your name, until 30 November 2026, 18:00 UTC. It may not buy.',
  );
  expect(sentenceOf('It', { ...MANDATE, scopes: ['shop:browse'] })).toBe(
    'It may look around the shop in your name, until 30 November 2026, 18:00 UTC. It may not buy.',
  );
});

test('looking around is part of every mandate, whether it is written there or not', () => {
  expect(sentenceOf('It', { ...MANDATE, scopes: [] })).toBe(sentenceOf('It', { ...MANDATE, scopes: ['shop:browse'] }));
});

test('a mandate has the shape of a rich authorization request, with amounts in whole cents', () => {
  expect(authorizationDetails(MANDATE, 'https://shop.example/mcp')).toEqual({
    type: 'mcp_shop_mandate',
    locations: ['https://shop.example/mcp'],
    actions: ['shop:browse', 'shop:buy', 'orders:read'],
    constraints: [
      { type: 'shop.quantity_range', max: 5 },
      { type: 'shop.quantity_budget', max: 10, frequency: 'DAILY' },
      { type: 'payment.budget', currency: 'USD', max: 25_000, frequency: 'DAILY' },
      { type: 'payment.agent_recurrence', frequency: 'MINUTELY', max_occurrences: 10 },
      { type: 'shop.approval_above', quantity: 3 },
    ],
    expires_at: '2026-11-30T18:00:00.000Z',
  });
});

test('what the human sees as the start is allowed by the bounds and by the ceiling', () => {
  expect(readLimits(typedDefaults(DEFAULT_CEILING), DEFAULT_CEILING)).toEqual({
    limits: { shirtsPerOrder: 5, shirtsPerDay: 10, spendPerDay: 25_000, askAbove: 3 },
  });
  const low = { shirtsPerDay: 2, spendPerDay: 4999 };
  expect(readLimits(typedDefaults(low), low)).toEqual({ limits: { shirtsPerOrder: 5, askAbove: 3, ...low } });
  expect(readDuration('week')).toBe(DEFAULT_DURATION);
  expect(Math.max(...Object.values(DURATIONS))).toBe(LONGEST);
});

const COUNTS = [
  'shirtsPerOrder',
  'shirtsPerDay',
  'spendPerDay',
  'askAbove',
  'callsPerMinute',
  'purchasesPerMinute',
] as const satisfies (keyof Limits)[];

const limits: fc.Arbitrary<Limits> = fc.record({
  shirtsPerOrder: fc.integer({ min: 1, max: 3 }),
  shirtsPerDay: fc.integer({ min: 1, max: 3 }),
  spendPerDay: fc.integer({ min: 1, max: 3 }),
  askAbove: fc.integer({ min: 0, max: 2 }),
  callsPerMinute: fc.integer({ min: 1, max: 3 }),
  purchasesPerMinute: fc.integer({ min: 1, max: 3 }),
});
const mandates: fc.Arbitrary<Mandate> = fc.record({
  format: fc.constant(1 as const),
  version: fc.integer({ min: 1, max: 9 }),
  scopes: fc.subarray([...SCOPES]),
  limits,
  expiresAt: fc.integer({ min: 0, max: 2 }),
});

/** A mandate that grants no more than `from`, by lowering some of it. */
function narrowed(from: Mandate): fc.Arbitrary<Mandate> {
  return fc
    .record({
      scopes: fc.subarray(from.scopes),
      down: fc.record({ ...Object.fromEntries(COUNTS.map((count) => [count, fc.nat(2)])), expiresAt: fc.nat(2) }),
    })
    .map(({ scopes, down }) => ({
      ...from,
      scopes,
      limits: Object.fromEntries(
        COUNTS.map((count) => [count, from.limits[count] - ((down as Record<string, number>)[count] ?? 0)]),
      ) as Limits,
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
        expect(isNoWider(first, structuredClone(first))).toBe(true);
        expect(isNoWider(second, first)).toBe(true);
        expect(isNoWider(third, second)).toBe(true);
        expect(isNoWider(third, first)).toBe(true);
      },
    ),
  );
});

test('of two mandates that are each no wider than the other, neither grants more', () => {
  fc.assert(
    fc.property(mandates, mandates, (one, other) => {
      if (!isNoWider(one, other) || !isNoWider(other, one)) return;
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
          expect([count, isNoWider(raised, from)]).toEqual([count, false]);
        }
        expect(isNoWider({ ...narrow, expiresAt: from.expiresAt + 1 }, from)).toBe(false);
        for (const scope of SCOPES.filter((each) => !from.scopes.includes(each))) {
          expect(isNoWider({ ...narrow, scopes: [...narrow.scopes, scope] }, from)).toBe(false);
        }
      },
    ),
  );
});

test('every limit of a mandate is one that isNoWider compares', () => {
  expect(Object.keys(mandateSchema.shape.limits.shape).toSorted()).toEqual(COUNTS.toSorted());
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
    told: /^Enter an amount in US dollars from 0\.01 to 25000\.00, such as 100 or 99\.50\.$/,
  },
];

test.each(FIELDS)('what is not a number in $field is told what to enter', ({ field, told }) => {
  for (const typed of NOT_NUMBERS) {
    expect([typed, problemWith(field, readLimits({ ...GOOD, [field]: typed }, DEFAULT_CEILING))]).toEqual([
      typed,
      expect.stringMatching(told),
    ]);
  }
  const { [field]: _, ...missing } = GOOD;
  expect(problemWith(field, readLimits(missing, DEFAULT_CEILING))).toMatch(told);
});

test('whole shirts only, and whole cents', () => {
  for (const field of ['shirtsPerOrder', 'shirtsPerDay', 'askAbove']) {
    for (const typed of ['5.5', '5.0', '$5'])
      expect(problemWith(field, readLimits({ ...GOOD, [field]: typed }, DEFAULT_CEILING))).toMatch(/^Enter a whole/);
  }
  for (const typed of ['0.001', '5.555', '0', '0.00'])
    expect(problemWith('spendPerDay', readLimits({ ...GOOD, spendPerDay: typed }, DEFAULT_CEILING))).toMatch(/^Enter/);
});

test('every number from the smallest to the largest is read, and none beyond', () => {
  const high = { shirtsPerDay: BOUNDS.shirtsPerDay, spendPerDay: BOUNDS.spendPerDay };
  for (const [field, min, max] of [
    ['shirtsPerOrder', 1, BOUNDS.shirtsPerOrder],
    ['shirtsPerDay', 1, BOUNDS.shirtsPerDay],
    ['askAbove', 0, BOUNDS.shirtsPerOrder],
  ] as const) {
    const read = (count: number) => readLimits({ ...GOOD, [field]: String(count) }, high);
    expect(read(min)).toMatchObject({ limits: { [field]: min } });
    expect(read(max)).toMatchObject({ limits: { [field]: max } });
    expect(problemWith(field, read(min - 1))).toContain(`from ${min} to ${max}`);
    expect(problemWith(field, read(max + 1))).toContain(`from ${min} to ${max}`);
  }
  expect(readLimits({ ...GOOD, spendPerDay: '25000' }, high)).toMatchObject({ limits: { spendPerDay: 2_500_000 } });
  expect(problemWith('spendPerDay', readLimits({ ...GOOD, spendPerDay: '25000.01' }, high))).toMatch(/^Enter/);
});

test.each([
  ['0.01', 1],
  ['1', 100],
  ['99.5', 9950],
  ['99.50', 9950],
  ['$99.50', 9950],
  [' $250 ', 25_000],
  ['007', 700],
  // These three are not whole cents in binary floating point.
  ['1.15', 115],
  ['8.20', 820],
  ['297.29', 29_729],
])('the dollars %j are %i cents', (typed, cents) => {
  expect(readLimits({ ...GOOD, spendPerDay: typed }, DEFAULT_CEILING)).toMatchObject({
    limits: { spendPerDay: cents },
  });
});

test('blanks around a number do not matter', () => {
  expect(readLimits({ ...GOOD, shirtsPerOrder: ' 5 ', shirtsPerDay: '\t7\n' }, DEFAULT_CEILING)).toEqual({
    limits: { shirtsPerOrder: 5, shirtsPerDay: 7, spendPerDay: 25_000, askAbove: 0 },
  });
});

test('every wrong field is told of at once', () => {
  const read = readLimits({ shirtsPerOrder: '0', shirtsPerDay: '21', spendPerDay: 'x' }, DEFAULT_CEILING);
  expect(Object.keys('problems' in read ? read.problems : {}).toSorted()).toEqual([
    'askAbove',
    'shirtsPerDay',
    'shirtsPerOrder',
    'spendPerDay',
  ]);
});

test('up to the ceiling is fine; above it, the problem names the ceiling and where to raise it', () => {
  const ceiling = { shirtsPerDay: 20, spendPerDay: 50_050 };
  expect(readLimits({ ...GOOD, shirtsPerDay: '20', spendPerDay: '500.50' }, ceiling)).toMatchObject({
    limits: { shirtsPerDay: 20, spendPerDay: 50_050 },
  });
  expect(problemWith('shirtsPerDay', readLimits({ ...GOOD, shirtsPerDay: '21' }, ceiling))).toBe(
    'Your account allows 20 shirts in 24 hours over all deputies: enter at most 20, or raise that limit on the page of your deputies first.',
  );
  expect(problemWith('spendPerDay', readLimits({ ...GOOD, spendPerDay: '500.51' }, ceiling))).toBe(
    'Your account allows $500.50 in 24 hours over all deputies: enter at most that, or raise that limit on the page of your deputies first.',
  );
});

test('the ceiling is read like the rest, within its own bounds', () => {
  expect(readCeiling({ shirtsPerDay: '1000', spendPerDay: '25000' })).toEqual({
    ceiling: { shirtsPerDay: 1000, spendPerDay: 2_500_000 },
  });
  for (const typed of [...NOT_NUMBERS, '0', '1001', '5.5']) {
    const read = readCeiling({ shirtsPerDay: typed, spendPerDay: '10' });
    expect([typed, problemWith('shirtsPerDay', read)]).toEqual([typed, 'Enter a whole number from 1 to 1000.']);
  }
  for (const typed of [...NOT_NUMBERS, '0', '25000.01', '1.234']) {
    const read = readCeiling({ shirtsPerDay: '1', spendPerDay: typed });
    expect([typed, problemWith('spendPerDay', read)]).toEqual([typed, expect.stringMatching(/^Enter an amount/)]);
  }
  expect(readCeiling({})).toEqual({
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
      const read = readLimits(fields, DEFAULT_CEILING);
      if ('problems' in read) {
        const problems = Object.values(read.problems);
        expect(problems.length).toBeGreaterThan(0);
        for (const problem of problems) expect(problem).toMatch(/[Ee]nter .*\d|[Ee]nter at most that/);
        return;
      }
      expect(mandateSchema.shape.limits.safeParse({ ...DEFAULT_LIMITS, ...read.limits }).success).toBe(true);
      expect(read.limits.shirtsPerDay).toBeLessThanOrEqual(DEFAULT_CEILING.shirtsPerDay);
      expect(read.limits.spendPerDay).toBeLessThanOrEqual(DEFAULT_CEILING.spendPerDay);
    }),
    { numRuns: 500 },
  );
});

test('what a form shows is read back as it was', () => {
  const high = { shirtsPerDay: BOUNDS.shirtsPerDay, spendPerDay: BOUNDS.spendPerDay };
  fc.assert(
    fc.property(
      fc.record({
        shirtsPerOrder: fc.integer({ min: 1, max: BOUNDS.shirtsPerOrder }),
        shirtsPerDay: fc.integer({ min: 1, max: BOUNDS.shirtsPerDay }),
        spendPerDay: fc.integer({ min: 1, max: BOUNDS.spendPerDay }),
        askAbove: fc.integer({ min: 0, max: BOUNDS.shirtsPerOrder }),
      }),
      (shown) => {
        expect(readLimits(typedLimits(shown), high)).toEqual({ limits: shown });
        const { shirtsPerDay, spendPerDay } = shown;
        expect(readCeiling(typedCeiling(shown))).toEqual({ ceiling: { shirtsPerDay, spendPerDay } });
      },
    ),
    { numRuns: 500 },
  );
});

test('only the durations of the list are taken', () => {
  for (const [name, milliseconds] of Object.entries(DURATIONS)) expect(readDuration(name)).toBe(milliseconds);
  for (const typed of [undefined, '', 'year', 'Week', ' week', '604800000', 'constructor', '__proto__', 'toString'])
    expect(readDuration(typed)).toEqual({ problems: { until: 'Choose one of the moments in the list.' } });
});

test('only powers that exist can be ticked, each once, and looking around needs no tick', () => {
  expect(readScopes([])).toEqual(['shop:browse']);
  expect(readScopes(['orders:read', 'shop:buy', 'shop:buy', 'shop:admin', '*', ''])).toEqual([
    'shop:browse',
    'shop:buy',
    'orders:read',
  ]);
});
