/** Hostile bodies for /mcp: both eras, every field of every tool, and all that is no JSON-RPC. */
import * as fc from 'fast-check';
import type { Era } from '../../../src/dev/clients.ts';
import { z } from 'zod';
import { domain } from '../../../src/domain.ts';
import { anything, mostly, text } from './values.ts';

const LIMIT = 64 * 1024;
const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'fuzz', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** What a field of a tool takes, so that the other fields of the same call are looked at as well. */
const VALID: Record<string, readonly unknown[]> = {
  company: ['Analytical Engines Ltd'],
  mailingAddress: ['12 St James’s Square, London'],
  tshirtSize: ['S', 'L', 'XXL'],
  color: ['blue', 'white'],
  quantity: [1, 2, 3, 4, 100],
  idempotencyKey: ['one', 'two'],
  limit: [1, 50, 100],
  cursor: ['3b241101-e2bb-4255-8caf-4136c566a962'],
  orderId: ['3b241101-e2bb-4255-8caf-4136c566a962'],
  mode: ['normal', 'banned'],
};

/** What a tool says of its arguments. */
const published = z.object({ properties: z.record(z.string(), z.unknown()) });

function argumentsOf(tool: (typeof domain.tools)[number]): fc.Arbitrary<Record<string, unknown>> {
  const { properties } = published.parse(tool.inputSchema['~standard'].jsonSchema.input({ target: 'draft-2020-12' }));
  const known = Object.keys(properties).map((name) => [name, mostly(VALID[name] ?? [], 4)] as const);
  const extra = fc.dictionary(text, anything, { maxKeys: 2 });
  const record = fc.record(Object.fromEntries(known), { requiredKeys: [] });
  return fc
    .tuple(record, fc.oneof({ weight: 5, arbitrary: fc.constant({}) }, extra))
    .map(([own, more]) => ({ ...more, ...own }));
}

type Call = { name: unknown; arguments?: unknown };
const call: fc.Arbitrary<Call> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .constantFrom(...domain.tools)
      .chain((tool) => argumentsOf(tool).map((args) => ({ name: tool.name, arguments: args }))),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...domain.tools), anything)
      .map(([{ name }, args]) => ({ name, arguments: args })),
  },
  { weight: 1, arbitrary: fc.record({ name: anything, arguments: anything }) },
);

const METHODS = [
  'initialize',
  'ping',
  'tools/list',
  'server/discover',
  'resources/list',
  'prompts/get',
  'subscriptions/listen',
  'completion/complete',
  'logging/setLevel',
  'notifications/initialized',
  'notifications/cancelled',
  'tasks/get',
  'sampling/createMessage',
];

/** A message with its parts: some right, some not, some missing. */
function messageOf(era: Era): fc.Arbitrary<Record<string, unknown>> {
  const meta =
    era === '2026-07-28'
      ? fc.oneof({ weight: 6, arbitrary: fc.constant(META) }, { weight: 1, arbitrary: anything })
      : fc.constant(undefined);
  const withMeta = (params: fc.Arbitrary<Record<string, unknown>>) =>
    fc.tuple(params, meta).map(([some, _meta]) => (_meta === undefined ? some : { ...some, _meta }));
  const id = mostly([1, 'one', 0], 10);
  const jsonrpc = mostly('2.0', 12);
  return fc.oneof(
    { weight: 8, arbitrary: fc.record({ jsonrpc, id, method: fc.constant('tools/call'), params: withMeta(call) }) },
    {
      weight: 3,
      arbitrary: fc.record(
        {
          jsonrpc,
          id,
          method: mostly(METHODS, 6),
          params: withMeta(
            fc.dictionary(fc.oneof(text, fc.constantFrom('name', 'cursor', 'protocolVersion', 'requestId')), anything, {
              maxKeys: 3,
            }),
          ),
        },
        { requiredKeys: ['method'] },
      ),
    },
    {
      weight: 1,
      arbitrary: fc.record(
        {
          jsonrpc,
          id,
          method: mostly(['tools/call', ...METHODS]),
          params: anything,
          result: anything,
          error: anything,
        },
        { requiredKeys: [] },
      ),
    },
  );
}

