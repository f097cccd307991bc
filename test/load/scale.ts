/**
 * `pnpm scale`: many humans with two deputies each sign in and shop for a while, and then leave the server alone.
 * Prints throughput and memory over time, what is stored of each, and what a quiet one costs.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ERAS } from '../../src/dev/clients.ts';
import { startShop } from '../bench/bench-server.ts';
import { RawClient } from '../bench/raw-client.ts';
import { Clock } from './clock.ts';
import { shopFor } from './mix.ts';
import { footprints, kvEntries, quietCost, summary } from './footprint.ts';
import { appoint, registerClient, type Shopper } from './shopper.ts';

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '5000' },
    minutes: { type: 'string', default: '10' },
    idle: { type: 'string', default: '60' },
  },
});
const [users, minutes, idle] = [Number(values.users), Number(values.minutes), Number(values.idle)];
if (![users, minutes, idle].every((value) => value > 0)) {
  console.log('Usage: pnpm scale [--users 5000] [--minutes 10] [--idle 60]');
  process.exit(2);
}

/** People who sign in, and agents that call, at the same time. */
const AT_ONCE = 16;
/** A new human's deputies call at least this often, so that what is stored is of people who shop. */
const problems: string[] = [];

const data = mkdtempSync(join(tmpdir(), 'mcp-shop-scale-'));
const server = await startShop(undefined, {
  data,
  onLog: ({ level, message }) => {
    if (level === 'error' && problems.length < 20) problems.push(`the server logged ${message}`);
  },
});
const client = new RawClient(server.origin, AT_ONCE);
const clock = new Clock(server);
try {
  console.log(`${users.toLocaleString('en')} humans with two deputies each, at most ${minutes} minutes.`);
  const clients = await Promise.all(['Laptop', 'Phone'].map((name) => registerClient(server, name)));

  // A few first, so that "before" is a server that is warm and has nobody to remember.
  for (let index = 0; index < 20; index += 1) await signIn(`warm-up-${index}@scale.example`);
  const before = clock.memory();

  console.log('\nSigning in: sign-in at AuthKit, consent page, Allow, code and token, for each deputy.');
  const shoppers: Shopper[] = [];
  // Half of the time for signing in at most; who did not get in by then is said.
  const signInUntil = Date.now() + minutes * 60_000 * 0.6;
  const end = Date.now() + minutes * 60_000;
  clock.start('deputies', () => shoppers.length * 2);
  let next = 0;
  await together(async () => {
    while (next < users && Date.now() < signInUntil) shoppers.push(await signIn(`human-${(next += 1)}@scale.example`));
  });
  clock.stop();
  if (shoppers.length < users) problems.push(`only ${shoppers.length} of ${users} humans could sign in within the time`);
  const signedIn = clock.memory();

  console.log('\nShopping: what the agents of all of them do, in random order.');
  const counts = new Map<string, number>();
  let calls = 0;
  clock.start('calls', () => calls);
  await together(async (lane) => {
    for (let turn = lane; Date.now() < end; turn += AT_ONCE) {
      const shopper = shoppers[turn % shoppers.length];
      if (!shopper) break;
      // One deputy of a human at a time is never a limit here: each lane has humans of its own.
      for (const outcome of await shopFor(shopper, server, client)) {
        calls += 1;
        counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
        if (outcome.startsWith('FAULT') && problems.length < 20) problems.push(outcome);
      }
    }
  });
  clock.stop();
  const shopped = clock.memory();
  for (const [outcome, count] of [...counts].toSorted(([one], [other]) => one.localeCompare(other)))
    console.log(`  ${outcome.padEnd(48)} ${count}`);

  console.log(`\nIdle for ${idle} seconds.`);
  await client.close();
  const logged = server.logged;
  await sleep(idle * 1000);
  const after = clock.memory();
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  console.log(
    `Memory of workerd: ${mib(before)} before anybody came, ${mib(signedIn)} after the sign-ins, ${mib(shopped)} after the shopping, ${mib(after)} after the idle time.`,
  );

  problems.push(...summary(footprints(data)));
  problems.push(...(await quietCost(server, data, idle)));
  await kvEntries(server, shoppers.length);
} finally {
  await server.stop();
  rmSync(data, { recursive: true, force: true });
}
for (const problem of problems) console.log(`\nPROBLEM: ${problem}`);
process.exitCode = problems.length > 0 ? 1 : 0;

async function signIn(email: string): Promise<Shopper> {
  const person = server.person(email);
  const deputies: Shopper['deputies'] = [];
  for (const [index, era] of ERAS.entries()) deputies.push({ era, token: await appoint(server, person, clients[index] ?? '') });
  return { email, person, deputies, paused: false };
}

async function together(work: (lane: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: AT_ONCE }, (_, lane) => work(lane)));
}
