/** The deputization page: what it shows, and what each way of leaving it leads to. */
import { afterEach, expect, test, vi } from 'vitest';
import { textOf } from '../../src/dev/browser.ts';
import { authorizePath, CLIENT_REDIRECT, redeem, registeredClient, send } from '../support/http.ts';
import { person } from '../support/people.ts';
import { ORIGIN } from '../support/worker.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test('the page names the human, the client, where it goes, and the powers, and cannot be framed', async () => {
  const human = person();
  const page = await human.walk(authorizePath(await registeredClient({ client_name: 'Shopping buddy' })));
  expect(page.status).toBe(200);
  const text = textOf(page);
  expect(text).toContain(human.email);
  expect(text).toContain('Make Shopping buddy your deputy?');
  expect(text).toContain('Anyone can use this name.');
  expect(text).toContain('Afterwards you are back at client.example');
  expect(text).not.toContain('a program on this computer');
  for (const power of ['Look around the shop', 'Buy shirts', 'Read your orders']) {
    expect(text).toContain(power);
  }
  expect(page.headers.get('Content-Security-Policy')).toContain("frame-ancestors 'none'");
  expect(page.headers.get('Content-Security-Policy')).not.toContain('form-action');
  expect(page.headers.get('X-Frame-Options')).toBe('DENY');
  expect(page.headers.get('Cache-Control')).toBe('no-store');
  expect(page.headers.get('Access-Control-Allow-Origin')).toBeNull();
});

test.each(['http://localhost:6274/oauth/callback', 'http://127.0.0.1:33418/callback', 'http://[::1]:4000/'])(
  'a client at %s comes with the warning for a local app',
  async (uri) => {
    const clientId = await registeredClient({ redirect_uris: [uri] });
    const page = await person().walk(authorizePath(clientId, { redirect_uri: uri }));
    expect(textOf(page)).toContain('It is a program on this computer');
  },
);

test('a client that proves its domain is shown with it', async () => {
  const clientId = 'https://assistant.example/oauth/client.json';
  const document = { client_id: clientId, client_name: 'Assistant', redirect_uris: [CLIENT_REDIRECT] };
  const network = globalThis.fetch;
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) =>
    new Request(input, init).url === clientId ? Response.json(document) : network(input, init),
  );
  const human = person();
  const page = await human.walk(authorizePath(clientId));
  expect(textOf(page)).toContain('verified: assistant.example');
  const { left } = await human.browser.press(page, 'Allow');
  expect(left?.origin + (left?.pathname ?? '')).toBe(CLIENT_REDIRECT);
  expect((await redeem(clientId, left?.searchParams.get('code') ?? '')).status).toBe(200);
});

test('a client whose metadata document cannot be read gets a page, and nothing is granted', async () => {
  vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response('gone', { status: 404 }));
  const response = await send(authorizePath('https://nobody-answers.example/oauth/client.json'));
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('This app could not be verified');
});

test('what a client says of itself is text: no markup, nothing that bends the line, and short', async () => {
  const name = `<script>alert(1)</script>\u202e${'very '.repeat(12)}long`;
  const page = await person().walk(authorizePath(await registeredClient({ client_name: name })));
  expect(page.html).not.toContain('<script>');
  expect(page.html).not.toContain('\u202e');
  expect(textOf(page)).toContain('<script>alert(1)</script>very');
  expect(textOf(page)).not.toContain('long');
});

test.each(['\u3164', '\u2800\u2800', '\u202e', '   '])('a name that cannot be seen (%j) is no name', async (name) => {
  const page = await person().walk(authorizePath(await registeredClient({ client_name: `${name}\u200b` })));
  expect(textOf(page)).toContain('Make An app without a name your deputy?');
});

test('Allow sends the client its code, state and issuer', async () => {
  const clientId = await registeredClient();
  const answer = await person().answer(authorizePath(clientId));
  expect(answer.get('state')).toBe('client-state');
  expect(answer.get('iss')).toBe(ORIGIN);
  const response = await redeem(clientId, answer.get('code') ?? '');
  expect(await response.json()).toMatchObject({
    token_type: 'bearer',
    expires_in: 86_400,
    refresh_token: expect.any(String),
    scope: 'shop:browse shop:buy orders:read',
  });
});

test('Deny tells the client, and grants nothing', async () => {
  const human = person();
  human.decision = 'Deny';
  const answer = await human.answer(authorizePath(await registeredClient()));
  expect(Object.fromEntries(answer)).toMatchObject({ error: 'access_denied', state: 'client-state', iss: ORIGIN });
  expect(answer.has('code')).toBe(false);
});

