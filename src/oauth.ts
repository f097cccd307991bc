/** The OAuth provider of an origin: who may register, what a token is good for, and for how long. */
import {
  type ClientRegistrationCallbackOptions,
  GrantType,
  OAuthError,
  OAuthProvider,
  type OAuthProviderOptions,
  type TokenExchangeCallbackOptions,
} from '@cloudflare/workers-oauth-provider';
import { waitUntil } from 'cloudflare:workers';
import { z } from 'zod';
import { app } from './app.tsx';
import { clearGrants } from './auth/grants.ts';
import { basePower } from './authority/terms.ts';
import { objectName, propsSchema } from './deputy.ts';
import { domain } from './domain.ts';
import { documentUnavailable } from './edge/before-the-provider.ts';
import { rememberFailure } from './edge/client-document.ts';
import { haltFor } from './edge/halt.ts';
import { inAscii, refusal } from './edge/oauth-error.ts';
import { ACCESS_TOKEN_SECONDS, GRANT_SECONDS } from './lifetimes.ts';
import { log, logError } from './log.ts';
import { mcpEndpoint } from './mcp/endpoint.ts';

const MAX_METADATA_LENGTH = 8 * 1024;
const MAX_CLIENT_NAME_LENGTH = 100;

/** RFC 7591, section 3.2.2, has an error of its own for them. */
const REDIRECT_URIS =
  'redirect_uris must list at least one address, each absolute: https, or http on localhost, without fragment and user name.';

/** What the provider tells of a client's document that it could not read. */
const unreadDocument = z.object({ metadataUrl: z.string() });

let latest: { origin: string; provider: OAuthProvider<Env> } | undefined;

/**
 * Built on first use, one for each origin, because a provider's resource is fixed. Only the latest is kept: a deployment
 * has one origin, and on a developer's machine origins cost nothing to invent. Ask only for served origins.
 */
export function providerFor(origin: string): OAuthProvider<Env> {
  if (latest?.origin === origin) return latest.provider;
  const options: OAuthProviderOptions<Env> = {
    apiRoute: '/mcp',
    apiHandler: mcpEndpoint(domain.act.look),
    defaultHandler: { fetch: (request, env, ctx) => app.fetch(request, env, ctx) },
    authorizeEndpoint: '/authorize',
    tokenEndpoint: '/token',
    clientRegistrationEndpoint: '/register',
    resourceMetadata: { resource: `${origin}/mcp`, resource_name: domain.serverInfo.name },
    requiredScopes: [basePower(domain)],
    // offline_access is a promise of the authorization server, not a power of the domain.
    scopesSupported: [...Object.keys(domain.powers), 'offline_access'],
    accessTokenTTL: ACCESS_TOKEN_SECONDS,
    refreshTokenTTL: GRANT_SECONDS,
    refreshTokenIdleTTL: GRANT_SECONDS,
    clientIdMetadataDocumentEnabled: true,
    clientRegistrationCallback: checkRegistration,
    // An address of another kind may stand beside others, or alone; `whyNoCode` says why no code is sent to it.
    allowPrivateUseRedirectUris: true,
    tokenExchangeCallback: (exchange) => askTheLedger(exchange),
    onError({ code, description, status, headers, internal: { category, reason, detail } }) {
      log({ event: 'oauth_error', code, category, reason, status });
      if (category === 'client-registration' && /redirect.uri/i.test(description))
        return refusal(400, 'invalid_redirect_uri', REDIRECT_URIS);
      const unread = unreadDocument.safeParse(detail);
      if (category === 'client-id-metadata-document' && unread.success) {
        rememberFailure(unread.data.metadataUrl);
        return documentUnavailable();
      }
      // A description can hold what the client has sent.
      return description === inAscii(description) ? undefined : refusal(status, code, description, headers);
    },
  };
  const provider = new OAuthProvider<Env>(options);
  latest = { origin, provider };
  return provider;
}

/**
 * No token without the ledger of the human: the first one makes the deputy live, and each further one is asked for.
 * `invalid_grant` also makes the provider remove the grant (RFC 6749, section 5.2).
 */
async function askTheLedger({
  grantType,
  grantId,
  userId,
  clientId,
  props,
  env,
}: TokenExchangeCallbackOptions<Env>): Promise<void> {
  const halt = haltFor(env, clientId);
  if (halt?.blocked) throw new OAuthError('unauthorized_client', { description: halt.message });
  if (halt) {
    const headers = { 'Retry-After': '60' };
    throw new OAuthError('temporarily_unavailable', { description: halt.message, statusCode: 503, headers });
  }
  const { deputyId } = propsSchema.parse(props);
  const object = env.MCP_OBJECT.getByName(objectName(userId));
  let live: boolean;
  try {
    if (grantType === GrantType.AUTHORIZATION_CODE) {
      const result = await object.activate(deputyId, grantId);
      live = !('problem' in result);
      if ('grants' in result) waitUntil(clearGrants(env, userId, result.grants));
    } else {
      live = await object.mayRefresh(deputyId);
    }
  } catch (error) {
    logError('object_unreachable', error);
    throw new OAuthError('temporarily_unavailable', {
      description: 'The ledger of the human cannot be reached. Try again in a moment.',
      statusCode: 503,
      headers: { 'Retry-After': '5' },
    });
  }
  if (!live) throw new OAuthError('invalid_grant', { description: 'The human has ended this mandate. Sign in again.' });
}

/** Anyone may register a client, so what is kept of it is bounded. RFC 7591, section 3.2.2. */
function checkRegistration({ clientMetadata }: ClientRegistrationCallbackOptions) {
  const { client_name: name } = clientMetadata;
  if (typeof name === 'string' && Array.from(name).length > MAX_CLIENT_NAME_LENGTH) {
    return { description: `client_name must be at most ${MAX_CLIENT_NAME_LENGTH} characters` };
  }
  if (JSON.stringify(clientMetadata).length > MAX_METADATA_LENGTH) {
    return { description: `client metadata must be at most ${MAX_METADATA_LENGTH} bytes` };
  }
  return undefined;
}
