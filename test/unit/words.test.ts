/** How mandates and refusals read, for a model and for the human, and what of a stored mandate is still understood. */
import { describe, expect, test } from 'vitest';
import { amountsOf, startCeiling, startLimits, valueOf } from '../../src/authority/limits.ts';
import {
  authorizationDetails,
  isNoWider,
  type Mandate,
  mandateSchema,
  newMandate,
} from '../../src/authority/mandate.ts';
import { decide } from '../../src/authority/policy.ts';
import { type Reason, REFUSAL_CODES, refusalSchema, type RefusalCode } from '../../src/authority/refusal.ts';
import type { Limits, LimitValue, Terms } from '../../src/authority/terms.ts';
import { ceilingInWords, readsAmounts, sentenceOf, toHuman, toModel } from '../../src/authority/words.ts';
import { shop } from '../../src/shop/index.ts';
import { domain as mails } from '../second-domain/mails.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');

/** One reason for each code, of the shop. */
const REASONS: Record<RefusalCode, Reason> = {
  deputy_unknown: { code: 'deputy_unknown' },
  deputy_revoked: { code: 'deputy_revoked' },
  deputy_superseded: { code: 'deputy_superseded' },
  deputy_resigned: { code: 'deputy_resigned' },
  mandate_expired: { code: 'mandate_expired', expiresAt: NOW },
  paused: { code: 'paused' },
  deputy_paused: { code: 'deputy_paused' },
  suspended: { code: 'suspended' },
  insufficient_scope: { code: 'insufficient_scope', tool: 'aTool', scope: 'shop:buy' },
  permission_required: { code: 'permission_required', tool: 'aTool', permission: 'shop:admin' },
  rate_limited: { code: 'rate_limited', limit: 'callsPerMinute', most: 60, wanted: 1, used: 60, freesAt: NOW },
  act_rate: { code: 'act_rate', limit: 'purchasesPerMinute', most: 10, wanted: 1, used: 10, freesAt: NOW },
  act_limit: { code: 'act_limit', limit: 'shirtsPerOrder', most: 5, wanted: 6 },
  approval_required: {
    code: 'approval_required',
    limit: 'askAbove',
    most: 3,
    wanted: 4,
    waiting: { id: 'an id', endsAt: NOW },
  },
  approval_denied: { code: 'approval_denied', id: 'an id' },
  approval_lapsed: { code: 'approval_lapsed', id: 'an id' },
  approval_withdrawn: { code: 'approval_withdrawn', id: 'an id' },
  too_many_waiting: { code: 'too_many_waiting', most: 5 },
  not_your_request: { code: 'not_your_request', field: 'orderId' },
  daily_limit: { code: 'daily_limit', limit: 'shirtsPerDay', most: 10, wanted: 3, used: 9, freesAt: NOW },
  account_limit: { code: 'account_limit', limit: 'spendPerDay', most: 50_000, wanted: 5000, used: 50_000 },
  unknown_tool: { code: 'unknown_tool' },
  invalid_request: { code: 'invalid_request', tool: 'aTool' },
  invalid_arguments: { code: 'invalid_arguments', tool: 'aTool', problems: ['quantity: must be more.'] },
  unknown_cursor: { code: 'unknown_cursor', field: 'cursor' },
  unknown_effect: { code: 'unknown_effect', field: 'orderId' },
  idempotency_conflict: { code: 'idempotency_conflict', tool: 'aTool' },
  demo_banned: { code: 'demo_banned', says: 'ABSOLUTELY NOT. GO AWAY 👋' },
  internal_error: { code: 'internal_error', id: 'an id' },
};

/** The same limits of the other domain, whose kinds the shop has not. */
const OF_MAILS: Reason[] = [
  { code: 'act_limit', limit: 'recipientsIn', most: ['example.com', 'b.example'], wanted: ['evil.example'] },
  { code: 'act_limit', limit: 'kilobytesPerMail', most: 1, wanted: 2 },
  { code: 'daily_limit', limit: 'mailsPerDay', most: 1, wanted: 1, used: 1, freesAt: NOW },
  { code: 'account_limit', limit: 'mailsPerDay', most: 8, wanted: 2, used: 7, freesAt: NOW },
];

