/**
 * A local stand-in for the part of the WorkOS API that this project uses, wire-compatible with `@workos-inc/node`.
 * Any e-mail address signs in; addresses that start with "admin@" have the shop:admin permission.
 */
import { type Context, Hono } from 'hono';
import { exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import { z } from 'zod';
import { forAnyKey } from '../edge/kv-keys.ts';
import { DashboardPage, SignInPage } from './authkit-pages.tsx';
import { people, ROLES, userOf, welcome } from './authkit-people.ts';
import {
  AuthkitStore,
  LOCAL_API_KEY,
  LOCAL_CLIENT_ID,
  LOCAL_ORGANIZATION,
  type Session,
  type SigningKey,
  userIdOf,
} from './authkit-store.ts';

type Bindings = Env & { ORIGIN: string };

/** Seconds an access token lives, as at WorkOS. */
const TOKEN_SECONDS = 5 * 60;
const KEY_ID = 'local';

export const authkit = new Hono<{ Bindings: Bindings }>();

const storeOf = (c: Context<{ Bindings: Bindings }>) => new AuthkitStore(forAnyKey(c.env.OAUTH_KV));

// ---------------------------------------------------------------- the browser's side

const authorizeQuery = z.object({
  client_id: z.literal(LOCAL_CLIENT_ID, 'client_id is not the one of this AuthKit'),
  redirect_uri: z.string(),
  response_type: z.literal('code', 'response_type must be code'),
  provider: z.literal('authkit', 'provider must be authkit'),
  state: z.string().optional(),
  code_challenge: z.string().optional(),
  code_challenge_method: z.literal('S256', 'code_challenge_method must be S256').optional(),
});

authkit.get('/user_management/authorize', (c) => {
  const query = authorizeQuery.safeParse(c.req.query());
  if (!query.success) return c.text(z.prettifyError(query.error), 400);
  if (query.data.redirect_uri !== `${c.env.ORIGIN}/callback`)
    return c.text('redirect_uri is not in the allow-list', 400);
  return c.html(<SignInPage query={query.data} />);
});

authkit.post('/user_management/authorize', async (c) => {
  const form = await c.req.parseBody();
  const query = authorizeQuery.safeParse(form);
  if (!query.success) return c.text(z.prettifyError(query.error), 400);
  const { redirect_uri: redirectUri, state, client_id: clientId, code_challenge: codeChallenge } = query.data;
  if (redirectUri !== `${c.env.ORIGIN}/callback`) return c.text('redirect_uri is not in the allow-list', 400);

  const back = new URL(redirectUri);
  if (state !== undefined) back.searchParams.set('state', state);
  if (form['decision'] === 'cancel') {
    back.searchParams.set('error', 'access_denied');
    back.searchParams.set('error_description', 'The user cancelled the sign-in.');
    return c.redirect(back.href);
  }
  const email = z.string().trim().toLowerCase().pipe(z.email().max(200)).safeParse(form['email']);
  if (!email.success)
    return c.html(<SignInPage query={query.data} problem="Enter an e-mail address, such as ada@example.com." />, 400);

  const by = z.email().max(200).safeParse(form['impersonator']);
  const impersonator = by.success ? { email: by.data, reason: 'Helping a customer.' } : undefined;
  const code = crypto.randomUUID();
  const said = { email: email.data, clientId, redirectUri, codeChallenge, authTime: seconds() };
  await storeOf(c).saveCode(code, { ...said, ...(impersonator && { impersonator }) });
  back.searchParams.set('code', code);
  return c.redirect(back.href);
});

authkit.get('/user_management/sessions/logout', async (c) => {
  const { session_id: id = '', return_to: returnTo } = c.req.query();
  if (returnTo !== undefined && returnTo !== `${c.env.ORIGIN}/logout`)
    return c.text('return_to is not in the allow-list', 400);
  await endSession(storeOf(c), id);
  return c.redirect(returnTo ?? c.env.ORIGIN);
});

authkit.get('/local-authkit', async (c) =>
  c.html(<DashboardPage sessions={await storeOf(c).sessions()} events={await storeOf(c).auditEvents()} />),
);

// ---------------------------------------------------------------- the API

authkit.get(`/sso/jwks/${LOCAL_CLIENT_ID}`, async (c) => {
  const { kty, n, e } = await signingKey(storeOf(c));
  return c.json({ keys: [{ kty, n, e, kid: KEY_ID, alg: 'RS256', use: 'sig' }] });
});

const credentials = { client_id: z.string(), client_secret: z.string().optional() };
const authenticateBody = z.discriminatedUnion('grant_type', [
  z.object({
    ...credentials,
    grant_type: z.literal('authorization_code'),
    code: z.string(),
    code_verifier: z.string().optional(),
  }),
  z.object({
    ...credentials,
    grant_type: z.literal('refresh_token'),
    refresh_token: z.string(),
    organization_id: z.string().optional(),
  }),
]);

authkit.post('/user_management/authenticate', async (c) => {
  const parsed = authenticateBody.safeParse(await c.req.json().catch(() => undefined));
  if (!parsed.success) return oauthError(c, 'invalid_request', z.prettifyError(parsed.error));
  const body = parsed.data;
  // A public client proves itself with PKCE alone; a secret, once sent, must be right.
  const isPublic =
    body.client_secret === undefined && (body.grant_type === 'refresh_token' || body.code_verifier !== undefined);
  if (body.client_id !== LOCAL_CLIENT_ID || !(isPublic || body.client_secret === LOCAL_API_KEY)) {
    return oauthError(c, 'invalid_client', 'The client credentials are wrong.');
  }
  const session = await (body.grant_type === 'authorization_code'
    ? sessionFromCode(storeOf(c), body)
    : rotate(storeOf(c), body.refresh_token));
  if (session === 'left')
    return oauthError(c, 'organization_membership_not_found', 'The user is no member of that organization.');
  if (!session)
    return oauthError(c, 'invalid_grant', 'The code or refresh token is invalid, expired, or was already used.');
  const { email, organization, impersonator, refreshToken } = session;
  return c.json({
    user: userOf(email),
    ...(organization !== undefined && { organization_id: organization }),
    ...(impersonator && { impersonator }),
    access_token: await accessToken(c, session),
    refresh_token: refreshToken,
    authentication_method: impersonator ? 'Impersonation' : 'MagicAuth',
  });
});

authkit.use('/user_management/users/*', requireKey);
authkit.use('/user_management/sessions/revoke', requireKey);
authkit.use('/user_management/organization_memberships/*', requireKey);
authkit.use('/authorization/*', requireKey);
authkit.use('/events', requireKey);
authkit.use('/audit_logs/*', requireKey);

authkit.get('/user_management/users/:id/sessions', async (c) => {
  const sessions = await storeOf(c).sessions(c.req.param('id'));
  return c.json({ object: 'list', data: sessions.map(toApiSession), list_metadata: { before: null, after: null } });
});

authkit.post('/user_management/sessions/revoke', async (c) => {
  const body = z.object({ session_id: z.string() }).safeParse(await c.req.json().catch(() => undefined));
  if (!body.success) return c.json({ message: z.prettifyError(body.error), code: 'invalid_request' }, 422);
  const session = await endSession(storeOf(c), body.data.session_id);
  return session ? c.json(toApiSession(session)) : notFound(c);
});

authkit.route('/', people);

const auditBody = z.object({
  organization_id: z.string(),
  event: z.looseObject({
    action: z.string(),
    occurred_at: z.string(),
    actor: z.looseObject({ id: z.string() }),
    targets: z.array(z.looseObject({})),
  }),
});

authkit.post('/audit_logs/events', async (c) => {
  const body = auditBody.safeParse(await c.req.json().catch(() => undefined));
  if (!body.success) return c.json({ message: z.prettifyError(body.error), code: 'invalid_audit_log' }, 422);
  const { organization_id: organizationId, event } = body.data;
  const key = c.req.header('Idempotency-Key') ?? crypto.randomUUID();
  await storeOf(c).saveAuditEvent(key, { organizationId, event, receivedAt: new Date().toISOString() });
  return c.json({ success: true }, 201);
});

// ---------------------------------------------------------------- how it works

async function requireKey(c: Context<{ Bindings: Bindings }>, next: () => Promise<void>) {
  if (c.req.header('Authorization') !== `Bearer ${LOCAL_API_KEY}`) return c.json({ message: 'Unauthorized' }, 401);
  return next();
}

function notFound(c: Context) {
  return c.json({ message: 'Not found', code: 'entity_not_found' }, 404);
}
authkit.notFound(notFound);

function oauthError(c: Context, error: string, description: string) {
  return c.json({ error, error_description: description }, 400);
}

async function sessionFromCode(
  store: AuthkitStore,
  body: { code: string; code_verifier?: string | undefined },
): Promise<Session | undefined> {
  const code = await store.takeCode(body.code);
  if (!code || !(await matchesChallenge(body.code_verifier, code.codeChallenge))) return undefined;
  const user = await welcome(store, code.email);
  if (user === 'deleted') return undefined;
  const session = {
    id: `session_${crypto.randomUUID()}`,
    refreshToken: crypto.randomUUID(),
    ...code,
    // Who is a member of none signs in without one.
    ...(user.membership === 'active' && { organization: LOCAL_ORGANIZATION }),
  };
  await store.saveSession(session);
  return session;
}

/** RFC 7636, section 4.6. A code that was asked for with a challenge cannot be exchanged without its verifier. */
async function matchesChallenge(verifier: string | undefined, challenge: string | undefined): Promise<boolean> {
  if (challenge === undefined || verifier === undefined) return challenge === verifier;
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  return new Uint8Array(digest).toBase64({ alphabet: 'base64url', omitPadding: true }) === challenge;
}

/** A refresh token works once. */
async function rotate(store: AuthkitStore, refreshToken: string): Promise<Session | 'left' | undefined> {
  const session = await store.findSessionByRefreshToken(refreshToken);
  if (!session || session.endedAt) return undefined;
  const user = await welcome(store, session.email);
  if (user === 'deleted') return undefined;
  if (session.organization !== undefined && user.membership !== 'active') return 'left';
  const rotated = { ...session, refreshToken: crypto.randomUUID() };
  await store.saveSession(rotated);
  return rotated;
}

async function endSession(store: AuthkitStore, id: string): Promise<Session | undefined> {
  const session = await store.findSession(id);
  if (!session) return undefined;
  const ended = { ...session, endedAt: new Date().toISOString() };
  await store.saveSession(ended);
  return ended;
}

async function accessToken(c: Context<{ Bindings: Bindings }>, session: Session): Promise<string> {
  const { id, clientId, authTime, organization } = session;
  const user = await welcome(storeOf(c), session.email);
  const role = user === 'deleted' ? 'member' : user.role;
  const claims = {
    sid: id,
    // What a role gives is there in an organization only.
    ...(organization !== undefined && { org_id: organization, role, roles: [role], permissions: ROLES[role] }),
    client_id: clientId,
    auth_time: authTime,
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', kid: KEY_ID })
    .setIssuer(c.env.ORIGIN)
    .setSubject(userIdOf(session.email))
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime(`${TOKEN_SECONDS}s`)
    .sign(await importJWK(await signingKey(storeOf(c)), 'RS256'));
}

function signingKey(store: AuthkitStore): Promise<SigningKey> {
  return store.signingKey(async () => {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    return exportJWK(privateKey);
  });
}

function toApiSession(session: Session) {
  const at = new Date(session.authTime * 1000).toISOString();
  return {
    object: 'session',
    id: session.id,
    user_id: userIdOf(session.email),
    organization_id: session.organization ?? null,
    ...(session.impersonator && { impersonator: session.impersonator }),
    ip_address: null,
    user_agent: null,
    auth_method: 'magic_code',
    status: session.endedAt ? 'revoked' : 'active',
    expires_at: at,
    ended_at: session.endedAt ?? null,
    created_at: at,
    updated_at: session.endedAt ?? at,
  };
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
