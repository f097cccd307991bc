/**
 * Faults under load, in short: what `pnpm faults` plays for long, with every fault there is. One scenario is always the
 * same, as far as it can be, and one is new each time; a failure names its seed.
 */
import { expect, test } from 'vitest';
import { play } from './scenario.ts';

const ALWAYS = 1;
const NEW = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
const ROUNDS = 6;

test.each([ALWAYS, NEW])(
  'whatever fails under load, nothing is lost or doubled, over a limit or after a pause: seed %i',
  { timeout: 120_000 },
  async (seed) => {
    const { violations, outcomes, faults } = await play(seed, { rounds: ROUNDS });
    expect(violations).toEqual([]);
    // What nothing happened in shows nothing.
    expect(outcomes['allowed']).toBeGreaterThan(0);
    expect(Object.keys(faults).length).toBeGreaterThan(6);
  },
);
