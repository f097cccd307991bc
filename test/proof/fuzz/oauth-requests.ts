/** Hostile requests to the OAuth endpoints: /register, /token with each grant and revocation, /authorize, the well-known documents. */
import * as fc from 'fast-check';
import type { HostileRequest } from './request.ts';
import { strangeHeaders } from './headers.ts';
import { anything, fields, FOREIGN_HOST, headerValue, mostly, text } from './values.ts';

const FORM = 'application/x-www-form-urlencoded';
const REDIRECT_URI = 'http://localhost:33418/callback';

/** Nobody, a deputy or a human: the OAuth endpoints must ask neither for cookies nor for a bearer token. */
export const whoever = fc.oneof(
  { weight: 4, arbitrary: fc.constant('anonymous' as const) },
  fc.constantFrom('human' as const, 'deputy:0' as const),
);
const strange = fc.oneof({ weight: 4, arbitrary: fc.constant({}) }, strangeHeaders);
const encoding = fc.oneof(
  { weight: 12, arbitrary: fc.constant('utf8' as const) },
  fc.constantFrom('latin1' as const, 'utf16le' as const),
);

/** A request with a form as its body. */
export function form(
  about: string,
  path: fc.Arbitrary<string>,
  body: fc.Arbitrary<string>,
  extra: fc.Arbitrary<Record<string, string>> = fc.constant({}),
  who: fc.Arbitrary<HostileRequest['who']> = whoever,
): fc.Arbitrary<HostileRequest> {
  return fc
    .record({
      who,
      path,
      method: fc.oneof(
        { weight: 20, arbitrary: fc.constant('POST') },
        { weight: 1, arbitrary: fc.constantFrom('PUT', 'PATCH', 'DELETE', 'OPTIONS') },
      ),
      body: fc.oneof(
        { weight: 15, arbitrary: body },
        { weight: 1, arbitrary: text },
        {
          weight: 1,
          arbitrary: fc.constantFrom(
            '&'.repeat(1000),
            '=',
            'a=%zz',
            `x=${'y'.repeat(64 * 1024)}`,
            'k&'.repeat(5000),
            '--x\r\nContent-Disposition: form-data; name="handle"\r\n\r\n1\r\n--x--\r\n',
            '{"grant_type":"refresh_token"}',
          ),
        },
      ),
      encoding,
      chunked: fc.boolean(),
      contentType: fc.oneof(
        { weight: 15, arbitrary: fc.constant(FORM) },
        {
          weight: 1,
          arbitrary: fc.constantFrom(
            'multipart/form-data; boundary=x',
            'multipart/form-data',
            'application/json',
            'text/plain',
            `${FORM}; charset=utf-16`,
          ),
        },
        { weight: 1, arbitrary: headerValue },
      ),
      extra,
      strange,
    })
    .map(
      ({
        who: sender,
        path: to,
        method,
        body: content,
        encoding: as,
        chunked,
        contentType,
        extra: more,
        strange: odd,
      }) => ({
        about,
        who: sender,
        method,
        path: to,
        headers: { 'content-type': contentType, ...more, ...odd },
        body: { text: content, encoding: as, chunked },
      }),
    );
}

/** A request without a body. */
export function get(
  about: string,
  path: fc.Arbitrary<string>,
  who: fc.Arbitrary<HostileRequest['who']> = whoever,
): fc.Arbitrary<HostileRequest> {
  const method = fc.oneof(
    { weight: 20, arbitrary: fc.constant('GET') },
    { weight: 1, arbitrary: fc.constantFrom('HEAD', 'OPTIONS', 'DELETE', 'PUT') },
  );
  return fc
    .record({ who, path, method, strange })
    .map(({ strange: headers, ...rest }) => ({ about, headers, ...rest }));
}

const metadata = fc.record(
  {
    client_name: mostly('An app', 10),
    redirect_uris: fc.oneof(
      { weight: 8, arbitrary: fc.constant([REDIRECT_URI]) },
      fc.array(
        mostly([
          REDIRECT_URI,
          `https://${FOREIGN_HOST}/`,
          'javascript:alert(1)',
          'data:text/html,x',
          'file:///etc/passwd',
          'http://[::1]/',
          'cursor://x',
        ]),
        { maxLength: 4 },
      ),
      anything,
    ),
    token_endpoint_auth_method: mostly(['none', 'client_secret_basic', 'client_secret_post'], 10),
    grant_types: mostly([['authorization_code', 'refresh_token']], 10),
    response_types: mostly([['code']], 10),
    client_uri: mostly('https://app.example/', 10),
    logo_uri: mostly('https://app.example/logo.png', 10),
    scope: mostly('shop:browse', 10),
    contacts: anything,
    jwks: anything,
    software_statement: anything,
  },
  { requiredKeys: ['redirect_uris'] },
);

