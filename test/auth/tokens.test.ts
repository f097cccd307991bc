/** Codes and tokens: single use, rotation, audience, revocation. */
import { afterEach, expect, test, vi } from 'vitest';
import { authorizePath, callMessage, redeem, registeredClient, rpc, send } from '../support/http.ts';
import { person } from '../support/people.ts';
import { ORIGIN } from '../support/worker.ts';

afterEach(() => {
  vi.useRealTimers();
});

type Tokens = { access_token: string; refresh_token: string };

async function signedInClient() {
  const clientId = await registeredClient();
  const code = (await person().answer(authorizePath(clientId))).get('code') ?? '';
  const tokens = await (await redeem(clientId, code)).json<Tokens>();
  return { clientId, code, tokens };
}

function refresh(clientId: string, refreshToken: string): Promise<Response> {
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: clientId, refresh_token: refreshToken });
  return send('/token', { method: 'POST', body });
}

async function works({ access_token: token }: Tokens): Promise<boolean> {
  return (await rpc(token, callMessage('listMcpShopInventory'))).status === 200;
}

test('a code cannot be redeemed twice: the same request again is told to wait, and any other is denied', async () => {
  const { clientId, code } = await signedInClient();
  const doubled = await redeem(clientId, code);
  expect([doubled.status, doubled.headers.get('Retry-After')]).toEqual([503, '2']);
  const again = await redeem(clientId, code, { resource: `${ORIGIN}/mcp` });
  expect(again.status).toBe(400);
  expect(await again.json()).toMatchObject({ error: 'invalid_grant' });
});

test.each([
  ['another verifier', { code_verifier: 'x'.repeat(43) }],
  ['no verifier', { code_verifier: undefined }],
  ['another redirect URI', { redirect_uri: 'https://evil.example/' }],
  ['another resource', { resource: 'https://evil.example/mcp' }],
])('a code cannot be redeemed with %s', async (_, changes) => {
  const clientId = await registeredClient();
  const code = (await person().answer(authorizePath(clientId))).get('code') ?? '';
  expect((await redeem(clientId, code, changes)).status).toBe(400);
});

test('a code cannot be redeemed by another client', async () => {
  const clientId = await registeredClient();
  const code = (await person().answer(authorizePath(clientId))).get('code') ?? '';
  const response = await redeem(await registeredClient(), code);
  expect(response.status).toBeGreaterThanOrEqual(400);
});

test('a refresh keeps the scopes, rotates, and tolerates one lost answer', async () => {
  const { clientId, tokens } = await signedInClient();
  const response = await refresh(clientId, tokens.refresh_token);
  const next = await response.json<Tokens>();
  expect(next).toMatchObject({ scope: 'shop:browse shop:buy orders:read profile:read', expires_in: 86_400 });
  expect(next.refresh_token).not.toBe(tokens.refresh_token);
  expect(await works(next)).toBe(true);

  const retried = await (await refresh(clientId, tokens.refresh_token)).json<Tokens>();
  expect(await works(retried)).toBe(true);
  expect((await refresh(clientId, retried.refresh_token)).status).toBe(200);
  expect((await refresh(clientId, tokens.refresh_token)).status).toBe(400);
});

test('two refreshes at once leave both clients working', async () => {
  const { clientId, tokens } = await signedInClient();
  const answers = await Promise.all([refresh(clientId, tokens.refresh_token), refresh(clientId, tokens.refresh_token)]);
  for (const answer of answers) expect(await works(await answer.json<Tokens>())).toBe(true);
});

test('a grant ends with its mandate, however often it is refreshed', async () => {
  const { clientId, tokens } = await signedInClient();
  const day = 24 * 60 * 60 * 1000;
  const start = Date.now();
  let { refresh_token: token } = tokens;
  for (const days of [3, 6]) {
    vi.useFakeTimers({ toFake: ['Date'], now: start + days * day });
    const answer = await refresh(clientId, token);
    expect(answer.status).toBe(200);
    token = (await answer.json<Tokens>()).refresh_token;
  }
  vi.useFakeTimers({ toFake: ['Date'], now: start + 7 * day + 1000 });
  const late = await refresh(clientId, token);
  expect(late.status).toBe(400);
  expect(await late.json()).toMatchObject({ error: 'invalid_grant' });
});

test('a revoked token is refused at the next call', async () => {
  const { clientId, tokens } = await signedInClient();
  const body = new URLSearchParams({ token: tokens.refresh_token, client_id: clientId });
  expect((await send('/token', { method: 'POST', body })).status).toBe(200);
  expect(await works(tokens)).toBe(false);
  expect((await refresh(clientId, tokens.refresh_token)).status).toBe(400);
});

test('a second client of the same human does not sign out the first', async () => {
  const human = person();
  const clientId = await registeredClient();
  const codes = [await human.answer(authorizePath(clientId)), await human.answer(authorizePath(clientId))];
  for (const answer of codes) {
    const tokens = await (await redeem(clientId, answer.get('code') ?? '')).json<Tokens>();
    expect(await works(tokens)).toBe(true);
  }
});
