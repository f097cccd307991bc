/** The limits of a mandate and of an account, whatever they are about. Pure. */
import type { LimitReason } from './refusal.ts';
import {
  ACTS,
  type Amounts,
  CALLS,
  type Ceiling,
  isNames,
  type Limit,
  type Limits,
  type LimitValue,
  type NameLimit,
  type NumberLimit,
  type Terms,
  type Uses,
} from './terms.ts';
import { isNamed } from './units.ts';
import { SPANS, type Use } from './window.ts';

/** What counts against a limit with a span, by the limit's name. */
export type Usage = (limit: string) => Use;

/** A limit's value in what is stored. A mandate from before there was such a limit has what new ones start with. */
export function valueOf(stored: Limits, name: string, limit: NumberLimit): number;
export function valueOf(stored: Limits, name: string, limit: NameLimit): readonly string[];
export function valueOf(stored: Limits, name: string, limit: Limit): LimitValue;
export function valueOf(stored: Limits, name: string, limit: Limit): LimitValue {
  const value = stored[name];
  return typeof value === typeof limit.start && value !== undefined ? value : limit.start;
}

export function ceilingOf(stored: Ceiling, name: string, { ceiling = Infinity }: NumberLimit): number {
  return stored[name] ?? ceiling;
}

/**
 * The limit of the same unit that leaves this one the least, and how much: no more than a longer span has, and less than
 * what it asks under. Above that the two contradict each other.
 */
export function boundBeside(
  { limits }: Terms,
  { of, per, asks }: NumberLimit,
  valueAt: (name: string, limit: NumberLimit) => number,
): { by: string; limit: NumberLimit; most: number } | undefined {
  const bounds = Object.entries(limits).flatMap(([by, limit]) => {
    if (isNames(limit) || limit.of !== of || limit.asks || (!asks && lengthOf(limit) <= lengthOf({ per }))) return [];
    return [{ by, limit, most: valueAt(by, limit) - (asks ? 1 : 0) }];
  });
  return bounds.toSorted((one, other) => one.most - other.most)[0];
}

function lengthOf({ per }: Pick<NumberLimit, 'per'>): number {
  return per === 'act' ? 0 : SPANS[per].lengthMs;
}

/** Whether a limit that asks never comes to it, because what it asks under is no higher. */
export function neverAsks(terms: Terms, stored: Limits, name: string): boolean {
  const limit = terms.limits[name];
  if (!limit || isNames(limit) || !limit.asks) return false;
  const bound = boundBeside(terms, limit, (other, beside) => valueOf(stored, other, beside));
  return bound !== undefined && valueOf(stored, name, limit) > bound.most;
}

/** The limits that a new mandate has before the human types anything. */
export function startLimits({ limits }: Terms): Limits {
  return Object.fromEntries(Object.entries(limits).map(([name, { start }]) => [name, start]));
}

/** What an account starts with. */
export function startCeiling({ limits }: Terms): Ceiling {
  return Object.fromEntries(
    Object.entries(limits).flatMap(([name, limit]) =>
      isNames(limit) || limit.ceiling === undefined ? [] : [[name, limit.ceiling]],
    ),
  );
}

/**
 * The account's limits that a human's words make, in place of `before`; what they do not name stays. Throws for a limit that
 * no account has, or outside its bounds.
 */
export function newCeiling(terms: Terms, ceiling: Ceiling, before: Ceiling): Ceiling {
  for (const [name, value] of Object.entries(ceiling)) {
    const limit = terms.limits[name];
    if (!limit || isNames(limit) || limit.ceiling === undefined || !isValid(limit, value))
      throw new Error(`${value} is no value of the account's ${name}`);
  }
  return { ...startCeiling(terms), ...before, ...ceiling };
}

/** Why one more call of any kind would be too many. */
export function tooManyCalls({ limits }: Terms, stored: Limits, own: Usage): LimitReason | undefined {
  for (const [name, limit] of Object.entries(limits)) {
    if (isNames(limit) || limit.of !== CALLS || limit.per === 'act') continue;
    const [most, { used, freesAt }] = [valueOf(stored, name, limit), own(name)];
    if (used >= most) return { code: 'rate_limited', limit: name, most, wanted: 1, used, freesAt };
  }
  return undefined;
}

/** The first limit that a metered call would break: the deputy's own, then those of the account. */
export function overLimit(
  { limits }: Terms,
  stored: Limits,
  ceiling: Ceiling,
  usage: { own: Usage; all: Usage },
  uses: Uses,
): LimitReason | undefined {
  for (const [name, limit] of Object.entries(limits)) {
    const reason = isNames(limit) ? notAmong(name, limit, stored, uses) : overOwn(name, limit, stored, usage.own, uses);
    if (reason) return reason;
  }
  for (const [name, limit] of Object.entries(limits)) {
    if (isNames(limit) || limit.ceiling === undefined || limit.per === 'act') continue;
    const reason = overSpan('account_limit', name, limit, ceilingOf(ceiling, name, limit), usage.all(name), uses);
    if (reason) return reason;
  }
  return undefined;
}

