/** What the standards say of each parameter, and what clients send: each rule with its section. */
import { expect, test } from 'vitest';
import { linkOf, textOf } from '../../src/dev/browser.ts';
import { authorizePath, CLIENT_REDIRECT, redeem, register, registeredClient, send, VERIFIER } from '../support/http.ts';
import { person } from '../support/people.ts';
import { plainClient, type Tokens } from '../support/scene.ts';
import { ORIGIN } from '../support/worker.ts';

const RESOURCE = `${ORIGIN}/mcp`;
/** What an error of OAuth may say. RFC 6749, section 5.2. */
const SAYABLE = /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/;

type Registered = { client_id: string; client_secret: string; grant_types: string[]; response_types: string[] };

async function codeFor(clientId: string, path = authorizePath(clientId), human = person()): Promise<string> {
  return (await human.answer(path)).get('code') ?? '';
}

function token(body: string | URLSearchParams, headers: Record<string, string> = {}): Promise<Response> {
  return send('/token', {
    method: 'POST',
    body: String(body),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
  });
}

async function exchange(clientId: string, changes: Record<string, string> = {}): Promise<URLSearchParams> {
  const code = await codeFor(clientId);
  const base = { grant_type: 'authorization_code', code, redirect_uri: CLIENT_REDIRECT, code_verifier: VERIFIER };
  return new URLSearchParams({ ...base, client_id: clientId, ...changes });
}

async function confidentialClient(method?: string): Promise<{ id: string; secret: string }> {
  const response = await register({ token_endpoint_auth_method: method });
  const { client_id: id, client_secret: secret } = await response.json<Registered>();
  return { id, secret };
}

const basic = (id: string, secret: string) => ({ Authorization: `Basic ${btoa(`${id}:${secret}`)}` });
/** Each character as an octet, which is a form's encoding too. */
const encoded = (text: string) => text.replace(/./g, (one) => `%${one.charCodeAt(0).toString(16)}`);

async function expectRefused(response: Response, error: string, says: RegExp, status = 400) {
  expect(response.status).toBe(status);
  const answer = await response.json<{ error: string; error_description: string }>();
  expect(answer.error).toBe(error);
  expect(answer.error_description).toMatch(says);
  expect(answer.error_description).toMatch(SAYABLE);
  expect(response.headers.get('Cache-Control')).toBe('no-store');
  expect(response.headers.get('Pragma')).toBe('no-cache');
}

test.each(['state=', 'scope=', 'resource=', 'code_challenge_method=', 'redirect_uri=', 'x='])(
  'RFC 6749, 3.1: at /authorize a parameter without a value is left out: %s',
  async (empty) => {
    const page = await person().walk(`${authorizePath(await registeredClient())}&${empty}`);
    expect(page.status).toBe(200);
  },
);

test('RFC 6749, 3.1: at /authorize an unknown parameter is ignored, also twice', async () => {
  const path = `${authorizePath(await registeredClient())}&prompt=login&nonce=1&nonce=2`;
  expect((await person().walk(path)).status).toBe(200);
});

test.each(['response_type=code', 'scope=shop:browse', 'state=other', 'code_challenge_method=S256'])(
  'RFC 6749, 4.1.2.1: at /authorize %s again is told to the client as invalid_request',
  async (twice) => {
    const page = await person().browser.open(`${authorizePath(await registeredClient())}&${twice}`);
    expect(page.status).toBe(400);
    const link = linkOf(page, 'Go back to client.example');
    expect(link?.searchParams.get('error')).toBe('invalid_request');
    expect(link?.searchParams.get('error_description')).toContain(`${twice.split('=')[0]} was sent more than once`);
    expect(link?.searchParams.get('state')).toBe('client-state');
    expect(link?.searchParams.get('iss')).toBe(ORIGIN);
  },
);

test('RFC 6749, 3.1.2.3: the only address that a client has registered needs no mention', async () => {
  const clientId = await registeredClient();
  const code = await codeFor(clientId, authorizePath(clientId, { redirect_uri: undefined }));
  expect((await redeem(clientId, code, { redirect_uri: undefined })).status).toBe(200);
});

