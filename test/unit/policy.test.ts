/** The one decision about a call: each rule at its edge, which of two rules speaks, and that nothing slips through. */
import * as fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { startCeiling, startLimits, type Usage } from '../../src/authority/limits.ts';
import { type Action, type Authority, decide, endOf, type Standing, type Status } from '../../src/authority/policy.ts';
import { REFUSAL_CODES, type RefusalCode, refusalSchema, type Told } from '../../src/authority/refusal.ts';
import type { Ceiling, Limits, Terms } from '../../src/authority/terms.ts';
import { toModel } from '../../src/authority/words.ts';
import { shop } from '../../src/shop/index.ts';
import { domain as mails } from '../second-domain/mails.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** What was used and when that frees, by the name of a limit. */
type Used = { [limit: string]: number };
type Frees = { own?: number | undefined; all?: number | undefined };

/** How things stand when a call comes, in plain data. */
type Plain = {
  authority: Authority;
  standing: Standing | undefined;
  ceiling: Ceiling;
  own: Used;
  all: Used;
  frees: Frees;
  action: Action;
  now: number;
};

const NOW = Date.parse('2026-11-23T12:00:00Z');
const LATER = Date.parse('2026-11-24T11:30:00Z');
const PRICE = 2500;
const SCOPES = Object.keys(shop.powers);
const LIFTERS: readonly string[] = refusalSchema.shape.whoCanLift.options;

function usageOf(used: Used, freesAt: number | undefined): Usage {
  return (limit) => Object.freeze({ used: used[limit] ?? 0, freesAt });
}

function judge({ own, all, frees, action, ...rest }: Plain, terms: Terms = shop): Told | undefined {
  const usage = { own: usageOf(own, frees.own), all: usageOf(all, frees.all) };
  const reason = decide(terms, { ...rest, usage }, action);
  return reason && toModel(terms, reason);
}

type Changes = {
  authority?: Authority;
  status?: Status;
  paused?: boolean;
  scopes?: string[];
  limits?: Limits;
  expiresAt?: number;
  ceiling?: Ceiling;
  own?: Used;
  all?: Used;
  frees?: Frees;
  action?: Partial<Action>;
  quantity?: number;
  now?: number;
};

