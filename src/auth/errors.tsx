/** Pages for what goes wrong on the way to a deputy, each with what to do next. */
import { AuthorizationError, CimdFetchError } from '@cloudflare/workers-oauth-provider';
import { logError } from '../log.ts';
import { Message } from '../pages/layout.tsx';
import { AuthkitUnavailableError } from './authkit.ts';
import { hereOf, loginPath } from './requests.ts';
import type { AppContext } from './session.ts';
import { brokenRequest, tellClient } from './waiting-client.tsx';

/** The answer to an authorization request that cannot be granted; undefined for any other error. */
export function answerAuthError(error: Error, c: AppContext): Response | Promise<Response> | undefined {
  if (error instanceof AuthorizationError) {
    const title = 'This request cannot be granted';
    const said = `${error.description.replace(/\.$/, '')}.`;
    const client = brokenRequest(new URL(c.req.url), error);
    if (client) return tellClient(c, client, { title, said });
    const retry = c.req.method === 'POST' ? { href: hereOf(c), label: 'Show the page again' } : undefined;
    return c.html(
      <Message title={title} action={retry}>
        <p>{said}</p>
        <p>
          {retry
            ? 'If you have just answered it, look at your app first: it may know your answer already.'
            : 'Nothing was granted.'}
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
  if (error instanceof AuthkitUnavailableError) return answerUnavailable(c, error, hereOf(c));
  return undefined;
}

/** `returnTo` is where the human wanted to go. */
export function answerUnavailable(c: AppContext, error: AuthkitUnavailableError, returnTo: string) {
  logError('authkit_unavailable', error.message);
  return c.html(
    <Message title="AuthKit cannot be reached" action={{ href: hereOf(c), label: 'Try again' }}>
      <p>Nothing was changed. It is most likely a short outage; try again in a moment.</p>
      <p>
        If it stays, <a href={loginPath(returnTo)}>sign in again</a>. Who was signed in can{' '}
        <a href="/deputies">stop their deputies</a> meanwhile.
      </p>
    </Message>,
    502,
  );
}
