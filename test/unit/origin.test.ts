/** Hosts and origins of a deployment, where the rules differ from those on a developer's machine. */
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import worker from '../../src/index.ts';

const SECRETS = {
  WORKOS_CLIENT_ID: 'client_1',
  WORKOS_API_KEY: 'sk_secret',
  COOKIE_PASSWORD: 'a password of at least 32 characters',
};
const DEPLOYED = 'https://mcp-shop.someone.workers.dev';

function ask(url: string, init: RequestInit = {}, variables: Record<string, string> = {}): Promise<Response> {
  return worker.fetch(
    new Request(url, { redirect: 'manual', ...init }),
    { ...env, ...SECRETS, ...variables },
    {} as ExecutionContext,
  );
}

test('a deployment on workers.dev is its own resource', async () => {
  const response = await ask(`${DEPLOYED}/.well-known/oauth-protected-resource`);
  expect(await response.json()).toMatchObject({ resource: `${DEPLOYED}/mcp`, authorization_servers: [DEPLOYED] });
});

test('PUBLIC_URL fixes the one host of a custom domain', async () => {
  const variables = { PUBLIC_URL: 'https://shop.example.com' };
  const response = await ask('https://shop.example.com/.well-known/oauth-protected-resource', {}, variables);
  expect(await response.json()).toMatchObject({ resource: 'https://shop.example.com/mcp' });
  for (const url of [DEPLOYED, 'http://shop.example.com', 'https://shop.example.com:444', 'http://localhost:8787']) {
    expect((await ask(url, {}, variables)).status, url).toBe(421);
  }
});

test('two origins served by one isolate keep their own resources and issuers', async () => {
  const shared = { ...env, ...SECRETS };
  const get = (url: string, init: RequestInit = {}) =>
    worker.fetch(new Request(url, { redirect: 'manual', ...init }), shared, {} as ExecutionContext);
  const registration = await get(`${DEPLOYED}/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ redirect_uris: ['https://client.example/cb'], token_endpoint_auth_method: 'none' }),
  });
  const { client_id: clientId } = await registration.json<{ client_id: string }>();
  for (const origin of [DEPLOYED, 'https://preview.someone.workers.dev', DEPLOYED]) {
    const resource = `${origin}/mcp`;
    const query = { response_type: 'code', client_id: clientId, redirect_uri: 'https://client.example/cb', resource };
    const challenge = { code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' };
    const response = await get(`${origin}/authorize?${new URLSearchParams({ ...query, ...challenge }).toString()}`);
    expect(response.headers.get('Location'), origin).toMatch(/^\/login\?/);
  }
});

test.each(['https://claude.ai', 'http://localhost:6274', 'null'])(
  'a browser app of %s may use the protocol endpoints',
  async (origin) => {
    for (const path of ['/mcp', '/token', '/register', '/.well-known/oauth-authorization-server']) {
      const response = await ask(`${DEPLOYED}${path}`, { method: 'OPTIONS', headers: { Origin: origin } });
      expect(response.status, path).toBe(204);
      expect(response.headers.get('Access-Control-Allow-Origin'), path).toBe(origin);
    }
  },
);

test.each(['https://evil.example', 'http://localhost:6274', 'null', 'https://evil.someone.workers.dev'])(
  'a page of %s may post none of our forms',
  async (origin) => {
    for (const path of ['/authorize', '/logout', '/login']) {
      const response = await ask(`${DEPLOYED}${path}`, { method: 'POST', body: '', headers: { Origin: origin } });
      expect(response.status, path).toBe(403);
    }
  },
);

test('a socket may be opened by our own pages only', async () => {
  const open = (origin: string) => ask(DEPLOYED, { headers: { Origin: origin, Upgrade: 'websocket' } });
  expect((await open('https://evil.example')).status).toBe(403);
  expect((await open(DEPLOYED)).status).toBe(200);
});

test('our own page may post our forms, and a link from elsewhere may be followed', async () => {
  const post = await ask(`${DEPLOYED}/logout`, { method: 'POST', body: '', headers: { Origin: DEPLOYED } });
  expect(post.status).toBe(303);
  expect((await ask(DEPLOYED, { headers: { Origin: 'https://evil.example' } })).status).toBe(200);
});

test('the landing page of a deployment names its own AuthKit', async () => {
  const page = await (await ask(DEPLOYED, {}, { WORKOS_AUTHKIT_DOMAIN: 'shop.authkit.app' })).text();
  expect(page).toContain('shop.authkit.app');
  expect(page).toContain(`${DEPLOYED}/mcp`);
  expect(page).not.toContain('local AuthKit');
});

test('the sign-in of a deployment goes to WorkOS', async () => {
  const location = new URL((await ask(`${DEPLOYED}/login`)).headers.get('Location') ?? '');
  expect(location.origin).toBe('https://api.workos.com');
  expect(location.searchParams.get('redirect_uri')).toBe(`${DEPLOYED}/callback`);
});
