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
 * orders, `any` is whatever chance says.
 */
export const MOODS = ['tight', 'generous', 'any'] as const;
export type Mood = (typeof MOODS)[number];

/** The blanks of a mandate, as they are typed. */
export function blanks(chance: Chance, mood: Mood): Record<string, string> {
  const pick = (values: number[]) => String(chance.pick(values));
  const day = {
    tight: () => ({ shirtsPerDay: pick([5, 7]), spendPerDay: '500' }),
    generous: () => ({ shirtsPerDay: '20', spendPerDay: '500' }),
    any: () => ({ shirtsPerDay: pick([8, 12, 20]), spendPerDay: pick([150, 300, 500]) }),
  }[mood]();
  const shirtsPerOrder = chance.pick([2, 4, 5]);
  // What is no less than an order may have would never ask: the blank is left empty then.
  const asking = chance.pick([1, 3, 4, 6]);
  const askAbove = asking < shirtsPerOrder ? String(asking) : '';
  // A sign-in for each yes would take longer than all the rest.
  return { shirtsPerOrder: String(shirtsPerOrder), askAbove, approval: 'pressed', ...day };
}

/** The account's limits, as they are typed. */
export function ceiling(chance: Chance, mood: Mood): Record<string, string> {
  const shirts = chance.pick(mood === 'any' ? [10, 30, 60, 100, 200] : [60, 100, 200]);
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

export type Step = 'nothing' | 'seconds' | 'minutes' | 'hours' | 'day' | 'back';

/** How the clock moves between two rounds, in milliseconds; `sure` leaves only the size to chance. */
export function clockStep(chance: Chance, sure: Step | undefined): [Step, number] {
  const step: Record<Step, () => number> = {
    nothing: () => 0,
    seconds: () => chance.between(1, 40) * SECOND,
    minutes: () => chance.between(1, 30) * MINUTE,
    hours: () => chance.between(1, 7) * HOUR,
    day: () => 24 * HOUR + chance.between(0, 60) * MINUTE,
    back: () => -chance.between(1, 50) * MINUTE,
  };
  const kind = sure ?? chance.weighted({ nothing: 15, seconds: 30, minutes: 30, hours: 9, day: 6, back: 10 });
  return [kind, step[kind]()];
}
