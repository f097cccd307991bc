/** The local AuthKit, driven by the real WorkOS SDK alone, so that it stays an honest stand-in. */
import { env } from 'cloudflare:workers';
import { OauthException, WorkOS } from '@workos-inc/node';
import { createRemoteJWKSet, customFetch, decodeJwt, jwtVerify } from 'jose';
import { afterEach, expect, test, vi } from 'vitest';
import { LOCAL_API_KEY, LOCAL_CLIENT_ID } from '../../src/dev/authkit-store.ts';
import { send } from '../support/http.ts';
import { ORIGIN, someone, workerFetch } from '../support/worker.ts';

afterEach(() => {
  vi.useRealTimers();
});

const REDIRECT = `${ORIGIN}/callback`;
const COOKIE_PASSWORD = 'a password of at least 32 characters';
const HERE = { clientId: LOCAL_CLIENT_ID, apiHostname: 'localhost', port: 8787, https: false, maxRetries: 0 };

/** The stand-in learns an origin with the first request to it. */
async function sdk(key = LOCAL_API_KEY, options = {}): Promise<WorkOS> {
  await send('/healthz');
  return new WorkOS(key, { ...HERE, ...options });
}

/** Fills in the sign-in page, as a browser would, and returns the callback's parameters. */
async function signIn(url: string, email: string): Promise<URLSearchParams> {
  const page = await send(url);
  const html = await page.text();
  expect(html).toContain('name="email"');
  const form = new URLSearchParams({ email });
  for (const [, name, value] of html.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)) {
    form.set(name ?? '', (value ?? '').replaceAll('&amp;', '&'));
  }
  const response = await send(new URL(url).pathname, { method: 'POST', body: form });
  return new URL(response.headers.get('Location') ?? '').searchParams;
}

async function signedIn(workos: WorkOS, email = someone()) {
  const url = workos.userManagement.getAuthorizationUrl({ provider: 'authkit', redirectUri: REDIRECT });
  const code = (await signIn(url, email)).get('code') ?? '';
  return workos.userManagement.authenticateWithCode({ code });
}

test('a code is exchanged for the user and an RS256 token with every claim, which the published keys verify', async () => {
  const workos = await sdk();
  const url = workos.userManagement.getAuthorizationUrl({
    provider: 'authkit',
    redirectUri: REDIRECT,
    state: 'a state & more',
  });
  const answer = await signIn(url, 'admin@example.com');
  expect(answer.get('state')).toBe('a state & more');
  const result = await workos.userManagement.authenticateWithCode({ code: answer.get('code') ?? '' });
  expect(result).toMatchObject({
    user: { id: expect.stringMatching(/^user_/), email: 'admin@example.com', emailVerified: true, firstName: 'Admin' },
    organizationId: 'org_local',
    authenticationMethod: 'MagicAuth',
  });

  const keys = createRemoteJWKSet(new URL(workos.userManagement.getJwksUrl(LOCAL_CLIENT_ID)), {
    [customFetch]: (input, init) => workerFetch(input, init),
  });
  const { payload, protectedHeader } = await jwtVerify(result.accessToken, keys);
  expect(protectedHeader.alg).toBe('RS256');
  expect(payload).toMatchObject({
    sub: result.user.id,
    sid: expect.stringMatching(/^session_/),
    org_id: 'org_local',
    role: 'admin',
    permissions: ['shop:admin'],
    auth_time: expect.any(Number),
    jti: expect.any(String),
  });
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(300);
});

test('the published key is public only', async () => {
  await signedIn(await sdk());
  const { keys } = await (await send(`/sso/jwks/${LOCAL_CLIENT_ID}`)).json<{ keys: Record<string, unknown>[] }>();
  expect(keys.map((key) => Object.keys(key).toSorted())).toEqual([
    ['alg', 'e', 'kid', 'kty', 'n', 'use', 'x5c', 'x5t#S256'],
  ]);
});

