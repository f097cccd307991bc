/**
 * A deputy uses a power that Ada did not grant, or took back: by calling the tool, with a token from before, or by asking
 * for more when it refreshes. A call needs its scope in the token and in the mandate as it is now.
 */
import { expect, test } from 'vitest';
import { callMessage, rpc } from '../support/http.ts';
import { person } from '../support/people.ts';
import { PURCHASE } from '../support/shop.ts';
import { plainClient, recordOf, refresh, type Tokens } from '../support/scene.ts';

const statusOf = async (token: string, tool: string, args = {}) => (await rpc(token, callMessage(tool, args))).status;

test('a power that was not ticked is refused, and no refresh adds it', async () => {
  const ada = person();
  ada.ticks = [];
  const { clientId, tokens } = await plainClient(ada);
  expect(await statusOf(tokens.access_token, 'buyMcpShopItem', PURCHASE)).toBe(403);
  expect(await statusOf(tokens.access_token, 'listMcpShopOrders')).toBe(403);

  const wider = await refresh(clientId, tokens.refresh_token, 'shop:browse shop:buy orders:read');
  const { access_token: token, scope } = await wider.json<Tokens & { scope: string }>();
  expect(scope).toBe('shop:browse');
  expect(await statusOf(token, 'buyMcpShopItem', PURCHASE)).toBe(403);
  expect((await recordOf(ada)).effects).toEqual([]);
});

test('a power that the human took back is refused to the token that still names it', async () => {
  const ada = person();
  const { tokens } = await plainClient(ada);
  expect(await statusOf(tokens.access_token, 'listMcpShopOrders')).toBe(200);
  const [deputy] = (await recordOf(ada)).deputies;
  const page = await ada.walk(`/deputies/${deputy?.deputyId}`);
  await ada.browser.press(page, 'Sign the new terms', { scope: [] });
  expect(await statusOf(tokens.access_token, 'listMcpShopOrders')).toBe(403);
  expect(await statusOf(tokens.access_token, 'buyMcpShopItem', PURCHASE)).toBe(403);
  expect(await statusOf(tokens.access_token, 'listMcpShopInventory')).toBe(200);
});

test('a token that was made for less does not use what the mandate allows', async () => {
  const { clientId, tokens } = await plainClient(person());
  const response = await refresh(clientId, tokens.refresh_token, 'shop:browse');
  const { access_token: token, scope } = await response.json<Tokens & { scope: string }>();
  expect(scope).toBe('shop:browse');
  expect(await statusOf(token, 'buyMcpShopItem', PURCHASE)).toBe(403);
  expect(await statusOf(token, 'listMcpShopOrders')).toBe(403);
});
