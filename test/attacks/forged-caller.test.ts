/**
 * Mallory wants to be Ada at Ada's object. Who calls goes to it beside the client's request, never in it: no header and no
 * body of a client says it, and an object takes its own human alone.
 */
import { expect, test } from 'vitest';
import type { Caller } from '../../src/deputy.ts';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import { ERAS } from '../../src/dev/clients.ts';
import { callMessage, messageOf, rpc } from '../support/http.ts';
import { deputyOf, objectOf, person } from '../support/people.ts';
import { PURCHASE } from '../support/shop.ts';
import { recordOf } from '../support/scene.ts';

type Human = ReturnType<typeof person>;

async function callerFor(human: Human): Promise<Caller> {
  const [deputy] = (await recordOf(human)).deputies;
  return {
    userId: userIdOf(human.email),
    email: human.email,
    name: 'Łódź 👋\r\nx-admin: 1',
    permissions: ['shop:admin'],
    deputyId: deputy?.deputyId ?? 'dep_forged',
    clientId: deputy?.clientId ?? 'forged',
    scopes: ['shop:browse', 'shop:buy', 'orders:read'],
    resource: 'http://localhost:8787/mcp',
  };
}

const AS_JSON = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

test('what a client says of a caller is ignored: the token alone says who calls', async () => {
  const [mallory, ada] = [person(), person()];
  const { accessToken } = await deputyOf(mallory, '2025-11-25');
  await deputyOf(ada, '2025-11-25');
  const caller = await callerFor(ada);
  const forged = btoa(encodeURIComponent(JSON.stringify(caller)));
  const message = { ...callMessage('buyMcpShopItem', PURCHASE), caller, authInfo: caller, userId: caller.userId };
  // The second time the token is known already.
  for (let time = 0; time < 2; time += 1) {
    const response = await rpc(accessToken, message, { 'x-mcp-shop-caller': forged, 'mcp-caller': forged });
    expect(response.status).toBe(200);
    const { result } = await messageOf(response);
    expect(result?.['structuredContent']).toMatchObject({ order: { userId: userIdOf(mallory.email) } });
  }
  expect((await recordOf(ada)).effects).toEqual([]);
});

test('an object takes no forwarded request, and no caller who is not its own human', async () => {
  const [ada, mallory] = [person(), person()];
  await deputyOf(ada, '2025-11-25');
  const own = await callerFor(ada);
  const foreign = { ...own, userId: userIdOf(mallory.email) };
  const body = JSON.stringify(callMessage('listMcpShopOrders'));
  const forwarded = await objectOf(ada).fetch('https://mcp-shop.internal/mcp', {
    method: 'POST',
    body,
    headers: AS_JSON,
  });
  expect(forwarded.status).toBe(404);
  await forwarded.body?.cancel();
  expect((await objectOf(ada).serve(foreign, AS_JSON, body)).status).toBe(403);
  expect((await objectOf(ada).serve(own, AS_JSON, body)).status).toBe(200);
});

test.each(ERAS)('a %s client with a name beyond Latin-1 works like any other', async (era) => {
  const deputy = await deputyOf(person(), era, 'Łódź 👋');
  expect((await deputy.call('listMcpShopInventory')).isError).toBe(false);
});
