/** Signing people in at AuthKit, keeping them signed in, and signing them out. */
import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import { Browser, linkOf, textOf } from '../../src/dev/browser.ts';
import { authorizePath, registeredClient, send } from '../support/http.ts';
import { person } from '../support/people.ts';
import { deployedWith, ORIGIN } from '../support/worker.ts';

const SESSION = '__Host-mcp-shop-session';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Opens /login, is asked, and returns the address AuthKit would send the browser back to, without going there. */
async function callbackOf(human: ReturnType<typeof person>, returnTo = '/'): Promise<URL> {
  const page = await human.browser.open(`/login?fresh&${new URLSearchParams({ return_to: returnTo }).toString()}`);
  const form = new URLSearchParams();
  for (const [, name, value] of page.html.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)) {
    form.set(name ?? '', (value ?? '').replaceAll('&amp;', '&'));
  }
  form.set('email', human.email);
  const response = await send('/user_management/authorize', { method: 'POST', body: form });
  return new URL(response.headers.get('Location') ?? '');
}

test('the browser is sent to AuthKit with PKCE, and the session it gets back is sealed and http-only', async () => {
  const start = await send('/login');
  const authkit = new URL(start.headers.get('Location') ?? '');
  expect(authkit.pathname).toBe('/user_management/authorize');
  expect(Object.fromEntries(authkit.searchParams)).toMatchObject({
    provider: 'authkit',
    code_challenge_method: 'S256',
    redirect_uri: `${ORIGIN}/callback`,
  });
  expect(start.headers.get('Set-Cookie')).toMatch(
    /^__Host-mcp-shop-sign-in-.*; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  );

  const human = person();
  const callback = await callbackOf(human);
  const cookies = [...human.browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const done = await send(callback.pathname + callback.search, { headers: { Cookie: cookies } });
  const session = done.headers.getSetCookie().find((cookie) => cookie.startsWith(SESSION)) ?? '';
  expect(session).toMatch(/; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  expect(session).not.toMatch(/eyJ[\w-]+\.eyJ/);
  expect(session).not.toContain(human.email);
});

test('a sign-in is finished only in the browser that started it, and only once', async () => {
  const human = person();
  const callback = await callbackOf(human);
  const stranger = person();
  const stolen = await stranger.browser.open(callback);
  expect(stolen.status).toBe(400);
  expect(textOf(stolen)).toContain('This sign-in cannot be continued');
  expect(stranger.browser.cookies.has(SESSION)).toBe(false);

  expect((await human.browser.open(callback)).status).toBe(200);
  const session = human.browser.cookies.get(SESSION);
  expect(session).toBeDefined();
  await human.browser.open(callback);
  expect(human.browser.cookies.get(SESSION)).toBe(session);
});

test('a code that AuthKit refuses leads to a page from which one can sign in again', async () => {
  const human = person();
  const callback = await callbackOf(human);
  callback.searchParams.set('code', 'made-up');
  const page = await human.browser.open(callback);
  expect(page.status).toBe(400);
  expect(textOf(page)).toContain('This sign-in has expired');
  expect(page.html).toContain('/login?return_to=%2F');
});

test('a cancelled sign-in is reported to the waiting client: to a local one at once, to another by its link', async () => {
  const expected = { error: 'access_denied', state: 'client-state', iss: ORIGIN };
  const human = person();
  const local = 'http://127.0.0.1:33418/callback';
  const clientId = await registeredClient({ redirect_uris: [local] });
  const signIn = await human.browser.open(authorizePath(clientId, { redirect_uri: local }));
  const { left } = await human.browser.press(signIn, 'Cancel');
  expect(left?.host).toBe('127.0.0.1:33418');
  expect(Object.fromEntries(left?.searchParams ?? [])).toMatchObject(expected);

  const page = await human.browser.press(await human.browser.open(authorizePath(await registeredClient())), 'Cancel');
  expect(page.left).toBeUndefined();
  const link = linkOf(page, 'Go back to client.example');
  expect(link?.origin).toBe('https://client.example');
  expect(Object.fromEntries(link?.searchParams ?? [])).toMatchObject(expected);
});

test('a cancelled sign-in that no client waits for is a page', async () => {
  const human = person();
  const page = await human.browser.press(await human.browser.open('/login'), 'Cancel');
  expect(page.status).toBe(400);
  expect(textOf(page)).toContain('AuthKit did not sign you in');
});

test('an error of AuthKit that is no refusal is a page from which one can sign in again', async () => {
  const human = person();
  const callback = await callbackOf(human, authorizePath(await registeredClient()));
  callback.searchParams.delete('code');
  callback.searchParams.set('error', 'server_error');
  const page = await human.browser.open(callback);
  expect(page.status).toBe(400);
  expect(page.html).toContain('Sign in again');
});

test('an outage of WorkOS is a page, signs nobody out, and is over when it is over', async () => {
  const human = person();
  await human.walk('/login');
  const session = human.browser.cookies.get(SESSION);
  const callback = await callbackOf(human);
  const read = env.OAUTH_KV.get.bind(env.OAUTH_KV);
  const outage = vi.spyOn(env.OAUTH_KV, 'get').mockImplementation((...args: unknown[]) => {
    if (String(args[0]).startsWith('local-authkit:')) throw new Error('WorkOS is down');
    return Reflect.apply(read, undefined, args);
  });
  const page = await human.browser.open(callback);
  expect(page.status).toBe(502);
  expect(textOf(page)).toContain('AuthKit cannot be reached');

  // An expired access token cannot be refreshed now either.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 6 * 60_000 });
  const path = authorizePath(await registeredClient());
  const refused = await human.browser.open(path);
  expect(refused.status).toBe(502);
  expect(human.browser.cookies.get(SESSION)).toBe(session);

  outage.mockRestore();
  expect(textOf(await human.browser.open(path))).toContain(human.email);
});

test('a session outlives its access token, also with two tabs at once', async () => {
  const human = person();
  await human.walk('/login');
  const before = human.browser.cookies.get(SESSION);
  const path = authorizePath(await registeredClient());
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 6 * 60_000 });
  const tabs = await Promise.all([human.browser.open(path), human.browser.open(path), human.browser.open(path)]);
  for (const tab of tabs) expect(textOf(tab)).toContain(human.email);
  expect(human.browser.cookies.get(SESSION)).not.toBe(before);

  // A tab whose request left just before the new cookie arrived.
  human.browser.setCookie(SESSION, before ?? '');
  expect(textOf(await human.browser.open(path))).toContain(human.email);
});

