/**
 * Mallory reads a code out of a log or a browser's history and redeems it. It works once, for its own client, with a
 * verifier she does not have, in a flow that cannot be weakened, and not after Ada has dismissed the deputy.
 */
import { expect, test } from 'vitest';
import { linkOf } from '../../src/dev/browser.ts';
import { authorizePath, callMessage, redeem, registeredClient, rpc } from '../support/http.ts';
import { objectOf, person } from '../support/people.ts';
import { plainClient, recordOf } from '../support/scene.ts';

async function freshCode(human = person()) {
  const clientId = await registeredClient();
  return { clientId, code: (await human.answer(authorizePath(clientId))).get('code') ?? '' };
}

test('a code works once, and comes it again with another verifier, that ends what the first one got', async () => {
  const { clientId, code, tokens } = await plainClient(person());
  const again = await redeem(clientId, code, { code_verifier: 'a'.repeat(43) });
  expect(again.status).toBe(400);
  expect(await again.json()).toMatchObject({ error: 'invalid_grant' });
  expect((await rpc(tokens.access_token, callMessage('listMcpShopInventory'))).status).toBe(401);
});

test('a stolen code is worthless without the verifier, and to any other client', async () => {
  for (const changes of [
    { redirect_uri: undefined, code_verifier: 'a'.repeat(43) },
    { code_verifier: undefined },
    { client_id: await registeredClient() },
  ]) {
    const { clientId, code } = await freshCode();
    expect((await redeem(clientId, code, changes)).status, JSON.stringify(changes)).toBe(400);
  }
});

test.each([
  ['the implicit flow', { response_type: 'token' }, 'unsupported_response_type'],
  ['no response type', { response_type: undefined }, 'invalid_request'],
  ['no PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
  ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
])('nobody can ask for a code that is easier to steal: %s', async (_, changes, error) => {
  const page = await person().walk(authorizePath(await registeredClient(), changes));
  const link = linkOf(page, 'Go back to client.example');
  expect(link?.origin).toBe('https://client.example');
  expect(Object.fromEntries(link?.searchParams ?? [])).toMatchObject({ error, state: 'client-state' });
});

test('a code is worthless once the human has dismissed the deputy', async () => {
  const ada = person();
  const { clientId, code } = await freshCode(ada);
  const [deputy] = (await recordOf(ada)).deputies;
  await objectOf(ada).act({ do: 'revoke', deputyId: deputy?.deputyId ?? '' });
  const response = await redeem(clientId, code);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: 'invalid_grant' });
});
