/**
 * An `Agent` has doors of its own into a human's object: sockets, state messages, sub-agents, a bridge of cf-mcp headers.
 * Mallory tries each, with and without a token. The Worker takes one path and one method, and the object closes a socket that the Worker did not open.
 */
import { runInDurableObject } from 'cloudflare:test';
import { expect, test, vi } from 'vitest';
import { callMessage, send } from '../support/http.ts';
import { deputyOf, objectOf, person } from '../support/people.ts';
import { PURCHASE } from '../support/shop.ts';
import { recordOf } from '../support/scene.ts';

const PURCHASE_MESSAGE = JSON.stringify(callMessage('buyMcpShopItem', PURCHASE));

test.each(['/mcp/', '/mcp/sub/McpShopServer/other', '/mcp/message', '/mcp/../mcp/x'])(
  'POST %s is nothing, with or without a token',
  async (path) => {
    const { accessToken } = await deputyOf(person(), '2025-11-25');
    for (const headers of [{}, { Authorization: `Bearer ${accessToken}` }]) {
      const response = await send(path, {
        method: 'POST',
        body: PURCHASE_MESSAGE,
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
    const ada = person();
    const deputy = await deputyOf(ada, '2025-11-25');
    const response = await send('/mcp', {
      method,
      ...(method === 'POST' && { body: PURCHASE_MESSAGE }),
      headers: {
        Authorization: `Bearer ${deputy.accessToken}`,
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        Upgrade: 'websocket',
        Connection: 'Upgrade',
        'cf-mcp-method': 'POST',
        'cf-mcp-message': btoa(PURCHASE_MESSAGE),
      },
    });
    expect(response.webSocket).toBeNull();
    expect(response.status).toBe(405);
    await response.body?.cancel();
    expect((await recordOf(ada)).effects).toEqual([]);
  },
);

test('the object itself closes a socket, which changes, runs and learns nothing', async () => {
  const ada = person();
  await deputyOf(ada, '2025-11-25');
  const before = await recordOf(ada);
  const { webSocket } = await objectOf(ada).fetch('https://mcp-shop.internal/mcp', {
    headers: {
      Upgrade: 'websocket',
      'cf-mcp-method': 'POST',
      'cf-mcp-message': btoa(PURCHASE_MESSAGE),
      'x-mcp-shop-watcher': 'x',
    },
  });
  const received: unknown[] = [];
  let closedWith: number | undefined;
  webSocket?.addEventListener('message', ({ data }) => void received.push(data));
  webSocket?.addEventListener('close', ({ code }) => void (closedWith = code));
  webSocket?.accept();
  // Sent before the socket is closed, so the agent reads them: it shares no state, and none of its methods can be called.
  webSocket?.send(JSON.stringify({ type: 'cf_agent_state', state: { stolen: true } }));
  webSocket?.send(JSON.stringify({ type: 'rpc', id: '1', method: 'act', args: [{ do: 'pause' }] }));
  webSocket?.send(PURCHASE_MESSAGE);
  await vi.waitFor(() => expect(closedWith).toBe(1008));
  const { account, deputies, effects, head } = await recordOf(ada);
  expect({ account, deputies, effects, head }).toEqual({
    account: before.account,
    deputies: before.deputies,
    effects: [],
    head: before.head,
  });
  await runInDurableObject(objectOf(ada), (instance) => expect(instance.state).toBeUndefined());
  expect(received).toEqual([]);
});
