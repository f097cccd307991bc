/** The human's passkeys, and what they sign. The one file that knows WebAuthn's library. */
import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';
import { z } from 'zod';
import { PASSKEY_WAITS_MS } from '../lifetimes.ts';
import { log } from '../log.ts';
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

export type Passkey = {
  id: string;
  /** In COSE, base64url. */
  publicKey: string;
  /** The host that it was made at. */
  rpId: string;
  transports: string[];
  counter: number;
  /** Milliseconds since the epoch: when it was added, and from when on it counts. */
  addedAt: number;
  usableAt: number;
};

/** A digest, and that a passkey has signed it. Whether it still counts is decided where it is used. */
export type Signed = { challenge: string; proof: Proof };

/** Passkeys of one human at most. */
export const MOST_PASSKEYS = 10;

type Row = {
  id: string;
  public_key: string;
  rp_id: string;
  transports: string;
  counter: number;
  added_at: number;
  usable_at: number;
};

export class Passkeys {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Oldest first. */
  all(): Passkey[] {
    return this.#sql.exec<Row>('SELECT * FROM passkeys ORDER BY added_at, id').toArray().map(toPasskey);
  }

  usable(now: number): Passkey[] {
    return this.all().filter(({ usableAt }) => usableAt <= now);
  }

  find(id: string): Passkey | undefined {
    const [row] = this.#sql.exec<Row>('SELECT * FROM passkeys WHERE id = ?', id);
    return row && toPasskey(row);
  }

  /** Whether the human has any, or had until a day ago: taking them away makes nothing easier at once. */
  had(now: number): boolean {
    const [{ had } = { had: 0 }] = this.#sql.exec<{ had: number }>(
      'SELECT EXISTS (SELECT 1 FROM passkeys) OR passkeys_until > ? AS had FROM account',
      now - PASSKEY_WAITS_MS,
    );
    return had === 1;
  }

  add(passkey: Passkey): void {
    const { id, publicKey, rpId, transports, counter, addedAt, usableAt } = passkey;
    const list = JSON.stringify(transports);
    this.#sql.exec(
      'INSERT INTO passkeys VALUES (?, ?, ?, ?, ?, ?, ?)',
      id,
      publicKey,
      rpId,
      list,
      counter,
      addedAt,
      usableAt,
    );
  }

  remove(id: string): void {
    this.#sql.exec('DELETE FROM passkeys WHERE id = ?', id);
  }

  /** Whether a proof counts: its passkey is still there and counts by now, and its counter has moved if it has one. */
  counts({ passkey: id, counter }: Proof, now: number): boolean {
    const passkey = this.find(id);
    if (!passkey || now < passkey.usableAt) return false;
    return (counter === 0 && passkey.counter === 0) || counter > passkey.counter;
  }

  used({ passkey: id, counter }: Proof): void {
    this.#sql.exec('UPDATE passkeys SET counter = ? WHERE id = ?', counter, id);
  }

  /** What an assertion says, when a passkey of this human has made it at `origin` with the human verified; else undefined. */
  async prove(
    response: Assertion,
    { userId, origin }: { userId: string; origin: string },
  ): Promise<Signed | undefined> {
    const { hostname } = new URL(origin);
    const passkey = this.find(response.id);
    if (passkey?.rpId !== hostname) return undefined;
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

function toPasskey(row: Row): Passkey {
  return {
    id: row.id,
    publicKey: row.public_key,
    rpId: row.rp_id,
    transports: z.array(z.string()).parse(JSON.parse(row.transports)),
    counter: row.counter,
    addedAt: row.added_at,
    usableAt: row.usable_at,
  };
}
