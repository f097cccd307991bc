/**
 * Faults under load, in short: what `pnpm prove faults` plays for long, with every fault there is. Three scenarios are always
 * the same, as far as they can be, and one is new each time; a failure names its seed and its mood, and
 * `pnpm prove faults --seed 8 --short generous` plays that one alone.
 */
import { expect, test } from 'vitest';
import { play } from './scenario.ts';

const NEW = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;

test.each([
  [5, 'tight'],
  [8, 'generous'],
  [3, 'asking'],
  [NEW, 'any'],
] as const)(
  'whatever fails under load, nothing is lost or doubled, over a limit or after a pause: seed %i, %s',
  { timeout: 120_000 },
  async (seed, mood) => {
    const { violations, outcomes, faults } = await play(seed, mood);
    expect(violations).toEqual([]);
    // What nothing happened in shows nothing.
    expect(outcomes['allowed']).toBeGreaterThan(0);
    expect(Object.keys(faults).length).toBeGreaterThan(6);
  },
);