/** A purchase of two shirts that nothing stands in the way of, but for what `changes` puts there. */
function situation(changes: Changes = {}): Plain {
  const quantity = changes.quantity ?? 2;
  return {
    authority: changes.authority ?? 'active',
    standing: {
      status: changes.status ?? 'active',
      paused: changes.paused ?? false,
      mandate: {
        format: 1,
        version: 1,
        scopes: changes.scopes ?? SCOPES,
        limits: { ...startLimits(shop), ...changes.limits },
        expiresAt: changes.expiresAt ?? NOW + 1,
      },
    },
    ceiling: { ...startCeiling(shop), ...changes.ceiling },
    own: { ...changes.own },
    all: { ...changes.all },
    frees: { ...changes.frees },
    action: {
      name: 'buyMcpShopItem',
      scope: 'shop:buy',
      tokenScopes: SCOPES,
      permissions: [],
      uses: { shirts: quantity, spend: quantity * PRICE },
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
  whoCanLift: Told['whoCanLift'];
  limit?: string;
  remaining?: Told['remaining'];
};

const freesAt = new Date(LATER).toISOString();
const EDGES: Edge[] = [
  { code: 'deputy_unknown', edge: 'pending', allowed: {}, refused: { status: 'pending' }, whoCanLift: 'human' },
  { code: 'deputy_revoked', edge: 'dismissed', allowed: {}, refused: { status: 'revoked' }, whoCanLift: 'human' },
  { code: 'deputy_superseded', edge: 'replaced', allowed: {}, refused: { status: 'superseded' }, whoCanLift: 'human' },
  { code: 'deputy_resigned', edge: 'given back', allowed: {}, refused: { status: 'resigned' }, whoCanLift: 'human' },
  {
    code: 'mandate_expired',
    edge: 'the millisecond in which it ends',
    allowed: { expiresAt: NOW, now: NOW - 1 },
    refused: { expiresAt: NOW, now: NOW },
    whoCanLift: 'human',
  },
  { code: 'paused', edge: 'the pause', allowed: {}, refused: { authority: 'paused' }, whoCanLift: 'human' },
  { code: 'deputy_paused', edge: 'its own pause', allowed: {}, refused: { paused: true }, whoCanLift: 'human' },
  { code: 'suspended', edge: 'the suspension', allowed: {}, refused: { authority: 'suspended' }, whoCanLift: 'human' },
  {
    code: 'rate_limited',
    edge: 'one call after the last',
    allowed: { limits: { callsPerMinute: 7 }, own: { callsPerMinute: 6 } },
    refused: { limits: { callsPerMinute: 7 }, own: { callsPerMinute: 7 }, frees: { own: LATER, all: 1 } },
    whoCanLift: 'deputy',
    limit: 'callsPerMinute',
    remaining: { freesAt },
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
    allowed: { action: { permission: shop.adminPermission, permissions: [shop.adminPermission] } },
    refused: { action: { permission: shop.adminPermission, permissions: ['shop:admin:not'] } },
    whoCanLift: 'administrator',
  },
  {
    code: 'act_limit',
    edge: 'one shirt more in an order',
    allowed: { limits: { shirtsPerOrder: 4, askAbove: 9 }, quantity: 4 },
    refused: { limits: { shirtsPerOrder: 4, askAbove: 9 }, quantity: 5 },
    whoCanLift: 'human',
    limit: 'shirtsPerOrder',
    remaining: { shirts: 4 },
  },
  {
    code: 'approval_required',
    edge: 'one shirt above the number to ask from',
    allowed: { limits: { askAbove: 3 }, quantity: 3 },
    refused: { limits: { askAbove: 3 }, quantity: 4 },
    whoCanLift: 'human',
    limit: 'askAbove',
    remaining: { shirts: 3 },
  },
  {
    code: 'approval_required',
    edge: 'a human who wants to be asked about each shirt',
    allowed: { limits: { askAbove: 1 }, quantity: 1 },
    refused: { limits: { askAbove: 0 }, quantity: 1 },
    whoCanLift: 'human',
    limit: 'askAbove',
    remaining: { shirts: 0 },
  },
  {
    code: 'act_rate',
    edge: 'one purchase after the last',
    allowed: { limits: { purchasesPerMinute: 3 }, own: { purchasesPerMinute: 2 } },
    refused: { limits: { purchasesPerMinute: 3 }, own: { purchasesPerMinute: 3 }, frees: { own: LATER, all: 1 } },
    whoCanLift: 'deputy',
    limit: 'purchasesPerMinute',
    remaining: { freesAt },
  },
  {
    code: 'daily_limit',
    edge: 'one shirt more than the day has left',
    allowed: { limits: { shirtsPerDay: 6 }, own: { shirtsPerDay: 4 }, frees: { own: LATER, all: 1 } },
    refused: { limits: { shirtsPerDay: 6 }, own: { shirtsPerDay: 5 }, frees: { own: LATER, all: 1 } },
    whoCanLift: 'human',
    limit: 'shirtsPerDay',
    remaining: { shirts: 1, freesAt },
  },
  {
    code: 'daily_limit',
    edge: 'more used than a mandate that was narrowed allows',
    allowed: { limits: { shirtsPerDay: 2 } },
    refused: { limits: { shirtsPerDay: 2 }, own: { shirtsPerDay: 9 }, frees: { own: LATER, all: 1 } },
    whoCanLift: 'human',
    limit: 'shirtsPerDay',
    remaining: { shirts: 0, freesAt },
  },
  {
    code: 'daily_limit',
    edge: 'one cent more than the day has left',
    allowed: { limits: { spendPerDay: 6000 }, own: { spendPerDay: 1000 }, frees: { own: LATER, all: 1 } },
    refused: { limits: { spendPerDay: 6000 }, own: { spendPerDay: 1001 }, frees: { own: LATER, all: 1 } },
    whoCanLift: 'human',
    limit: 'spendPerDay',
    remaining: { spend: 4999, freesAt },
  },
  {
    code: 'account_limit',
    edge: 'one shirt more than all deputies have left',
    allowed: { ceiling: { shirtsPerDay: 8 }, all: { shirtsPerDay: 6 }, frees: { own: 1, all: LATER } },
    refused: { ceiling: { shirtsPerDay: 8 }, all: { shirtsPerDay: 7 }, frees: { own: 1, all: LATER } },
    whoCanLift: 'human',
    limit: 'shirtsPerDay',
    remaining: { shirts: 1, freesAt },
  },
  {
    code: 'account_limit',
    edge: 'one cent more than all deputies have left',
    allowed: { ceiling: { spendPerDay: 6000 }, all: { spendPerDay: 1000 }, frees: { own: 1, all: LATER } },
    refused: { ceiling: { spendPerDay: 6000 }, all: { spendPerDay: 1001 }, frees: { own: 1, all: LATER } },
    whoCanLift: 'human',
    limit: 'spendPerDay',
    remaining: { spend: 4999, freesAt },
  },
];

/** Codes about the call itself, which are not for this function to give. */
const OF_THE_CALL: RefusalCode[] = [
  'unknown_tool',
  'invalid_request',
  'invalid_arguments',
  'unknown_cursor',
  'unknown_effect',
  'idempotency_conflict',
  'demo_banned',
  'internal_error',
  'approval_denied',
  'approval_lapsed',
  'approval_withdrawn',
  'too_many_waiting',
  'not_your_request',
];

test.each(EDGES)('$code at its edge: $edge', ({ allowed, refused, code, whoCanLift, limit, remaining }) => {
  expect(judge(situation(allowed))).toBeUndefined();
  const told = judge(situation(refused));
  expect(told).toMatchObject({ code, whoCanLift });
  expect(told?.limit).toBe(limit);
  expect(told?.remaining).toEqual(remaining);
});

test('a deputy that the ledger does not hold is refused', () => {
  expect(judge({ ...situation(), standing: undefined })).toMatchObject({ code: 'deputy_unknown', whoCanLift: 'human' });
  expect(endOf(undefined, NOW)?.code).toBe('deputy_unknown');
});

test('every code about authority and limits has an edge above', () => {
  expect(new Set(EDGES.map(({ code }) => code))).toEqual(
    new Set(REFUSAL_CODES.filter((code) => !OF_THE_CALL.includes(code))),
  );
});

test('every refusal says what the rule is, who can lift it and what to do, in whole sentences', () => {
  for (const { refused } of EDGES) {
    const told = judge(situation(refused));
    expect(told?.rule).toMatch(/^[A-Z0-9a-z].*\.$/);
    expect(told?.message).toMatch(/^[A-Z0-9a-z$].*\. .*\.$/);
    expect(LIFTERS).toContain(told?.whoCanLift);
  }
});

test('the deputy is live until the last millisecond of its mandate, and no longer, for the token as well', () => {
  const { standing } = situation({ expiresAt: NOW });
  expect(endOf(standing, NOW - 1)).toBeUndefined();
  expect(endOf(standing, NOW)?.code).toBe('mandate_expired');
  for (const [status, code] of [
    ['pending', 'deputy_unknown'],
    ['revoked', 'deputy_revoked'],
    ['superseded', 'deputy_superseded'],
    ['resigned', 'deputy_resigned'],
  ] as const) {
    expect(endOf(situation({ status }).standing, NOW)?.code).toBe(code);
  }
});

test('a call that buys nothing is stopped by no limit on purchases', () => {
  const day = { shirtsPerDay: 99, spendPerDay: 1e9 };
  const usedUp = { own: { ...day, purchasesPerMinute: 99 }, all: day };
  expect(judge(situation(usedUp))).toBeDefined();
  expect(judge(situation({ ...usedUp, action: { uses: undefined } }))).toBeUndefined();
});

/** Each rule in the order in which they speak, and how it alone is broken: by a purchase of two shirts. */
const STOPS: { code: RefusalCode; broken: Changes }[] = [
  { code: 'deputy_revoked', broken: { status: 'revoked' } },
  { code: 'mandate_expired', broken: { expiresAt: NOW } },
  { code: 'paused', broken: { authority: 'paused' } },
  { code: 'deputy_paused', broken: { paused: true } },
  { code: 'rate_limited', broken: { own: { callsPerMinute: 60 } } },
  { code: 'insufficient_scope', broken: { scopes: ['shop:browse'] } },
  { code: 'permission_required', broken: { action: { permission: shop.adminPermission } } },
  { code: 'act_limit', broken: { limits: { shirtsPerOrder: 1 } } },
  { code: 'act_rate', broken: { own: { purchasesPerMinute: 10 } } },
  { code: 'daily_limit', broken: { limits: { shirtsPerDay: 1 } } },
  { code: 'daily_limit', broken: { limits: { spendPerDay: 1 } } },
  { code: 'account_limit', broken: { ceiling: { shirtsPerDay: 1 } } },
  { code: 'account_limit', broken: { ceiling: { spendPerDay: 1 } } },
  // The human is asked about nothing that something else stops.
  { code: 'approval_required', broken: { limits: { askAbove: 1 } } },
];

function both(one: Changes, other: Changes): Changes {
  return {
    ...one,
    ...other,
    limits: { ...one.limits, ...other.limits },
    ceiling: { ...one.ceiling, ...other.ceiling },
    own: { ...one.own, ...other.own },
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
  for (const status of ['pending', 'revoked', 'superseded', 'resigned'] as const) {
    expect(judge(situation({ status, expiresAt: NOW }))?.code).toBe(judge(situation({ status }))?.code);
  }
});

/** Small numbers, so that what is wanted, used and allowed often meet exactly. */
const few = fc.integer({ min: 0, max: 6 });
const some = fc.integer({ min: 1, max: 6 });
const used = fc.integer({ min: 0, max: 3 });
const scopes: fc.Arbitrary<string[]> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(SCOPES) },
  fc.subarray(SCOPES, { minLength: 1 }),
);
const moment = fc.option(fc.integer({ min: NOW, max: LATER }), { nil: undefined });
const usedOfDay = { shirtsPerDay: used, spendPerDay: used.map((count) => count * PRICE) };
const anySituation = fc.record({
  authority: fc.oneof(
    { weight: 5, arbitrary: fc.constant('active' as const) },
    fc.constantFrom('paused' as const, 'suspended' as const),
  ),
  standing: fc.option(
    fc.record({
      paused: fc.oneof({ weight: 8, arbitrary: fc.constant(false) }, fc.constant(true)),
      status: fc.oneof(
        { weight: 8, arbitrary: fc.constant('active' as const) },
        fc.constantFrom('pending' as const, 'revoked' as const, 'superseded' as const, 'resigned' as const),
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
  own: fc.record({ callsPerMinute: used, purchasesPerMinute: used, ...usedOfDay }),
  all: fc.record(usedOfDay),
  frees: fc.record({ own: moment, all: moment }),
  action: fc.record({
    name: fc.constant('aTool'),
    scope: fc.constantFrom(...SCOPES),
    tokenScopes: scopes,
    permission: fc.constantFrom(undefined, undefined, undefined, shop.adminPermission),
    permissions: fc.subarray(['orders:all', shop.adminPermission]),
    uses: fc.option(
      fc.integer({ min: 1, max: 4 }).map((quantity) => ({ shirts: quantity, spend: quantity * PRICE })),
      { nil: undefined, freq: 4 },
    ),
  }),
  now: fc.constantFrom(NOW, NOW + 1),
}) satisfies fc.Arbitrary<Plain>;
type AnySituation = typeof anySituation extends fc.Arbitrary<infer Value> ? Value : never;

/** Every rule that the situation breaks, each written down on its own. */
function brokenRules({ authority, standing, ceiling, own, all, action, now }: AnySituation): RefusalCode[] {
  if (!standing) return ['deputy_unknown'];
  const { status, mandate } = standing;
  const { limits } = mandate;
  const { shirts, spend } = action.uses ?? { shirts: -Infinity, spend: -Infinity };
  const rules: [RefusalCode, boolean][] = [
    ['deputy_unknown', status !== 'pending'],
    ['deputy_revoked', status !== 'revoked'],
    ['deputy_superseded', status !== 'superseded'],
    ['deputy_resigned', status !== 'resigned'],
    ['mandate_expired', now < mandate.expiresAt],
    ['paused', authority !== 'paused'],
    ['suspended', authority !== 'suspended'],
    ['deputy_paused', !standing.paused],
    ['rate_limited', own.callsPerMinute + 1 <= limits.callsPerMinute],
    ['insufficient_scope', new Set(mandate.scopes).intersection(new Set(action.tokenScopes)).has(action.scope)],
    ['permission_required', [undefined, ...action.permissions].includes(action.permission)],
    ['act_limit', shirts <= limits.shirtsPerOrder],
    ['act_rate', !action.uses || own.purchasesPerMinute + 1 <= limits.purchasesPerMinute],
    ['daily_limit', own.shirtsPerDay + shirts <= limits.shirtsPerDay],
    ['daily_limit', own.spendPerDay + spend <= limits.spendPerDay],
    ['account_limit', all.shirtsPerDay + shirts <= ceiling.shirtsPerDay],
    ['account_limit', all.spendPerDay + spend <= ceiling.spendPerDay],
    ['approval_required', shirts <= limits.askAbove],
  ];
  return rules.filter(([, kept]) => !kept).map(([code]) => code);
}

test('what is allowed breaks no rule, and what is refused breaks the rule that it is told', () => {
  const seen = { allowed: 0, refused: 0 };
  fc.assert(
    fc.property(anySituation, (given) => {
      const told = judge(given);
      expect(told?.code).toBe(brokenRules(given)[0]);
      seen[told ? 'refused' : 'allowed'] += 1;
    }),
    { numRuns: 2000 },
  );
  expect(Math.min(seen.allowed, seen.refused)).toBeGreaterThan(50);
});

test('no refusal tells of less than nothing left, or of more than would be allowed', () => {
  fc.assert(
    fc.property(anySituation, (given) => {
      const { shirts, spend } = judge(given)?.remaining ?? {};
      const wanted = given.action.uses ?? { shirts: 0, spend: 0 };
      if (shirts !== undefined) expect(shirts).toSatisfy((left: number) => left >= 0 && left < wanted.shirts);
      if (spend !== undefined) expect(spend).toSatisfy((left: number) => left >= 0 && left < wanted.spend);
    }),
    { numRuns: 1000 },
  );
});

function freeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(freeze);
  return Object.freeze(value);
}

/** The shop's terms, which nobody can change. */
const FROZEN: Terms = {
  ...shop,
  powers: freeze(structuredClone(shop.powers)),
  limits: freeze(Object.fromEntries(Object.entries(shop.limits).map(([name, limit]) => [name, { ...limit }]))),
};

test('a decision changes none of what it is given, and depends on nothing else: not on the clock either', () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 0 });
  fc.assert(
    fc.property(anySituation, fc.nat(), (given, elsewhere) => {
      const before = structuredClone(given);
      const once = judge(freeze(given), FROZEN);
      vi.setSystemTime(elsewhere);
      expect(judge(structuredClone(before))).toEqual(once);
      expect(given).toEqual(before);
    }),
    { numRuns: 500 },
  );
});

