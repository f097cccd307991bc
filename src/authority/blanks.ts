/** The blanks of a power of attorney as people type them: read into limits, or told what to change. */
import { BASE_SCOPE, type Scope, SCOPES } from '../deputy.ts';
import { formatPrice } from '../shop/catalog.ts';
import { BOUNDS, type Ceiling, DEFAULT_LIMITS, type Duration, DURATIONS, shirts, type Spending } from './mandate.ts';

/** A form's fields by name, as they were typed. */
export type Typed = Record<string, string>;
/** What is wrong with a field, in a sentence that says what to enter. */
export type Problems = Partial<Record<string, string>>;

/** What the fields hold before anybody typed: the defaults, as far as the ceiling allows. */
export function typedDefaults(ceiling: Ceiling): Typed {
  return typedLimits({
    ...DEFAULT_LIMITS,
    shirtsPerDay: Math.min(DEFAULT_LIMITS.shirtsPerDay, ceiling.shirtsPerDay),
    spendPerDay: Math.min(DEFAULT_LIMITS.spendPerDay, ceiling.spendPerDay),
  });
}

export function typedLimits(limits: Spending): Typed {
  return {
    shirtsPerOrder: String(limits.shirtsPerOrder),
    askAbove: String(limits.askAbove),
    ...typedCeiling(limits),
  };
}

export function typedCeiling({ shirtsPerDay, spendPerDay }: Ceiling): Typed {
  return { shirtsPerDay: String(shirtsPerDay), spendPerDay: (spendPerDay / 100).toFixed(2) };
}

/** Reads the limits of a mandate. `ceiling` is the account's own, which no mandate may be above. */
export function readLimits(typed: Typed, ceiling: Ceiling): { limits: Spending } | { problems: Problems } {
  const shirtsPerOrder = wholeNumber(typed['shirtsPerOrder'], 1, BOUNDS.shirtsPerOrder);
  const shirtsPerDay = wholeNumber(typed['shirtsPerDay'], 1, BOUNDS.shirtsPerDay);
  const spendPerDay = cents(typed['spendPerDay'], BOUNDS.spendPerDay);
  const askAbove = wholeNumber(typed['askAbove'], 0, BOUNDS.shirtsPerOrder);
  const problems: Problems = {
    ...problemOf('shirtsPerOrder', shirtsPerOrder),
    ...problemOf('shirtsPerDay', shirtsPerDay),
    ...problemOf('spendPerDay', spendPerDay),
    ...problemOf('askAbove', askAbove),
  };
  const raise = 'or raise that limit on the page of your deputies first.';
  if (typeof shirtsPerDay === 'number' && shirtsPerDay > ceiling.shirtsPerDay) {
    problems['shirtsPerDay'] =
      `Your account allows ${shirts(ceiling.shirtsPerDay)} in 24 hours over all deputies: enter at most ${ceiling.shirtsPerDay}, ${raise}`;
  }
  if (typeof spendPerDay === 'number' && spendPerDay > ceiling.spendPerDay) {
    problems['spendPerDay'] =
      `Your account allows ${formatPrice(ceiling.spendPerDay)} in 24 hours over all deputies: enter at most that, ${raise}`;
  }
  if (
    Object.keys(problems).length > 0 ||
    typeof shirtsPerOrder === 'string' ||
    typeof shirtsPerDay === 'string' ||
    typeof spendPerDay === 'string' ||
    typeof askAbove === 'string'
  ) {
    return { problems };
  }
  return { limits: { shirtsPerOrder, shirtsPerDay, spendPerDay, askAbove } };
}

/** Reads the account's own limits. */
export function readCeiling(typed: Typed): { ceiling: Ceiling } | { problems: Problems } {
  const shirtsPerDay = wholeNumber(typed['shirtsPerDay'], 1, BOUNDS.shirtsPerDay);
  const spendPerDay = cents(typed['spendPerDay'], BOUNDS.spendPerDay);
  if (typeof shirtsPerDay === 'string' || typeof spendPerDay === 'string') {
    return { problems: { ...problemOf('shirtsPerDay', shirtsPerDay), ...problemOf('spendPerDay', spendPerDay) } };
  }
  return { ceiling: { shirtsPerDay, spendPerDay } };
}

/** Reads how long a mandate lasts, in milliseconds. */
export function readDuration(typed: string | undefined): number | { problems: Problems } {
  return typed !== undefined && isDuration(typed)
    ? DURATIONS[typed]
    : { problems: { until: 'Choose one of the moments in the list.' } };
}

function isDuration(text: string): text is Duration {
  return Object.hasOwn(DURATIONS, text);
}

/** The powers that were ticked; looking around is part of every mandate. */
export function readScopes(ticked: readonly string[]): Scope[] {
  return SCOPES.filter((scope) => scope === BASE_SCOPE || ticked.includes(scope));
}

/** The number, or what to enter instead. */
function wholeNumber(typed: string | undefined, min: number, max: number): number | string {
  const text = typed?.trim() ?? '';
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  return value >= min && value <= max ? value : `Enter a whole number from ${min} to ${max}.`;
}

/** Whole cents, or what to enter instead. */
function cents(typed: string | undefined, max: number): number | string {
  const text = typed?.trim().replace(/^\$/, '') ?? '';
  const value = /^\d{1,9}(\.\d{1,2})?$/.test(text) ? Math.round(Number(text) * 100) : NaN;
  return value >= 1 && value <= max
    ? value
    : `Enter an amount in US dollars from 0.01 to ${(max / 100).toFixed(2)}, such as 100 or 99.50.`;
}

function problemOf(field: string, read: number | string): Problems {
  return typeof read === 'string' ? { [field]: read } : {};
}
