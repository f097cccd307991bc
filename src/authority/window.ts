/** How much was used within a sliding span: two amounts, kept in coarse steps and rounded against the spender. */
import { z } from 'zod';

/** Each entry is the number of a step since the epoch, and what was used in it. Oldest first, without empty steps. */
export const windowSchema = z.array(z.tuple([z.int(), z.number(), z.number()]));
export type Window = z.infer<typeof windowSchema>;
export type Amounts = readonly [number, number];

/** Milliseconds: what the limit is about, and how finely it is kept. */
export type Span = { length: number; step: number };
export const MINUTE: Span = { length: 60_000, step: 5000 };
export const DAY: Span = { length: 24 * 60 * 60_000, step: 15 * 60_000 };

/**
 * What was used within the span before `now`, and what came in its first step. Something used counts for the whole span
 * and up to one step longer, never shorter: no stretch of the span's length holds more than the limit.
 */
export function used(window: Window, span: Span, now: number): Amounts {
  let first = 0;
  let second = 0;
  for (const [, one, other] of current(window, span, now)) {
    first += one;
    second += other;
  }
  return [first, second];
}

/** The window with `amounts` used at `now`, without what no longer counts. `now` must not run backwards. */
export function spend(window: Window, span: Span, now: number, [first, second]: Amounts): Window {
  const kept = current(window, span, now);
  const step = Math.floor(now / span.step);
  const last = kept.at(-1);
  if (last?.[0] === step) return [...kept.slice(0, -1), [step, last[1] + first, last[2] + second]];
  return [...kept, [step, first, second]];
}

/** When the oldest use stops counting, in milliseconds since the epoch; undefined when nothing counts. */
export function freesAt(window: Window, span: Span, now: number): number | undefined {
  const [oldest] = current(window, span, now);
  return oldest && endOf(oldest[0], span);
}

function current(window: Window, span: Span, now: number): Window {
  return window.filter(([step]) => endOf(step, span) > now);
}

function endOf(step: number, span: Span): number {
  return (step + 1) * span.step + span.length;
}
