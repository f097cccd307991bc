/** What a domain must be: one that contradicts itself is not served, and one more limit is one more entry. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { readLimits, typedDefaults } from '../../src/authority/form.ts';
import { startCeiling } from '../../src/authority/limits.ts';
import { newMandate } from '../../src/authority/mandate.ts';
import { names, things } from '../../src/authority/units.ts';
import { SPANS } from '../../src/authority/window.ts';
import { blanksOf, toHuman } from '../../src/authority/words.ts';
import { orderData } from '../../src/shop/order.ts';
import { shop } from '../../src/shop/index.ts';
import { buyMcpShopItem, cancelMcpShopOrder, listMcpShopInventory, listMcpShopOrders } from '../../src/shop/tools.ts';
import { defineDomain } from '../../src/tools/define-domain.ts';
import { defineTool } from '../../src/tools/define-tool.ts';
import { strict } from '../../src/tools/fields.ts';
import { callerOf, employ, inStorage, ledgerOver, mandateOf, serve } from '../support/ledger.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

type Spec = Parameters<typeof defineDomain>[0];

const SHAPE = {
  title: 'A tool',
  description: 'Does something. Call it when asked. Next: look.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: strict({}),
  output: z.object({}),
  run: () => ({ text: 'Done. Next: look.', data: {} }),
};
const look = defineTool({ ...SHAPE, name: 'look', scope: 'keys:see' });
const lend = defineTool({
  ...SHAPE,
  name: 'lend',
  scope: 'keys:lend',
  meter: { uses: () => ({ keys: 1, doors: ['cellar'] }) },
});

const POWERS = {
  'keys:see': { reads: 'see the keys', title: 'See the keys', detail: 'Every deputy may.' },
  'keys:lend': { reads: 'lend keys', title: 'Lend keys', detail: 'At once.', metered: true },
} as const;
const UNITS = { keys: things('key', 'keys'), doors: names('door', 'doors', /^[a-z]+$/, 'cellar') };
const CALLS = { of: 'calls', per: 'minute', start: 60, max: 60 } as const;
const KEYS = { of: 'keys', per: 'day', start: 2, max: 9, ceiling: 4, label: 'Keys in 24 hours' } as const;
const DOORS = { names: true, of: 'doors', per: 'act', start: ['cellar'], max: 3, label: 'Doors' } as const;
const LIMITS = { callsPerMinute: CALLS, keysPerDay: KEYS, doors: DOORS };
const SENTENCE = 'It may lend up to {keysPerDay} in any 24 hours, for the {doors}.';

const KEYRING: Spec = {
  name: 'Key ring',
  serverInfo: { name: 'Key ring', version: '1.0.0' },
  about: 'This server lends keys.',
  instructions: 'Keys.',
  adminPermission: 'keys:admin',
  mandateType: 'key_mandate',
  act: { noun: 'loan', nouns: 'loans', verb: 'lend', did: 'lent', less: 'Lend less', look: 'look' },
  powers: POWERS,
  units: UNITS,
  limits: LIMITS,
  sentence: SENTENCE,
  ceiling: 'All deputies together may lend up to {keysPerDay} in any 24 hours.',
  effect: { data: z.object({}), tells: () => 'lent a key', columns: {} },
  tools: [look, lend],
};

test('a domain that does not contradict itself has its own tools first, then those of every server', () => {
  const { tools, instructions } = defineDomain(KEYRING);
  expect(tools.map(({ name }) => name)).toEqual([
    'look',
    'lend',
    'getMyMandate',
    'getUserInfo',
    'setDemoMode',
    'clearDemoMode',
    'prettyPlease',
  ]);
  expect(new Set(tools.slice(2).map(({ scope }) => scope))).toEqual(new Set(['keys:see']));
  expect(instructions).toMatch(/^Keys\. You are a deputy: /);
});

const scoped = (scope: string) => ({
  powers: { ...POWERS, [scope]: { reads: 'fly', title: 'Fly', detail: 'Now.' } },
  tools: [look, lend, defineTool({ ...SHAPE, name: 'fly', scope })],
});

const CONTRADICTIONS: [problem: string, changes: Partial<Spec>][] = [
  ['every deputy could read the profile', { profile: { power: 'keys:see', title: 'You', holds: 'name', fields: {} } }],
  [
    'no field of the profile can be called version',
    {
      powers: { ...POWERS, 'you:read': { reads: 'read', title: 'Read', detail: '' } },
      profile: {
        power: 'you:read',
        title: 'You',
        holds: 'name',
        fields: { version: { label: 'Name', rows: 1, of: z.string() } },
      },
    },
  ],
  [
    'the tool getUserProfile needs you:read, which is no power',
    { profile: { power: 'you:read', title: 'You', holds: 'name', fields: {} } },
  ],
  // Powers and tools.
  ['no power', { powers: {}, tools: [] }],
  ...['two words', 'ümlaut', 'quo"te', 'back\\slash', 'new\nline', '', 'offline_access'].map(
    (scope): [string, Partial<Spec>] => [`"${scope}" can be no scope`, scoped(scope)],
  ),
  ['the power keys:lend has no title', { powers: { ...POWERS, 'keys:lend': { ...POWERS['keys:lend'], title: '' } } }],
  ['no tool needs the power keys:fly', { ...scoped('keys:fly'), tools: [look, lend] }],
  [
    'the power keys:lend is metered, and none of its tools is',
    { tools: [look, defineTool({ ...SHAPE, name: 'lend', scope: 'keys:lend' })] },
  ],
  [
    'the tool lend is metered, and its power keys:see is not',
    {
      powers: { 'keys:see': POWERS['keys:see'] },
      tools: [look, defineTool({ ...SHAPE, name: 'lend', scope: 'keys:see', meter: { uses: () => ({}) } })],
    },
  ],
  [
    'the tool fly needs keys:fly, which is no power',
    { tools: [look, lend, defineTool({ ...SHAPE, name: 'fly', scope: 'keys:fly' })] },
  ],
  [
    'the tool fly needs toString, which is no power',
    { tools: [look, lend, defineTool({ ...SHAPE, name: 'fly', scope: 'toString' })] },
  ],
  ['two tools are called look', { tools: [look, lend, look] }],
  [
    'two tools are called getMyMandate',
    { tools: [look, lend, defineTool({ ...SHAPE, name: 'getMyMandate', scope: 'keys:see' })] },
  ],
  // Units and limits.
  ['no limit counts the unit coins', { units: { ...UNITS, coins: things('coin', 'coins') } }],
  ...['calls', 'acts'].map((unit): [string, Partial<Spec>] => [
    `the kernel counts ${unit} itself`,
    { units: { ...UNITS, [unit]: things('one', 'many') } },
  ]),
  [
    'the limit locks counts locks, which is no unit',
    { limits: { ...LIMITS, locks: { of: 'locks', per: 'day', start: 1, max: 2 } } },
  ],
  [
    'the limit doors is not of the kind that its unit doors is',
    { limits: { ...LIMITS, doors: { of: 'doors', per: 'act', start: 1, max: 3, label: 'Doors' } } },
  ],
  [
    'the limit keysPerDay is not of the kind that its unit keys is',
    { limits: { ...LIMITS, keysPerDay: { ...DOORS, of: 'keys' } } },
  ],
  ...[0, 10, 1.5, NaN].map((start): [string, Partial<Spec>] => [
    'the limit keysPerDay starts outside its bounds',
    { limits: { ...LIMITS, keysPerDay: { ...KEYS, start } } },
  ]),
  [
    'the limit doors starts outside its bounds',
    { limits: { ...LIMITS, doors: { ...DOORS, start: ['a', 'b', 'c', 'd'] } } },
  ],
  ...[[], ['Cellar'], ['cellar', 'cellar'], ['the cellar'], ['cellar 2']].map((start): [string, Partial<Spec>] => [
    'the limit doors starts with what its blank does not read',
    { limits: { ...LIMITS, doors: { ...DOORS, start } } },
  ]),
  ...[
    'scope',
    'until',
    'version',
    'form',
    'handle',
    'user',
    'decision',
    'replaces',
    'shown',
    'read',
    '2nd',
    '',
    'a-b',
    '__proto',
  ].map((name): [string, Partial<Spec>] => [
    `no limit can be called ${name}`,
    { limits: { ...LIMITS, [name]: { of: 'keys', per: 'act', start: 1, max: 2 } } },
  ]),
  ['the limit callsPerCall counts calls of no span', { limits: { ...LIMITS, callsPerCall: { ...CALLS, per: 'act' } } }],
  ['no limit counts the calls of a minute', { limits: { keysPerDay: KEYS, doors: DOORS } }],
  ['no limit counts the calls of a minute', { limits: { ...LIMITS, callsPerMinute: { ...CALLS, per: 'day' } } }],
  [
    'keysPerLoan starts with more than the limits beside it',
    {
      limits: { ...LIMITS, keysPerLoan: { of: 'keys', per: 'act', start: 3, max: 9, label: 'Keys' } },
      sentence: `${SENTENCE} {keysPerLoan}.`,
    },
  ],
  [
    'keysPerMinute starts with more than the limits beside it',
    {
      limits: { ...LIMITS, keysPerMinute: { of: 'keys', per: 'minute', start: 2, max: 9, ceiling: 5, label: 'Keys' } },
      sentence: `${SENTENCE} {keysPerMinute}.`,
      ceiling: '{keysPerDay}, {keysPerMinute}',
    },
  ],
  ...[
    { start: 3, max: 9 },
    { start: 1, max: 8 },
  ].map((bounds): [string, Partial<Spec>] => [
    bounds.max === 9
      ? 'askAbove starts with more than the limits beside it'
      : 'askAbove must be able to reach what it asks under',
    {
      limits: { ...LIMITS, askAbove: { of: 'keys', per: 'act', asks: true, label: 'Asks', ...bounds } },
      sentence: `${SENTENCE} It asks above {askAbove}.`,
    },
  ]),
  // Sentences and their blanks.
  [
    'the blank {askAbove} needs a sentence of its own',
    {
      limits: { ...LIMITS, askAbove: { of: 'keys', per: 'act', asks: true, label: 'Asks', start: 1, max: 9 } },
      sentence: SENTENCE.replace('.', ', and asks above {askAbove}.'),
    },
  ],
  ['there is no limit for the blank {keysPerYear}', { sentence: `${SENTENCE} And {keysPerYear}.` }],
  ['there is no limit for the blank {keysPerYear}', { ceiling: 'Up to {keysPerDay} and {keysPerYear}.' }],
  ['the limit doors has no blank in the sentence', { sentence: 'It may lend up to {keysPerDay}.' }],
  ['the sentence has the blank {keysPerDay} twice', { sentence: `${SENTENCE} Yes, {keysPerDay}.` }],
  [
    'the blank {keysPerAct} has no label',
    {
      limits: { ...LIMITS, keysPerAct: { of: 'keys', per: 'act', start: 1, max: 2 } },
      sentence: `${SENTENCE} {keysPerAct}.`,
    },
  ],
  [
    'nobody can type the limit callsPerMinute, because it counts calls',
    { limits: { ...LIMITS, callsPerMinute: { ...CALLS, label: 'Calls' } }, sentence: `${SENTENCE} {callsPerMinute}.` },
  ],
  ['the limit keysPerDay has no blank in the ceiling', { ceiling: 'Whatever you like.' }],
  [
    'the blank {doors} of the ceiling has no ceiling',
    { ceiling: 'All deputies together may lend up to {keysPerDay} for the {doors}.' },
  ],
  [
    'nobody can type the ceiling of callsPerMinute, because it has no label',
    { limits: { ...LIMITS, callsPerMinute: { ...CALLS, ceiling: 60 } }, ceiling: '{keysPerDay}, {callsPerMinute}' },
  ],
  ...[0, 10].map((ceiling): [string, Partial<Spec>] => [
    'the ceiling of keysPerDay is outside its bounds',
    { limits: { ...LIMITS, keysPerDay: { ...KEYS, ceiling } } },
  ]),
  [
    'the ceiling of keysPerDay is outside its bounds, or of a single act',
    { limits: { ...LIMITS, keysPerDay: { ...KEYS, per: 'act' } } },
  ],
];

test.each(CONTRADICTIONS)('a domain is refused, because %s', (problem, changes) => {
  let said = '';
  try {
    defineDomain({ ...KEYRING, ...changes });
  } catch (error) {
    said = error instanceof Error ? error.message : '';
  }
  expect(said).toContain(`The domain "Key ring" contradicts itself: `);
  expect(said).toContain(problem);
  expect(said).toMatch(/\.$/);
});

/** The shop with one limit more: its entry, and its blank in the sentence. */
const HASTY = defineDomain({
  ...shop,
  limits: {
    ...shop.limits,
    shirtsPerOrder: { of: 'shirts', per: 'act', start: 4, max: 100, label: 'Shirts in one order' },
    shirtsPerMinute: { of: 'shirts', per: 'minute', start: 4, max: 50, label: 'Shirts in a minute' },
  },
  sentence: `${shop.sentence} In any minute it may buy up to {shirtsPerMinute}.`,
  effect: { data: orderData, tells: shop.effect.tells, columns: {} },
  tools: [listMcpShopInventory, buyMcpShopItem, listMcpShopOrders, cancelMcpShopOrder],
});
const SHIRTS = (quantity: number) => ({ company: 'Engines', mailingAddress: 'London', tshirtSize: 'L', quantity });

