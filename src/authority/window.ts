/** How much was used within a sliding span: amounts in coarse steps, rounded against the spender. Pure. */
import { z } from 'zod';
import { DAY_MS, mustOutlive, RECORD_KEPT_MS } from '../lifetimes.ts';

/**
 * `lengthMs` is what the limit is about, `stepMs` how finely it is kept, and `code` refuses what is over it. For people,
 * `reads` comes after "any", and `within` after "in".
 */
type Span = { lengthMs: number; stepMs: number; reads: string; within: string; code: string };

/** Every span a limit can have. A new one is an entry here. Windows are kept in its steps, so other steps need another name. */
export const SPANS = {
  minute: { lengthMs: 60_000, stepMs: 5000, reads: 'minute', within: 'a minute', code: 'act_rate' },
  day: { lengthMs: DAY_MS, stepMs: 15 * 60_000, reads: '24 hours', within: '24 hours', code: 'daily_limit' },
} as const satisfies Record<string, Span>;
export type SpanName = keyof typeof SPANS;

for (const [name, { lengthMs }] of Object.entries(SPANS))
  mustOutlive('the record', RECORD_KEPT_MS, `the span ${name}`, lengthMs);

/** Each entry is the number of a step since the epoch, and what was used in it. Oldest first, without empty steps. */
const windowSchema = z.array(z.tuple([z.int(), z.number()]));
export type Window = z.infer<typeof windowSchema>;

/** What is counted, by span and unit. */
export const windowsSchema = z.record(z.string(), z.record(z.string(), windowSchema));
export type Windows = z.infer<typeof windowsSchema>;

/** A unit that is counted within a span. */
export type Pair = { per: SpanName; of: string };

/** What counts now, and when the oldest of it stops counting (milliseconds since the epoch). */
export type Use = { used: number; freesAt: number | undefined };

/**
 * What was used within the span before `now`. Something used counts for the whole span and up to one step longer, never
 * shorter: no stretch of the span's length holds more than the limit.
 */
export function useOf(windows: Windows, { per, of }: Pair, now: number): Use {
  const kept = current(windows[per]?.[of] ?? [], SPANS[per], now);
  const [oldest] = kept;
  return {
    used: kept.reduce((sum, [, amount]) => sum + amount, 0),
    freesAt: oldest && endOf(oldest[0], SPANS[per]),
  };
}

/** The windows of these pairs, with `amounts` used at `now`. `now` must not run backwards. */
export function addUse(
  windows: Windows,
  pairs: readonly Pair[],
  amounts: Record<string, number>,
  now: number,
): Windows {
  const next: Windows = {};
  for (const { per, of } of pairs) {
    const window = windows[per]?.[of] ?? [];
    (next[per] ??= {})[of] = amounts[of] ? addTo(window, SPANS[per], now, amounts[of]) : window;
  }
  return next;
}

/** The windows of these pairs without `amounts`, which were used at `at` and are free again. */
export function freeUse(
  windows: Windows,
  pairs: readonly Pair[],
  amounts: Record<string, number>,
  at: number,
): Windows {
  const next: Windows = {};
  for (const { per, of } of pairs) {
    const then = Math.floor(at / SPANS[per].stepMs);
    const window = windows[per]?.[of] ?? [];
    (next[per] ??= {})[of] = window.flatMap(([step, used]): Window => {
      const rest = step === then ? used - (amounts[of] ?? 0) : used;
      return rest > 0 ? [[step, rest]] : [];
    });
  }
  return next;
}

/** The windows of these pairs once the clock, which was ahead at `aheadMs`, is back at `now`: what it counted ahead counts from now. */
export function setBack(windows: Windows, pairs: readonly Pair[], aheadMs: number, now: number): Windows {
  const next: Windows = {};
  for (const { per, of } of pairs) {
    const step = Math.floor(now / SPANS[per].stepMs);
    const kept = current(windows[per]?.[of] ?? [], SPANS[per], aheadMs);
    const ahead = kept.filter(([at]) => at >= step).reduce((sum, [, amount]) => sum + amount, 0);
    const window = kept.filter(([at]) => at < step);
    (next[per] ??= {})[of] = ahead > 0 ? [...window, [step, ahead]] : window;
  }
  return next;
}

function addTo(window: Window, span: Span, now: number, amount: number): Window {
  const kept = current(window, span, now);
  const step = Math.floor(now / span.stepMs);
  const last = kept.at(-1);
  if (last?.[0] === step) return [...kept.slice(0, -1), [step, last[1] + amount]];
  return [...kept, [step, amount]];
}

function current(window: Window, span: Span, now: number): Window {
  return window.filter(([step]) => endOf(step, span) > now);
}

function endOf(step: number, { stepMs, lengthMs }: Span): number {
  return (step + 1) * stepMs + lengthMs;
}
