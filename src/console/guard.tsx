/** Who may do what on the console. Each act needs a session and a form of ours; acts that grant more need a fresher session. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { AuthkitUnavailableError } from '../auth/authkit.ts';
import { justSignedIn } from '../auth/cookies.ts';
import { presenceOf } from '../auth/presence.ts';
import { formOf, hereOf, loginPath, typedIn } from '../auth/requests.ts';
import { type Key, keysFor } from '../auth/seal.ts';
import type { LastSignIn, SignIn } from '../auth/sealed-session.ts';
import { type AppContext, lastSignedIn, signedIn, signedInFreshly } from '../auth/session.ts';
import { readConfig } from '../config.ts';
import type { Presence } from '../ledger/account.ts';
import type { As } from '../ledger/acts.ts';
import { FRESH_SECONDS } from '../lifetimes.ts';
import { logError } from '../log.ts';
import { Message } from '../pages/layout.tsx';
import { clockOf } from '../pages/when.tsx';
import { within } from '../within.ts';
import type { Looking } from './frame.tsx';

/** A field of every form: proves that this server made the form for this session. */
export const FORM_TOKEN = 'form';

export function formToken(c: AppContext, sessionId: string): string {
  return tokenBy(keysFor(readConfig(c.env), 'console form')[0], sessionId);
}

function tokenBy(key: Key, sessionId: string): string {
  return createHmac('sha256', key).update(sessionId).digest('base64url');
}

/** What each page of the console is given. */
export function looking(c: AppContext, { user, sessionId, impersonator }: SignIn): Looking {
  const halted = readConfig(c.env).HALT === 'on';
  return { user, token: formToken(c, sessionId), halted, impersonator, clock: clockOf(c.req.raw) };
}

/** The human in front of a page, or the way to the sign-in. */
export async function visitor(c: AppContext): Promise<SignIn | Response> {
  return (await signedIn(c)) ?? c.redirect(loginPath(hereOf(c)));
}

/** The human who has just signed in, or the way to the sign-in. */
export async function freshVisitor(c: AppContext): Promise<SignIn | Response> {
  const session = await visitor(c);
  if (session instanceof Response || isFresh(session)) return session;
  if (isUnheard(c)) {
    return refuse(
      c,
      'AuthKit does not say that you have just signed in',
      'This page needs that. Tell the operator.',
      403,
    );
  }
  return c.redirect(loginPath(hereOf(c), { fresh: true }));
}

/**
 * Whether a session that is not fresh comes from a fresh sign-in: WorkOS does not say when it was, or keeps to an earlier
 * time. Asking once more would bring the same.
 */
export function isUnheard(c: AppContext): boolean {
  if (justSignedIn(c) !== 'fresh') return false;
  logError('authkit_unavailable', 'a fresh sign-in brought no new auth_time');
  return true;
}

export function isFresh({ authTime }: SignIn): boolean {
  return Date.now() / 1000 - authTime <= FRESH_SECONDS;
}

/**
 * How much of a session an act needs. `valid` is enough to lay authority down, even while WorkOS cannot be reached; so is
 * `brake`, also for somebody who is signed in as the human. `session`: one that stands as far as its token says. `confirmed`: WorkOS says now that the session stands. `fresh`:
 * that, and the human has signed in within the last minutes.
 */
export type Needed = 'brake' | 'valid' | 'session' | 'confirmed' | 'fresh';

/** Whose form was posted and what it holds. `as` is for lines of the record; `presence` is what a read session says. */
export type Accepted = {
  userId: string;
  typed: Record<string, string>;
  ticked: string[];
  as: As;
  presence?: Presence;
};

/** The form that was posted, or the page that says why it was not accepted. */
export async function accept(c: AppContext, needed: Needed): Promise<Accepted | Response> {
  const fields = await formOf(c);
  const typed = typedIn(fields);
  const session = await sessionFor(c, needed);
  if (!session) return refuse(c, 'You are signed out', 'Sign in, then do it again.', 401);
  if (!isOurs(c, session.sessionId, typed[FORM_TOKEN])) {
    return refuse(c, 'This form is not from your session', 'Open the page again and use the form there.', 403);
  }
  if (needed === 'fresh' && !('authTime' in session && isFresh(session))) {
    return refuse(c, 'Sign in once more for this', 'Open the page again; it asks you to sign in.', 403);
  }
  if (session.impersonator && needed !== 'brake') {
    const next = 'In their place you can look, pause and dismiss, and nothing else.';
    return refuse(c, 'You are signed in as somebody else', next, 403);
  }
  const ticked = [fields['scope'] ?? []].flat().filter((value) => typeof value === 'string');
  const form = { typed, ticked, as: session.impersonator ? { impersonation: session.sessionId } : {} };
  if (!('user' in session)) return { ...form, userId: session.userId };
  return { ...form, userId: session.user.userId, presence: presenceOf(session) };
}

/** Milliseconds that somebody who wants to stop their deputies waits for WorkOS. */
const PATIENCE_MS = 2000;

/** The session, or AuthkitUnavailableError once it takes too long. */
export function withinPatience<Session>(session: Promise<Session>): Promise<Session> {
  return within(PATIENCE_MS, session, () => {
    throw new AuthkitUnavailableError('too slow for the brake');
  });
}

async function sessionFor(c: AppContext, needed: Needed): Promise<SignIn | LastSignIn | undefined> {
  if (needed === 'confirmed' || needed === 'fresh') return signedInFreshly(c);
  if (needed === 'session') return signedIn(c);
  try {
    return await withinPatience(signedIn(c));
  } catch (error) {
    // The brake must work while WorkOS does not.
    if (error instanceof AuthkitUnavailableError) return lastSignedIn(c);
    throw error;
  }
}

function isOurs(c: AppContext, sessionId: string, token = ''): boolean {
  const given = Buffer.from(token);
  return keysFor(readConfig(c.env), 'console form').some((key) => {
    const right = Buffer.from(tokenBy(key, sessionId));
    return given.length === right.length && timingSafeEqual(given, right);
  });
}

function refuse(c: AppContext, title: string, next: string, status: 401 | 403) {
  // Its token may still open the page of one's deputies for minutes, so that page would not ask.
  const action =
    status === 401
      ? { href: loginPath('/deputies'), label: 'Sign in' }
      : { href: '/deputies', label: 'To your deputies' };
  return c.html(
    <Message title={title} action={action}>
      <p>Nothing was changed. {next}</p>
    </Message>,
    status,
  );
}
