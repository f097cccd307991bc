/**
 * `pnpm fuzz`: hostile requests of every kind at a running shop, from outside. Reports the first answer that breaks a
 * property, made as small as it goes, or what was sent and what holds at the end.
 */
import { parseArgs } from 'node:util';
import { run } from './run.ts';

const { values } = parseArgs({
  options: { requests: { type: 'string', default: '50000' }, seed: { type: 'string' } },
});
const requests = Number(values.requests);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
if (!Number.isInteger(requests) || requests < 1 || !Number.isInteger(seed)) {
  console.log('Usage: pnpm fuzz [--requests 50000] [--seed 1]');
  process.exit(2);
}
console.log(
  `${requests.toLocaleString('en')} hostile requests, seed ${seed}. The same again: pnpm fuzz --requests ${requests} --seed ${seed}\n`,
);
const problems = await run({ requests, seed, say: console.log });
for (const problem of problems) console.log(`\nFAULT: ${problem}`);
console.log(problems.length > 0 ? `\n${problems.length} faults. Seed ${seed}.` : '\nEvery property holds.');
process.exitCode = problems.length > 0 ? 1 : 0;
