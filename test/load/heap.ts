/** What the shop's Worker and its objects really hold: the JavaScript heap right after a collection of garbage. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { BenchServer } from '../bench/bench-server.ts';

const reply = z.object({ id: z.number(), result: z.looseObject({}).optional(), error: z.looseObject({}).optional() });
const usage = z.object({ usedSize: z.number() });

const TRIES = 100;

/** In bytes. Only for a server that was started with an inspector. */
export async function liveHeap(server: BenchServer): Promise<number> {
  const socket = new WebSocket(new URL('/core:user:shop', await server.inspector()).href);
  await new Promise((done, fail) => {
    socket.addEventListener('open', done, { once: true });
    socket.addEventListener('error', () => fail(new Error('the inspector does not answer')), { once: true });
  });
  try {
    await ask(socket, 1, 'HeapProfiler.enable');
    // What the first collection finalises, the second one frees.
    await asked(server, ask(socket, 2, 'HeapProfiler.collectGarbage'));
    await asked(server, ask(socket, 3, 'HeapProfiler.collectGarbage'));
    return usage.parse(await ask(socket, 4, 'Runtime.getHeapUsage')).usedSize;
  } finally {
    socket.close();
  }
}

/** A Worker collects when it next has something to do, so it is given something until it has answered. */
async function asked(server: BenchServer, answer: Promise<unknown>): Promise<void> {
  const waiting = new AbortController();
  const done = answer.finally(() => waiting.abort());
  for (let tries = 0; tries < TRIES && !waiting.signal.aborted; tries += 1) {
    await (await server.fetch(`${server.origin}/healthz`)).text();
    await sleep(100);
  }
  if (!waiting.signal.aborted) throw new Error('no garbage was collected');
  await done;
}

function ask(socket: WebSocket, id: number, method: string): Promise<unknown> {
  return new Promise((done, fail) => {
    const listen = ({ data }: MessageEvent) => {
      const message = reply.safeParse(JSON.parse(String(data)));
      if (message.data?.id !== id) return;
      socket.removeEventListener('message', listen);
      if (message.data.error) fail(new Error(`${method}: ${JSON.stringify(message.data.error)}`));
      else done(message.data.result);
    };
    socket.addEventListener('message', listen);
    socket.send(JSON.stringify({ id, method }));
  });
}
