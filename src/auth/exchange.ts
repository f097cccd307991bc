/** The exchange of a code for tokens, which happens once, and its first answer for a client that lost it. */
import { clientOfGrant } from '../edge/before-the-provider.ts';
import { KEPT_BY_NOBODY, OPEN_TO_BROWSERS, refusal } from '../edge/oauth-error.ts';
import { logError } from '../log.ts';
import { once } from './once.ts';

/** Requests that come so close together are one that was doubled: a client notices later that an answer is lost. */
const AT_ONCE_MS = 2000;

/**
 * Has `exchange` answer a request to the OAuth provider; requests that redeem the same code wait for each other.
 *
 * - The first one that is answered with tokens is the exchange, and there is no other.
 * - Who repeats it word for word at once has lost nothing, and is told to try again: 503, and no harm to the first one.
 * - Who does so later, but within five minutes, gets the same tokens while the deputy is live. OAuth 2.1, section 4.1.3,
 *   has a second request denied, because codes are stolen (RFC 6749, section 10.5). A repetition carries the PKCE
 *   verifier, which never left the client: it is that client, it lost the answer, and no second token comes of it.
 * - Any other request with that code is denied by the provider, which then revokes the tokens (RFC 6749, section 4.1.2).
 */
export async function exchangeOnce(
  request: Request,
  env: Env,
  exchange: (request: Request) => Promise<Response>,
): Promise<Response> {
  const askedAt = Date.now();
  const form = await codeForm(request);
  const code = form?.get('code') ?? '';
  // Strangers can name anybody, and only a human who has a grant has an object to ask.
  if (!form || (await clientOfGrant(form, env.OAUTH_KV)) === undefined) return exchange(request);

  const [userId = '', grantId = ''] = code.split(':');
  const words = [form.toString(), request.headers.get('Authorization')];
  let mine: Promise<Response> | undefined;
  try {
    const first = await once(env, { userId, secret: code, words }, async () => {
      mine = exchange(request.clone());
      const answer = await mine;
      return answer.ok ? { text: await answer.clone().text(), grantId } : undefined;
    });
    if (mine && !first?.repeated) return await mine;
    if (!first) return await exchange(request);
    if (askedAt < first.at + AT_ONCE_MS)
      return tryAgain(AT_ONCE_MS / 1000, 'Another request of yours has just exchanged this code.');
    const headers = { ...OPEN_TO_BROWSERS, ...KEPT_BY_NOBODY, 'Content-Type': 'application/json' };
    return new Response(first.text, { headers });
  } catch (error) {
    // What the provider has thrown is not the object's fault.
    await mine;
    logError('object_unreachable', error);
    return tryAgain(5, 'The ledger of the human cannot be reached.');
  }
}

function tryAgain(seconds: number, why: string): Response {
  const headers = { 'Retry-After': String(seconds) };
  return refusal(503, 'temporarily_unavailable', `${why} Try again in a moment.`, headers);
}

/** The form of a request that redeems a code; undefined of any other. */
async function codeForm(request: Request): Promise<URLSearchParams | undefined> {
  if (request.method !== 'POST' || new URL(request.url).pathname !== '/token') return undefined;
  const form = new URLSearchParams(new TextDecoder().decode(await request.clone().arrayBuffer()));
  return form.get('grant_type') === 'authorization_code' ? form : undefined;
}
