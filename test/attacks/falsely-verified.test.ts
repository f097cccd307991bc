/**
 * Mallory wants to be taken for somebody else: her document is where a trusted host only points, or keeps files for anybody;
 * her client's name has another's address in it, or letters that look like others. The badge shows whose address answered.
 */
import { afterEach, expect, test, vi } from 'vitest';
import { textOf } from '../../src/dev/browser.ts';
import { ownTheFetch, shownAs } from '../../src/edge/client-document.ts';
import { authorizePath, CLIENT_REDIRECT, redeem, registeredClient } from '../support/http.ts';
import { deputyOf, person } from '../support/people.ts';
import { outcome } from '../support/scene.ts';
import { ORIGIN } from '../support/worker.ts';

const installed = globalThis.fetch;
afterEach(() => {
  vi.useRealTimers();
  globalThis.fetch = installed;
});

const JSON_TYPE = { 'Content-Type': 'application/json' };

/** The consent page of a client with a document, when its host answers with `answer` of that document. */
async function consentOf(
  answer: (document: string) => Response,
  name = 'Assistant',
  metadata: Record<string, unknown> = {},
) {
  const clientId = `https://trusted.example/${crypto.randomUUID()}/client.json`;
  const stated = { client_id: clientId, client_name: name, redirect_uris: [CLIENT_REDIRECT], ...metadata };
  const document = JSON.stringify(stated);
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    if (new URL(request.url).origin === ORIGIN) return installed(request);
    const first = request.url === clientId ? answer(document) : new Response(document, { headers: JSON_TYPE });
    // As a network does it: a redirect is followed unless the request says otherwise.
    return first.status === 302 && request.redirect === 'follow'
      ? globalThis.fetch(first.headers.get('Location') ?? '')
      : first;
  };
  ownTheFetch();
  return { clientId, page: await person().walk(authorizePath(clientId)) };
}

test.each([
  ['a redirect', () => new Response(null, { status: 302, headers: { Location: 'https://evil.example/c.json' } })],
  ['201', (document: string) => new Response(document, { status: 201, headers: JSON_TYPE })],
  ['203', (document: string) => new Response(document, { status: 203, headers: JSON_TYPE })],
  ['a page', (document: string) => new Response(document, { headers: { 'Content-Type': 'text/html' } })],
  ['a file', (document: string) => new Response(document, { headers: { 'Content-Type': 'application/octet-stream' } })],
  [
    'text',
    (document: string) => new Response(document, { headers: { 'Content-Type': 'text/plain; a=application/json' } }),
  ],
  ['no type', (document: string) => new Response(new TextEncoder().encode(document))],
])('a document that its address answers with %s verifies nobody', async (_, answer) => {
  const { page } = await consentOf(answer);
  expect(page.status).toBe(400);
  expect(textOf(page)).toContain('This app could not be verified');
});

test.each(['application/json', 'Application/JSON; charset=utf-8', 'application/client-metadata+json'])(
  'a document of type %s does, and the page shows its host and path',
  async (type) => {
    const { clientId, page } = await consentOf(
      (document) => new Response(document, { headers: { 'Content-Type': type } }),
    );
    expect(textOf(page)).toContain(`verified: ${clientId.slice('https://'.length)}`);
  },
);

test('RFC 7591, 2: what a document leaves unset is left out, as in a registration', async () => {
  const unset = { client_uri: null, logo_uri: '', tos_uri: null, contacts: [null], grant_types: null, scope: '' };
  const { page } = await consentOf((document) => new Response(document, { headers: JSON_TYPE }), 'Assistant', unset);
  expect(textOf(page)).toContain('Make Assistant your deputy?');
});

test('the rule holds from the start of the Worker', async () => {
  const headers = { 'User-Agent': 'workers-oauth-provider/9 (+https://example.com)' };
  expect((await fetch('data:text/html,{}', { headers })).status).toBe(502);
  expect((await fetch('data:application/json,{}', { headers })).status).toBe(200);
  expect((await fetch('data:text/html,{}')).status).toBe(200);
});

