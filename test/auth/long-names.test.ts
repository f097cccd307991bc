/** Whatever a stranger names, a client, a code or a token, KV is asked for it, and KV takes keys of 512 bytes at most. */
import { expect, test } from 'vitest';
import { authorizePath, callMessage, rpc, send } from '../support/http.ts';

const LONG = 'x'.repeat(600);

test('a client id too long for a key is an unknown client', async () => {
  const unknown = await send(authorizePath('unknown'));
  const long = await send(authorizePath(LONG));
  expect(long.status).toBe(400);
  // A page says when it was made.
  const made = / data-now="[^"]*"/;
  expect((await long.text()).replace(made, '')).toBe((await unknown.text()).replace(made, ''));
});

test.each([
  ['a code', { grant_type: 'authorization_code', client_id: 'x', code: `user:${LONG}:secret` }],
  ['a client id', { grant_type: 'refresh_token', client_id: LONG, refresh_token: 'user:grant:secret' }],
  ['a token to revoke', { token: `user:${LONG}:secret`, client_id: 'x' }],
])('%s too long for a key is refused at /token', async (_, fields) => {
  const response = await send('/token', { method: 'POST', body: new URLSearchParams(fields) });
  expect([400, 401]).toContain(response.status);
  expect(await response.json()).toHaveProperty('error');
});

test('a token too long for a key is no token', async () => {
  expect((await rpc(`user:${LONG}:secret`, callMessage('listMcpShopInventory'))).status).toBe(401);
});
