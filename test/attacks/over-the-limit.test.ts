/**
 * A deputy that was talked into it buys as much and as fast as it can. Every limit of its mandate is checked in the
 * transaction that places the order, so it stops at the number Ada wrote.
 */
import { expect, test } from 'vitest';
import type { Deputy } from '../../src/dev/clients.ts';
import { callMessage, rpc } from '../support/http.ts';
import { deputyOf, person } from '../support/people.ts';
import { buy, PURCHASE } from '../support/shop.ts';
import { outcome, plainClient, recordOf, stoppedBy } from '../support/scene.ts';

async function tryFor(deputy: Deputy, quantity: number): Promise<string> {
  return stoppedBy((await deputy.call('buyMcpShopItem', { ...PURCHASE, quantity })).data);
}

test.each([
  ['act_limit shirtsPerOrder', { shirtsPerOrder: '2', askAbove: '' }],
  ['approval_required askAbove', { askAbove: '2' }],
  ['daily_limit shirtsPerDay', { shirtsPerDay: '2', shirtsPerOrder: '2', askAbove: '' }],
  ['daily_limit spendPerDay', { spendPerDay: '50' }],
])('with a mandate for two shirts, no third one is bought: %s', async (stopped, blanks) => {
  const ada = person();
  ada.blanks = blanks;
  const deputy = await deputyOf(ada, '2026-07-28');
  const { id } = await buy(deputy, { quantity: 2 });
  const daily = stopped.startsWith('daily');
  expect(await tryFor(deputy, daily ? 1 : 3)).toBe(stopped);
  if (!daily) return;
  // To cancel does not make room for more.
  expect(await outcome(deputy, 'cancelMcpShopOrder', { orderId: id })).toBe('allowed');
  expect(await tryFor(deputy, 1)).toBe(stopped);
});

test('thirty purchases at once do not slip through between the checks', async () => {
  const ada = person();
  ada.blanks = { shirtsPerDay: '4', shirtsPerOrder: '4' };
  const { tokens } = await plainClient(ada);
  const purchase = callMessage('buyMcpShopItem', PURCHASE);
  const answers = await Promise.all(Array.from({ length: 30 }, () => rpc(tokens.access_token, purchase)));
  await Promise.all(answers.map((answer) => answer.text()));
  expect((await recordOf(ada)).effects).toHaveLength(4);
});

test('a deputy is stopped at ten purchases and at sixty calls within a minute', async () => {
  const ada = person();
  ada.blanks = { shirtsPerDay: '20', spendPerDay: '500' };
  const deputy = await deputyOf(ada, '2026-07-28');
  const [record] = (await recordOf(ada)).deputies;
  const limitOf = (name: string) => Number(record?.mandate.limits[name]);
  const [purchasesPerMinute, callsPerMinute] = [limitOf('purchasesPerMinute'), limitOf('callsPerMinute')];
  for (let count = 0; count < purchasesPerMinute; count += 1) await buy(deputy);
  expect(await tryFor(deputy, 1)).toBe('act_rate purchasesPerMinute');
  for (let count = purchasesPerMinute + 1; count < callsPerMinute; count += 1) {
    expect(await outcome(deputy, 'listMcpShopInventory')).toBe('allowed');
  }
  expect(await tryFor(deputy, 1)).toBe('rate_limited callsPerMinute');
  expect(await outcome(deputy, 'listMcpShopInventory')).toBe('rate_limited');
  expect((await recordOf(ada)).effects).toHaveLength(purchasesPerMinute);
});
