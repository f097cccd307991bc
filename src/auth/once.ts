/** Asking the human's object to have something done once. It keeps the answer sealed, and cannot read it. */
import { objectName } from '../deputy.ts';
import type { Answer } from '../ledger/once.ts';

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
  const seal = await sealOf(secret, words);
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

const NONCE_BYTES = 12;

/** What seals an answer, and opens what the same words have sealed; `open` is undefined for any other. */
async function sealOf(secret: string, words: unknown) {
  const material = await digest(JSON.stringify(['seal', secret, words]));
  const key = await crypto.subtle.importKey('raw', material, 'AES-GCM', false, ['encrypt', 'decrypt']);
  return {
    async close(text: string): Promise<string> {
      const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
      const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, new TextEncoder().encode(text));
      return new Uint8Array([...iv, ...new Uint8Array(sealed)]).toBase64();
    },
    async open(sealed: string): Promise<string | undefined> {
      const bytes = Uint8Array.fromBase64(sealed);
      const iv = bytes.subarray(0, NONCE_BYTES);
      try {
        const text = await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, bytes.subarray(NONCE_BYTES));
        return new TextDecoder().decode(text);
      } catch {
        return undefined;
      }
    },
  };
}

async function digest(text: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}