test('a page that was answered cannot be answered otherwise, and says what to do', async () => {
  const human = person();
  const page = await human.walk(authorizePath(await registeredClient()));
  const { left } = await human.browser.press(page, 'Allow');
  expect((await human.browser.press(page, 'Allow')).left?.href).toBe(left?.href);
  const deniedLater = await human.browser.press(page, 'Deny');
  expect(deniedLater.status).toBe(400);
  expect(textOf(deniedLater)).toContain('look at your app first');
  expect(deniedLater.html).toContain('Show the page again');
});

test('a page that is older than ten minutes cannot be answered', async () => {
  const human = person();
  const page = await human.walk(authorizePath(await registeredClient()));
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 11 * 60_000 });
  const late = await human.browser.press(page, 'Allow');
  expect(late.status).toBe(400);
  expect(textOf(late)).toContain('This page is too old Nothing was granted.');
  expect(textOf(late)).toContain('Show the page again');
});

test("another browser cannot answer somebody's page, even signed in as the same human", async () => {
  const human = person();
  const page = await human.walk(authorizePath(await registeredClient()));
  const other = person(human.email);
  await other.walk(authorizePath(await registeredClient()));
  const stolen = await other.browser.press(page, 'Allow');
  expect(stolen.status).toBe(400);
  expect(stolen.left).toBeUndefined();
});

test('a page shown to one account cannot be answered by another one in the same browser', async () => {
  const ada = person();
  const path = authorizePath(await registeredClient());
  const page = await ada.walk(path);
  const bob = person();
  const signIn = await ada.browser.open('/login?fresh&return_to=/');
  await ada.browser.press(signIn, 'Continue', { email: bob.email });
  const answer = await ada.browser.press(page, 'Allow');
  expect(answer.status).toBe(403);
  expect(textOf(answer)).toContain('You are signed in as somebody else now');
  expect(textOf(answer)).toContain(`Go on as ${bob.email}`);
  const shownAgain = await ada.browser.open(path);
  expect(textOf(shownAgain)).toContain(bob.email);
});

test('a page whose session has ended leads through the sign-in, and keeps the request', async () => {
  const human = person();
  const page = await human.walk(authorizePath(await registeredClient({ client_name: 'Patient client' })));
  human.browser.cookies.delete('__Host-mcp-shop-session');
  // AuthKit knows this browser still, and asks nothing.
  const consent = await human.browser.press(page, 'Allow');
  expect(textOf(consent)).toContain('Make Patient client your deputy?');
});

test('"Not you?" signs out, and comes back to the same request as somebody else', async () => {
  const ada = person();
  const bob = person();
  const page = await ada.walk(authorizePath(await registeredClient({ client_name: 'Shared computer' })));
  const signIn = await ada.browser.press(page, 'Not you?');
  expect(signIn.html).toContain('name="email"');
  const consent = await ada.browser.press(signIn, 'Continue', { email: bob.email });
  expect(textOf(consent)).toContain('Make Shared computer your deputy?');
  expect(textOf(consent)).toContain(bob.email);
  expect(textOf(consent)).not.toContain(ada.email);
});

test('a form that was tampered with is refused without using up the page', async () => {
  const human = person();
  const page = await human.walk(authorizePath(await registeredClient()));
  for (const fields of [
    { scope: ['shop:everything'] },
    { scope: ['offline_access'] },
    { decision: 'maybe' },
    { user: '' },
  ]) {
    const answer = await human.browser.press(page, 'Allow', fields);
    expect([400, 403], JSON.stringify(fields)).toContain(answer.status);
  }
  const { left } = await human.browser.press(page, 'Allow');
  expect(left?.searchParams.get('code')).toBeTruthy();
});

test('a post that is no form gets a page, not a fault', async () => {
  for (const [type, body] of [
    ['application/json', '{}'],
    ['multipart/form-data; boundary=x', 'not multipart'],
    ['text/plain', 'hello'],
  ] as const) {
    const response = await send('/authorize', { method: 'POST', body, headers: { 'Content-Type': type } });
    expect(response.status, type).toBe(400);
    expect(await response.text(), type).toContain('Nothing was granted');
  }
});

test('a form posted from another site is refused', async () => {
  const response = await send('/authorize', {
    method: 'POST',
    body: new URLSearchParams({ decision: 'allow' }),
    headers: { Origin: 'https://evil.example' },
  });
  expect(response.status).toBe(403);
});

test('a form of more than 64 KiB is refused with a page', async () => {
  for (const path of ['/authorize', '/logout']) {
    const body = new URLSearchParams({ handle: 'x'.repeat(70_000) });
    const response = await send(path, { method: 'POST', body, headers: { Origin: ORIGIN } });
    expect(response.status).toBe(413);
    expect(await response.text()).toContain('too large');
  }
});
