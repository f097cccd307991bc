/** Hostile requests to the pages: sign-in and out, the console with its forms and queries, its socket, and what is no page. */
import * as fc from 'fast-check';
import { authorizationQuery, form, get } from './oauth-requests.ts';
import type { HostileRequest } from './request.ts';
import { encoded, fields, FOREIGN_HOST, headerValue, mostlyText, nasty, text } from './values.ts';

const someone = fc.oneof(
  { weight: 5, arbitrary: fc.constant('human' as const) },
  fc.constantFrom('anonymous' as const, 'deputy:0' as const),
);
const ourOrigin = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ origin: '⟦origin⟧' }) },
  fc.constantFrom({}, { origin: 'null' }, { origin: `https://${FOREIGN_HOST}` }),
  headerValue.map((origin) => ({ origin })),
);

/** Paths of ours, and what looks like one and leads elsewhere. */
const returnTo = [
  '/deputies',
  '/',
  '/authorize?client_id=⟦client⟧',
  '/login',
  '/callback',
  '/logout',
  '/mcp',
  `//${FOREIGN_HOST}`,
  `/\\${FOREIGN_HOST}`,
  `/.//${FOREIGN_HOST}`,
  `https://${FOREIGN_HOST}/`,
];
const signIn = fc.oneof(
  get(
    '/login',
    fc
      .oneof(
        fields({ return_to: returnTo, fresh: '1' }),
        authorizationQuery.map((query) => `return_to=${encoded(`/authorize?${query}`)}`),
      )
      .map((query) => `/login?${query}`),
    someone,
  ),
  get(
    '/callback',
    fields({
      state: ['⟦state⟧', 'mgx1-3b241101-e2bb-4255-8caf-4136c566a962'],
      code: '3b241101-e2bb-4255-8caf-4136c566a962',
      error: 'access_denied',
    }).map((query) => `/callback?${query}`),
    someone,
  ),
  form(
    '/logout',
    fc.constant('/logout'),
    fields({ return_to: returnTo }),
    ourOrigin,
    fc.oneof({ weight: 6, arbitrary: fc.constant('anonymous' as const) }, fc.constant('human' as const)),
  ),
  get('/logout', fc.constantFrom('/logout', '/logout?return_to=//evil.example'), someone),
);

const limits = {
  shirtsPerOrder: ['1', '5', '100', '101'],
  shirtsPerDay: ['1', '10', '1000'],
  spendPerDay: ['25', '250.00', '25000', '0.01', '1e3'],
  askAbove: ['0', '3', ''],
};
const formToken = '⟦human.form⟧';
const deputy = fc.oneof(
  { weight: 4, arbitrary: fc.constant('⟦human.deputy⟧') },
  text.map(encoded).map((id) => id || 'x'),
);

const consoleForms = fc.oneof(
  {
    weight: 3,
    arbitrary: form(
      '/deputies forms',
      fc.constantFrom('/deputies/pause', '/deputies/resume', '/deputies/resume'),
      fields({ form: formToken }),
      ourOrigin,
      someone,
    ),
  },
  {
    weight: 3,
    arbitrary: form(
      '/deputies forms',
      fc.constant('/deputies/ceiling'),
      fields({ form: formToken, shirtsPerDay: limits.shirtsPerDay, spendPerDay: limits.spendPerDay }),
      ourOrigin,
      someone,
    ),
  },
  {
    weight: 1,
    arbitrary: form(
      '/deputies forms',
      fc.constant('/deputies/erase'),
      fields({ form: '⟦human.form⟧' }),
      ourOrigin,
      someone,
    ),
  },
  {
    weight: 6,
    arbitrary: form(
      '/deputies forms',
      deputy.map((id) => `/deputies/${id}`),
      fields({
        form: formToken,
        ...limits,
        version: ['1', '2', '3'],
        until: ['keep', 'hour', 'month'],
        scope: ['shop:buy', 'orders:read'],
      }),
      ourOrigin,
      someone,
    ),
  },
  {
    weight: 1,
    arbitrary: form(
      '/deputies forms',
      deputy.map((id) => `/deputies/${id}/revoke`),
      fields({ form: formToken }),
      ourOrigin,
      someone,
    ),
  },
);