const NAMELESS = 'An app without a name';

test.each([
  'Claude (claude.ai)',
  'https://claude.ai',
  'support@claude.ai',
  'claude.ai\u200b',
  'claude\u3002ai',
  'claude\uff0eai',
  'CLAUDE.AI connector',
  'Cl\u0430ude',
  '\u0421laude Desktop',
  'G\u03bfogle',
])('a client that calls itself %j is shown without a name, and unverified', async (name) => {
  const page = await person().walk(authorizePath(await registeredClient({ client_name: name })));
  expect(textOf(page)).toContain(`Make ${NAMELESS} your deputy?`);
  expect(page.html).not.toContain('claude.ai');
  const verified = await consentOf((document) => new Response(document, { headers: JSON_TYPE }), name);
  expect(textOf(verified.page)).toContain(`Make ${NAMELESS} your deputy?`);
  expect(textOf(verified.page)).toContain('unverified Anyone can use this name.');
});

test.each([
  'Claude',
  'Клод',
  'Κλοντ',
  'クロードAI',
  'Claude Code 2.1.0',
  'Łódź 👋',
  'Müller & Søn',
  'Клод Desktop',
  'e. V.',
])('a client that calls itself %j is shown with that name', (clientName) => {
  expect(shownAs({ clientId: 'random', clientName })).toEqual({ name: clientName, publisher: undefined });
});

test('its own host may be in a name, and a host that only contains it may not', () => {
  const clientId = 'https://e.ai/client.json';
  const publisher = { host: 'e.ai', path: '/client.json' };
  expect(shownAs({ clientId, clientName: 'E (e.ai)' })).toEqual({ name: 'E (e.ai)', publisher });
  expect(shownAs({ clientId, clientName: 'claude.ai' })).toEqual({ name: NAMELESS });
  expect(shownAs({ clientId, clientName: 'e.ai.evil.example' })).toEqual({ name: NAMELESS });
});

test('the console and the other deputies read the same name', async () => {
  const human = person();
  const mallory = await deputyOf(human, '2026-07-28', 'Claude (claude.ai)');
  expect(await outcome(mallory, 'listMcpShopInventory')).toBe('allowed');
  // The details of a line have what the client said, as its unverified name.
  const [page, all] = [await human.walk('/deputies'), await human.walk('/deputies/all')];
  expect(textOf(page)).toContain(`You appointed ${NAMELESS}`);
  expect(textOf(all)).toContain(`${NAMELESS} unverified`);
  expect(all.html).not.toContain('claude.ai');
  expect((await mallory.call('getMyMandate')).text).not.toContain('claude.ai');
});

test('one fetch serves one sign-in, and five minutes later the document is read again', async () => {
  let fetched = 0;
  const { clientId } = await consentOf((document) => {
    fetched += 1;
    return new Response(document, { headers: { ...JSON_TYPE, 'Cache-Control': 'no-cache' } });
  });
  const code = (await person().answer(authorizePath(clientId))).get('code') ?? '';
  expect((await redeem(clientId, code)).status).toBe(200);
  expect(fetched).toBe(1);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 301_000 });
  expect((await person().walk(authorizePath(clientId))).status).toBe(200);
  expect(fetched).toBe(2);
});

test('a document that the provider would not read is not read here', async () => {
  const { page } = await consentOf((document) => new Response(document.padEnd(5121), { headers: JSON_TYPE }));
  expect(page.status).toBe(400);
});

test('the keys of a client are asked for anew, because they rotate', async () => {
  let fetched = 0;
  globalThis.fetch = async () => Response.json({ keys: (fetched += 1) });
  ownTheFetch();
  const ask = () => fetch('https://keys.example/jwks.json', { headers: { 'User-Agent': 'workers-oauth-provider/1' } });
  for (const keys of [1, 2]) expect(await (await ask()).json()).toEqual({ keys });
});
