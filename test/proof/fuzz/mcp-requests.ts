/** Hostile requests to /mcp. */
import * as fc from 'fast-check';
import { type Era, ERAS } from '../../../src/dev/clients.ts';
import { strangeHeaders } from './headers.ts';
import { bodyOf } from './mcp-bodies.ts';
import type { HostileRequest } from './request.ts';
import { headerValue, nasty } from './values.ts';

export function mcpRequest(deputies: number): fc.Arbitrary<HostileRequest> {
  const who = fc.oneof(
    { weight: 12, arbitrary: fc.nat(deputies - 1).map((index) => `deputy:${index}` as const) },
    { weight: 1, arbitrary: fc.constantFrom('anonymous' as const, 'human' as const) },
  );
  return fc.constantFrom(...ERAS).chain((era) =>
    fc
      .record({
        who,
        method: fc.oneof(
          { weight: 30, arbitrary: fc.constant('POST') },
          { weight: 1, arbitrary: fc.constantFrom('GET', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH') },
        ),
        path: fc.oneof(
          { weight: 30, arbitrary: fc.constant('/mcp') },
          {
            weight: 1,
            arbitrary: fc.constantFrom(
              '/mcp/',
              '/mcp/sub/x',
              '/MCP',
              '/%6dcp',
              '/mcp?x=1',
              '//mcp',
              '/mcp/../mcp',
              '/mcp;x',
            ),
          },
        ),
        body: bodyOf(era),
        chunked: fc.boolean(),
        strange: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, strangeHeaders),
        accept: fc.oneof({ weight: 8, arbitrary: fc.constant('application/json, text/event-stream') }, headerValue),
        contentType: fc.oneof(
          { weight: 8, arbitrary: fc.constant('application/json') },
          {
            weight: 1,
            arbitrary: fc.constantFrom(
              'application/json; charset=utf-16',
              'text/plain',
              'application/x-www-form-urlencoded',
              'multipart/form-data; boundary=x',
              'application/json;;;',
            ),
          },
        ),
        named: fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: nasty }),
      })
      .map(({ who: sender, method, path, body, chunked, strange, accept, contentType, named }) => ({
        about: '/mcp',
        who: sender,
        method,
        path,
        headers: { 'content-type': contentType, accept, ...mcpHeaders(era, body.text, named), ...strange },
        ...(method !== 'GET' && method !== 'HEAD' && { body: { ...body, chunked } }),
        mayBeCall: sender.startsWith('deputy') && method === 'POST',
      })),
  );
}

/** What the newer era says of the body in headers, right unless `named` is said instead. */
function mcpHeaders(era: Era, body: string, named: string | undefined): Record<string, string> {
  if (era === '2025-11-25') return { 'mcp-protocol-version': era };
  const latin = (value: unknown) => (typeof value === 'string' ? value : '').replace(/[^\x20-\x7e]/g, '?');
  let message: { method?: unknown; params?: { name?: unknown } } | null = null;
  try {
    message = JSON.parse(body);
  } catch {
    // Then there is nothing to repeat.
  }
  return {
    'mcp-protocol-version': era,
    'mcp-method': latin(named ?? message?.method),
    'mcp-name': latin(named ?? message?.params?.name),
  };
}
