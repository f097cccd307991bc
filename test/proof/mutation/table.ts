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
  /** The file in test/attacks/, test/proof/faults/ or test/unit/, without `.test.ts`. */
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
  file: 'edge/origin.ts',
  text: "return origin === url.origin || (changesNothing && !request.headers.has('Upgrade'));",
  without: 'return true;',
};

const RECOVERY: Removal & { name: string } = {
  name: 'a start looks for orders that wait without a job',
  file: 'mcp-server.ts',
  text: 'await this.#outbox.recover();\n    await this.#upkeep.start();',
  without: 'await this.#upkeep.start();',
};

/** Without one of a deputy's own limits of a span. */
function withoutOwn(limit: string): Removal {
  const text = 'return overSpan(SPANS[limit.per].code, name, limit, most, own(name), uses);';
  const without = text.replace('return ', `return name === '${limit}' ? undefined : `);
  return { file: 'authority/limits.ts', text, without };
}

/** Without one of the limits of the account. */
function withoutCeiling(limit: string): Removal {
  const text = "overSpan('account_limit', name, limit, ceilingOf(ceiling, name, limit), usage.all(name), uses);";
  return { file: 'authority/limits.ts', text, without: `name === '${limit}' ? undefined : ${text}` };
}

const MADE_AS_METERED: Removal & { name: string } = {
  name: 'a metered call makes an effect, and no other does',
  file: 'tools/boundary.ts',
  text: 'if (tool.metered !== made) throw',
  without: 'if (tool.metered !== made && !turn) throw',
};

const AMOUNT_STATED: Removal & { name: string } = {
  name: 'a limit needs an amount',
  file: 'authority/limits.ts',
  text: "if (typeof amount !== 'number') throw",
  without: "if (typeof amount !== 'number' && !uses) throw",
};

