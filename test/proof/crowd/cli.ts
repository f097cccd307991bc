/**
 * `pnpm prove crowd`: how long a human waits for the answer to their pause while three of their deputies send 200 requests
 * each at once, of mixed kinds, beside how long they wait when nothing else happens.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { ERAS } from '../../../src/dev/clients.ts';
import { startShop } from '../bench/bench-server.ts';
import { PURCHASE } from '../bench/contestants.ts';
import { median } from '../bench/measure.ts';
import { connecting, message, toolCall } from '../bench/raw-client.ts';
import { machine, table } from '../bench/tables.ts';
import type { Answers, Plan } from './flood.ts';

const [DEPUTIES, REQUESTS, WARM_UP, ROUNDS, AT_MOST] = [3, 200, 3, 10, 5];
/** Milliseconds in which the server gets to rest. */
const REST_MS = 300;

const answersSchema: z.ZodType<Answers> = z.array(z.object({ at: z.number(), status: z.number() }));

const server = await startShop();
const human = server.person('crowd@example.com');
const tokens: string[] = [];
for (let number = 1; number <= DEPUTIES; number += 1)
  tokens.push((await server.deputyOf(human, '2025-11-25', `Deputy ${number}`)).accessToken);
const { origin } = server;
const flooding = new Worker(join(import.meta.dirname, 'flood.ts'), {
  workerData: { origin, requests: tokens.flatMap(requestsOf) } satisfies Plan,
});

try {
  const form = await pauseForm();
  // Afterwards what is compiled at first use is compiled, and the connections are open.
  let length = Infinity;
  for (let number = 0; number < WARM_UP; number += 1) {
    const begun = Date.now();
    length = Math.min(length, lengthOf(begun, await flood()));
    await pressPause(form);
    await resume();
  }
  const [alone, crowded, rows]: [number[], number[], string[][]] = [[], [], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    alone.push((await pressPause(form)).milliseconds);
    await resume();
    const begun = Date.now();
    const answers = flood();
    // The moments are spread evenly over a flood, and mixed.
    const moment = Math.round((length * (((round * 3) % ROUNDS) + 0.5)) / ROUNDS);
    await sleep(moment);
    const { milliseconds, from, until } = await pressPause(form);
    crowded.push(milliseconds);
    const all = await answers;
    const took = lengthOf(begun, all);
    length = Math.min(length, took);
    const meanwhile = all.filter(({ at }) => at > from && at < until);
    const served = (some: Answers) => some.filter(({ status }) => status !== 429).length;
    rows.push([
      `${moment} of ${took}`,
      `${alone.at(-1)?.toFixed(1)}`,
      milliseconds.toFixed(1),
      `${served(meanwhile)} and ${meanwhile.length - served(meanwhile)}`,
      `${served(all)} and ${all.length - served(all)}`,
    ]);
    await sleep(REST_MS);
  }
  const ratio = median(crowded) / median(alone);
  console.log(machine(server.pid));
  console.log(
    `\n${table(['pressed at, ms', 'alone, ms', 'in the flood, ms', 'served and refused meanwhile', 'of all'], rows)}\n`,
  );
  console.log(
    `Median of ${ROUNDS}: ${median(alone).toFixed(1)} ms alone, ${median(crowded).toFixed(1)} ms in the flood: ${ratio.toFixed(1)} times, at most ${AT_MOST} wanted.`,
  );
  process.exitCode = ratio <= AT_MOST ? 0 : 1;
} finally {
  await flooding.terminate();
  await server.stop();
}

/** Requests of every kind that a deputy can send, in turn. */
function requestsOf(token: string): Plan['requests'] {
  const posts = ERAS.flatMap((era) => [
    ...connecting(era, token),
    message(era, token, 'ping'),
    toolCall(era, token, 'listMcpShopInventory'),
    toolCall(era, token, 'buyMcpShopItem', PURCHASE),
  ]).map((post) => ({ method: 'POST' as const, ...post }));
  const { headers } = message('2025-11-25', token, 'ping');
  const others = (['GET', 'DELETE'] as const).map((method) => ({ method, headers, body: null }));
  const kinds = [...posts, ...others];
  return Array.from({ length: REQUESTS }, (_, index) => kinds[index % kinds.length] ?? []).flat();
}

async function flood(): Promise<Answers> {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread of Node has no origin
  flooding.postMessage('now');
  const [answers] = await once(flooding, 'message');
  return answersSchema.parse(answers);
}

/** From its first request to its last answer, in milliseconds. */
function lengthOf(begun: number, answers: Answers): number {
  return Math.round(Math.max(...answers.map(({ at }) => at)) - begun);
}

/** What the human's browser sends with the red button. */
async function pauseForm(): Promise<RequestInit> {
  const { html } = await human.browser.open('/deputies');
  const [, token = ''] = /name="form" value="([^"]+)"/.exec(html) ?? [];
  const cookie = [...human.browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  return {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie, origin },
    body: new URLSearchParams({ form: token }),
  };
}

/** Presses it, until the answer has come. */
async function pressPause(form: RequestInit) {
  const from = performance.timeOrigin + performance.now();
  const { status, body } = await server.fetch(`${origin}/deputies/pause`, form);
  await body?.cancel();
  if (status !== 303) throw new Error(`the pause was answered with HTTP ${status}`);
  const until = performance.timeOrigin + performance.now();
  return { from, until, milliseconds: until - from };
}

async function resume(): Promise<void> {
  await human.browser.press(await human.browser.open('/deputies/resume'), 'Let these go on');
  await sleep(REST_MS);
}
