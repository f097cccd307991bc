/** The log: a line for each request, that says who did what, and nothing private. */
import { afterEach, expect, test, vi } from 'vitest';
import { ERAS } from '../../src/dev/clients.ts';
import { logError } from '../../src/log.ts';
import { send } from '../support/http.ts';
import { deputyOf, person } from '../support/people.ts';
import { buy, PURCHASE } from '../support/shop.ts';

afterEach(() => vi.restoreAllMocks());

type Line = Record<string, unknown>;

async function logged(work: () => Promise<unknown>): Promise<{ lines: Line[]; text: string }> {
  const texts: string[] = [];
  for (const level of ['log', 'error', 'warn'] as const) {
    vi.spyOn(console, level).mockImplementation((...args) => void texts.push(args.map(String).join(' ')));
  }
  await work();
  vi.restoreAllMocks();
  return { lines: texts.map((text) => JSON.parse(text) as Line), text: texts.join('\n') };
}

test.each(ERAS)('a call of a %s client is one line', async (era) => {
  const deputy = await deputyOf(person(), era);
  const { userId } = await buy(deputy);
  const { lines } = await logged(() => buy(deputy));
  expect(lines).toEqual([
    {
      event: 'request',
      method: 'POST',
      route: '/mcp',
      status: 200,
      tool: 'buyMcpShopItem',
      outcome: 'ok',
      user: userId,
      client: expect.any(String),
      deputy: expect.stringMatching(/^dep_/),
      ms: expect.any(Number),
    },
  ]);
});

test('a refusal is logged with its code', async () => {
  const deputy = await deputyOf(person(), '2026-07-28');
  const { lines } = await logged(async () => {
    await deputy.call('getUserInfo');
    await deputy.call('buyMcpShopItem', {});
  });
  const outcomes = lines.map(({ outcome }) => outcome);
  expect(outcomes).toEqual(['permission_required', 'invalid_arguments']);
});

test('an error is logged with where it happened, and without what stands behind the path of an address', async () => {
  const { lines } = await logged(async () => {
    const error = new Error('no answer from https://api.workos.com/user_management/authenticate?code=secret#fragment.');
    logError('authkit_unavailable', error);
    logError('page_failed', `{"url":"http://localhost:8787/callback?code=secret&state=secret"}`);
  });
  const [unavailable, page] = lines.map(({ error }) => String(error));
  expect(unavailable).toMatch(/^Error: no answer from https:\/\/api\.workos\.com\/user_management\/authenticate\n/);
  expect(unavailable).toContain('logs.test.ts');
  expect(page).toBe('{"url":"http://localhost:8787/callback"}');
});

test('a whole journey logs no address, e-mail, name, code, token or query', async () => {
  const human = person();
  const secrets = [
    human.email,
    PURCHASE.mailingAddress,
    'Very Private',
    'A client with a name',
    'ada@',
    'secret',
    'code=',
  ];
  const { lines, text } = await logged(async () => {
    const deputy = await deputyOf(human, '2025-11-25', 'A client with a name');
    await deputy.call('buyMcpShopItem', { ...PURCHASE, company: 'Very Private Ltd' });
    await send('/ada@example.com?secret=1');
    await send('/mcp', { headers: { Authorization: 'Bearer user:grant:secret' } });
    secrets.push(deputy.accessToken, deputy.credentials.answer.get('code') ?? 'no code');
  });
  expect(lines.length).toBeGreaterThan(8);
  expect(lines.every(({ event }) => typeof event === 'string')).toBe(true);
  for (const secret of secrets) expect(text).not.toContain(secret);
  expect(lines).toContainEqual(expect.objectContaining({ event: 'request', route: 'other', status: 404 }));
  expect(lines).toContainEqual(expect.objectContaining({ event: 'oauth_error', code: 'invalid_token', status: 401 }));
});