test('a session that WorkOS has ended leads to the sign-in page', async () => {
  const human = person();
  await human.walk('/login');
  const session = human.browser.cookies.get(SESSION) ?? '';
  const home = await human.browser.open(authorizePath(await registeredClient()));
  await human.browser.press(home, 'Not you?');
  human.browser.setCookie(SESSION, session);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 6 * 60_000 });
  const page = await human.browser.open(authorizePath(await registeredClient()));
  expect(page.html).toContain('name="email"');
});

test.each(['garbage', 'Fe26.2*1*garbage', ''])('a session cookie %j is no session', async (value) => {
  const human = person();
  human.browser.setCookie(SESSION, value);
  const page = await human.browser.open(authorizePath(await registeredClient()));
  expect(page.html).toContain('name="email"');
});

test.each([
  'https://evil.example/',
  '//evil.example/',
  '/\\evil.example/',
  '/\t/evil.example/',
  '/.//evil.example/',
  'blob:https://own.invalid/x',
  '/..//evil.example/',
  'javascript:alert(1)',
  'http://[',
])('after a sign-in nobody is sent to %j', async (returnTo) => {
  const human = person();
  const page = await human.browser.press(
    await human.browser.open(`/login?${new URLSearchParams({ return_to: returnTo }).toString()}`),
    'Continue',
    { email: human.email },
  );
  expect(page.left).toBeUndefined();
  expect(page.url.origin).toBe(ORIGIN);
});

