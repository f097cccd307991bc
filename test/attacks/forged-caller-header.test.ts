/**
 * Mallory knows the header in which the Worker tells an object who calls, and sends one that says she is Ada, with every
 * power. The Worker forwards no header of a client but a few, writes that one itself, and an object takes its own human alone.
 */
import { expect, test } from 'vitest';
import { CALLER_HEADER, type Caller, decodeCaller, encodeCaller } from '../../src/deputy.ts';
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

test('a caller header of a client is ignored: the token alone says who calls', async () => {
  const [mallory, ada] = [person(), person()];
  const { accessToken } = await deputyOf(mallory, '2025-11-25');
  await deputyOf(ada, '2025-11-25');
  const forged = encodeCaller(await callerFor(ada));
  for (const name of [CALLER_HEADER, CALLER_HEADER.toUpperCase(), `mcp-${CALLER_HEADER}`]) {
    const response = await rpc(accessToken, callMessage('buyMcpShopItem', PURCHASE), { [name]: forged });
    expect(response.status, name).toBe(200);
    const { result } = await messageOf(response);
    expect(result?.['structuredContent']).toMatchObject({ order: { userId: userIdOf(mallory.email) } });
  }
  expect((await recordOf(ada)).effects).toEqual([]);
});

/** Past the Worker, straight to the object of that human. */
async function knock(human: Human, header: string | undefined): Promise<number> {
  const response = await objectOf(human).fetch('https://mcp-shop.internal/mcp', {
    method: 'POST',
    body: JSON.stringify(callMessage('listMcpShopOrders')),
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      ...(header !== undefined && { [CALLER_HEADER]: header }),
    },
  });
  await response.body?.cancel();
  return response.status;
}

test('an object refuses a caller who is not its own human, and a caller it cannot read', async () => {
  const [ada, mallory] = [person(), person()];
  await deputyOf(ada, '2025-11-25');
  const own = await callerFor(ada);
  const foreign = { ...own, userId: userIdOf(mallory.email) };
  for (const header of [undefined, '', 'garbage', btoa('{}'), encodeCaller(foreign)]) {
    expect(await knock(ada, header), header).toBe(403);
  }
  expect(await knock(ada, encodeCaller(own))).toBe(200);
});

test('a name of any letters crosses in the header as it is, and adds no header', async () => {
  const caller = await callerFor(person());
  const headers = new Headers({ [CALLER_HEADER]: encodeCaller(caller) });
  expect([...headers.keys()]).toEqual([CALLER_HEADER]);
  expect(decodeCaller(headers.get(CALLER_HEADER))).toEqual(caller);
});

test.each(ERAS)('a %s client with a name beyond Latin-1 works like any other', async (era) => {
  const deputy = await deputyOf(person(), era, 'Łódź 👋');
  expect((await deputy.call('listMcpShopInventory')).isError).toBe(false);
});