test('one limit more is drawn in the form, read from it, and part of the mandate in words', () => {
  const ceiling = startCeiling(HASTY);
  const typed = typedDefaults(HASTY, ceiling);
  expect(typed).toEqual({ ...typedDefaults(shop, ceiling), shirtsPerOrder: '4', shirtsPerMinute: '4' });
  const drawn = blanksOf(HASTY, { limits: {}, expiresAt: 0 });
  expect(drawn).toContainEqual({ blank: 'shirtsPerMinute', reads: '4 shirts' });

  const read = readLimits(HASTY, { ...typed, shirtsPerMinute: '7' }, ceiling);
  expect(read).toMatchObject({ limits: { shirtsPerMinute: 7 } });
  for (const wrong of ['0', '51', 'x', ''])
    expect(readLimits(HASTY, { ...typed, shirtsPerMinute: wrong }, ceiling)).toEqual({
      problems: { shirtsPerMinute: 'Enter a whole number from 1 to 50.' },
    });
  expect(newMandate(HASTY, { scopes: [], limits: { shirtsPerMinute: 7 }, expiresAt: 0 }).limits).toEqual({
    ...newMandate(shop, { scopes: [], limits: {}, expiresAt: 0 }).limits,
    shirtsPerOrder: 4,
    shirtsPerMinute: 7,
  });
});

