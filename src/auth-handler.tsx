/** Sign in at AuthKit, then consent, then the deputy: /authorize, /login, /callback, /logout. */
import { AuthorizationError, authorizationErrorRedirect, CimdFetchError } from '@cloudflare/workers-oauth-provider';
import { Hono } from 'hono';
import type { BodyData } from 'hono/utils/body';
import { z } from 'zod';
import {
  AuthkitUnavailableError,
  createPkce,
  exchangeCode,
  SignInRefusedError,
  signInUrl,
  signOutUrl,
} from './auth/authkit.ts';
import { ConsentPage } from './auth/consent-page.tsx';
import {
  type AppContext,
  type PageEnv,
  endSession,
  rememberAfterSignOut,
  rememberSignIn,
  signedIn,
  startSession,
  takeAfterSignOut,
  takeSignIn,
} from './auth/session.ts';
import { readConfig } from './config.ts';
import { BASE_SCOPE, objectName, type Props, SCOPES } from './deputy.ts';
import { logError } from './log.ts';
import { Message } from './pages/layout.tsx';

/** Longer ones would not fit into the cookie that carries them through the sign-in. */
const MAX_RETURN_TO = 2000;

export const auth = new Hono<{ Bindings: PageEnv }>();

// ---------------------------------------------------------------- consent

auth.get('/authorize', async (c) => {
  const oauth = c.env.OAUTH_PROVIDER;
  const request = await oauth.parseAuthRequest(c.req.raw);
  const session = await signedIn(c);
  const here = hereOf(c);
  if (!session) return c.redirect(loginPath(here));
  const details = await oauth.describeConsent(request);
  const { handle, headers } = await oauth.beginConsent(request);
  // The page's own policy, set for every page, is stricter than the helper's.
  for (const cookie of headers.getSetCookie()) c.header('Set-Cookie', cookie, { append: true });
  return c.html(<ConsentPage user={session.user} details={details} here={here} handle={handle} />);
});

const consentForm = z.object({
  handle: z.string(),
  user: z.string(),
  decision: z.enum(['allow', 'deny']),
  scope: z.preprocess((value) => (value === undefined ? [] : [value].flat()), z.array(z.enum(SCOPES))),
});

auth.post('/authorize', async (c) => {
  const oauth = c.env.OAUTH_PROVIDER;
  const here = hereOf(c);
  const parsed = consentForm.safeParse(await formOf(c));
  if (!parsed.success) {
    return c.html(
      <Message title="This form was incomplete" action={{ href: here, label: 'Show the page again' }}>
        <p>Nothing was granted. Open the page again, tick what the deputy may do, and press Allow or Deny.</p>
      </Message>,
      400,
    );
  }
  const { handle, user: shownTo, decision, scope } = parsed.data;
  if (decision === 'deny') {
    const denied = await oauth.denyConsent(c.req.raw, handle, { description: 'The user did not appoint this client' });
    return redirectOut(c, denied.redirectTo, denied.headers);
  }

  const session = await signedIn(c);
  if (!session) return c.redirect(loginPath(here), 303);
  const { user } = session;
  if (user.userId !== shownTo) {
    return c.html(
      <Message title="You are signed in as somebody else now" action={{ href: here, label: `Go on as ${user.email}` }}>
        <p>
          Nothing was granted: this page was shown to another account of yours. Look at it again before you allow it.
        </p>
      </Message>,
      403,
    );
  }

  const { request, headers } = await oauth.approveConsent(c.req.raw, handle, {
    scope: [...new Set([BASE_SCOPE, ...scope])],
  });
  const details = await oauth.describeConsent(request);
  const deputyId = `dep_${crypto.randomUUID()}`;
  await c.env.MCP_OBJECT.getByName(objectName(user.userId)).appoint({
    deputyId,
    clientId: request.clientId,
    clientName: details.clientName,
    ...(details.clientDomain && { clientDomain: details.clientDomain }),
    redirectHost: details.redirectHost,
    scopes: request.scope,
  });
  const { redirectTo } = await oauth.completeAuthorization({
    request,
    userId: user.userId,
    scope: request.scope,
    metadata: { deputyId },
    props: { ...user, deputyId } satisfies Props,
    // A second laptop is a second deputy; the human decides which ones stay.
    revokeExistingGrants: false,
  });
  return redirectOut(c, redirectTo, headers);
});

// ---------------------------------------------------------------- sign in and out

auth.get('/login', async (c) => {
  const config = readConfig(c.env);
  const returnTo = ownPath(c.req.query('return_to'));
  if (returnTo.length > MAX_RETURN_TO) {
    return c.html(
      <Message title="This request is too long">
        <p>The app sent more than we can carry through the sign-in. Nothing was granted; please tell its makers.</p>
      </Message>,
      400,
    );
  }
  const state = crypto.randomUUID();
  const { codeVerifier, codeChallenge } = await createPkce(config);
  await rememberSignIn(c, state, { codeVerifier, returnTo });
  return c.redirect(signInUrl(config, { redirectUri: `${originOf(c)}/callback`, state, codeChallenge }));
});

