/** The mandate: what the human writes into the blanks is what the deputy can do, no more, and until then. */
import { afterEach, expect, test, vi } from 'vitest';
import { type Deputy, ERAS, type Person } from '../../src/dev/clients.ts';
import { textOf } from '../../src/dev/browser.ts';
import { authorizePath, callMessage, redeem, registeredClient, rpc } from '../support/http.ts';
import { deputyOf, objectOf, person } from '../support/people.ts';
import { buy, PURCHASE } from '../support/shop.ts';

afterEach(() => {
  vi.useRealTimers();
});

const HOUR = 60 * 60 * 1000;

async function refusal(deputy: Deputy, name: string, args: Record<string, unknown> = {}) {
  const { isError, data, text } = await deputy.call(name, args);
  expect(isError, text).toBe(true);
  return data['error'];
}

function later(milliseconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds });
}

test.each(ERAS)('each blank binds a %s client', async (era) => {
  const human = person();
  human.blanks = { shirtsPerOrder: '4', shirtsPerDay: '7', spendPerDay: '150', askAbove: '3', until: 'day' };
  const deputy = await deputyOf(human, era);
  const wanted = (quantity: number) => ({ ...PURCHASE, quantity });

  expect(await refusal(deputy, 'buyMcpShopItem', wanted(5))).toMatchObject({
    code: 'act_limit',
    rule: 'At most 4 shirts an order.',
    limit: 'shirtsPerOrder',
    remaining: { shirts: 4 },
    whoCanLift: 'human',
    url: 'http://localhost:8787/deputies',
  });
  expect(await refusal(deputy, 'buyMcpShopItem', wanted(4))).toMatchObject({
    code: 'approval_required',
    limit: 'askAbove',
    remaining: { shirts: 3 },
  });
  // What waits for the human counts, until it is taken back.
  const { waiting } = (await refusal(deputy, 'buyMcpShopItem', wanted(4))) as { waiting: { id: string } };
  await deputy.call('cancelMcpShopOrder', { orderId: waiting.id });
  await buy(deputy, { quantity: 3 });
  await buy(deputy, { quantity: 2 });
  expect(await refusal(deputy, 'buyMcpShopItem', wanted(3))).toMatchObject({
    code: 'daily_limit',
    limit: 'shirtsPerDay',
    remaining: { shirts: 2, freesAt: expect.any(String) },
  });
  expect(await refusal(deputy, 'buyMcpShopItem', wanted(2))).toMatchObject({
    code: 'daily_limit',
    limit: 'spendPerDay',
    remaining: { spend: 2500 },
  });
  await buy(deputy, { quantity: 1 });
  expect((await deputy.call('getMyMandate')).data['remaining']).toEqual({ shirts: 0, spend: 0, inOneOrder: 0 });
  expect((await deputy.call('listMcpShopOrders')).data['orders']).toHaveLength(4);
});

test.each(ERAS)('what a %s client used counts for 24 hours, and then no longer', async (era) => {
  const human = person();
  human.blanks = { shirtsPerDay: '2', shirtsPerOrder: '2', askAbove: '', until: 'week' };
  const deputy = await deputyOf(human, era);
  await buy(deputy, { quantity: 2 });
  later(23 * HOUR);
  await deputy.reconnect();
  expect(await refusal(deputy, 'buyMcpShopItem', PURCHASE)).toMatchObject({
    code: 'daily_limit',
    limit: 'shirtsPerDay',
  });
  later(HOUR + 16 * 60_000);
  expect((await deputy.call('buyMcpShopItem', PURCHASE)).isError).toBe(false);
});

test('a deputy that calls too often, or buys too often, is slowed down and told so', async () => {
  const human = person();
  human.blanks = { shirtsPerDay: '20', spendPerDay: '500' };
  const deputy = await deputyOf(human, '2025-11-25');
  for (let count = 0; count < 10; count += 1) await buy(deputy);
  expect(await refusal(deputy, 'buyMcpShopItem', PURCHASE)).toMatchObject({
    code: 'act_rate',
    limit: 'purchasesPerMinute',
    whoCanLift: 'deputy',
  });
  for (let count = 11; count < 60; count += 1) await deputy.call('listMcpShopInventory');
  expect(await refusal(deputy, 'listMcpShopInventory')).toMatchObject({ code: 'rate_limited', whoCanLift: 'deputy' });
  later(66_000);
  await buy(deputy);
});