test('one limit more is decided, counted and said, also for a mandate that was stored without it', () =>
  inStorage(async (storage) => {
    const ledger = ledgerOver(storage, HASTY);
    const ada = callerOf('dep_1');
    employ(ledger, 'dep_1', mandateOf());
    const buy = (quantity: number) => serve(ledger, ada, 'buyMcpShopItem', SHIRTS(quantity), HASTY);
    const mandate = () => serve(ledger, ada, 'getMyMandate', {}, HASTY);

    expect(await mandate()).toMatchObject({ data: { limits: { shirtsPerMinute: 4 }, remaining: { shirts: 4 } } });
    expect(await buy(3)).toMatchObject({ allowed: true });
    expect(await buy(2)).toMatchObject({ allowed: false, code: 'act_rate' });
    expect(await buy(1)).toMatchObject({ allowed: true });
    expect(await buy(1)).toMatchObject({ allowed: false, code: 'act_rate' });
    expect(await mandate()).toMatchObject({ data: { remaining: { shirts: 0, inOneOrder: 0 } } });

    const refused = ledger.record.newest(1, { decision: 'refused' }).lines;
    expect(refused).toMatchObject([
      {
        code: 'act_rate',
        limit: 'shirtsPerMinute',
        most: 4,
        asked: { shirts: 1, spend: 2500 },
        rule: 'At most 4 shirts in any minute.',
      },
    ]);
    expect(refused.map((line) => toHuman(HASTY, line as object))).toEqual(['you allow it 4 shirts in any minute']);

    // The minute and one step later there are four again, of a day that has six left.
    vi.setSystemTime(Date.now() + SPANS.minute.lengthMs + SPANS.minute.stepMs);
    expect(await buy(3)).toMatchObject({ allowed: true });
    expect(await mandate()).toMatchObject({ data: { remaining: { shirts: 1, inOneOrder: 1 } } });
  }));