test.each([
  ['https://client.example/cb?a=b%20c&d=~e&f=%2F+g', 'a=b%20c&d=~e&f=%2F+g'],
  ['https://client.example/cb?flag&q=%C3%A4', 'flag&q=%C3%A4'],
])('RFC 6749, 3.1.2: the query of %s is retained as it is written', async (redirect, query) => {
  const clientId = await registeredClient({ redirect_uris: [redirect] });
  for (const decision of ['Allow', 'Deny']) {
    const human = person();
    const page = await human.walk(authorizePath(clientId, { redirect_uri: redirect }));
    const { left } = await human.browser.press(page, decision, { read: 'yes' });
    expect(left?.search, decision).toMatch(new RegExp(`^\\?${RegExp.escape(query)}&(code|error)=`));
    expect(left?.searchParams.get('iss'), decision).toBe(ORIGIN);
  }
  const broken = await person().browser.open(
    authorizePath(clientId, { redirect_uri: redirect, response_type: 'token' }),
  );
  expect(linkOf(broken, 'Go back to client.example')?.search).toContain(`?${query}&error=unsupported_response_type`);
});

test.each(['plain', 'a+b c&d=e', '{"a":["ä","😀"],"b":"%2B"}', "it's <b>"])(
  'RFC 6749, 4.1.2: the state %s comes back exactly, and so does the issuer (RFC 9207, 2)',
  async (state) => {
    const answer = await person().answer(authorizePath(await registeredClient(), { state }));
    expect([answer.get('state'), answer.get('iss')]).toEqual([state, ORIGIN]);
    expect([...answer.keys()].toSorted()).toEqual(['code', 'iss', 'state']);
  },
);

test('a state of 2,000 characters of JSON passes, signed in or not', async () => {
  const pairs = [...Array(40).keys()].map((n) => [`key${n}`, { id: crypto.randomUUID(), at: n }]);
  const state = JSON.stringify(Object.fromEntries(pairs)).slice(0, 2000);
  const human = person();
  const clientId = await registeredClient();
  for (const _ of ['signed out', 'signed in'])
    expect((await human.answer(authorizePath(clientId, { state }))).get('state')).toBe(state);
  const cancelled = await person().browser.open(authorizePath(clientId, { state }));
  const page = await person().browser.press(cancelled, 'Cancel');
  expect(page.left).toBeUndefined();
});

test('RFC 6749, 3.3: the order of scopes makes no difference, and the token says what was granted', async () => {
  const human = person();
  human.ticks = ['orders:read', 'shop:buy'];
  const clientId = await registeredClient();
  const code = await codeFor(clientId, authorizePath(clientId, { scope: 'orders:read  shop:browse' }), human);
  const { scope } = await (await redeem(clientId, code)).json<{ scope: string }>();
  expect(scope.split(' ').toSorted()).toEqual(['orders:read', 'shop:browse', 'shop:buy']);
});

test('RFC 8707, 2: the same resource may be named twice, and another one beside it is invalid_target', async () => {
  const clientId = await registeredClient();
  const same = `${authorizePath(clientId)}&${new URLSearchParams({ resource: RESOURCE }).toString()}`;
  expect((await person().walk(same)).status).toBe(200);
  const other = await person().browser.open(`${authorizePath(clientId)}&resource=https://other.example/mcp`);
  expect(linkOf(other, 'Go back to client.example')?.searchParams.get('error')).toBe('invalid_target');

  const form = await exchange(clientId, { resource: RESOURCE });
  form.append('resource', RESOURCE);
  expect((await token(form)).status).toBe(200);
  const wrong = await exchange(clientId, { resource: RESOURCE });
  wrong.append('resource', 'https://other.example/mcp');
  await expectRefused(await token(wrong), 'invalid_target', /resource/);
});

test.each(['x', `${'x'.repeat(43)}=`, 'x'.repeat(44), ` ${'x'.repeat(42)}`])(
  'RFC 7636, 4.2: no token would ever come of the challenge "%s", so it is refused at once',
  async (challenge) => {
    const path = authorizePath(await registeredClient(), { code_challenge: challenge });
    const link = linkOf(await person().browser.open(path), 'Go back to client.example');
    expect(link?.searchParams.get('error_description')).toMatch(/^code_challenge must be/);
  },
);

test('RFC 6749, 4.1.2.1: what an error says of what was sent stays in the characters it may have', async () => {
  const path = authorizePath(await registeredClient(), { response_type: '"ä\\' });
  const link = linkOf(await person().browser.open(path), 'Go back to client.example');
  expect(link?.searchParams.get('error_description')).toMatch(SAYABLE);
});

