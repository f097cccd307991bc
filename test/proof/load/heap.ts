/** What the shop's Worker and its objects really hold: the JavaScript heap right after a collection of garbage. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { BenchServer } from '../bench/bench-server.ts';

const reply = z.object({ id: z.number(), result: z.looseObject({}).optional(), error: z.looseObject({}).optional() });
const usage = z.object({ usedSize: z.number() });

/** Milliseconds for the inspector to answer. */
const PATIENCE = 30_000;

export class Heap {
  readonly #server: BenchServer;
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, z.infer<typeof reply>>();
  #asked = 0;

  private constructor(server: BenchServer, socket: WebSocket) {
    this.#server = server;
    this.#socket = socket;
    socket.addEventListener('message', ({ data }: MessageEvent) => {
      const message = reply.safeParse(JSON.parse(String(data)));
      if (message.success) this.#answers.set(message.data.id, message.data);
    });
  }

  /** Only for a server that was started with an inspector. One connection for all questions: a second one can stay mute. */
  static async open(server: BenchServer): Promise<Heap> {
    const socket = new WebSocket(new URL('/core:user:shop', await server.inspector()).href);
    await new Promise((done, fail) => {
      socket.addEventListener('open', done, { once: true });
      socket.addEventListener('error', () => fail(new Error('the inspector does not answer')), { once: true });
    });
    const heap = new Heap(server, socket);
    await heap.#ask('HeapProfiler.enable');
    return heap;
  }

  /** In bytes. */
  async used(): Promise<number> {
    // What the first collection finalises, the second one frees.
    await this.#ask('HeapProfiler.collectGarbage');
    await this.#ask('HeapProfiler.collectGarbage');
    return usage.parse(await this.#ask('Runtime.getHeapUsage')).usedSize;
  }

  close(): void {
    this.#socket.close();
  }

  /** A Worker listens to its inspector when it has something to do, so it is given something until the answer has come. */
  async #ask(method: string): Promise<unknown> {
    this.#asked += 1;
    const id = this.#asked;
    this.#socket.send(JSON.stringify({ id, method }));
    for (const start = Date.now(); !this.#answers.has(id);) {
      if (Date.now() - start > PATIENCE) throw new Error(`the inspector gave no answer to ${method}`);
      await (await this.#server.fetch(`${this.#server.origin}/healthz`)).text();
      await sleep(50);
    }
    const answer = this.#answers.get(id);
    if (answer?.error) throw new Error(`${method}: ${JSON.stringify(answer.error)}`);
    return answer?.result;
  }
}