function notAmong(name: string, limit: NameLimit, stored: Limits, uses: Uses): LimitReason | undefined {
  const most = valueOf(stored, name, limit);
  const wanted = uses[limit.of];
  if (typeof wanted !== 'object') throw new Error(`the call does not say which ${limit.of} it is about`);
  const strangers = wanted.filter((one) => !most.includes(one.toLowerCase()));
  return strangers.length > 0 ? { code: 'act_limit', limit: name, most, wanted: strangers } : undefined;
}

function overOwn(name: string, limit: NumberLimit, stored: Limits, own: Usage, uses: Uses): LimitReason | undefined {
  if (limit.of === CALLS) return undefined;
  const most = valueOf(stored, name, limit);
  if (limit.per !== 'act') return overSpan(SPANS[limit.per].code, name, limit, most, own(name), uses);
  const wanted = amountOf(uses, limit.of);
  return wanted > most
    ? { code: limit.asks ? 'approval_required' : 'act_limit', limit: name, most, wanted }
    : undefined;
}

function overSpan(
  code: LimitReason['code'],
  name: string,
  { of }: NumberLimit,
  most: number,
  { used, freesAt }: Use,
  uses: Uses,
): LimitReason | undefined {
  const wanted = amountOf(uses, of);
  return used + wanted > most ? { code, limit: name, most, wanted, used, freesAt } : undefined;
}

function amountOf(uses: Uses, unit: string): number {
  const amount = unit === ACTS ? 1 : uses[unit];
  if (typeof amount !== 'number') throw new Error(`the call does not say how many ${unit} it would use`);
  return amount;
}

/**
 * The amounts of what a metered call would use. Throws for a unit that is missing, unknown, or not a whole number from 0 on: such a
 * call could not be counted.
 */
export function amountsOf({ units }: Terms, uses: Uses): Amounts {
  const amounts: Amounts = {};
  const stranger = Object.keys(uses).find((name) => !Object.hasOwn(units, name));
  if (stranger !== undefined) throw new Error(`a metered call stated ${stranger}, which is no unit`);
  for (const [name, unit] of Object.entries(units)) {
    const use = uses[name];
    if (isNamed(unit) ? !Array.isArray(use) : !Number.isSafeInteger(use) || Number(use) < 0)
      throw new Error(`a metered call must state its ${name}, and stated ${JSON.stringify(use)}`);
    if (typeof use === 'number') amounts[name] = use;
  }
  return amounts;
}

/** Whether no limit of `next` allows what that of `current` does not. */
export function isNoHigher({ limits }: Terms, next: Limits, current: Limits): boolean {
  return Object.entries(limits).every(([name, limit]) => {
    const [one, other] = [valueOf(next, name, limit), valueOf(current, name, limit)];
    if (typeof one === 'number' || typeof other === 'number') return Number(one) <= Number(other);
    return one.every((value) => other.includes(value));
  });
}

/** Whether a value is one that a limit can have. */
export function isValid(limit: Limit, value: LimitValue | undefined): boolean {
  if (isNames(limit)) return typeof value === 'object' && value.length <= limit.max;
  const { min = 1, max } = limit;
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
}

/** What is left of each counted unit: under the mandate, and under the ceiling that binds it. */
export function leftOf(terms: Terms, stored: Limits, ceiling: Ceiling, usage: { own: Usage; all: Usage }): Amounts {
  const left: Amounts = {};
  for (const [name, limit] of Object.entries(terms.limits)) {
    if (isNames(limit) || limit.per === 'act' || !Object.hasOwn(terms.units, limit.of)) continue;
    const own = valueOf(stored, name, limit) - usage.own(name).used;
    const all = limit.ceiling === undefined ? Infinity : ceilingOf(ceiling, name, limit) - usage.all(name).used;
    left[limit.of] = Math.max(0, Math.min(left[limit.of] ?? Infinity, own, all));
  }
  return left;
}

/** The most of a unit that one act may have now without asking. */
export function mostInOneAct({ limits }: Terms, stored: Limits, unit: string, left: Amounts): number {
  const most = Object.entries(limits).flatMap(([name, limit]) =>
    limit.of === unit && limit.per === 'act' && !isNames(limit) ? [valueOf(stored, name, limit)] : [],
  );
  return Math.min(left[unit] ?? Infinity, ...most);
}

/** What of all that is left one more act can really have, when one unit is paid in another. */
export function affordable({ price }: Terms, left: Amounts): Amounts {
  if (!price) return left;
  const most = Math.floor((left[price.in] ?? 0) / price.each);
  return { ...left, [price.of]: Math.min(left[price.of] ?? 0, most) };
}

/** The most that can come of it: no more money than all that it can buy costs. */
export function atWorst(terms: Terms, left: Amounts): Amounts {
  const most = affordable(terms, left);
  const { price } = terms;
  return price ? { ...most, [price.in]: (most[price.of] ?? 0) * price.each } : most;
}
