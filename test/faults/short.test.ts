/** Faults under load, in short: two scenarios of the run that `pnpm faults` makes long, one of them new each time. */
import { expect, test } from 'vitest';
import { play } from './scenario.ts';

const NEW = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;

test.each([1, NEW])(
  'whatever fails under load, nothing is lost, doubled, over a limit or after a pause: seed %i',
  async (seed) => {
    const report = await play(seed);
    console.log(JSON.stringify(report, null, 1));
    expect(report.violations).toEqual([]);
  },
);
