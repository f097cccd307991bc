/** Who is signed in at this browser, kept so for as long as WorkOS says so. */
import type { OAuthHelpers } from '@cloudflare/workers-oauth-provider';
import type { Context } from 'hono';
import { type Config, readConfig } from '../config.ts';
import { objectName } from '../deputy.ts';
import { AuthkitUnavailableError } from './authkit.ts';
import {
  deleteSessionCookie,
  forgetJustSignedIn,
  sessionCookie,
  setJustSignedIn,
  setSessionCookie,
} from './cookies.ts';
import { describeSession, type LastSignIn, readSession, refreshSession, type SignIn } from './sealed-session.ts';

/** The OAuth provider puts its helpers on the env before it calls the pages. */
export type PageEnv = Env & { OAUTH_PROVIDER: OAuthHelpers };
export type AppContext = Context<{ Bindings: PageEnv }>;

/**
 * Who is signed in, refreshing a session whose token has run out; undefined when nobody is.
 * Throws AuthkitUnavailableError, which ends no session.
 */
export async function signedIn(c: AppContext): Promise<SignIn | undefined> {
  const sealed = sessionCookie(c);
  if (!sealed) return unreadable(c);
  const config = readConfig(c.env);
  const session = (await readSession(config, sealed)) ?? (await refreshed(c, config, sealed));
  if (session) forgetJustSignedIn(c);
  return session;
}

/**
 * Who is signed in, after asking WorkOS whether the session still stands: one that was ended there is undefined here.
 * Throws AuthkitUnavailableError.
 */
export async function signedInFreshly(c: AppContext): Promise<SignIn | undefined> {
  const sealed = sessionCookie(c);
  return sealed ? refreshed(c, readConfig(c.env), sealed, { now: true }) : undefined;
}

/**
 * Whose session this browser holds, without asking anybody whether it still stands. Good enough to lay authority down
 * while WorkOS cannot be reached, and for nothing else.
 */
export async function lastSignedIn(c: AppContext): Promise<LastSignIn | undefined> {
  const sealed = sessionCookie(c);
  return sealed ? describeSession(readConfig(c.env), sealed) : undefined;
}

/** No session; what is left of one is cleared away. */
function unreadable(c: AppContext): undefined {
  deleteSessionCookie(c);
}

/** Refreshes a session. With `now`, it is refreshed even if another tab has just done so. */
async function refreshed(
  c: AppContext,
  config: Config,
  sealed: string,
  { now = false } = {},
): Promise<SignIn | undefined> {
  const known = await describeSession(config, sealed);
  if (!known) return unreadable(c);
  // WorkOS lets a session be refreshed once, and two tabs ask at the same time: the user's object lets one of them do
  // it and hands the same new session to both.
  const object = c.env.MCP_OBJECT.getByName(objectName(known.userId));
  const { result, earlier } = await object.refreshOnce(await fingerprint(sealed), () => refreshSession(config, sealed));
  if ('unavailable' in result) throw new AuthkitUnavailableError(result.unavailable);
  if ('ended' in result) return undefined;
  if (now && earlier) return refreshed(c, config, result.sealed, { now });
  setSessionCookie(c, result.sealed);
  const session = await readSession(config, result.sealed);
  // Signing in again would bring the same, and so on for ever.
  if (!session) throw new AuthkitUnavailableError('WorkOS issued a session that its keys do not confirm');
  return session;
}

/** Signs this browser in. The page that it is sent to sees whether that takes hold. */
export function startSession(c: AppContext, sealed: string, how: { fresh: boolean }): void {
  setSessionCookie(c, sealed);
  setJustSignedIn(c, how);
}

/** Signs this browser out, whether or not WorkOS answers, and tells whose WorkOS session it was. */
export async function endSession(c: AppContext): Promise<LastSignIn | undefined> {
  const ended = await lastSignedIn(c);
  deleteSessionCookie(c);
  forgetJustSignedIn(c);
  return ended;
}

async function fingerprint(sealed: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(sealed))).toHex();
}
