/**
 * Tokens that the OAuth provider verified a moment ago, in this isolate's memory: a deputy that calls again within seconds
 * is not looked up and decrypted anew. Who calls does not change while a token is valid. What it may do is never kept here:
 * the human's object decides that at each call.
 */
import { createHash } from 'node:crypto';
import type { Caller } from '../deputy.ts';

/** KV itself may answer with what it knew a minute ago. */
const KEPT_MS = 30_000;
/** Tokens kept at most; the oldest goes first. */
const MOST = 1000;

/** Milliseconds since the epoch. */
type Known = { caller: Caller; from: number; until: number };

const known = new Map<string, Known>();

/** Keeps who sent this request. `expiresAt`, in seconds since the epoch, is when the token ends. */
export function remember(request: Request, caller: Caller, expiresAt = Infinity): void {
  const key = keyOf(request);
  if (key === undefined) return;
  const from = Date.now();
  known.set(key, { caller, from, until: Math.min(from + KEPT_MS, expiresAt * 1000) });
  if (known.size > MOST) known.delete(known.keys().next().value ?? '');
}

/** Who sends this request, when its token was verified for this very address in the last 30 seconds. */
export function recall(request: Request): Caller | undefined {
  const key = keyOf(request);
  const found = key === undefined ? undefined : known.get(key);
  if (!key || !found) return undefined;
  const now = Date.now();
  // A clock that was ahead must not make it last longer.
  if (now >= found.from && now < found.until) return found.caller;
  known.delete(key);
  return undefined;
}

/** Undefined for what the provider must answer itself: a page of another origin gets CORS headers, a strange header its 401. */
function keyOf({ url, headers }: Request): string | undefined {
  const [, token] = /^Bearer[\t ]+([^\s,]+)$/i.exec(headers.get('Authorization') ?? '') ?? [];
  if (token === undefined || headers.has('Origin')) return undefined;
  // A digest takes as long to compare whatever the token begins with, and is no token should memory leak.
  return createHash('sha256').update(`${url} ${token}`).digest('base64');
}
