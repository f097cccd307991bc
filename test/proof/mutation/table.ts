/**
 * The guards: where each stands, what is there without it, and the story that must notice. `text` is exact source and must
 * stand in its file once. Some guards are that something is never done; then `without` does it.
 */

export type Removal = {
  /** Under src/. */
  file: string;
  text: string;
  without: string;
};

export type Guard = Removal & {
  name: string;
  /** The file in test/attacks/ or test/proof/faults/, without `.test.ts`. */
  story: string;
  /** Other guards that stop the same attack by themselves: they are removed as well, so that this one's share is seen. */
  backedBy?: (Removal & { name: string })[];
};

const FORM_TOKEN: Removal & { name: string } = {
  name: 'the token in every form',
  file: 'console/guard.tsx',
  text: 'return given.length === right.length && timingSafeEqual(given, right);',
  without: 'return true;',
};

const OWN_USER: Removal & { name: string } = {
  name: 'an object takes its own human alone',
  file: 'mcp-server.ts',
  text: 'if (caller?.userId !== this.#userId) return',
  without: 'if (!caller) return',
};

const OWN_PAGES: Removal & { name: string } = {
  name: 'forms are taken from our own pages alone',
  file: 'origin.ts',
  text: "return origin === url.origin || (changesNothing && !request.headers.has('Upgrade'));",
  without: 'return true;',
};

const RECOVERY: Removal & { name: string } = {
  name: 'a start looks for orders that wait without a job',
  file: 'mcp-server.ts',
  text: 'await this.#outbox.recover();\n    await this.#upkeep.start();',
  without: 'await this.#upkeep.start();',
};

