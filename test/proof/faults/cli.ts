/**
 * Random failures under load, checked by a model of its own.
 *
 *   pnpm prove faults [--calls <number>] [--from <seed>] [--seed <seed> [--short tight|generous|any]]
 *   pnpm prove faults --sign-ins <number> [--from <seed>]
 *
 * `--calls` is how many calls there are at least (100,000), `--from` the seed of the first scenario (a new one each time);
 * `--seed` plays that one scenario alone, with `--short` as the tests play it. `--sign-ins` plays that many sign-ins
 * instead, whose every request lands at another place of a slow KV. Exits 0 only when nothing was violated.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const MOST_SEEDS = 2 ** 31;
/** Characters of the runtime's own messages that are shown when a run fails. */
const LAST_WORDS = 3000;

const { values } = parseArgs({
  options: {
    calls: { type: 'string' },
    from: { type: 'string' },
    seed: { type: 'string' },
    short: { type: 'string' },
    'sign-ins': { type: 'string' },
  },
});
const calls = whole('calls', values.calls ?? '100000');
const signIns = values['sign-ins'] === undefined ? 0 : whole('sign-ins', values['sign-ins']);
const first = whole('seed', values.seed ?? values.from ?? String(Math.floor(Math.random() * MOST_SEEDS)));
console.log(
  signIns > 0
    ? `${signIns.toLocaleString('en')} sign-ins from everywhere, from seed ${first} on.`
    : values.seed === undefined
      ? `At least ${calls.toLocaleString('en')} calls, from seed ${first} on.`
      : `Seed ${first} alone.`,
);

const vitest = join('node_modules', 'vitest', 'vitest.mjs');
const child = spawn(process.execPath, [vitest, 'run', '--config', 'test/proof/faults/vitest.config.ts'], {
  cwd: ROOT,
  // The runtime tells of every object that is ended here, and each is ended on purpose: only the reporter is shown, which
  // has a way out of its own.
  stdio: ['ignore', 'pipe', 'pipe', 1],
  env: {
    ...process.env,
    FAULTS_OUTPUT: '3',
    VITE_FAULTS_CALLS: String(calls),
    VITE_FAULTS_SEED: String(first),
    VITE_FAULTS_SIGN_INS: String(signIns),
    ...(values.short !== undefined && { VITE_FAULTS_SHORT: values.short }),
    ...(values.seed !== undefined && { VITE_FAULTS_ONLY: '1', VITE_FAULTS_CALLS: '1' }),
  },
});
let said = '';
for (const stream of [child.stdout, child.stderr])
  stream?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-LAST_WORDS)));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
child.on('close', (code) => {
  process.exitCode = code ?? 1;
  if (process.exitCode !== 0) console.error(`\nThe runtime's last words:\n${said}`);
});

function whole(name: string, value: string): number {
  if (/^\d{1,10}$/.test(value) && Number(value) > 0 && Number(value) < 2 ** 32) return Number(value);
  console.error(`--${name} is a whole number above 0 and below 2^32, not "${value}".`);
  process.exit(1);
}
