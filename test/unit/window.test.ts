/** The sliding windows behind every limit: no stretch of time holds more than the limit, however it is laid. */
import * as fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import {
  addUse,
  type Pair,
  SPANS,
  type SpanName,
  useOf,
  type Windows,
  windowsSchema,
} from '../../src/authority/window.ts';

const START = Date.parse('2026-11-23T00:00:00Z');

type Span = { lengthMs: number; stepMs: number };
type Use = { after: number; amount: number };

/** A span of any length, which is in the table of spans only while a test runs with it. */
const TRIAL = 'trial' as SpanName;
const THINGS: Pair = { per: TRIAL, of: 'things' };

afterEach(() => {
  Reflect.deleteProperty(SPANS, TRIAL);
});

/** A new span needs an entry in the table, and nothing else. */
function enter(span: Span): void {
  Object.assign(SPANS, { [TRIAL]: span });
}

const spans: fc.Arbitrary<Span> = fc.oneof(
  fc.constantFrom<Span>(SPANS.minute, SPANS.day),
  fc.record({ stepMs: fc.integer({ min: 1, max: 50 }), steps: fc.integer({ min: 1, max: 12 }) }).map(
    // The length is a whole number of steps, as in the spans that are in use.
    ({ stepMs, steps }) => ({ stepMs, lengthMs: stepMs * steps }),
  ),
);

/** Pauses that often end exactly where a step, or the span, does. */
function pauses({ lengthMs, stepMs }: Span): fc.Arbitrary<number> {
  const ofSteps = [0, 1, stepMs - 1, stepMs, stepMs + 1];
  const ofSpans = [lengthMs - stepMs, lengthMs - 1, lengthMs, lengthMs + 1, lengthMs + stepMs];
  return fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...ofSteps, ...ofSpans) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: stepMs * 2 }) },
    fc.integer({ min: 0, max: lengthMs * 2 }),
  );
}

const stories = spans.chain((span) =>
  fc.record({
    span: fc.constant(span),
    offset: fc.integer({ min: 0, max: span.stepMs }),
    limit: fc.integer({ min: 1, max: 8 }),
    uses: fc.array(fc.record({ after: pauses(span), amount: fc.integer({ min: 1, max: 4 }) }), {
      minLength: 1,
      maxLength: 40,
    }),
  }),
);

function usedAt(windows: Windows, now: number): number {
  return useOf(windows, THINGS, now).used;
}

/** Uses up what a limit allows, and says what was allowed when. */
function live(span: Span, limit: number, offset: number, uses: Use[]) {
  enter(span);
  let windows: Windows = {};
  let now = START + offset;
  const allowed: { at: number; amount: number }[] = [];
  for (const { after, amount } of uses) {
    now += after;
    if (usedAt(windows, now) + amount > limit) continue;
    windows = addUse(windows, [THINGS], { things: amount }, now);
    allowed.push({ at: now, amount });
  }
  return { windows, now, allowed };
}

function sum(uses: { amount: number }[]): number {
  return uses.reduce((total, { amount }) => total + amount, 0);
}

test('no stretch of the length of a span, wherever it begins, holds more than the limit', () => {
  fc.assert(
    fc.property(stories, ({ span, offset, limit, uses }) => {
      const { allowed } = live(span, limit, offset, uses);
      // A stretch that holds the most can always be moved until it begins with a use; both its ends are part of it.
      for (const { at: begin } of allowed) {
        const within = allowed.filter(({ at }) => at >= begin && at <= begin + span.lengthMs);
        expect(sum(within)).toBeLessThanOrEqual(limit);
      }
    }),
    { numRuns: 1000 },
  );
});

test('what is used counts for the whole span, and at most one step longer', () => {
  fc.assert(
    fc.property(
      spans.chain((span) => fc.tuple(fc.constant(span), fc.nat(span.stepMs * 3), fc.nat(span.lengthMs))),
      ([span, offset, within]) => {
        enter(span);
        const at = START + offset;
        const windows = addUse({}, [THINGS], { things: 3 }, at);
        expect(usedAt(windows, at + within)).toBe(3);
        expect(usedAt(windows, at + span.lengthMs)).toBe(3);
        expect(usedAt(windows, at + span.lengthMs + span.stepMs)).toBe(0);
      },
    ),
  );
});

test('a budget is free again after the span and one step: nobody is locked out', () => {
  fc.assert(
    fc.property(stories, ({ span, offset, limit, uses }) => {
      const { windows, now } = live(span, limit, offset, uses);
      expect(useOf(windows, THINGS, now + span.lengthMs + span.stepMs)).toEqual({ used: 0, freesAt: undefined });
    }),
  );
});

