/**
 * A deputy keeps its token and goes on after the day that Ada wrote into the mandate. The end is checked at every call and
 * every refresh, on the record's clock.
 */
import { afterEach, expect, test, vi } from 'vitest';
import { callMessage, rpc } from '../support/http.ts';
import { person } from '../support/people.ts';
import { PURCHASE } from '../support/shop.ts';
import { plainClient, recordOf, refresh } from '../support/scene.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('nothing is bought and no token is had after the mandate has ended', async () => {
  const ada = person();
  ada.blanks = { until: 'hour' };
  const { clientId, tokens } = await plainClient(ada);
  const start = Date.now();
  const buyAt = async (minutes: number) => {
    vi.useFakeTimers({ toFake: ['Date'], now: start + minutes * 60_000 });
    return (await rpc(accessToken, callMessage('buyMcpShopItem', PURCHASE))).status;
  };
  // A token from just before the end outlives it.
  vi.useFakeTimers({ toFake: ['Date'], now: start + 55 * 60_000 });
  const later = await (await refresh(clientId, tokens.refresh_token)).json<typeof tokens>();
  const accessToken = later.access_token;
  expect(await buyAt(58)).toBe(200);
  expect(await buyAt(61)).toBe(401);
  expect((await refresh(clientId, later.refresh_token)).status).toBe(400);
  expect((await recordOf(ada)).effects).toHaveLength(1);
});