test.each([
  [{ client_id: undefined }, /client_id is missing/],
  [{ client_id: 'nobody' }, /does not know the app.*add it again/],
  [{ redirect_uri: 'https://client.example/other' }, /redirect_uri is none that the app has registered.*add it again/],
  [{ redirect_uri: undefined }, /redirect_uri is missing.*Update the app/],
])('a page that refuses %j says what helps', async (changes, says) => {
  const clientId = await registeredClient({ redirect_uris: [CLIENT_REDIRECT, 'https://client.example/second'] });
  const page = await person().browser.open(authorizePath(clientId, changes));
  expect(page.status).toBe(400);
  expect(textOf(page)).toMatch(says);
});

test('RFC 6749, 3.2: at /token what has no value or is not known is ignored, also twice', async () => {
  const clientId = await registeredClient();
  const form = await exchange(clientId, { scope: 'offline_access', audience: 'x', resource: '', client_secret: '' });
  form.append('audience', 'y');
  form.append('code', '');
  expect((await token(form)).status).toBe(200);
});

test.each(['grant_type', 'code', 'redirect_uri', 'code_verifier', 'client_id'])(
  'RFC 6749, 5.2: at /token %s twice is invalid_request, and the code is still good',
  async (name) => {
    const clientId = await registeredClient();
    const form = await exchange(clientId);
    const twice = new URLSearchParams(form);
    twice.append(name, form.get(name) ?? '');
    await expectRefused(await token(twice), 'invalid_request', new RegExp(`^${name} was sent more than once`));
    expect((await token(form)).status).toBe(200);
  },
);

test.each([
  ['grant_type=', 'invalid_request', /^grant_type is missing/],
  ['grant_type=authorization_code', 'invalid_request', /^code is missing/],
  ['grant_type=refresh_token&refresh_token=', 'invalid_request', /^refresh_token is missing/],
  ['grant_type=password&username=a&password=b', 'unsupported_grant_type', /^grant_type must be/],
  ['grant_type=authorization_code&code=a:b:c&code_verifier=short', 'invalid_request', /^code_verifier must have/],
])('RFC 6749, 5.2: %s is refused by name', async (body, error, says) => {
  await expectRefused(await token(`${body}&client_id=${await registeredClient()}`), error, says);
});

test('RFC 6749, 2.3.1 and 3.2.1: an id in the form beside Basic is no second method, but another id is', async () => {
  const { id, secret } = await confidentialClient();
  const form = await exchange(id);
  await expectRefused(await token(form, basic('somebody', secret)), 'invalid_request', /^client_id is another client/);
  const answer = await token(form, basic(id, secret));
  expect(answer.status).toBe(200);
  const { refresh_token: kept } = await answer.json<Tokens>();
  const again = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: kept, client_id: id });
  expect((await token(again, basic(id, secret))).status).toBe(200);
});

test('RFC 6749, 2.3: a secret in the form beside Basic is a second method', async () => {
  const { id, secret } = await confidentialClient();
  const form = await exchange(id, { client_secret: secret });
  await expectRefused(await token(form, basic(id, secret)), 'invalid_request', /multiple authentication methods/);
});

test('RFC 6749, 2.3.1: id and secret in Basic are form-encoded', async () => {
  const { id, secret } = await confidentialClient('client_secret_basic');
  expect((await token(await exchange(id), basic(encoded(id), encoded(secret)))).status).toBe(200);
});

test('RFC 6749, 2.3.1: an empty secret in Basic is how a client without one says who it is', async () => {
  const clientId = await registeredClient();
  const form = await exchange(clientId);
  form.delete('client_id');
  expect((await token(form, basic(clientId, ''))).status).toBe(200);
});

test.each(['', 'wrong'])('RFC 6749, 5.2: a client with a secret that sends "%s" is invalid_client', async (wrong) => {
  const { id } = await confidentialClient();
  const response = await token(await exchange(id), basic(id, wrong));
  expect(response.status).toBe(401);
  expect(await response.json()).toMatchObject({ error: 'invalid_client' });
  if (wrong) expect(response.headers.get('WWW-Authenticate')).toMatch(/^Basic /);
});

test.each(['application/x-www-form-urlencoded; charset=UTF-8', 'Application/X-WWW-Form-URLEncoded;charset=utf-8'])(
  'RFC 6749, 3.2: a form of type %s is a form, and nobody keeps the answer (5.1)',
  async (type) => {
    const response = await token(await exchange(await registeredClient()), { 'Content-Type': type });
    expect(response.status).toBe(200);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(response.headers.get('Pragma')).toBe('no-cache');
  },
);

test('RFC 6749, 3.2: /token is for POST, and for a form', async () => {
  expect((await send('/token')).status).toBe(405);
  const json = await token('{"grant_type":"refresh_token"}', { 'Content-Type': 'application/json' });
  await expectRefused(json, 'invalid_request', /x-www-form-urlencoded/);
});

