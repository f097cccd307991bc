/** The one decision about a call: each rule at its edge, which of two rules speaks, and that nothing slips through. */
import * as fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { type Ceiling, DEFAULT_CEILING, DEFAULT_LIMITS, type Limits } from '../../src/authority/mandate.ts';
import {
  type Action,
  type Authority,
  decide,
  denyEnded,
  type Grant,
  type Status,
  type Usage,
} from '../../src/authority/policy.ts';
import { type Denial, LIFTERS, REFUSAL_CODES, type RefusalCode } from '../../src/authority/refusal.ts';
import { ADMIN_PERMISSION, type Scope, SCOPES } from '../../src/deputy.ts';

afterEach(() => {
  vi.useRealTimers();
});

type Situation = {
  authority: Authority;
  grant: Grant | undefined;
  ceiling: Ceiling;
  usage: Usage;
  action: Action;
  now: number;
};

const NOW = Date.parse('2026-11-23T12:00:00Z');
const LATER = Date.parse('2026-11-24T11:30:00Z');
const PRICE = 2500;

function judge({ authority, grant, ceiling, usage, action, now }: Situation): Denial | undefined {
  return decide(authority, grant, ceiling, usage, action, now);
}

type Changes = {
  authority?: Authority;
  status?: Status;
  scopes?: Scope[];
  limits?: Partial<Limits>;
  expiresAt?: number;
  ceiling?: Partial<Ceiling>;
  usage?: Partial<Usage>;
  action?: Partial<Action>;
  quantity?: number;
  now?: number;
};

/** A purchase of two shirts that nothing stands in the way of, but for what `changes` puts there. */
function situation(changes: Changes = {}): Situation {
  const quantity = changes.quantity ?? 2;
  return {
    authority: changes.authority ?? 'active',
    grant: {
      status: changes.status ?? 'active',
      mandate: {
        format: 1,
        version: 1,
        scopes: changes.scopes ?? [...SCOPES],
        limits: { ...DEFAULT_LIMITS, ...changes.limits },
        expiresAt: changes.expiresAt ?? NOW + 1,
      },
    },
    ceiling: { ...DEFAULT_CEILING, ...changes.ceiling },
    usage: {
      calls: 0,
      purchases: 0,
      shirts: 0,
      spend: 0,
      freesAt: undefined,
      accountShirts: 0,
      accountSpend: 0,
      accountFreesAt: undefined,
      ...changes.usage,
    },
    action: {
      name: 'buyMcpShopItem',
      scope: 'shop:buy',
      tokenScopes: [...SCOPES],
      permissions: [],
      purchase: { quantity, total: quantity * PRICE },
      ...changes.action,
    },
    now: changes.now ?? NOW,
  };
}

type Edge = {
  code: RefusalCode;
  edge: string;
  /** The last situation that the rule allows, and the first that it refuses. */
  allowed: Changes;
  refused: Changes;
  whoCanLift: Denial['whoCanLift'];
  remaining?: Denial['remaining'];
};