test.each(ERAS)('a mandate that has ended is 401 to a %s client, which may be appointed anew', async (era) => {
  const human = person();
  human.blanks = { until: 'day' };
  const deputy = await deputyOf(human, era);
  await buy(deputy);
  later(24 * HOUR - 60_000);
  expect((await deputy.call('listMcpShopOrders')).isError).toBe(false);
  later(60_000);
  const response = await rpc(deputy.accessToken, callMessage('listMcpShopOrders'));
  expect(response.status).toBe(401);
  expect(response.headers.get('WWW-Authenticate')).toContain('error="invalid_token"');
  await deputy.call('listMcpShopOrders');
  expect(deputy.credentials.asked).toBe(2);
});

test.each(ERAS)('a %s client reads its own mandate in the words of the consent page', async (era) => {
  const human = person();
  human.blanks = { shirtsPerOrder: '1', shirtsPerDay: '2', spendPerDay: '60', askAbove: '' };
  const deputy = await deputyOf(human, era);
  await buy(deputy);
  const { data, text } = await deputy.call('getMyMandate');
  expect(data).toMatchObject({
    mandate: {
      version: 1,
      scopes: ['shop:browse', 'shop:buy', 'orders:read', 'profile:read'],
      details: {
        type: 'mcp_shop_mandate',
        locations: ['http://localhost:8787/mcp'],
        constraints: expect.arrayContaining([
          { type: 'payment.budget', currency: 'USD', max: 6000, frequency: 'DAILY' },
          { type: 'payment.agent_recurrence', frequency: 'MINUTELY', max_occurrences: 10 },
        ]),
      },
    },
    limits: { shirtsPerOrder: 1, shirtsPerDay: 2, spendPerDay: 6000, needsApprovalAbove: 1 },
    remaining: { shirts: 1, spend: 3500, inOneOrder: 1 },
  });
  const { sentence } = data['mandate'] as { sentence: string };
  expect(sentence).toContain('up to 1 shirt an order, and up to 2 shirts for $60.00 in any 24 hours');
  expect(text).toContain(sentence);
  const console = await human.browser.open('/deputies');
  // The page has the same words, without the cents of whole dollars, and the end where the human is.
  const [said = ''] = sentence.replace('This deputy', '').replace('.00', '').split(' All this until');
  expect(textOf(console)).toContain(said.trim());
});

test('a deputy without the power to buy is told that nothing remains', async () => {
  const human = person();
  human.ticks = [];
  const { data } = await (await deputyOf(human, '2026-07-28')).call('getMyMandate');
  expect(data['remaining']).toEqual({ shirts: 0, spend: 0, inOneOrder: 0 });
  expect((data['mandate'] as { sentence: string }).sentence).toContain('It may not buy.');
});

const consentOf = async (human: Person) => human.walk(authorizePath(await registeredClient()));

const CORRECTED: Record<string, string> = { shirtsPerOrder: '4', shirtsPerDay: '5', spendPerDay: '25', askAbove: '2' };

test.each([
  ['shirtsPerOrder', ''],
  ['shirtsPerOrder', '-3'],
  ['shirtsPerOrder', '101'],
  ['shirtsPerOrder', 'three'],
  ['shirtsPerOrder', '1e2'],
  ['shirtsPerDay', '0'],
  ['shirtsPerDay', '2.5'],
  ['shirtsPerDay', '99999999999999999999'],
  ['spendPerDay', '-1'],
  ['spendPerDay', '1.234'],
  ['spendPerDay', 'all of it'],
  ['spendPerDay', '0'],
  ['askAbove', 'never'],
  ['until', 'forever'],
  ['until', '__proto__'],
])('%s filled in as "%s" shows the page again, with what was typed and what to change', async (name, value) => {
  const human = person();
  const page = await consentOf(human);
  const again = await human.browser.press(page, 'Allow', { [name]: value, scope: ['orders:read'] });
  expect(again.status).toBe(400);
  expect(again.left).toBeUndefined();
  expect(textOf(again)).toMatch(
    /Nothing is granted yet\. One thing does not fit: .*(Enter a whole number|Enter an amount|Choose one)/,
  );
  expect(again.html).toContain('aria-invalid');
  if (name !== 'until') expect(again.html).toContain(`value="${value}"`);
  expect(again.html).toMatch(/value="orders:read" checked/);
  expect(again.html).not.toMatch(/value="shop:buy" checked/);
  // The same page can be corrected: nothing was used up.
  const corrected = await human.browser.press(again, 'Allow', { [name]: CORRECTED[name] ?? 'day' });
  expect(corrected.left?.searchParams.get('code')).toBeTruthy();
});

