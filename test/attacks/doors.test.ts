/** Doors into a user's object: an Agent has some of its own, and each must be shut. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test, vi } from 'vitest';
import { CALLER_HEADER, type Caller, encodeCaller, objectName } from '../../src/deputy.ts';
import { type Deputy, ERAS } from '../../src/dev/clients.ts';
import { callMessage, messageOf, rpc, send } from '../support/http.ts';
import { buy, deputyOf, person, PURCHASE } from '../support/shop.ts';

async function userIdOf(deputy: Deputy): Promise<string> {
  return (await buy(deputy)).userId;
}

function callerFor(userId: string): Caller {
  return {
    userId,
    email: 'mallory@example.com',
    name: 'Mallory',
    permissions: ['shop:admin'],
    deputyId: 'dep_forged',
    clientId: 'forged',
    scopes: ['shop:browse', 'shop:buy', 'orders:read'],
    resource: 'http://localhost:8787/mcp',
  };
}

test.each(['/mcp/', '/mcp/sub/McpShopServer/other', '/mcp/message', '/mcp/../mcp/x'])(
  'POST %s is nothing, with or without a token',
  async (path) => {
    const { accessToken } = await deputyOf(person(), '2025-11-25');
    const body = JSON.stringify(callMessage('buyMcpShopItem', PURCHASE));
    for (const headers of [{}, { Authorization: `Bearer ${accessToken}` }]) {
      const response = await send(path, {
        method: 'POST',
        body,
        headers: { 'Content-Type': 'application/json', ...headers },
      });
      expect(response.status).toBe(404);
      await response.body?.cancel();
    }
  },
);

test.each(['GET', 'POST'])(
  'a %s upgrade to a WebSocket with the headers of the agent bridge runs nothing',
  async (method) => {
    const deputy = await deputyOf(person(), '2025-11-25');
    const payload = btoa(JSON.stringify(callMessage('buyMcpShopItem', PURCHASE)));
    const response = await send('/mcp', {
      method,
      ...(method === 'POST' && { body: JSON.stringify(callMessage('buyMcpShopItem', PURCHASE)) }),
      headers: {
        Authorization: `Bearer ${deputy.accessToken}`,
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        Upgrade: 'websocket',
        Connection: 'Upgrade',
        'cf-mcp-method': 'POST',
        'cf-mcp-message': payload,
      },
    });
    expect(response.webSocket).toBeNull();
    expect(response.status).toBe(405);
    await response.body?.cancel();
    expect((await deputy.call('listMcpShopOrders')).data['orders']).toEqual([]);
  },
);

test('the object itself takes no sockets, and a socket changes and runs nothing', async () => {
  const deputy = await deputyOf(person(), '2025-11-25');
  const object = env.MCP_OBJECT.getByName(objectName(await userIdOf(deputy)));
  const payload = btoa(JSON.stringify(callMessage('buyMcpShopItem', PURCHASE)));
  const { webSocket } = await object.fetch('https://mcp-shop.internal/mcp', {
    headers: { Upgrade: 'websocket', 'cf-mcp-method': 'POST', 'cf-mcp-message': payload, [CALLER_HEADER]: 'x' },
  });
  const logged: string[] = [];
  for (const level of ['log', 'warn', 'error'] as const) {
    vi.spyOn(console, level).mockImplementation((...args) => void logged.push(args.map(String).join(' ')));
  }
  const received: unknown[] = [];
  const closed = new Promise<number>((resolve) => {
    webSocket?.addEventListener('message', ({ data }) => received.push(data));
    webSocket?.addEventListener('close', ({ code }) => resolve(code));
  });
  webSocket?.accept();
  webSocket?.send(JSON.stringify({ type: 'cf_agent_state', state: { stolen: true } }));
  webSocket?.send(JSON.stringify({ type: 'rpc', id: '1', method: 'appoint', args: [{}] }));
  webSocket?.send(JSON.stringify(callMessage('buyMcpShopItem', PURCHASE)));
  expect(await closed).toBe(1008);
  vi.restoreAllMocks();
  expect(received).toEqual([]);
  expect(logged).toEqual([]);
  await runInDurableObject(object, (instance) => expect(instance.state).toBeUndefined());
  expect((await deputy.call('listMcpShopOrders')).data['orders']).toHaveLength(1);
});

test('a caller header of a client is ignored: the token alone says who calls', async () => {
  const ada = await deputyOf(person(), '2025-11-25');
  const victim = await userIdOf(await deputyOf(person(), '2025-11-25'));
  for (const name of [CALLER_HEADER, CALLER_HEADER.toUpperCase(), `mcp-${CALLER_HEADER}`]) {
    const response = await rpc(ada.accessToken, callMessage('buyMcpShopItem', PURCHASE), {
      [name]: encodeCaller(callerFor(victim)),
    });
    const { result } = await messageOf(response);
    expect(result?.['structuredContent']).toMatchObject({ order: { userId: await userIdOf(ada) } });
  }
});

test('an object refuses a caller who is not its own user, and a caller it cannot read', async () => {
  const userId = await userIdOf(await deputyOf(person(), '2025-11-25'));
  const object = env.MCP_OBJECT.getByName(objectName(userId));
  for (const header of [undefined, '', 'garbage', btoa('{}'), encodeCaller(callerFor('user_other'))]) {
    const response = await object.fetch('https://mcp-shop.internal/mcp', {
      method: 'POST',
      body: JSON.stringify(callMessage('listMcpShopOrders')),
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        ...(header !== undefined && { [CALLER_HEADER]: header }),
      },
    });
    expect(response.status).toBe(403);
    await response.body?.cancel();
  }
});

test('a session id, made up or of somebody else, is ignored: the token says who calls', async () => {
  const ada = await deputyOf(person(), '2025-11-25');
  const bob = await deputyOf(person(), '2025-11-25');
  const [adaId, bobId] = [await userIdOf(ada), await userIdOf(bob)];
  for (const session of ['stale', objectName(bobId), bobId, env.MCP_OBJECT.idFromName(objectName(bobId)).toString()]) {
    const response = await rpc(ada.accessToken, callMessage('buyMcpShopItem', PURCHASE), { 'Mcp-Session-Id': session });
    expect(response.status).toBe(200);
    expect(response.headers.get('Mcp-Session-Id')).toBeNull();
    expect((await messageOf(response)).result?.['structuredContent']).toMatchObject({ order: { userId: adaId } });
  }
  expect((await bob.call('listMcpShopOrders')).data['orders']).toHaveLength(1);
});

test.each(ERAS)('names beyond Latin-1 reach the object of a %s client unharmed', async (era) => {
  const deputy = await deputyOf(person(), era, 'Łódź 👋');
  expect((await deputy.call('listMcpShopInventory')).isError).toBe(false);
});