const freesAt = new Date(LATER).toISOString();
const EDGES: Edge[] = [
  { code: 'deputy_unknown', edge: 'pending', allowed: {}, refused: { status: 'pending' }, whoCanLift: 'human' },
  { code: 'deputy_revoked', edge: 'dismissed', allowed: {}, refused: { status: 'revoked' }, whoCanLift: 'human' },
  { code: 'deputy_superseded', edge: 'replaced', allowed: {}, refused: { status: 'superseded' }, whoCanLift: 'human' },
  {
    code: 'mandate_expired',
    edge: 'the millisecond in which it ends',
    allowed: { expiresAt: NOW, now: NOW - 1 },
    refused: { expiresAt: NOW, now: NOW },
    whoCanLift: 'human',
  },
  { code: 'paused', edge: 'the pause', allowed: {}, refused: { authority: 'paused' }, whoCanLift: 'human' },
  {
    code: 'rate_limited',
    edge: 'one call after the last',
    allowed: { limits: { callsPerMinute: 7 }, usage: { calls: 6 } },
    refused: { limits: { callsPerMinute: 7 }, usage: { calls: 7 } },
    whoCanLift: 'deputy',
  },
  {
    code: 'insufficient_scope',
    edge: 'a mandate without it, though the token has it',
    allowed: { scopes: ['shop:buy'] },
    refused: { scopes: ['shop:browse', 'orders:read'] },
    whoCanLift: 'human',
  },
  {
    code: 'insufficient_scope',
    edge: 'a token without it, though the mandate has it',
    allowed: { action: { tokenScopes: ['shop:buy'] } },
    refused: { action: { tokenScopes: ['shop:browse', 'orders:read', 'shop:buy2'] } },
    whoCanLift: 'human',
  },
  {
    code: 'permission_required',
    edge: 'another permission',
    allowed: { action: { permission: ADMIN_PERMISSION, permissions: [ADMIN_PERMISSION] } },
    refused: { action: { permission: ADMIN_PERMISSION, permissions: ['shop:admin:not'] } },
    whoCanLift: 'administrator',
  },
  {
    code: 'order_limit',
    edge: 'one shirt more in an order',
    allowed: { limits: { shirtsPerOrder: 4, askAbove: 9 }, quantity: 4 },
    refused: { limits: { shirtsPerOrder: 4, askAbove: 9 }, quantity: 5 },
    whoCanLift: 'human',
    remaining: { quantity: 4 },
  },
  {
    code: 'approval_required',
    edge: 'one shirt above the number to ask from',
    allowed: { limits: { askAbove: 3 }, quantity: 3 },
    refused: { limits: { askAbove: 3 }, quantity: 4 },
    whoCanLift: 'human',
    remaining: { quantity: 3 },
  },
  {
    code: 'approval_required',
    edge: 'a human who wants to be asked about each shirt',
    allowed: { limits: { askAbove: 1 }, quantity: 1 },
    refused: { limits: { askAbove: 0 }, quantity: 1 },
    whoCanLift: 'human',
    remaining: { quantity: 0 },
  },
  {
    code: 'purchase_rate',
    edge: 'one purchase after the last',
    allowed: { limits: { purchasesPerMinute: 3 }, usage: { purchases: 2 } },
    refused: { limits: { purchasesPerMinute: 3 }, usage: { purchases: 3 } },
    whoCanLift: 'deputy',
  },
  {
    code: 'daily_shirts',
    edge: 'one shirt more than the day has left',
    allowed: { limits: { shirtsPerDay: 6 }, usage: { shirts: 4, freesAt: LATER } },
    refused: { limits: { shirtsPerDay: 6 }, usage: { shirts: 5, freesAt: LATER } },
    whoCanLift: 'human',
    remaining: { quantity: 1, freesAt },
  },
  {
    code: 'daily_shirts',
    edge: 'more used than a mandate that was narrowed allows',
    allowed: { limits: { shirtsPerDay: 2 } },
    refused: { limits: { shirtsPerDay: 2 }, usage: { shirts: 9, freesAt: LATER } },
    whoCanLift: 'human',
    remaining: { quantity: 0, freesAt },
  },
  {
    code: 'daily_spend',
    edge: 'one cent more than the day has left',
    allowed: { limits: { spendPerDay: 6000 }, usage: { spend: 1000, freesAt: LATER } },
    refused: { limits: { spendPerDay: 6000 }, usage: { spend: 1001, freesAt: LATER } },
    whoCanLift: 'human',
    remaining: { spend: 4999, freesAt },
  },
  {
    code: 'account_shirts',
    edge: 'one shirt more than all deputies have left',
    allowed: { ceiling: { shirtsPerDay: 8 }, usage: { accountShirts: 6, accountFreesAt: LATER } },
    refused: { ceiling: { shirtsPerDay: 8 }, usage: { accountShirts: 7, freesAt: 1, accountFreesAt: LATER } },
    whoCanLift: 'human',
    remaining: { quantity: 1, freesAt },
  },
  {
    code: 'account_spend',
    edge: 'one cent more than all deputies have left',
    allowed: { ceiling: { spendPerDay: 6000 }, usage: { accountSpend: 1000, accountFreesAt: LATER } },
    refused: { ceiling: { spendPerDay: 6000 }, usage: { accountSpend: 1001, freesAt: 1, accountFreesAt: LATER } },
    whoCanLift: 'human',
    remaining: { spend: 4999, freesAt },
  },
];

