/** Asking the human's object to have something done once. It keeps the answer sealed, and cannot read it. */
import { waitUntil } from 'cloudflare:workers';
import { objectName } from '../deputy.ts';
import type { Answer } from '../ledger/once.ts';

/**
 * What may be answered once. `secret` names it: a handle or a code, which nobody can guess. `words` are all that the
 * question says besides, and who asks: a repetition is one in the same words.
 */
export type Question = { userId: string; secret: string; words: unknown };

/** `at` is when there was an answer, in milliseconds since the epoch; `repeated` when somebody else had it made. */
export type FirstAnswer = { text: string; at: number; repeated: boolean };

/**
 * The first answer to this question, for which `work` runs unless there is one from the last five minutes. Undefined when
 * there is none, or when it was given to other words. Throws what `work` throws, and when the object cannot be reached.
 */
export async function once(
  env: Env,
  { userId, secret, words }: Question,
  work: () => Promise<Answer | undefined>,
): Promise<FirstAnswer | undefined> {
  const [key, sealKey] = await Promise.all([digest(`key ${secret}`), sealKeyOf(secret, words)]);
  let failure: unknown;
  let mine: Promise<Answer | undefined> | undefined;
  async function sealed(): Promise<Answer | undefined> {
    try {
      const answer = await work();
      return answer && { ...answer, text: await seal(answer.text, sealKey) };
    } catch (error) {
      // An error that crosses to the object and back is no longer of its class.
      failure = error;
      return undefined;
    }
  }
  const ask = () => env.MCP_OBJECT.getByName(objectName(userId)).once(key.toHex(), () => (mine ??= sealed()));
  const asked = ask().catch((error: unknown) => {
    // An object that dies forgets who asks: what is under way is offered to it again, and is not done again.
    if (mine) return ask();
    throw error;
  });
  // The browser drops a request when its button is pressed again, which must not break off what both wait for.
  waitUntil(asked.catch(() => undefined));
  const kept = await asked;
  if (!kept && failure !== undefined) throw failure;
  if (!kept) return undefined;
  const text = await unseal(kept.text, sealKey);
  return text === undefined ? undefined : { text, at: kept.at, repeated: kept.text !== (await mine)?.text };
}

const NONCE_BYTES = 12;

async function sealKeyOf(secret: string, words: unknown): Promise<CryptoKey> {
  const bytes = await digest(JSON.stringify(['seal', secret, words]));
  return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']);
}

async function seal(text: string, key: CryptoKey): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, new TextEncoder().encode(text));
  return new Uint8Array([...iv, ...new Uint8Array(sealed)]).toBase64();
}

/** Undefined when another key has sealed it. */
async function unseal(sealed: string, key: CryptoKey): Promise<string | undefined> {
  const bytes = Uint8Array.fromBase64(sealed);
  const [iv, body] = [bytes.subarray(0, NONCE_BYTES), bytes.subarray(NONCE_BYTES)];
  const opened = crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, body);
  return opened.then(
    (text) => new TextDecoder().decode(text),
    () => undefined,
  );
}

async function digest(text: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}
