/** Brings effects to where the domain copies them: at once when that answers, and through jobs when it does not. */
import { logError } from '../log.ts';
import { within } from '../within.ts';
import type { Effect, Effects } from './effects.ts';
import { armed, backOffSeconds, type JobOf, type Jobs } from './jobs.ts';
import type { Pending } from './pending.ts';

/** Copies an effect to where the domain wants it, or deletes that copy when the effect is gone. */
export type Deliver = (id: string, effect: Effect | undefined) => Promise<void>;

/**
 * A delivery under way: when it began, in milliseconds, and whether the effect is through once it has ended. `overlapped`
 * is set when an older one, given up before, ended after it began: the copy may be either's.
 */
type Delivery = { since: number; done: Promise<boolean>; overlapped: boolean };

/** Milliseconds a call or a job waits for a delivery. One that takes longer goes on by itself. */
const PATIENCE_MS = 2000;

/** Effects that one job delivers at most, and how many of them at the same time. */
const MAX_SWEPT = 200;
const AT_THE_SAME_TIME = 20;

/** Milliseconds after which a delivery without an answer is given up, and the next one goes ahead. */
const GIVEN_UP_MS = 60_000;

export class Outbox {
  readonly #effects: Effects;
  readonly #pending: Pending;
  readonly #deliver: Deliver;
  readonly #jobs: Jobs;
  /** Deliveries without an answer yet, one for each effect: two that overlap may arrive in either order. */
  readonly #underWay = new Map<string, Delivery>();

  constructor({ effects, pending }: { effects: Effects; pending: Pending }, deliver: Deliver, jobs: Jobs) {
    this.#effects = effects;
    this.#pending = pending;
    this.#deliver = deliver;
    this.#jobs = jobs;
  }

  /**
   * Delivers an effect whose row has just changed. Its job is armed first, so nothing that happens now loses it.
   * Does not throw: the effect stands, and start-up finds it when not even the job could be armed.
   */
  async send(effectId: string): Promise<void> {
    const job = await this.#arm(effectId, 0);
    if (!(await this.#write(effectId))) {
      if (job === undefined) await this.#arm(effectId, 0);
      return;
    }
    // A job that stays finds nothing to do.
    if (job !== undefined) await this.#jobs.cancel(job).catch((error: unknown) => failed(effectId, error));
  }

  /** What a job does. A job that throws would be dropped, so this does not throw: it arms the next one. */
  async retry({ effectId, attempt }: JobOf<'deliver'>): Promise<void> {
    if (effectId === undefined) return this.#sweep(attempt);
    if (!(await this.#write(effectId))) await this.#arm(effectId, attempt + 1);
  }

  /** Arms one job for all effects that wait without one: the object died between the two, or they were deleted. */
  async recover(): Promise<void> {
    const pending = this.#pending.ids();
    if (pending.length === 0) return;
    const known = new Set((await armed(this.#jobs, 'deliver')).map(({ job }) => job.effectId));
    if (known.has(undefined) || pending.every((id) => known.has(id))) return;
    await this.#arm(undefined, 0);
  }

  async #sweep(attempt: number): Promise<void> {
    const pending = this.#pending.ids();
    let failures = 0;
    for (let start = 0; start < Math.min(pending.length, MAX_SWEPT) && failures === 0; start += AT_THE_SAME_TIME) {
      const written = await Promise.all(pending.slice(start, start + AT_THE_SAME_TIME).map((id) => this.#write(id)));
      failures += written.filter((done) => !done).length;
    }
    if (failures > 0) await this.#arm(undefined, attempt + 1);
    else if (pending.length > MAX_SWEPT) await this.#arm(undefined, 0);
  }

  /** The job's id, or undefined when the scheduler refused. */
  async #arm(effectId: string | undefined, attempt: number): Promise<string | undefined> {
    try {
      const job = { kind: 'deliver' as const, attempt, ...(effectId !== undefined && { effectId }) };
      return await this.#jobs.arm(backOffSeconds(attempt), job);
    } catch (error) {
      failed(effectId ?? 'all that wait', error);
      return undefined;
    }
  }

  /** Delivers the effect as it is now. False when that failed, took too long, or the row changed since. */
  async #write(id: string): Promise<boolean> {
    for (let before = this.#underWay.get(id); before; before = this.#underWay.get(id)) {
      if (Date.now() >= before.since + GIVEN_UP_MS) break;
      const settled = before.done.then(() => true);
      if (!(await within(PATIENCE_MS, settled, () => overdue(id)))) return false;
    }
    const version = this.#pending.versionOf(id);
    if (version === undefined) return true;
    const delivery: Delivery = { since: Date.now(), done: Promise.resolve(true), overlapped: false };
    this.#underWay.set(id, delivery);
    delivery.done = this.#deliver(id, this.#effects.find(id)).then(
      () => this.#settle(id, delivery, () => this.#pending.delivered(id, version)),
      (error: unknown) => {
        failed(id, error);
        return this.#settle(id, delivery, () => false);
      },
    );
    return within(PATIENCE_MS, delivery.done, () => overdue(id));
  }

  /** A delivery has ended, well or not. `ended` says whether the effect is through, unless the delivery was given up. */
  async #settle(id: string, delivery: Delivery, ended: () => boolean): Promise<boolean> {
    const latest = this.#underWay.get(id);
    if (latest === delivery) {
      this.#underWay.delete(id);
      return !delivery.overlapped && ended();
    }
    if (latest) latest.overlapped = true;
    // It was given up and may have arrived after all, over a newer one, even if it reports a failure: the row is
    // delivered once more.
    this.#pending.again(id);
    await this.#arm(id, 0);
    return false;
  }
}

function overdue(id: string): false {
  failed(id, `no answer within ${PATIENCE_MS} ms`);
  return false;
}

function failed(id: string, error: unknown): void {
  logError('delivery_failed', error, { effect: id });
}