/** Codes about the call itself, which are not for this function to give. */
const OF_THE_CALL: RefusalCode[] = [
  'unknown_tool',
  'invalid_request',
  'invalid_arguments',
  'unknown_cursor',
  'unknown_order',
  'idempotency_conflict',
  'demo_banned',
  'internal_error',
];

test.each(EDGES)('$code at its edge: $edge', ({ allowed, refused, code, whoCanLift, remaining }) => {
  expect(judge(situation(allowed))).toBeUndefined();
  const denial = judge(situation(refused));
  expect(denial).toMatchObject({ code, whoCanLift });
  expect(denial?.remaining).toEqual(remaining);
});

test('a deputy that the record does not hold is denied', () => {
  expect(judge({ ...situation(), grant: undefined })).toMatchObject({ code: 'deputy_unknown', whoCanLift: 'human' });
  expect(denyEnded(undefined, NOW)?.code).toBe('deputy_unknown');
});

test('every code about authority and limits has an edge above', () => {
  expect(new Set(EDGES.map(({ code }) => code))).toEqual(
    new Set(REFUSAL_CODES.filter((code) => !OF_THE_CALL.includes(code))),
  );
});

test('every denial says what the rule is, who can lift it and what to do, in whole sentences', () => {
  for (const { refused } of EDGES) {
    const denial = judge(situation(refused));
    expect(denial?.rule).toMatch(/^[A-Z0-9a-z].*\.$/);
    expect(denial?.message).toMatch(/^[A-Z0-9a-z$].*\. .*\.$/);
    expect(LIFTERS).toContain(denial?.whoCanLift);
  }
});

test('the deputy is live until the last millisecond of its mandate, and no longer, for the token as well', () => {
  const { grant } = situation({ expiresAt: NOW });
  expect(denyEnded(grant, NOW - 1)).toBeUndefined();
  expect(denyEnded(grant, NOW)?.code).toBe('mandate_expired');
  for (const [status, code] of [
    ['pending', 'deputy_unknown'],
    ['revoked', 'deputy_revoked'],
    ['superseded', 'deputy_superseded'],
  ] as const) {
    expect(denyEnded(situation({ status }).grant, NOW)?.code).toBe(code);
  }
});

test('a call that buys nothing is stopped by no limit on purchases', () => {
  const usedUp = { shirts: 99, spend: 1e9, accountShirts: 99, accountSpend: 1e9, purchases: 99 };
  expect(judge(situation({ usage: usedUp }))).toBeDefined();
  expect(judge(situation({ usage: usedUp, action: { purchase: undefined } }))).toBeUndefined();
});

/** Each rule in the order in which they speak, and how it alone is broken: by a purchase of two shirts. */
const STOPS: { code: RefusalCode; broken: Changes }[] = [
  { code: 'deputy_revoked', broken: { status: 'revoked' } },
  { code: 'mandate_expired', broken: { expiresAt: NOW } },
  { code: 'paused', broken: { authority: 'paused' } },
  { code: 'rate_limited', broken: { usage: { calls: 60 } } },
  { code: 'insufficient_scope', broken: { scopes: ['shop:browse'] } },
  { code: 'permission_required', broken: { action: { permission: ADMIN_PERMISSION } } },
  { code: 'order_limit', broken: { limits: { shirtsPerOrder: 1 } } },
  { code: 'approval_required', broken: { limits: { askAbove: 1 } } },
  { code: 'purchase_rate', broken: { usage: { purchases: 10 } } },
  { code: 'daily_shirts', broken: { limits: { shirtsPerDay: 1 } } },
  { code: 'daily_spend', broken: { limits: { spendPerDay: 1 } } },
  { code: 'account_shirts', broken: { ceiling: { shirtsPerDay: 1 } } },
  { code: 'account_spend', broken: { ceiling: { spendPerDay: 1 } } },
];

