/** JSON-RPC errors that are also HTTP errors: what a client reads when no tool answered. */
import {
  bearerAuthChallengeResponse,
  getOAuthProtectedResourceMetadataUrl,
  OAuthError,
  OAuthErrorCode,
} from '@modelcontextprotocol/server';

/** `id` is that of the request, when it is known. */
export function rpcError(
  status: number,
  code: number,
  message: string,
  headers: HeadersInit = {},
  id: string | number | null = null,
): Response {
  return Response.json({ jsonrpc: '2.0', error: { code, message }, id }, { status, headers });
}

/** The token is of no more use: the client signs in again. RFC 6750, section 3.1. `url` is one of our own. */
export function invalidToken(url: string, message: string): Response {
  const metadata = new URL('/.well-known/oauth-protected-resource/mcp', url).href;
  const challenge = `Bearer error="invalid_token", resource_metadata="${metadata}"`;
  return rpcError(401, -32000, message, { 'WWW-Authenticate': challenge });
}

/** The client asks its human for all of these scopes. RFC 6750, section 3.1. `resource` is that of its token. */
export function insufficientScope(resource: string, message: string, requiredScopes: readonly string[]): Response {
  return bearerAuthChallengeResponse(new OAuthError(OAuthErrorCode.InsufficientScope, message), {
    requiredScopes: [...requiredScopes],
    resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(new URL(resource)),
  });
}
