/**
 * A client signs in again and again, has its old deputies dismissed, and hopes that each new one brings limits of its own.
 * The ceiling of the account binds all deputies together, dismissed and replaced ones included.
 */
import { expect, test } from 'vitest';
import { authorizePath, callMessage, messageOf, redeem, registeredClient, rpc } from '../support/http.ts';
import { objectOf, person } from '../support/people.ts';
import { PURCHASE } from '../support/shop.ts';
import { recordOf, stoppedBy, type Tokens } from '../support/scene.ts';

/** Another deputy of the same client. */
async function signInAgain(ada: ReturnType<typeof person>, clientId: string) {
  const code = (await ada.answer(authorizePath(clientId))).get('code') ?? '';
  const { access_token: token } = await (await redeem(clientId, code)).json<Tokens>();
  return async (quantity: number) => {
    const { result } = await messageOf(await rpc(token, callMessage('buyMcpShopItem', { ...PURCHASE, quantity })));
    return stoppedBy(result?.['structuredContent'] as { error?: unknown });
  };
}

test('ten sign-ins of one client order no more than the account allows, dismissed deputies included', async () => {
  const ada = person();
  // Money enough, so that it is the shirts that end.
  await ada.browser.press(await ada.walk('/deputies/ceiling'), 'Set these limits', { spendPerDay: '1000' });
  ada.blanks = { askAbove: '' };
  const clientId = await registeredClient();
  for (let round = 0; round < 2; round += 1) {
    const purchase = await signInAgain(ada, clientId);
    expect([await purchase(5), await purchase(5), await purchase(1)]).toEqual([
      'allowed',
      'allowed',
      'daily_limit shirtsPerDay',
    ]);
    const [newest] = (await recordOf(ada)).deputies.filter(({ status }) => status === 'active');
    await objectOf(ada).act({ do: 'revoke', deputyId: newest?.deputyId ?? '' });
  }
  for (let round = 2; round < 10; round += 1) {
    expect(await (await signInAgain(ada, clientId))(1)).toBe('account_limit shirtsPerDay');
  }
  const { effects, used } = await recordOf(ada);
  expect(effects).toHaveLength(4);
  expect(used).toEqual({ shirtsPerDay: 20, spendPerDay: 50_000 });
});

test("a deputy that replaces another one does not get that one's money once more", async () => {
  const ada = person();
  await ada.browser.press(await ada.walk('/deputies/ceiling'), 'Set these limits', { spendPerDay: '100' });
  const clientId = await registeredClient();
  const first = await signInAgain(ada, clientId);
  expect(await first(3)).toBe('allowed');
  const [old] = (await recordOf(ada)).deputies;
  ada.blanks = { replaces: old?.deputyId ?? '' };
  const second = await signInAgain(ada, clientId);
  expect((await recordOf(ada)).deputies.map(({ status }) => status).toSorted()).toEqual(['active', 'superseded']);
  expect(await second(2)).toBe('account_limit spendPerDay');
  expect(await second(1)).toBe('allowed');
});
