/** Brings orders to KV: at once when KV answers, and through jobs that survive everything when it does not. */
import { z } from 'zod';
import { logError } from '../log.ts';
import { within } from '../within.ts';
import type { OrderBook } from './orders.ts';

/** One try to come: which order, or all that wait, and how many tries have failed before. */
export const deliveryJobSchema = z.object({ orderId: z.string().optional(), attempt: z.int() });
export type DeliveryJob = z.infer<typeof deliveryJobSchema>;

/** The object's scheduler, as far as the outbox needs it. */
export type Jobs = {
  /** Runs the job in so many seconds, whatever happens to the object; returns its id. */
  arm(seconds: number, job: DeliveryJob): Promise<string>;
  cancel(id: string): Promise<unknown>;
  list(): Promise<DeliveryJob[]>;
};

/**
 * A write under way: when it began, in milliseconds, and whether the order is through once it has ended. `overlapped` is
 * set when an older one, given up before, ended meanwhile: nobody knows which of the two KV has.
 */
type Write = { since: number; done: Promise<boolean>; overlapped: boolean };

/** How long a call or a job waits for KV, in milliseconds. A write that takes longer goes on by itself. */
const PATIENCE = 2000;

/** Orders that one job brings to KV at most, and how many at a time. */
const SWEEP = 200;
const AT_A_TIME = 20;

/** Milliseconds after which a write that has not answered is given up, and the next one goes ahead. */
const GIVEN_UP = 60_000;

/** Seconds until the next try: 5, 10, 20 and so on, an hour at most. */
export function backOff(attempt: number): number {
  return Math.min(5 * 2 ** attempt, 3600);
}

export class Outbox {
  readonly #orders: OrderBook;
  readonly #kv: KVNamespace;
  readonly #jobs: Jobs;
  /** Writes without an answer yet, one for each order: KV keeps no order between two that overlap. */
  readonly #writing = new Map<string, Write>();

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
    if (orderId === undefined) return this.#sweep(attempt);
    if (!(await this.#write(orderId))) await this.#arm(orderId, attempt + 1);
  }

  /** Arms one job for all pending orders that have none: the object died between the two, or they were deleted. */
  async recover(): Promise<void> {
    const pending = this.#orders.pending();
    if (pending.length === 0) return;
    const armed = new Set((await this.#jobs.list()).map(({ orderId }) => orderId));
    if (armed.has(undefined) || pending.every((orderId) => armed.has(orderId))) return;
    await this.#arm(undefined, 0);
  }

  async #sweep(attempt: number): Promise<void> {
    const pending = this.#orders.pending();
    let failures = 0;
    for (let start = 0; start < Math.min(pending.length, SWEEP) && failures === 0; start += AT_A_TIME) {
      const written = await Promise.all(pending.slice(start, start + AT_A_TIME).map((id) => this.#write(id)));
      failures += written.filter((done) => !done).length;
    }
    if (failures > 0) await this.#arm(undefined, attempt + 1);
    else if (pending.length > SWEEP) await this.#arm(undefined, 0);
  }

  /** The job's id, or undefined when the scheduler refused. */
  async #arm(orderId: string | undefined, attempt: number): Promise<string | undefined> {
    try {
      return await this.#jobs.arm(backOff(attempt), orderId === undefined ? { attempt } : { orderId, attempt });
    } catch (error) {
      failed(orderId ?? 'all that wait', error);
      return undefined;
    }
  }

  /** Brings the order to KV as it is now. False when KV refused or did not answer in time, or the row changed meanwhile. */
  async #write(orderId: string): Promise<boolean> {
    for (let before = this.#writing.get(orderId); before; before = this.#writing.get(orderId)) {
      if (Date.now() >= before.since + GIVEN_UP) break;
      const settled = before.done.then(() => true);
      if (!(await within(PATIENCE, settled, () => overdue(orderId)))) return false;
    }
    const copy = this.#orders.copyOf(orderId);
    if (!copy) return true;
    const write: Write = { since: Date.now(), done: Promise.resolve(true), overlapped: false };
    this.#writing.set(orderId, write);
    const sent = copy.value === undefined ? this.#kv.delete(copy.key) : this.#put(copy.key, copy.value, copy.ttl);
    write.done = sent.then(
      () => this.#settle(orderId, write, () => this.#orders.copied(orderId, copy.version)),
      (error: unknown) => {
        failed(orderId, error);
        return this.#settle(orderId, write, () => false);
      },
    );
    return within(PATIENCE, write.done, () => overdue(orderId));
  }

  /** A write has ended, well or not; `ended` is what comes of it when nobody has given it up meanwhile. */
  async #settle(orderId: string, write: Write, ended: () => boolean): Promise<boolean> {
    const latest = this.#writing.get(orderId);
    if (latest === write) {
      this.#writing.delete(orderId);
      return !write.overlapped && ended();
    }
    if (latest) latest.overlapped = true;
    // It was given up and may have come in after all, over a newer one, even if KV says that it failed: the row is
    // written once more.
    this.#orders.copyAgain(orderId);
    await this.#arm(orderId, 0);
    return false;
  }

  async #put(key: string, value: string, expirationTtl: number): Promise<void> {
    await this.#kv.put(key, value, { expirationTtl });
  }
}

function overdue(orderId: string): false {
  failed(orderId, `KV gave no answer within ${PATIENCE} ms`);
  return false;
}

function failed(orderId: string, error: unknown): void {
  logError('order_delivery_failed', error, { orderId });
}
