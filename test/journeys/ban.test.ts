/** The demo ban: one switch for every client of one user, at once. */
import { env } from 'cloudflare:workers';
import { abortAllDurableObjects, evictDurableObject } from 'cloudflare:test';
import { expect, test } from 'vitest';
import { objectName } from '../../src/deputy.ts';
import { textOf } from '../../src/dev/browser.ts';
import { type Deputy, ERAS } from '../../src/dev/clients.ts';
import { deputyOf, objectOf, person } from '../support/people.ts';
import { buy, PURCHASE } from '../support/shop.ts';

const BANNED = 'ABSOLUTELY NOT. GO AWAY 👋';

async function expectBanned(deputy: Deputy) {
  expect(await deputy.call('buyMcpShopItem', PURCHASE)).toMatchObject({
    isError: true,
    text: BANNED,
    data: { error: { code: 'demo_banned', whoCanLift: 'deputy' } },
  });
  expect(await deputy.call('listMcpShopInventory')).toMatchObject({
    isError: true,
    data: { error: { code: 'demo_banned' } },
  });
  expect((await deputy.call('listMcpShopOrders')).isError).toBe(false);
}

async function expectWelcome(deputy: Deputy) {
  expect((await deputy.call('buyMcpShopItem', PURCHASE)).isError).toBe(false);
  expect((await deputy.call('listMcpShopInventory')).isError).toBe(false);
}

async function ban(deputy: Deputy) {
  const answer = await deputy.call('setDemoMode', { mode: 'banned' });
  expect(answer.data).toMatchObject({ mode: 'banned' });
}

test.each(ERAS)('a ban set by a %s client stops every client of that user and nobody else', async (era) => {
  const human = person();
  const [first, second] = [await deputyOf(human, '2025-11-25'), await deputyOf(human, '2026-07-28')];
  const stranger = await deputyOf(person(), era);
  await ban(era === '2025-11-25' ? first : second);
  await expectBanned(first);
  await expectBanned(second);
  await expectBanned(await deputyOf(human, era));
  await expectWelcome(stranger);
});

test.each(ERAS)('a banned %s client is still banned after it reconnects', async (era) => {
  const deputy = await deputyOf(person(), era);
  await ban(deputy);
  await deputy.close();
  await deputy.reconnect();
  await expectBanned(deputy);
});

test.each(ERAS)('a banned %s client is still banned after its object was evicted or killed', async (era) => {
  const human = person();
  const deputy = await deputyOf(human, era);
  const { userId } = await buy(deputy);
  await ban(deputy);
  await evictDurableObject(env.MCP_OBJECT.getByName(objectName(userId)));
  await expectBanned(deputy);
  await abortAllDurableObjects();
  await expectBanned(deputy);
});

test.each(ERAS)('clearDemoMode by a %s client really clears', async (era) => {
  const deputy = await deputyOf(person(), era);
  await ban(deputy);
  expect((await deputy.call('clearDemoMode')).data).toMatchObject({ mode: 'normal' });
  await expectWelcome(deputy);
});

test.each(ERAS)('prettyPlease by a %s client lifts the ban, and says so only when there was one', async (era) => {
  const deputy = await deputyOf(person(), era);
  expect((await deputy.call('prettyPlease')).text).toContain('no demo ban');
  await ban(deputy);
  expect((await deputy.call('prettyPlease')).text).toContain('the demo ban is lifted');
  await expectWelcome(deputy);
});

test('setDemoMode normal lifts the ban too', async () => {
  const deputy = await deputyOf(person(), '2026-07-28');
  await ban(deputy);
  expect((await deputy.call('setDemoMode', { mode: 'normal' })).data).toMatchObject({ mode: 'normal' });
  await expectWelcome(deputy);
});

test('the human sees a demo ban on their page, lifts it there, and the record says so', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  expect(textOf(await human.browser.open('/deputies'))).not.toContain('The demo ban is on.');
  await deputy.call('setDemoMode', { mode: 'banned' });
  const page = await human.browser.open('/deputies');
  expect(textOf(page)).toContain('The demo ban is on.');
  const lifted = textOf(await human.browser.press(page, 'Lift the demo ban'));
  expect(lifted).not.toContain('The demo ban is on.');
  expect(lifted).toContain('You lifted the demo ban.');
  expect((await deputy.call('listMcpShopInventory')).isError).toBe(false);
  expect(await objectOf(human).verifyRecord()).toMatchObject({ ok: true });
});