auth.get('/callback', async (c) => {
  const { state = '', code, error } = c.req.query();
  const pending = await takeSignIn(c, state);
  if (!pending) {
    return c.html(
      <Message title="This sign-in cannot be continued" action={{ href: '/', label: 'To the shop' }}>
        <p>
          It was started in another browser, more than ten minutes ago, or was already used. Nobody was signed in. Go
          back to your app and connect again.
        </p>
      </Message>,
      400,
    );
  }
  const again = { href: loginPath(pending.returnTo), label: 'Sign in again' };
  if (error || !code) {
    // The client is waiting for an answer, so a refusal at AuthKit is passed on to it.
    const client = error === 'access_denied' ? await waitingClient(c, pending.returnTo) : undefined;
    if (client) return redirectOut(c, client, new Headers());
    return c.html(
      <Message title="AuthKit did not sign you in" action={again}>
        <p>Nothing was granted. You can sign in again, or close this page.</p>
      </Message>,
      400,
    );
  }
  try {
    startSession(c, await exchangeCode(readConfig(c.env), code, pending.codeVerifier));
  } catch (failure) {
    if (failure instanceof AuthkitUnavailableError) return unavailable(c, failure, again);
    if (!(failure instanceof SignInRefusedError)) throw failure;
    return c.html(
      <Message title="This sign-in has expired" action={again}>
        <p>AuthKit no longer accepts it, because it was used before or took too long. Nobody was signed in.</p>
      </Message>,
      400,
    );
  }
  return c.redirect(pending.returnTo);
});

auth.post('/logout', async (c) => {
  const { return_to: target } = await formOf(c);
  const returnTo = ownPath(typeof target === 'string' ? target : undefined);
  const session = await signedIn(c);
  endSession(c);
  if (!session) return c.redirect(returnTo, 303);
  await rememberAfterSignOut(c, returnTo);
  return c.redirect(signOutUrl(readConfig(c.env), session.sessionId, `${originOf(c)}/logout`), 303);
});

/** Where AuthKit sends the browser once it has ended the session: one address to register there, for every way out. */
auth.get('/logout', async (c) => c.redirect(ownPath(await takeAfterSignOut(c))));

// ---------------------------------------------------------------- errors

/** The answer to an authorization request that cannot be granted; undefined for any other error. */
export function answerAuthError(error: Error, c: AppContext): Response | Promise<Response> | undefined {
  if (error instanceof AuthorizationError) {
    if (error.redirectTo) return c.redirect(error.redirectTo);
    const retry = c.req.method === 'POST' ? { href: hereOf(c), label: 'Show the page again' } : undefined;
    return c.html(
      <Message title="This request cannot be granted" action={retry}>
        <p>{error.description}.</p>
        <p>
          {retry
            ? 'If you have just pressed Allow, your app may be connected already: look there first.'
            : 'Nothing was granted. Remove the server from your app, add it again, and connect once more.'}
        </p>
      </Message>,
      400,
    );
  }
  if (error instanceof CimdFetchError) {
    return c.html(
      <Message title="This app could not be verified">
        <p>
          Its description could not be read from the address it gave as its name. Nothing was granted; try again later.
        </p>
      </Message>,
      400,
    );
  }
  if (error instanceof AuthkitUnavailableError) return unavailable(c, error, { href: hereOf(c), label: 'Try again' });
  return undefined;
}

function unavailable(c: AppContext, error: AuthkitUnavailableError, again: { href: string; label: string }) {
  logError('authkit_unavailable', error.message);
  return c.html(
    <Message title="AuthKit cannot be reached" action={again}>
      <p>Nothing was changed. It is most likely a short outage; try again in a moment.</p>
    </Message>,
    502,
  );
}

// ---------------------------------------------------------------- helpers

/** The fields of a posted form; none when the body is not a form. */
function formOf(c: AppContext): Promise<BodyData<{ all: true }>> {
  return c.req.parseBody({ all: true }).catch(() => ({}));
}

function originOf(c: AppContext): string {
  return new URL(c.req.url).origin;
}

function hereOf(c: AppContext): string {
  const { pathname, search } = new URL(c.req.url);
  return pathname + search;
}

function loginPath(returnTo: string): string {
  return `/login?${new URLSearchParams({ return_to: returnTo }).toString()}`;
}

/** The path itself when it stays on this site, else the landing page: never an address somebody else chose. */
function ownPath(path: string | undefined): string {
  const base = 'https://own.invalid';
  if (path === undefined || !URL.canParse(path, base)) return '/';
  const url = new URL(path, base);
  return url.origin === base ? url.pathname + url.search : '/';
}

/** Where to tell the waiting client that its user declined, if an authorization request started this sign-in. */
async function waitingClient(c: AppContext, returnTo: string): Promise<string | undefined> {
  const url = new URL(returnTo, originOf(c));
  if (url.pathname !== '/authorize') return undefined;
  return authorizationErrorRedirect(await c.env.OAUTH_PROVIDER.parseAuthRequest(new Request(url)), 'access_denied');
}

function redirectOut(c: AppContext, location: string, headers: Headers): Response {
  for (const cookie of headers.getSetCookie()) c.header('Set-Cookie', cookie, { append: true });
  return c.redirect(location);
}
