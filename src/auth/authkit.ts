/** WorkOS AuthKit: where people sign in. Only this file, presence.ts and audit-export.ts know WorkOS's SDK. */
import { type AuthenticateWithSessionCookieSuccessResponse, OauthException, WorkOS } from '@workos-inc/node';
import { decode } from 'hono/jwt';
import { z } from 'zod';
import type { Config } from '../config.ts';
import type { User } from '../deputy.ts';
import { within } from '../within.ts';

/** Somebody of the WorkOS team who has signed in as a user, and why. */
export type Impersonator = { email: string; reason?: string | null | undefined };

/** A signed-in browser: the human, the WorkOS session behind it, and when they last proved who they are. */
export type SignIn = {
  user: User;
  /** The WorkOS organization that the session is in. */
  organization?: string;
  /** Who is in front of the browser in the place of the human. They may look and stop, and grant nothing. */
  impersonator?: Impersonator;
  sessionId: string;
  /** Seconds since the epoch; a refresh does not move it. 0 when AuthKit does not say. */
  authTime: number;
  /** Milliseconds since the epoch: until then the session stands without asking WorkOS. */
  validUntil: number;
};

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

/** Exchanges the code of a callback for a sealed session. Throws SignInRefusedError or AuthkitUnavailableError. */
export async function exchangeCode(config: Config, code: string, codeVerifier: string): Promise<string> {
  const session = { sealSession: true, cookiePassword: config.COOKIE_PASSWORD };
  const { sealedSession } = await reach(() =>
    workos(config).userManagement.authenticateWithCode({ code, codeVerifier, session }),
  );
  if (!sealedSession) throw new AuthkitUnavailableError('WorkOS returned no session');
  return sealedSession;
}

/** What we read of a sealed session. A sealed session is as old as the code that sealed it. */
const sealedSession = z.object({
  accessToken: z.string(),
  user: z.looseObject({ id: z.string(), email: z.string() }),
  impersonator: z.object({ email: z.string(), reason: z.string().nullish() }).optional(),
});
const tokenClaims = z.object({ sid: z.string(), exp: z.number(), auth_time: z.number().default(0) });

type Unsealed = { userId: string; claims: z.infer<typeof tokenClaims>; impersonator: Impersonator | undefined };

/**
 * What a sealed session says, or undefined when it cannot be read: damaged, cut off, sealed by other keys or by older
 * code. It asks nobody, so whatever fails here says nothing about WorkOS. Does not throw.
 */
async function unseal(config: Config, sealed: string): Promise<Unsealed | undefined> {
  const options = { sessionData: sealed, cookiePassword: config.COOKIE_PASSWORD };
  try {
    const { accessToken, user, impersonator } = sealedSession.parse(
      await workos(config).userManagement.getSessionFromCookie(options),
    );
    return { userId: user.id, claims: tokenClaims.parse(decode(accessToken).payload), impersonator };
  } catch {
    return undefined;
  }
}

/**
 * Who a sealed session belongs to, or undefined when it cannot be read, is not ours, or its access token has expired.
 * Throws AuthkitUnavailableError when WorkOS's signing keys cannot be read.
 */
export async function readSession(config: Config, sealed: string): Promise<SignIn | undefined> {
  const known = await unseal(config, sealed);
  if (!known) return undefined;
  const result = await reach(() => load(config, sealed).authenticate().catch(notByTheseKeys));
  return result?.authenticated ? toSignIn(result, known) : undefined;
}

/** What jose says of a token that none of WorkOS's keys can have signed. The SDK takes it for a fault. */
const FOREIGN_TOKEN = new Set<unknown>([
  'ERR_JWKS_NO_MATCHING_KEY',
  'ERR_JOSE_NOT_SUPPORTED',
  'ERR_JOSE_ALG_NOT_ALLOWED',
]);

/** Such a token counts as one that has expired; throws whatever else it is given. */
function notByTheseKeys(error: unknown): undefined {
  if (!(error instanceof Error && 'code' in error && FOREIGN_TOKEN.has(error.code))) throw error;
}

/** Whose session it is, which one, and who is in front of it. */
export type LastSignIn = { userId: string; sessionId: string } & Pick<SignIn, 'impersonator'>;

/** Whose session this is and which, however old: enough to refresh or end it, not to act. Does not throw. */
export async function describeSession(config: Config, sealed: string): Promise<LastSignIn | undefined> {
  const known = await unseal(config, sealed);
  if (!known) return undefined;
  const { userId, claims, impersonator } = known;
  return { userId, sessionId: claims.sid, ...(impersonator && { impersonator }) };
}

/** What became of a session that was to be refreshed: a fresh one, the end, or no answer. Crosses the user's object. */
export type Refreshed = { sealed: string } | { ended: true } | { unavailable: string };

/** Trades a session for a fresh one; the old one is of no more use then. Does not throw. */
export async function refreshSession(config: Config, sealed: string): Promise<Refreshed> {
  try {
    const result = await soon(load(config, sealed).refresh());
    if (!result.authenticated && 'retryable' in result && result.retryable) return { unavailable: result.reason };
    if (!result.authenticated || !result.sealedSession) return { ended: true };
    const [before, after] = [await unseal(config, sealed), await unseal(config, result.sealedSession)];
    // An answer that no longer names the impersonator must not make them the human.
    return before?.impersonator && !after?.impersonator ? { ended: true } : { sealed: result.sealedSession };
  } catch (error) {
    return isRefusal(error) ? { ended: true } : { unavailable: String(error) };
  }
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

function load(config: Config, sealed: string) {
  return workos(config).userManagement.loadSealedSession({
    sessionData: sealed,
    cookiePassword: config.COOKIE_PASSWORD,
  });
}

function toSignIn(result: AuthenticateWithSessionCookieSuccessResponse, { claims, impersonator }: Unsealed): SignIn {
  const { user, sessionId, permissions, organizationId: organization } = result;
  const name = user.name ?? [user.firstName, user.lastName].filter(Boolean).join(' ');
  return {
    sessionId,
    ...(organization !== undefined && { organization }),
    ...(impersonator && { impersonator }),
    // The SDK has just verified the token; it only leaves these claims out.
    authTime: claims.auth_time,
    validUntil: claims.exp * 1000,
    user: { userId: user.id, email: user.email, name: name || user.email, permissions: permissions ?? [] },
  };
}
