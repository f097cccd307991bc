/** WorkOS AuthKit: where people sign in. Only this file, presence.ts and audit-export.ts know WorkOS's SDK. */
import { OauthException, WorkOS } from '@workos-inc/node';
import { jwtVerify } from 'jose';
import { z } from 'zod';
import type { Config } from '../config.ts';
import { within } from '../within.ts';

/** What we use of a session at WorkOS. Its whole answer can be of any size: fifty fields of metadata, for example. */
export const workosSession = z.object({
  accessToken: z.string(),
  refreshToken: z.string(),
  user: z
    .object({
      id: z.string(),
      email: z.string(),
      name: z.string().nullish(),
      firstName: z.string().nullish(),
      lastName: z.string().nullish(),
    })
    .transform(({ id, email, name, firstName, lastName }) => ({
      id,
      email,
      name: (name ?? [firstName, lastName].filter(Boolean).join(' ')) || email,
    })),
  /** Somebody of the WorkOS team who has signed in as the user, and why. */
  impersonator: z.object({ email: z.string(), reason: z.string().nullish() }).optional(),
});
export type WorkosSession = z.infer<typeof workosSession>;
export type Impersonator = NonNullable<WorkosSession['impersonator']>;

/** One client for each configuration, because it keeps WorkOS's signing keys. */
const clients = new Map<string, WorkOS>();

/** The SDK's client, with this deployment's key or with one of its own. */
export function workos(config: Config, apiKey = config.WORKOS_API_KEY): WorkOS {
  const { WORKOS_CLIENT_ID, WORKOS_API_ORIGIN } = config;
  const id = `${WORKOS_API_ORIGIN} ${WORKOS_CLIENT_ID} ${apiKey}`;
  const known = clients.get(id);
  if (known) return known;
  const { hostname, port, protocol } = new URL(WORKOS_API_ORIGIN);
  const client = new WorkOS(apiKey, {
    clientId: WORKOS_CLIENT_ID,
    apiHostname: hostname,
    ...(port && { port: Number(port) }),
    https: protocol === 'https:',
    maxRetries: 1,
  });
  clients.set(id, client);
  return client;
}

/** A PKCE pair (RFC 7636, S256) for one sign-in. */
export function createPkce(config: Config): Promise<{ codeVerifier: string; codeChallenge: string }> {
  return workos(config).pkce.generate();
}

/** The address of AuthKit's sign-in page. With `maxAge` 0 (seconds) it asks even who has a session there. */
export function signInUrl(
  config: Config,
  options: { redirectUri: string; state: string; codeChallenge: string; maxAge?: number },
): string {
  return workos(config).userManagement.getAuthorizationUrl({
    provider: 'authkit',
    codeChallengeMethod: 'S256',
    ...options,
  });
}

/** Thrown when AuthKit refuses a code: used, expired, or from another sign-in. */
export class SignInRefusedError extends Error {}

/** Thrown when WorkOS does not answer, or does not know this deployment; the message says which. */
export class AuthkitUnavailableError extends Error {}

/** Exchanges the code of a callback for a session. Throws SignInRefusedError or AuthkitUnavailableError. */
export function exchangeCode(config: Config, code: string, codeVerifier: string): Promise<WorkosSession> {
  return reach(async () =>
    workosSession.parse(await workos(config).userManagement.authenticateWithCode({ code, codeVerifier })),
  );
}

/** Trades a refresh token for a session in that organization; it works once. Throws what the SDK throws: see isRefusal. */
export async function refreshTokens(
  config: Config,
  { refreshToken }: WorkosSession,
  organizationId: string | undefined,
): Promise<WorkosSession> {
  const asked = { refreshToken, ...(organizationId !== undefined && { organizationId }) };
  return workosSession.parse(await soon(workos(config).userManagement.authenticateWithRefreshToken(asked)));
}

/**
 * Whether WorkOS's keys confirm an access token that has not run out. Throws AuthkitUnavailableError when the keys cannot
 * be read. A key that is not among them may be a new one, so they are read once more.
 */
export async function isCurrent(config: Config, accessToken: string): Promise<boolean> {
  const keys = await workos(config).userManagement.getJWKS();
  if (!keys) return false;
  if (!keys.fresh) await reach(keys.reload);
  const verified = () => jwtVerify(accessToken, keys).then(() => true);
  return verified().catch(async (error: unknown) => {
    // Of the SDK's own copy of jose, so that its class says nothing.
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_JWKS_NO_MATCHING_KEY')) return false;
    await reach(keys.reload);
    return verified().catch(() => false);
  });
}

/** What a cookie holds that the SDK has sealed, as ours were once: the whole answer. Throws when it cannot be read. */
export async function unsealedBySdk(config: Config, sealed: string): Promise<unknown> {
  const { COOKIE_PASSWORD: current, COOKIE_PASSWORD_PREVIOUS: previous } = config;
  const open = (cookiePassword: string) =>
    workos(config).userManagement.getSessionFromCookie({ sessionData: sealed, cookiePassword });
  const found = await open(current);
  // By another password the SDK reads an empty object.
  return found?.accessToken || previous === undefined ? found : open(previous);
}

/** What WorkOS says of our own key, of its own haste, and of a request that took too long: nothing about what was asked. */
const NO_REFUSAL = new Set([401, 408, 429]);

/** Whether WorkOS refuses what was asked, such as to refresh a session in an organization that the human has left. */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error && 'status' in error && typeof error.status === 'number')) return false;
  if (error instanceof OauthException && error.error?.endsWith('_client')) return false;
  return error.status >= 400 && error.status < 500 && !NO_REFUSAL.has(error.status);
}

/** The address that ends the session in AuthKit too, and then returns to `returnTo`. */
export function signOutUrl(config: Config, sessionId: string, returnTo: string): string {
  return workos(config).userManagement.getLogoutUrl({ sessionId, returnTo });
}

/** Milliseconds that WorkOS has for an answer. Its SDK waits for a minute, twice. */
const PATIENCE_MS = 5000;

/** The call's answer, or AuthkitUnavailableError once it takes too long. */
export function soon<Result>(call: Promise<Result>): Promise<Result> {
  return within(PATIENCE_MS, call, () => {
    throw new AuthkitUnavailableError(`no answer within ${PATIENCE_MS} ms`);
  });
}

/** Tells a refusal of this one sign-in from everything else: outages, wrong keys, wrong configuration. */
async function reach<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await soon(call());
  } catch (error) {
    if (error instanceof AuthkitUnavailableError) throw error;
    if (error instanceof OauthException && error.error === 'invalid_grant') throw new SignInRefusedError(error.error);
    throw new AuthkitUnavailableError(String(error), { cause: error });
  }
}
