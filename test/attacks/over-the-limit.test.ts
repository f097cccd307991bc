/**
 * A deputy that was talked into it buys as much and as fast as it can. Every limit of its mandate is checked in the
 * transaction that places the order, so it stops at the number Ada wrote.
 */
import { expect, test } from 'vitest';
import { callMessage, rpc } from '../support/http.ts';
import { buy, deputyOf, person, PURCHASE } from '../support/shop.ts';
import { outcome, plainClient, recordOf } from './scene.ts';

const shirts = (quantity: number) => ({ ...PURCHASE, quantity });

test.each([
  ['order_limit', { shirtsPerOrder: '2', askAbove: '9' }],
  ['approval_required', { askAbove: '2' }],
  ['daily_shirts', { shirtsPerDay: '2' }],
  ['daily_spend', { spendPerDay: '50' }],
])('with a mandate for two shirts, no third one is bought: %s', async (code, blanks) => {
  const ada = person();
  ada.blanks = blanks;
  const deputy = await deputyOf(ada, '2026-07-28');
  expect(await outcome(deputy, 'buyMcpShopItem', shirts(3))).toBe(code);
  const { id } = await buy(deputy, { quantity: 2 });
  if (!code.startsWith('daily')) return;
  expect(await outcome(deputy, 'buyMcpShopItem', shirts(1))).toBe(code);
  // To cancel does not make room for more.
  expect(await outcome(deputy, 'cancelMcpShopOrder', { orderId: id })).toBe('allowed');
  expect(await outcome(deputy, 'buyMcpShopItem', shirts(1))).toBe(code);
});

test('thirty purchases at once do not slip through between the checks', async () => {
  const ada = person();
  ada.blanks = { shirtsPerDay: '4' };
  const { tokens } = await plainClient(ada);
  const purchase = callMessage('buyMcpShopItem', PURCHASE);
  const answers = await Promise.all(Array.from({ length: 30 }, () => rpc(tokens.access_token, purchase)));
  await Promise.all(answers.map((answer) => answer.text()));
  expect((await recordOf(ada)).orders).toHaveLength(4);
});

test('a deputy is stopped at ten purchases and at sixty calls within a minute', async () => {
  const ada = person();
  ada.blanks = { shirtsPerDay: '20', spendPerDay: '500' };
  const deputy = await deputyOf(ada, '2026-07-28');
  const [record] = (await recordOf(ada)).deputies;
  const { purchasesPerMinute, callsPerMinute } = record?.mandate.limits ?? { purchasesPerMinute: 0, callsPerMinute: 0 };
  for (let count = 0; count < purchasesPerMinute; count += 1) await buy(deputy);
  expect(await outcome(deputy, 'buyMcpShopItem', PURCHASE)).toBe('purchase_rate');
  for (let count = purchasesPerMinute + 1; count < callsPerMinute; count += 1) {
    expect(await outcome(deputy, 'listMcpShopInventory')).toBe('allowed');
  }
  expect(await outcome(deputy, 'listMcpShopInventory')).toBe('rate_limited');
  expect((await recordOf(ada)).orders).toHaveLength(purchasesPerMinute);
});
