/**
 * A deputy that Ada has dismissed, or replaced, goes on buying with its token, and refreshes it to stay. The record is
 * asked at every call and every refresh, so the next call is 401, the refresh is invalid_grant, and only Ada can appoint it anew.
 */
import { expect, test } from 'vitest';
import { ERAS } from '../../src/dev/clients.ts';
import { callMessage, rpc } from '../support/http.ts';
import { deputyOf, objectOf, person } from '../support/people.ts';
import { buy, PURCHASE } from '../support/shop.ts';
import { plainClient, recordOf, refresh } from '../support/scene.ts';

test.each(ERAS)('the next call of a %s client that was dismissed leads back to the human, who says no', async (era) => {
  const ada = person();
  const deputy = await deputyOf(ada, era);
  await buy(deputy);
  const [record] = (await recordOf(ada)).deputies;
  await ada.browser.press(await ada.walk(`/deputies/${record?.deputyId}`), 'Dismiss for good');

  ada.decision = 'Deny';
  await expect(deputy.call('buyMcpShopItem', PURCHASE)).rejects.toThrow('access_denied');
  expect(deputy.credentials.asked).toBe(2);
  expect((await recordOf(ada)).effects).toHaveLength(1);
});

test('the token is of no more use at once, before anything is cleaned up behind', async () => {
  const ada = person();
  const { clientId, tokens } = await plainClient(ada);
  const [record] = (await recordOf(ada)).deputies;
  // The act itself, without the cleaning up that the console's page does after it.
  await objectOf(ada).act({ do: 'revoke', deputyId: record?.deputyId ?? '' });

  const answer = await rpc(tokens.access_token, callMessage('buyMcpShopItem', PURCHASE));
  expect(answer.status).toBe(401);
  expect(answer.headers.get('WWW-Authenticate')).toContain('error="invalid_token"');
  const refreshed = await refresh(clientId, tokens.refresh_token);
  expect(refreshed.status).toBe(400);
  expect(await refreshed.json()).toMatchObject({ error: 'invalid_grant' });
  const { effects, timeline } = await recordOf(ada);
  expect(effects).toEqual([]);
  expect(timeline[0]).toMatchObject({ decision: 'refused', code: 'deputy_revoked' });
});

test('a deputy that was replaced is refused the same way', async () => {
  const ada = person();
  const { clientId, tokens } = await plainClient(ada);
  const {
    account: { recordId },
    deputies: [old],
  } = await recordOf(ada);
  if (!old) throw new Error('nobody was appointed');
  // The new one takes its place in the record, again without the cleaning up.
  const { deputyId, clientName, redirectHost, mandate } = old;
  const next = { deputyId: 'dep_next', clientId, clientName, redirectHost, mandate, replaces: [deputyId] };
  await objectOf(ada).once('next', async () => ({ text: '', appointment: next, recordId }));
  await objectOf(ada).activate(next.deputyId, 'another grant');

  expect((await rpc(tokens.access_token, callMessage('buyMcpShopItem', PURCHASE))).status).toBe(401);
  expect((await refresh(clientId, tokens.refresh_token)).status).toBe(400);
  const { effects, timeline } = await recordOf(ada);
  expect(effects).toEqual([]);
  expect(timeline[0]).toMatchObject({ decision: 'refused', code: 'deputy_superseded' });
});
