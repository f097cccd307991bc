/** What an operator can switch, what a call costs, and what happens when parts fail. */
import { abortAllDurableObjects, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import { type Caller, objectName, propsSchema } from '../../src/deputy.ts';
import { ERAS } from '../../src/dev/clients.ts';
import { mcpEndpoint } from '../../src/mcp/endpoint.ts';
import { addPasskey, questionPath, send, yesTo } from '../support/answering.ts';
import { callMessage, rpc } from '../support/http.ts';
import { later } from '../support/outages.ts';
import { deputyOf, person } from '../support/people.ts';
import { plainClient } from '../support/scene.ts';
import { buy, PURCHASE } from '../support/shop.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** KV operations, and requests to objects by their method, while `work` runs. */
async function counted(work: () => Promise<unknown>) {
  const spies = [
    ...(['get', 'put', 'list', 'delete'] as const).map((name) => vi.spyOn(env.OAUTH_KV, name)),
    ...(['get', 'put', 'list', 'delete'] as const).map((name) => vi.spyOn(env.ORDERS, name)),
  ];
  const requests: string[] = [];
  vi.spyOn(env.FRESH_KEYS, 'getByName').mockImplementation(() => {
    throw new Error('a known deputy asks nobody about its token but KV');
  });
  const getByName = env.MCP_OBJECT.getByName.bind(env.MCP_OBJECT);
  vi.spyOn(env.MCP_OBJECT, 'getByName').mockImplementation(
    (name) =>
      new Proxy(getByName(name), {
        get(stub, property) {
          requests.push(String(property));
          return (...args: unknown[]): unknown => Reflect.apply(Reflect.get(stub, property), stub, args);
        },
      }),
  );
  await work();
  const kv = spies.flatMap((spy) => spy.mock.calls.map(([key]) => `${spy.getMockName()} ${String(key).split(':')[0]}`));
  vi.restoreAllMocks();
  return { kv, requests };
}

test.each(ERAS)('a call of a %s client is one object request, and its token is read in KV once', async (era) => {
  const deputy = await deputyOf(person(), era);
  await deputy.listTools();
  await deputy.call('buyMcpShopItem', PURCHASE);
  expect(await counted(() => deputy.call('listMcpShopOrders'))).toEqual({ kv: [], requests: ['serve'] });
  expect(await counted(() => deputy.call('buyMcpShopItem', PURCHASE))).toEqual({
    kv: ['put order'],
    requests: ['serve'],
  });
  later(31_000);
  expect(await counted(() => deputy.call('listMcpShopInventory'))).toEqual({ kv: ['get token'], requests: ['serve'] });
});

test('an approval is one object request for the page and one for the answer', async () => {
  const human = person();
  human.blanks = { shirtsPerDay: '20', spendPerDay: '500' };
  const device = await addPasskey(human);
  const deputy = await deputyOf(human, '2026-07-28');
  const ask = async (company: string) => {
    const { data } = await deputy.call('buyMcpShopItem', { ...PURCHASE, company, quantity: 4 });
    return (data['error'] as { waiting: { id: string } }).waiting.id;
  };
  const id = await ask('One');
  // The page, which holds what the device signs, and the page that says what came of it.
  const page = 'lookAtApproval';
  expect(await counted(() => human.browser.open(questionPath(id)))).toEqual({ kv: [], requests: [page] });
  const yes = await yesTo(human, id, { device });
  expect(await counted(() => send(human, id, yes))).toEqual({ kv: ['put order'], requests: ['act', page] });

  const next = await ask('Two');
  const no = { ...(await yesTo(human, next)), decision: 'deny' };
  expect(await counted(() => send(human, next, no))).toEqual({ kv: [], requests: ['act', 'look'] });
});

test('a yes that WorkOS confirms has WorkOS asked through the object, and is one request more', async () => {
  const human = person();
  human.blanks = { approval: 'confirmed' };
  const deputy = await deputyOf(human, '2026-07-28');
  const { data } = await deputy.call('buyMcpShopItem', { ...PURCHASE, quantity: 4 });
  const { id } = (data['error'] as { waiting: { id: string } }).waiting;
  const yes = await yesTo(human, id);
  const { requests } = await counted(() => send(human, id, yes));
  expect(requests).toEqual(['refreshOnce', 'act', 'lookAtApproval']);
});

test('when the object cannot be reached the answer is 503, never a yes', async () => {
  const { accessToken } = await deputyOf(person(), '2025-11-25');
  vi.spyOn(console, 'error').mockImplementation(() => {});
  vi.spyOn(env.MCP_OBJECT, 'getByName').mockReturnValue({
    serve: () => Promise.reject(new Error('the object is gone')),
  } as never);
  const response = await rpc(accessToken, callMessage('buyMcpShopItem', PURCHASE));
  expect(response.status).toBe(503);
  expect(response.headers.get('Retry-After')).toBe('5');
});

test('what breaks inside the object is 503, and nothing of it reaches the client', async () => {
  const { accessToken } = await deputyOf(person(), '2025-11-25');
  vi.spyOn(console, 'error').mockImplementation(() => {});
  vi.spyOn(env.MCP_OBJECT, 'getByName').mockReturnValue({
    serve: async () => ({ status: 500, headers: {}, body: 'Error: secret\n    at src/house.ts:1:1' }),
  } as never);
  const response = await rpc(accessToken, callMessage('listMcpShopInventory'));
  expect(response.status).toBe(503);
  expect(await response.text()).not.toContain('secret');
});

test('a purchase that breaks off after its commit is not called undone', async () => {
  const deputy = await deputyOf(person(), '2026-07-28');
  await buy(deputy);
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const put = vi.spyOn(env.ORDERS, 'put').mockReturnValueOnce(new Promise(() => {}));
  const broken = expect(deputy.call('buyMcpShopItem', PURCHASE)).rejects.toThrow(
    /may or may not have been carried out/,
  );
  await vi.waitUntil(() => put.mock.calls.length > 0);
  await abortAllDurableObjects();
  await broken;
  expect((await deputy.call('listMcpShopOrders')).data['orders']).toHaveLength(2);
});

test('the object gets the content headers, those of MCP, the body, and who calls', async () => {
  const { accessToken } = await deputyOf(person(), '2025-11-25');
  const serve = vi.fn<(caller: Caller, headers: Record<string, string>, body: string) => Promise<object>>(async () => ({
    status: 200,
    headers: {},
    body: '{}',
  }));
  vi.spyOn(env.MCP_OBJECT, 'getByName').mockReturnValue({ serve } as never);
  await rpc(accessToken, callMessage('listMcpShopInventory'), {
    Cookie: 'session=1',
    Origin: 'http://localhost:6274',
    'X-Partykit-Room': 'other',
    'cf-mcp-method': 'POST',
    'Mcp-Session-Id': 'stale',
  });
  const [caller, headers, body] = serve.mock.calls[0] ?? [];
  expect(Object.keys(headers ?? {}).toSorted()).toEqual([
    'accept',
    'content-type',
    'mcp-protocol-version',
    'mcp-session-id',
  ]);
  expect(body).toBe(JSON.stringify(callMessage('listMcpShopInventory')));
  expect(JSON.stringify(caller)).not.toContain(accessToken);
});

test('a token whose owner is not the user it carries is refused', async () => {
  const props = { userId: 'user_1', email: '', name: '', permissions: [], deputyId: 'dep_1' };
  const auth = { token: 't', audience: 'http://localhost:8787/mcp', scope: [], userId: 'user_2', clientId: 'c' };
  const request = new Request('http://localhost:8787/mcp', { method: 'POST', body: '{}' });
  const response = await mcpEndpoint('listMcpShopOrders').fetch(request, env, { props, auth } as never);
  expect(response.status).toBe(401);
});

test('a token whose content is of another age asks for a new sign-in', async () => {
  const { tokens } = await plainClient(person());
  vi.spyOn(propsSchema, 'safeParse').mockReturnValue({ success: false } as never);
  const response = await rpc(tokens.access_token, callMessage('listMcpShopInventory'));
  expect(response.status).toBe(401);
  expect(response.headers.get('WWW-Authenticate')).toContain('invalid_token');
  expect(response.headers.get('WWW-Authenticate')).toContain('/.well-known/oauth-protected-resource/mcp');
});

test('DEMO_TOOLS=off removes the demo tools and ignores a demo ban', async () => {
  const deputy = await deputyOf(person(), '2025-11-25');
  const { userId } = await buy(deputy);
  await deputy.call('setDemoMode', { mode: 'banned' });
  const object = env.MCP_OBJECT.getByName(objectName(userId));
  await runInDurableObject(object, (instance) => {
    Object.assign(instance, { env: { ...env, DEMO_TOOLS: 'off' } });
  });
  expect((await deputy.listTools()).map(({ name }) => name)).toEqual([
    'listMcpShopInventory',
    'buyMcpShopItem',
    'listMcpShopOrders',
    'cancelMcpShopOrder',
    'getMyMandate',
    'getUserInfo',
    'getUserProfile',
  ]);
  await expect(deputy.call('setDemoMode', { mode: 'normal' })).rejects.toThrow('not found');
  expect((await deputy.call('buyMcpShopItem', PURCHASE)).isError).toBe(false);
});
