/**
 * AuthKit signs Ada in without a word while its session lives. When her browser does not keep ours, or WorkOS does not say
 * that she has just signed in, every page would send her there again. A second turn ends in a page that says so.
 */
import { afterEach, expect, test, vi } from 'vitest';
import { Browser, type Fetch, hiddenFields, linkOf, textOf } from '../../src/dev/browser.ts';
import { questionPath } from '../support/answering.ts';
import { authorizePath, registeredClient, send } from '../support/http.ts';
import { quiet } from '../support/outages.ts';
import { deputyOf, person } from '../support/people.ts';
import { recordOf, SESSION } from '../support/scene.ts';
import { PURCHASE } from '../support/shop.ts';
import { ORIGIN, workerFetch } from '../support/worker.ts';
import { workosAnswers } from '../support/workos-answers.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A browser that AuthKit knows: it never asks. `lose` are cookies that this browser does not keep. */
function knownTo(email: string, lose: (name: string) => boolean = () => false): Browser {
  const silent: Fetch = async (input, init) => {
    const response = await workerFetch(input, init);
    const { pathname, search } = new URL(String(input));
    if (pathname === '/user_management/authorize' && response.status === 200) {
      const fields = Object.fromEntries(new URLSearchParams(search));
      const body = new URLSearchParams({ ...fields, email, decision: 'continue' });
      return send('/user_management/authorize', { method: 'POST', body });
    }
    const kept = new Response(response.body, response);
    kept.headers.delete('Set-Cookie');
    for (const line of response.headers.getSetCookie())
      if (!lose(line.slice(0, line.indexOf('=')))) kept.headers.append('Set-Cookie', line);
    return kept;
  };
  return new Browser(ORIGIN, silent);
}

test.each(['/deputies', '/deputies/all', '/authorize'])(
  'a browser that keeps no session is told so at %s, and may try again',
  async (to) => {
    const { email } = person();
    const path = to === '/authorize' ? authorizePath(await registeredClient()) : to;
    let lost = true;
    const browser = knownTo(email, (name) => lost && name.startsWith(SESSION));
    for (let turn = 0; turn < 2; turn += 1) {
      const page = await browser.open(path);
      expect([page.status, textOf(page)]).toEqual([400, expect.stringContaining('The sign-in did not take hold')]);
      expect(page.html).toContain(`href="/login?return_to=${encodeURIComponent(to)}`);
    }
    lost = false;
    expect(textOf(await browser.open(path))).toContain(email);
  },
);

test('a browser that keeps a part of a long session is told so too', async () => {
  const { email } = person();
  await workosAnswers(
    (claims) => (claims['permissions'] = Array.from({ length: 200 }, (_, index) => `module-${index}:write`)),
  );
  const page = await knownTo(email, (name) => name === `${SESSION}-1`).open('/deputies');
  expect([page.status, textOf(page)]).toEqual([400, expect.stringContaining('The sign-in did not take hold')]);
});

test('who signs in, leaves, and signs in again within the minute is not told that it failed', async () => {
  const { email } = person();
  const browser = knownTo(email);
  expect(textOf(await browser.open('/login'))).toContain('Your deputies');
  // The landing page has not looked who it is.
  for (let time = 0; time < 2; time += 1) {
    const page = await browser.open('/login?return_to=/deputies');
    expect(textOf(page)).toContain(email);
    await browser.press(page, 'Sign out');
  }
});

test.each([
  ['is missing', undefined],
  ['does not move', Math.floor(Date.now() / 1000) - 3600],
  ['is no number', 'now'],
  ['is null', null],
])('when the time of the sign-in %s, what needs a fresh one is refused once, with a page', async (_, authTime) => {
  const ada = person();
  await deputyOf(ada, '2025-11-25');
  await workosAnswers((claims) => {
    if (authTime === undefined) delete claims['auth_time'];
    else claims['auth_time'] = authTime;
  });
  const browser = knownTo(ada.email);
  const console = await browser.open('/deputies');
  expect(console.status).toBe(200);
  for (const path of ['/deputies/ceiling', '/deputies/erase']) {
    const page = await browser.open(path);
    expect([page.status, textOf(page)]).toEqual([
      403,
      expect.stringContaining('does not say that you have just signed in'),
    ]);
    expect(page.html).toContain('href="/deputies"');
    const Cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const body = new URLSearchParams({ ...hiddenFields(console), spendPerDay: '250' });
    const posted = await send(path, { method: 'POST', body, headers: { Origin: ORIGIN, Cookie } });
    expect(posted.status).toBe(403);
  }
  // The brake stays in reach.
  await browser.press(await browser.open('/deputies'), 'Stop all');
  const { account, deputies } = await recordOf(ada);
  expect([account.authority, account.ceiling['spendPerDay'], deputies.length]).toEqual(['paused', 50_000, 1]);
});

test('a question that needs a fresh sign-in says that none was heard of, instead of asking for one again', async () => {
  quiet();
  const ada = person();
  const deputy = await deputyOf(ada, '2025-11-25');
  const { data } = await deputy.call('buyMcpShopItem', { ...PURCHASE, quantity: 4 });
  const { id } = (data['error'] as { waiting: { id: string } }).waiting;
  await workosAnswers((claims) => (claims['auth_time'] = Math.floor(Date.now() / 1000) - 3600));
  const browser = knownTo(ada.email);
  const page = await browser.open(questionPath(id));
  const again = await browser.open(linkOf(page, 'Sign in again to approve') ?? 'no link');
  expect(textOf(again)).toContain('does not say that you have just signed in');
  expect(linkOf(again, 'Sign in again to approve')).toBeUndefined();
  expect(again.html).toContain('value="deny"');
});

test('a fresh sign-in is asked for even when a plain one was a moment ago, and then counts', async () => {
  const ada = person();
  let authTime = Math.floor(Date.now() / 1000) - 3600;
  await workosAnswers((claims) => (claims['auth_time'] = authTime));
  const browser = knownTo(ada.email);
  await browser.open('/login');
  authTime = Math.floor(Date.now() / 1000);
  const page = await browser.open('/deputies/ceiling');
  expect([page.status, page.url.pathname]).toEqual([200, '/deputies/ceiling']);
});

test('an answer of WorkOS whose token is over when it comes is a page, and no circle', async () => {
  quiet();
  const ada = person();
  await workosAnswers((claims) => (claims.exp = Math.floor(Date.now() / 1000) - 10));
  const page = await knownTo(ada.email).open('/deputies');
  expect([page.status, textOf(page)]).toEqual([502, expect.stringContaining('AuthKit cannot be reached')]);
});
