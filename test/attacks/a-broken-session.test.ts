/**
 * Mallory, or a bad disk, leaves Ada with a session cookie that nobody can read. To every page she is signed out then, no
 * more and no less: she gets out, and in again. An outage of WorkOS is another thing: it ends no session.
 */
import { env } from 'cloudflare:workers';
import { WorkOS } from '@workos-inc/node';
import { sign } from 'hono/jwt';
import { generateKeyPair, SignJWT } from 'jose';
import { afterEach, expect, test, vi } from 'vitest';
import { app } from '../../src/app.tsx';
import { LOCAL_CLIENT_ID, LOCAL_COOKIE_PASSWORD } from '../../src/dev/authkit-store.ts';
import { hiddenFields, textOf } from '../../src/dev/browser.ts';
import { authorizePath, cookiesOf, registeredClient, send } from '../support/http.ts';
import { hurry, quiet } from '../support/outages.ts';
import { person } from '../support/people.ts';
import { post, recordOf, SESSION } from '../support/scene.ts';
import { ORIGIN } from '../support/worker.ts';
import { workosAnswers, workosRefuses } from '../support/workos-answers.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Every route that the pages have, with something in the place of an id. */
const ROUTES = app.routes
  .filter(({ method }) => method === 'GET' || method === 'POST')
  .map(({ method, path }) => ({ method, path: path.replace(':id', 'dep_1') }));

async function signedInAda() {
  const ada = person();
  const page = await ada.walk('/login?return_to=/deputies');
  return { ada, page, good: ada.browser.cookies.get(SESSION) ?? '' };
}

function flip(text: string, index: number): string {
  const at = index < 0 ? text.length + index : index;
  return text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
}

/** Seals what WorkOS might once have answered, as this deployment seals it. */
async function sealedWith(accessToken: string, user: unknown): Promise<string> {
  const answer = { user, access_token: accessToken, refresh_token: 'long gone', organization_id: 'org_1' };
  vi.spyOn(globalThis, 'fetch').mockResolvedValueOnce(Response.json(answer));
  const workos = new WorkOS('sk_test', { clientId: LOCAL_CLIENT_ID });
  const session = { sealSession: true, cookiePassword: LOCAL_COOKIE_PASSWORD };
  const { sealedSession } = await workos.userManagement.authenticateWithCode({ code: 'any', session });
  return sealedSession ?? '';
}

function tokenOf(claims: Record<string, unknown>): Promise<string> {
  return sign(claims, 'a key that WorkOS never had');
}

async function tokenByAnotherKey(): Promise<string> {
  const { privateKey } = await generateKeyPair('RS256');
  const token = new SignJWT({ sid: 'session_1' }).setProtectedHeader({ alg: 'RS256', kid: 'rotated' });
  return token.setExpirationTime('1h').sign(privateKey);
}

const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;
const USER = { object: 'user', id: 'user_old', email: 'old@example.com' };

/** What each cookie does on every page, for somebody who holds it. */
async function expectSignedOut(cookie: string, what: string) {
  const headers = { Cookie: `${SESSION}=${cookie}`, Origin: ORIGIN };
  const answers = ROUTES.map(async ({ method, path }) => {
    const body = method === 'POST' ? new URLSearchParams({ form: 'x' }) : null;
    const response = await send(path, { method, headers, body });
    await response.body?.cancel();
    return { route: `${method} ${path}`, status: response.status };
  });
  for (const { route, status } of await Promise.all(answers)) {
    expect(status, `${what}: ${route}`).toBeLessThan(500);
    if (route.startsWith('POST /deputies')) expect(status, `${what}: ${route}`).toBe(401);
  }
  const page = await send('/deputies', { headers });
  expect(page.headers.get('Location'), what).toBe('/login?return_to=%2Fdeputies');
  const out = await send('/logout', { method: 'POST', headers, body: new URLSearchParams({ return_to: '/' }) });
  expect(out.status, what).toBe(303);
  expect(out.headers.getSetCookie().join(), what).toContain(`${SESSION}=; Max-Age=0`);
}

test('a cookie that was damaged on the way is a signed-out browser on every page', async () => {
  const { good } = await signedInAda();
  const damaged = {
    garbage: 'x',
    'nothing in it': '""',
    'a lone percent sign': '%',
    'a name of every object': '__proto__',
    'its first half': good.slice(0, good.length >> 1),
    'without its last three letters': good.slice(0, -3),
    'another ending': `${good.slice(0, -3)}AAA`,
    'a letter changed in the seal': flip(good, -20),
    'a letter changed inside': flip(good, 150),
    'too few parts': 'Fe26.2**',
    'empty parts': 'Fe26.2*******',
    'parts of nonsense': 'Fe26.2*1*a*b*c*d*e*f~2',
    'letters that no seal has': 'Fe26.2*1*%00*%ff*%2A*9*%F0%9F%92%A5*=~2',
    'a seal that has expired': 'Fe26.2*1*a*b*c*1*e*f~2',
  };
  for (const [what, cookie] of Object.entries(damaged)) await expectSignedOut(cookie, what);
});