test('a blank that is left out altogether is asked for', async () => {
  const human = person();
  const page = await consentOf(human);
  const html = page.html.replaceAll(/<input id="shirtsPerDay"[^>]*>/g, '');
  const again = await human.browser.press({ ...page, html }, 'Allow');
  expect(again.status).toBe(400);
  expect(textOf(again)).toContain('Shirts in 24 hours: Enter a whole number');
});

test('nobody can be granted more than the account allows, and the page says how much that is', async () => {
  const human = person();
  const again = await human.browser.press(await consentOf(human), 'Allow', {
    shirtsPerDay: '21',
    spendPerDay: '500.01',
  });
  expect(again.status).toBe(400);
  expect(textOf(again)).toContain('Your account allows 20 shirts in 24 hours');
  expect(textOf(again)).toContain('Your account allows $500.00 in 24 hours');
});

test('the blanks start within an account that allows less than usual', async () => {
  const human = person();
  await human.walk('/login?return_to=/');
  await objectOf(human).act({ do: 'ceiling', ceiling: { shirtsPerDay: 3, spendPerDay: 7000 }, version: 0 });
  const page = await consentOf(human);
  for (const name of ['shirtsPerDay', 'shirtsPerOrder'])
    expect(page.html).toMatch(new RegExp(`name="${name}"[^>]* value="3"`));
  expect((await human.browser.press(page, 'Allow')).left?.searchParams.get('code')).toBeTruthy();
});

test('the client that signs in again can take the place of its old deputy, which then gets 401', async () => {
  const human = person();
  const clientId = await registeredClient({ client_name: 'Twice' });
  const tokenOf = async (replace: boolean) => {
    const page = await human.walk(authorizePath(clientId));
    const [, old = ''] = /name="replaces" value="([^"]+)"/.exec(page.html) ?? [];
    const { left } = await human.browser.press(page, 'Allow', replace ? { replaces: [old] } : {});
    const response = await redeem(clientId, left?.searchParams.get('code') ?? '');
    return (await response.json<{ access_token: string }>()).access_token;
  };
  const status = async (token: string) => (await rpc(token, callMessage('listMcpShopInventory'))).status;
  const first = await tokenOf(false);
  const second = await tokenOf(false);
  expect([await status(first), await status(second)]).toEqual([200, 200]);
  const page = textOf(await human.walk(authorizePath(clientId)));
  expect(page).toContain('You have appointed this app before');
  // The newest comes first, so that is the one replaced.
  const third = await tokenOf(true);
  expect([await status(first), await status(second), await status(third)]).toEqual([200, 401, 200]);
  expect(textOf(await human.browser.open('/deputies'))).toContain('replaced');
});

test("a form cannot replace a deputy of another client, nor one of somebody else's", async () => {
  const human = person();
  const honest = await deputyOf(human, '2026-07-28');
  const [old] = (await objectOf(human).look({})).deputies;
  const clientId = await registeredClient();
  const page = await human.walk(authorizePath(clientId));
  const { left } = await human.browser.press(page, 'Allow', { replaces: [old?.deputyId ?? ''] });
  await redeem(clientId, left?.searchParams.get('code') ?? '');
  expect((await honest.call('listMcpShopInventory')).isError).toBe(false);
});

test('a deputy that was replaced in a sign-in nobody finished stays', async () => {
  const human = person();
  const clientId = await registeredClient();
  const first = await redeem(clientId, (await human.answer(authorizePath(clientId))).get('code') ?? '');
  const { access_token: token } = await first.json<{ access_token: string }>();
  const page = await human.walk(authorizePath(clientId));
  const [, old = ''] = /name="replaces" value="([^"]+)"/.exec(page.html) ?? [];
  await human.browser.press(page, 'Allow', { replaces: [old] });
  expect((await rpc(token, callMessage('listMcpShopInventory'))).status).toBe(200);
});
