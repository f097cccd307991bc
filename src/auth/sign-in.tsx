/** Signing people in at AuthKit and out again: state and PKCE verifier stay in their browser. */
import { readConfig } from '../config.ts';
import { domain } from '../domain.ts';
import { logError } from '../log.ts';
import { Message } from '../pages/layout.tsx';
import {
  AuthkitUnavailableError,
  createPkce,
  exchangeCode,
  SignInRefusedError,
  signInUrl,
  signOutUrl,
} from './authkit.ts';
import {
  endSignIn,
  findSignIn,
  forgetJustSignedIn,
  justSignedIn,
  rememberAfterSignOut,
  rememberSignIn,
  takeAfterSignOut,
} from './cookies.ts';
import { answerUnavailable } from './errors.tsx';
import { formOf, loginPath, objectOf, originOf, ownPath } from './requests.ts';
import { sealSession } from './sealed-session.ts';
import { type AppContext, endSession, signedIn, startSession } from './session.ts';
import { tellClient, waitingClient } from './waiting-client.tsx';

/** GET /login: off to AuthKit, and back to `return_to` afterwards. With `fresh` it asks even who is signed in there. */
export async function startSignIn(c: AppContext): Promise<Response> {
  const config = readConfig(c.env);
  const returnTo = ownPath(c.req.query('return_to'));
  // AuthKit would sign this browser in again without a word, and so on in a circle.
  if (justSignedIn(c) !== undefined && !(await signedIn(c))) return answerLostSession(c, returnTo);
  const { codeVerifier, codeChallenge } = await createPkce(config);
  const fresh = c.req.query('fresh') !== undefined;
  const state = await rememberSignIn(c, { codeVerifier, returnTo, fresh });
  const to = { redirectUri: `${originOf(c)}/callback`, codeChallenge, ...(fresh && { maxAge: 0 }) };
  if (state) return c.redirect(signInUrl(config, { ...to, state }));

  const client = await waitingClient(c, returnTo, 'invalid_request', 'The authorization request is too long');
  const page = {
    title: 'This request is too long',
    said: 'The address holds more than we can carry through the sign-in.',
  };
  if (client) return tellClient(c, client, page);
  return c.html(
    <Message title={page.title}>
      <p>{page.said}</p>
    </Message>,
    400,
  );
}

/** Says that the session which AuthKit has just begun is not here. The next sign-in is tried as if it were the first. */
function answerLostSession(c: AppContext, returnTo: string) {
  forgetJustSignedIn(c);
  return c.html(
    <Message title="The sign-in did not take hold" action={{ href: loginPath(returnTo), label: 'Sign in again' }}>
      <p>
        AuthKit signed you in a moment ago, and there is no session now: this browser did not keep it, or AuthKit has
        ended it. Nothing was granted. Allow this site to keep cookies, or use another browser.
      </p>
    </Message>,
    400,
  );
}

/** GET /callback: back from AuthKit. */
export async function finishSignIn(c: AppContext): Promise<Response> {
  const { state = '', code, error } = c.req.query();
  const signIn = await findSignIn(c, state);
  if (signIn?.codeVerifier === undefined) return answerRepetition(c, signIn?.returnTo);
  const { returnTo, codeVerifier, fresh = false } = signIn;
  const again = { href: loginPath(returnTo), label: 'Sign in again' };
  if (error || !code) {
    await endSignIn(c, state, signIn);
    // The client is waiting for an answer, so a refusal at AuthKit is meant for it.
    const client = error === 'access_denied' ? await waitingClient(c, returnTo, 'access_denied') : undefined;
    if (client) return tellClient(c, client, { title: 'You did not sign in', said: 'The sign-in was cancelled.' });
    return c.html(
      <Message title="AuthKit did not sign you in" action={again}>
        <p>Nothing was granted. You can sign in again, or close this page.</p>
      </Message>,
      400,
    );
  }
  const config = readConfig(c.env);
  try {
    const session = await exchangeCode(config, code, codeVerifier);
    startSession(c, await sealSession(config, session), { fresh });
  } catch (failure) {
    // The code may still be good, so the same address can be tried again.
    if (failure instanceof AuthkitUnavailableError) return answerUnavailable(c, failure, returnTo);
    if (!(failure instanceof SignInRefusedError)) throw failure;
    // The same request may have come twice, and the first one has signed this browser in: its cookies tell next time.
    await endSignIn(c, state, signIn);
    return c.redirect(`/callback?${new URLSearchParams({ state }).toString()}`);
  }
  await endSignIn(c, state, signIn);
  return c.redirect(returnTo);
}

/** A sign-in that is over, or is not of this browser: a reload, a click on "back", an address that somebody else made. */
async function answerRepetition(c: AppContext, returnTo?: string): Promise<Response> {
  const session = await signedIn(c);
  if (session && returnTo !== undefined) return c.redirect(returnTo);
  if (session) {
    return c.html(
      <Message title="You are signed in" action={{ href: '/deputies', label: 'To your deputies' }}>
        <p>
          This address belongs to another sign-in, which cannot be continued here. If an app waits for you, go back to
          it and connect again.
        </p>
      </Message>,
      400,
    );
  }
  if (returnTo !== undefined) {
    return c.html(
      <Message title="This sign-in has expired" action={{ href: loginPath(returnTo), label: 'Sign in again' }}>
        <p>It was used before or took too long, and works once. You are not signed in.</p>
      </Message>,
      400,
    );
  }
  return c.html(
    <Message title="This sign-in cannot be continued" action={{ href: '/', label: `To ${domain.name}` }}>
      <p>
        It was started in another browser, or more than ten minutes ago, or this browser keeps no cookies. You are not
        signed in. Go back to your app and connect again.
      </p>
    </Message>,
    400,
  );
}

/** Browsers fetch ahead what may be opened next. These pages use up what works once, so that nothing is done for it. */
export async function notAhead(c: AppContext, next: () => Promise<void>): Promise<Response | void> {
  const purposes = ['Sec-Purpose', 'Purpose', 'X-Moz'].map((name) => c.req.header(name)?.toLowerCase() ?? '');
  if (!purposes.some((purpose) => purpose.includes('prefetch'))) return next();
  return c.text('This page is made when it is opened.', 503);
}

/** POST /logout: ends the session here, then at AuthKit. */
export async function signOut(c: AppContext): Promise<Response> {
  const { return_to: target } = await formOf(c);
  const returnTo = ownPath(typeof target === 'string' ? target : undefined);
  const ended = await endSession(c);
  if (!ended) return c.redirect(returnTo, 303);
  c.executionCtx.waitUntil(closePages(c, ended));
  await rememberAfterSignOut(c, returnTo);
  return c.redirect(signOutUrl(readConfig(c.env), ended.sessionId, `${originOf(c)}/logout`), 303);
}

/** Pages that this session has open elsewhere stop following the record. */
async function closePages(c: AppContext, { userId, sessionId }: { userId: string; sessionId: string }): Promise<void> {
  try {
    await objectOf(c, userId).sessionEnded(sessionId);
  } catch (error) {
    logError('object_unreachable', error);
  }
}

/** GET /logout: back from AuthKit once it has ended the session. One address to register there, for every way out. */
export async function finishSignOut(c: AppContext): Promise<Response> {
  return c.redirect(ownPath(await takeAfterSignOut(c)));
}
