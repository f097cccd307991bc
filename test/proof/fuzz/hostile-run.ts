/** One run: the people, the requests in batches, the properties of each answer, and what must hold at the end. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { startShop } from '../bench/bench-server.ts';
import { Aftermath } from './aftermath.ts';
import { mcpRequest } from './mcp-requests.ts';
import { flat } from './memory.ts';
import { oauthRequest } from './oauth-requests.ts';
import { pageRequest } from './page-requests.ts';
import { failure, problemWith } from './properties.ts';
import { type Answer, describe, type HostileRequest } from './request.ts';
import { DEPUTIES, Scene } from './fuzz-scene.ts';
import { Tally } from './tally.ts';
import { Wire } from './wire.ts';

/** Requests that are under way at the same time. */
const BATCH = 16;
/** Batches that may be tried to make a failing one smaller. */
const SHRINKING = 100;

export type RunOptions = {
  requests: number;
  seed: number;
  say: (line: string) => void;
  /** The bundle to serve instead of the one of `src/index.ts`. */
  script?: string;
};

const request: fc.Arbitrary<HostileRequest> = fc.oneof(
  { weight: 10, arbitrary: mcpRequest(DEPUTIES) },
  { weight: 5, arbitrary: oauthRequest },
  { weight: 5, arbitrary: pageRequest },
);

/** Sends so many hostile requests and returns what is wrong, in words; nothing when all is well. */
export async function run({ requests, seed, say, script }: RunOptions): Promise<string[]> {
  const data = mkdtempSync(join(tmpdir(), 'mcp-shop-fuzz-'));
  const faults: string[] = [];
  const server = await startShop(script, {
    data,
    onLog: ({ message }) => {
      // What no handler expected is a fault, even where the answer hides it well.
      if (
        /"event":"(request_failed|authkit_unavailable|page_failed|tool_failed|upkeep_failed|object_unreachable)"/.test(
          message,
        )
      )
        faults.push(message);
    },
  });
  const wire = new Wire(Number(new URL(server.origin).port));
  try {
    const scene = await Scene.set(server);
    const aftermath = await Aftermath.before(scene, data);
    const tally = new Tally();
    const start = Date.now();
    const memory: number[] = [];
    let left = SHRINKING;
    let failed = false;
    const details = await fc.check(
      fc.asyncProperty(fc.array(request, { minLength: BATCH, maxLength: BATCH }), async (batch) => {
        if (failed && left-- <= 0) return;
        await scene.between();
        try {
          const sent = await Promise.allSettled(batch.map((one) => send(one, scene, wire, tally)));
          const logged = faults.splice(0);
          const broken = sent.find((one) => one.status === 'rejected');
          if (broken) throw broken.reason;
          if (logged.length > 0)
            throw new Error(
              `the server logged ${logged.slice(0, 3).join('\n')}\nwhile it was asked\n${batch.map(describe).join('\n').slice(0, 8000)}`,
            );
        } catch (error) {
          failed = true;
          throw error;
        }
        memory.push(server.memory().now);
        if (memory.length % 250 === 0)
          say(
            `${String(memory.length * BATCH).padStart(7)} requests, ${((Date.now() - start) / 1000).toFixed(0)} s, workerd holds ${(server.memory().now / 2 ** 20).toFixed(0)} MiB`,
          );
      }),
      { numRuns: Math.ceil(requests / BATCH), seed },
    );
    say(`\n${tally.table()}`);
    if (details.failed)
      return [String(details.errorInstance instanceof Error ? details.errorInstance.message : details.errorInstance)];
    const minutes = (Date.now() - start) / 60_000;
    return [...(await aftermath.problems(tally, minutes, say)), ...flat(memory, say)];
  } finally {
    wire.close();
    await server.stop();
    rmSync(data, { recursive: true, force: true });
  }
}

async function send(one: HostileRequest, scene: Scene, wire: Wire, tally: Tally): Promise<void> {
  let answer: Answer;
  try {
    answer = await wire.send(scene.prepared(one));
  } catch (error) {
    throw failure(`no answer: ${String(error)}`, one);
  }
  scene.took(one, answer);
  tally.add(one, answer.status);
  const problem = problemWith(one, answer, scene);
  if (problem !== undefined) throw failure(problem, one, answer);
}