function both(one: Changes, other: Changes): Changes {
  return {
    ...one,
    ...other,
    limits: { ...one.limits, ...other.limits },
    ceiling: { ...one.ceiling, ...other.ceiling },
    usage: { ...one.usage, ...other.usage },
    action: { ...one.action, ...other.action },
  };
}

test('of any two rules that stop a call, the earlier one speaks', () => {
  for (const [index, first] of STOPS.entries()) {
    expect(judge(situation(first.broken))?.code).toBe(first.code);
    for (const second of STOPS.slice(index + 1)) {
      const stopped = judge(situation(both(first.broken, second.broken)));
      expect([second.code, stopped?.code]).toEqual([second.code, first.code]);
    }
  }
});

test('with every rule broken, mending the one that speaks lets the next one speak', () => {
  for (const [index, { code }] of STOPS.entries()) {
    const broken = STOPS.slice(index).reduce<Changes>((all, stop) => both(all, stop.broken), {});
    expect(judge(situation(broken))?.code).toBe(code);
  }
});

test('an end that the human set comes before the end of the mandate', () => {
  for (const status of ['pending', 'revoked', 'superseded'] as const) {
    expect(judge(situation({ status, expiresAt: NOW }))?.code).toBe(judge(situation({ status }))?.code);
  }
});

/** Small numbers, so that what is wanted, used and allowed often meet exactly. */
const few = fc.integer({ min: 0, max: 6 });
const some = fc.integer({ min: 1, max: 6 });
const used = fc.integer({ min: 0, max: 3 });
const scopes: fc.Arbitrary<Scope[]> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Scope[]>([...SCOPES]) },
  fc.subarray([...SCOPES], { minLength: 1 }),
);
const moment = fc.option(fc.integer({ min: NOW, max: LATER }), { nil: undefined });
const anySituation: fc.Arbitrary<Situation> = fc.record({
  authority: fc.oneof({ weight: 5, arbitrary: fc.constant('active' as const) }, fc.constant('paused' as const)),
  grant: fc.option(
    fc.record({
      status: fc.oneof(
        { weight: 8, arbitrary: fc.constant('active' as const) },
        fc.constantFrom('pending' as const, 'revoked' as const, 'superseded' as const),
      ),
      mandate: fc.record({
        format: fc.constant(1 as const),
        version: some,
        scopes,
        limits: fc.record({
          shirtsPerOrder: some,
          shirtsPerDay: fc.integer({ min: 1, max: 12 }),
          spendPerDay: fc.integer({ min: 1, max: 12 }).map((count) => count * PRICE),
          askAbove: few,
          callsPerMinute: some,
          purchasesPerMinute: some,
        }),
        expiresAt: fc.constantFrom(NOW, NOW + 1, NOW + 2, NOW + 9),
      }),
    }),
    { nil: undefined, freq: 20 },
  ),
  ceiling: fc.record({
    shirtsPerDay: fc.integer({ min: 1, max: 12 }),
    spendPerDay: fc.integer({ min: 1, max: 12 }).map((count) => count * PRICE),
  }),
  usage: fc.record({
    calls: used,
    purchases: used,
    shirts: used,
    spend: used.map((count) => count * PRICE),
    freesAt: moment,
    accountShirts: used,
    accountSpend: used.map((count) => count * PRICE),
    accountFreesAt: moment,
  }),
  action: fc.record({
    name: fc.constant('aTool'),
    scope: fc.constantFrom(...SCOPES),
    tokenScopes: scopes,
    permission: fc.constantFrom(undefined, undefined, undefined, ADMIN_PERMISSION),
    permissions: fc.subarray(['orders:all', ADMIN_PERMISSION]),
    purchase: fc.option(
      fc.integer({ min: 1, max: 4 }).map((quantity) => ({ quantity, total: quantity * PRICE })),
      { nil: undefined, freq: 4 },
    ),
  }),
  now: fc.constantFrom(NOW, NOW + 1),
});

