/** Attacks that want a code without the human's yes, and what /register and /authorize take from strangers. */
import { expect, test } from 'vitest';
import { textOf } from '../../src/dev/browser.ts';
import { authorizePath, register, registeredClient, send } from '../support/http.ts';
import { person } from '../support/shop.ts';

test('a client that has just registered gets no code without the page, also from a signed-in human', async () => {
  const human = person();
  await human.answer(authorizePath(await registeredClient()));
  const clientId = await registeredClient({ redirect_uris: ['https://evil.example/cb'] });
  for (const extra of [{}, { prompt: 'none' }]) {
    const page = await human.walk(authorizePath(clientId, { redirect_uri: 'https://evil.example/cb', ...extra }));
    expect(page.left).toBeUndefined();
    expect(textOf(page)).toContain('You go back to evil.example');
  }
});

test.each([
  ['a script as redirect URI', { redirect_uris: ['javascript:alert(1)'] }],
  ['a data URL as redirect URI', { redirect_uris: ['data:text/html,x'] }],
  ['a remote http redirect URI', { redirect_uris: ['http://evil.example/cb'] }],
  ['no redirect URI', { redirect_uris: [] }],
  ['a script as logo', { logo_uri: 'javascript:alert(1)' }],
  ['a script as home page', { client_uri: 'javascript:alert(1)' }],
  ['a name of 100 KB', { client_name: 'x'.repeat(100_000) }],
  ['a name of 101 characters', { client_name: 'x'.repeat(101) }],
  ['a name that is no text', { client_name: { toString: 'x' } }],
  ['9 KB of metadata', { contacts: ['x'.repeat(9000)] }],
])('/register refuses %s', async (_, metadata) => {
  const response = await register(metadata);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    error: expect.stringMatching(/^invalid_/),
    error_description: expect.any(String),
  });
});

test('/register refuses 2 MB', async () => {
  expect((await register({ client_name: 'x'.repeat(2_000_000) })).status).toBe(413);
});

test.each([
  ['an unknown client', { client_id: 'nobody' }],
  ['no client', { client_id: undefined }],
  ['an unregistered redirect URI', { redirect_uri: 'https://evil.example/cb' }],
  ['no redirect URI', { redirect_uri: undefined }],
])('/authorize shows %s a page and redirects nowhere', async (_, changes) => {
  const response = await send(authorizePath(await registeredClient(), changes));
  expect(response.status).toBe(400);
  expect(response.headers.get('Location')).toBeNull();
  expect(await response.text()).toContain('Nothing was granted');
});

test.each([
  ['the implicit flow', { response_type: 'token' }, 'unsupported_response_type'],
  ['no response type', { response_type: undefined }, 'invalid_request'],
  ['no PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
  ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
  ['a foreign resource', { resource: 'https://evil.example/mcp' }, 'invalid_target'],
])('/authorize tells a client that asks with %s why not', async (_, changes, error) => {
  const response = await send(authorizePath(await registeredClient(), changes));
  const location = new URL(response.headers.get('Location') ?? '');
  expect(location.origin).toBe('https://client.example');
  expect(Object.fromEntries(location.searchParams)).toMatchObject({ error, state: 'client-state' });
});

test('a state of any characters comes back as it was', async () => {
  const state = 'Łódź 👋 "quoted" &<>%';
  const answer = await person().answer(authorizePath(await registeredClient(), { state }));
  expect(answer.get('state')).toBe(state);
});

test('scopes nobody offers are not granted, whatever the client asks for', async () => {
  const human = person();
  const page = await human.walk(authorizePath(await registeredClient(), { scope: 'shop:admin shop:everything' }));
  expect(page.html).not.toContain('shop:everything');
  const { left } = await human.browser.press(page, 'Allow');
  expect(left?.searchParams.get('code')).toBeTruthy();
});
