/**
 * A local stand-in for the part of the WorkOS API that this project uses, wire-compatible with `@workos-inc/node`.
 * Any e-mail address signs in; addresses that start with "admin@" have the shop:admin permission.
 */
import { type Context, Hono } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { z } from 'zod';
import { forAnyKey } from '../edge/kv-keys.ts';
import { clockOf } from '../pages/when.tsx';
import { DashboardPage, SignInPage } from './authkit-pages.tsx';
import { people, userOf, welcome } from './authkit-people.ts';
import {
  accessToken,
  addSigningKey,
  endSession,
  publishedKeys,
  rotate,
  sessionFromCode,
  startSession,
  toApiSession,
} from './authkit-sessions.ts';
import { AuthkitStore, LOCAL_API_KEY, LOCAL_CLIENT_ID, type Session } from './authkit-store.ts';

type Bindings = Env & { ORIGIN: string };
type Here = Context<{ Bindings: Bindings }>;

/** A cookie with the session of this browser: while it lives, nobody is asked again. */
const BROWSER = 'local-authkit';

export const authkit = new Hono<{ Bindings: Bindings }>();

const storeOf = (c: Here) => new AuthkitStore(forAnyKey(c.env.OAUTH_KV));

// ---------------------------------------------------------------- the browser's side

const authorizeQuery = z.object({
  client_id: z.literal(LOCAL_CLIENT_ID, 'client_id is not the one of this AuthKit'),
  redirect_uri: z.string(),
  response_type: z.literal('code', 'response_type must be code'),
  provider: z.literal('authkit', 'provider must be authkit'),
  state: z.string().optional(),
  code_challenge: z.string().optional(),
  code_challenge_method: z.literal('S256', 'code_challenge_method must be S256').optional(),
  prompt: z.string().optional(),
  max_age: z.string().regex(/^\d+$/, 'max_age must be a number of seconds').optional(),
});

type Asked = z.infer<typeof authorizeQuery>;

/** What the app asks for, or the answer to an app that is not in the allow-list. */
function asked(c: Here, values: unknown): Asked | Response {
  const query = authorizeQuery.safeParse(values);
  if (!query.success) return c.text(z.prettifyError(query.error), 400);
  const known = query.data.redirect_uri === `${c.env.ORIGIN}/callback`;
  return known ? query.data : c.text('redirect_uri is not in the allow-list', 400);
}

authkit.get('/user_management/authorize', async (c) => {
  const query = asked(c, c.req.query());
  if (query instanceof Response) return query;
  const session = await sessionHere(c, query);
  return session ? backWithCode(c, query, session) : c.html(<SignInPage query={query} />);
});

/** The session that this browser has here, unless the app or the user's end wants the person to be asked again. */
async function sessionHere(c: Here, { prompt, max_age: maxAge }: Asked): Promise<Session | undefined> {
  const id = getCookie(c, BROWSER);
  const session = id && prompt !== 'login' ? await storeOf(c).findSession(id) : undefined;
  if (!session || session.endedAt) return undefined;
  if (Date.now() / 1000 - session.authTime >= Number(maxAge ?? Infinity)) return undefined;
  return (await welcome(storeOf(c), session.email)) === 'deleted' ? undefined : session;
}

authkit.post('/user_management/authorize', async (c) => {
  const form = await c.req.parseBody();
  const query = asked(c, form);
  if (query instanceof Response) return query;
  const cancelled = { error: 'access_denied', error_description: 'The user cancelled the sign-in.' };
  if (form['decision'] === 'cancel') return back(c, query, cancelled);
  const email = z.string().trim().toLowerCase().pipe(z.email().max(200)).safeParse(form['email']);
  if (!email.success)
    return c.html(<SignInPage query={query} problem="Enter an e-mail address, such as ada@example.com." />, 400);

  const by = z.email().max(200).safeParse(form['impersonator']);
  const impersonator = by.success ? { email: by.data, reason: 'Helping a customer.' } : undefined;
  const session = await startSession(storeOf(c), email.data, query.client_id, impersonator);
  // Somebody of the team who signs in as a user is asked each time.
  if (!impersonator) setCookie(c, BROWSER, session.id, { httpOnly: true, sameSite: 'Lax', path: '/user_management' });
  return backWithCode(c, query, session);
});

