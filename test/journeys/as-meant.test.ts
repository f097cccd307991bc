/** What real clients send that is not quite what a schema says: an argument, an envelope or a header whose meaning is beyond doubt. */
import { expect, test } from 'vitest';
import { ERAS, type Era } from '../../src/dev/clients.ts';
import { callMessage, messageOf, rpc, rpcIn, send } from '../support/http.ts';
import { deputyOf, person } from '../support/people.ts';
import { PURCHASE } from '../support/shop.ts';
import { plainClient } from '../support/scene.ts';
import { ORIGIN } from '../support/worker.ts';

/** A human whose deputy may buy all that these tests buy. */
function generous() {
  const human = person();
  human.blanks = { shirtsPerDay: '20', spendPerDay: '500' };
  return human;
}

const SENT: [string, Record<string, unknown>, Record<string, unknown>][] = [
  ['optional fields that are null', { color: null, quantity: null, idempotencyKey: null }, { quantity: 1 }],
  ['optional fields that are blank', { color: '', quantity: ' ', idempotencyKey: '' }, { color: 'black' }],
  ['a whole number as text', { quantity: '2' }, { quantity: 2 }],
  ['a whole number as text with a fraction of nothing', { quantity: ' 2.0 ' }, { quantity: 2 }],
  ['a size and a color in other letters', { tshirtSize: 'xl', color: 'Blue' }, { tshirtSize: 'XL', color: 'blue' }],
  ['what hosts add to every call', { sessionId: 'a', action: 'sendMessage', toolCallId: 'b', _meta: {} }, {}],
  ['what Gemini CLI adds for its scheduler', { wait_for_previous: true }, {}],
  ['an unknown field that is not set', { giftWrap: null }, {}],
  ['a tab in an address', { mailingAddress: '1 Main St\tLondon' }, { mailingAddress: '1 Main St London' }],
  ['an old line end', { mailingAddress: '1 Main St\rLondon' }, { mailingAddress: '1 Main St\nLondon' }],
  ['a line break in a company', { company: 'Analytical\nEngines' }, { company: 'Analytical Engines' }],
  ['a closed embedding', { mailingAddress: '1 Main St, \u202a+44 20\u202c' }, { mailingAddress: '1 Main St, +44 20' }],
  ['a closed override', { mailingAddress: '1 Main St, \u202d+44 20\u202c' }, { mailingAddress: '1 Main St, +44 20' }],
  ['closed isolates', { company: '\u2068شركة\u2069 Ltd' }, { company: 'شركة Ltd' }],
  ['a company of signs', { company: '!!!' }, { company: '!!!' }],
];

test.each(ERAS)('a %s client orders what its model meant', async (era) => {
  const deputy = await deputyOf(generous(), era);
  for (const [index, [what, args, kept]] of SENT.entries()) {
    // Ten purchases a minute are enough for each era's half.
    if (index % ERAS.length !== ERAS.indexOf(era)) continue;
    const { data, text } = await deputy.call('buyMcpShopItem', { ...PURCHASE, ...args });
    expect(data['order'], `${what}: ${text}`).toMatchObject({ ...PURCHASE, ...kept });
  }
});

test('pages that are not set are the first ones', async () => {
  const deputy = await deputyOf(generous(), '2025-11-25');
  for (const args of [{ cursor: null, limit: null }, { cursor: '' }, { limit: '5' }])
    expect((await deputy.call('listMcpShopOrders', args)).isError).toBe(false);
});

/** The call as that era's plain client sends it, with changes of the message. */
async function sent(era: Era, token: string, changes: Record<string, unknown>) {
  const message = { ...callMessage('listMcpShopInventory'), ...changes };
  const response = await rpcIn(era, token, message);
  return { status: response.status, ...(await messageOf(response)) };
}

test.each(ERAS)('an envelope that says nothing more than JSON-RPC 2.0 allows is served in %s', async (era) => {
  const { tokens } = await plainClient(person());
  for (const args of [null, undefined, '{}', {}]) {
    const { result, error } = await sent(era, tokens.access_token, {
      params: { name: 'listMcpShopInventory', arguments: args },
    });
    expect(error, String(args)).toBeUndefined();
    expect(result?.['isError'] ?? false, String(args)).toBe(false);
  }
  expect(await sent(era, tokens.access_token, { trace: 'abc' })).not.toHaveProperty('error');
});

test('parameters that are null or an empty list are left out', async () => {
  const { tokens } = await plainClient(person());
  for (const params of [
    null,
    [],
    { cursor: null },
    { cursor: '' },
    { _meta: null },
    { _meta: { progressToken: null } },
  ])
    for (const method of ['tools/list', 'ping']) {
      const answer = await rpc(tokens.access_token, { jsonrpc: '2.0', id: 1, method, params });
      expect(await messageOf(answer), `${method} ${JSON.stringify(params)}`).toHaveProperty('result');
    }
  const notified = await rpc(tokens.access_token, {
    jsonrpc: '2.0',
    method: 'notifications/initialized',
    params: null,
  });
  expect(notified.status).toBe(202);
});

