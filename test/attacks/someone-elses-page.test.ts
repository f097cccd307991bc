/**
 * Open pages follow a human's record. Mallory wants to follow along: without a session, from another program's page, with
 * a session that is over, or by taking the place of the human. None is told anything, and a page can only listen.
 */
import { runDurableObjectAlarm } from 'cloudflare:test';
import { afterEach, expect, test, vi } from 'vitest';
import type { Person } from '../../src/dev/clients.ts';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import { encodeWatcher, WATCHER_HEADER, WATCHER_URL } from '../../src/watchers.ts';
import { cookiesOf } from '../support/http.ts';
import { knockForPage, listen, openPage } from '../support/open-page.ts';
import { deputyOf, objectOf, person } from '../support/people.ts';
import { ORIGIN } from '../support/worker.ts';
import { NEIGHBOUR, recordOf } from '../support/scene.ts';

afterEach(() => vi.useRealTimers());

/** Milliseconds: a WorkOS token lives for five minutes. */
const LATER = 6 * 60_000;

async function signedIn(human = person()): Promise<Person> {
  await human.walk('/login?return_to=/deputies');
  return human;
}

test('nobody follows without a session', async () => {
  expect((await knockForPage({ Origin: ORIGIN })).status).toBe(401);
});

test('no page of another site or another program follows with the human’s cookies', async () => {
  const ada = await signedIn();
  for (const Origin of [NEIGHBOUR, 'https://evil.example', 'null']) {
    expect((await knockForPage({ Origin, Cookie: cookiesOf(ada) })).status, Origin).toBe(403);
  }
});

test('an object takes the pages of its own human alone', async () => {
  const [ada, mallory] = [await signedIn(), await signedIn()];
  const watcher = { userId: userIdOf(mallory.email), sessionId: 'session', until: Date.now() + LATER };
  const headers = { Upgrade: 'websocket', [WATCHER_HEADER]: encodeWatcher(watcher) };
  const { webSocket } = await objectOf(ada).fetch(WATCHER_URL, { headers });
  if (!webSocket) throw new Error('no socket');
  const page = listen(webSocket);
  await vi.waitFor(() => expect(page.closedWith).toBe(1008));
  expect(page.heard).toEqual([]);
});

test('signing out closes the open pages of that session, and of no other', async () => {
  const ada = await signedIn();
  const elsewhere = await signedIn(person(ada.email));
  const [here, there] = [await openPage(ada), await openPage(elsewhere)];
  await ada.browser.press(await ada.browser.open('/deputies'), 'Sign out');
  await vi.waitFor(() => expect(here.closedWith).toBe(4401));
  expect(there.closedWith).toBeUndefined();
});

test('a page whose session was not shown again in time is told nothing more', async () => {
  const ada = person();
  const deputy = await deputyOf(ada, '2026-07-28');
  const page = await openPage(ada);
  await vi.waitFor(() => expect(page.heard).toHaveLength(1));
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + LATER });
  await deputy.call('listMcpShopInventory');
  await vi.waitFor(() => expect(page.closedWith).toBe(4401));
  expect(page.heard).toHaveLength(1);
});

test('a page whose session was not shown again in time is closed, even when nothing happens', async () => {
  const ada = await signedIn();
  const page = await openPage(ada);
  await vi.waitFor(() => expect(page.heard).toHaveLength(1));
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + LATER });
  await runDurableObjectAlarm(objectOf(ada));
  await vi.waitFor(() => expect(page.closedWith).toBe(4401));
});

test('a page that says anything is closed, and nothing comes of it', async () => {
  const ada = await signedIn();
  const page = await openPage(ada);
  page.socket.send(JSON.stringify({ type: 'cf_agent_state', state: { stolen: true } }));
  page.socket.send(JSON.stringify({ type: 'rpc', id: '1', method: 'act', args: [{ do: 'pause' }] }));
  page.socket.send('hello');
  await vi.waitFor(() => expect(page.closedWith).toBe(1008));
  expect((await recordOf(ada)).account.authority).toBe('active');
});

test('one human has fifty open pages at most, and the others stay', async () => {
  const ada = await signedIn();
  const pages = await Promise.all(Array.from({ length: 50 }, () => openPage(ada)));
  const oneMore = await openPage(ada);
  await vi.waitFor(() => expect(oneMore.closedWith).toBe(4429));
  expect(pages.filter(({ closedWith }) => closedWith !== undefined)).toEqual([]);
});