async function backWithCode(c: Here, query: Asked, session: Session): Promise<Response> {
  const code = crypto.randomUUID();
  await storeOf(c).saveCode(code, { session: session.id, codeChallenge: query.code_challenge });
  return back(c, query, { code });
}

function back(c: Here, { redirect_uri: uri, state }: Asked, answer: Record<string, string>): Response {
  const url = new URL(uri);
  for (const [name, value] of Object.entries({ state, ...answer })) if (value) url.searchParams.set(name, value);
  return c.redirect(url.href);
}

authkit.get('/user_management/sessions/logout', async (c) => {
  const { session_id: id = '', return_to: returnTo } = c.req.query();
  if (returnTo !== undefined && returnTo !== `${c.env.ORIGIN}/logout`)
    return c.json({ message: 'return_to is not in the allow-list' }, 422);
  await endSession(storeOf(c), id);
  return c.redirect(returnTo ?? c.env.ORIGIN);
});

authkit.post('/local-authkit/keys', async (c) => {
  await addSigningKey(storeOf(c));
  return c.redirect('/local-authkit', 303);
});
authkit.get('/local-authkit', async (c) =>
  c.html(
    <DashboardPage
      sessions={await storeOf(c).sessions()}
      events={await storeOf(c).auditEvents()}
      clock={clockOf(c.req.raw)}
    />,
  ),
);

// ---------------------------------------------------------------- the API

authkit.get(`/sso/jwks/${LOCAL_CLIENT_ID}`, async (c) => c.json({ keys: await publishedKeys(storeOf(c)) }));

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
  const result = await (body.grant_type === 'authorization_code'
    ? sessionFromCode(storeOf(c), body.code, body.code_verifier)
    : rotate(storeOf(c), body.refresh_token, body.organization_id));
  if ('refused' in result) return Response.json(result.refused.body, { status: result.refused.status });
  const { user, session } = result;
  const { organization, impersonator, refreshToken } = session;
  return c.json({
    user: userOf(user),
    ...(organization !== undefined && { organization_id: organization }),
    ...(impersonator && { impersonator }),
    access_token: await accessToken(storeOf(c), c.env.ORIGIN, session, user),
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
  if (!body.success) return c.json({ message: z.prettifyError(body.error) }, 400);
  const session = await endSession(storeOf(c), body.data.session_id);
  return session ? c.json(toApiSession(session)) : c.json({ message: 'There is no such session.' }, 400);
});

authkit.route('/', people);

const metadata = z
  .record(z.string().max(40), z.union([z.string().max(500), z.number(), z.boolean()]))
  .refine((entries) => Object.keys(entries).length <= 50)
  .optional();
const participant = z.object({ id: z.string(), type: z.string(), metadata });
const auditBody = z.object({
  organization_id: z.string(),
  event: z.looseObject({
    action: z.string(),
    occurred_at: z.iso.datetime(),
    actor: participant,
    targets: z.array(participant),
    context: z.object({ location: z.string() }),
    metadata,
  }),
});

authkit.post('/audit_logs/events', async (c) => {
  const body = auditBody.safeParse(await c.req.json().catch(() => undefined));
  if (!body.success) {
    const errors = body.error.issues.map(({ path }) => ({ instancePath: `/${path.slice(1).join('/')}` }));
    return c.json({ message: 'Invalid Audit Log event.', code: 'invalid_audit_log_event', errors }, 400);
  }
  const { organization_id: organizationId, event } = body.data;
  const key = c.req.header('Idempotency-Key') ?? crypto.randomUUID();
  await storeOf(c).saveAuditEvent(key, { organizationId, event, receivedAt: new Date().toISOString() });
  return c.json({ success: true });
});

// ---------------------------------------------------------------- how it works

async function requireKey(c: Here, next: () => Promise<void>) {
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