/** A mail of one kilobyte to these domains, by a deputy that may write to `allowed`. */
function mailTo(domains: string[], allowed: string[], changes: Partial<Plain> = {}): Plain {
  const given = situation();
  return {
    ...given,
    standing: {
      status: 'active',
      mandate: {
        format: 1,
        version: 1,
        scopes: Object.keys(mails.powers),
        limits: { ...startLimits(mails), recipientsIn: allowed },
        expiresAt: NOW + 1,
      },
    },
    ceiling: startCeiling(mails),
    action: {
      name: 'sendMail',
      scope: 'mails:send',
      tokenScopes: ['mails:send'],
      permissions: [],
      uses: { domains, mails: domains.length, kilobytes: 1 },
    },
    ...changes,
  };
}

test('a call names only what the human named, however it is written, and a refusal says which names are not', () => {
  expect(judge(mailTo(['example.com', 'EXAMPLE.com'], ['example.org', 'example.com']), mails)).toBeUndefined();
  expect(judge(mailTo(['example.com', 'evil.example'], ['example.org', 'example.com']), mails)).toEqual({
    code: 'act_limit',
    limit: 'recipientsIn',
    message:
      'evil.example: not among what your human allows, which is example.org or example.com. Keep to that, or ask your human to change it on their page.',
    rule: 'Only example.org or example.com.',
    whoCanLift: 'human',
  });
  // Neither a part of a name nor a longer one is that name.
  for (const stranger of ['example.co', 'xexample.com', 'example.com.evil.example', 'example', ''])
    expect([stranger, judge(mailTo([stranger], ['example.com']), mails)?.limit]).toEqual([stranger, 'recipientsIn']);
});

