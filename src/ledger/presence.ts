/** Whether the identity provider still knows the human: asked once a day while their deputies act, and when it says so. */
import { DAY_MS } from '../lifetimes.ts';
import { logError } from '../log.ts';
import type { Presence } from './account.ts';
import { type Heard, hear } from './acts.ts';
import { backOffSeconds } from './jobs.ts';
import type { Ledger } from './ledger.ts';

/** Asks about the human as they were heard of last. Throws unless the answer is a yes or a clear no. */
export type Ask = (known: Presence) => Promise<Heard>;

export class PresenceChecks {
  readonly #ledger: Ledger;
  readonly #ask: Ask;
  /** Milliseconds since the epoch: nobody asks by themselves before that. */
  #notBefore = 0;
  #failed = 0;

  constructor(ledger: Ledger, ask: Ask) {
    this.#ledger = ledger;
    this.#ask = ask;
  }

  /** Whether a day has passed since the last answer. Reads the ledger once a day. */
  isDue(): boolean {
    if (Date.now() < this.#notBefore) return false;
    const heardAt = this.#ledger.account.read().presence?.at;
    // Another machine's clock may have been ahead.
    if (heardAt !== undefined) this.#notBefore = Math.min(heardAt, Date.now()) + DAY_MS;
    return heardAt !== undefined && Date.now() >= this.#notBefore;
  }

  /** Whether the last answer is older than that. */
  isOlderThan(milliseconds: number): boolean {
    return (this.#ledger.account.read().presence?.at ?? Infinity) < Date.now() - milliseconds;
  }

  /** Asks now; of a human who has appointed nobody there is nothing to ask. False when no answer came. Does not throw. */
  async check(): Promise<boolean> {
    const { presence } = this.#ledger.account.read();
    if (!presence) return true;
    // So that nobody else begins to ask meanwhile.
    this.#notBefore = Date.now() + DAY_MS;
    try {
      const counted = hear(this.#ledger, presence, await this.#ask(presence));
      this.#failed = 0;
      // What a grant has overtaken may have been a no: the question is asked of how they are known now.
      return counted || (await this.check());
    } catch (error) {
      this.#failed += 1;
      this.#notBefore = Date.now() + backOffSeconds(this.#failed) * 1000;
      logError('authkit_unavailable', error);
      return false;
    }
  }
}
