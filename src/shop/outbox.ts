/** Brings orders to KV: at once when KV answers, and through jobs that survive everything when it does not. */
import { z } from 'zod';
import { logError } from '../log.ts';
import type { OrderBook } from './orders.ts';

/** One try to come: which order, and how many tries have failed before. */
export const deliveryJobSchema = z.object({ orderId: z.string(), attempt: z.int() });
export type DeliveryJob = z.infer<typeof deliveryJobSchema>;

/** The object's scheduler, as far as the outbox needs it. */
export type Jobs = {
  /** Runs the job in so many seconds, whatever happens to the object; returns its id. */
  arm(seconds: number, job: DeliveryJob): Promise<string>;
  cancel(id: string): Promise<unknown>;
  list(): Promise<DeliveryJob[]>;
};

/** How long a call or a job waits for KV, in milliseconds. A write that takes longer goes on by itself. */
const PATIENCE = 2000;

/** Seconds until the next try: 5, 10, 20 and so on, an hour at most. */
export function backOff(attempt: number): number {
  return Math.min(5 * 2 ** attempt, 3600);
}

export class Outbox {
  readonly #orders: OrderBook;
  readonly #kv: KVNamespace;
  readonly #jobs: Jobs;

  constructor(orders: OrderBook, kv: KVNamespace, jobs: Jobs) {
    this.#orders = orders;
    this.#kv = kv;
    this.#jobs = jobs;
  }

  /**
   * Delivers an order whose row has just changed. Its job is armed first, so nothing that happens now loses it.
   * Does not throw: the order stands, and start-up finds it when not even the job could be armed.
   */
  async send(orderId: string): Promise<void> {
    const job = await this.#arm(orderId, 0);
    if (!(await this.#write(orderId))) {
      if (job === undefined) await this.#arm(orderId, 0);
      return;
    }
    // A job that stays finds nothing to do.
    if (job !== undefined) await this.#jobs.cancel(job).catch((error: unknown) => failed(orderId, error));
  }

  /** What a job does. A job that throws would be dropped, so this does not throw: it arms the next one. */
  async retry({ orderId, attempt }: DeliveryJob): Promise<void> {
    if (!(await this.#write(orderId))) await this.#arm(orderId, attempt + 1);
  }

  /** At start-up: arms a job for every pending order that has none, because the object died between the two. */
  async recover(): Promise<void> {
    const pending = this.#orders.pending();
    if (pending.length === 0) return;
    const armed = new Set((await this.#jobs.list()).map(({ orderId }) => orderId));
    for (const orderId of pending) if (!armed.has(orderId)) await this.#arm(orderId, 0);
  }

  /** The job's id, or undefined when the scheduler refused. */
  async #arm(orderId: string, attempt: number): Promise<string | undefined> {
    try {
      return await this.#jobs.arm(backOff(attempt), { orderId, attempt });
    } catch (error) {
      failed(orderId, error);
      return undefined;
    }
  }

  /** Writes the order as it is now. False when KV refused or did not answer in time, or the row changed meanwhile. */
  async #write(orderId: string): Promise<boolean> {
    const copy = this.#orders.copyOf(orderId);
    if (!copy) return true;
    const written = this.#kv.put(copy.key, copy.value, { expirationTtl: copy.ttl }).then(
      async () => {
        if (this.#orders.copied(orderId, copy.version)) return true;
        // Possibly an old write that came in last: the row must be written once more, and its job may be gone.
        await this.#arm(orderId, 0);
        return false;
      },
      (error: unknown) => {
        failed(orderId, error);
        return false;
      },
    );
    return within(PATIENCE, written, () => failed(orderId, `KV gave no answer within ${PATIENCE} ms`));
  }
}

function failed(orderId: string, error: unknown): void {
  logError('order_delivery_failed', error, { orderId });
}

/** The promise's value, or false once the time is over, which `late` is told. */
async function within(milliseconds: number, promise: Promise<boolean>, late: () => void): Promise<boolean> {
  const { promise: over, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => {
    late();
    resolve(false);
  }, milliseconds);
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}
