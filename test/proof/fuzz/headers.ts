/** Hostile headers: those that are only known inside, that say who one is, and that contradict the body. */
import * as fc from 'fast-check';
import { ERAS } from '../../../src/dev/clients.ts';
import { WATCHER_HEADER } from '../../../src/watchers.ts';
import { headerValue } from './values.ts';

/** Headers beside the usual ones, which would tell another story if anybody believed them. */
export const strangeHeaders = fc.dictionary(
  fc.constantFrom(
    WATCHER_HEADER,
    'mcp-session-id',
    'mcp-method',
    'mcp-name',
    'mcp-protocol-version',
    'mcp-param-quantity',
    `mcp-${WATCHER_HEADER}`,
    'cf-mcp-method',
    'cf-mcp-message',
    'x-partykit-room',
    'x-partykit-namespace',
    'last-event-id',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-http-method-override',
    'cf-connecting-ip',
    'origin',
    'accept',
    'content-type',
    'content-encoding',
    'authorization',
    'cookie',
    'range',
    'if-none-match',
    'expect-ct',
  ),
  fc.oneof(
    headerValue,
    fc.constantFrom(
      '⟦watcher⟧',
      'tools/call',
      'buyMcpShopItem',
      'application/json',
      'gzip',
      'null',
      'http://localhost',
      'Bearer ⟦token:0⟧x',
      '*/*',
      'text/event-stream',
      ...ERAS,
    ),
  ),
  { maxKeys: 3 },
);
