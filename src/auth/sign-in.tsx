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
import { answerUnavailable } from './errors.tsx';
import { formOf, loginPath, objectOf, originOf, ownPath } from './requests.ts';
import {
  type AppContext,
  endSession,
  rememberAfterSignOut,
  rememberSignIn,
  startSession,
  takeAfterSignOut,
  takeSignIn,
} from './session.ts';
import { tellClient, waitingClient } from './waiting-client.tsx';

/** GET /login: off to AuthKit, and back to `return_to` afterwards. With `fresh` it asks even who is signed in there. */
export async function startSignIn(c: AppContext): Promise<Response> {
  const config = readConfig(c.env);
  const returnTo = ownPath(c.req.query('return_to'));
  const { codeVerifier, codeChallenge } = await createPkce(config);
  const state = await rememberSignIn(c, { codeVerifier, returnTo });
  const fresh = c.req.query('fresh') !== undefined && { maxAge: 0 };
  const redirectUri = `${originOf(c)}/callback`;
  if (state) return c.redirect(signInUrl(config, { redirectUri, state, codeChallenge, ...fresh }));

  const client = await waitingClient(c, returnTo, 'invalid_request', 'The authorization request is too long');
  const page = {
    title: 'This request is too long',
    said: 'The address holds more than we can carry through the sign-in. Nobody was signed in.',
  };
  if (client) return tellClient(c, client, page);
  return c.html(
    <Message title={page.title}>
      <p>{page.said}</p>
    </Message>,
    400,
  );
}

/** GET /callback: back from AuthKit. */
export async function finishSignIn(c: AppContext): Promise<Response> {
  const { state = '', code, error } = c.req.query();
  const pending = await takeSignIn(c, state);
  if (!pending) {
    return c.html(
      <Message title="This sign-in cannot be continued" action={{ href: '/', label: `To ${domain.name}` }}>
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
    // The client is waiting for an answer, so a refusal at AuthKit is meant for it.
    const client = error === 'access_denied' ? await waitingClient(c, pending.returnTo, 'access_denied') : undefined;
    if (client) return tellClient(c, client, { title: 'You did not sign in', said: 'The sign-in was cancelled.' });
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
    if (failure instanceof AuthkitUnavailableError) return answerUnavailable(c, failure, again);
    if (!(failure instanceof SignInRefusedError)) throw failure;
    return c.html(
      <Message title="This sign-in has expired" action={again}>
        <p>AuthKit no longer accepts it, because it was used before or took too long. Nobody was signed in.</p>
      </Message>,
      400,
    );
  }
  return c.redirect(pending.returnTo);
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
