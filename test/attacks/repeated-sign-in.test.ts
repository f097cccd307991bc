/**
 * Nobody means harm: Ada's browser repeats what it did. It fetches pages ahead, reloads them, goes back, asks twice at once.
 * Whatever works once is used up by then, and yet she who is signed in is never told that she is not.
 */
import { afterEach, expect, test, vi } from 'vitest';
import { hiddenFields, textOf } from '../../src/dev/browser.ts';
import type { Person } from '../../src/dev/clients.ts';
import { authorizePath, cookiesOf, registeredClient, send } from '../support/http.ts';
import { hurry, later, quiet } from '../support/outages.ts';
import { person } from '../support/people.ts';
import { SESSION } from '../support/scene.ts';
import { ORIGIN } from '../support/worker.ts';
import { workosRefuses } from '../support/workos-answers.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Signs in at AuthKit, and returns the address that the browser is sent back to, without going there. */
async function callbackOf({ browser, email }: Person, returnTo: string): Promise<URL> {
  const form = hiddenFields(await browser.open(`/login?${new URLSearchParams({ return_to: returnTo }).toString()}`));
  const body = new URLSearchParams({ ...form, email, decision: 'continue' });
  const sent = await send('/user_management/authorize', { method: 'POST', body });
  return new URL(sent.headers.get('Location') ?? '', ORIGIN);
}

/** Takes what an answer sets into the browser. */
function keep({ browser }: Person, { headers }: Response): void {
  for (const line of headers.getSetCookie()) {
    const [pair = ''] = line.split(';');
    browser.setCookie(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
  }
}

test.each(['/deputies/all', '/authorize'])('a way back that is opened again leads on to %s', async (to) => {
  const ada = person();
  const returnTo = to === '/authorize' ? authorizePath(await registeredClient()) : to;
  const callback = await callbackOf(ada, returnTo);
  for (let time = 0; time < 3; time += 1) {
    const page = await ada.browser.open(callback);
    expect([page.status, page.url.pathname + page.url.search]).toEqual([200, returnTo]);
    expect(textOf(page)).toContain(ada.email);
  }
});

test('a way back that is asked for twice at once signs in, and the second answer leads on too', async () => {
  const ada = person();
  const callback = await callbackOf(ada, '/deputies');
  const headers = { Cookie: cookiesOf(ada) };
  const first = await send(callback.pathname + callback.search, { headers });
  // It left before the first answer was there; both answers are kept, and the second is followed.
  const second = await send(callback.pathname + callback.search, { headers });
  expect(await second.text()).not.toContain('not signed in');
  keep(ada, first);
  keep(ada, second);
  const page = await ada.browser.open(second.headers.get('Location') ?? '');
  expect([page.status, page.url.pathname]).toEqual([200, '/deputies']);
  expect(textOf(page)).toContain(ada.email);
});

test('two tabs that sign in at the same time both arrive', async () => {
  const ada = person();
  const [one, other] = [await callbackOf(ada, '/deputies'), await callbackOf(ada, '/deputies/all')];
  expect((await ada.browser.open(other)).url.pathname).toBe('/deputies/all');
  expect((await ada.browser.open(one)).url.pathname).toBe('/deputies');
  expect((await ada.browser.open(other)).url.pathname).toBe('/deputies/all');
});

test('a sign-in that this browser has forgotten says that she is signed in, or that she is not', async () => {
  const ada = person();
  const callback = await callbackOf(ada, '/deputies');
  await ada.browser.open(callback);
  for (const name of ada.browser.cookies.keys()) if (name.includes('sign-in-')) ada.browser.cookies.delete(name);
  for (const path of [callback, '/callback', '/callback?error=access_denied&state=gone']) {
    const page = await ada.browser.open(path);
    expect(textOf(page)).toContain('You are signed in');
    expect(page.html).toContain('href="/deputies"');
  }
  await ada.browser.press(await ada.browser.open('/deputies'), 'Sign out');
  const page = await ada.browser.open(callback);
  expect(textOf(page)).toContain('You are not signed in');
});

test('a way back that is opened again after the sign-out offers to sign in, and signs nobody in', async () => {
  const ada = person();
  const callback = await callbackOf(ada, '/deputies');
  await ada.browser.press(await ada.browser.open(callback), 'Sign out');
  const page = await ada.browser.open(callback);
  expect([page.status, textOf(page)]).toEqual([400, expect.stringContaining('You are not signed in')]);
  expect(page.html).toContain('href="/login?return_to=%2Fdeputies"');
  expect(ada.browser.cookies.has(SESSION)).toBe(false);
});

test('what was cancelled at AuthKit stays cancelled when it is reloaded', async () => {
  const ada = person();
  const callback = await callbackOf(ada, '/deputies');
  const [state, code] = [callback.searchParams.get('state') ?? '', callback.searchParams.get('code') ?? ''];
  const cancelled = `/callback?${new URLSearchParams({ state, error: 'access_denied' }).toString()}`;
  expect(textOf(await ada.browser.open(cancelled))).toContain('AuthKit did not sign you in');
  for (const path of [cancelled, `/callback?${new URLSearchParams({ state, code }).toString()}`])
    expect(textOf(await ada.browser.open(path))).toContain('You are not signed in');
  expect(ada.browser.cookies.has(SESSION)).toBe(false);
});

test('a way back that met an outage works when it is reloaded', async () => {
  const ada = person();
  const callback = await callbackOf(ada, '/deputies/all');
  quiet();
  hurry();
  const down = workosRefuses(503, { message: 'WorkOS is down' });
  expect((await ada.browser.open(callback)).status).toBe(502);
  down.mockRestore();
  const page = await ada.browser.open(callback);
  expect([page.status, page.url.pathname]).toEqual([200, '/deputies/all']);
});

test.each([
  { 'Sec-Purpose': 'prefetch' },
  { 'Sec-Purpose': 'prefetch;prerender' },
  { Purpose: 'prefetch' },
  { 'X-Moz': 'prefetch' },
])('what a browser fetches ahead (%j) uses up nothing', async (ahead) => {
  const ada = person();
  const returnTo = authorizePath(await registeredClient());
  const callback = await callbackOf(ada, returnTo);
  const headers = { Cookie: cookiesOf(ada), ...ahead };
  for (const path of [callback.pathname + callback.search, '/login', '/logout', returnTo]) {
    const answer = await send(path, { headers });
    expect([path, answer.status, answer.headers.getSetCookie()]).toEqual([path, 503, []]);
    expect(await answer.text()).not.toMatch(/signed in/i);
  }
  const page = await ada.browser.open(callback);
  expect([page.status, page.url.pathname]).toEqual([200, '/authorize']);
  expect((await ada.browser.press(page, 'Allow')).left?.searchParams.get('code')).toBeTruthy();
});

test('signing out twice, and coming back from it twice, ends at the same page', async () => {
  const ada = person();
  const page = await ada.walk('/deputies');
  for (let time = 0; time < 2; time += 1) {
    const out = await ada.browser.press(page, 'Sign out');
    expect(out.status).toBe(200);
    expect(ada.browser.cookies.has(SESSION)).toBe(false);
  }
  expect((await ada.browser.open('/logout')).url.pathname).toBe('/');
});

test('pages that are opened again after the session was refreshed elsewhere are still hers', async () => {
  const ada = person();
  await ada.walk('/deputies');
  later(6 * 60_000);
  const pages = await Promise.all(['/deputies', '/callback', '/deputies/all'].map((path) => ada.browser.open(path)));
  expect(pages.map(({ html }) => html.includes('not signed in'))).toEqual([false, false, false]);
});
