/** `pnpm tail`: what an operator reads. */
import { expect, test } from 'vitest';
import { readable } from '../../src/dev/tail-format.ts';

/** An event of `wrangler tail --format json`, as it is printed. */
function event(changes: Record<string, unknown>): string {
  return JSON.stringify(
    { outcome: 'ok', eventTimestamp: Date.UTC(2026, 10, 23, 12, 0, 0, 5), exceptions: [], logs: [], ...changes },
    null,
    2,
  );
}
function logged(level: string, line: unknown) {
  return {
    level,
    timestamp: Date.UTC(2026, 10, 23, 12, 0, 1),
    message: [typeof line === 'string' ? line : JSON.stringify(line)],
  };
}

test('a tool call is a line', () => {
  const call = {
    event: 'request',
    method: 'POST',
    route: '/mcp',
    status: 200,
    tool: 'buyMcpShopItem',
    outcome: 'ok',
    user: 'user_1',
    client: 'c',
    deputy: 'dep_1',
    ms: 12,
  };
  expect(readable(event({ logs: [logged('log', call)] }))).toEqual([
    '12:00:01.000 request  method=POST route=/mcp status=200 tool=buyMcpShopItem outcome=ok user=user_1 client=c deputy=dep_1 12 ms',
  ]);
});

test('errors, exceptions and unhappy outcomes stand out', () => {
  const lines = readable(
    event({
      outcome: 'exceededCpu',
      exceptions: [{ name: 'Error', message: 'too slow', timestamp: 1 }],
      logs: [logged('error', { event: 'delivery_failed', orderId: 'o1', error: 'KV is down' })],
    }),
  );
  expect(lines).toEqual([
    '12:00:01.000 ERROR delivery_failed orderId=o1 error=KV is down',
    '12:00:00.005 EXCEPTION Error too slow',
    '12:00:00.005 OUTCOME exceededCpu',
  ]);
});

test('lines that are not ours are shown as they are, and half an event waits for the rest', () => {
  expect(readable(event({ logs: [logged('warn', 'a library says so')] }))).toEqual(['12:00:01.000 a library says so']);
  expect(readable(event({}).slice(0, 40))).toBeUndefined();
  expect(readable('{"unexpected": true}')).toEqual(['{"unexpected": true}']);
});

test('what a terminal would obey is shown, and not obeyed', () => {
  const line = { event: 'request_failed', error: 'a\u001b[2Jb\nc' };
  const [shown] = readable(event({ logs: [logged('error', line)] })) ?? [];
  expect(shown).toContain('error=a\\u001b[2Jb\\u000ac');
});