const consolePages = fc.oneof(
  get(
    '/deputies pages',
    fields({
      before: ['1', '5', '999999999999'],
      deputy: '⟦human.deputy⟧',
      tool: 'buyMcpShopItem',
      decision: ['allowed', 'refused'],
      paused: '3',
      took: '12',
    }).map((query) => `/deputies?${query}`),
    someone,
  ),
  get(
    '/deputies pages',
    fields({ sequence: ['1', '2', '999'], hash: '0'.repeat(64) }).map((query) => `/deputies/verify?${query}`),
    someone,
  ),
  get(
    '/deputies pages',
    fc.constantFrom(
      '/deputies/resume',
      '/deputies/ceiling',
      '/deputies/erase',
      '/deputies/record.jsonl',
      '/deputies/',
      '/deputies/live',
      '/deputies/pause',
      '/deputies//',
      '/deputies/%2e%2e/mcp',
    ),
    someone,
  ),
  get(
    '/deputies pages',
    deputy.map((id) => `/deputies/${id}`),
    someone,
  ),
);

/** Bytes that a client sends once a socket is open: frames, and what is none. */
const live: fc.Arbitrary<HostileRequest> = fc
  .record({
    who: someone,
    method: fc.oneof({ weight: 8, arbitrary: fc.constant('GET') }, fc.constantFrom('POST', 'HEAD')),
    path: fc.oneof(
      { weight: 6, arbitrary: fc.constant('/deputies/live') },
      fc.constantFrom('/mcp', '/deputies/live?_pk=x', '/deputies', '/mcp?sessionId=x', '/'),
    ),
    version: mostlyText('13', 5),
    key: mostlyText('dGhlIHNhbXBsZSBub25jZQ==', 5),
    extra: fc.dictionary(
      fc.constantFrom(
        'origin',
        'sec-websocket-protocol',
        'sec-websocket-extensions',
        'x-mcp-shop-watcher',
        'x-mcp-shop-caller',
        'cf-mcp-method',
        'x-partykit-room',
      ),
      fc.oneof(headerValue, fc.constantFrom('⟦origin⟧', '⟦watcher⟧')),
      { maxKeys: 3 },
    ),
    upgrade: mostlyText('websocket', 8),
  })
  .map(({ who, method, path, version, key, extra, upgrade }) => {
    const header = (value: string) => value.replace(/[^\x21-\x7e]/g, '') || 'x';
    return {
      about: '/deputies/live',
      who,
      method,
      path,
      headers: {
        connection: 'Upgrade',
        upgrade: header(upgrade),
        'sec-websocket-version': header(version),
        'sec-websocket-key': header(key),
        origin: '⟦origin⟧',
        ...extra,
      },
    };
  });

const elsewhere = fc.oneof(
  get(
    'elsewhere',
    fc.oneof(text, nasty).map((value) => `/${encoded(value)}`),
    someone,
  ),
  get(
    'elsewhere',
    fc.constantFrom(
      '/',
      '/healthz',
      '/.env',
      '/%2e%2e/%2e%2e/etc/passwd',
      '//',
      '/agents/mcp-object/x',
      '/agents/mcp-shop-server/streamable-http:x',
      '/parties/main/x',
      '/cdn-cgi/',
      '/?',
      '/%',
      '/%ff%fe',
      '/.dev.vars',
      '/wrangler.toml',
    ),
    someone,
  ),
  fc.tuple(headerValue, fc.constantFrom('/', '/mcp', '/authorize', '/register', '/deputies')).map(([host, path]) => ({
    about: 'elsewhere',
    who: 'anonymous' as const,
    method: 'GET',
    path,
    headers: { host: host.replace(/[^\w.:[\]-]/g, '') || FOREIGN_HOST },
  })),
);

export const pageRequest: fc.Arbitrary<HostileRequest> = fc.oneof(
  { weight: 4, arbitrary: signIn },
  { weight: 6, arbitrary: consoleForms },
  { weight: 4, arbitrary: consolePages },
  { weight: 2, arbitrary: live },
  { weight: 2, arbitrary: elsewhere },
);
