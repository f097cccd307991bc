/** Open pages follow the record: told of each act within the moment, asleep in between, and cut off with their session. */
import { evictDurableObject } from 'cloudflare:test';
import { afterEach, expect, test, vi } from 'vitest';
import { type Deputy, type Person } from '../../src/dev/clients.ts';
import { send } from '../support/http.ts';
import { buy, deputyOf, objectOf, person } from '../support/shop.ts';
import { ORIGIN } from '../support/worker.ts';

afterEach(() => vi.useRealTimers());

async function pageOf(human: Person) {
  const Cookie = [...human.browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const response = await send('/deputies/live', { headers: { Upgrade: 'websocket', Origin: ORIGIN, Cookie } });
  const socket = response.webSocket;
  if (!socket) throw new Error(`no socket: ${response.status} ${await response.text()}`);
  const page = { socket, heard: [] as unknown[], closedWith: undefined as number | undefined };
  socket.addEventListener('message', ({ data }) => page.heard.push(data));
  socket.addEventListener('close', ({ code }) => (page.closedWith = code));
  socket.accept();
  return page;
}
const headOf = async (human: Person) => (await objectOf(human).look({})).head.hash;
const call = (deputy: Deputy) => deputy.call('listMcpShopInventory');

test('an open page is told where the record stands, and of every act of a deputy or the human', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  const [one, other] = [await pageOf(human), await pageOf(human)];
  await vi.waitFor(async () => expect(one.heard).toEqual([await headOf(human)]));
  await buy(deputy);
  const bought = await headOf(human);
  await human.browser.press(await human.browser.open('/deputies'), 'Pause every deputy');
  const paused = await headOf(human);
  await vi.waitFor(() => expect(one.heard.slice(1)).toEqual([bought, paused]));
  await vi.waitFor(() => expect(other.heard.slice(1)).toEqual([bought, paused]));
});

test('the object sleeps under an idle open page, and the page hears of the next act', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2025-11-25');
  const page = await pageOf(human);
  await vi.waitFor(() => expect(page.heard).toHaveLength(1));
  await evictDurableObject(objectOf(human));
  await call(deputy);
  const head = await headOf(human);
  await vi.waitFor(() => expect(page.heard).toContain(head));
  expect(page.closedWith).toBeUndefined();
});

test('signing out closes the open pages of that session, and of no other', async () => {
  const [human] = [person()];
  await human.walk('/login?return_to=/deputies');
  const elsewhere = person(human.email);
  await elsewhere.walk('/login?return_to=/deputies');
  const [here, there] = [await pageOf(human), await pageOf(elsewhere)];
  await human.browser.press(await human.browser.open('/deputies'), 'Sign out');
  await vi.waitFor(() => expect(here.closedWith).toBe(4401));
  expect(there.closedWith).toBeUndefined();
});

test('a page whose session is not shown again in time is closed, and told nothing more', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  const page = await pageOf(human);
  await vi.waitFor(() => expect(page.heard).toHaveLength(1));
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 6 * 60_000 });
  await call(deputy);
  await vi.waitFor(() => expect(page.closedWith).toBe(4401));
  expect(page.heard).toHaveLength(1);
});

test('a page that says anything is closed', async () => {
  const human = person();
  await human.walk('/login?return_to=/deputies');
  const page = await pageOf(human);
  page.socket.send(JSON.stringify({ type: 'rpc', id: '1', method: 'act', args: [{ do: 'pause' }] }));
  page.socket.send('hello');
  await vi.waitFor(() => expect(page.closedWith).toBe(1008));
  expect((await objectOf(human).look({})).account.authority).toBe('active');
});

test('nobody else can follow: not without a session, and not from another site', async () => {
  const human = person();
  await human.walk('/login?return_to=/deputies');
  const Cookie = [...human.browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const open = (headers: Record<string, string>) => send('/deputies/live', { headers });
  expect((await open({ Upgrade: 'websocket', Origin: ORIGIN })).status).toBe(401);
  expect((await open({ Upgrade: 'websocket', Origin: 'http://localhost:9999', Cookie })).status).toBe(403);
  expect((await open({ Cookie })).status).toBe(426);
});