test('an ordinary address has no permissions, and is the same user every time', async () => {
  const workos = await sdk();
  const email = someone();
  const [first, second] = [await signedIn(workos, email), await signedIn(workos, email.toUpperCase())];
  expect(decodeJwt(first.accessToken)['permissions']).toEqual([]);
  expect(second.user.id).toBe(first.user.id);
});

test('a code works once', async () => {
  const workos = await sdk();
  const url = workos.userManagement.getAuthorizationUrl({ provider: 'authkit', redirectUri: REDIRECT });
  const code = (await signIn(url, someone())).get('code') ?? '';
  await workos.userManagement.authenticateWithCode({ code });
  await expect(workos.userManagement.authenticateWithCode({ code })).rejects.toMatchObject({ error: 'invalid_grant' });
});

test('a code that was asked for with PKCE needs its verifier, with and without an API key', async () => {
  const workos = await sdk();
  const authorize = async () => {
    const { url, codeVerifier } = await workos.userManagement.getAuthorizationUrlWithPKCE({
      provider: 'authkit',
      redirectUri: REDIRECT,
    });
    return { code: (await signIn(url, someone())).get('code') ?? '', codeVerifier };
  };
  const confidential = await authorize();
  expect((await workos.userManagement.authenticateWithCode(confidential)).user.email).toBeTruthy();
  const open = await authorize();
  expect((await workos.userManagement.authenticateWithCodeAndVerifier(open)).user.email).toBeTruthy();
  const { code } = await authorize();
  await expect(workos.userManagement.authenticateWithCode({ code })).rejects.toThrow(OauthException);
  const wrong = await authorize();
  await expect(
    workos.userManagement.authenticateWithCode({ code: wrong.code, codeVerifier: 'x'.repeat(43) }),
  ).rejects.toThrow(OauthException);
});

test('wrong credentials are refused', async () => {
  const right = await sdk();
  const url = right.userManagement.getAuthorizationUrl({ provider: 'authkit', redirectUri: REDIRECT });
  const code = (await signIn(url, someone())).get('code') ?? '';
  const wrongKey = await sdk('sk_wrong');
  await expect(wrongKey.userManagement.authenticateWithCode({ code })).rejects.toMatchObject({
    error: 'invalid_client',
  });
  const wrongClient = await sdk(LOCAL_API_KEY, { clientId: 'client_wrong' });
  await expect(wrongClient.userManagement.authenticateWithCode({ code })).rejects.toMatchObject({
    error: 'invalid_client',
  });
  await expect(wrongKey.userManagement.listSessions('user_x')).rejects.toMatchObject({ status: 401 });
  expect((await right.userManagement.authenticateWithCode({ code })).user.email).toBeTruthy();
});

test.each([
  `${ORIGIN}/callback/`,
  `${ORIGIN}/callback?x=1`,
  'http://localhost:9999/callback',
  'https://evil.example/callback',
])('the redirect URI %s is not in the allow-list', async (redirectUri) => {
  const workos = await sdk();
  const response = await send(workos.userManagement.getAuthorizationUrl({ provider: 'authkit', redirectUri }));
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('allow-list');
});

test('a refresh rotates the token, answers a repetition alike for 30 seconds, and keeps the session and its sign-in time', async () => {
  const workos = await sdk();
  const first = await signedIn(workos);
  const second = await workos.userManagement.authenticateWithRefreshToken({ refreshToken: first.refreshToken });
  expect(second.refreshToken).not.toBe(first.refreshToken);
  const [before, after] = [decodeJwt(first.accessToken), decodeJwt(second.accessToken)];
  expect([after['sid'], after['auth_time']]).toEqual([before['sid'], before['auth_time']]);
  const again = () => workos.userManagement.authenticateWithRefreshToken({ refreshToken: first.refreshToken });
  expect((await again()).refreshToken).toBe(second.refreshToken);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31_000 });
  await expect(again()).rejects.toMatchObject({ error: 'invalid_grant' });
});

