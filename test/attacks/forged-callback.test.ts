/** Attacks on the way back from AuthKit. In the original, a made-up `state` took over an account with one click. */
import { expect, test } from 'vitest';
import { authorizePath, CLIENT_REDIRECT, redeem, registeredClient, send } from '../support/http.ts';
import { person } from '../support/shop.ts';

const EVIL = 'https://evil.example/steal';

/** The state the original accepted: the authorization request as unsigned base64. */
function forgedState(changes: Record<string, unknown>): string {
  return btoa(
    JSON.stringify({
      responseType: 'code',
      scope: [],
      state: 's',
      codeChallenge: 'x',
      codeChallengeMethod: 'S256',
      ...changes,
    }),
  );
}

test.each([
  ['an address that was never registered', { redirectUri: EVIL }],
  ['a script', { redirectUri: 'javascript:alert(1)' }],
  ['a client that does not exist', { clientId: 'nobody', redirectUri: EVIL }],
])('a forged state that names %s leads nowhere, even in a signed-in browser', async (_, changes) => {
  const clientId = await registeredClient();
  const victim = person();
  await victim.walk('/login');
  const state = forgedState({ clientId, ...changes });
  for (const query of [
    { state, code: 'a-real-looking-code' },
    { state, error: 'access_denied' },
  ]) {
    const page = await victim.browser.open(`/callback?${new URLSearchParams(query).toString()}`);
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

test('a code is never sent to an address the client did not register', async () => {
  const clientId = await registeredClient();
  const human = person();
  for (const redirect of [
    EVIL,
    `${CLIENT_REDIRECT}/../steal`,
    'https://client.example.evil.example/callback',
    'javascript:alert(1)',
  ]) {
    const page = await human.walk(authorizePath(clientId, { redirect_uri: redirect }));
    expect(page.left, redirect).toBeUndefined();
    expect(page.status, redirect).toBe(400);
  }
});

test('a stolen code is worthless without the verifier, and bound to the address it was sent to', async () => {
  const clientId = await registeredClient();
  const steal = async (changes: Record<string, string | undefined>) => {
    const code = (await person().answer(authorizePath(clientId))).get('code') ?? '';
    return (await redeem(clientId, code, changes)).status;
  };
  expect(await steal({ redirect_uri: EVIL })).toBe(400);
  expect(await steal({ redirect_uri: undefined, code_verifier: 'a'.repeat(43) })).toBe(400);
  expect(await steal({ code_verifier: undefined })).toBe(400);
});

test("an attacker's own sign-in cannot be planted in a victim's browser", async () => {
  const attacker = person();
  const signIn = await attacker.browser.open('/login');
  const form = new URLSearchParams({ email: attacker.email, decision: 'continue' });
  for (const [, name, value] of signIn.html.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)) {
    form.set(name ?? '', (value ?? '').replaceAll('&amp;', '&'));
  }
  const sent = await send('/user_management/authorize', { method: 'POST', body: form });
  const victim = person();
  const page = await victim.browser.open(sent.headers.get('Location') ?? '');
  expect(page.status).toBe(400);
  expect(victim.browser.cookies.has('__Host-mcp-shop-session')).toBe(false);
});
