/** What people and clients choose, and what the clock does, by chance. */
import { COLORS, SIZES } from '../../../src/shop/catalog.ts';
import type { Chance } from './chance.ts';
import type { Client } from './client.ts';
import type { Intent } from './history.ts';

export const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * What the human grants: `tight` has few shirts a day, so that limits are met, `generous` many, so that there are many
 * orders, `asking` many too, and nearly each asks first, `any` is whatever chance says.
 */
export const MOODS = ['tight', 'generous', 'asking', 'any'] as const;
export type Mood = (typeof MOODS)[number];

/** The blanks of a mandate, as they are typed. */
export function blanks(chance: Chance, mood: Mood): Record<string, string> {
  const pick = (values: number[]) => String(chance.pick(values));
  const day = {
    tight: () => ({ shirtsPerDay: pick([5, 7]), spendPerDay: '500' }),
    generous: () => ({ shirtsPerDay: '20', spendPerDay: '500' }),
    asking: () => ({ shirtsPerDay: '150', spendPerDay: '3750' }),
    any: () => ({ shirtsPerDay: pick([8, 12, 20]), spendPerDay: pick([150, 300, 500]) }),
  }[mood]();
  const shirtsPerOrder = chance.pick([2, 4, 5, 6]);
  // What is no less than an order may have would never ask: the blank is left empty then.
  const asking = chance.pick(mood === 'asking' ? [0, 1] : [1, 2, 3, 6]);
  const askAbove = asking < shirtsPerOrder ? String(asking) : '';
  return { shirtsPerOrder: String(shirtsPerOrder), askAbove, approval: grade(chance), ...day };
}

/** What the human does at one of their browsers, by weight. Who is asked a lot does less else. */
export function actsOf(mood: Mood) {
  const often = { pause: 15, resume: 3, pauseOne: 6, resumeOne: 12, amend: 40, ceiling: 12, dismiss: 5, appoint: 12 };
  return mood === 'asking' ? { ...often, pause: 5, resumeOne: 40, amend: 20 } : often;
}

/** How surely the human wants to say yes; empty is the surest way they have. A sign-in takes longest, so there are few. */
function grade(chance: Chance): string {
  return chance.weighted({ pressed: 35, device: 30, surest: 25, confirmed: 10 }).replace('surest', '');
}

/** The account's limits, as they are typed. */
export function ceiling(chance: Chance, mood: Mood): Record<string, string> {
  const all = { tight: [60, 100, 200], generous: [60, 100, 200], asking: [250, 400], any: [10, 30, 60, 100, 200] };
  const shirts = chance.pick(all[mood]);
  return { shirtsPerDay: String(shirts), spendPerDay: String(shirts * chance.between(15, 40)) };
}

/** The powers that are ticked. */
export function scopes(chance: Chance): string[] {
  return ['shop:buy', 'orders:read'].filter(() => chance.happens(0.75));
}

/** A new purchase, an earlier one again under its key, or another one under a key that is taken. */
export function intentOf(chance: Chance, { name, intents }: Client): Intent {
  const keyed = intents.filter(({ idempotencyKey }) => idempotencyKey !== undefined);
  if (keyed.length > 0 && chance.happens(0.3)) return chance.pick(keyed);
  const number = intents.length + 1;
  const key = keyed.length > 0 && chance.happens(0.05) ? chance.pick(keyed).idempotencyKey : `key ${number}`;
  const intent: Intent = {
    company: `${name}, purchase ${number}`,
    mailingAddress: `${number} Storm Street`,
    tshirtSize: chance.pick(SIZES),
    color: chance.pick(COLORS),
    quantity: chance.happens(0.5) ? 1 : chance.between(2, 6),
    ...(key !== undefined && chance.happens(0.6) && { idempotencyKey: key }),
  };
  intents.push(intent);
  return intent;
}

/** Another purchase like one that the human has said yes to, for no other company, and in another number perhaps. */
export function likeOf(chance: Chance, before: Intent, { intents }: Client): Intent {
  const quantity = chance.happens(0.7) ? before.quantity : chance.between(1, before.quantity + 1);
  const intent: Intent = { ...before, quantity, idempotencyKey: `key ${intents.length + 1}` };
  intents.push(intent);
  return intent;
}

export type Step = 'nothing' | 'seconds' | 'minutes' | 'hours' | 'day' | 'back' | 'a little back';

/** How the clock moves between two rounds, in milliseconds; `sure` leaves only the size to chance. */
export function clockStep(chance: Chance, mood: Mood, sure: Step | undefined): [Step, number] {
  const step: Record<Step, () => number> = {
    nothing: () => 0,
    seconds: () => chance.between(1, 40) * SECOND,
    minutes: () => chance.between(1, 30) * MINUTE,
    hours: () => chance.between(1, 7) * HOUR,
    day: () => 24 * HOUR + chance.between(0, 60) * MINUTE,
    back: () => -chance.between(1, 50) * MINUTE,
    'a little back': () => -chance.between(5, 50) * SECOND,
  };
  const often = { nothing: 15, seconds: 30, minutes: 30, hours: 9, day: 6, back: 7, 'a little back': 3 };
  // A question lives for minutes.
  const seldom = { nothing: 20, seconds: 60, minutes: 10, hours: 3, day: 3, back: 2, 'a little back': 2 };
  const kind = sure ?? chance.weighted(mood === 'asking' ? seldom : often);
  return [kind, step[kind]()];
}