test('OAuth 2.1, 4.1.3: the redirect URI may be left out at /token, and is compared when it is there', async () => {
  const clientId = await registeredClient();
  expect((await redeem(clientId, await codeFor(clientId), { redirect_uri: undefined })).status).toBe(200);
  const wrong = await redeem(clientId, await codeFor(clientId), { redirect_uri: 'https://client.example/other' });
  await expectRefused(wrong, 'invalid_grant', /redirect/i);
});

test.each([
  [{ client_uri: null, logo_uri: '', contacts: [], tos_uri: null, scope: null, jwks: null, contacts_: [null] }],
  [{ grant_types: null, response_types: [], redirect_uris: [null, CLIENT_REDIRECT, ''] }],
  [{ 'client_name#de': '', token_endpoint_auth_signing_alg: null, client_name: null }],
  [{ application_type: 'native', software_statement: 'x.y.z', unheard_of: { a: [] } }],
])('RFC 7591, 2: what is unset or not understood is left out: %j', async (metadata) => {
  const response = await register(metadata);
  expect(response.status).toBe(201);
  expect(await response.json()).toMatchObject({
    redirect_uris: [CLIENT_REDIRECT],
    grant_types: ['authorization_code'],
    response_types: ['code'],
  });
});

test('RFC 7591, 2: a client that names no method has Basic', async () => {
  const response = await register({ token_endpoint_auth_method: null });
  expect(await response.json()).toMatchObject({
    token_endpoint_auth_method: 'client_secret_basic',
    client_secret_expires_at: expect.any(Number),
  });
});

test('RFC 7591, 3.2.1: a registration keeps what is served here, and says what it kept', async () => {
  const response = await register({
    grant_types: ['urn:ietf:params:oauth:grant-type:jwt-bearer', 'refresh_token', 'authorization_code', 'implicit'],
    response_types: ['token', 'code'],
  });
  expect(response.status).toBe(201);
  expect(response.headers.get('Cache-Control')).toBe('no-store');
  const { grant_types: grants, response_types: responses } = await response.json<Registered>();
  expect([grants, responses]).toEqual([['authorization_code', 'refresh_token'], ['code']]);
});

test.each([
  [{ grant_types: ['client_credentials'] }, 'invalid_client_metadata', /^grant_types must include authorization_code/],
  [{ grant_types: ['refresh_token'] }, 'invalid_client_metadata', /^grant_types must include authorization_code/],
  [{ response_types: ['token'] }, 'invalid_client_metadata', /^response_types must include code/],
  [{ token_endpoint_auth_method: 'tls_"ä' }, 'invalid_client_metadata', /Supported methods: client_secret_basic/],
  [{ client_uri: 'no address' }, 'invalid_client_metadata', /client_uri/],
  [{ contacts: 'a@example.com' }, 'invalid_client_metadata', /contacts/],
  [{ redirect_uris: [] }, 'invalid_redirect_uri', /^redirect_uris must list/],
  [{ redirect_uris: ['https://client.example/#x'] }, 'invalid_redirect_uri', /^redirect_uris must list/],
  [{ redirect_uris: ['http://client.example/'] }, 'invalid_redirect_uri', /^redirect_uris must list/],
])('RFC 7591, 3.2.2: %j is refused by name', async (metadata, error, says) => {
  await expectRefused(await register(metadata), error, says);
});

test.each(['', '[]', '"x"', '{"redirect_uris":', 'redirect_uris=x'])(
  'RFC 7591, 3.1: "%s" is no registration',
  async (body) => {
    await expectRefused(
      await send('/register', { method: 'POST', body }),
      'invalid_client_metadata',
      /one JSON object/,
    );
  },
);

test('a name of 60 emoji is a name, and one of 101 is none', async () => {
  expect((await register({ client_name: '😀'.repeat(60) })).status).toBe(201);
  await expectRefused(await register({ client_name: '😀'.repeat(101) }), 'invalid_client_metadata', /^client_name/);
});

test('RFC 7009, 2.2: a revocation may say more than it must', async () => {
  const { clientId, tokens } = await plainClient(person());
  const form = {
    token: tokens.refresh_token,
    token_type_hint: 'refresh_token',
    client_id: clientId,
    grant_type: '',
    x: '',
  };
  expect((await token(new URLSearchParams(form))).status).toBe(200);
  const after = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: clientId,
    refresh_token: tokens.refresh_token,
  });
  await expectRefused(await token(after), 'invalid_grant', /./);
});
