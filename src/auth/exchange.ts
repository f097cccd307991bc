/** The exchange of a code for tokens, which happens once, and its first answer for a client that lost it. */
import { clientOfGrant } from '../edge/before-the-provider.ts';
import { KEPT_BY_NOBODY, OPEN_TO_BROWSERS, refusal, tryAgain } from '../edge/oauth-error.ts';
import { logError } from '../log.ts';
import { grantInTurn, TURN_SECONDS } from '../mcp/crowd.ts';
import { once } from './once.ts';

/** Requests that come so close together are one that was doubled: a client notices later that an answer is lost. */
const AT_ONCE_MS = 2000;

type Exchange = (request: Request) => Promise<Response>;

/**
 * Serves `/token`. What is sent there for one grant reaches the object of its human, so it stands in the line of that
 * grant, with the calls of its deputy.
 */
export async function exchangeInTurn(request: Request, env: Env, exchange: Exchange): Promise<Response> {
  const form = new URLSearchParams(new TextDecoder().decode(await request.clone().arrayBuffer()));
  const [user, grant] = (form.get('code') ?? form.get('refresh_token') ?? form.get('token') ?? '').split(':');
  if (!user || !grant) return exchange(request);
  const isExchange = form.get('grant_type') === 'authorization_code';
  const answer = await grantInTurn(`${user}:${grant}`, () =>
    isExchange ? exchangeOnce(request, form, env, exchange) : exchange(request),
  );
  if (answer) return answer;
  const headers = { 'Retry-After': String(TURN_SECONDS) };
  return refusal(
    429,
    'temporarily_unavailable',
    'Too many requests for this grant at once. Try again in a moment.',
    headers,
  );
}

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
async function exchangeOnce(request: Request, form: URLSearchParams, env: Env, exchange: Exchange): Promise<Response> {
  const askedAt = Date.now();
  const code = form.get('code') ?? '';
  // Strangers can name anybody, and only a human who has a grant has an object to ask.
  if ((await clientOfGrant(form, env.OAUTH_KV)) === undefined) return exchange(request);

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
    // What the provider has answered or thrown is not the object's fault, and tokens must not get lost.
    const answer = await mine;
    if (answer) return answer;
    logError('object_unreachable', error);
    return tryAgain(5, 'The ledger of the human cannot be reached.');
  }
}