test.each(['x'.repeat(4000), ':'.repeat(1900)])(
  'an address too long for a cookie is refused with a page',
  async (path) => {
    const response = await send(`/login?${new URLSearchParams({ return_to: `/${path}` }).toString()}`);
    expect(response.status).toBe(400);
    expect(response.headers.get('Set-Cookie')).toBeNull();
    expect(await response.text()).toContain('too long');
  },
);

test('an authorization request too long for a cookie is refused to the client', async () => {
  const human = person();
  const state = crypto.getRandomValues(new Uint8Array(4000)).toBase64();
  const page = await human.browser.open(authorizePath(await registeredClient(), { state }));
  expect(page.status).toBe(400);
  const link = linkOf(page, 'Go back to client.example');
  expect(link?.origin).toBe('https://client.example');
  expect(link?.searchParams.get('error')).toBe('invalid_request');
});

test('abandoned sign-ins do not pile up in the browser, and the latest five can be finished', async () => {
  const human = person();
  const callbacks: URL[] = [];
  for (let tab = 0; tab < 8; tab += 1) {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 1000 });
    callbacks.push(await callbackOf(human));
  }
  expect([...human.browser.cookies.keys()].filter((name) => name.includes('sign-in'))).toHaveLength(5);
  for (const callback of callbacks.slice(-5)) expect((await human.browser.open(callback)).status).toBe(200);
  for (const callback of callbacks.slice(0, 3)) expect((await human.browser.open(callback)).status).toBe(400);
});

test('a sign-in cannot be finished after ten minutes, even by a browser that keeps its cookie', async () => {
  const human = person();
  const callback = await callbackOf(human);
  const kept = new Map(human.browser.cookies);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 11 * 60_000 });
  const cookies = [...kept].map(([name, value]) => `${name}=${value}`).join('; ');
  const response = await send(callback.pathname + callback.search, { headers: { Cookie: cookies } });
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('cannot be continued');
});

test('a deployment with a wrong key says that AuthKit cannot be reached, and tells the operator', async () => {
  const misconfigured = deployedWith({
    WORKOS_API_KEY: 'sk_wrong',
    COOKIE_PASSWORD: 'a password of at least 32 characters',
  });
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
  const browser = new Browser(ORIGIN, misconfigured);
  const page = await browser.press(await browser.open('/login'), 'Continue', { email: 'ada@example.com' });
  expect(page.status).toBe(502);
  expect(logged.mock.calls.join()).toContain('authkit_unavailable');
});

test('"Not you?" signs out of this browser even while WorkOS is down', async () => {
  const human = person();
  const page = await human.walk(authorizePath(await registeredClient()));
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 6 * 60_000 });
  const read = env.OAUTH_KV.get.bind(env.OAUTH_KV);
  vi.spyOn(env.OAUTH_KV, 'get').mockImplementation((...args: unknown[]) => {
    if (String(args[0]).startsWith('local-authkit:')) throw new Error('WorkOS is down');
    return Reflect.apply(read, undefined, args);
  });
  await human.browser.press(page, 'Not you?');
  expect(human.browser.cookies.has(SESSION)).toBe(false);
});

test('signing out is a post of our own pages, and ends the session', async () => {
  const human = person();
  await human.walk('/login');
  const cookies = [...human.browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const foreign = await send('/logout', {
    method: 'POST',
    headers: { Origin: 'http://localhost:6274', Cookie: cookies },
  });
  expect(foreign.status).toBe(403);
  const response = await send('/logout', { method: 'POST', headers: { Origin: ORIGIN, Cookie: cookies } });
  expect(response.status).toBe(303);
  expect(response.headers.get('Location')).toContain('/user_management/sessions/logout?session_id=session_');
  expect(response.headers.getSetCookie().join()).toContain(`${SESSION}=; Max-Age=0`);
});
