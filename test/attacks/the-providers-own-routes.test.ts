/**
 * Mallory uses the routes of the OAuth provider as they are: bodies that cost seconds to read, addresses that this server
 * shall fetch for her, client ids that write lines of the log, a code without PKCE. Each is stopped before the provider.
 */
import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import { linkOf } from '../../src/dev/browser.ts';
import { tooMany } from '../../src/edge/abuse.ts';
import { hasFailed, rememberFailure } from '../../src/edge/client-document.ts';
import { logError, ownTheConsole } from '../../src/log.ts';
import { authorizePath, CLIENT_REDIRECT, redeem, register, registeredClient, send } from '../support/http.ts';
import { person } from '../support/people.ts';
import { plainClient, refresh, type Tokens } from '../support/scene.ts';
import { ORIGIN } from '../support/worker.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };
/** A grant that nobody has. */
const NO_GRANT = 'user_nobody:0000000000000000:secret';

function token(fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> {
  return send('/token', { method: 'POST', body: new URLSearchParams(fields), headers });
}

let documents = 0;
/** A client whose id is an address; `fetched` is what was asked of the network, and `down` makes it fail. */
function publishedClient() {
  const clientId = `https://assistant.example/${(documents += 1)}/client.json`;
  const document = { client_id: clientId, client_name: 'Assistant', redirect_uris: [CLIENT_REDIRECT] };
  const state = { clientId, fetched: new Array<string>(), down: false };
  const network = globalThis.fetch;
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const { url } = new Request(input, init);
    if (new URL(url).origin === ORIGIN) return network(input, init);
    state.fetched.push(url);
    return url === clientId && !state.down ? Response.json(document) : new Response('gone', { status: 404 });
  });
  return state;
}

async function codeFor(clientId: string): Promise<string> {
  return (await person().answer(authorizePath(clientId))).get('code') ?? '';
}

test.each([
  ['20,000 fields', '&a='.repeat(20_000)],
  ['41 short fields', 'a=1&'.repeat(40)],
  ['8 KiB and a byte', 'a'.repeat(8193)],
])('/token with %s is 413 at once, with what to do', async (_, body) => {
  const response = await send('/token', {
    method: 'POST',
    body,
    headers: { ...FORM, Origin: 'http://localhost:6274' },
  });
  expect(response.status).toBe(413);
  expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*');
  expect(await response.json()).toMatchObject({
    error: 'invalid_request',
    error_description: expect.stringMatching(/Send only/),
  });
});

test('/register with 16 KiB and a byte is 413, in whatever form', async () => {
  const response = await register({ client_name: 'x'.repeat(16 * 1024) });
  expect(response.status).toBe(413);
  expect(await response.json()).toMatchObject({ error: 'invalid_client_metadata' });
});

test('a body without an end is read up to the bound and no further', async () => {
  let sent = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 1024;
      if (sent > 1024 * 1024) controller.close();
      else controller.enqueue(new TextEncoder().encode('a'.repeat(1024)));
    },
  });
  expect((await send('/token', { method: 'POST', body: endless, headers: FORM })).status).toBe(413);
  expect(sent).toBeLessThan(128 * 1024);
});

test('an honest request passes, whole and in pieces', async () => {
  const { clientId, tokens } = await plainClient(person());
  const fields = { grant_type: 'refresh_token', client_id: clientId, refresh_token: tokens.refresh_token };
  const whole = await token({ ...fields, ...Object.fromEntries([...Array(37).keys()].map((n) => [`x${n}`, ''])) });
  expect(whole.status).toBe(200);
  const { refresh_token: next } = await whole.json<Tokens>();
  const bytes = new TextEncoder().encode(new URLSearchParams({ ...fields, refresh_token: next }).toString());
  const pieces = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 7) controller.enqueue(bytes.slice(at, at + 7));
      controller.close();
    },
  });
  expect((await send('/token', { method: 'POST', body: pieces, headers: FORM })).status).toBe(200);
  expect((await register({ client_name: 'x' })).status).toBe(201);
});

const VICTIM = 'https://victim.example/expensive';
const CODE = { grant_type: 'authorization_code', code: NO_GRANT };

