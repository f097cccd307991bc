/** The OAuth provider of an origin: who may register, what a token is good for, and for how long. */
import { type ClientRegistrationCallbackOptions, OAuthProvider } from '@cloudflare/workers-oauth-provider';
import { app } from './app.tsx';
import { BASE_SCOPE, SCOPES } from './deputy.ts';
import { log } from './log.ts';
import { handleMcp } from './mcp-endpoint.ts';

const HOUR = 60 * 60;
const DAY = 24 * HOUR;
const MAX_METADATA_LENGTH = 8 * 1024;
const MAX_CLIENT_NAME_LENGTH = 100;

let latest: { origin: string; provider: OAuthProvider<Env> } | undefined;

/**
 * Built on first use, one for each origin, because a provider's resource is fixed. Only the latest is kept: a deployment
 * has one origin, and on a developer's machine origins cost nothing to invent. Ask only for served origins.
 */
export function providerFor(origin: string): OAuthProvider<Env> {
  if (latest?.origin === origin) return latest.provider;
  const provider = new OAuthProvider<Env>({
    apiRoute: '/mcp',
    apiHandler: { fetch: handleMcp },
    defaultHandler: { fetch: (request, env, ctx) => app.fetch(request, env, ctx) },
    authorizeEndpoint: '/authorize',
    tokenEndpoint: '/token',
    clientRegistrationEndpoint: '/register',
    resourceMetadata: { resource: `${origin}/mcp`, resource_name: 'MCP Shop on Cloudflare' },
    requiredScopes: [BASE_SCOPE],
    // offline_access is a promise of the authorization server, not a power over the shop.
    scopesSupported: [...SCOPES, 'offline_access'],
    accessTokenTTL: HOUR,
    refreshTokenTTL: 30 * DAY,
    refreshTokenIdleTTL: 30 * DAY,
    clientIdMetadataDocumentEnabled: true,
    clientRegistrationCallback: checkRegistration,
    onError: ({ code, status, internal: { category, reason } }) =>
      log({ event: 'oauth_error', code, category, reason, status }),
  });
  latest = { origin, provider };
  return provider;
}

/** Anyone may register a client, so what is kept of it is bounded. RFC 7591, section 3.2.2. */
function checkRegistration({ clientMetadata }: ClientRegistrationCallbackOptions) {
  const { client_name: name } = clientMetadata;
  if (typeof name === 'string' && name.length > MAX_CLIENT_NAME_LENGTH) {
    return { description: `client_name must be at most ${MAX_CLIENT_NAME_LENGTH} characters` };
  }
  if (JSON.stringify(clientMetadata).length > MAX_METADATA_LENGTH) {
    return { description: `client metadata must be at most ${MAX_METADATA_LENGTH} bytes` };
  }
  return undefined;
}
