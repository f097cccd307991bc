/**
 * `pnpm prove fuzz`: hostile requests of every kind at a running shop, from outside. Reports the first answer that breaks a
 * property, made as small as it goes, or what was sent and what holds at the end.
 */
import { parseArgs } from 'node:util';
import { bundle, changed } from '../bench/bundle.ts';
import { BREAKS } from './breaks.ts';
import { run } from './hostile-run.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string' },
    seed: { type: 'string' },
    'without-guards': { type: 'boolean', default: false },
  },
});
const requests = Number(values.requests ?? (values['without-guards'] ? 4000 : 50_000));
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
if (!Number.isInteger(requests) || requests < 1 || !Number.isInteger(seed)) {
  console.log('Usage: pnpm prove fuzz [--requests 50000] [--seed 1] [--without-guards]');
  process.exit(2);
}
process.exitCode = (await (values['without-guards'] ? fuzzWithoutGuards() : fuzz())) ? 0 : 1;

async function fuzz(): Promise<boolean> {
  console.log(
    `${requests.toLocaleString('en')} hostile requests, seed ${seed}. The same again: pnpm prove fuzz --requests ${requests} --seed ${seed}\n`,
  );
  const faults = await run({ requests, seed, say: console.log });
  for (const fault of faults) console.log(`\nFAULT: ${fault}`);
  console.log(faults.length > 0 ? `\n${faults.length} faults. Seed ${seed}.` : '\nEvery property holds.');
  return faults.length === 0;
}

/** Takes guards out, one at a time: a run that finds nothing then proves nothing. */
async function fuzzWithoutGuards(): Promise<boolean> {
  const script = await bundle('src/index.ts');
  let reported = 0;
  for (const { name, changes } of BREAKS) {
    const [fault] = await run({ requests, seed, say: () => {}, script: changed(script, changes) });
    if (fault !== undefined) reported += 1;
    console.log(
      `${fault === undefined ? 'NOT REPORTED' : 'reported    '} ${name}: ${fault?.split('\n')[0] ?? 'every property held'}`,
    );
  }
  console.log(`\n${reported} of ${BREAKS.length} missing guards are reported, seed ${seed}.`);
  return reported === BREAKS.length;
}
