/**
 * Mallory sends her own token together with Ada's MCP session id, the way to act as Ada on servers that bind a session to
 * nobody. There are no sessions here: the token alone says who calls, and which object is asked.
 */
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { objectName } from '../../src/deputy.ts';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import { mcpEndpoint } from '../../src/mcp/endpoint.ts';
import { callMessage, messageOf, rpc } from '../support/http.ts';
import { deputyOf, person } from '../support/people.ts';
import { PURCHASE } from '../support/shop.ts';
import { ORIGIN } from '../support/worker.ts';
import { recordOf } from '../support/scene.ts';

test('a session id, made up or of somebody else, is ignored', async () => {
  const [mallory, ada] = [person(), person()];
  const { accessToken } = await deputyOf(mallory, '2025-11-25');
  await deputyOf(ada, '2025-11-25');
  const adaId = userIdOf(ada.email);
  for (const session of ['stale', objectName(adaId), adaId, env.MCP_OBJECT.idFromName(objectName(adaId)).toString()]) {
    const response = await rpc(accessToken, callMessage('buyMcpShopItem', PURCHASE), { 'Mcp-Session-Id': session });
    expect(response.status).toBe(200);
    expect(response.headers.get('Mcp-Session-Id')).toBeNull();
    const { result } = await messageOf(response);
    expect(result?.['structuredContent']).toMatchObject({ order: { userId: userIdOf(mallory.email) } });
  }
  expect((await recordOf(ada)).effects).toEqual([]);
});

test('a token of one human that carries the name of another one is no token', async () => {
  const [mallory, ada] = [person(), person()];
  await deputyOf(ada, '2025-11-25');
  const [deputy] = (await recordOf(ada)).deputies;
  const props = { userId: userIdOf(ada.email), email: ada.email, name: 'Ada', permissions: [] };
  const auth = { clientId: deputy?.clientId, scope: ['shop:buy'], audience: `${ORIGIN}/mcp` };
  const call = (userId: string) =>
    mcpEndpoint('listMcpShopOrders').fetch(
      new Request(`${ORIGIN}/mcp`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' },
        body: JSON.stringify(callMessage('buyMcpShopItem', PURCHASE)),
      }),
      env,
      { props: { ...props, deputyId: deputy?.deputyId }, auth: { ...auth, userId } } as unknown as ExecutionContext,
    );
  expect((await call(userIdOf(mallory.email))).status).toBe(401);
  expect((await recordOf(ada)).effects).toEqual([]);
  expect((await call(userIdOf(ada.email))).status).toBe(200);
  expect((await recordOf(ada)).effects).toHaveLength(1);
});
