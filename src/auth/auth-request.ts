/** The authorization request of a client, checked by the OAuth provider and by what MCP asks beyond it. */
import { AuthorizationError, type AuthRequest, CimdFetchError } from '@cloudflare/workers-oauth-provider';
import { hasFailed, rememberFailure } from '../edge/before-the-provider.ts';
import type { AppContext } from './session.ts';

/**
 * What a client asks for at /authorize. Errors: AuthorizationError, also without PKCE, which the provider asks of public
 * clients only and MCP of all; CimdFetchError when the client's document cannot be read, or could not a moment ago.
 */
export async function authRequestOf(c: AppContext, request: Request): Promise<AuthRequest> {
  const clientId = new URL(request.url).searchParams.get('client_id') ?? '';
  if (hasFailed(clientId)) throw new CimdFetchError(clientId, 'it could not be read a moment ago');
  const asked = await c.env.OAUTH_PROVIDER.parseAuthRequest(request).catch((error: unknown) => {
    if (error instanceof CimdFetchError) rememberFailure(error.metadataUrl);
    throw error;
  });
  if (asked.codeChallenge) return asked;
  const description = 'Every client must use PKCE: send code_challenge, with code_challenge_method S256.';
  const { redirectUri, state, issuer } = asked;
  throw new AuthorizationError('invalid_request', { description, redirectUri, state, ...(issuer && { issuer }) });
}