const ALL: [Terms, Reason][] = [
  ...Object.values(REASONS).flatMap((reason): [Terms, Reason][] =>
    'limit' in reason && reason.code !== 'rate_limited'
      ? [[shop, reason]]
      : [
          [shop, reason],
          [mails, reason],
        ],
  ),
  ...OF_MAILS.map((reason): [Terms, Reason] => [mails, reason]),
];

/** What a line of the record keeps of a refusal. */
function kept(terms: Terms, reason: Reason) {
  const { code, rule, limit } = toModel(terms, reason);
  return { code, rule, limit, most: 'most' in reason ? reason.most : undefined };
}

describe('a refusal', () => {
  test('there is a reason here for every code', () => {
    expect(Object.keys(REASONS).toSorted()).toEqual(REFUSAL_CODES.toSorted());
    for (const [code, reason] of Object.entries(REASONS)) expect(reason.code).toBe(code);
  });

  test.each(ALL)('has words for the model that end in a sentence (%#)', (terms, reason) => {
    const { message, ...error } = toModel(terms, reason);
    expect(refusalSchema.parse({ ...error, url: 'https://shop.example/' })).toMatchObject(error);
    expect(error.rule).toMatch(/^[A-Z0-9a-z"].*\.$/);
    // The ban is the one that has words of its own.
    if (reason.code === 'demo_banned') expect(message).toBe(reason.says);
    // The protocol has answered a message that it does not know, so nothing says what to do next.
    else if (reason.code === 'invalid_request') expect(message).toMatch(/^\S.*[^.]\.$/);
    else expect(message).toMatch(/^\S.*[^.]\.( .*[^.]\.)+$/);
    for (const text of [message, error.rule])
      expect(text).not.toMatch(/undefined|NaN|\[object|\{|\}| {2}| an? [aeiou]?$/);
  });

  test.each(ALL)('has words for the human that speak to them (%#)', (terms, reason) => {
    const said = toHuman(terms, kept(terms, reason));
    expect(said).toMatch(/^[a-z$0-9].*[^.]$/);
    expect(said).not.toMatch(/human|undefined|NaN|\[object|\{|\}/);
    // It is not the rule, which speaks to the model.
    expect(said).not.toBe(kept(terms, reason).rule);
  });

  test.each([
    [shop, REASONS.act_limit, 'you allow it 5 shirts in one order'],
    [shop, REASONS.approval_required, 'above 3 shirts in one order it must ask you'],
    [shop, REASONS.daily_limit, 'you allow it 10 shirts in any 24 hours'],
    [shop, REASONS.account_limit, 'your account allows all deputies together $500.00 in any 24 hours'],
    [shop, REASONS.act_rate, '10 orders in any minute is the most for any deputy'],
    [shop, REASONS.rate_limited, '60 calls in any minute is the most for any deputy'],
    [mails, OF_MAILS[0], 'you allow it only example.com or b.example'],
    [mails, OF_MAILS[1], 'you allow it 1 kilobyte in one mail'],
  ] as [Terms, Reason, string][])(
    'of a limit is told to the human with what they allow (%#)',
    (terms, reason, said) => {
      expect(toHuman(terms, kept(terms, reason))).toBe(said);
    },
  );

  test('of a limit or a code that there is no more is told by its code, or else by its rule', () => {
    const gone = { limit: 'shirtsPerYear', most: 9, rule: 'At most 9 shirts in any year.' };
    expect(toHuman(shop, { ...gone, code: 'yearly_limit' })).toBe(gone.rule);
    expect(toHuman(shop, { code: 'yearly_limit' })).toBe('of a rule that is no longer known');
    const { rule } = kept(shop, REASONS.approval_required);
    expect(toHuman(shop, { code: 'approval_required', limit: 'askAboveOfOld', most: 3, rule })).toBe(
      'it must ask you first',
    );
  });

  test('speaks of a mail where mails are sent, and of an order where orders are placed', () => {
    expect(toModel(shop, REASONS.act_limit).rule).toBe('At most 5 shirts an order.');
    expect(toModel(mails, { code: 'act_limit', limit: 'kilobytesPerMail', most: 1, wanted: 2 }).rule).toBe(
      'At most 1 kilobyte a mail.',
    );
  });

  test('speaks of any span in words', () => {
    const limits = {
      callsPerDay: { of: 'calls', per: 'day', start: 1, max: 9 },
      ordersPerDay: { of: 'acts', per: 'day', start: 1, max: 9 },
      shirtsPerMinute: { of: 'shirts', per: 'minute', start: 1, max: 9 },
    } as const;
    const terms: Terms = { ...shop, limits };
    const says = (code: 'rate_limited' | 'daily_limit' | 'act_rate', limit: string) =>
      toModel(terms, { code, limit, most: 1, wanted: 1, used: 1 }).message;
    expect(says('rate_limited', 'callsPerDay')).toContain(
      '1 call within 24 hours, and that is the limit. Wait 24 hours,',
    );
    expect(says('daily_limit', 'ordersPerDay')).toMatch(/within 24 hours, .* then wait 24 hours\.$/);
    expect(says('act_rate', 'shirtsPerMinute')).toContain('in a minute: 1 shirt, with 0 shirts left.');
  });
});

function stored(limits: Record<string, unknown>, scopes = ['shop:browse', 'shop:buy']): Mandate {
  return mandateSchema.parse(JSON.parse(JSON.stringify({ format: 1, version: 2, scopes, limits, expiresAt: NOW + 1 })));
}

function judge(mandate: Mandate, shirts: number, scope = 'shop:buy') {
  const nothing = () => ({ used: 0, freesAt: undefined });
  return decide(
    shop,
    {
      authority: 'active',
      standing: { status: 'active', mandate },
      ceiling: startCeiling(shop),
      usage: { own: nothing, all: nothing },
      now: NOW,
    },
    {
      name: 'aTool',
      scope,
      tokenScopes: [...Object.keys(shop.powers), ...mandate.scopes],
      permissions: [],
      uses: { shirts, spend: 1 },
    },
  );
}

describe('a stored mandate', () => {
  test('has the start value of a limit that it lacks', () => {
    const before = stored({ shirtsPerDay: 2 });
    for (const [name, limit] of Object.entries(shop.limits))
      expect(valueOf(before.limits, name, limit)).toEqual(name === 'shirtsPerDay' ? 2 : limit.start);
    expect(judge(before, 2)).toBeUndefined();
    expect(judge(before, 3)).toMatchObject({ code: 'daily_limit', most: 2 });
    expect(judge(stored({}), 3)).toBeUndefined();
    expect(judge(stored({}), 4)).toMatchObject({ code: 'approval_required', most: shop.limits['askAbove']?.start });
    expect(sentenceOf(shop, 'It', before)).toBe(
      sentenceOf(shop, 'It', stored({ ...startLimits(shop), shirtsPerDay: 2 })),
    );
    expect(isNoWider(shop, before, stored({ ...startLimits(shop), shirtsPerDay: 2 }))).toBe(true);
    expect(isNoWider(shop, stored(startLimits(shop)), before)).toBe(false);
  });

  test('has the start value of a limit whose value is of another kind', () => {
    for (const value of [[], ['100'], ['shirts', 'socks']] as const) {
      const odd = stored({ shirtsPerOrder: value, askAbove: 100 });
      expect(sentenceOf(shop, 'It', odd)).toContain('up to 5 shirts an order');
      expect(judge(odd, 5)).toBeUndefined();
      expect(judge(odd, 6)).toMatchObject({ code: 'act_limit', most: 5 });
    }
    const odd = stored({ recipientsIn: 9 }, ['mails:send']);
    expect(sentenceOf(mails, 'It', odd)).toContain('in example.com');
    expect(isNoWider(mails, odd, stored({}, ['mails:send']))).toBe(true);
  });

  test('with a limit of zero has zero, not its start value', () => {
    expect(judge(stored({ askAbove: 0 }), 1)).toMatchObject({ code: 'approval_required', most: 0 });
  });

  test('with a limit that there is no more ignores it, and keeps it', () => {
    const odd = stored({ ...startLimits(shop), shirtsPerYear: 1 });
    expect(judge(odd, 3)).toBeUndefined();
    expect(isNoWider(shop, odd, stored(startLimits(shop)))).toBe(true);
    expect(newMandate(shop, { scopes: [], limits: {}, expiresAt: 0 }, odd).limits).toMatchObject({ shirtsPerYear: 1 });
  });

  test('with a scope that there is no more may do what the others allow, and nothing by that one', () => {
    const odd = stored({}, ['shop:browse', 'shop:fly']);
    expect(judge(odd, 1, 'shop:browse')).toBeUndefined();
    for (const scope of ['shop:buy', 'orders:read'])
      expect(judge(odd, 1, scope)).toMatchObject({ code: 'insufficient_scope', scope });
    expect(sentenceOf(shop, 'It', odd)).toBe(sentenceOf(shop, 'It', stored({}, ['shop:browse'])));
    expect(sentenceOf(shop, 'It', odd)).toContain('It may not buy.');
    expect(authorizationDetails(shop, odd, 'https://shop.example/mcp').actions).toEqual(['shop:browse']);
    expect(newMandate(shop, { scopes: odd.scopes, limits: {}, expiresAt: 0 }, odd).scopes).toEqual(['shop:browse']);
  });
});

test('what a metered call uses is counted when it states a whole amount of each unit, and no other', () => {
  expect(amountsOf(shop, { shirts: 2, spend: 5000 })).toEqual({ shirts: 2, spend: 5000 });
  expect(amountsOf(shop, { shirts: 0, spend: 0 })).toEqual({ shirts: 0, spend: 0 });
  // Names are kept to, and not counted.
  expect(amountsOf(mails, { domains: ['example.com'], mails: 1, kilobytes: 2 })).toEqual({ mails: 1, kilobytes: 2 });
  expect(amountsOf(mails, { domains: [], mails: 1, kilobytes: 2 })).toEqual({ mails: 1, kilobytes: 2 });
});

const MAIL = { domains: ['example.com'], mails: 1, kilobytes: 1 };

test.each([
  ['nothing', shop, {}, 'its shirts'],
  ['no money', shop, { shirts: 1 }, 'its spend'],
  ['less than nothing', shop, { shirts: -1, spend: 0 }, 'its shirts'],
  ['half a shirt', shop, { shirts: 1.5, spend: 0 }, 'its shirts'],
  ['no number', shop, { shirts: NaN, spend: 0 }, 'its shirts'],
  ['all there is', shop, { shirts: 1, spend: Infinity }, 'its spend'],
  ['more than can be counted', shop, { shirts: 1, spend: 2 ** 53 }, 'its spend'],
  ['names for a number', shop, { shirts: ['1'], spend: 0 }, 'its shirts'],
  ['what is no unit', shop, { shirts: 1, spend: 0, socks: 1 }, 'stated socks, which is no unit'],
  ['the act itself', shop, { shirts: 1, spend: 0, acts: 0 }, 'stated acts, which is no unit'],
  ['no names', mails, { mails: 1, kilobytes: 1 }, 'its domains'],
  ['a number for names', mails, { ...MAIL, domains: 1 }, 'its domains'],
] as [string, Terms, Record<string, LimitValue>, string][])(
  'a metered call that states %s is not counted',
  (_, terms, uses, said) => {
    expect(() => amountsOf(terms, uses)).toThrow(said);
  },
);

test('amounts and the ceiling read as people say them', () => {
  expect(readsAmounts(shop, { shirts: 2, spend: 5000 })).toBe('2 shirts and $50.00');
  expect(readsAmounts(mails, { mails: 1, kilobytes: 2, gone: 3 })).toBe('1 mail and 2 kilobytes');
  expect(ceilingInWords(shop, startCeiling(shop))).toBe(
    'All deputies together may order up to 20 shirts for $500.00 in any 24 hours.',
  );
  const old: Limits = { shirtsPerDay: 1 };
  expect(ceilingInWords(shop, old as Record<string, number>)).toContain('up to 1 shirt for $500.00');
});
