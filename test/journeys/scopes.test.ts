/** What the human ticks is what the deputy may do, and asking for more goes back to the human. */
import { expect, test } from 'vitest';
import { ERAS } from '../../src/dev/clients.ts';
import { callMessage, rpc } from '../support/http.ts';
import { deputyOf, person } from '../support/people.ts';
import { PURCHASE } from '../support/shop.ts';

test.each(ERAS)('a %s client without the power to buy is sent back to the human, who may grant it', async (era) => {
  const human = person();
  human.ticks = ['orders:read'];
  const deputy = await deputyOf(human, era);
  expect((await deputy.call('listMcpShopInventory')).isError).toBe(false);

  human.ticks = ['shop:buy', 'orders:read'];
  if (era === '2025-11-25') {
    // This SDK answers a 403 by refreshing its token, which raises nothing, and then gives up: its user signs in anew.
    await expect(deputy.call('buyMcpShopItem', PURCHASE)).rejects.toThrow('403');
    deputy.credentials.signOut();
    await deputy.reconnect();
  }
  expect((await deputy.call('buyMcpShopItem', PURCHASE)).isError).toBe(false);
  expect(deputy.credentials.asked).toBe(2);
});

test('a call without its scope is answered with 403 and every scope to ask for', async () => {
  const human = person();
  human.ticks = ['orders:read'];
  const { accessToken } = await deputyOf(human, '2025-11-25');
  const response = await rpc(accessToken, callMessage('buyMcpShopItem', PURCHASE), { Origin: 'http://localhost:6274' });
  expect(response.status).toBe(403);
  const challenge = response.headers.get('WWW-Authenticate') ?? '';
  expect(challenge).toContain('error="insufficient_scope"');
  expect(challenge).toContain('scope="shop:buy shop:browse orders:read"');
  expect(challenge).toContain('resource_metadata="http://localhost:8787/.well-known/oauth-protected-resource/mcp"');
  expect(response.headers.get('Access-Control-Expose-Headers')).toContain('WWW-Authenticate');
});

test('browsing is granted even when nothing is ticked', async () => {
  const human = person();
  human.ticks = [];
  const deputy = await deputyOf(human, '2026-07-28');
  expect(deputy.credentials.tokens()?.scope).toBe('shop:browse');
  expect((await deputy.call('listMcpShopInventory')).isError).toBe(false);
});
