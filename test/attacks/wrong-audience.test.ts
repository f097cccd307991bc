/**
 * Mallory runs another server that Ada signs in to, and brings the token she gets there to the shop; or she asks for a
 * token for the shop in another server's name. A token is good for the one resource it was issued for.
 */
import { expect, test } from 'vitest';
import { hiddenFields, linkOf } from '../../src/dev/browser.ts';
import { LOCAL_API_KEY, LOCAL_CLIENT_ID } from '../../src/dev/authkit-store.ts';
import { authorizePath, callMessage, redeem, registeredClient, rpc, send } from '../support/http.ts';
import { deputyOf, person } from '../support/people.ts';
import { ORIGIN, workerFetch } from '../support/worker.ts';
import { EVIL } from '../support/scene.ts';

test('a token for one origin is no good at another one of the same server', async () => {
  const { accessToken } = await deputyOf(person(), '2025-11-25');
  const call = (origin: string) =>
    workerFetch(`${origin}/mcp`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${accessToken}`, Accept: 'application/json, text/event-stream' },
      body: JSON.stringify(callMessage('listMcpShopInventory')),
    });
  expect((await call('http://127.0.0.1:8787')).status).toBe(401);
  expect((await call(ORIGIN)).status).not.toBe(401);
});

test("AuthKit's own token, which other apps of the human hold too, is no token here", async () => {
  const ada = person();
  const form = { ...hiddenFields(await ada.browser.open('/login')), email: ada.email, code_challenge: '' };
  const { code_challenge: _, ...body } = form;
  const sent = await send('/user_management/authorize', { method: 'POST', body: new URLSearchParams(body) });
  const code = new URL(sent.headers.get('Location') ?? '').searchParams.get('code');
  const answer = await send('/user_management/authenticate', {
    method: 'POST',
    body: JSON.stringify({
      grant_type: 'authorization_code',
      client_id: LOCAL_CLIENT_ID,
      client_secret: LOCAL_API_KEY,
      code,
    }),
  });
  const { access_token: token } = await answer.json<{ access_token: string }>();
  expect(token).toMatch(/^eyJ/);
  expect((await rpc(token, callMessage('listMcpShopInventory'))).status).toBe(401);
});

test('a client cannot ask for, or redeem, a token for a foreign resource', async () => {
  const clientId = await registeredClient();
  const page = await person().browser.open(authorizePath(clientId, { resource: `${EVIL}/mcp` }));
  const link = linkOf(page, 'Go back to client.example');
  expect(link?.origin).toBe('https://client.example');
  expect(Object.fromEntries(link?.searchParams ?? [])).toMatchObject({
    error: 'invalid_target',
    state: 'client-state',
  });

  const code = (await person().answer(authorizePath(clientId))).get('code') ?? '';
  expect((await redeem(clientId, code, { resource: `${EVIL}/mcp` })).status).toBe(400);
});