test('what counts is never less than what was used within the span, nor more than within the span and a step', () => {
  fc.assert(
    fc.property(stories, fc.nat(), ({ span, offset, limit, uses }, later) => {
      const { windows, now, allowed } = live(span, limit, offset, uses);
      const then = now + (later % (span.lengthMs * 2));
      const counted = usedAt(windows, then);
      expect(counted).toBeGreaterThanOrEqual(sum(allowed.filter(({ at }) => at >= then - span.lengthMs)));
      expect(counted).toBeLessThanOrEqual(sum(allowed.filter(({ at }) => at > then - span.lengthMs - span.stepMs)));
    }),
    { numRuns: 500 },
  );
});

test('freesAt is the first moment at which less counts, and undefined when nothing does', () => {
  fc.assert(
    fc.property(stories, fc.nat(), ({ span, offset, limit, uses }, later) => {
      const { windows, now } = live(span, limit, offset, uses);
      const then = now + (later % (span.lengthMs * 2));
      const { used, freesAt } = useOf(windows, THINGS, then);
      if (freesAt === undefined) {
        expect(used).toBe(0);
        return;
      }
      expect(freesAt).toBeGreaterThan(then);
      expect(usedAt(windows, freesAt - 1)).toBe(used);
      expect(usedAt(windows, freesAt)).toBeLessThan(used);
    }),
    { numRuns: 500 },
  );
});

test('every span that is in use is a whole number of steps', () => {
  for (const { lengthMs, stepMs } of Object.values(SPANS)) expect(lengthMs % stepMs).toBe(0);
});

test('nothing counts where nothing was used', () => {
  const nothing = { used: 0, freesAt: undefined };
  const used = addUse({}, [{ per: 'day', of: 'shirts' }], { shirts: 3 }, START);
  for (const windows of [{}, { minute: {} }, { minute: { calls: [] } }, used])
    expect(useOf(windows, { per: 'minute', of: 'calls' }, START)).toEqual(nothing);
  expect(useOf(used, { per: 'minute', of: 'shirts' }, START)).toEqual(nothing);
  expect(useOf(used, { per: 'day', of: 'spend' }, START)).toEqual(nothing);
});

test('units, and spans of one unit, are counted side by side', () => {
  const pairs: Pair[] = [
    { per: 'day', of: 'shirts' },
    { per: 'day', of: 'spend' },
    { per: 'minute', of: 'shirts' },
  ];
  const { lengthMs, stepMs } = SPANS.day;
  let windows = addUse({}, pairs, { shirts: 1, spend: 2500, calls: 1 }, START);
  windows = addUse(windows, pairs, { shirts: 2, spend: 5000 }, START);
  windows = addUse(windows, pairs, { shirts: 0, spend: 10 }, START + stepMs);
  const at = (now: number) => pairs.map((pair) => useOf(windows, pair, now).used);
  expect(at(START + stepMs)).toEqual([3, 7510, 0]);
  expect(at(START + SPANS.minute.lengthMs)).toEqual([3, 7510, 3]);
  expect(at(START + lengthMs + stepMs)).toEqual([0, 10, 0]);
  // What no pair names is not counted, and nothing empty is kept.
  expect(Object.keys(windows['day'] ?? {})).toEqual(['shirts', 'spend']);
  expect(windows['day']?.['shirts']).toHaveLength(1);
});

test('a unit that is not used keeps what counts, and one that is counted no longer is dropped', () => {
  const day = (of: string): Pair => ({ per: 'day', of });
  const used = addUse({}, [day('shirts'), day('spend')], { shirts: 1, spend: 2500 }, START);
  const then = addUse(used, [day('shirts'), { per: 'minute', of: 'calls' }], { calls: 1 }, START + 1);
  expect(useOf(then, day('shirts'), START + 1).used).toBe(1);
  expect(useOf(then, { per: 'minute', of: 'calls' }, START + 1).used).toBe(1);
  expect(useOf(then, day('spend'), START + 1).used).toBe(0);
});

test('windows stay as small as their steps, are not changed by use, and survive being stored', () => {
  fc.assert(
    fc.property(stories, ({ span, offset, uses }) => {
      const { windows, now } = live(span, Infinity, offset, uses);
      const window = windows[TRIAL]?.['things'] ?? [];
      expect(window.length).toBeGreaterThan(0);
      expect(window.length).toBeLessThanOrEqual(span.lengthMs / span.stepMs + 1);
      const stored = JSON.stringify(windows);
      for (const step of window) Object.freeze(step);
      for (const part of [window, windows[TRIAL], windows]) Object.freeze(part);
      addUse(windows, [THINGS], { things: 1 }, now);
      expect(JSON.stringify(windows)).toBe(stored);
      expect(windowsSchema.parse(JSON.parse(stored))).toEqual(windows);
    }),
  );
});
