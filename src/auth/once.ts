/** Asking the human's object to have something done once. It keeps the answer sealed, and cannot read it. */
import { objectName } from '../deputy.ts';
import type { Answer } from '../ledger/once.ts';
import { type Key, sealer } from './seal.ts';

/**
 * What may be answered once. `secret` names it: a handle or a code, which nobody can guess. `words` are all that the
 * question says besides, and who asks: a repetition is one in the same words.
 */
type Question = { userId: string; secret: string; words: unknown };

/** `at` is when there was an answer, in milliseconds since the epoch; `repeated` when somebody else had it made. */
type FirstAnswer = { text: string; at: number; repeated: boolean };

/**
 * The first answer to this question, for which `work` runs unless there is one from the last five minutes. Undefined when
 * there is none, or when it was given to other words. Throws what `work` throws, and when the object cannot be reached.
 */
export async function once(
  env: Env,
  { userId, secret, words }: Question,
  work: () => Promise<Answer | undefined>,
): Promise<FirstAnswer | undefined> {
  const key = (await digest(`key ${secret}`)).toHex();
  // What seals an answer opens for the same words alone.
  const seal = await sealer(await digest(JSON.stringify(['seal', secret, words])));
  let failure: unknown;
  let mine: Promise<Answer | undefined> | undefined;
  async function sealed(): Promise<Answer | undefined> {
    try {
      const answer = await work();
      return answer && { ...answer, text: await seal.close(answer.text) };
    } catch (error) {
      // An error that crosses to the object and back is no longer of its class.
      failure = error;
      return undefined;
    }
  }
  const ask = () => env.MCP_OBJECT.getByName(objectName(userId)).once(key, () => (mine ??= sealed()));
  const kept = await ask().catch((error: unknown) => {
    // An object that dies forgets who asks: what is under way is offered to it again, and is not done again.
    if (mine) return ask();
    throw error;
  });
  if (!kept && failure !== undefined) throw failure;
  if (!kept) return undefined;
  const text = await seal.open(kept.text);
  return text === undefined ? undefined : { text, at: kept.at, repeated: kept.text !== (await mine)?.text };
}

async function digest(text: string): Promise<Key> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}
