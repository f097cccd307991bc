/** What a client sees of the tools, in both protocol eras. */
import { expect, test } from 'vitest';
import { ERAS } from '../../src/dev/clients.ts';
import { rpc } from '../support/http.ts';
import { deputyOf, person } from '../support/people.ts';
import { PURCHASE } from '../support/shop.ts';

const NAMES = [
  'listMcpShopInventory',
  'buyMcpShopItem',
  'listMcpShopOrders',
  'cancelMcpShopOrder',
  'getMyMandate',
  'getUserInfo',
  'getUserProfile',
  'setDemoMode',
  'clearDemoMode',
  'prettyPlease',
];

test.each(ERAS)('a %s client lists the ten tools, each with everything a model needs', async (era) => {
  const deputy = await deputyOf(person(), era);
  const tools = await deputy.listTools();
  expect(tools.map(({ name }) => name)).toEqual(NAMES);
  for (const tool of tools) {
    expect(tool.title, tool.name).toBeTruthy();
    expect(tool.description, tool.name).toMatch(/ Call it .* Next: /s);
    expect(tool.annotations, tool.name).toEqual({
      readOnlyHint: expect.any(Boolean),
      destructiveHint: expect.any(Boolean),
      idempotentHint: expect.any(Boolean),
      openWorldHint: expect.any(Boolean),
    });
    expect(tool.inputSchema, tool.name).toMatchObject({ type: 'object', additionalProperties: false });
    for (const [field, schema] of Object.entries(tool.inputSchema['properties'] ?? {})) {
      expect(schema, `${tool.name}.${field}`).toHaveProperty('description');
    }
    expect(tool.outputSchema, tool.name).toMatchObject({
      type: 'object',
      properties: { error: { properties: { code: {}, rule: {}, whoCanLift: {}, url: {} } } },
    });
  }
  expect(new Set(tools.map(({ title }) => title)).size).toBe(NAMES.length);
});

test.each(ERAS)('a %s client that knows the output schemas accepts answers and refusals', async (era) => {
  const deputy = await deputyOf(person(), era);
  await deputy.listTools();
  expect((await deputy.call('buyMcpShopItem', PURCHASE)).isError).toBe(false);
  for (const refused of [await deputy.call('buyMcpShopItem', {}), await deputy.call('getUserInfo')]) {
    expect(refused).toMatchObject({ isError: true, data: { error: { code: expect.any(String) } } });
  }
});

test('both eras publish the same tools', async () => {
  const [legacy, modern] = await Promise.all(ERAS.map(async (era) => (await deputyOf(person(), era)).listTools()));
  expect(modern).toEqual(legacy);
});

test.each(ERAS)('a %s client is told who serves it', async (era) => {
  const deputy = await deputyOf(person(), era);
  expect(deputy.serverVersion).toMatchObject({ name: 'MCP Shop on Cloudflare' });
});

test('a client that listens for changes is told that there will be none, and its stream ends at once', async () => {
  const { accessToken } = await deputyOf(person(), '2026-07-28');
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const notifications = { toolsListChanged: true, resourceSubscriptions: ['shop://orders'] };
  const answer = await rpc(
    accessToken,
    { jsonrpc: '2.0', id: 'stream', method: 'subscriptions/listen', params: { notifications, _meta: meta } },
    { 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'subscriptions/listen' },
  );
  expect(answer.status).toBe(200);
  const messages = [...(await answer.text()).matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data));
  expect(messages).toMatchObject([
    { method: 'notifications/subscriptions/acknowledged', params: { notifications: {} } },
    { id: 'stream', result: { resultType: 'complete' } },
  ]);
});
