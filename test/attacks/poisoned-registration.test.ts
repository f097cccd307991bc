/**
 * Anybody may register a client, so Mallory makes the registration itself the weapon: a script where an address belongs, a
 * name that bends the consent page, metadata that fills the store. What is kept of a client is checked and bounded.
 */
import { expect, test } from 'vitest';
import { register } from '../support/http.ts';
import { EVIL } from '../support/scene.ts';

test.each([
  ['a script as redirect URI', { redirect_uris: ['javascript:alert(1)'] }],
  ['a data URL as redirect URI', { redirect_uris: ['data:text/html,x'] }],
  ['a remote http redirect URI', { redirect_uris: [EVIL.replace('https', 'http')] }],
  ['no redirect URI', { redirect_uris: [] }],
  ['a script as logo', { logo_uri: 'javascript:alert(1)' }],
  ['a script as home page', { client_uri: 'javascript:alert(1)' }],
  ['a name of 10 KB', { client_name: 'x'.repeat(10_000) }],
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
