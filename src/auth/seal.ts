/** The keys made of COOKIE_PASSWORD, one for each use, and the sealing of texts. */
import { hkdfSync } from 'node:crypto';
import type { Config } from '../config.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const BASE64URL = { alphabet: 'base64url', omitPadding: true } as const;

export type Key = Uint8Array<ArrayBuffer>;

/**
 * The key of that use (HKDF with SHA-256, RFC 5869). While COOKIE_PASSWORD is rotated, the one of the password before
 * comes second: what it has made is still taken, and nothing more is made with it.
 */
export function keysFor(config: Config, use: 'session' | 'sign-in' | 'console form'): [Key, ...Key[]] {
  const keyOf = (password: string) => new Uint8Array(hkdfSync('sha256', password, '', use, KEY_BYTES));
  const { COOKIE_PASSWORD: current, COOKIE_PASSWORD_PREVIOUS: previous } = config;
  return [keyOf(current), ...(previous === undefined ? [] : [keyOf(previous)])];
}

/** Seals texts by a key of 32 bytes, and opens what was sealed by it (AES-GCM); `open` is undefined for all else. */
export async function sealer(material: Key) {
  const key = await crypto.subtle.importKey('raw', material, 'AES-GCM', false, ['encrypt', 'decrypt']);
  return {
    async close(text: string): Promise<string> {
      const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
      const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, new TextEncoder().encode(text));
      return new Uint8Array([...iv, ...new Uint8Array(sealed)]).toBase64(BASE64URL);
    },
    async open(sealed: string): Promise<string | undefined> {
      try {
        const bytes = Uint8Array.fromBase64(sealed, BASE64URL);
        const iv = bytes.subarray(0, NONCE_BYTES);
        const text = await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, bytes.subarray(NONCE_BYTES));
        return new TextDecoder().decode(text);
      } catch {
        return undefined;
      }
    },
  };
}
