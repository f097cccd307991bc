/** What an operator can switch, what a call costs, and what happens when parts fail. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import { objectName, propsSchema } from '../../src/deputy.ts';
import { ERAS } from '../../src/dev/clients.ts';
import { callMessage, rpc } from '../support/http.ts';
import { buy, deputyOf, person, PURCHASE } from '../support/shop.ts';

afterEach(() => vi.restoreAllMocks());

/** Counts KV operations and requests to objects while `work` runs. */
async function counted(work: () => Promise<unknown>) {
  const spies = [
    ...(['get', 'put', 'list', 'delete'] as const).map((name) => vi.spyOn(env.OAUTH_KV, name)),
    ...(['get', 'put', 'list', 'delete'] as const).map((name) => vi.spyOn(env.ORDERS, name)),
  ];
  const objects = vi.spyOn(env.MCP_OBJECT, 'getByName');
  await work();
  const kv = spies.flatMap((spy) => spy.mock.calls.map(([key]) => `${spy.getMockName()} ${String(key).split(':')[0]}`));
  const requests = objects.mock.calls.length;
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
  expect(await response.text()).toContain('nothing was done');
});

test('a token whose content is of another age asks for a new sign-in', async () => {
  const { accessToken } = await deputyOf(person(), '2025-11-25');
  vi.spyOn(propsSchema, 'safeParse').mockReturnValue({ success: false } as never);
  const response = await rpc(accessToken, callMessage('listMcpShopInventory'));
  expect(response.status).toBe(401);
  expect(response.headers.get('WWW-Authenticate')).toContain('invalid_token');
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
    'getUserInfo',
  ]);
  await expect(deputy.call('setDemoMode', { mode: 'normal' })).rejects.toThrow('not found');
  expect((await deputy.call('buyMcpShopItem', PURCHASE)).isError).toBe(false);
});
