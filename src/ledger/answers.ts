/** First answers: what came of a question that may be answered once, sealed by who asked it. */
import { z } from 'zod';
import { ANSWER_KEPT_MS } from '../lifetimes.ts';
import type { Deputies } from './deputies.ts';

const keptSchema = z.object({
  /** What came of the question. Only who asks it again in the same words can open it. */
  text: z.string(),
  /** When there was an answer, in milliseconds since the epoch. */
  at: z.int(),
  /** The grant whose tokens it brought. */
  grantId: z.string().optional(),
});
export type Kept = z.infer<typeof keptSchema>;

const PREFIX = 'answer:';

export class Answers {
  readonly #kv: SyncKvStorage;
  readonly #deputies: Deputies;

  constructor(kv: SyncKvStorage, deputies: Deputies) {
    this.#kv = kv;
    this.#deputies = deputies;
  }

  /** The answer to the question of that key. One that made a deputy live is given while that deputy is. */
  find(key: string): Kept | undefined {
    const kept = keptSchema.optional().parse(this.#kv.get(PREFIX + key));
    if (!kept || isOld(kept)) return undefined;
    const isGone = kept.grantId !== undefined && this.#deputies.withGrant(kept.grantId) === undefined;
    return isGone ? undefined : kept;
  }

  keep(key: string, kept: Kept): void {
    this.forgetOld();
    this.#kv.put(PREFIX + key, kept);
  }

  /** Whether tokens of this grant were handed out a moment ago. */
  brought(grantId: string): boolean {
    return this.#all().some(([, kept]) => kept.grantId === grantId);
  }

  forgetOld(): void {
    for (const [key, kept] of this.#all()) if (isOld(kept)) this.#kv.delete(key);
  }

  clear(): void {
    for (const [key] of this.#all()) this.#kv.delete(key);
  }

  #all(): [string, Kept][] {
    return [...this.#kv.list({ prefix: PREFIX })].map(([key, kept]) => [key, keptSchema.parse(kept)]);
  }
}

function isOld({ at }: Kept): boolean {
  return at <= Date.now() - ANSWER_KEPT_MS;
}