const NESTINGS = [10, 500, 5000, 20_000];

/** What a body can be: a message, or a message that was spoilt as text. */
export function bodyOf(era: Era): fc.Arbitrary<{ text: string; encoding: 'utf8' | 'latin1' | 'utf16le' }> {
  const message = messageOf(era).map((value) => JSON.stringify(value));
  const utf8 = (one: fc.Arbitrary<string>) => one.map((value) => ({ text: value, encoding: 'utf8' as const }));
  const base = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'buyMcpShopItem', ...(era === '2026-07-28' && { _meta: META }) },
  };
  return fc.oneof(
    { weight: 20, arbitrary: utf8(message) },
    // Cut off, or with something in between.
    utf8(
      fc
        .tuple(message, fc.double({ min: 0, max: 1, noNaN: true }))
        .map(([one, at]) => one.slice(0, Math.floor(one.length * at))),
    ),
    utf8(
      fc
        .tuple(message, text, fc.double({ min: 0, max: 1, noNaN: true }))
        .map(
          ([one, more, at]) =>
            one.slice(0, Math.floor(one.length * at)) + more + one.slice(Math.floor(one.length * at)),
        ),
    ),
    // A key twice: parsers do not agree on which one counts.
    utf8(
      fc
        .tuple(message, anything, fc.constantFrom('method', 'id', 'params', 'jsonrpc', '__proto__'))
        .map(([one, value, key]) => `{"${key}":${JSON.stringify(value) ?? 'null'},${one.slice(1)}`),
    ),
    utf8(
      fc
        .tuple(message, anything, fc.constantFrom('method', 'params', '__proto__'))
        .map(([one, value, key]) => `${one.slice(0, -1)},"${key}":${JSON.stringify(value) ?? 'null'}}`),
    ),
    // Numbers that no double holds.
    utf8(
      fc
        .constantFrom('1e400', '-1e400', '1'.repeat(400), '0.'.padEnd(400, '1'))
        .map(
          (number) =>
            `{"jsonrpc":"2.0","id":${number},"method":"tools/call","params":{"name":"buyMcpShopItem","arguments":{"quantity":${number}}}}`,
        ),
    ),
    // Batches.
    utf8(
      fc
        .tuple(fc.constantFrom('', ' ', '\n\t', '\ufeff', '\ufeff\ufeff '), fc.array(message, { maxLength: 4 }))
        .map(([before, many]) => `${before}[${many.join(',')}]`),
    ),
    // Nested so deep that whoever walks it may run out of stack.
    utf8(
      fc
        .tuple(fc.constantFrom(...NESTINGS), fc.constantFrom(['[', ']'], ['{"a":', '}']))
        .map(([depth, [open = '', close = '']]) => {
          const nested = `${open.repeat(Math.min(depth, Math.floor((LIMIT - 400) / (open.length + close.length))))}1`;
          const whole = nested + close.repeat((nested.length - 1) / open.length);
          return JSON.stringify({ ...base, params: { ...base.params, arguments: { company: 0 } } }).replace(
            '{"company":0}',
            () => whole,
          );
        }),
    ),
    // Round the limit, in bytes and in characters.
    utf8(
      fc.tuple(fc.integer({ min: -3, max: 3 }), fc.constantFrom('a', 'é', '👋')).map(([beyond, character]) => {
        const empty = JSON.stringify({ ...base, params: { ...base.params, arguments: { company: '' } } });
        const room = LIMIT + beyond - Buffer.byteLength(empty);
        const size = Buffer.byteLength(character);
        const filling = character.repeat(Math.floor(room / size)) + 'a'.repeat(room % size);
        return empty.replace('"company":""', () => `"company":"${filling}"`);
      }),
    ),
    utf8(fc.constantFrom('a'.repeat(LIMIT + 1), ' '.repeat(LIMIT * 2), '[' + '1,'.repeat(LIMIT) + '1]', '')),
    utf8(text),
    fc
      .tuple(message, fc.constantFrom('latin1' as const, 'utf16le' as const))
      .map(([one, encoding]) => ({ text: one, encoding })),
    fc
      .string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 200 })
      .map((one) => ({ text: one, encoding: 'latin1' as const })),
  );
}
