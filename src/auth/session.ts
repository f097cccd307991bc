/** The browser's cookies: the sealed WorkOS session, and the state of a sign-in that is under way. */
import type { OAuthHelpers } from '@cloudflare/workers-oauth-provider';
import type { Context } from 'hono';
import { deleteCookie, getCookie, getSignedCookie, setCookie, setSignedCookie } from 'hono/cookie';
import { z } from 'zod';
import { type Config, readConfig } from '../config.ts';
import { objectName } from '../deputy.ts';
import { SESSION_SECONDS, SIGN_IN_SECONDS } from '../lifetimes.ts';
import {
  AuthkitUnavailableError,
  describeSession,
  type LastSignIn,
  readSession,
  refreshSession,
  type SignIn,
} from './authkit.ts';

/** The OAuth provider puts its helpers on the env before it calls the pages. */
export type PageEnv = Env & { OAUTH_PROVIDER: OAuthHelpers };
export type AppContext = Context<{ Bindings: PageEnv }>;

const SESSION = 'mcp-shop-session';
const SIGN_IN = 'mcp-shop-sign-in-';
const AFTER_SIGN_OUT = 'mcp-shop-after-sign-out';
/** Abandoned sign-ins in one browser; more would only swell the request headers. */
const MAX_SIGN_INS = 5;
/** For a sign-in's cookie, signature and name aside: browsers drop cookies of more than 4096 bytes. */
const MAX_COOKIE_BYTES = 3800;

const cookie = { path: '/', secure: true, httpOnly: true, sameSite: 'Lax', prefix: 'host' } as const;

/**
 * Who is signed in, refreshing a session whose token has run out; undefined when nobody is.
 * Throws AuthkitUnavailableError, which ends no session.
 */
export async function signedIn(c: AppContext): Promise<SignIn | undefined> {
  const sealed = getCookie(c, SESSION, 'host');
  if (!sealed) return undefined;
  const config = readConfig(c.env);
  const current = await readSession(config, sealed);
  if (current) return current;
  return refreshed(c, config, sealed);
}

/**
 * Who is signed in, after asking WorkOS whether the session still stands: one that was ended there is undefined here.
 * Throws AuthkitUnavailableError.
 */
export async function signedInFreshly(c: AppContext): Promise<SignIn | undefined> {
  const sealed = getCookie(c, SESSION, 'host');
  return sealed ? refreshed(c, readConfig(c.env), sealed, { now: true }) : undefined;
}

/**
 * Whose session this browser holds, without asking anybody whether it still stands. Good enough to lay authority down
 * while WorkOS cannot be reached, and for nothing else.
 */
export async function lastSignedIn(c: AppContext): Promise<LastSignIn | undefined> {
  const sealed = getCookie(c, SESSION, 'host');
  return sealed ? describeSession(readConfig(c.env), sealed) : undefined;
}

/** Refreshes a session. With `now`, it is refreshed even if another tab has just done so. */
async function refreshed(
  c: AppContext,
  config: Config,
  sealed: string,
  { now = false } = {},
): Promise<SignIn | undefined> {
  const known = await describeSession(config, sealed);
  if (!known) return undefined;
  // WorkOS lets a session be refreshed once, and two tabs ask at the same time: the user's object lets one of them do
  // it and hands the same new session to both.
  const object = c.env.MCP_OBJECT.getByName(objectName(known.userId));
  const { result, earlier } = await object.refreshOnce(await fingerprint(sealed), () => refreshSession(config, sealed));
  if ('unavailable' in result) throw new AuthkitUnavailableError(result.unavailable);
  if ('ended' in result) return undefined;
  if (now && earlier) return refreshed(c, config, result.sealed, { now });
  startSession(c, result.sealed);
  const session = await readSession(config, result.sealed);
  // Signing in again would bring the same, and so on for ever.
  if (!session) throw new AuthkitUnavailableError('WorkOS issued a session that its keys do not confirm');
  return session;
}

export function startSession(c: AppContext, sealed: string): void {
  setCookie(c, SESSION, sealed, { ...cookie, maxAge: SESSION_SECONDS });
}

/** Signs this browser out, whether or not WorkOS answers, and tells whose WorkOS session it was. */
export async function endSession(c: AppContext): Promise<LastSignIn | undefined> {
  const sealed = deleteCookie(c, SESSION, cookie);
  return sealed ? describeSession(readConfig(c.env), sealed) : undefined;
}

const pendingSignIn = z.object({ codeVerifier: z.string(), returnTo: z.string(), startedAt: z.number() });
export type PendingSignIn = Omit<z.infer<typeof pendingSignIn>, 'startedAt'>;

/**
 * Remembers a sign-in in this browser only, and returns the `state` to send to AuthKit; undefined when it would not fit
 * into a cookie.
 */
export async function rememberSignIn(c: AppContext, signIn: PendingSignIn): Promise<string | undefined> {
  const startedAt = Date.now();
  const value = JSON.stringify({ ...signIn, startedAt } satisfies z.infer<typeof pendingSignIn>);
  if (encodeURIComponent(value).length > MAX_COOKIE_BYTES) return undefined;
  const names = Object.keys(getCookie(c)).filter((name) => name.startsWith(`__Host-${SIGN_IN}`));
  // The names sort by time, because a state starts with its own: only the oldest tabs are given up.
  for (const name of names.toSorted().slice(0, -(MAX_SIGN_INS - 1)))
    deleteCookie(c, name.slice('__Host-'.length), cookie);
  const state = `${startedAt.toString(36)}-${crypto.randomUUID()}`;
  await setSignedCookie(c, SIGN_IN + state, value, secret(c), { ...cookie, maxAge: SIGN_IN_SECONDS });
  return state;
}

/** The sign-in that `state` belongs to, once; undefined in another browser, after ten minutes, or the second time. */
export async function takeSignIn(c: AppContext, state: string): Promise<PendingSignIn | undefined> {
  if (!/^[\w-]{1,64}$/.test(state)) return undefined;
  const value = await getSignedCookie(c, secret(c), SIGN_IN + state, 'host');
  deleteCookie(c, SIGN_IN + state, cookie);
  if (!value) return undefined;
  const { startedAt, ...signIn } = pendingSignIn.parse(JSON.parse(value));
  return Date.now() - startedAt > SIGN_IN_SECONDS * 1000 ? undefined : signIn;
}

/** Where this browser goes once AuthKit has signed it out. */
export async function rememberAfterSignOut(c: AppContext, returnTo: string): Promise<void> {
  await setSignedCookie(c, AFTER_SIGN_OUT, returnTo, secret(c), { ...cookie, maxAge: SIGN_IN_SECONDS });
}

export async function takeAfterSignOut(c: AppContext): Promise<string | undefined> {
  const value = await getSignedCookie(c, secret(c), AFTER_SIGN_OUT, 'host');
  deleteCookie(c, AFTER_SIGN_OUT, cookie);
  return value || undefined;
}

function secret(c: AppContext): string {
  return readConfig(c.env).COOKIE_PASSWORD;
}

async function fingerprint(sealed: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(sealed))).toHex();
}
