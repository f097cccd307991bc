/** How clients find out where to sign in, and what each method of /mcp answers. */
import { expect, test } from 'vitest';
import { rpc, send } from '../support/http.ts';
import { deputyOf, person } from '../support/people.ts';
import { ORIGIN, workerFetch } from '../support/worker.ts';

const BROWSER_APP = 'http://localhost:6274';
const PAGES = ['/', '/authorize', '/login', '/callback', '/logout', '/healthz', '/nowhere'];

test.each(['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp'])(
  '%s names the one resource and its baseline scope',
  async (path) => {
    const response = await send(path, { headers: { Origin: BROWSER_APP } });
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe(BROWSER_APP);
    expect(await response.json()).toMatchObject({
      resource: `${ORIGIN}/mcp`,
      authorization_servers: [ORIGIN],
      scopes_supported: ['shop:browse'],
    });
  },
);

test('the authorization server takes S256 only, registers clients both ways, and alone knows offline_access', async () => {
  const response = await send('/.well-known/oauth-authorization-server', { headers: { Origin: BROWSER_APP } });
  expect(response.headers.get('Access-Control-Allow-Origin')).toBe(BROWSER_APP);
  expect(await response.json()).toMatchObject({
    issuer: ORIGIN,
    authorization_endpoint: `${ORIGIN}/authorize`,
    token_endpoint: `${ORIGIN}/token`,
    registration_endpoint: `${ORIGIN}/register`,
    code_challenge_methods_supported: ['S256'],
    response_types_supported: ['code'],
    scopes_supported: ['shop:browse', 'shop:buy', 'orders:read', 'profile:read', 'offline_access'],
    token_endpoint_auth_methods_supported: expect.arrayContaining(['none']),
    client_id_metadata_document_supported: true,
    authorization_response_iss_parameter_supported: true,
  });
});

test.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'])(
  '%s /mcp without a token is a challenge',
  async (method) => {
    for (const headers of [
      {},
      { Authorization: 'Bearer wrong' },
      { Authorization: 'Bearer a:b:c' },
      { Authorization: 'Basic eA==' },
    ]) {
      const response = await send('/mcp', {
        method,
        headers: { ...headers, Origin: BROWSER_APP, Accept: 'text/html' },
      });
      expect(response.status).toBe(401);
      const challenge = response.headers.get('WWW-Authenticate') ?? '';
      expect(challenge).toContain(`resource_metadata="${ORIGIN}/.well-known/oauth-protected-resource/mcp"`);
      expect(challenge).toContain('scope="shop:browse"');
      expect(response.headers.get('Access-Control-Allow-Origin')).toBe(BROWSER_APP);
      expect(response.headers.get('Access-Control-Expose-Headers')).toContain('WWW-Authenticate');
      expect(response.headers.get('Content-Type') ?? '').not.toContain('html');
      await response.body?.cancel();
    }
  },
);

test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH'])(
  '%s /mcp with a token is not allowed, and says what is',
  async (method) => {
    const { accessToken } = await deputyOf(person(), '2025-11-25');
    const response = await send('/mcp', { method, headers: { Authorization: `Bearer ${accessToken}` } });
    expect(response.status).toBe(405);
    expect(response.headers.get('Allow')).toBe('POST, OPTIONS');
    if (method !== 'HEAD')
      expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining('POST only') } });
  },
);

test.each([
  '/mcp',
  '/token',
  '/register',
  '/.well-known/oauth-authorization-server',
  '/.well-known/oauth-protected-resource',
])('a browser app may ask %s what it takes', async (path) => {
  const response = await send(path, {
    method: 'OPTIONS',
    headers: {
      Origin: BROWSER_APP,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization',
    },
  });
  expect(response.status).toBe(204);
  expect(response.headers.get('Access-Control-Allow-Origin')).toBe(BROWSER_APP);
  expect(response.headers.get('Access-Control-Allow-Headers')).toContain('Authorization');
});

test.each(PAGES)('no other origin may read the page %s', async (path) => {
  for (const method of ['GET', 'OPTIONS']) {
    const response = await send(path, { method, headers: { Origin: BROWSER_APP } });
    expect(response.headers.get('Access-Control-Allow-Origin'), method).toBeNull();
    await response.body?.cancel();
  }
});

test('answers, refusals and errors of /mcp can be read by a browser app', async () => {
  const { accessToken } = await deputyOf(person(), '2025-11-25');
  const list = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} };
  for (const [body, status] of [
    [list, 200],
    ['[]', 400],
    ['x'.repeat(70_000), 413],
  ] as const) {
    const response = await rpc(accessToken, body, { Origin: BROWSER_APP });
    expect(response.status).toBe(status);
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe(BROWSER_APP);
    await response.body?.cancel();
  }
});

test.each([
  'http://evil.example/mcp',
  'http://localhost.evil.example/',
  'http://localhost.:8787/mcp',
  'https://evil.example/.well-known/oauth-authorization-server',
  'http://shop.workers.dev/mcp',
  'https://workers.dev.evil.example/',
  'http://192.168.0.1:8787/',
])('the host of %s is not served', async (url) => {
  const response = await workerFetch(url);
  expect(response.status).toBe(421);
  expect(await response.text()).toContain('does not answer to that host');
});

test.each(['http://localhost:8787', 'http://127.0.0.1:8787', 'http://[::1]:8787', 'http://localhost:9999'])(
  'each loopback origin is its own resource: %s',
  async (origin) => {
    const response = await workerFetch(`${origin}/.well-known/oauth-protected-resource`);
    expect(await response.json()).toMatchObject({ resource: `${origin}/mcp`, authorization_servers: [origin] });
  },
);

test.each(['https://evil.example', 'http://localhost.evil.example', 'null', 'garbage'])(
  'a page of %s cannot reach a server on this computer',
  async (origin) => {
    for (const path of ['/mcp', '/', '/token', '/.well-known/oauth-authorization-server']) {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const response = await send(path, { method, headers: { Origin: origin } });
        expect(response.status, `${method} ${path}`).toBe(403);
        await response.body?.cancel();
      }
    }
  },
);

test('a token for one origin is no good at another one of the same server', async () => {
  const { accessToken } = await deputyOf(person(), '2025-11-25');
  const response = await workerFetch('http://127.0.0.1:8787/mcp', {
    method: 'POST',
    headers: { Authorization: `Bearer ${accessToken}`, 'Content-Type': 'application/json' },
    body: '{}',
  });
  expect(response.status).toBe(401);
});

test('/healthz answers', async () => {
  expect(await (await send('/healthz')).json()).toEqual({ status: 'ok' });
});
