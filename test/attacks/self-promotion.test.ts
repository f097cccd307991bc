/**
 * A deputy tries everything to raise its own authority: the demo tools while Ada has paused it, asking nicely, the console
 * with its token, powers that nobody offers. No tool and no token moves what the human set; only Ada's signed-in browser does.
 */
import { expect, test } from 'vitest';
import { ERAS } from '../../src/dev/clients.ts';
import { authorizePath, redeem, registeredClient, rpc, send } from '../support/http.ts';
import { deputyOf, person } from '../support/people.ts';
import { PURCHASE } from '../support/shop.ts';
import { outcome, post, recordOf } from '../support/scene.ts';

test.each(ERAS)('no tool of a %s client lifts a pause, asked nicely or not', async (era) => {
  const ada = person();
  const deputy = await deputyOf(ada, era);
  await ada.browser.press(await ada.walk('/deputies'), 'Stop all');

  const tools = await deputy.listTools();
  for (let round = 0; round < 2; round += 1) {
    for (const { name } of tools) {
      const args = name === 'buyMcpShopItem' ? PURCHASE : name === 'setDemoMode' ? { mode: 'normal' } : {};
      expect(await outcome(deputy, name, args), name).toBe('paused');
    }
  }
  // A deputy that signs in now is paused as well.
  expect(await outcome(await deputyOf(ada, era), 'prettyPlease')).toBe('paused');
  const { account, effects } = await recordOf(ada);
  expect(account.authority).toBe('paused');
  expect(effects).toEqual([]);
});

test('the demo tools move the demo ban and nothing of what the human set', async () => {
  const ada = person();
  const deputy = await deputyOf(ada, '2026-07-28');
  const before = await recordOf(ada);
  for (const [tool, args] of [
    ['setDemoMode', { mode: 'banned' }],
    ['prettyPlease', {}],
    ['clearDemoMode', {}],
  ] as const) {
    expect(await outcome(deputy, tool, args)).toBe('allowed');
  }
  const after = await recordOf(ada);
  expect(after.account).toEqual(before.account);
  expect(after.deputies.map(({ mandate }) => mandate)).toEqual(before.deputies.map(({ mandate }) => mandate));
});

test('a token opens no page of the console and posts none of its forms', async () => {
  const ada = person();
  const { accessToken } = await deputyOf(ada, '2025-11-25');
  const bearer = { Authorization: `Bearer ${accessToken}` };
  const { deputies } = await recordOf(ada);
  const own = `/deputies/${deputies[0]?.deputyId}`;

  for (const path of ['/deputies', '/deputies/resume', '/deputies/ceiling', '/deputies/record.jsonl', own]) {
    const response = await send(path, { headers: bearer });
    expect(response.headers.get('Location'), path).toMatch(/^\/login\?/);
  }
  const more = { shirtsPerOrder: '100', shirtsPerDay: '1000', spendPerDay: '25000', askAbove: '', until: 'month' };
  for (const path of ['/deputies/resume', '/deputies/ceiling', own]) {
    expect(await post(path, { ...more, form: accessToken, version: '1' }, bearer), path).toBe(401);
    expect(await post(path, { ...more, version: '1' }, { Cookie: `__Host-mcp-shop-session=${accessToken}` })).toBe(401);
  }
  const after = await recordOf(ada);
  expect(after.account.ceiling).toEqual({ shirtsPerDay: 20, spendPerDay: 50_000 });
  expect(after.deputies[0]?.mandate).toEqual(deputies[0]?.mandate);
});

test("a permission that the human does not have is no deputy's, whatever it asks for", async () => {
  const ada = person();
  const clientId = await registeredClient();
  const page = await ada.walk(authorizePath(clientId, { scope: 'shop:admin shop:everything' }));
  expect(page.html).not.toContain('shop:everything');
  const { left } = await ada.browser.press(page, 'Allow');
  const response = await redeem(clientId, left?.searchParams.get('code') ?? '');
  const { access_token: token, scope } = await response.json<{ access_token: string; scope: string }>();
  expect(scope).toBe('shop:browse');
  const answer = await rpc(token, {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'getUserInfo', arguments: {}, _meta: { permissions: ['shop:admin'] } },
  });
  expect(await answer.text()).toContain('permission_required');
});

test("no argument of a model stands for the human's yes", async () => {
  const deputy = await deputyOf(person(), '2026-07-28');
  for (const extra of [{ confirm: true }, { approved: true }, { userId: 'user_other' }, { total: 1 }]) {
    expect(await outcome(deputy, 'buyMcpShopItem', { ...PURCHASE, ...extra })).toBe('invalid_arguments');
  }
});
