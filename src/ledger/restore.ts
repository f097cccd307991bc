/** Putting one record back to how it was, with the recovery of Durable Objects. What is back is paused, and says so in a line. */
import { randomUUID } from 'node:crypto';
import type { Done } from './acts.ts';
import type { Ledger } from './ledger.ts';

const KEY = 'restored';

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

  /** Has the storage go back to `to` (milliseconds, 30 days ago at most) when the object starts next. Throws when it cannot. */
  async prepare(to: number): Promise<void> {
    await this.#storage.onNextSessionRestoreBookmark(await this.#storage.getBookmarkForTime(to));
  }

  /**
   * To be called before anything else once the storage is back. A pause, a dismissal or a lower limit of later may be
   * undone by it, so every deputy is paused until the human has looked. Lines that were exported since are not these
   * lines, so the record has another name from here on.
   */
  finish(name: string, to: number): Done {
    const { record, account } = this.#ledger;
    return this.#ledger.transaction(() => {
      const { head, now } = this.#ledger.moment();
      const newest = record.append({ actor: 'system', act: 'restored', to: new Date(to).toISOString() }, head, now);
      account.setAuthority('paused', now, newest.sequence);
      account.rename(randomUUID(), head.sequence);
      this.#storage.kv.put(KEY, name);
      return { sequence: newest.sequence, at: now, grants: [] };
    });
  }
}
