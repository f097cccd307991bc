/**
 * `pnpm prove load`: many humans with two deputies each sign in and shop for a while, and then leave the server alone.
 * Prints throughput and memory over time, what is stored of each, and what a quiet one costs.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ERAS } from '../../../src/dev/clients.ts';
import { startShop } from '../bench/bench-server.ts';
import { RawClient } from '../bench/raw-client.ts';
import { Clock, mib } from './clock.ts';
import { footprints, openObjects, sayEntries, sayFootprints } from './footprint.ts';
import { Heap } from './heap.ts';
import { carryOut, visits } from './mix.ts';
import { appoint, registerClient, type Shopper } from './shopper.ts';

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '5000' },
    minutes: { type: 'string', default: '10' },
    idle: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
  },
});
const [users, minutes, idle, seed] = [values.users, values.minutes, values.idle, values.seed].map(Number);
if (!users || !minutes || !idle || !seed) {
  console.log('Usage: pnpm prove load [--users 5000] [--minutes 10] [--idle 60] [--seed 1]');
  process.exit(2);
}

/** People who sign in, and agents that call, at the same time. */
const AT_ONCE = 16;
/** Share of the time that the sign-ins may take. */
const SIGN_INS = 0.7;
/** Humans whose deputies never call, and humans who only look at their page. */
const QUIET = 20;
/**
 * Bytes of JavaScript heap that may be left over when all is quiet again: compiled code, and tables of weak references,
 * which keep the size of their fullest moment. Three KiB of each of 5,000 humans would be over it.
 */
const LEFT_OVER = 16 * 2 ** 20;

const problems: string[] = [];
let logged = 0;
const data = mkdtempSync(join(tmpdir(), 'mcp-shop-load-'));
const server = await startShop(undefined, {
  data,
  inspector: true,
  onLog: ({ level, message }) => {
    logged += 1;
    if (level === 'error') problem(`the server logged ${message}`);
  },
});
const heap = await Heap.open(server);
const client = new RawClient(server.origin, AT_ONCE);
const clock = new Clock(server);
try {
  const apps = await Promise.all(['Laptop', 'Phone'].map((name) => registerClient(server, name)));
  console.log(`${users.toLocaleString('en')} humans with two deputies each, ${minutes} minutes at most, seed ${seed}.`);
  for (let index = 0; index < QUIET; index += 1) {
    await signIn(`quiet-${index}@scale.example`, apps);
    await server.person(`visitor-${index}@scale.example`).walk('/deputies');
  }
  // Objects leave the memory ten seconds after their last call.
  await sleep(15_000);
  const [before, heapBefore] = [clock.memory(), await heap.used()];

  console.log('\nAppointing: sign-in at AuthKit, consent page, Allow, code and token, for each deputy.');
  const end = Date.now() + minutes * 60_000;
  const signInEnd = Date.now() + minutes * 60_000 * SIGN_INS;
  const shoppers: Shopper[] = [];
  let begun = 0;
  clock.start('deputies', () => shoppers.length * ERAS.length);
  await together(AT_ONCE, async () => {
    while (begun < users && Date.now() < signInEnd) {
      begun += 1;
      shoppers.push(await signIn(`human-${begun}@scale.example`, apps));
    }
  });
  clock.stop();
  if (shoppers.length < users)
    problem(`only ${shoppers.length} of ${users} humans had signed in when the time for it was over`);
  const [signedIn, heapSignedIn] = [clock.memory(), await heap.used()];

  console.log('\nShopping: what their agents and they do, in an order that the seed gives.');
  const outcomes = new Map<string, number>();
  let calls = 0;
  const row = visits(seed);
  // Each human is served by one runner alone: nobody presses Resume while another one waits for what the pause does.
  const runners = Math.min(AT_ONCE, shoppers.length);
  if (runners === 0) throw new Error('nobody could sign in');
  clock.start('calls', () => calls);
  await together(runners, async (runner) => {
    const own = shoppers.filter((_, index) => index % runners === runner);
    for (let turn = 0; Date.now() < end; turn += 1) {
      const shopper = own[turn % own.length];
      if (!shopper) throw new Error('a runner without humans');
      const round = Math.floor(turn / own.length);
      calls += 1;
      for (const outcome of await carryOut(row.next().value, shopper, round, client)) {
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        if (outcome.startsWith('FAULT')) problem(outcome);
      }
    }
  });
  clock.stop();
  const [shopped, heapShopped] = [clock.memory(), await heap.used()];
  for (const [outcome, count] of [...outcomes].toSorted(([one], [other]) => one.localeCompare(other)))
    console.log(`  ${String(count).padStart(8)}  ${outcome}`);

  console.log(`\nIdle for ${idle} seconds.`);
  await client.close();
  const open = openObjects(server, data);
  // What was still to be logged of the last calls is not of the idle time.
  await sleep(1000);
  const loggedBefore = logged;
  await sleep(idle * 1000);
  const after = clock.memory();
  const [openAfter, loggedAfter] = [openObjects(server, data), logged];
  const heapAfter = await heap.used();
  console.log(
    `  Objects in memory: ${open} at the end of the shopping, ${openAfter} now. Requests and jobs meanwhile, by the lines they log: ${loggedAfter - loggedBefore}.`,
  );
  console.log(
    `  Memory of workerd: ${mib(before)} before they came, ${mib(signedIn)} when all had signed in, ${mib(shopped)} after the shopping, ${mib(after)} now.`,
  );
  console.log(
    `  Heap of the shop after a collection: ${mib(heapBefore)}, ${mib(heapSignedIn)}, ${mib(heapShopped)}, ${mib(heapAfter)}. (Memory that was collected stays with the process for its next use.)`,
  );
  if (heapAfter > heapBefore + LEFT_OVER)
    problem(`the heap is ${mib(heapAfter)} when all is quiet, and was ${mib(heapBefore)} before anybody came`);
  if (openAfter > 0) problem('objects are in memory that nobody has asked anything for a minute');
  if (loggedAfter > loggedBefore)
    problem(`${loggedAfter - loggedBefore} lines were logged while nobody asked anything`);
  for (const wrong of sayFootprints(footprints(data))) problem(wrong);
  await sayEntries(server);
} finally {
  heap.close();
  await server.stop();
  rmSync(data, { recursive: true, force: true });
}
for (const one of problems) console.log(`\nPROBLEM: ${one}`);
console.log(problems.length === 0 ? '\nNothing leaks, nobody is woken.' : `\n${problems.length} problems.`);
process.exitCode = problems.length > 0 ? 1 : 0;

async function signIn(email: string, apps: readonly string[]): Promise<Shopper> {
  const person = server.person(email);
  const deputies: Shopper['deputies'] = [];
  for (const [index, era] of ERAS.entries())
    deputies.push({ era, token: await appoint(server, person, apps[index] ?? '') });
  return { person, deputies };
}

/** Runs so many of `work` at the same time, each with its number from 0. */
async function together(runners: number, work: (runner: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: runners }, (_, runner) => work(runner)));
}

/** The first ones tell it; a thousand of the same would bury it. */
function problem(text: string): void {
  if (problems.length < 20) problems.push(text);
}