test('of names and numbers, what is allowed breaks no limit, and the first one that is broken speaks', () => {
  const names = fc.subarray(['a.example', 'b.example', 'c.example']);
  const seen = new Set<string | undefined>();
  fc.assert(
    fc.property(names, names, fc.nat(8), fc.nat(12), (to, allowed, own, all) => {
      const broken: [string, boolean][] = [
        ['recipientsIn act_limit', to.some((name) => !allowed.includes(name))],
        ['mailsPerDay daily_limit', own + to.length > 5],
        ['mailsPerDay account_limit', all + to.length > 8],
      ];
      const before = { own: { mailsPerDay: own }, all: { mailsPerDay: all } };
      const told = judge(mailTo(to, allowed, before), mails);
      const spoke = told && `${told.limit} ${told.code}`;
      expect(spoke).toBe(broken.find(([, is]) => is)?.[0]);
      seen.add(spoke);
    }),
    { numRuns: 500 },
  );
  expect(seen.size).toBe(4);
});

test('a metered call that does not say what it uses is not decided at all', () => {
  for (const uses of [{}, { spend: PRICE }, { shirts: ['one'], spend: PRICE }, { shirts: 1 }])
    expect(() => judge(situation({ action: { uses } }))).toThrow(/does not say how many (shirts|spend)/);
  const { action } = mailTo([], []);
  for (const uses of [
    { mails: 1, kilobytes: 1 },
    { domains: 1, mails: 1, kilobytes: 1 },
  ])
    expect(() => judge(mailTo([], [], { action: { ...action, uses } }), mails)).toThrow(/does not say which domains/);
});
