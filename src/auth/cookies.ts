/** The browser's cookies: the sealed session, sign-ins that are under way, and where to go after a sign-out. */
import { deleteCookie, getCookie, getSignedCookie, setCookie, setSignedCookie } from 'hono/cookie';
import { z } from 'zod';
import { readConfig } from '../config.ts';
import { SESSION_SECONDS, SIGN_IN_SECONDS } from '../lifetimes.ts';
import { keysFor } from './seal.ts';
import type { AppContext } from './session.ts';

const SESSION = 'mcp-shop-session';
const JUST_SIGNED_IN = 'mcp-shop-just-signed-in';
const SIGN_IN = 'mcp-shop-sign-in-';
const AFTER_SIGN_OUT = 'mcp-shop-after-sign-out';
/** Abandoned sign-ins in one browser; more would only swell the request headers. */
const MAX_SIGN_INS = 5;
/** Of a cookie's value, its signature aside: browsers drop cookies of more than 4096 bytes with their name. */
const MAX_COOKIE_BYTES = 3800;
/** Of one session: no server takes longer headers. */
const MAX_PARTS = 9;
/** Seconds in which the page that asked for a sign-in sees its session, as the browser is sent there at once. */
const TAKES_HOLD_SECONDS = 60;

const cookie = { path: '/', secure: true, httpOnly: true, sameSite: 'Lax', prefix: 'host' } as const;

/** The cookies of a session that this browser sends; a long one has several. */
function sessionCookies(c: AppContext): string[] {
  const names = Object.keys(getCookie(c)).filter((name) => name.startsWith(`__Host-${SESSION}`));
  return names.map((name) => name.slice('__Host-'.length));
}

/**
 * The sealed session of this browser. One that was cut into several cookies says in its first how many they are: "3.…".
 * Parts that are missing, or of another session, do not open together.
 */
export function sessionCookie(c: AppContext): string | undefined {
  const sent = getCookie(c);
  const [first, ...others] = Array.from({ length: MAX_PARTS }, (_, index) => sent[`__Host-${partName(index)}`]);
  const [, count, start] = /^([1-9])\.(.*)$/.exec(first ?? '') ?? [];
  if (count === undefined) return first;
  return [start, ...others.slice(0, Number(count) - 1)].join('');
}

function partName(index: number): string {
  return index === 0 ? SESSION : `${SESSION}-${index}`;
}

export function setSessionCookie(c: AppContext, sealed: string): void {
  const parts = sealed.match(new RegExp(`.{1,${MAX_COOKIE_BYTES}}`, 'g')) ?? [];
  const names = parts.map((_, index) => partName(index));
  for (const [index, part] of parts.entries()) {
    const value = index === 0 ? `${parts.length}.${part}` : part;
    setCookie(c, partName(index), value, { ...cookie, maxAge: SESSION_SECONDS });
  }
  for (const name of sessionCookies(c)) if (!names.includes(name)) deleteCookie(c, name, cookie);
}

export function deleteSessionCookie(c: AppContext): void {
  for (const name of sessionCookies(c)) deleteCookie(c, name, cookie);
}

/** The browser comes from AuthKit, and no page has seen its session yet. `fresh`: AuthKit was to ask who it is. */
export function setJustSignedIn(c: AppContext, { fresh }: { fresh: boolean }): void {
  setCookie(c, JUST_SIGNED_IN, fresh ? 'fresh' : 'known', { ...cookie, maxAge: TAKES_HOLD_SECONDS });
}
export function justSignedIn(c: AppContext): string | undefined {
  return getCookie(c, JUST_SIGNED_IN, 'host');
}
export function forgetJustSignedIn(c: AppContext): void {
  if (justSignedIn(c) !== undefined) deleteCookie(c, JUST_SIGNED_IN, cookie);
}

const signInSchema = z.object({
  /** Gone once the sign-in is over: what is left tells a repetition where it led. */
  codeVerifier: z.string().optional(),
  returnTo: z.string(),
  fresh: z.boolean().optional(),
  /** Milliseconds since the epoch. */
  startedAt: z.number(),
});
type PendingSignIn = z.infer<typeof signInSchema>;

/**
 * Remembers a sign-in in this browser only, and returns the `state` to send to AuthKit; undefined when it would not fit
 * into a cookie.
 */
export async function rememberSignIn(
  c: AppContext,
  signIn: Omit<PendingSignIn, 'startedAt'>,
): Promise<string | undefined> {
  const startedAt = Date.now();
  const value = JSON.stringify({ ...signIn, startedAt } satisfies PendingSignIn);
  if (encodeURIComponent(value).length > MAX_COOKIE_BYTES) return undefined;
  const names = Object.keys(getCookie(c)).filter((name) => name.startsWith(`__Host-${SIGN_IN}`));
  // The names sort by time, because a state starts with its own: only the oldest tabs are given up.
  for (const name of names.toSorted().slice(0, -(MAX_SIGN_INS - 1)))
    deleteCookie(c, name.slice('__Host-'.length), cookie);
  const state = `${startedAt.toString(36)}-${crypto.randomUUID()}`;
  await setSigned(c, SIGN_IN + state, value);
  return state;
}

/** The sign-in that `state` belongs to, over or not; undefined in another browser, and after ten minutes. */
export async function findSignIn(c: AppContext, state: string): Promise<PendingSignIn | undefined> {
  if (!/^[\w-]{1,64}$/.test(state)) return undefined;
  const value = await getSigned(c, SIGN_IN + state);
  if (!value) return undefined;
  const signIn = signInSchema.parse(JSON.parse(value));
  return Date.now() - signIn.startedAt > SIGN_IN_SECONDS * 1000 ? undefined : signIn;
}

/** A sign-in works once. */
export async function endSignIn(c: AppContext, state: string, { returnTo, startedAt }: PendingSignIn): Promise<void> {
  await setSigned(c, SIGN_IN + state, JSON.stringify({ returnTo, startedAt } satisfies PendingSignIn));
}

/** Where this browser goes once AuthKit has signed it out. */
export async function rememberAfterSignOut(c: AppContext, returnTo: string): Promise<void> {
  await setSigned(c, AFTER_SIGN_OUT, returnTo);
}

export async function takeAfterSignOut(c: AppContext): Promise<string | undefined> {
  const value = await getSigned(c, AFTER_SIGN_OUT);
  deleteCookie(c, AFTER_SIGN_OUT, cookie);
  return value;
}

async function setSigned(c: AppContext, name: string, value: string): Promise<void> {
  const [key] = keysFor(readConfig(c.env), 'sign-in');
  await setSignedCookie(c, name, value, key, { ...cookie, maxAge: SIGN_IN_SECONDS });
}

async function getSigned(c: AppContext, name: string): Promise<string | undefined> {
  for (const key of keysFor(readConfig(c.env), 'sign-in')) {
    const value = await getSignedCookie(c, key, name, 'host');
    if (value) return value;
  }
  return undefined;
}
