/** The long run of `pnpm prove faults`: batches of scenarios, each scenario with a seed of its own. */
import { expect, test } from 'vitest';
import { MOODS } from './choices.ts';
import { play, type Report } from './scenario.ts';
import { add, EMPTY, type Totals } from './totals.ts';

/** The command passes what it was asked for on to here. */
const CALLS = Number(process.env['VITE_FAULTS_CALLS'] ?? 100_000);
const BATCH = Number(process.env['VITE_FAULTS_BATCH'] ?? 5000);
const FIRST_SEED = Number(process.env['VITE_FAULTS_SEED'] ?? 1);
/** One scenario alone, again. */
const ONLY = process.env['VITE_FAULTS_ONLY'] !== undefined;
const SHORT = MOODS.find((mood) => mood === process.env['VITE_FAULTS_SHORT']);

declare module 'vitest' {
  interface TaskMeta {
    faults?: Totals;
  }
}

let seed = FIRST_SEED;
let made = 0;

/** Milliseconds after which a batch that hangs is given up. */
const GIVEN_UP = 30 * 60_000;

for (let batch = 1; batch <= Math.ceil(CALLS / BATCH); batch += 1) {
  test(`batch ${batch}`, { timeout: GIVEN_UP }, async ({ task }) => {
    let totals: Totals = EMPTY;
    const end = Math.min(batch * BATCH, CALLS);
    while (made < end) {
      const report = await attempt(seed);
      totals = add(totals, report);
      task.meta.faults = totals;
      made += report.calls;
      seed += 1;
      if (ONLY) break;
    }
    expect(totals.violations).toEqual([]);
  });
}

/** A scenario that breaks is a violation too: it does not end the run. */
async function attempt(number: number): Promise<Report> {
  try {
    return await play(number, SHORT);
  } catch (error) {
    const violations = [`the scenario itself broke: ${error instanceof Error ? error.stack : String(error)}`];
    return { seed: number, calls: 1, outcomes: {}, acts: {}, faults: {}, orders: 0, lines: 0, checks: 0, violations };
  }
}
