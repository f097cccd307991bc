/**
 * The Worker remembers for half a minute whose token it has just verified. Mallory wants that memory to know a token that is no
 * good any more, or to know it elsewhere: given back, ended, blocked, of another address. What a token may do is never kept.
 */
import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import { textOf } from '../../src/dev/browser.ts';
import worker from '../../src/dev/index.ts';
import { ERAS } from '../../src/dev/clients.ts';
import { ACCESS_TOKEN_SECONDS } from '../../src/lifetimes.ts';
import { authorizePath, callMessage, register, rpc, rpcIn, send } from '../support/http.ts';
import { actsOf, connected, expectSound, later, quiet, refresh, theDeputy } from '../support/outages.ts';
import { objectOf } from '../support/people.ts';
import { ORIGIN } from '../support/worker.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const LOOK = callMessage('listMcpShopInventory');

async function look(token: string, headers: Record<string, string> = {}): Promise<number> {
  const response = await rpc(token, LOOK, headers);
  await response.body?.cancel();
  return response.status;
}

function giveBack(clientId: string, token: string): Promise<Response> {
  return send('/token', { method: 'POST', body: new URLSearchParams({ client_id: clientId, token }) });
}

/** How often KV is asked for a token while `work` runs. */
async function lookUps(work: () => Promise<unknown>): Promise<number> {
  const get = vi.spyOn(env.OAUTH_KV, 'get');
  await work();
  const keys = get.mock.calls.map(([key]) => String(key));
  get.mockRestore();
  return keys.filter((key) => key.startsWith('token:')).length;
}

test.each(ERAS)('a %s call with a token that was just verified asks KV for nothing, for half a minute', async (era) => {
  const { tokens } = await connected();
  const call = () => rpcIn(era, tokens.access_token, LOOK);
  expect(await lookUps(call)).toBe(1);
  expect(await lookUps(call)).toBe(0);
  later(29_000);
  expect(await lookUps(call)).toBe(0);
  later(2000);
  expect(await lookUps(call)).toBe(1);
  // A clock that was ahead does not make it last longer.
  vi.useRealTimers();
  expect(await lookUps(call)).toBe(1);
});

test.each(['access_token', 'refresh_token'] as const)(
  'a deputy whose client gave its %s back has ended, in memory too',
  async (which) => {
    const { human, clientId, tokens } = await connected();
    expect(await look(tokens.access_token)).toBe(200);
    expect((await giveBack(clientId, tokens[which])).status).toBe(200);
    const response = await rpc(tokens.access_token, LOOK);
    expect([response.status, response.headers.get('WWW-Authenticate')]).toEqual([
      401,
      expect.stringContaining('invalid_token'),
    ]);
    expect((await refresh(clientId, tokens)).status).toBe(400);
    expect(await theDeputy(human)).toMatchObject({ status: 'resigned' });
    expect((await actsOf(human)).filter((act) => act === 'resigned')).toHaveLength(1);
    expect((await human.browser.open('/deputies')).html).toContain('gave its authority back');
    await expectSound(human);
    // Its human has dismissed nobody.
    const consent = await human.browser.open(authorizePath(clientId));
    expect(textOf(consent)).not.toContain('You dismissed');
  },
);

test('a deputy whose mandate ran out gives nothing back when its client asks for another token', async () => {
  const { human, clientId, tokens } = await connected();
  const { mandate } = await theDeputy(human);
  later(mandate.expiresAt - Date.now() + 1000);
  expect((await refresh(clientId, tokens)).status).toBe(400);
  await human.walk('/deputies');
  expect(await actsOf(human)).toEqual(['appointed', 'activated']);
  expect(textOf(await human.browser.open(authorizePath(clientId)))).not.toContain('You dismissed');
  await expectSound(human);
});

test('nobody else can give it back, and nothing ends while the ledger cannot be told', async () => {
  quiet();
  const { human, clientId, tokens } = await connected();
  const { client_id: other } = await (await register()).json<{ client_id: string }>();
  await giveBack(other, tokens.access_token);
  await giveBack(clientId, `${tokens.access_token}x`);
  expect(await look(tokens.access_token)).toBe(200);

  const real = env.MCP_OBJECT.getByName.bind(env.MCP_OBJECT);
  const gone = vi.spyOn(env.MCP_OBJECT, 'getByName').mockImplementation((name) => {
    const stub = real(name);
    const resign = async () => Promise.reject(new Error('the object is gone'));
    return new Proxy(stub, {
      get: (_, property): unknown => (property === 'resign' ? resign : Reflect.get(stub, property)),
    });
  });
  const response = await giveBack(clientId, tokens.access_token);
  expect([response.status, response.headers.get('Retry-After')]).toEqual([503, '5']);
  gone.mockRestore();
  expect(await theDeputy(human)).toMatchObject({ status: 'active' });
  expect(await look(tokens.access_token)).toBe(200);
  expect((await giveBack(clientId, tokens.access_token)).status).toBe(200);
  expect(await look(tokens.access_token)).toBe(401);
});

test('a known token is good for no other address, and a page of another origin is answered by the provider', async () => {
  const { tokens } = await connected();
  expect(await look(tokens.access_token)).toBe(200);
  const elsewhere = new Request('http://127.0.0.1:8787/mcp', {
    method: 'POST',
    body: JSON.stringify(LOOK),
    headers: { Authorization: `Bearer ${tokens.access_token}`, 'Content-Type': 'application/json' },
  });
  expect((await worker.fetch(elsewhere, env, createExecutionContext())).status).toBe(401);
  const asked = await rpc(tokens.access_token, LOOK, { Origin: 'http://localhost:6274' });
  expect(asked.headers.get('Access-Control-Allow-Origin')).not.toBeNull();
});

test('a known token ends when it ends', async () => {
  const { tokens } = await connected();
  later(ACCESS_TOKEN_SECONDS * 1000 - 5000);
  expect(await look(tokens.access_token)).toBe(200);
  later(4000);
  expect(await look(tokens.access_token)).toBe(200);
  later(6000);
  expect(await look(tokens.access_token)).toBe(401);
});

test('what the human and the operator say holds at the next call of a known token', async () => {
  const { human, clientId, tokens } = await connected();
  const call = async () => (await rpc(tokens.access_token, LOOK)).text();
  expect(await call()).not.toContain('"isError":true');
  await objectOf(human).act({ do: 'pause' });
  expect(await call()).toContain('"code":"paused"');

  const stopped = (variables: Partial<Env>) =>
    worker.fetch(
      new Request(new URL('/mcp', ORIGIN), {
        method: 'POST',
        body: JSON.stringify(LOOK),
        headers: { Authorization: `Bearer ${tokens.access_token}`, 'Content-Type': 'application/json' },
      }),
      { ...env, ...variables },
      createExecutionContext(),
    );
  expect((await stopped({ HALT: 'on' })).status).toBe(503);
  expect((await stopped({ BLOCKED_CLIENTS: clientId })).status).toBe(403);

  const { deputyId } = await theDeputy(human);
  await objectOf(human).act({ do: 'revoke', deputyId });
  expect(await look(tokens.access_token)).toBe(401);
});
