/** The sum of many scenarios. */
import type { Report } from './scenario.ts';

export type Totals = Omit<Report, 'seed' | 'violations'> & {
  /** The first and the last seed. */
  seeds: [number, number] | undefined;
  scenarios: number;
  /** Each with the seed that shows it again. */
  violations: { seed: number; violation: string }[];
};

export const EMPTY: Totals = {
  seeds: undefined,
  scenarios: 0,
  calls: 0,
  outcomes: {},
  acts: {},
  questions: {},
  faults: {},
  orders: 0,
  lines: 0,
  checks: 0,
  violations: [],
};

export function add(totals: Totals, { seed, violations, ...report }: Report): Totals {
  return merge(totals, {
    ...report,
    seeds: [seed, seed],
    scenarios: 1,
    violations: violations.map((violation) => ({ seed, violation })),
  });
}

export function merge(one: Totals, other: Totals): Totals {
  const seeds = [...(one.seeds ?? []), ...(other.seeds ?? [])];
  return {
    seeds: seeds.length > 0 ? [Math.min(...seeds), Math.max(...seeds)] : undefined,
    scenarios: one.scenarios + other.scenarios,
    calls: one.calls + other.calls,
    outcomes: summed(one.outcomes, other.outcomes),
    acts: summed(one.acts, other.acts),
    questions: summed(one.questions, other.questions),
    faults: summed(one.faults, other.faults),
    orders: one.orders + other.orders,
    lines: one.lines + other.lines,
    checks: one.checks + other.checks,
    violations: [...one.violations, ...other.violations],
  };
}

function summed(one: Record<string, number>, other: Record<string, number>): Record<string, number> {
  const all = { ...one };
  for (const [name, count] of Object.entries(other)) all[name] = (all[name] ?? 0) + count;
  return all;
}
