/** What an operator can switch, what a call costs, and what happens when parts fail. */
import { abortAllDurableObjects, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import { objectName, propsSchema } from '../../src/deputy.ts';
import { ERAS } from '../../src/dev/clients.ts';
import { mcpEndpoint } from '../../src/mcp/endpoint.ts';
import { callMessage, rpc } from '../support/http.ts';
import { deputyOf, person } from '../support/people.ts';
import { buy, PURCHASE } from '../support/shop.ts';

afterEach(() => vi.restoreAllMocks());

/** Counts KV operations and requests to objects while `work` runs. */
async function counted(work: () => Promise<unknown>) {
  const spies = [
    ...(['get', 'put', 'list', 'delete'] as const).map((name) => vi.spyOn(env.OAUTH_KV, name)),
    ...(['get', 'put', 'list', 'delete'] as const).map((name) => vi.spyOn(env.ORDERS, name)),
  ];
  let requests = 0;
  vi.spyOn(env.FRESH_KEYS, 'getByName').mockImplementation(() => {
    throw new Error('a known deputy asks nobody about its token but KV');
  });
  const getByName = env.MCP_OBJECT.getByName.bind(env.MCP_OBJECT);
  vi.spyOn(env.MCP_OBJECT, 'getByName').mockImplementation(
    (name) =>
      new Proxy(getByName(name), {
        get(stub, property) {
          requests += 1;
          const method: unknown = Reflect.get(stub, property);
          return typeof method === 'function' ? method.bind(stub) : method;
        },
      }),
  );
  await work();
  const kv = spies.flatMap((spy) => spy.mock.calls.map(([key]) => `${spy.getMockName()} ${String(key).split(':')[0]}`));
  vi.restoreAllMocks();
  return { kv, requests };
}

test.each(ERAS)('a call of a %s client is one object request, and one KV read for its token', async (era) => {
  const deputy = await deputyOf(person(), era);
  await deputy.listTools();
  await deputy.call('buyMcpShopItem', PURCHASE);
  expect(await counted(() => deputy.call('listMcpShopInventory'))).toEqual({ kv: ['get token'], requests: 1 });
  expect(await counted(() => deputy.call('listMcpShopOrders'))).toEqual({ kv: ['get token'], requests: 1 });
  expect(await counted(() => deputy.call('buyMcpShopItem', PURCHASE))).toEqual({
    kv: ['get token', 'put order'],
    requests: 1,
  });
});

test('when the object cannot be reached the answer is 503, never a yes', async () => {
  const { accessToken } = await deputyOf(person(), '2025-11-25');
  vi.spyOn(console, 'error').mockImplementation(() => {});
  vi.spyOn(env.MCP_OBJECT, 'getByName').mockReturnValue({
    fetch: () => Promise.reject(new Error('the object is gone')),
  } as never);
  const response = await rpc(accessToken, callMessage('buyMcpShopItem', PURCHASE));
  expect(response.status).toBe(503);
  expect(response.headers.get('Retry-After')).toBe('5');
});

test('what breaks inside the object is 503, and nothing of it reaches the client', async () => {
  const { accessToken } = await deputyOf(person(), '2025-11-25');
  vi.spyOn(console, 'error').mockImplementation(() => {});
  vi.spyOn(env.MCP_OBJECT, 'getByName').mockReturnValue({
    fetch: async () => new Response('Error: secret\n    at src/house.ts:1:1', { status: 500 }),
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

test('an event stream that breaks off is a 503, not half an answer', async () => {
  const { accessToken } = await deputyOf(person(), '2025-11-25');
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const half = new ReadableStream({ pull: (controller) => controller.error(new Error('the object is gone')) });
  const headers = { 'Content-Type': 'text/event-stream' };
  vi.spyOn(env.MCP_OBJECT, 'getByName').mockReturnValue({
    fetch: async () => new Response(half, { headers }),
  } as never);
  const response = await rpc(accessToken, callMessage('buyMcpShopItem', PURCHASE));
  expect(response.status).toBe(503);
  expect(await response.text()).toContain('Look at listMcpShopOrders before you repeat it.');
});

test('the object gets a request of its own: the content headers, those of MCP, and who calls', async () => {
  const { accessToken } = await deputyOf(person(), '2025-11-25');
  const fetch = vi.fn(async (_url: string, _init: { headers: Headers }) => new Response('{}'));
  vi.spyOn(env.MCP_OBJECT, 'getByName').mockReturnValue({ fetch } as never);
  await rpc(accessToken, callMessage('listMcpShopInventory'), {
    Cookie: 'session=1',
    Origin: 'http://localhost:6274',
    'X-Partykit-Room': 'other',
    'cf-mcp-method': 'POST',
    'Mcp-Session-Id': 'stale',
  });
  const [url, { headers }] = fetch.mock.calls[0] ?? ['', { headers: new Headers() }];
  expect(url).toBe('https://mcp-shop.internal/mcp');
  expect([...headers.keys()].toSorted()).toEqual([
    'accept',
    'content-type',
    'mcp-protocol-version',
    'mcp-session-id',
    'x-mcp-shop-caller',
  ]);
});

test('a token whose owner is not the user it carries is refused', async () => {
  const props = { userId: 'user_1', email: '', name: '', permissions: [], deputyId: 'dep_1' };
  const auth = { token: 't', audience: 'http://localhost:8787/mcp', scope: [], userId: 'user_2', clientId: 'c' };
  const request = new Request('http://localhost:8787/mcp', { method: 'POST', body: '{}' });
  const response = await mcpEndpoint('listMcpShopOrders').fetch(request, env, { props, auth } as never);
  expect(response.status).toBe(401);
});

test('a token whose content is of another age asks for a new sign-in', async () => {
  const { accessToken } = await deputyOf(person(), '2025-11-25');
  vi.spyOn(propsSchema, 'safeParse').mockReturnValue({ success: false } as never);
  const response = await rpc(accessToken, callMessage('listMcpShopInventory'));
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
  ]);
  await expect(deputy.call('setDemoMode', { mode: 'normal' })).rejects.toThrow('not found');
  expect((await deputy.call('buyMcpShopItem', PURCHASE)).isError).toBe(false);
});