test.each([
  ['a code', { client_id: VICTIM, ...CODE }, 'invalid_grant'],
  ['a refresh token', { client_id: VICTIM, grant_type: 'refresh_token', refresh_token: NO_GRANT }, 'invalid_grant'],
  ['nothing', { client_id: VICTIM, grant_type: 'authorization_code' }, 'invalid_request'],
  ['another kind', { client_id: VICTIM, grant_type: 'client_credentials' }, 'unsupported_grant_type'],
  ['an address written otherwise', { ...CODE, client_id: ' ht\ntps://victim.example/expensive' }, 'invalid_grant'],
  ['an assertion', { client_assertion: assertionOf(VICTIM), client_assertion_type: 'jwt', ...CODE }, 'invalid_grant'],
])('/token fetches no address for a grant that does not exist: %s', async (_, fields, error) => {
  const { fetched } = publishedClient();
  const response = await token(fields);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error });
  expect(fetched).toEqual([]);
});

test('nor for a client in the header, nor to revoke what is not there', async () => {
  const { fetched } = publishedClient();
  const basic = `Basic ${btoa(`${encodeURIComponent(VICTIM)}:secret`)}`;
  expect((await token(CODE, { Authorization: basic })).status).toBe(400);
  // RFC 7009, section 2.2.
  expect((await token({ client_id: VICTIM, token: NO_GRANT })).status).toBe(200);
  expect(fetched).toEqual([]);
});

test('nor for another client than the one that the grant was given to', async () => {
  const { clientId, fetched } = publishedClient();
  const code = await codeFor(clientId);
  fetched.length = 0;
  expect((await redeem(VICTIM, code)).status).toBe(400);
  expect(fetched).toEqual([]);
  const tokens = await (await redeem(clientId, code)).json<Tokens>();
  expect((await refresh(VICTIM, tokens.refresh_token)).status).toBe(400);
  expect(fetched).toEqual([clientId]);
  expect((await refresh(clientId, tokens.refresh_token)).status).toBe(200);
});

test('a token request names one client', async () => {
  const { clientId, tokens } = await plainClient(person());
  const fields = { client_id: clientId, grant_type: 'refresh_token', refresh_token: tokens.refresh_token };
  const response = await token(fields, { Authorization: `Basic ${btoa('somebody:')}` });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    error: 'invalid_request',
    error_description: expect.stringMatching(/^client_id is another/),
  });
});

test('a request that no sign-in has packed is not unpacked', async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(10_000));
  const packing = new Blob([`?x=${bytes.toHex()}`]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  const packed = new Uint8Array(await new Response(packing).arrayBuffer());
  for (const bad of [packed.toBase64({ alphabet: 'base64url', omitPadding: true }), 'AAAA', '!', '']) {
    const response = await send(`/authorize?packed_request=${bad}`);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('damaged');
  }
});

test('a client that does not exist is still told so', async () => {
  expect(await (await redeem('nobody', NO_GRANT)).json()).toMatchObject({ error: 'invalid_client' });
});

test('a document that cannot be read is asked for once a minute, and its deputies keep their sign-in', async () => {
  const client = publishedClient();
  const { clientId, fetched } = client;
  const { refresh_token: kept } = await (await redeem(clientId, await codeFor(clientId))).json<Tokens>();
  client.down = true;
  fetched.length = 0;
  for (const _ of [1, 2, 3]) {
    const response = await refresh(clientId, kept);
    expect(response.status).toBe(503);
    expect(response.headers.get('Retry-After')).toBe('60');
    expect(await response.json()).toMatchObject({ error: 'temporarily_unavailable' });
  }
  expect((await send(authorizePath(clientId))).status).toBe(400);
  expect(fetched).toEqual([clientId]);

  client.down = false;
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
  expect((await refresh(clientId, kept)).status).toBe(200);
});

test('a sign-in for a document that cannot be read asks for it once a minute', async () => {
  const client = publishedClient();
  client.down = true;
  for (const _ of [1, 2, 3]) expect((await send(authorizePath(client.clientId))).status).toBe(400);
  expect(client.fetched).toEqual([client.clientId]);
});

test('failures are remembered in bounds', () => {
  for (let n = 0; n <= 500; n += 1) rememberFailure(`https://many.example/${n}`);
  expect(hasFailed('https://many.example/0')).toBe(false);
  expect(hasFailed('https://many.example/1')).toBe(true);
});