test('a cookie that unseals to something else than a session is a signed-out browser on every page', async () => {
  const token = await tokenOf({ sid: 'session_1', exp: inAnHour() });
  const strange = {
    'no session id': await sealedWith(await tokenOf({ exp: inAnHour() }), USER),
    'no end': await sealedWith(await tokenOf({ sid: 'session_1' }), USER),
    'a user without an id': await sealedWith(token, { ...USER, id: undefined }),
    'a user without an address': await sealedWith(token, { ...USER, email: undefined }),
    'a token of a kind that WorkOS does not issue': await sealedWith(token, USER),
    'a token by a key that WorkOS does not have': await sealedWith(await tokenByAnotherKey(), USER),
    'a token that has expired, with nothing to refresh it': await sealedWith(
      await tokenOf({ sid: 'session_1', exp: 1_600_000_000 }),
      USER,
    ),
  };
  for (const [what, cookie] of Object.entries(strange)) await expectSignedOut(cookie, what);
});

test('a human whose cookie broke signs in again from the page they wanted, and out', async () => {
  const { ada, good } = await signedInAda();
  for (const path of ['/deputies', '/deputies/all', authorizePath(await registeredClient())]) {
    ada.browser.setCookie(SESSION, good.slice(0, -3));
    const page = await ada.walk(path);
    expect(page.status, path).toBe(200);
    expect(page.url.pathname + page.url.search, path).toBe(path);
    expect(textOf(page), path).toContain(ada.email);
  }
  const page = await ada.browser.open('/deputies');
  ada.browser.setCookie(SESSION, good.slice(0, -3));
  await ada.browser.press(page, 'Sign out');
  expect(ada.browser.cookies.has(SESSION)).toBe(false);
});

test('an outage of WorkOS is not taken for a broken session: the cookie stays, and the brake works', async () => {
  const { ada, page, good } = await signedInAda();
  const { form = '' } = hiddenFields(page);
  const cookie = { Cookie: cookiesOf(ada) };
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 6 * 60_000 });
  const read = env.OAUTH_KV.get.bind(env.OAUTH_KV);
  vi.spyOn(env.OAUTH_KV, 'get').mockImplementation((...args: unknown[]) => {
    if (String(args[0]).startsWith('local-authkit:')) throw new Error('WorkOS is down');
    return Reflect.apply(read, undefined, args);
  });
  const all = await send('/deputies/all', { headers: cookie });
  expect(all.status).toBe(502);
  expect(all.headers.getSetCookie()).toEqual([]);
  expect(await post('/deputies/pause', { form }, cookie)).toBe(303);
  expect((await recordOf(ada)).account.authority).toBe('paused');

  // What cannot be read is no session in an outage either.
  const broken = { Cookie: `${SESSION}=${good.slice(0, -3)}` };
  expect((await send('/deputies/all', { headers: broken })).status).toBe(302);
  expect(await post('/deputies/pause', { form }, broken)).toBe(401);
});

test('a session by a signing key that WorkOS has no more is refreshed, and a new key is known at once', async () => {
  const [ada, bob] = [person(), person()];
  await workosAnswers();
  await ada.walk('/login');
  const before = ada.browser.cookies.get(SESSION);
  expect(textOf(await ada.browser.open('/deputies'))).toContain(ada.email);
  vi.restoreAllMocks();
  // The keys that we hold were read a moment ago.
  await workosAnswers();
  expect(textOf(await bob.walk('/deputies'))).toContain(bob.email);
  expect(textOf(await ada.browser.open('/deputies'))).toContain(ada.email);
  expect(ada.browser.cookies.get(SESSION)).not.toBe(before);
});

/** What WorkOS documents for a refresh that it refuses, and two that it may add. */
const REFUSALS = [
  [400, { error: 'invalid_grant' }],
  [400, { error: 'organization_membership_not_found' }],
  [400, { code: 'organization_not_found', message: 'No such organization' }],
  [403, { code: 'sso_required', message: 'Sign in with SSO', connection_ids: ['conn_1'] }],
  [403, { code: 'mfa_enrollment', message: 'Enroll a factor' }],
  [404, { code: 'entity_not_found', message: 'Not found' }],
  [409, { message: 'Conflict' }],
  [422, { code: 'invalid_request', message: 'Unprocessable', errors: [] }],
] as const;

test.each(REFUSALS)(
  'a refresh that WorkOS refuses with %i %j ends the session: she signs in again',
  async (status, body) => {
    const { ada } = await signedInAda();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 6 * 60_000 });
    workosRefuses(status, body, { refreshes: true });
    const before = ada.browser.cookies.get(SESSION);
    // AuthKit knows her browser still, so it asks her nothing.
    expect(textOf(await ada.browser.open('/deputies/all'))).toContain(ada.email);
    expect(ada.browser.cookies.get(SESSION)).not.toBe(before);
  },
);

test.each([
  [401, { message: 'Unauthorized' }],
  [400, { error: 'invalid_client' }],
  [408, { message: 'Timeout' }],
  [429, { message: 'Too many' }],
  [500, { message: 'Oops' }],
])('what says nothing of the session (%i %j) is a page with the brake and the way to sign in', async (status, body) => {
  quiet();
  hurry();
  const { ada, good } = await signedInAda();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 6 * 60_000 });
  workosRefuses(status, body);
  const page = await ada.browser.open('/deputies/all');
  expect(page.status).toBe(502);
  expect(page.html).toContain('href="/login?return_to=%2Fdeputies%2Fall"');
  expect(page.html).toContain('href="/deputies"');
  expect(ada.browser.cookies.get(SESSION)).toBe(good);
  const brake = await ada.browser.open('/deputies');
  expect(brake.html).toContain('href="/login?return_to=/deputies"');
  await ada.browser.press(brake, 'Stop all');
  expect((await recordOf(ada)).account.authority).toBe('paused');
  await ada.browser.press(brake, 'Sign out');
  expect(ada.browser.cookies.has(SESSION)).toBe(false);
});
