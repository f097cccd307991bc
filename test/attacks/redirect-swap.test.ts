/**
 * Mallory swaps the address that a code, or a human, is sent to. A client's addresses are registered and compared exactly,
 * a code is redeemed only with the address it went to, and after a sign-in we lead to our own paths alone.
 */
import { expect, test } from 'vitest';
import { authorizePath, CLIENT_REDIRECT, redeem, registeredClient, send } from '../support/http.ts';
import { person } from '../support/people.ts';
import { ORIGIN } from '../support/worker.ts';
import { EVIL } from '../support/scene.ts';

test('a code is never sent to an address the client did not register', async () => {
  const clientId = await registeredClient();
  const ada = person();
  for (const redirect of [
    `${EVIL}/steal`,
    `${CLIENT_REDIRECT}/../steal`,
    'https://client.example.evil.example/callback',
    'javascript:alert(1)',
  ]) {
    const page = await ada.walk(authorizePath(clientId, { redirect_uri: redirect }));
    expect(page.left, redirect).toBeUndefined();
    expect(page.status, redirect).toBe(400);
  }
});

test.each([
  ['an unknown client', { client_id: 'nobody' }],
  ['no client', { client_id: undefined }],
  ['an unregistered redirect URI', { redirect_uri: `${EVIL}/cb` }],
  ['no redirect URI, where the client has two', { redirect_uri: undefined }],
])('/authorize shows %s a page and redirects nowhere', async (_, changes) => {
  const clientId = await registeredClient({ redirect_uris: [CLIENT_REDIRECT, 'https://client.example/other'] });
  const response = await send(authorizePath(clientId, changes));
  expect(response.status).toBe(400);
  expect(response.headers.get('Location')).toBeNull();
  expect(await response.text()).toContain('Nothing was granted');
});

test('a code is redeemed only with the address it was sent to', async () => {
  const other = 'https://client.example/other';
  const clientId = await registeredClient({ redirect_uris: [CLIENT_REDIRECT, other] });
  for (const redirect of [EVIL, other]) {
    const code = (await person().answer(authorizePath(clientId))).get('code') ?? '';
    expect((await redeem(clientId, code, { redirect_uri: redirect })).status, redirect).toBe(400);
  }
});

test.each([`${EVIL}/`, '//evil.example/', '/.//evil.example/'])(
  'a sign-in that should lead to %s leads to our own page',
  async (address) => {
    const page = await person().walk(`/login?${new URLSearchParams({ return_to: address }).toString()}`);
    expect(page.left).toBeUndefined();
    expect(page.url.origin).toBe(ORIGIN);
  },
);