test('a revoked session cannot be refreshed and is listed as ended', async () => {
  const workos = await sdk();
  const { accessToken, refreshToken, user } = await signedIn(workos);
  const sessionId = String(decodeJwt(accessToken)['sid']);
  await workos.userManagement.revokeSession({ sessionId });
  await expect(workos.userManagement.authenticateWithRefreshToken({ refreshToken })).rejects.toThrow(OauthException);
  const { data } = await workos.userManagement.listSessions(user.id);
  expect(data).toMatchObject([{ id: sessionId, userId: user.id, status: 'revoked' }]);
});

test('what it does not know is answered as the WorkOS API would', async () => {
  const workos = await sdk();
  await expect(workos.userManagement.revokeSession({ sessionId: 'session_unknown' })).rejects.toMatchObject({
    status: 400,
  });
  await expect(workos.organizations.getOrganization('org_unknown')).rejects.toThrow();
  const response = await send('/user_management/sessions/revoke', {
    method: 'POST',
    body: 'no JSON',
    headers: { Authorization: `Bearer ${LOCAL_API_KEY}` },
  });
  expect(response.status).toBe(400);
});

test('its lists hold the newest, however many there are', async () => {
  // After whatever other tests have signed in, some of them ahead of time.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2040, 0, 1) });
  const workos = await sdk();
  const email = someone('zoe');
  for (let count = 0; count < 60; count += 1) await signedIn(workos);
  const { user } = await signedIn(workos, email);
  expect((await workos.userManagement.listSessions(user.id)).data).toHaveLength(1);
  expect(await (await send('/local-authkit')).text()).toContain(email);
});

test('the logout address ends the session and returns to an allowed address only', async () => {
  const workos = await sdk();
  const { accessToken, refreshToken } = await signedIn(workos);
  const sessionId = String(decodeJwt(accessToken)['sid']);
  const foreign = workos.userManagement.getLogoutUrl({ sessionId, returnTo: 'https://evil.example/' });
  expect((await send(foreign)).status).toBe(422);
  const response = await send(workos.userManagement.getLogoutUrl({ sessionId, returnTo: `${ORIGIN}/logout` }));
  expect(response.headers.get('Location')).toBe(`${ORIGIN}/logout`);
  await expect(workos.userManagement.authenticateWithRefreshToken({ refreshToken })).rejects.toThrow(OauthException);
});

test('a sealed session authenticates, refreshes, and is refused when it comes back later', async () => {
  const workos = await sdk();
  const url = workos.userManagement.getAuthorizationUrl({ provider: 'authkit', redirectUri: REDIRECT });
  const code = (await signIn(url, 'admin@example.com')).get('code') ?? '';
  const { sealedSession: sessionData = '' } = await workos.userManagement.authenticateWithCode({
    code,
    session: { sealSession: true, cookiePassword: COOKIE_PASSWORD },
  });
  const load = () => workos.userManagement.loadSealedSession({ sessionData, cookiePassword: COOKIE_PASSWORD });
  expect(await load().authenticate()).toMatchObject({
    authenticated: true,
    permissions: ['shop:admin'],
    role: 'admin',
  });
  expect(await load().refresh()).toMatchObject({ authenticated: true, sealedSession: expect.any(String) });
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31_000 });
  expect(await load().refresh()).toMatchObject({ authenticated: false, reason: 'invalid_grant' });
});

test('audit events are kept once for each idempotency key', async () => {
  const workos = await sdk();
  const event = (action: string) => ({
    action,
    occurredAt: new Date(),
    actor: { type: 'user', id: 'user_1' },
    targets: [{ type: 'order', id: 'order_1' }],
    context: { location: '127.0.0.1' },
  });
  await workos.auditLogs.createEvent('org_local', event('order.placed'), { idempotencyKey: 'row-1' });
  await workos.auditLogs.createEvent('org_local', event('order.forged'), { idempotencyKey: 'row-1' });
  // Its page shows the newest, and other tests live in the future.
  const kept = await env.OAUTH_KV.get('local-authkit:audit:row-1');
  expect(kept).toContain('order.placed');
  expect(kept).not.toContain('order.forged');
});