export const GUARDS: readonly Guard[] = [
  // ---------------------------------------------------------------- what a deputy may do
  {
    name: 'a pause stops every deputy',
    story: 'self-promotion',
    file: 'authority/policy.ts',
    text: "if (authority === 'paused') {",
    without: "if (authority === 'paused' && !action) {",
  },
  {
    name: 'a pause stops prettyPlease too',
    story: 'self-promotion',
    file: 'authority/policy.ts',
    text: "if (authority === 'paused') {",
    without: "if (authority === 'paused' && action.name !== 'prettyPlease') {",
  },
  {
    name: 'prettyPlease moves the demo mode and nothing else',
    story: 'self-promotion',
    file: 'tools/demo.ts',
    text: "const wasBanned = readDemoMode(ledger.kv) === 'banned';",
    without:
      "const wasBanned = readDemoMode(ledger.kv) === 'banned'; ledger.account.setAuthority('active', Date.now(), 1);",
  },
  {
    name: 'every tool is decided about before it runs',
    story: 'self-promotion',
    file: 'tools/define-tool.ts',
    text: 'turn.decide({ name, scope, permission });',
    without: '',
  },
  {
    name: 'a tool that needs a permission asks for it',
    story: 'self-promotion',
    file: 'authority/policy.ts',
    text: 'if (action.permission && !action.permissions.includes(action.permission)) {',
    without: 'if (action.permission && !action) {',
  },
  {
    name: 'arguments that no tool knows are refused',
    story: 'self-promotion',
    file: 'tools/fields.ts',
    text: 'return z.strictObject(shape, {',
    without: 'return z.object(shape, {',
  },
  {
    name: 'the mandate must hold the scope',
    story: 'scope-creep',
    file: 'authority/policy.ts',
    text: 'if (!scopes.includes(action.scope) || !action.tokenScopes.includes(action.scope)) {',
    without: 'if (!action.tokenScopes.includes(action.scope)) {',
  },
  {
    name: 'the token must hold the scope',
    story: 'scope-creep',
    file: 'authority/policy.ts',
    text: 'if (!scopes.includes(action.scope) || !action.tokenScopes.includes(action.scope)) {',
    without: 'if (!scopes.includes(action.scope)) {',
  },
  {
    name: 'a dismissed deputy may do nothing',
    story: 'buy-after-revoke',
    file: 'authority/policy.ts',
    text: "if (grant.status === 'revoked') {",
    without: "if (grant.status === 'revoked' && !now) {",
  },
  {
    name: 'a replaced deputy may do nothing',
    story: 'buy-after-revoke',
    file: 'authority/policy.ts',
    text: "if (grant.status === 'superseded') {",
    without: "if (grant.status === 'superseded' && !now) {",
  },
  {
    name: 'a deputy that has ended is told so with 401',
    story: 'buy-after-revoke',
    file: 'mcp-server.ts',
    text: 'if (ended) return',
    without: 'if (ended && !caller) return',
  },
  {
    name: 'a refresh asks the record',
    story: 'buy-after-revoke',
    file: 'oauth.ts',
    text: 'live = await object.mayRefresh(deputyId, grantId);',
    without: 'live = true;',
  },
  {
    name: 'a mandate ends',
    story: 'outlived-mandate',
    file: 'authority/policy.ts',
    text: 'if (now >= grant.mandate.expiresAt) {',
    without: 'if (now >= grant.mandate.expiresAt && !now) {',
  },
  {
    name: 'no token is had after the end of the mandate',
    story: 'outlived-mandate',
    file: 'authority/acts.ts',
    text: "if (deputy?.status !== 'active' || now >= deputy.mandate.expiresAt) return false;",
    without: "if (deputy?.status !== 'active') return false;",
  },

  // ---------------------------------------------------------------- how much
  {
    name: 'shirts in one order',
    story: 'over-the-limit',
    file: 'authority/policy.ts',
    text: 'if (quantity > limits.shirtsPerOrder) {',
    without: 'if (quantity > Infinity) {',
  },
  {
    name: 'shirts above which the human is asked',
    story: 'over-the-limit',
    file: 'authority/policy.ts',
    text: 'if (quantity > limits.askAbove) {',
    without: 'if (quantity > Infinity) {',
  },
  {
    name: 'shirts in 24 hours',
    story: 'over-the-limit',
    file: 'authority/policy.ts',
    text: 'if (usage.shirts + quantity > limits.shirtsPerDay)',
    without: 'if (usage.shirts + quantity > Infinity)',
  },
  {
    name: 'money in 24 hours',
    story: 'over-the-limit',
    file: 'authority/policy.ts',
    text: 'if (usage.spend + total > limits.spendPerDay)',
    without: 'if (usage.spend + total > Infinity)',
  },
  {
    name: 'calls in a minute',
    story: 'over-the-limit',
    file: 'authority/policy.ts',
    text: 'if (usage.calls >= limits.callsPerMinute) {',
    without: 'if (usage.calls > Infinity) {',
  },
  {
    name: 'purchases in a minute',
    story: 'over-the-limit',
    file: 'authority/policy.ts',
    text: 'if (usage.purchases >= limits.purchasesPerMinute) {',
    without: 'if (usage.purchases > Infinity) {',
  },
  {
    name: 'a purchase is decided about once its cost is known',
    story: 'over-the-limit',
    file: 'tools/define-tool.ts',
    text: 'turn.decide({ name, scope, permission, purchase });',
    without: '',
  },
  {
    name: 'what a deputy bought is counted',
    story: 'over-the-limit',
    file: 'authority/ledger.ts',
    text: 'day: purchase ? spend(day, DAY, this.now, [purchase.quantity, purchase.total]) : day,',
    without: 'day,',
  },
  {
    name: 'shirts of the account in 24 hours',
    story: 'limits-multiplied-by-signing-in-again',
    file: 'authority/policy.ts',
    text: 'if (usage.accountShirts + quantity > ceiling.shirtsPerDay)',
    without: 'if (usage.accountShirts + quantity > Infinity)',
  },
  {
    name: 'money of the account in 24 hours',
    story: 'limits-multiplied-by-signing-in-again',
    file: 'authority/policy.ts',
    text: 'if (usage.accountSpend + total > ceiling.spendPerDay)',
    without: 'if (usage.accountSpend + total > Infinity)',
  },
  {
    name: 'what any deputy bought is counted for the account',
    story: 'limits-multiplied-by-signing-in-again',
    file: 'authority/ledger.ts',
    text: 'this.#ledger.account.setDay(spent);',
    without: 'void spent;',
  },
  {
    name: 'a key stands for the arguments it was first used with',
    story: 'purchase-swap',
    file: 'tools/define-tool.ts',
    text: 'if (before && before.digest !== digest) throw conflict(tool.name);',
    without: '',
  },
  {
    name: 'a key belongs to one deputy',
    story: 'purchase-swap',
    file: 'authority/idempotency.ts',
    text: 'FROM idempotency WHERE deputy_id = ? AND key = ?',
    without: 'FROM idempotency WHERE ? IS NOT NULL AND key = ?',
  },

  // ---------------------------------------------------------------- who calls
  { ...OWN_USER, story: 'forged-caller-header' },
  {
    name: 'the Worker alone writes who calls',
    story: 'forged-caller-header',
    file: 'mcp-endpoint.ts',
    text: 'headers.set(CALLER_HEADER, encodeCaller(caller));',
    without: 'if (!headers.has(CALLER_HEADER)) headers.set(CALLER_HEADER, encodeCaller(caller));',
    backedBy: [
      {
        name: 'few headers are forwarded',
        file: 'mcp-endpoint.ts',
        text: "name.startsWith('mcp-')) headers.set(name, value);",
        without: "name.startsWith('mcp-') || name === CALLER_HEADER) headers.set(name, value);",
      },
    ],
  },
  {
    name: 'the token alone says which object is asked',
    story: 'another-users-session',
    file: 'mcp-endpoint.ts',
    text: 'env.MCP_OBJECT.getByName(objectName(caller.userId));',
    without: "env.MCP_OBJECT.getByName(request.headers.get('mcp-session-id') ?? objectName(caller.userId));",
    backedBy: [OWN_USER],
  },
  {
    name: 'a token carries the name of the human it belongs to',
    story: 'another-users-session',
    file: 'mcp-endpoint.ts',
    text: ' || auth.userId !== parsed.data.userId',
    without: '',
  },
  {
    name: 'a cursor comes from the same list',
    story: 'foreign-cursor-or-order-id',
    file: 'shop/orders.ts',
    text: 'if (!row) throw new UnknownCursorError();',
    without: 'if (!row) return Number.MAX_SAFE_INTEGER;',
  },
  {
    name: 'there is nothing below /mcp',
    story: 'the-agents-own-doors',
    file: 'index.ts',
    text: "if (url.pathname.startsWith('/mcp/')) return",
    without: "if (url.pathname === '/mcp/…') return",
  },
  {
    name: '/mcp takes POST alone',
    story: 'the-agents-own-doors',
    file: 'mcp-endpoint.ts',
    text: "if (request.method !== 'POST') {",
    without: "if (request.method === 'NONE') {",
  },
  {
    name: 'an object closes a socket that the Worker did not open',
    story: 'the-agents-own-doors',
    file: 'watchers.ts',
    text: "connection.close(1008, 'This object takes no connections');",
    without: 'void connection;',
  },
  {
    name: 'a socket cannot write the state of an object',
    story: 'the-agents-own-doors',
    file: 'mcp-server.ts',
    text: 'override shouldConnectionBeReadonly(): boolean {\n    return true;',
    without: 'override shouldConnectionBeReadonly(): boolean {\n    return false;',
  },
  {
    name: 'a page follows with a session alone',
    story: 'someone-elses-page',
    file: 'console/routes.tsx',
    text: "if (!session) return c.text('Sign in first.', 401);",
    without: "if (!session) return c.text('Welcome.');",
  },
  {
    name: 'an object takes the pages of its own human alone',
    story: 'someone-elses-page',
    file: 'watchers.ts',
    text: 'if (watcher?.userId !== userId) {',
    without: 'if (!watcher) {',
  },
  {
    name: 'signing out closes the pages of that session',
    story: 'someone-elses-page',
    file: 'auth/sign-in.tsx',
    text: 'c.executionCtx.waitUntil(closePages(c, ended));',
    without: '',
  },
  {
    name: 'signing out closes the pages of no other session',
    story: 'someone-elses-page',
    file: 'watchers.ts',
    text: 'if (kept.sessionId === sessionId)',
    without: 'if (kept.sessionId !== undefined)',
  },
  {
    name: 'a page whose session is over is told nothing',
    story: 'someone-elses-page',
    file: 'watchers.ts',
    text: 'for (const { connection } of this.#stillOpen(open)) connection.send(version);',
    without: 'for (const { connection } of open) connection.send(version);',
  },
  {
    name: 'a page whose session is over is closed in time',
    story: 'someone-elses-page',
    file: 'mcp-server.ts',
    text: 'if (!armed) await this.closeWatchers();',
    without: 'void armed;',
  },
  {
    name: 'a page can only listen',
    story: 'someone-elses-page',
    file: 'mcp-server.ts',
    text: "connection.close(1008, 'This socket takes no messages');",
    without: 'void connection;',
  },
  {
    name: 'one human has so many open pages at most',
    story: 'someone-elses-page',
    file: 'watchers.ts',
    text: 'if (this.#open().length >= MOST) {',
    without: 'if (this.#open().length >= Infinity) {',
  },

  // ---------------------------------------------------------------- sign-in, consent, tokens
  {
    name: 'the consent page is always shown',
    story: 'confused-deputy',
    file: 'auth/authorize.tsx',
    text: 'const { handle, headers } = await oauth.beginConsent(request);',
    without: `if (record.deputies.length >= 0 && (await objectOf(c, session.user.userId).look({})).deputies.length > 0) {
      const props = { ...session.user, deputyId: 'dep_remembered' };
      const grant = { request, userId: session.user.userId, scope: [...SCOPES], metadata: {}, props };
      return c.redirect((await oauth.completeAuthorization({ ...grant, revokeExistingGrants: false })).redirectTo);
    }
    const { handle, headers } = await oauth.beginConsent(request);`,
  },
  {
    name: 'a consent page counts for the account it was shown to',
    story: 'another-account',
    file: 'auth/authorize.tsx',
    text: 'if (user.userId !== shownTo) {',
    without: 'if (user.userId !== shownTo && !user) {',
  },
  { ...OWN_PAGES, story: 'consent-forgery' },
  {
    name: 'no page can be framed',
    story: 'consent-forgery',
    file: 'app.tsx',
    text: `frameAncestors: ["'none'"],`,
    without: '',
  },
  {
    name: 'a sign-in is finished in the browser that started it',
    story: 'callback-in-another-browser',
    file: 'auth/session.ts',
    text: 'if (!value) return undefined;\n  const { startedAt',
    without: "if (!value) return { codeVerifier: undefined as never, returnTo: '/' };\n  const { startedAt",
    backedBy: [
      {
        name: 'PKCE ties the code to that browser',
        file: 'auth/sign-in.tsx',
        text: 'signInUrl(config, { redirectUri, state, codeChallenge, ...fresh })',
        without: 'signInUrl(config, { redirectUri, state, codeChallenge: undefined as never, ...fresh })',
      },
    ],
  },
  {
    name: 'the cookie of a sign-in is signed',
    story: 'callback-in-another-browser',
    file: 'auth/session.ts',
    text: "await getSignedCookie(c, secret(c), SIGN_IN + state, 'host');",
    without: "getCookie(c, SIGN_IN + state, 'host')?.replace(/\\.[^.]*$/, '');",
  },
  {
    name: 'a sign-in works once',
    story: 'callback-in-another-browser',
    file: 'auth/session.ts',
    text: 'deleteCookie(c, SIGN_IN + state, cookie);',
    without: '',
  },
  {
    name: 'a sign-in leads to our own paths alone',
    story: 'redirect-swap',
    file: 'auth/requests.ts',
    text: "return url.origin === base && url.protocol === 'https:' ? url.pathname.replace(/^\\/+/, '/') + url.search : '/';",
    without: 'return path;',
  },
  {
    name: 'no token without the record of the human',
    story: 'code-replay',
    file: 'oauth.ts',
    text: 'if (!live) throw',
    without: 'if (!live && !props) throw',
  },
  {
    name: 'a deputy goes live once, and only while it is expected',
    story: 'code-replay',
    file: 'authority/acts.ts',
    text: "if (deputy.status !== 'pending') return { problem: 'ended' };",
    without: '',
  },
  {
    name: 'each origin is a resource of its own',
    story: 'wrong-audience',
    file: 'oauth.ts',
    text: 'if (latest?.origin === origin) return latest.provider;',
    without: 'if (latest) return latest.provider;',
    backedBy: [
      {
        name: 'the provider looks at the address that was asked, too',
        file: 'index.ts',
        text: ', request) : request;',
        without: ", request) : new Request(request.url.replace('127.0.0.1', 'localhost'), request);",
      },
    ],
  },
  {
    name: 'what is kept of a client is bounded',
    story: 'poisoned-registration',
    file: 'oauth.ts',
    text: 'clientRegistrationCallback: checkRegistration,',
    without: '',
  },
  {
    name: 'a grant carries no token of WorkOS',
    story: 'leaks',
    file: 'auth/authorize.tsx',
    text: 'props: { ...user, deputyId } satisfies Props,',
    without: "props: { ...user, deputyId, token: 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c2VyIn0' },",
  },
  {
    name: 'a model learns nothing of a fault of ours',
    story: 'leaks',
    file: 'tools/boundary.ts',
    text: 'rule: `An unexpected error, logged as ${id}.`,',
    without: 'rule: `${String(error)} ${id}`,',
  },
  {
    name: 'a tool that fails leaves nothing behind',
    story: 'leaks',
    file: 'tools/boundary.ts',
    text: 'return ledger.transaction(() => {\n          const done',
    without: 'return (<T,>(work: () => T) => work())(() => {\n          const done',
  },

  // ---------------------------------------------------------------- the console
  { ...FORM_TOKEN, story: 'console-forgery' },
  {
    name: 'a form belongs to one session',
    story: 'console-forgery',
    file: 'console/guard.tsx',
    text: '.update(`console form ${sessionId}`)',
    without: ".update('console form')",
  },
  { ...OWN_PAGES, story: 'console-forgery' },
  {
    name: 'a form needs a session',
    story: 'console-forgery',
    file: 'console/guard.tsx',
    text: 'const session = await sessionFor(c, needed);',
    without: "const session = (await sessionFor(c, needed)) ?? { userId: typed['userId'] ?? '', sessionId: '' };",
    backedBy: [FORM_TOKEN],
  },
  {
    name: 'resuming needs a session that stands now',
    story: 'signed-out-session',
    file: 'console/routes.tsx',
    text: "simply(c, 'confirmed', { do: 'resume' })",
    without: "simply(c, 'valid', { do: 'resume' })",
  },
  {
    name: 'granting more needs a session that stands now',
    story: 'signed-out-session',
    file: 'console/routes.tsx',
    text: "const confirmed = await accept(c, 'confirmed');",
    without: "const confirmed = await accept(c, 'valid');",
  },
  {
    name: 'the gravest acts need a session that stands now',
    story: 'signed-out-session',
    file: 'console/guard.tsx',
    text: "if (needed !== 'valid') return signedInFreshly(c);",
    without: "if (needed === 'confirmed') return signedInFreshly(c);",
  },
  {
    name: 'a session that stood a moment ago is asked about again',
    story: 'signed-out-session',
    file: 'auth/session.ts',
    text: 'if (now && earlier) return',
    without: 'if (now && earlier && !c) return',
  },
  {
    name: 'appointing needs a session that stands now',
    story: 'signed-out-session',
    file: 'auth/authorize.tsx',
    text: 'const session = await signedInFreshly(c);',
    without: 'const session = await signedIn(c);',
  },
  {
    name: 'granting more is told from granting less',
    story: 'signed-out-session',
    file: 'authority/acts.ts',
    text: "if (wider && narrowOnly) return { problem: 'wider' };",
    without: '',
  },
  {
    name: 'the ceiling needs a fresh sign-in',
    story: 'signed-out-session',
    file: 'console/routes.tsx',
    text: "const form = await accept(c, 'fresh');",
    without: "const form = await accept(c, 'confirmed');",
  },
  {
    name: 'deleting the record needs a fresh sign-in',
    story: 'signed-out-session',
    file: 'console/routes.tsx',
    text: "simply(c, 'fresh', { do: 'erase' })",
    without: "simply(c, 'confirmed', { do: 'erase' })",
  },

  // ---------------------------------------------------------------- strangers
  {
    name: 'an escaped letter in a path is the letter',
    story: 'registration-flood',
    file: 'abuse.ts',
    text: 'const pathname = decoded(new URL(request.url).pathname);',
    without: 'const { pathname } = new URL(request.url);',
  },
  {
    name: 'one address has a limit',
    story: 'registration-flood',
    file: 'abuse.ts',
    text: "if (!(await env.ADDRESS_LIMIT.limit({ key: `${route} ${address}` })).success) return 'address';",
    without: '',
  },
  {
    name: 'each route has a limit of its own',
    story: 'registration-flood',
    file: 'abuse.ts',
    text: 'ADDRESS_LIMIT.limit({ key: `${route} ${address}` })',
    without: 'ADDRESS_LIMIT.limit({ key: address })',
  },
  {
    name: 'one network is one address',
    story: 'registration-flood',
    file: 'abuse.ts',
    text: '.slice(0, 4)',
    without: '',
  },
  {
    name: 'all together have a limit',
    story: 'registration-flood',
    file: 'abuse.ts',
    text: "if (!(await env.TOTAL_LIMIT.limit({ key: route })).success) return 'all';",
    without: '',
  },

  // ---------------------------------------------------------------- under load, while things fail
  {
    name: 'shirts in 24 hours',
    story: 'faults-under-load',
    file: 'authority/policy.ts',
    text: 'if (usage.shirts + quantity > limits.shirtsPerDay)',
    without: 'if (usage.shirts + quantity > Infinity)',
  },
  {
    name: 'a repetition is recognised',
    story: 'faults-under-load',
    file: 'tools/define-tool.ts',
    text: 'key === undefined ? undefined : ledger.idempotency.find(caller.deputyId, key, turn.now);',
    without: 'undefined as { digest: string; orderId: string } | undefined;',
  },
  {
    name: 'a pause stops every deputy',
    story: 'faults-under-load',
    file: 'authority/policy.ts',
    text: "if (authority === 'paused') {",
    without: "if (authority === 'paused' && !action) {",
  },
  {
    name: 'a cancelled order waits for KV in a row',
    story: 'faults-under-load',
    file: 'shop/orders.ts',
    text: "this.#sql.exec('INSERT OR REPLACE INTO outbox SELECT id, version FROM orders WHERE id = ?', id);",
    without: '',
  },
  {
    ...RECOVERY,
    story: 'faults-under-load',
    backedBy: [
      {
        name: 'a job is armed before KV is asked',
        file: 'shop/outbox.ts',
        text: 'const job = await this.#arm(orderId, 0);',
        without: 'const job: string | undefined = undefined;',
      },
      {
        name: 'or at least when KV has failed',
        file: 'shop/outbox.ts',
        text: 'if (job === undefined) await this.#arm(orderId, 0);',
        without: '',
      },
    ],
  },
  {
    name: "the ledger's clock never runs backwards",
    story: 'faults-under-load',
    file: 'authority/ledger.ts',
    text: 'return Math.max(Date.now(), head.at);',
    without: 'return Date.now();',
  },
  {
    name: 'a call is one transaction',
    story: 'faults-under-load',
    file: 'authority/ledger.ts',
    text: 'return this.storage.transactionSync(work);',
    without: 'return work();',
  },
];
