/** The long run of `pnpm prove faults`: batches of scenarios, each scenario with a seed of its own. */
import { expect, test, vi } from 'vitest';
import { Chance } from './chance.ts';
import { MOODS } from './choices.ts';
import { signInFarAway, wanderer } from './far-sign-in.ts';
import { Places } from './places.ts';
import { play, type Report } from './scenario.ts';
import { add, EMPTY, type Totals } from './totals.ts';

/** The command passes what it was asked for on to here. */
const CALLS = Number(process.env['VITE_FAULTS_CALLS'] ?? 100_000);
const BATCH = Number(process.env['VITE_FAULTS_BATCH'] ?? 5000);
/** Sign-ins whose every request lands at another place; there are no calls in bad weather when there are such. */
const SIGN_INS = Number(process.env['VITE_FAULTS_SIGN_INS'] ?? 0);
const BATCHES = SIGN_INS > 0 ? 0 : Math.ceil(CALLS / BATCH);
const SIGN_INS_AT_ONCE = 500;
const CLIENTS_OF_ONE_HUMAN = 10;
const FIRST_SEED = Number(process.env['VITE_FAULTS_SEED'] ?? 1);
/** One scenario alone, again. */
const ONLY = process.env['VITE_FAULTS_ONLY'] !== undefined;
const SHORT = MOODS.find((mood) => mood === process.env['VITE_FAULTS_SHORT']);

declare module 'vitest' {
  interface TaskMeta {
    faults?: Totals;
  }
}

const NOTHING = { calls: 0, outcomes: {}, acts: {}, questions: {}, faults: {}, orders: 0, lines: 0, checks: 0 };

let seed = FIRST_SEED;
let made = 0;

/** Milliseconds after which a batch that hangs is given up. */
const GIVEN_UP = 30 * 60_000;

for (let batch = 1; batch <= BATCHES; batch += 1) {
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

for (let left = SIGN_INS; left > 0; left -= SIGN_INS_AT_ONCE) {
  test(`sign-ins, ${left} left`, { timeout: GIVEN_UP }, async ({ task }) => {
    const places = new Places(new Chance(seed));
    places.begin();
    let totals: Totals = EMPTY;
    let human = wanderer(places);
    for (let count = 0; count < Math.min(left, SIGN_INS_AT_ONCE); count += 1) {
      if (count % CLIENTS_OF_ONE_HUMAN === 0) human = wanderer(places);
      const violations = await signInFarAway(places, human);
      totals = add(totals, { ...NOTHING, seed, acts: { 'sign-ins from everywhere': 1 }, violations });
    }
    task.meta.faults = totals;
    seed += 1;
    vi.restoreAllMocks();
    vi.useRealTimers();
    expect(totals.violations).toEqual([]);
  });
}

/** A scenario that breaks is a violation too: it does not end the run. */
async function attempt(number: number): Promise<Report> {
  try {
    return await play(number, SHORT);
  } catch (error) {
    const violations = [`the scenario itself broke: ${error instanceof Error ? error.stack : String(error)}`];
    return { ...NOTHING, seed: number, calls: 1, violations };
  }
}
