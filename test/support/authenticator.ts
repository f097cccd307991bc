/** A passkey of software, as a phone would answer: WebAuthn level 3, "none" attestation, ES256. For tests and the demo alone. */

const encoder = new TextEncoder();

export type Options = {
  origin: string;
  /** Whether it asked for a finger, a face or a PIN. */
  verified?: boolean;
  /** What it says of how often it signed; a passkey that is synced says 0. */
  counter?: number;
  type?: 'webauthn.get' | 'webauthn.create';
  rpId?: string;
  /** Whether the page that asked is inside a page of another origin. */
  crossOrigin?: boolean;
};

export class Authenticator {
  readonly id: string;
  readonly #keys: CryptoKeyPair;
  counter = 0;

  readonly #step: number;

  private constructor(id: string, keys: CryptoKeyPair, synced: boolean) {
    this.id = id;
    this.#step = synced ? 0 : 1;
    this.#keys = keys;
  }

  /** One that is synced between devices cannot count, and says 0. */
  static async make({ synced = false } = {}): Promise<Authenticator> {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
    const keys = (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair;
    return new Authenticator(base64url(crypto.getRandomValues(new Uint8Array(16))), keys, synced);
  }

  /** What `navigator.credentials.create` gives, as JSON. */
  async attestation(challenge: string, options: Options): Promise<Record<string, unknown>> {
    const { x = '', y = '' } = (await crypto.subtle.exportKey('jwk', this.#keys.publicKey)) as JsonWebKey;
    const id = fromBase64url(this.id);
    // COSE (RFC 9053, section 7.1): kty EC2, alg ES256, crv P-256, x, y.
    const key = [
      0xa5,
      1,
      2,
      3,
      0x26,
      0x20,
      1,
      0x21,
      0x58,
      32,
      ...fromBase64url(x),
      0x22,
      0x58,
      32,
      ...fromBase64url(y),
    ];
    const attested = [...new Uint8Array(16), 0, id.length, ...id, ...key];
    const data = await this.#data(options, attested);
    const text = (word: string) => [0x60 + word.length, ...encoder.encode(word)];
    const head = [0xa3, ...text('fmt'), ...text('none'), ...text('attStmt'), 0xa0, ...text('authData')];
    const object = [...head, 0x59, data.length >> 8, data.length & 255, ...data];
    return this.#credential({
      clientDataJSON: clientData(challenge, { type: 'webauthn.create', ...options }),
      attestationObject: base64url(Uint8Array.from(object)),
      transports: ['internal'],
    });
  }

  /** What `navigator.credentials.get` gives, as JSON. */
  async assertion(challenge: string, options: Options): Promise<Record<string, unknown>> {
    const clientDataJSON = clientData(challenge, options);
    const data = await this.#data(options);
    const signed = Uint8Array.from([...data, ...(await sha256(fromBase64url(clientDataJSON)))]);
    const raw = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, this.#keys.privateKey, signed);
    return this.#credential({
      clientDataJSON,
      authenticatorData: base64url(data),
      signature: base64url(asDer(new Uint8Array(raw))),
    });
  }

  #credential(response: Record<string, unknown>): Record<string, unknown> {
    return { id: this.id, rawId: this.id, type: 'public-key', response, clientExtensionResults: {} };
  }

  /** Authenticator data: level 3, section 6.1. */
  async #data(
    { origin, rpId = new URL(origin).hostname, verified = true, counter = (this.counter += this.#step) }: Options,
    attested: number[] = [],
  ): Promise<Uint8Array> {
    const flags = 1 + (verified ? 4 : 0) + (attested.length > 0 ? 0x40 : 0);
    const count = [counter >> 24, (counter >> 16) & 255, (counter >> 8) & 255, counter & 255];
    return Uint8Array.from([...(await sha256(encoder.encode(rpId))), flags, ...count, ...attested]);
  }
}

function clientData(challenge: string, { origin, type = 'webauthn.get', crossOrigin = false }: Options): string {
  return base64url(encoder.encode(JSON.stringify({ type, challenge, origin, crossOrigin })));
}

/** A signature of two numbers, as WebAuthn wants it: RFC 3279, section 2.2.3. */
function asDer(raw: Uint8Array): Uint8Array {
  const number = (bytes: Uint8Array) => {
    const start = bytes.findIndex((byte) => byte !== 0);
    const short = [...bytes.subarray(start === -1 ? bytes.length - 1 : start)];
    const positive = (short[0] ?? 0) > 127 ? [0, ...short] : short;
    return [2, positive.length, ...positive];
  };
  const both = [...number(raw.subarray(0, 32)), ...number(raw.subarray(32))];
  return Uint8Array.from([0x30, both.length, ...both]);
}

async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(bytes)));
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

function fromBase64url(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64url'));
}