const FORGED = '{"event":"audit_head","user":"ada","sequence":1,"hash":"forged"}';

/** What reaches the log while something is done, a line for each. */
async function printedWhile(work: () => unknown): Promise<string[]> {
  const lines: string[] = [];
  const levels = ['debug', 'log', 'info', 'warn', 'error'] as const;
  const before = levels.map((level) => console[level]);
  for (const level of levels) console[level] = (...texts: unknown[]) => void lines.push(texts.map(String).join(' '));
  ownTheConsole();
  try {
    await work();
  } finally {
    levels.forEach((level, at) => (console[level] = before[at] ?? console.log));
  }
  return lines.flatMap((line) => line.split(/[\n\r\u2028\u2029]/));
}

test('no stranger writes a line of the log', async () => {
  const { clientId } = publishedClient();
  const logged = vi.spyOn(console, 'log').mockImplementation(() => {});
  await send(authorizePath(`${clientId}\n${FORGED}\n\u001b[2J`));
  const lines = logged.mock.calls.map(([line]) => String(line));
  const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(events).toContainEqual({ event: 'library_output', level: 'warn', about: 'CIMD fetch failed' });
  expect(events).toContainEqual(expect.objectContaining({ event: 'request', status: 400 }));
  expect(lines.join('\n')).not.toMatch(/forged|assistant\.example|\p{Cc}(?<!\n)/u);
});

test('what a library prints alone is no event of ours, on any level', async () => {
  const levels = ['debug', 'log', 'info', 'warn', 'error'] as const;
  const lines = await printedWhile(() => levels.forEach((level) => console[level](FORGED)));
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
    levels.map((level) => ({ event: 'library_output', level, about: 'unknown' })),
  );
});

test('what cannot be seen is escaped in a line of ours', async () => {
  const error = `a\u009b31m b\u202e c\u2028 d\u{e0041}`;
  const [line = '', ...others] = await printedWhile(() => logError('request_failed', error));
  expect(others).toEqual([]);
  expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u);
  expect(JSON.parse(line)).toEqual({ event: 'request_failed', error });
});

test('a client with a secret must use PKCE too, and is told so', async () => {
  const clientId = await registeredClient({ token_endpoint_auth_method: 'client_secret_basic' });
  const path = authorizePath(clientId, { code_challenge: undefined, code_challenge_method: undefined });
  const link = linkOf(await person().browser.open(path), 'Go back to client.example');
  expect(link?.origin).toBe(new URL(CLIENT_REDIRECT).origin);
  expect(Object.fromEntries(link?.searchParams ?? [])).toMatchObject({
    error: 'invalid_request',
    error_description: expect.stringMatching(/PKCE.*code_challenge/),
    state: 'client-state',
  });
});

test('/token has a limit for each address, wide enough for an office, and none that others can use up', async () => {
  const asked: string[] = [];
  const never = { limit: async () => ({ success: false }) };
  const some = (success: boolean) => ({
    limit: async ({ key }: { key: string }) => ({ success: asked.push(key) > 0 && success }),
  });
  const request = new Request(`${ORIGIN}/token`, {
    method: 'POST',
    headers: { 'CF-Connecting-IP': '2001:db8:7:7:1:2:3:4' },
  });
  const limited = { ...env, ADDRESS_LIMIT: never, TOTAL_LIMIT: never };
  expect(await tooMany(request, { ...limited, WIDE_LIMIT: some(true) })).toBeUndefined();
  const refused = await tooMany(request, { ...limited, WIDE_LIMIT: some(false) });
  expect(refused?.status).toBe(429);
  expect(refused?.headers.get('Retry-After')).toBe('60');
  expect(await refused?.json()).toMatchObject({ error: 'temporarily_unavailable' });
  expect(asked).toEqual(['/token 2001:db8:7:7', '/token 2001:db8:7:7']);
});

function assertionOf(clientId: string): string {
  const part = (value: unknown) =>
    new TextEncoder().encode(JSON.stringify(value)).toBase64({ alphabet: 'base64url', omitPadding: true });
  return `${part({ alg: 'ES256' })}.${part({ iss: clientId, sub: clientId })}.${'A'.repeat(86)}`;
}
