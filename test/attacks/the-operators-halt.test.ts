/**
 * A hostile client, or a fault of ours, is loose, and no human can be asked. The operator stops one client everywhere, or
 * every deputy of everybody, at the next call and the next token; what humans have set stays as it was.
 */
import { createExecutionContext, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { haltFor } from '../../src/edge/halt.ts';
import worker from '../../src/dev/index.ts';
import { textOf } from '../../src/dev/browser.ts';
import { approve, send, yesTo } from '../support/answering.ts';
import { authorizePath, callMessage, messageOf, registeredClient } from '../support/http.ts';
import { deputyOf, objectOf, person } from '../support/people.ts';
import { PURCHASE } from '../support/shop.ts';
import { plainClient, recordOf } from '../support/scene.ts';
import { ORIGIN } from '../support/worker.ts';

/** The same request at a Worker whose operator has set these variables. */
function at(variables: Partial<Env>, path: string, init: RequestInit): Promise<Response> {
  const request = new Request(new URL(path, ORIGIN), { redirect: 'manual', ...init });
  return worker.fetch(request, { ...env, ...variables }, createExecutionContext());
}

const buying = (token: string): RequestInit => ({
  method: 'POST',
  body: JSON.stringify(callMessage('buyMcpShopItem', PURCHASE)),
  headers: {
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
    Authorization: `Bearer ${token}`,
  },
});

const refreshing = (clientId: string, token: string): RequestInit => ({
  method: 'POST',
  body: new URLSearchParams({ grant_type: 'refresh_token', client_id: clientId, refresh_token: token }),
});

test('a halt stops every deputy at its next call and its next token, and says who can lift it', async () => {
  const ada = person();
  const { clientId, tokens } = await plainClient(ada);
  const stopped = await at({ HALT: 'on' }, '/mcp', buying(tokens.access_token));
  expect(stopped.status).toBe(503);
  expect(stopped.headers.get('Retry-After')).toBe('60');
  expect((await messageOf(stopped)).error?.message).toContain('Only the operator can lift that.');
  const token = await at({ HALT: 'on' }, '/token', refreshing(clientId, tokens.refresh_token));
  expect(token.status).toBe(503);
  expect(await token.json()).toMatchObject({ error: 'temporarily_unavailable' });
  expect((await recordOf(ada)).effects).toEqual([]);

  // Lifted, everything is as it was: no grant is gone.
  expect((await at({ HALT: 'off' }, '/mcp', buying(tokens.access_token))).status).toBe(200);
  expect((await at({}, '/token', refreshing(clientId, tokens.refresh_token))).status).toBe(200);
  expect((await recordOf(ada)).effects).toHaveLength(1);
});

test('a yes of the human does not reach over a halt', async () => {
  const ada = person();
  const deputy = await deputyOf(ada, '2026-07-28');
  const { data } = await deputy.call('buyMcpShopItem', { ...PURCHASE, quantity: 4 });
  const { id } = (data['error'] as { waiting: { id: string } }).waiting;
  const [{ clientId } = { clientId: '' }] = (await recordOf(ada)).deputies;
  const asking = await registeredClient();
  for (const variables of [{ HALT: 'on' }, { BLOCKED_CLIENTS: `${clientId}, ${asking}` }]) {
    const yes = await yesTo(ada, id);
    await runInDurableObject(objectOf(ada), (object) => void Object.assign(object, { env: { ...env, ...variables } }));
    const refused = await send(ada, id, yes);
    expect([variables, refused.status]).toEqual([variables, 409]);
    expect(refused.html).toContain('Only the operator can lift that.');
    expect(refused.html).not.toContain('value="approve"');
    expect(textOf(await ada.browser.open(authorizePath(asking)))).toContain('The operator has stopped this app.');
  }
  await runInDurableObject(objectOf(ada), (object) => void Object.assign(object, { env }));
  expect(textOf(await ada.browser.open(authorizePath(asking)))).not.toContain('The operator has stopped');
  expect((await approve(ada, id)).status).toBe(200);
});

test('one client can be blocked everywhere, and the others go on', async () => {
  const [bad, good] = [await plainClient(person()), await plainClient(person())];
  const variables = { BLOCKED_CLIENTS: `somebody, ${bad.clientId}` };
  const stopped = await at(variables, '/mcp', buying(bad.tokens.access_token));
  expect(stopped.status).toBe(403);
  expect((await messageOf(stopped)).error?.message).toContain('has blocked this client');
  const token = await at(variables, '/token', refreshing(bad.clientId, bad.tokens.refresh_token));
  expect(token.status).toBe(400);
  expect(await token.json()).toMatchObject({ error: 'unauthorized_client' });
  expect((await at(variables, '/mcp', buying(good.tokens.access_token))).status).toBe(200);
  expect((await at(variables, '/token', refreshing(good.clientId, good.tokens.refresh_token))).status).toBe(200);
});

test('the pages of a human say that the operator has stopped everything, and the red button still works', async () => {
  const ada = person();
  await plainClient(ada);
  const cookies = [...ada.browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const page = await at({ HALT: 'on' }, '/deputies', { headers: { Cookie: cookies } });
  const html = await page.text();
  expect(html).toContain('The operator has stopped all deputies of everybody.');
  expect(html).toContain('Nobody acts for you');
  const [, form = ''] = /name="form" value="([^"]+)"/.exec(html) ?? [];
  const pressed = await at({ HALT: 'on' }, '/deputies/pause', {
    method: 'POST',
    body: new URLSearchParams({ form }),
    headers: { Cookie: cookies, Origin: ORIGIN },
  });
  expect(pressed.status).toBe(303);
  expect((await recordOf(ada)).account.authority).toBe('paused');
});

test.each([
  ['https://evil.example/a,b.json'],
  ['one, https://evil.example/a,b.json,'],
  ['https://evil.example/a,b.json two'],
])('a client whose address holds a comma can be blocked by "%s"', (blocked) => {
  const id = 'https://evil.example/a,b.json';
  expect(haltFor({ BLOCKED_CLIENTS: blocked }, id)?.blocked).toBe(true);
});
