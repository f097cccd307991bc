/** Putting one record back to how it was, with the recovery of Durable Objects. What is back is paused, and says so in a line. */
import { randomUUID } from 'node:crypto';
import type { Done } from './acts.ts';
import type { Ledger } from './ledger.ts';
import { voidWaiting } from './waiting.ts';

const KEY = 'restored';
/** Is there until the storage goes back. */
const GOES_BACK_TO = 'goesBackTo';

export class Restore {
  readonly #ledger: Ledger;
  readonly #storage: DurableObjectStorage;

  constructor(ledger: Ledger, storage: DurableObjectStorage) {
    this.#ledger = ledger;
    this.#storage = storage;
  }

  /** Whether what the operator asked for with this name was done already. */
  wasDone(name: string): boolean {
    return this.#storage.kv.get(KEY) === name;
  }

  /**
   * Has the storage go back to `to` (milliseconds, 30 days ago at most) when the object starts next. Throws when it cannot.
   * Returns the number of the newest line that is undone by it.
   */
  async prepare(to: number): Promise<number> {
    const bookmark = await this.#storage.getBookmarkForTime(to);
    this.#storage.kv.put(GOES_BACK_TO, to);
    await this.#storage.onNextSessionRestoreBookmark(bookmark);
    return this.#ledger.record.head().sequence;
  }

  /**
   * To be called before anything else once the storage is back. A pause, a dismissal or a lower limit of later may be
   * undone by it, so every deputy is paused until the human has looked. Lines that were exported since are not these
   * lines, so the record has another name from here on, and what a passkey has signed under the
   * old one counts no more. Pages from before name lines up to `undone`, and lift nothing.
   */
  finish(name: string, to: number, undone: number): Done {
    const { record, account, allowances } = this.#ledger;
    if (this.#storage.kv.get(GOES_BACK_TO) !== undefined) throw new Error('the storage has not gone back');
    return this.#ledger.transaction(() => {
      const { head, now } = this.#ledger.moment();
      const restored = record.append({ actor: 'system', act: 'restored', to: new Date(to).toISOString() }, head, now);
      // What was answered since is not asked again, and what was allowed in advance may be used up or taken back.
      const newest = voidWaiting(this.#ledger, 'restored', restored, now);
      allowances.endAll();
      const version = Math.max(newest.sequence, undone + 1);
      account.setAuthority('paused', now, version);
      account.setCeiling(account.read().ceiling, version);
      account.rename(randomUUID());
      this.#storage.kv.put(KEY, name);
      return { sequence: restored.sequence, at: now, grants: [] };
    });
  }
}
