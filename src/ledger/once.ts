/** What may happen once: one of those who ask the same question has it done, and all get the answer. */
import type { Presence } from './account.ts';
import { appoint } from './acts.ts';
import type { Kept } from './answers.ts';
import type { Appointment } from './deputies.ts';
import type { Ledger } from './ledger.ts';
import type { Signed } from './passkeys.ts';

/** The sealed answer, with the deputy that it appoints or the grant whose tokens it brings. */
export type Answer = {
  text: string;
  appointment?: Appointment;
  recordId?: string;
  presence?: Presence;
  grantId?: string;
  /** What a passkey is to have signed for the appointment, where the human wants that, and what one has. */
  agreed?: string;
  signed?: Signed | undefined;
};

export class Once {
  readonly #ledger: Ledger;
  /** Those who are being answered, by key. Each settles when it is the next one's turn. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /**
   * The first answer under this key. Without one `work` runs, alone: who asks meanwhile waits. What has no answer, or
   * throws, is left to the next one to try.
   */
  async answer(key: string, work: () => Promise<Answer | undefined>): Promise<Kept | undefined> {
    const { promise: mine, resolve: over } = Promise.withResolvers<void>();
    const before = this.#turns.get(key);
    this.#turns.set(key, mine);
    try {
      await before;
      return this.#ledger.answers.find(key) ?? this.#keep(key, await work());
    } finally {
      if (this.#turns.get(key) === mine) this.#turns.delete(key);
      over();
    }
  }

  /** The deputy and the answer are there together, or neither is. */
  #keep(key: string, answer: Answer | undefined): Kept | undefined {
    if (!answer) return undefined;
    const { text, appointment, recordId, presence, grantId, agreed, signed } = answer;
    const kept = { text, at: Date.now(), ...(grantId !== undefined && { grantId }) };
    return this.#ledger.transaction(() => {
      // Who erased everything meanwhile has not said yes any more.
      if (appointment && recordId !== this.#ledger.account.read().recordId) return undefined;
      if (appointment && !isProven(this.#ledger, agreed, signed)) return undefined;
      if (appointment) appoint(this.#ledger, appointment, presence, signed && { proof: signed.proof });
      if (signed) this.#ledger.passkeys.used(signed.proof);
      this.#ledger.answers.keep(key, kept);
      return kept;
    });
  }
}

/** Whether a passkey has signed what it must, where the human wants one for what grants more. */
function isProven(ledger: Ledger, agreed: string | undefined, signed: Signed | undefined): boolean {
  if (ledger.account.read().guarded === 0) return true;
  return signed !== undefined && signed.challenge === agreed && ledger.passkeys.counts(signed.proof, ledger.now());
}
