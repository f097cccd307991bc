/** The sliding windows behind every limit: no stretch of time holds more than the limit, however it is laid. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY, freesAt, MINUTE, type Span, spend, used, type Window, windowSchema } from '../../src/authority/window.ts';

const START = Date.parse('2026-11-23T00:00:00Z');

type Use = { after: number; amount: number };

const spans: fc.Arbitrary<Span> = fc.oneof(
  fc.constantFrom(MINUTE, DAY),
  fc.record({ step: fc.integer({ min: 1, max: 50 }), steps: fc.integer({ min: 1, max: 12 }) }).map(
    // The length is a whole number of steps, as in both spans that are in use.
    ({ step, steps }) => ({ step, length: step * steps }),
  ),
);

/** Pauses that often end exactly where a step, or the span, does. */
function pauses({ length, step }: Span): fc.Arbitrary<number> {
  const edges = [0, 1, step - 1, step, step + 1, length - step, length - 1, length, length + 1, length + step];
  return fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...edges) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: step * 2 }) },
    fc.integer({ min: 0, max: length * 2 }),
  );
}

const stories = spans.chain((span) =>
  fc.record({
    span: fc.constant(span),
    offset: fc.integer({ min: 0, max: span.step }),
    limit: fc.integer({ min: 1, max: 8 }),
    uses: fc.array(fc.record({ after: pauses(span), amount: fc.integer({ min: 1, max: 4 }) }), {
      minLength: 1,
      maxLength: 40,
    }),
  }),
);

/** Spends as a limit allows it, and says what was allowed when. */
function live(span: Span, limit: number, offset: number, uses: Use[]) {
  let window: Window = [];
  let now = START + offset;
  const allowed: { at: number; amount: number }[] = [];
  for (const { after, amount } of uses) {
    now += after;
    if (used(window, span, now)[0] + amount > limit) continue;
    window = spend(window, span, now, [amount, 0]);
    allowed.push({ at: now, amount });
  }
  return { window, now, allowed };
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
        const within = allowed.filter(({ at }) => at >= begin && at <= begin + span.length);
        expect(sum(within)).toBeLessThanOrEqual(limit);
      }
    }),
    { numRuns: 1000 },
  );
});

test('what is used counts for the whole span, and at most one step longer', () => {
  fc.assert(
    fc.property(
      spans.chain((span) => fc.tuple(fc.constant(span), fc.nat(span.step * 3), fc.nat(span.length))),
      ([span, offset, within]) => {
        const at = START + offset;
        const window = spend([], span, at, [3, 7]);
        expect(used(window, span, at + within)).toEqual([3, 7]);
        expect(used(window, span, at + span.length)).toEqual([3, 7]);
        expect(used(window, span, at + span.length + span.step)).toEqual([0, 0]);
      },
    ),
  );
});

test('a budget is free again after the span and one step: nobody is locked out', () => {
  fc.assert(
    fc.property(stories, ({ span, offset, limit, uses }) => {
      const { window, now } = live(span, limit, offset, uses);
      expect(used(window, span, now + span.length + span.step)).toEqual([0, 0]);
    }),
  );
});

test('what counts is never less than what was used within the span, nor more than within the span and a step', () => {
  fc.assert(
    fc.property(stories, fc.nat(), ({ span, offset, limit, uses }, later) => {
      const { window, now, allowed } = live(span, limit, offset, uses);
      const then = now + (later % (span.length * 2));
      const [counted] = used(window, span, then);
      expect(counted).toBeGreaterThanOrEqual(sum(allowed.filter(({ at }) => at >= then - span.length)));
      expect(counted).toBeLessThanOrEqual(sum(allowed.filter(({ at }) => at > then - span.length - span.step)));
    }),
    { numRuns: 500 },
  );
});

test('freesAt is the first moment at which less counts, and undefined when nothing does', () => {
  fc.assert(
    fc.property(stories, fc.nat(), ({ span, offset, limit, uses }, later) => {
      const { window, now } = live(span, limit, offset, uses);
      const then = now + (later % (span.length * 2));
      const [counted] = used(window, span, then);
      const frees = freesAt(window, span, then);
      if (frees === undefined) {
        expect(counted).toBe(0);
        return;
      }
      expect(frees).toBeGreaterThan(then);
      expect(used(window, span, frees - 1)[0]).toBe(counted);
      expect(used(window, span, frees)[0]).toBeLessThan(counted);
    }),
    { numRuns: 500 },
  );
});

test('nothing counts in an empty window', () => {
  expect(used([], MINUTE, START)).toEqual([0, 0]);
  expect(freesAt([], DAY, START)).toBeUndefined();
});

test('the two amounts are counted side by side', () => {
  let window = spend([], DAY, START, [1, 2500]);
  window = spend(window, DAY, START, [2, 5000]);
  window = spend(window, DAY, START + DAY.step, [0, 10]);
  expect(used(window, DAY, START + DAY.step)).toEqual([3, 7510]);
  expect(used(window, DAY, START + DAY.length + DAY.step)).toEqual([0, 10]);
});

test('a window stays as small as its steps, is not changed by spending, and survives being stored', () => {
  fc.assert(
    fc.property(stories, ({ span, offset, uses }) => {
      const { window, now } = live(span, Infinity, offset, uses);
      expect(window.length).toBeLessThanOrEqual(span.length / span.step + 1);
      const stored = JSON.stringify(window);
      for (const step of window) Object.freeze(step);
      Object.freeze(window);
      spend(window, span, now, [1, 1]);
      expect(JSON.stringify(window)).toBe(stored);
      expect(windowSchema.parse(JSON.parse(stored))).toEqual(window);
    }),
  );
});