test('a client that writes what it lacks as null is greeted', async () => {
  const { tokens } = await plainClient(person());
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: { roots: null, sampling: null, elicitation: { form: null }, experimental: null },
    clientInfo: { name: 'Serializer', version: '1', title: null, websiteUrl: null, icons: null },
  };
  const answer = await rpc(tokens.access_token, { jsonrpc: '2.0', id: 1, method: 'initialize', params });
  expect(await messageOf(answer)).toMatchObject({ result: { protocolVersion: '2025-11-25' } });
});

const REFUSED: [string, unknown, number, number | string | null][] = [
  ['a text', 'x', -32600, null],
  ['a number', 7, -32600, null],
  ['null', null, -32600, null],
  ['another version', { jsonrpc: '1.0', id: 1, method: 'ping' }, -32600, 1],
  ['no version', { id: 'a', method: 'ping' }, -32600, 'a'],
  ['no method', { jsonrpc: '2.0', id: 1 }, -32600, 1],
  ['a method that is no text', { jsonrpc: '2.0', id: 1, method: 5 }, -32600, 1],
  ['an id that is null', { jsonrpc: '2.0', id: null, method: 'ping' }, -32600, null],
  ['an id that is an object', { jsonrpc: '2.0', id: {}, method: 'ping' }, -32600, null],
  ['an id that no number holds', { jsonrpc: '2.0', id: 1e30, method: 'ping' }, -32600, null],
  ['parameters by position', { jsonrpc: '2.0', id: 1, method: 'ping', params: ['x'] }, -32600, 1],
  ['a cursor that is a number', { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { cursor: 5 } }, -32602, 1],
  ['no tool', { jsonrpc: '2.0', id: 1, method: 'tools/call', params: {} }, -32602, 1],
  ['a tool that is a number', { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 5 } }, -32602, 1],
  ['an empty hello', { jsonrpc: '2.0', id: 1, method: 'initialize', params: {} }, -32602, 1],
  [
    'arguments that are a list',
    { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'getMyMandate', arguments: [1] } },
    -32602,
    1,
  ],
];

test.each(REFUSED)('%s is refused with its code, in one sentence', async (_, message, code, id) => {
  const { tokens } = await plainClient(person());
  const answer = await messageOf(await rpc(tokens.access_token, JSON.stringify(message)));
  expect(answer).toMatchObject({ jsonrpc: '2.0', id, error: { code } });
  expect(answer.error?.message).toMatch(/^[^\n[\]{}]+\.$/);
});

const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} };

test.each([
  [undefined, 'text/event-stream'],
  ['*/*', 'text/event-stream'],
  ['application/*, text/*;q=0.5', 'text/event-stream'],
  ['Application/JSON, Text/Event-Stream', 'text/event-stream'],
  ['text/event-stream', 'text/event-stream'],
  ['application/json', 'application/json'],
  ['application/json, text/event-stream;q=0', 'application/json'],
  ['application/json;charset=utf-8', 'application/json'],
])('a 2025-11-25 client that accepts %s is answered with %s', async (accept, type) => {
  const { tokens } = await plainClient(person());
  const headers = new Headers({ 'Content-Type': 'application/json', Authorization: `Bearer ${tokens.access_token}` });
  if (accept !== undefined) headers.set('Accept', accept);
  const response = await send('/mcp', { method: 'POST', body: JSON.stringify(LIST), headers });
  expect(response.status).toBe(200);
  expect(response.headers.get('Content-Type')).toContain(type);
  expect(await messageOf(response)).toHaveProperty('result.tools');
});

test.each([
  ['*/*', 'application/json'],
  ['text/event-stream', 'text/event-stream'],
  ['application/json', 'application/json'],
])('a 2026-07-28 client that accepts %s is answered with %s', async (accept, type) => {
  const { tokens } = await plainClient(person());
  const message = callMessage('listMcpShopInventory');
  const response = await rpcIn('2026-07-28', tokens.access_token, message, {}, { Accept: accept });
  expect(response.headers.get('Content-Type')).toContain(type);
  expect(await messageOf(response)).toHaveProperty('result.content');
});

test.each(['text/html', 'application/json;q=0, text/event-stream;q=0', 'image/*'])(
  'a client that accepts %s alone is told what there is',
  async (accept) => {
    const { tokens } = await plainClient(person());
    const response = await rpc(tokens.access_token, LIST, { Accept: accept });
    expect(response.status).toBe(406);
    expect((await messageOf(response)).error?.message).toContain('application/json or text/event-stream');
  },
);

test.each(['', 'Application/JSON; charset=UTF-8', 'application/vnd.api+json'])(
  'a body of the type "%s" is read as JSON',
  async (type) => {
    const { tokens } = await plainClient(person());
    const headers = new Headers({ Authorization: `Bearer ${tokens.access_token}` });
    if (type) headers.set('Content-Type', type);
    const body = new TextEncoder().encode(JSON.stringify(LIST));
    const response = await send(new URL('/mcp', ORIGIN).pathname, { method: 'POST', body, headers });
    expect(await messageOf(response)).toHaveProperty('result.tools');
  },
);
