/** Brings effects to where the domain copies them: at once when that answers, and by a sweep when it does not. */
import { logError } from '../log.ts';
import { within } from '../within.ts';
import type { Effect, Effects } from './effects.ts';
import { backOffSeconds } from './jobs.ts';
import type { Pending } from './pending.ts';

/** Copies an effect to where the domain wants it, or deletes that copy when the effect is gone. */
export type Deliver = (id: string, effect: Effect | undefined) => Promise<void>;

/**
 * A delivery under way: when it began, in milliseconds, and whether the effect is through once it has ended. `overlapped`
 * is set when an older one, given up before, ended after it began: the copy may be either's.
 */
type Delivery = { since: number; done: Promise<boolean>; overlapped: boolean };

/** Milliseconds a call or a sweep waits for a delivery. One that takes longer goes on by itself. */
const PATIENCE_MS = 2000;

/** Effects that one sweep delivers at most, and how many of them at the same time. */
const MAX_SWEPT = 200;
const AT_THE_SAME_TIME = 20;

/** Milliseconds after which a delivery without an answer is given up, and the next one goes ahead. */
const GIVEN_UP_MS = 60_000;

/** Has the object woken at that time, in milliseconds since the epoch, unless something wakes it before. */
export type Wake = (at: number) => Promise<void>;

/**
 * Rows that wait are the truth. One alarm sees to all of them, and stays set while any waits: so an effect arms nothing of
 * its own, and an object that dies at any step delivers within seconds.
 */
export class Outbox {
  readonly #effects: Effects;
  readonly #pending: Pending;
  readonly #deliver: Deliver;
  readonly #wake: Wake;
  /** Deliveries without an answer yet, one for each effect: two that overlap may arrive in either order. */
  readonly #underWay = new Map<string, Delivery>();
  /** When the next sweep is due, in milliseconds since the epoch; undefined when none is. */
  #sweepAt: number | undefined;

  constructor({ effects, pending }: { effects: Effects; pending: Pending }, deliver: Deliver, wake: Wake) {
    this.#effects = effects;
    this.#pending = pending;
    this.#deliver = deliver;
    this.#wake = wake;
  }

  /**
   * Delivers an effect whose row has just changed. The sweep is armed together with the row, because nothing is waited for
   * in between. Does not throw: the effect stands, and start-up finds it when not even the sweep could be armed.
   */
  async send(effectId: string): Promise<void> {
    void this.#arm(0);
    await this.#write(effectId);
  }

  /** At start-up: arms the sweep when anything waits, unless the alarm that woke the object has just swept. */
  async recover(): Promise<void> {
    if (this.#sweepAt === undefined) await this.sendAll();
  }

  /** Arms the sweep when anything waits, such as copies to be deleted. */
  async sendAll(): Promise<void> {
    if (this.#pending.some()) await this.#arm(0);
  }

  /** To be called at each alarm, whatever set it. Does not throw. */
  async sweep(): Promise<void> {
    if (this.#sweepAt !== undefined && Date.now() < this.#sweepAt) return;
    this.#sweepAt = undefined;
    const oldest = this.#pending.oldest(MAX_SWEPT);
    // Each begins behind where the one before has failed: what never arrives must not hold up the others.
    const start = oldest.length > 0 ? (this.#pending.failed * AT_THE_SAME_TIME) % oldest.length : 0;
    const waiting = [...oldest.slice(start), ...oldest.slice(0, start)];
    let failures = 0;
    for (let next = 0; next < waiting.length && failures === 0; next += AT_THE_SAME_TIME) {
      const group = waiting.slice(next, next + AT_THE_SAME_TIME);
      const written = await Promise.all(group.map((id) => this.#write(id)));
      failures += written.filter((done) => !done).length;
    }
    this.#pending.failed = failures > 0 ? this.#pending.failed + 1 : 0;
    if (this.#pending.some()) await this.#arm(this.#pending.failed);
  }

  /**
   * To be called after the scheduler has set the object's one alarm to `next`, or to none: the earlier one stands. Does
   * not throw.
   */
  async keep(next: number | null): Promise<void> {
    if (this.#sweepAt !== undefined && this.#sweepAt < (next ?? Infinity)) await this.#set(this.#sweepAt);
  }

  /** Arms the sweep, unless it comes as soon already. */
  async #arm(sweepsFailed: number): Promise<void> {
    const at = Date.now() + backOffSeconds(sweepsFailed) * 1000;
    if (this.#sweepAt !== undefined && Date.now() < this.#sweepAt && this.#sweepAt <= at) return;
    await this.#set(at);
  }

  async #set(at: number): Promise<void> {
    this.#sweepAt = at;
    try {
      await this.#wake(at);
    } catch (error) {
      this.#sweepAt = undefined;
      failed('all that wait', error);
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
    await this.#arm(0);
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
