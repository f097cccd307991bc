/** Whatever a model sends by mistake: an error that names the field and the fix, and nothing stored. */
import { expect, test } from 'vitest';
import { ERAS } from '../../src/dev/clients.ts';
import { questionPath, send as sendAnswer, yesTo } from '../support/answering.ts';
import { callMessage, cookiesOf, messageOf, rpc, send } from '../support/http.ts';
import { deputyOf, person } from '../support/people.ts';
import { recordOf } from '../support/scene.ts';
import { PURCHASE } from '../support/shop.ts';
import { ORIGIN } from '../support/worker.ts';

const WRONG_PURCHASES: [string, Record<string, unknown>, RegExp][] = [
  ['a missing company', { company: undefined }, /company: must be text\./],
  ['a company of the wrong type', { company: 7 }, /company: must be text\./],
  ['an empty company', { company: '' }, /company: must not be empty or blank\./],
  ['a blank company', { company: ' \t ' }, /company: must not be empty or blank\./],
  ['an invisible company', { company: '\u200b\u2060' }, /company: must not be empty or blank\./],
  ['a company drawn as nothing', { company: '\u3164\u2800' }, /company: must not be empty or blank\./],
  ['a company of 101 characters', { company: 'x'.repeat(101) }, /company: must be at most 100 characters\./],
  ['a bell in the company', { company: 'A\u0007B' }, /company: must not contain control characters/],
  ['a blank address', { mailingAddress: '\n\n' }, /mailingAddress: must not be empty or blank\./],
  ['a NUL in the address', { mailingAddress: 'a\u0000b' }, /mailingAddress: must not contain control characters/],
  [
    'a bidirectional override',
    { mailingAddress: 'a\u202eb' },
    /mailingAddress: must not contain .*bidirectional overrides/,
  ],
  ['half a character', { mailingAddress: 'a\ud83d' }, /mailingAddress: must not contain/],
  [
    'an address of 501 characters',
    { mailingAddress: 'x'.repeat(501) },
    /mailingAddress: must be at most 500 characters\./,
  ],
  ['an unknown size', { tshirtSize: 'XS' }, /tshirtSize: must be one of S, M, L, XL, XXL\./],
  ['an unknown color', { color: 'plaid' }, /color: must be one of black, blue, white\./],
  ['quantity 0', { quantity: 0 }, /quantity: must be a whole number from 1 to 100\./],
  ['quantity -1', { quantity: -1 }, /quantity: must be a whole number from 1 to 100\./],
  ['quantity 1.5', { quantity: 1.5 }, /quantity: must be a whole number from 1 to 100\./],
  ['quantity 1000', { quantity: 1000 }, /quantity: must be a whole number from 1 to 100\./],
  ['a quantity of 1.5 as text', { quantity: '1.5' }, /quantity: must be a whole number from 1 to 100\./],
  ['a quantity that is a list', { quantity: [1] }, /quantity: must be a whole number from 1 to 100\./],
  ['a company that is null', { company: null }, /company: must be text\./],
  ['a size that is blank', { tshirtSize: '' }, /tshirtSize: must be one of S, M, L, XL, XXL\./],
  ['a name that every object has', { constructor: 'x' }, /company|takes only/],
  ['a quantity under another name', { qty: 2 }, /"qty": unknown; this tool takes only company, mailingAddress/],
  [
    'a bidirectional control that another line closes',
    { mailingAddress: 'a\u202ab\nc\u202c' },
    /mailingAddress: must not contain .*bidirectional overrides/,
  ],
  ['a quantity in words', { quantity: 'two' }, /quantity: must be a whole number from 1 to 100\./],
  ['an unknown field', { giftWrap: true }, /"giftWrap": unknown; this tool takes only company, mailingAddress/],
];

test.each(ERAS)(
  'a purchase with one wrong argument tells a %s client the field and the fix, and orders nothing',
  async (era) => {
    const deputy = await deputyOf(person(), era);
    for (const [what, change, message] of WRONG_PURCHASES) {
      const answer = await deputy.call('buyMcpShopItem', { ...PURCHASE, ...change });
      expect(answer, what).toMatchObject({
        isError: true,
        data: { error: { code: 'invalid_arguments', whoCanLift: 'deputy' } },
      });
      expect(answer.text, what).toMatch(message);
      expect(answer.text, what).toMatch(/Correct them and call again\.$/);
    }
    expect((await deputy.call('listMcpShopOrders')).data['orders']).toEqual([]);
  },
);

test('several wrong arguments are named together', async () => {
  const deputy = await deputyOf(person(), '2026-07-28');
  const { text } = await deputy.call('buyMcpShopItem', { tshirtSize: 'huge', quantity: 0 });
  for (const field of ['company', 'mailingAddress', 'tshirtSize', 'quantity']) expect(text).toContain(`${field}: `);
});

test('thousands of unknown fields are answered in a few words', async () => {
  const deputy = await deputyOf(person(), '2026-07-28');
  const fields = Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`field${index}`, 1]));
  const answer = await deputy.call('buyMcpShopItem', { ...PURCHASE, ...fields });
  expect(answer.isError).toBe(true);
  expect(JSON.stringify(answer).length).toBeLessThan(2000);
});

test('an address may have line breaks and any script', async () => {
  const deputy = await deputyOf(person(), '2026-07-28');
  const mailingAddress = 'ul. Piękna 5\r\n00-477 Łódź\n日本 👋🏽';
  const bought = await deputy.call('buyMcpShopItem', { ...PURCHASE, mailingAddress });
  expect(bought.data['order']).toMatchObject({ mailingAddress });
});

