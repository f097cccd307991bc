/** The authorization request of a client, checked by the OAuth provider and by what the standards and MCP ask beyond it. */
import { AuthorizationError, type AuthRequest, CimdFetchError } from '@cloudflare/workers-oauth-provider';
import { addressOfAnswer, authorizationRequest, whyNoCode } from '../edge/as-clients-send.ts';
import { hasFailed, rememberFailure } from '../edge/client-document.ts';
import { inAscii } from '../edge/oauth-error.ts';
import type { AppContext } from './session.ts';

/**
 * What a client asks for at /authorize. Errors: AuthorizationError, whose description helps the person who sees it;
 * CimdFetchError when the client's document cannot be read, or could not a moment ago.
 */
export async function authRequestOf(c: AppContext, { url: address }: { url: string }): Promise<AuthRequest> {
  const url = new URL(address);
  const { parameters, problem } = authorizationRequest(url.searchParams);
  const clientId = parameters.get('client_id') ?? '';
  if (hasFailed(clientId)) throw new CimdFetchError(clientId, 'it could not be read a moment ago');
  try {
    // Nobody may be led to an address that stands beside another one, or was given to another client.
    if (problem && ['client_id', 'redirect_uri'].some((name) => parameters.getAll(name).length > 1))
      throw new AuthorizationError('invalid_request', { description: problem });
    if (clientId && !parameters.has('redirect_uri')) {
      // The only one that the client has needs no mention. RFC 6749, section 3.1.2.3.
      const [only, ...others] = (await c.env.OAUTH_PROVIDER.lookupClient(clientId))?.redirectUris ?? [];
      if (only !== undefined && others.length === 0) parameters.set('redirect_uri', only);
    }
    const description = whyNoCode(parameters.get('redirect_uri') ?? '', url);
    if (description) throw new AuthorizationError('invalid_request', { description });
    url.search = parameters.toString();
    const asked = await c.env.OAUTH_PROVIDER.parseAuthRequest(new Request(url)).catch(async (error: unknown) => {
      if (!(error instanceof AuthorizationError) || error.redirectUri) throw error;
      throw new AuthorizationError(error.code, { description: await whyNotAnswered(c, parameters) });
    });
    if (!problem) return asked;
    const { redirectUri, state, issuer } = asked;
    throw new AuthorizationError('invalid_request', {
      description: problem,
      redirectUri,
      state,
      ...(issuer && { issuer }),
    });
  } catch (error) {
    if (error instanceof CimdFetchError) rememberFailure(error.metadataUrl);
    throw error;
  }
}

const ADD_AGAIN = 'Remove the server from your app, add it again, and connect once more';

/** Why there is no address that the answer to this request could go to, and what helps. */
async function whyNotAnswered(c: AppContext, parameters: URLSearchParams): Promise<string> {
  const clientId = parameters.get('client_id');
  if (!clientId) return 'The client_id is missing. Start the connection from your app, which adds it';
  if (!(await c.env.OAUTH_PROVIDER.lookupClient(clientId)))
    return `This server does not know the app with that client_id. ${ADD_AGAIN}`;
  if (!parameters.has('redirect_uri'))
    return 'The redirect_uri is missing, and the app has registered several. Update the app, then connect once more';
  return `The redirect_uri is none that the app has registered. ${ADD_AGAIN}`;
}

/** The client's address with an error. RFC 6749, section 4.1.2.1. */
export function addressOfError(
  { redirectUri, state, issuer }: { redirectUri: string; state?: string | undefined; issuer?: string | undefined },
  error: string,
  description?: string,
): string {
  const said = description === undefined ? undefined : inAscii(description);
  return addressOfAnswer(redirectUri, { error, error_description: said, state, iss: issuer });
}