export const GUARDS: readonly Guard[] = [
  // ---------------------------------------------------------------- what was written shows everywhere
  {
    name: 'the provider reads and writes through what is kept fresh',
    story: 'seen-from-elsewhere',
    file: 'index.ts',
    text: 'const kv = freshKv(env, request);',
    without: 'const kv = (freshKv(env, request), env.OAUTH_KV);',
  },
  {
    name: 'what KV does not show yet is asked for',
    story: 'seen-from-elsewhere',
    file: 'edge/fresh-keys.ts',
    text: 'if (kept) return kept.value;',
    without: 'if (kept && !once) return kept.value;',
  },
  {
    name: 'a grant that was rewritten is not read as it was',
    story: 'seen-from-elsewhere',
    file: 'edge/fresh-keys.ts',
    text: '/^(token|client):/',
    without: '/^(token|client|grant):/',
  },
  {
    name: 'a grant that was deleted does not come back',
    story: 'seen-from-elsewhere',
    file: 'edge/fresh-keys.ts',
    text: 'await shardOf(env, key).keep(key, null);',
    without: '',
  },
  {
    name: 'a revocation finds the tokens of a moment ago',
    story: 'seen-from-elsewhere',
    file: 'edge/fresh-keys.ts',
    text: "if (!options.prefix.startsWith('token:') || options.cursor) return page;",
    without: 'if (options.prefix) return page;',
  },
  {
    name: "a code's grant is not written twice within KV's second",
    story: 'seen-from-elsewhere',
    file: 'edge/fresh-keys.ts',
    text: '> KEPT_SECONDS)',
    without: '> 0)',
  },
  {
    name: 'unknown tokens are counted before they are asked for',
    story: 'seen-from-elsewhere',
    file: 'edge/fresh-keys.ts',
    text: "if (key.startsWith('token:')) await countUnknownToken(request, env);",
    without: "if (key.startsWith('tokens:')) await countUnknownToken(request, env);",
  },
  {
    name: 'a known token is asked for in KV alone',
    story: 'seen-from-elsewhere',
    file: 'edge/fresh-keys.ts',
    text: 'if (stored !== null) return stored;',
    without: 'if (stored !== null && !key) return stored;',
  },
  {
    name: 'what was kept is forgotten',
    story: 'seen-from-elsewhere',
    file: 'edge/fresh-keys.ts',
    text: "this.#sql.exec('DELETE FROM fresh WHERE until <= ?', Date.now());",
    without: '',
  },
  // ---------------------------------------------------------------- an act names the state it changes
  {
    name: 'a resume lifts the pause it was shown, and no other',
    story: 'an-act-that-was-overtaken',
    file: 'ledger/acts.ts',
    text: "if (authority !== 'paused' || authoritySequence !== pauseSequence) return { problem: 'stale' };",
    without: "if (authority !== 'paused') return { problem: 'stale' };",
  },
  {
    name: 'a page that is too old raises no limit of the account',
    story: 'an-act-that-was-overtaken',
    file: 'ledger/acts.ts',
    text: 'if (wider && account.ceilingVersion !== version)',
    without: 'if (!wider && account.ceilingVersion === -version)',
  },
  {
    name: 'a page that is too old widens no mandate',
    story: 'an-act-that-was-overtaken',
    file: 'ledger/acts.ts',
    text: 'if (wider && mandate.version !== amendment.version)',
    without: 'if (!wider && mandate.version === -amendment.version)',
  },
  {
    name: 'erasing makes older pages stale',
    story: 'an-act-that-was-overtaken',
    file: 'ledger/acts.ts',
    text: 'openRecord(sql, { sequence, authority,',
    without: 'openRecord(sql, { sequence: 0, authority,',
  },
  {
    name: 'a halt is asked for each call',
    story: 'the-operators-halt',
    file: 'mcp/endpoint.ts',
    text: 'const halt = haltFor(env, caller.clientId);',
    without: "const halt = haltFor({ ...env, HALT: '', BLOCKED_CLIENTS: '' }, caller.clientId);",
  },
  {
    name: 'a halt is asked for each token',
    story: 'the-operators-halt',
    file: 'oauth.ts',
    text: 'const halt = haltFor(env, clientId);',
    without: "const halt = haltFor({ ...env, HALT: '', BLOCKED_CLIENTS: '' }, clientId);",
  },
  // ---------------------------------------------------------------- what a deputy may do
  {
    name: 'a pause stops every deputy',
    story: 'self-promotion',
    file: 'authority/policy.ts',
    text: "if (authority === 'paused')",
    without: "if (authority === 'paused' && !action)",
  },
  {
    name: 'a pause stops prettyPlease too',
    story: 'self-promotion',
    file: 'authority/policy.ts',
    text: "if (authority === 'paused')",
    without: "if (authority === 'paused' && action.name !== 'prettyPlease')",
  },
  {
    name: 'the demo tools move the demo mode and nothing else',
    story: 'self-promotion',
    file: 'tools/desk.ts',
    text: 'ban: ledger.demo,',
    without: `ban: {
        read: () => ledger.demo.read(),
        clear: () => ledger.demo.clear(),
        write(mode) {
          ledger.demo.write(mode);
          ledger.account.setAuthority('active', turn.now, 1);
        },
      },`,
  },
  {
    name: 'every tool is decided about before it runs',
    story: 'self-promotion',
    file: 'tools/boundary.ts',
    text: 'turn.decide(tool);',
    without: '',
  },
  {
    name: 'a tool that needs a permission asks for it',
    story: 'self-promotion',
    file: 'authority/policy.ts',
    text: 'if (permission && !action.permissions.includes(permission))',
    without: 'if (permission && !action)',
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
    text: 'if (!scopes.includes(scope) || !action.tokenScopes.includes(scope))',
    without: 'if (!action.tokenScopes.includes(scope))',
  },
  {
    name: 'the token must hold the scope',
    story: 'scope-creep',
    file: 'authority/policy.ts',
    text: 'if (!scopes.includes(scope) || !action.tokenScopes.includes(scope))',
    without: 'if (!scopes.includes(scope))',
  },
  {
    name: 'a dismissed deputy may do nothing',
    story: 'buy-after-revoke',
    file: 'authority/policy.ts',
    text: "if (standing.status === 'revoked')",
    without: "if (standing.status === 'revoked' && !now)",
  },
  {
    name: 'a replaced deputy may do nothing',
    story: 'buy-after-revoke',
    file: 'authority/policy.ts',
    text: "if (standing.status === 'superseded')",
    without: "if (standing.status === 'superseded' && !now)",
  },
  {
    name: 'a deputy that has ended is told so with 401',
    story: 'buy-after-revoke',
    file: 'mcp-server.ts',
    text: 'return ended ? invalidToken(',
    without: 'return ended && !caller ? invalidToken(',
  },
  {
    name: 'a refresh asks the ledger',
    story: 'buy-after-revoke',
    file: 'oauth.ts',
    text: 'live = await object.mayRefresh(deputyId);',
    without: 'live = true;',
  },
  {
    name: 'a mandate ends',
    story: 'outlived-mandate',
    file: 'authority/policy.ts',
    text: 'return now >= expiresAt ? {',
    without: 'return now >= expiresAt && !now ? {',
  },
  {
    name: 'no token is had after the end of the mandate',
    story: 'outlived-mandate',
    file: 'ledger/acts.ts',
    text: 'return ledger.endOf(deputyId) === undefined;',
    without: "return ledger.deputies.standingOf(deputyId)?.status === 'active';",
  },

  // ---------------------------------------------------------------- how much
  {
    name: 'shirts in one order',
    story: 'over-the-limit',
    file: 'authority/limits.ts',
    text: 'return wanted > most',
    without: 'return wanted > (limit.asks ? most : Infinity)',
  },
  {
    name: 'shirts above which the human is asked',
    story: 'over-the-limit',
    file: 'authority/limits.ts',
    text: 'return wanted > most',
    without: 'return wanted > (limit.asks ? Infinity : most)',
  },
  { name: 'shirts in 24 hours', story: 'over-the-limit', ...withoutOwn('shirtsPerDay') },
  { name: 'money in 24 hours', story: 'over-the-limit', ...withoutOwn('spendPerDay') },
  {
    name: 'calls in a minute',
    story: 'over-the-limit',
    file: 'authority/limits.ts',
    text: 'if (used >= most)',
    without: 'if (used > Infinity)',
  },
  { name: 'purchases in a minute', story: 'over-the-limit', ...withoutOwn('purchasesPerMinute') },
  {
    name: 'a purchase is decided about once its cost is known',
    story: 'over-the-limit',
    file: 'tools/boundary.ts',
    text: 'if (call.uses) turn.decide({ ...tool, uses: call.uses });',
    without: '',
  },
  {
    name: 'what a deputy bought is counted',
    story: 'over-the-limit',
    file: 'ledger/ledger.ts',
    text: 'windows: this.#count({ ...used, [CALLS]: 1 })',
    without: 'windows: this.#count({ [CALLS]: 1 })',
  },
  {
    name: 'shirts of the account in 24 hours',
    story: 'limits-multiplied-by-signing-in-again',
    ...withoutCeiling('shirtsPerDay'),
  },
  {
    name: 'money of the account in 24 hours',
    story: 'limits-multiplied-by-signing-in-again',
    ...withoutCeiling('spendPerDay'),
  },
  {
    name: 'what any deputy bought is counted for the account',
    story: 'limits-multiplied-by-signing-in-again',
    file: 'ledger/ledger.ts',
    text: 'if (amounts) this.#ledger.account.setWindows(',
    without: 'if (amounts && !used) this.#ledger.account.setWindows(',
  },
  {
    name: 'a key stands for the arguments it was first used with',
    story: 'purchase-swap',
    file: 'tools/boundary.ts',
    text: 'if (before && before.digest !== digest) throw',
    without: 'if (before && !digest) throw',
  },
  {
    name: 'a key belongs to one deputy',
    story: 'purchase-swap',
    file: 'ledger/idempotency.ts',
    text: 'FROM idempotency WHERE deputy_id = ? AND key = ?',
    without: 'FROM idempotency WHERE ? IS NOT NULL AND key = ?',
  },

  // ---------------------------------------------------------------- what a domain states
  {
    name: 'what is used is never below nothing',
    story: 'careless-domain',
    file: 'authority/limits.ts',
    text: '!Number.isSafeInteger(use) || Number(use) < 0)',
    without: '!Number.isSafeInteger(use))',
  },
  {
    name: 'of each unit an amount is stated',
    story: 'careless-domain',
    file: 'authority/limits.ts',
    text: '!Number.isSafeInteger(use) || Number(use) < 0)',
    without: 'Number(use) < 0)',
    backedBy: [AMOUNT_STATED],
  },
  {
    name: 'amounts are whole numbers that can be counted',
    story: 'careless-domain',
    file: 'authority/limits.ts',
    text: '!Number.isSafeInteger(use) || Number(use) < 0)',
    without: "typeof use !== 'number' || use < 0)",
    backedBy: [
      {
        name: 'an effect has whole amounts',
        file: 'ledger/effects.ts',
        text: 'const amountsSchema = z.record(z.string(), z.int());',
        without: 'const amountsSchema = z.record(z.string(), z.number());',
      },
    ],
  },
  {
    name: 'nothing is stated that is no unit',
    story: 'careless-domain',
    file: 'authority/limits.ts',
    text: 'if (stranger !== undefined) throw',
    without: 'if (stranger !== undefined && !uses) throw',
  },
  {
    name: 'every name is among those that the human wrote',
    story: 'careless-domain',
    file: 'authority/limits.ts',
    text: 'const strangers = wanted.filter(',
    without: 'const strangers = wanted.slice(1, 1).filter(',
  },
  { ...MADE_AS_METERED, story: 'careless-domain' },
  {
    name: 'only a metered call makes an effect',
    story: 'careless-domain',
    file: 'tools/desk.ts',
    text: "if (!amounts) throw new Error('only a metered call makes an effect');",
    without: 'amounts ??= { jars: 0 };',
    backedBy: [MADE_AS_METERED],
  },
  {
    name: 'a call makes or changes one effect at most',
    story: 'careless-domain',
    file: 'tools/desk.ts',
    text: "if (touched) throw new Error('a call makes or changes one effect at most');",
    without: '',
  },
  {
    name: 'nothing happens at a desk whose call is over',
    story: 'careless-domain',
    file: 'tools/desk.ts',
    text: "if (over) throw new Error('the call is over');",
    without: '',
  },
  {
    name: 'a repetition does nothing',
    story: 'careless-domain',
    file: 'tools/boundary.ts',
    text: 'if (close()) throw',
    without: 'if (close() && !known) throw',
  },
  {
    name: 'a new limit of a deputy counts the past',
    story: 'careless-domain',
    file: 'ledger/recount.ts',
    text: 'const counted = byDeputy.get(id) ?? addUse({}, fresh.own, {}, now);',
    without: 'const counted = addUse({}, fresh.own, {}, now);',
  },
  {
    name: 'a new limit of the account counts the past',
    story: 'careless-domain',
    file: 'ledger/recount.ts',
    text: 'ledger.account.setWindows(inPlaceOf(ledger.account.read().windows, shared));',
    without: '',
  },
  {
    name: 'a mandate is within the bounds of the domain',
    story: 'careless-domain',
    file: 'authority/mandate.ts',
    text: 'if (!limit || !isValid(limit, value)) throw',
    without: 'if (!limit && !isValid) throw',
  },
  {
    name: 'the limits of the account are within the bounds of the domain',
    story: 'careless-domain',
    file: 'authority/limits.ts',
    text: 'if (!limit || isNames(limit) || limit.ceiling === undefined || !isValid(limit, value))',
    without: 'if (!limit && !terms)',
  },
  {
    name: 'a domain limits the calls of a minute',
    story: 'careless-domain',
    file: 'tools/define-domain.ts',
    text: "if (!Object.values(limits).some((limit) => limit.of === CALLS && limit.per === 'minute'))",
    without: 'if (!limits)',
  },
  {
    name: 'a metered tool needs a metered power',
    story: 'careless-domain',
    file: 'tools/define-domain.ts',
    text: 'else if (metered && !powers[scope]?.metered)',
    without: 'else if (metered && !powers)',
  },
  {
    name: 'a domain limits each of its units',
    story: 'careless-domain',
    file: 'tools/define-domain.ts',
    text: 'if (!Object.values(domain.limits).some(({ of }) => of === name))',
    without: 'if (!domain.limits)',
  },
  {
    name: 'a line vouches for the checkpoint',
    story: 'verify-and-replay',
    file: 'ledger/verify.ts',
    text: "if (!vouched) return { ok: false, problem: 'the checkpoint is not the one it was made with' };",
    without: '',
  },
  {
    name: 'what nobody sees is taken out of arguments',
    story: 'unseen-text',
    file: 'tools/fields.ts',
    text: '.overwrite((value) => seen(value).trim())',
    without: '',
  },
  {
    name: 'every ignorable code point is drawn as nothing',
    story: 'text',
    file: 'text.ts',
    text: '\\p{DI}\\p{Cf}',
    without: '\\p{Cf}',
  },
  {
    name: 'a name must draw something',
    story: 'unseen-text',
    file: 'text.ts',
    text: 'return isDrawn(plain) ?',
    without: 'return plain ?',
  },
  {
    name: 'lists quote the company',
    story: 'unseen-text',
    file: 'shop/tools.ts',
    text: 'for ${quoted(order.company)},',
    without: 'for "${order.company}",',
  },
  {
    name: 'lists quote the name of the deputy',
    story: 'unseen-text',
    file: 'shop/tools.ts',
    text: 'placed by ${quoted(placedBy.clientName)}',
    without: 'placed by "${placedBy.clientName}"',
  },
  {
    name: 'what a list quotes is short',
    story: 'unseen-text',
    file: 'text.ts',
    text: 'JSON.stringify(shortened(visible(text), MAX_QUOTED_LENGTH))',
    without: 'JSON.stringify(visible(text))',
  },
  {
    name: 'the human sees where an order goes',
    story: 'unseen-text',
    file: 'shop/index.ts',
    text: "'Sent to': ({ data }) => data.mailingAddress,",
    without: '',
  },
  {
    name: 'Verify starts again when lines were pruned or erased meanwhile',
    story: 'overtaken-record',
    file: 'ledger/verify.ts',
    text: 'if (!isEqual(startOf(ledger), start)) break;',
    without: '',
  },
  {
    name: 'Verify is overtaken a few times at most',
    story: 'overtaken-record',
    file: 'ledger/verify.ts',
    text: 'overtaken < MOST_OVERTAKEN;',
    without: 'overtaken < MOST_OVERTAKEN + 1;',
  },
  {
    name: 'each page of a download follows from the one before',
    story: 'overtaken-record',
    file: 'ledger/download.ts',
    text: 'return first && readLine(first.line).previous === hashOf(last.line) ? page : undefined;',
    without: 'return page;',
  },
  {
    name: 'what was pruned after it was sent is not missed',
    story: 'overtaken-record',
    file: 'ledger/download.ts',
    text: 'return first && readLine(first.line).previous === hashOf(last.line) ? page : undefined;',
    without: 'return undefined;',
  },
  {
    name: 'a download starts again while nothing was sent',
    story: 'overtaken-record',
    file: 'ledger/download.ts',
    text: 'if (kept && starts < MOST_STARTS) {',
    without: 'if (kept && starts < 0) {',
  },
  {
    name: 'a clock that was ahead is set back',
    story: 'a-clock-that-was-ahead',
    file: 'ledger/ledger.ts',
    text: 'return now < head.at - CLOCK_TOLERANCE_MS ? now : Math.max(now, head.at);',
    without: 'return Math.max(now, head.at);',
  },
  {
    name: 'what was counted while the clock was ahead still counts',
    story: 'a-clock-that-was-ahead',
    file: 'authority/window.ts',
    text: '(next[per] ??= {})[of] = ahead > 0 ? [...window, [step, ahead]] : window;',
    without: '(next[per] ??= {})[of] = window;',
  },
  {
    name: 'and counts no longer than its span',
    story: 'a-clock-that-was-ahead',
    file: 'ledger/ledger.ts',
    text: 'windows: setBack(windows, own, head.at, now),',
    without: 'windows,',
  },
  {
    name: 'pruning goes by the age of the lines after one from the future',
    story: 'a-clock-that-was-ahead',
    file: 'ledger/prune.ts',
    text: 'if (at > now - RECORD_KEPT_MS && at <= now) break;',
    without: 'if (at > now - RECORD_KEPT_MS) break;',
  },

  // ---------------------------------------------------------------- who calls
  { ...OWN_USER, story: 'forged-caller-header' },
  {
    name: 'the Worker alone writes who calls',
    story: 'forged-caller-header',
    file: 'mcp/endpoint.ts',
    text: 'headers.set(CALLER_HEADER, encodeCaller(caller));',
    without: 'if (!headers.has(CALLER_HEADER)) headers.set(CALLER_HEADER, encodeCaller(caller));',
    backedBy: [
      {
        name: 'few headers are forwarded',
        file: 'mcp/endpoint.ts',
        text: "name.startsWith('mcp-')) headers.set(name, value);",
        without: "name.startsWith('mcp-') || name === CALLER_HEADER) headers.set(name, value);",
      },
    ],
  },
  {
    name: 'the token alone says which object is asked',
    story: 'another-users-session',
    file: 'mcp/endpoint.ts',
    text: 'env.MCP_OBJECT.getByName(objectName(caller.userId));',
    without: "env.MCP_OBJECT.getByName(request.headers.get('mcp-session-id') ?? objectName(caller.userId));",
    backedBy: [OWN_USER],
  },
  {
    name: 'a token carries the name of the human it belongs to',
    story: 'another-users-session',
    file: 'mcp/endpoint.ts',
    text: ' || auth.userId !== parsed.data.userId',
    without: '',
  },
  {
    name: 'a cursor comes from the same list',
    story: 'foreign-cursor-or-order-id',
    file: 'tools/desk.ts',
    text: "if (cursor !== undefined && !before) throw new Refusal({ code: 'unknown_cursor', field: 'cursor' });",
    without: '',
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
    file: 'mcp/endpoint.ts',
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
    text: "if ((await armed(this.#jobs, 'closePages')).length === 0) await this.#closePages();",
    without: '',
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
    text: 'if (this.#open().length >= MAX_PAGES) {',
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
      const grant = { request, userId: session.user.userId, scope: Object.keys(domain.powers), metadata: {}, props };
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
    file: 'ledger/acts.ts',
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
        text: ', checked) : checked;',
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
    text: "return { code: 'internal_error', id };",
    without: "return { code: 'internal_error', id: `${id} ${String(error)}` };",
  },
  {
    name: 'a tool that fails leaves nothing behind',
    story: 'leaks',
    file: 'tools/boundary.ts',
    text: 'return this.#ledger.transaction(() => this.#carryOut(tool, prepare, turn));',
    without: 'return this.#carryOut(tool, prepare, turn);',
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
    text: "const form = await accept(c, 'confirmed');\n  if (form instanceof Response) return form;\n  return perform(c, form.userId, { do: 'resume'",
    without:
      "const form = await accept(c, 'valid');\n  if (form instanceof Response) return form;\n  return perform(c, form.userId, { do: 'resume'",
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
    file: 'ledger/acts.ts',
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

  {
    name: 'a session that does not unseal is none',
    story: 'a-broken-session',
    file: 'auth/authkit.ts',
    text: '  } catch {\n    return undefined;\n  }',
    without: '  } catch (error) {\n    throw error;\n  }',
  },
  {
    name: 'a session is read only after it was unsealed',
    story: 'a-broken-session',
    file: 'auth/authkit.ts',
    text: 'const known = await unseal(config, sealed);\n  if (!known) return undefined;',
    without: 'const known = (await unseal(config, sealed)) as Unsealed;',
  },
  {
    name: 'what is unsealed is a session with all that we read of it',
    story: 'a-broken-session',
    file: 'auth/authkit.ts',
    text: 'claims: tokenClaims.parse(decode(accessToken).payload)',
    without: 'claims: decode(accessToken).payload as z.infer<typeof tokenClaims>',
  },
  {
    name: "a token that is not by WorkOS's keys is told from an outage",
    story: 'a-broken-session',
    file: 'auth/authkit.ts',
    text: '.authenticate().catch(notByTheseKeys)',
    without: '.authenticate()',
  },
  {
    name: 'an outage is told from a broken session',
    story: 'a-broken-session',
    file: 'auth/session.ts',
    text: "if ('unavailable' in result) throw new AuthkitUnavailableError(result.unavailable);",
    without: "if ('unavailable' in result) return undefined;",
  },

  {
    name: 'a broken request leads to no address by itself',
    story: 'sent-to-a-stranger',
    file: 'auth/errors.tsx',
    text: 'const client = brokenRequest(new URL(c.req.url), error);',
    without: 'if (error.redirectTo) return c.redirect(error.redirectTo);\n    const client = undefined;',
  },
  {
    name: 'only a verified client and a program on this computer are told at once',
    story: 'sent-to-a-stranger',
    file: 'auth/waiting-client.tsx',
    text: 'if (isVerified(client) || isLoopback(host)) return',
    without: 'if (c) return',
  },
  {
    name: 'a name that a client chose verifies nothing',
    story: 'sent-to-a-stranger',
    file: 'auth/waiting-client.tsx',
    text: "return clientId.startsWith('https://');",
    without: 'return clientId.length > 0;',
  },
  {
    name: 'a request that is too long leads to no address by itself',
    story: 'sent-to-a-stranger',
    file: 'auth/sign-in.tsx',
    text: 'if (client) return tellClient(c, client, page);',
    without: 'if (client) return c.redirect(client.redirectTo);',
  },
  {
    name: 'a sign-in that was cancelled leads to no address by itself',
    story: 'sent-to-a-stranger',
    file: 'auth/sign-in.tsx',
    text: "if (client) return tellClient(c, client, { title: 'You did not sign in'",
    without:
      "if (client) return c.redirect(client.redirectTo);\n    if (client) return tellClient(c, client, { title: 'You did not sign in'",
  },

  // ---------------------------------------------------------------- strangers
  {
    name: 'an escaped letter in a path is the letter',
    story: 'registration-flood',
    file: 'edge/abuse.ts',
    text: 'const pathname = decoded(new URL(request.url).pathname);',
    without: 'const { pathname } = new URL(request.url);',
  },
  {
    name: 'one address has a limit',
    story: 'registration-flood',
    file: 'edge/abuse.ts',
    text: "if (!(await env.ADDRESS_LIMIT.limit({ key: `${route} ${address}` })).success) return 'address';",
    without: '',
  },
  {
    name: 'each route has a limit of its own',
    story: 'registration-flood',
    file: 'edge/abuse.ts',
    text: 'ADDRESS_LIMIT.limit({ key: `${route} ${address}` })',
    without: 'ADDRESS_LIMIT.limit({ key: address })',
  },
  {
    name: 'one network is one address',
    story: 'registration-flood',
    file: 'edge/abuse.ts',
    text: '.slice(0, 4)',
    without: '',
  },
  {
    name: 'all together have a limit',
    story: 'registration-flood',
    file: 'edge/abuse.ts',
    text: "if (!(await env.TOTAL_LIMIT.limit({ key: route })).success) return 'all';",
    without: '',
  },

  // ---------------------------------------------------------------- the routes of the OAuth provider
  {
    name: 'a body is bounded while it is read',
    story: 'the-providers-own-routes',
    file: 'edge/before-the-provider.ts',
    text: 'if (!value || value.byteLength <= most) return value ?? new Uint8Array();',
    without: 'if (most > 0) return value ?? new Uint8Array();',
  },
  {
    name: 'a registration is bounded before it is read',
    story: 'the-providers-own-routes',
    file: 'edge/before-the-provider.ts',
    text: "['/register', 16 * 1024],",
    without: '',
  },
  {
    name: 'a token request has few fields',
    story: 'the-providers-own-routes',
    file: 'edge/before-the-provider.ts',
    text: 'length >= MOST_FIELDS)',
    without: 'length < 0)',
  },
  {
    name: 'no address is fetched for a grant that does not exist',
    story: 'the-providers-own-routes',
    file: 'edge/before-the-provider.ts',
    text: 'if (!asserted && !named.some(isAddress)) return undefined;',
    without: 'if (form) return undefined;',
  },
  {
    name: 'an assertion names an address too',
    story: 'the-providers-own-routes',
    file: 'edge/before-the-provider.ts',
    text: 'if (!asserted && !named.some(isAddress)) return undefined;',
    without: 'if (!named.some(isAddress)) return undefined;',
  },
  {
    name: 'a client in the header is a client',
    story: 'the-providers-own-routes',
    file: 'edge/before-the-provider.ts',
    text: "[...form.getAll('client_id'), basicUser(authorization)]",
    without: "form.getAll('client_id')",
  },
  {
    name: 'a grant stands for its own client alone',
    story: 'the-providers-own-routes',
    file: 'edge/before-the-provider.ts',
    text: 'clientId === undefined || named.some((id) => id !== clientId)',
    without: 'clientId === undefined',
  },
  {
    name: 'a failed document is not asked for again by a token request',
    story: 'the-providers-own-routes',
    file: 'edge/before-the-provider.ts',
    text: 'if (hasFailed(clientId)) return documentUnavailable();',
    without: '',
  },
  {
    name: 'a document that fails at a token request is remembered',
    story: 'the-providers-own-routes',
    file: 'oauth.ts',
    text: 'rememberFailure(unread.data.metadataUrl);',
    without: '',
  },
  {
    name: 'a failed document is not asked for again by a sign-in',
    story: 'the-providers-own-routes',
    file: 'auth/auth-request.ts',
    text: "if (hasFailed(clientId)) throw new CimdFetchError(clientId, 'it could not be read a moment ago');",
    without: '',
  },
  {
    name: 'a document that fails at a sign-in is remembered',
    story: 'the-providers-own-routes',
    file: 'auth/auth-request.ts',
    text: 'if (error instanceof CimdFetchError) rememberFailure(error.metadataUrl);',
    without: '',
  },
  {
    name: 'what is remembered of failures is bounded',
    story: 'the-providers-own-routes',
    file: 'edge/before-the-provider.ts',
    text: 'if (failures.size < MOST_FAILURES) break;',
    without: 'break;',
  },
  {
    name: 'the console is ours from the start',
    story: 'the-providers-own-routes',
    file: 'index.ts',
    text: 'ownTheConsole();',
    without: '',
  },
  {
    name: 'what a library prints is not passed on',
    story: 'the-providers-own-routes',
    file: 'log.ts',
    text: 'if (ours) return real(...texts);',
    without: 'if (ours || texts) return real(...texts);',
  },
  {
    name: 'what cannot be seen is escaped in the log',
    story: 'the-providers-own-routes',
    file: 'log.ts',
    text: 'console[level](visible(JSON.stringify(event)));',
    without: 'console[level](JSON.stringify(event));',
  },
  {
    name: 'every client must use PKCE',
    story: 'the-providers-own-routes',
    file: 'auth/auth-request.ts',
    text: 'if (asked.codeChallenge) return asked;',
    without: 'if (asked) return asked;',
  },
  {
    name: 'token requests have a limit',
    story: 'the-providers-own-routes',
    file: 'edge/abuse.ts',
    text: 'if (!LIMITED.has(pathname) && pathname !== TOKENS) return undefined;',
    without: 'if (!LIMITED.has(pathname)) return undefined;',
  },
  {
    name: 'strangers cannot use up what deputies refresh with',
    story: 'the-providers-own-routes',
    file: 'edge/abuse.ts',
    text: "if (route === TOKENS) return (await env.TOKEN_LIMIT.limit({ key: address })).success ? undefined : 'address';",
    without: '',
  },

  // ---------------------------------------------------------------- under load, while things fail
  { name: 'shirts in 24 hours', story: 'faults-under-load', ...withoutOwn('shirtsPerDay') },
  {
    name: 'a repetition is recognised',
    story: 'faults-under-load',
    file: 'tools/boundary.ts',
    text: 'const before = this.#ledger.idempotency.find(this.#caller.deputyId, key, turn.now);',
    without: 'const before = undefined as { digest: string; effectId: string } | undefined;',
  },
  {
    name: 'a pause stops every deputy',
    story: 'faults-under-load',
    file: 'authority/policy.ts',
    text: "if (authority === 'paused')",
    without: "if (authority === 'paused' && !action)",
  },
  {
    name: 'a cancelled order waits for KV in a row',
    story: 'faults-under-load',
    file: 'ledger/effects.ts',
    text: 'if (!row) return undefined;\n    this.#waits(id, line);',
    without: 'if (!row) return undefined;',
  },
  {
    ...RECOVERY,
    story: 'faults-under-load',
    backedBy: [
      {
        name: 'a job is armed before KV is asked',
        file: 'ledger/outbox.ts',
        text: 'const job = await this.#arm(effectId, 0);',
        without: 'const job: string | undefined = undefined;',
      },
      {
        name: 'or at least when KV has failed',
        file: 'ledger/outbox.ts',
        text: 'if (job === undefined) await this.#arm(effectId, 0);',
        without: '',
      },
    ],
  },
  {
    name: "the ledger's clock never runs backwards",
    story: 'faults-under-load',
    file: 'ledger/ledger.ts',
    text: 'return now < head.at - CLOCK_TOLERANCE_MS ? now : Math.max(now, head.at);',
    without: 'return now;',
  },
  {
    name: 'a cancellation uses nothing up',
    story: 'faults-under-load',
    file: 'tools/boundary.ts',
    text: 'const used = made ? amounts : undefined;',
    without: 'const used = made ? amounts : effect?.amounts;',
  },
  {
    name: 'what an effect uses up is counted for the account',
    story: 'faults-under-load',
    file: 'ledger/ledger.ts',
    text: 'if (amounts) this.#ledger.account.setWindows(',
    without: 'if (amounts && !used) this.#ledger.account.setWindows(',
  },
  {
    name: 'a refused purchase says what it asked for',
    story: 'faults-under-load',
    file: 'tools/boundary.ts',
    text: 'return uses && amountsOf(domain, uses);',
    without: 'return undefined;',
  },
  {
    name: 'a call is one transaction',
    story: 'faults-under-load',
    file: 'ledger/ledger.ts',
    text: 'return this.#storage.transactionSync(work);',
    without: 'return work();',
  },
];