test.each(ERAS)('other tools tell a %s client about wrong arguments too', async (era) => {
  const deputy = await deputyOf(person(), era);
  const cases: [string, Record<string, unknown>, RegExp][] = [
    ['setDemoMode', { mode: 'superbanned' }, /mode: must be one of normal, banned\./],
    ['setDemoMode', {}, /mode: must be one of normal, banned\./],
    ['listMcpShopInventory', { color: 'blue' }, /"color": unknown; this tool takes no arguments\./],
    ['listMcpShopOrders', { limit: 101 }, /limit: must be a whole number from 1 to 100\./],
    ['listMcpShopOrders', { cursor: 'made up' }, /cursor: this is not a nextCursor/],
    ['listMcpShopOrders', { cursor: 5 }, /cursor: must be text\./],
  ];
  for (const [name, args, message] of cases) {
    const answer = await deputy.call(name, args);
    expect(answer.isError, `${name} ${JSON.stringify(args)}`).toBe(true);
    expect(answer.text).toMatch(message);
  }
});

test.each(ERAS)('a %s client that calls an unknown tool gets a protocol error with its name', async (era) => {
  const deputy = await deputyOf(person(), era);
  await expect(deputy.call('buyEverything')).rejects.toThrow(/buyEverything not found/);
});

test('arguments that are no object are refused by the protocol', async () => {
  const { accessToken } = await deputyOf(person(), '2025-11-25');
  for (const wrong of ['text', ['list'], 7]) {
    const message = {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'listMcpShopOrders', arguments: wrong },
    };
    expect((await messageOf(await rpc(accessToken, message))).error?.code).toBe(-32602);
  }
});

test('a request that is no valid JSON-RPC gets the code the protocol has for it', async () => {
  const deputy = await deputyOf(person(), '2025-11-25');
  const token = deputy.accessToken;
  const list = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} };
  const cases: [string, Promise<Response>, number, number][] = [
    ['broken JSON', rpc(token, '{"jsonrpc":'), 400, -32700],
    ['an empty body', rpc(token, ''), 400, -32700],
    ['a batch', rpc(token, [list, list]), 400, -32600],
    ['a batch behind a space', rpc(token, ` ${JSON.stringify([list])}`), 400, -32600],
    ['an unknown method', rpc(token, { ...list, method: 'tools/steal' }), 200, -32601],
    ['an unsupported protocol version', rpc(token, list, { 'MCP-Protocol-Version': '1999-01-01' }), 400, -32000],
    ['a body over 64 KiB', rpc(token, callMessage('buyMcpShopItem', { company: 'x'.repeat(64 * 1024) })), 413, -32600],
    ['the wrong content type', rpc(token, list, { 'Content-Type': 'text/plain' }), 415, -32000],
    ['an answer we cannot give', rpc(token, list, { Accept: 'text/html' }), 406, -32000],
  ];
  for (const [what, sent, status, code] of cases) {
    const response = await sent;
    expect(response.status, what).toBe(status);
    const { error } = await messageOf(response);
    expect(error, what).toMatchObject({ code, message: expect.any(String) });
    expect(JSON.stringify(error), what).not.toMatch(/\bat \w+.*:\d+:\d+/);
  }
  expect((await deputy.call('listMcpShopOrders')).data['orders']).toEqual([]);
});

test('a body over 64 KiB is refused without a Content-Length too', async () => {
  const { accessToken } = await deputyOf(person(), '2025-11-25');
  const chunk = new TextEncoder().encode(' '.repeat(16 * 1024));
  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (sent++ < 1000) controller.enqueue(chunk);
      else controller.close();
    },
  });
  const response = await send('/mcp', {
    method: 'POST',
    body,
    headers: { Authorization: `Bearer ${accessToken}`, 'Content-Type': 'application/json' },
  });
  expect(response.status).toBe(413);
  expect(sent).toBeLessThan(50);
});

test('a body over 64 KiB is refused when its Content-Length says less', async () => {
  const { accessToken } = await deputyOf(person(), '2025-11-25');
  const body = JSON.stringify(callMessage('listMcpShopInventory', { padding: 'x'.repeat(70 * 1024) }));
  const response = await rpc(accessToken, body, { 'Content-Length': '100' });
  expect(response.status).toBe(413);
});

test('whatever stands in the form of a question instead of its fields is a clear page, and no yes that nobody gave', async () => {
  const human = person();
  human.blanks = { approval: 'pressed' };
  const deputy = await deputyOf(human, '2026-07-28');
  const { data } = await deputy.call('buyMcpShopItem', { ...PURCHASE, quantity: 4 });
  const { waiting } = data['error'] as { waiting: { id: string } };
  const form = await yesTo(human, waiting.id);
  const wrong = { shown: 'x'.repeat(5000), shownNext: 'x'.repeat(5000), next: 'no', decision: 'x' };
  for (const [name, value] of Object.entries(wrong)) {
    const page = await sendAnswer(human, waiting.id, { ...form, shown: '', [name]: value });
    expect([name, page.status]).toEqual([name, name === 'decision' ? 400 : 409]);
  }
  for (const [type, body] of [
    ['multipart/form-data', 'x'],
    ['multipart/form-data; boundary=x', '--x\r\n'],
    ['application/json', '{"decision":"approve"}'],
  ] as const) {
    const headers = { Origin: ORIGIN, Cookie: cookiesOf(human), 'Content-Type': type };
    const response = await send(questionPath(waiting.id), { method: 'POST', body, headers });
    expect([type, response.status]).toEqual([type, 403]);
    await response.body?.cancel();
  }
  expect((await recordOf(human)).effects).toMatchObject([{ state: 'waiting' }]);
});
