/**
 * Today's version opens what the first landed one left: a recording of objects and KV, made by running that version
 * (`test/upgrade/record.ts`). Clients go on with the tokens of then, and nothing of the record is lost.
 */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import { textOf } from '../../src/dev/browser.ts';
import { callMessage, messageOf, redeem, rpc, send } from '../support/http.ts';
import { buy, objectOf, person } from '../support/shop.ts';
import { clientOfThen, recording, restore } from '../upgrade/restore.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const { recordedAt, orders } = recording;

const ada = () => person('ada.of.then@example.com');
const admin = () => person('admin@then.example.com');

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: recordedAt + MINUTE });
  await restore();
});
afterEach(() => {
  vi.useRealTimers();
});

/** The copy in KV of an order of Ada's. */
function copyOf(id: string) {
  return env.ORDERS.get(`order:${userIdOf('ada.of.then@example.com')}:${id}`, 'json');
}

test.each(['older', 'newer'])(
  'the %s client goes on with the access token of then, and finds its orders',
  async (name) => {
    const human = ada();
    const deputy = await clientOfThen(name, human);
    const { data } = await deputy.call('listMcpShopOrders');
    expect(data['orders']).toEqual(orders);
    expect((await buy(deputy)).userId).toBe(orders[0]?.userId);
    expect(human.signIns).toBe(0);
    expect(deputy.credentials.asked).toBe(0);
  },
);

test.each(['older', 'newer'])('the %s client goes on with the refresh token of then, again and again', async (name) => {
  const before = recording.clients.find((client) => client.name === name)?.tokens.access_token;
  vi.setSystemTime(recordedAt + 2 * HOUR);
  const deputy = await clientOfThen(name, ada());
  const first = deputy.accessToken;
  expect(first).not.toBe(before);
  await buy(deputy);
  vi.setSystemTime(recordedAt + 4 * HOUR);
  expect((await deputy.call('listMcpShopOrders')).data['orders']).toHaveLength(orders.length + 1);
  expect(deputy.accessToken).not.toBe(first);
  expect(deputy.credentials.asked).toBe(0);
});

test('what KV had stays, and what it did not have is delivered by the jobs of then, without any request', async () => {
  const missing = orders.filter(({ company }) => company.startsWith('Tried'));
  const had = orders.filter(({ company }) => !company.startsWith('Tried'));
  expect(missing).toHaveLength(2);
  for (const { id } of missing) expect(await copyOf(id)).toBeNull();
  expect(await runDurableObjectAlarm(objectOf(ada()))).toBe(true);
  for (const order of [...missing, ...had]) expect(await copyOf(order.id)).toMatchObject(order);
  const left = await runInDurableObject(objectOf(ada()), (instance) => instance.listSchedules());
  expect(left.map(({ callback }) => callback)).not.toContain('deliverOrder');
});

test('an order of then can be cancelled, in the record and in KV', async () => {
  const deputy = await clientOfThen('newer', ada());
  for (const { id } of orders) {
    const { data } = await deputy.call('cancelMcpShopOrder', { orderId: id });
    expect(data['order']).toMatchObject({ id, status: 'cancelled' });
    expect(await copyOf(id)).toMatchObject({ id, status: 'cancelled' });
  }
});

test('the demo ban of then holds until it is lifted', async () => {
  const deputy = await clientOfThen('banned', admin());
  const purchase = { company: 'Engines', mailingAddress: 'London', tshirtSize: 'L' };
  const refused = await deputy.call('buyMcpShopItem', purchase);
  expect(refused).toMatchObject({ isError: true, text: 'ABSOLUTELY NOT. GO AWAY 👋' });
  await deputy.call('prettyPlease');
  expect(await deputy.call('buyMcpShopItem', purchase)).toMatchObject({ isError: false });
});

test('a deputy of then may do what was granted then, and no more', async () => {
  const deputy = await clientOfThen('browsing', admin());
  expect((await deputy.call('getUserInfo')).data).toMatchObject({ user: { email: 'admin@then.example.com' } });
  const refused = await rpc(deputy.accessToken, callMessage('listMcpShopOrders'));
  expect(refused.status).toBe(403);
  expect(refused.headers.get('WWW-Authenticate')).toContain('insufficient_scope');
});

test('the audit opens with what was there, holds, and goes on', async () => {
  const object = objectOf(ada());
  const opened = await object.verifyAudit();
  expect(opened).toMatchObject({ ok: true });
  const deputy = await clientOfThen('older', ada());
  const order = await buy(deputy);
  const { orders: shown, timeline } = await object.look({});
  expect(shown.map(({ id }) => id)).toEqual([order, ...orders].map(({ id }) => id));
  expect(timeline.at(-1)).toMatchObject({ act: 'opened' });
  if (!opened.ok) throw new Error(opened.problem);
  expect(shown[0]?.number).toBeGreaterThan(opened.head.sequence);
  expect(await object.verifyAudit(opened.head)).toMatchObject({ ok: true });
});

test('the human finds the deputies of then on their page, and a dismissed one is out', async () => {
  const human = ada();
  const deputy = await clientOfThen('older', human);
  const page = await human.walk('/login?return_to=/deputies');
  expect(textOf(page)).toContain('Claude');
  expect(textOf(page)).toContain('Łódź client 👋');
  expect(textOf(page)).toContain('Tried twice');

  const { deputies } = await objectOf(human).look({});
  const claude = deputies.find(({ clientName }) => clientName === 'Claude');
  if (!claude) throw new Error('the deputy is gone');
  await human.browser.press(page, 'Pause every deputy');
  const paused = await deputy.call('listMcpShopInventory');
  expect(paused).toMatchObject({ isError: true, data: { error: { code: 'paused' } } });

  await objectOf(human).act({ do: 'revoke', deputyId: claude.deputyId });
  expect((await rpc(deputy.accessToken, callMessage('listMcpShopInventory'))).status).toBe(401);
  const { client, tokens } = recording.clients[0] ?? {};
  const refresh = {
    grant_type: 'refresh_token',
    client_id: client?.client_id ?? '',
    refresh_token: tokens?.refresh_token ?? '',
  };
  const refused = await send('/token', { method: 'POST', body: new URLSearchParams(refresh) });
  expect(await refused.json()).toMatchObject({ error: 'invalid_grant' });
});

test('a mandate of then ends 30 days after the appointment', async () => {
  const [appointed] = (await objectOf(ada()).look({})).deputies.map(({ appointedAt }) => Date.parse(appointedAt));
  const end = (appointed ?? 0) + 30 * DAY;
  const deputy = await clientOfThen('older', ada());
  for (const before of [20 * DAY, 10 * DAY, 10 * MINUTE]) {
    vi.setSystemTime(end - before);
    expect(await deputy.call('listMcpShopInventory')).toMatchObject({ isError: false });
  }
  vi.setSystemTime(end);
  const refused = await rpc(deputy.accessToken, callMessage('listMcpShopInventory'));
  expect(refused.status).toBe(401);
  expect(await refused.text()).toContain('mandate');
});

test('a client that had its code and not yet its token is served', async () => {
  const { clientId, code } = recording.waiting;
  const answer = await redeem(clientId, code);
  const { access_token: token } = await answer.json<{ access_token: string }>();
  const called = await rpc(token, callMessage('getMyMandate'));
  expect(called.status).toBe(200);
  expect((await messageOf(called)).result).toMatchObject({
    structuredContent: { mandate: { scopes: expect.anything() } },
  });
});
