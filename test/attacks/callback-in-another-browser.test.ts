/**
 * Mallory has Ada's browser finish a sign-in that it did not start: with a `state` she made up, or with her own code, so
 * that Ada would go on as Mallory. The state is in a signed cookie of the browser that started, works once, and PKCE ties
 * the code to it.
 */
import { expect, test } from 'vitest';
import { hiddenFields, textOf } from '../../src/dev/browser.ts';
import { authorizePath, registeredClient, send } from '../support/http.ts';
import { person } from '../support/people.ts';
import { EVIL, SESSION } from '../support/scene.ts';
import { ORIGIN } from '../support/worker.ts';
import { workosRefuses } from '../support/workos-answers.ts';

/** Signs in at AuthKit, and returns the address that the browser would be sent back to, without going there. */
async function callbackOf(human: ReturnType<typeof person>): Promise<string> {
  const form = hiddenFields(await human.browser.open('/login'));
  const body = new URLSearchParams({ ...form, email: human.email, decision: 'continue' });
  const sent = await send('/user_management/authorize', { method: 'POST', body });
  return sent.headers.get('Location') ?? '';
}

test("an attacker's own sign-in cannot be planted in a victim's browser", async () => {
  const [mallory, ada] = [person(), person()];
  const page = await ada.browser.open(await callbackOf(mallory));
  expect(page.status).toBe(400);
  expect(ada.browser.cookies.has(SESSION)).toBe(false);
});

test('a sign-in works in the browser that started it, and once', async () => {
  const mallory = person();
  const callback = await callbackOf(mallory);
  await mallory.browser.open(callback);
  expect(mallory.browser.cookies.has(SESSION)).toBe(true);
  // Somebody else's code, in the place of the one that the sign-in was for.
  const again = new URL(callback, ORIGIN);
  again.searchParams.set('code', 'another');
  mallory.browser.cookies.delete(SESSION);
  const exchanged = workosRefuses(400, { error: 'invalid_grant' });
  expect(textOf(await mallory.browser.open(again))).toContain('You are not signed in');
  expect(exchanged).not.toHaveBeenCalled();
  exchanged.mockRestore();
});

test('a cookie that we did not sign starts no sign-in', async () => {
  const ada = person();
  const forged = { codeVerifier: 'x', returnTo: `${EVIL}/`, startedAt: Date.now() };
  for (const signature of [`.${btoa('x'.repeat(32))}`, '.', '']) {
    const value = encodeURIComponent(JSON.stringify(forged) + signature);
    ada.browser.setCookie('__Host-mcp-shop-sign-in-planted', value);
    expect(textOf(await ada.browser.open('/callback?state=planted&error=x'))).toContain('cannot be continued');
  }
});

/** The state that the demo this one is modelled on accepted: one click took over an account. */
function forgedState(changes: Record<string, unknown>): string {
  const request = { responseType: 'code', scope: [], state: 's', codeChallenge: 'x', codeChallengeMethod: 'S256' };
  return btoa(JSON.stringify({ ...request, ...changes }));
}

test.each([
  ['an address that was never registered', { redirectUri: `${EVIL}/steal` }],
  ['a script', { redirectUri: 'javascript:alert(1)' }],
  ['a client that does not exist', { clientId: 'nobody', redirectUri: `${EVIL}/steal` }],
])('a forged state that names %s leads nowhere, even in a signed-in browser', async (_, changes) => {
  const ada = person();
  await ada.walk('/login');
  const state = forgedState({ clientId: await registeredClient(), ...changes });
  for (const query of [
    { state, code: 'a-real-looking-code' },
    { state, error: 'access_denied' },
  ]) {
    const page = await ada.browser.open(`/callback?${new URLSearchParams(query).toString()}`);
    expect(page.left).toBeUndefined();
    expect(page.status).toBe(400);
    expect(page.html).not.toContain('evil.example');
  }
});

test.each([
  '',
  'state=',
  'state=%%%',
  'state=not-base64!',
  'state=bm90IGpzb24',
  `state=${'x'.repeat(5000)}`,
  'state=__proto__',
])('/callback?code=x&%s is a page that says what to do, not a fault', async (query) => {
  const response = await send(`/callback?code=x&${query}`);
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('connect again');
});

test('a client can tell an answer that it did not ask for: its own state comes back as it was', async () => {
  const state = 'Łódź 👋 "quoted" &<>%';
  const answer = await person().answer(authorizePath(await registeredClient(), { state }));
  expect(answer.get('state')).toBe(state);
});
