/** Open pages follow the record: they are told of each act, and the object sleeps under them in between. */
import { evictDurableObject } from 'cloudflare:test';
import { expect, test, vi } from 'vitest';
import { startLimits } from '../../src/authority/limits.ts';
import type { Person } from '../../src/dev/clients.ts';
import { domain } from '../../src/domain.ts';
import { versionOf } from '../../src/ledger/view.ts';
import { openPage } from '../support/open-page.ts';
import { deputyOf, objectOf, person } from '../support/people.ts';
import { buy } from '../support/shop.ts';

async function headOf(human: Person): Promise<string> {
  const { head, account } = await objectOf(human).look({});
  return versionOf(head, account);
}

test('an open page is told where the record stands, and of every act of a deputy or the human', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  const [one, other] = [await openPage(human), await openPage(human)];
  const start = await headOf(human);
  await vi.waitFor(() => expect(one.heard).toEqual([start]));
  await buy(deputy);
  const bought = await headOf(human);
  await human.browser.press(await human.browser.open('/deputies'), 'Stop all');
  const paused = await headOf(human);
  // The stop is told at once, and once more when it is known how long it took.
  const [hash = '', took = ''] = paused.split(' ');
  expect(took).toMatch(/^\d+$/);
  for (const page of [one, other]) await vi.waitFor(() => expect(page.heard).toEqual([start, bought, hash, paused]));
});

test('the object sleeps under an idle open page, and the page hears of the next act', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2025-11-25');
  const page = await openPage(human);
  await vi.waitFor(() => expect(page.heard).toHaveLength(1));
  await evictDurableObject(objectOf(human));
  await deputy.call('listMcpShopInventory');
  const head = await headOf(human);
  await vi.waitFor(() => expect(page.heard).toContain(head));
  expect(page.closedWith).toBeUndefined();
});

test.each(['verify', 'record.jsonl'])(
  'reading the record at %s adds what was not in it, and pages hear',
  async (path) => {
    const human = person();
    const deputy = await deputyOf(human, '2025-11-25');
    const most = Number(startLimits(domain)['callsPerMinute']);
    for (let call = 0; call < most + 3; call += 1) await deputy.call('listMcpShopInventory');
    const page = await openPage(human);
    const before = await headOf(human);
    await human.browser.open(`/deputies/${path}`);
    const after = await headOf(human);
    expect(after).not.toBe(before);
    await vi.waitFor(() => expect(page.heard).toContain(after));
  },
);

test('a sign of life is answered', async () => {
  const human = person();
  await human.walk('/login?return_to=/deputies');
  const page = await openPage(human);
  page.socket.send('ping');
  await vi.waitFor(() => expect(page.heard).toContain('pong'));
  expect(page.closedWith).toBeUndefined();
});

test('without a WebSocket, the address of the page’s socket says what it is for', async () => {
  const human = person();
  await human.walk('/login?return_to=/deputies');
  expect((await human.browser.open('/deputies/live')).status).toBe(426);
});
