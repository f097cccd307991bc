/**
 * Mallory swaps the address that a code, or a human, is sent to. A client's addresses are registered and compared exactly,
 * a code is redeemed only with the address it went to, and after a sign-in we lead to our own paths alone.
 */
import { expect, test } from 'vitest';
import { textOf } from '../../src/dev/browser.ts';
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

test.each(['redirect_uri', 'client_id'])('an address beside another one leads nowhere: %s twice', async (name) => {
  const other = await registeredClient({ redirect_uris: [`${EVIL}/steal`] });
  const twice = `${name}=${encodeURIComponent(name === 'client_id' ? other : `${EVIL}/steal`)}`;
  const page = await person().walk(`${authorizePath(await registeredClient())}&${twice}`);
  expect([page.status, page.left]).toEqual([400, undefined]);
  expect(textOf(page)).toContain(`${name} was sent more than once`);
  expect(page.html).not.toMatch(/href="https:/);
});

test.each(['shop://callback', 'ms-settings:anything', 'com.example.app:/callback'])(
  'no code and no error is sent to %s, which any program can be behind, though a client may list it',
  async (address) => {
    const clientId = await registeredClient({ redirect_uris: [address] });
    for (const broken of [{}, { response_type: 'token' }, { redirect_uri: undefined }]) {
      const page = await person().walk(authorizePath(clientId, { redirect_uri: address, ...broken }));
      expect([page.status, page.left]).toEqual([400, undefined]);
      expect(textOf(page)).toContain('Update the app');
      expect(page.html).not.toContain(address);
    }
  },
);

test.each(['http://localhost:8787/callback', 'http://127.0.0.1:8787/oauth'])(
  'a client that waits at our own address %s never gets its answer, and its human is told so',
  async (address) => {
    const clientId = await registeredClient({ redirect_uris: [address] });
    const page = await person().walk(authorizePath(clientId, { redirect_uri: address }));
    expect([page.status, page.left]).toEqual([400, undefined]);
    expect(textOf(page)).toContain('port 8787, which is in use by this server');
  },
);

test('nothing in a registered address passes for our answer', async () => {
  const address = `${EVIL}/cb?code=mine&a=1&%73tate=mine&iss=https://evil.example&error=mine&error_uri=mine`;
  const clientId = await registeredClient({ redirect_uris: [address] });
  const answer = await person().answer(authorizePath(clientId, { redirect_uri: address, state: undefined }));
  expect([...answer.keys()]).toEqual(['a', 'code', 'iss']);
  expect([answer.get('code'), answer.get('iss')]).toEqual([expect.stringContaining(':'), ORIGIN]);
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
