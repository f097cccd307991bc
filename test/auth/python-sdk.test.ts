/** The official Python SDK signs in, lists the tools, buys, and goes on with a refreshed token. */
import { expect, test } from 'vitest';
import { person } from '../support/people.ts';
import { PythonClient } from '../support/python-client.ts';
import { PURCHASE } from '../support/shop.ts';
import { ORIGIN, workerFetch } from '../support/worker.ts';

test.each([
  [undefined, 'client_secret_basic'],
  ['client_secret_post', 'client_secret_post'],
  ['none', 'none'],
] as const)('the Python SDK that registers with %s buys as %s', async (method, registered) => {
  const client = new PythonClient(person(), ORIGIN, workerFetch, method);
  await client.initialize();
  expect(client.client).toMatchObject({ token_endpoint_auth_method: registered });
  expect('client_secret' in (client.client ?? {})).toBe(registered !== 'none');
  expect(client.asked).toEqual([
    'POST /mcp',
    'GET /.well-known/oauth-protected-resource/mcp',
    'GET /.well-known/oauth-authorization-server',
    'POST /register',
    'POST /token',
    'POST /mcp',
    'POST /mcp',
  ]);

  const { tools } = await client.request('tools/list');
  expect(tools).toContainEqual(expect.objectContaining({ name: 'buyMcpShopItem' }));
  const buy = () => client.request('tools/call', { name: 'buyMcpShopItem', arguments: PURCHASE });
  expect(await buy()).toMatchObject({ structuredContent: { order: { number: 1 } } });
  const before = client.tokens?.access_token;
  await client.refresh();
  expect(client.tokens?.access_token).not.toBe(before);
  expect(await buy()).toMatchObject({ structuredContent: { order: { number: 2 } } });
});
