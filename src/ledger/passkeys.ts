/** The human's passkeys, and what they sign. The one file that knows WebAuthn's library. */
import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';
import { z } from 'zod';
import { PASSKEY_WAITS_MS } from '../lifetimes.ts';
import { log } from '../log.ts';
import type { Account } from './account.ts';
import type { Proof } from './record.ts';

const base64url = z.string().regex(/^[\w-]{1,4096}$/);

/** What a browser's credential is as JSON (WebAuthn level 3, section 5.1.3), once it has signed. */
export const assertionSchema = z.object({
  id: base64url,
  rawId: base64url,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: base64url,
    authenticatorData: base64url,
    signature: base64url,
    userHandle: z.string().max(1000).nullish(),
  }),
});
export type Assertion = z.infer<typeof assertionSchema>;

/** The same, once it was made. */
export const attestationSchema = z.object({
  id: base64url,
  rawId: base64url,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: base64url,
    attestationObject: base64url,
    transports: z.array(z.string().max(50)).max(10).optional(),
  }),
});
export type Attestation = z.infer<typeof attestationSchema>;

/** What the browser says of the page that asked. None of ours is ever inside a page of another origin. */
const clientDataSchema = z.object({ challenge: z.string(), crossOrigin: z.literal(false).optional() });

const passkeySchema = z.object({
  id: z.string(),
  /** In COSE, base64url. */
  publicKey: z.string(),
  /** The host that it was made at. */
  rpId: z.string(),
  transports: z.array(z.string()),
  counter: z.int(),
  /** Milliseconds since the epoch: when it was added, and from when on it counts. */
  addedAt: z.int(),
  usableAt: z.int(),
});
export type Passkey = z.infer<typeof passkeySchema>;

/** A digest, and that a passkey has signed it. Whether it still counts is decided where it is used. */
export type Signed = { challenge: string; proof: Proof };
/** What came as a passkey's signature. What needs none, such as a no or a pause, does not ask whether it is one. */
export type Claimed = Signed | 'not_proven';

/** Passkeys of one human at most. */
export const MOST_PASSKEYS = 10;

/** All of them are one value: they are few, and always read together. */
const KEY = 'passkeys';
const listSchema = z.array(passkeySchema);

export class Passkeys {
  readonly #kv: SyncKvStorage;
  readonly #account: Account;

  constructor(kv: SyncKvStorage, account: Account) {
    this.#kv = kv;
    this.#account = account;
  }

  /** Oldest first. */
  all(): Passkey[] {
    return listSchema.parse(this.#kv.get(KEY) ?? []);
  }

  usable(now: number): Passkey[] {
    return this.all().filter(({ usableAt }) => usableAt <= now);
  }

  find(id: string): Passkey | undefined {
    return this.all().find((passkey) => passkey.id === id);
  }

  /** Whether one counts, or did until a day ago: taking it away makes nothing easier at once. */
  had(now: number): boolean {
    return this.usable(now).length > 0 || this.#account.read().passkeysUntil > now - PASSKEY_WAITS_MS;
  }

  add(passkey: Passkey): void {
    this.#kv.put(KEY, [...this.all(), passkey]);
  }

  remove(id: string): void {
    const left = this.all().filter((passkey) => passkey.id !== id);
    this.#kv.put(KEY, left);
  }

  clear(): void {
    this.#kv.delete(KEY);
  }

  /** Whether a proof counts: its passkey is still there and counts by now, and its counter has moved if it has one. */
  counts({ passkey: id, counter }: Proof, now: number): boolean {
    const passkey = this.find(id);
    if (!passkey || now < passkey.usableAt) return false;
    return (counter === 0 && passkey.counter === 0) || counter > passkey.counter;
  }

  used({ passkey: id, counter }: Proof): void {
    const list = this.all().map((passkey) => (passkey.id === id ? { ...passkey, counter } : passkey));
    this.#kv.put(KEY, list);
  }

  /** What an assertion says, when a passkey of this human has made it at `origin` with the human verified; else undefined. */
  async prove(
    response: Assertion,
    { userId, origin }: { userId: string; origin: string },
  ): Promise<Signed | undefined> {
    const { hostname } = new URL(origin);
    const passkey = this.find(response.id);
    if (!passkey) return undefined;
    // A device that says whose passkey it is must say the right one (WebAuthn level 3, section 7.2, step 6).
    const { userHandle } = response.response;
    if (typeof userHandle === 'string' && userHandle !== userHandleOf(userId)) return undefined;
    try {
      const { verified, authenticationInfo } = await verifyAuthenticationResponse({
        response: { ...response, response: withoutNull(response.response), clientExtensionResults: {} },
        // Whether it is the right one is decided beside what it is about.
        expectedChallenge: () => true,
        expectedOrigin: origin,
        expectedRPID: hostname,
        requireUserVerification: true,
        credential: {
          id: passkey.id,
          publicKey: Uint8Array.fromBase64(passkey.publicKey, { alphabet: 'base64url' }),
          counter: passkey.counter,
        },
      });
      if (!verified) return undefined;
      const { clientDataJSON, authenticatorData, signature } = response.response;
      const { challenge } = readClientData(clientDataJSON);
      const counter = authenticationInfo.newCounter;
      return { challenge, proof: { passkey: passkey.id, counter, clientDataJSON, authenticatorData, signature } };
    } catch (error) {
      refused(error);
      return undefined;
    }
  }
}

/** The passkey that a browser has made for this challenge at `origin`, with the human verified; undefined when it is none. */
export async function attested(
  response: Attestation,
  { challenge, origin }: { challenge: string; origin: string },
): Promise<Omit<Passkey, 'addedAt' | 'usableAt'> | undefined> {
  const { hostname } = new URL(origin);
  try {
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: {
        id: response.id,
        rawId: response.rawId,
        type: response.type,
        response: {
          clientDataJSON: response.response.clientDataJSON,
          attestationObject: response.response.attestationObject,
        },
        clientExtensionResults: {},
      },
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: hostname,
      requireUserVerification: true,
    });
    if (!verified) return undefined;
    readClientData(response.response.clientDataJSON);
    const { id, publicKey, counter } = registrationInfo.credential;
    const key = publicKey.toBase64({ alphabet: 'base64url', omitPadding: true });
    return { id, publicKey: key, rpId: hostname, transports: response.response.transports ?? [], counter };
  } catch (error) {
    refused(error);
    return undefined;
  }
}

/** Throws for what was made inside a page of another origin (WebAuthn level 3, section 7.2, step 14). */
function readClientData(clientDataJSON: string): z.infer<typeof clientDataSchema> {
  return clientDataSchema.parse(JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString()));
}

/** Without what was signed: the library names a challenge or an origin in quotes. */
function refused(error: unknown): void {
  const reason = error instanceof Error ? error.message.replaceAll(/"[^"]*"/g, '"…"') : 'unknown';
  log({ event: 'passkey_refused', reason: reason.slice(0, 200) });
}

/** What a passkey is told of whose it is. */
export function userHandleOf(userId: string): string {
  return Buffer.from(userId).toString('base64url');
}

function withoutNull({ userHandle, ...rest }: Assertion['response']) {
  return { ...rest, ...(typeof userHandle === 'string' && { userHandle }) };
}