/** Every rule that the situation breaks, each written down on its own. */
function brokenRules({ authority, grant, ceiling, usage, action, now }: Situation): RefusalCode[] {
  if (!grant) return ['deputy_unknown'];
  const { status, mandate } = grant;
  const { limits } = mandate;
  const { quantity, total } = action.purchase ?? { quantity: -Infinity, total: -Infinity };
  const rules: [RefusalCode, boolean][] = [
    ['deputy_unknown', status !== 'pending'],
    ['deputy_revoked', status !== 'revoked'],
    ['deputy_superseded', status !== 'superseded'],
    ['mandate_expired', now < mandate.expiresAt],
    ['paused', authority === 'active'],
    ['rate_limited', usage.calls + 1 <= limits.callsPerMinute],
    ['insufficient_scope', new Set(mandate.scopes).intersection(new Set(action.tokenScopes)).has(action.scope)],
    ['permission_required', [undefined, ...action.permissions].includes(action.permission)],
    ['order_limit', quantity <= limits.shirtsPerOrder],
    ['approval_required', quantity <= limits.askAbove],
    ['purchase_rate', !action.purchase || usage.purchases + 1 <= limits.purchasesPerMinute],
    ['daily_shirts', usage.shirts + quantity <= limits.shirtsPerDay],
    ['daily_spend', usage.spend + total <= limits.spendPerDay],
    ['account_shirts', usage.accountShirts + quantity <= ceiling.shirtsPerDay],
    ['account_spend', usage.accountSpend + total <= ceiling.spendPerDay],
  ];
  return rules.filter(([, kept]) => !kept).map(([code]) => code);
}

test('what is allowed breaks no rule, and what is denied breaks the rule that it is told', () => {
  const seen = { allowed: 0, denied: 0 };
  fc.assert(
    fc.property(anySituation, (given) => {
      const denial = judge(given);
      expect(denial?.code).toBe(brokenRules(given)[0]);
      seen[denial ? 'denied' : 'allowed'] += 1;
    }),
    { numRuns: 2000 },
  );
  expect(Math.min(seen.allowed, seen.denied)).toBeGreaterThan(50);
});

test('no denial tells of less than nothing left, or of more than would be allowed', () => {
  fc.assert(
    fc.property(anySituation, (given) => {
      const { quantity, spend } = judge(given)?.remaining ?? {};
      const { quantity: wanted, total } = given.action.purchase ?? { quantity: 0, total: 0 };
      if (quantity !== undefined) expect(quantity).toSatisfy((left: number) => left >= 0 && left < wanted);
      if (spend !== undefined) expect(spend).toSatisfy((left: number) => left >= 0 && left < total);
    }),
    { numRuns: 1000 },
  );
});

function freeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(freeze);
  return Object.freeze(value);
}

test('a decision changes none of what it is given, and depends on nothing else: not on the clock either', () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 0 });
  fc.assert(
    fc.property(anySituation, fc.nat(), (given, elsewhere) => {
      const before = structuredClone(given);
      const once = judge(freeze(given));
      vi.setSystemTime(elsewhere);
      expect(judge(structuredClone(before))).toEqual(once);
      expect(given).toEqual(before);
    }),
    { numRuns: 500 },
  );
});