test('it answers loopback hosts only', async () => {
  const response = await workerFetch('http://shop.example/user_management/authorize');
  expect(response.status).toBe(421);
});

test('an address that is none gets the page again, with the reason', async () => {
  const workos = await sdk();
  const url = new URL(workos.userManagement.getAuthorizationUrl({ provider: 'authkit', redirectUri: REDIRECT }));
  const form = new URLSearchParams(url.searchParams);
  form.set('email', 'not an address');
  const response = await send(url.pathname, { method: 'POST', body: form });
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('Enter an e-mail address');
});

test('a code or refresh token too long for a key is refused as any other wrong one is', async () => {
  const workos = await sdk();
  const wrong = { error: 'invalid_grant' };
  const long = 'x'.repeat(600);
  await expect(workos.userManagement.authenticateWithCode({ code: long })).rejects.toMatchObject(wrong);
  await expect(workos.userManagement.authenticateWithRefreshToken({ refreshToken: long })).rejects.toMatchObject(wrong);
});

test('a membership is ended, taken up again and given another role, and each is an event', async () => {
  const workos = await sdk();
  const { user, accessToken } = await signedIn(workos);
  expect(decodeJwt(accessToken)).toMatchObject({ org_id: 'org_local', role: 'member' });
  const { userManagement } = workos;
  const of = async () => (await userManagement.listOrganizationMemberships({ userId: user.id })).data;
  const [membership] = await of();
  expect(membership).toMatchObject({ status: 'active', organizationId: 'org_local', role: { slug: 'member' } });
  const id = membership?.id ?? '';
  await userManagement.updateOrganizationMembership(id, { roleSlug: 'admin' });
  await userManagement.deactivateOrganizationMembership(id);
  expect(await of()).toEqual([]);
  expect((await signedIn(workos, user.email)).organizationId).toBeUndefined();
  await userManagement.reactivateOrganizationMembership(id);
  expect(decodeJwt((await signedIn(workos, user.email)).accessToken)['permissions']).toEqual(['shop:admin']);
  const { data: roles } = await workos.authorization.listOrganizationRoles('org_local');
  expect(roles).toMatchObject([
    { slug: 'admin', permissions: ['shop:admin'] },
    { slug: 'member', permissions: [] },
    { slug: 'staff', permissions: expect.arrayContaining(['shop:admin', 'department-59:documents:manage']) },
  ]);

  await userManagement.deleteOrganizationMembership(id);
  await userManagement.deleteUser(user.id);
  await expect(userManagement.getUser(user.id)).rejects.toMatchObject({ status: 404 });
  const seen: unknown[] = [];
  let after: string | undefined;
  do {
    const events = ['organization_membership.updated', 'organization_membership.deleted', 'user.deleted'] as const;
    const { data } = await workos.events.listEvents({ events: [...events], limit: 5, ...(after && { after }) });
    after = data.at(-1)?.id;
    for (const { event, data: about } of data)
      if (JSON.stringify(about).includes(user.id)) seen.push([event, 'status' in about ? about.status : undefined]);
  } while (after);
  expect(seen).toEqual([
    ['organization_membership.updated', 'active'],
    ['organization_membership.updated', 'inactive'],
    ['organization_membership.updated', 'active'],
    ['organization_membership.deleted', 'active'],
    ['user.deleted', undefined],
  ]);
});

test('a session in an organization that the user has left cannot be refreshed, and nobody is a deleted user', async () => {
  const workos = await sdk();
  const { userManagement } = workos;
  const { user, refreshToken } = await signedIn(workos);
  const [membership] = (await userManagement.listOrganizationMemberships({ userId: user.id })).data;
  await userManagement.deactivateOrganizationMembership(membership?.id ?? '');
  await expect(userManagement.authenticateWithRefreshToken({ refreshToken })).rejects.toMatchObject({
    error: 'organization_membership_not_found',
  });
  await userManagement.deleteUser(user.id);
  await expect(signedIn(workos, user.email)).rejects.toMatchObject({ error: 'invalid_grant' });
});
