/** Configuration: what is missing or malformed is named, and never shown. */
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { ConfigError, readConfig } from '../../src/config.ts';
import worker from '../../src/index.ts';

const COMPLETE = {
  WORKOS_CLIENT_ID: 'client_1',
  WORKOS_API_KEY: 'sk_secret',
  COOKIE_PASSWORD: 'a password of at least 32 characters',
};

function problemsOf(variables: Record<string, string>): readonly string[] {
  try {
    readConfig(variables);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

test('three secrets are enough, and the rest has defaults', () => {
  expect(readConfig({ ...COMPLETE })).toEqual({
    ...COMPLETE,
    DEMO_TOOLS: 'on',
    HALT: 'off',
    WORKOS_API_ORIGIN: 'https://api.workos.com',
  });
});

test.each(Object.keys(COMPLETE))('%s is asked for when it is missing, empty or blank', (name) => {
  for (const value of [undefined, '', '  ']) {
    const problems = problemsOf({ ...COMPLETE, [name]: value as string });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name}: `));
  }
});

test.each([
  ['COOKIE_PASSWORD', 'short', /at least 32/],
  ['COOKIE_PASSWORD_PREVIOUS', 'short', /at least 32/],
  ['PUBLIC_URL', 'shop.example.com', /https origin/],
  ['PUBLIC_URL', 'http://shop.example.com', /https origin/],
  ['DEMO_TOOLS', 'maybe', /"on" or "off"/],
  ['HALT', 'now', /"on" or "off"/],
])('%s=%s is refused with what it should be, without repeating it', (name, value, message) => {
  const problems = problemsOf({ ...COMPLETE, [name]: value });
  expect(problems).toEqual([expect.stringMatching(message)]);
  expect(problems.join()).not.toContain(value === 'maybe' ? 'maybe' : `"${value}"`);
});

test('a path in PUBLIC_URL does not matter', () => {
  expect(readConfig({ ...COMPLETE, PUBLIC_URL: 'https://shop.example.com/mcp' }).PUBLIC_URL).toBe(
    'https://shop.example.com',
  );
});

test.each(['/', '/mcp', '/authorize', '/healthz', '/.well-known/oauth-authorization-server'])(
  'a deployment without its secrets answers 503 on %s, with the names for the operator',
  async (path) => {
    const request = new Request(`https://mcp-shop.someone.workers.dev${path}`);
    const response = await worker.fetch(request, { ...env, COOKIE_PASSWORD: 'short' }, {} as ExecutionContext);
    expect(response.status).toBe(503);
    const text = await response.text();
    for (const name of Object.keys(COMPLETE)) expect(text).toContain(name);
    expect(text).toContain('wrangler secret put');
    expect(text).not.toContain('short');
  },
);