const register: fc.Arbitrary<HostileRequest> = fc
  .record({
    who: whoever,
    body: fc.oneof(
      { weight: 8, arbitrary: metadata.map((one) => JSON.stringify(one)) },
      anything.map((one) => JSON.stringify(one) ?? ''),
      text,
      fc.constantFrom(
        '['.repeat(5000),
        '{"redirect_uris":'.repeat(3000),
        `{"client_name":"${'x'.repeat(2 * 1024 * 1024)}"}`,
        `{"redirect_uris":["${REDIRECT_URI}"],"client_name":"${'x'.repeat(7000)}"}`,
        `{"redirect_uris":[${`"${REDIRECT_URI}",`.repeat(500)}"${REDIRECT_URI}"]}`,
      ),
    ),
    encoding,
    chunked: fc.boolean(),
    contentType: fc.oneof({ weight: 10, arbitrary: fc.constant('application/json') }, headerValue),
    method: fc.oneof(
      { weight: 15, arbitrary: fc.constant('POST') },
      fc.constantFrom('GET', 'PUT', 'DELETE', 'OPTIONS'),
    ),
    strange,
  })
  .map(({ who, body, encoding: as, chunked, contentType, method, strange: odd }) => ({
    about: '/register',
    who,
    method,
    path: '/register',
    headers: { 'content-type': contentType, ...odd },
    ...(method !== 'GET' && { body: { text: body, encoding: as, chunked } }),
  }));

const tokenFields = fields({
  grant_type: [
    'authorization_code',
    'refresh_token',
    'urn:ietf:params:oauth:grant-type:token-exchange',
    'client_credentials',
    'password',
  ],
  client_id: ['⟦spare.client⟧', '⟦code.client⟧', '⟦client⟧'],
  client_secret: '',
  code: ['⟦code⟧', '⟦spare.token⟧'],
  code_verifier: '⟦code.verifier⟧',
  redirect_uri: REDIRECT_URI,
  refresh_token: ['⟦spare.refresh⟧', '⟦spare.token⟧'],
  resource: ['⟦origin⟧/mcp', '⟦origin⟧'],
  scope: ['shop:browse', 'shop:buy orders:read shop:admin'],
  subject_token: '⟦spare.token⟧',
  subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
});
/** RFC 7009: the same address takes revocations. */
const revocationFields = fields({
  token: ['⟦spare.token⟧', '⟦spare.refresh⟧', '⟦code⟧'],
  token_type_hint: ['access_token', 'refresh_token'],
  client_id: ['⟦spare.client⟧', '⟦client⟧'],
});
const clientAuthentication = fc.oneof(
  { weight: 5, arbitrary: fc.constant({}) },
  headerValue.map((value) => ({ authorization: value })),
  fc
    .tuple(text, text)
    .map(([id, secret]) => ({ authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` })),
);

/** The query of an authorization request. */
export const authorizationQuery = fields({
  response_type: 'code',
  client_id: [
    '⟦client⟧',
    '⟦spare.client⟧',
    `https://${FOREIGN_HOST}/client.json`,
    'https://localhost/x',
    'https://127.0.0.1/x',
  ],
  redirect_uri: REDIRECT_URI,
  code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  code_challenge_method: ['S256', 'plain'],
  scope: ['shop:browse shop:buy', 'shop:admin', 'openid'],
  state: 'a-state',
  resource: '⟦origin⟧/mcp',
  prompt: ['none', 'consent'],
  request: 'x',
});

const consentFields = fields({
  handle: '⟦handle⟧',
  user: '⟦human.user⟧',
  decision: ['allow', 'deny'],
  scope: ['shop:buy', 'orders:read', 'shop:browse', 'shop:admin'],
  replaces: ['⟦human.deputy⟧'],
  shirtsPerOrder: '5',
  shirtsPerDay: '10',
  spendPerDay: ['250', '250.00', '1e2'],
  askAbove: '3',
  read: 'yes',
  until: ['week', 'hour'],
});

const ourOrigin = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ origin: '⟦origin⟧' }) },
  headerValue.map((origin) => ({ origin })),
  fc.constantFrom({}, { origin: 'null' }, { origin: `https://${FOREIGN_HOST}` }),
);

const consent = form(
  '/authorize',
  fc.oneof(
    { weight: 8, arbitrary: fc.constant('⟦consent⟧') },
    authorizationQuery.map((query) => `/authorize?${query}`),
  ),
  consentFields,
  ourOrigin,
  fc.oneof({ weight: 4, arbitrary: fc.constant('human' as const) }, fc.constant('anonymous' as const)),
);

const wellKnown = fc
  .tuple(
    fc.constantFrom(
      '/.well-known/oauth-protected-resource',
      '/.well-known/oauth-protected-resource/mcp',
      '/.well-known/oauth-authorization-server',
      '/.well-known/openid-configuration',
      '/.well-known/',
    ),
    fc.oneof(
      { weight: 3, arbitrary: fc.constant('') },
      text.map((value) => `/${encodeURIComponent(value.toWellFormed())}`),
      text.map((value) => `?${encodeURIComponent(value.toWellFormed())}`),
    ),
  )
  .map(([path, rest]) => path + rest);

export const oauthRequest: fc.Arbitrary<HostileRequest> = fc.oneof(
  { weight: 3, arbitrary: register },
  { weight: 6, arbitrary: form('/token', fc.constant('/token'), tokenFields, clientAuthentication) },
  {
    weight: 2,
    arbitrary: form(
      '/token (revocation)',
      fc.constantFrom('/token', '/token?x=1'),
      revocationFields,
      clientAuthentication,
    ),
  },
  {
    weight: 4,
    arbitrary: get(
      '/authorize',
      authorizationQuery.map((query) => `/authorize?${query}`),
      fc.constantFrom('human' as const, 'human' as const, 'anonymous' as const),
    ),
  },
  { weight: 4, arbitrary: consent },
  { weight: 1, arbitrary: get('/.well-known/*', wellKnown) },
);
