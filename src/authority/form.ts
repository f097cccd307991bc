/** The blanks of a power of attorney as people type them: read into limits, or told what to change. Pure. */
import { type Duration, DURATIONS_MS } from '../lifetimes.ts';
import { ceilingOf, isValid, startLimits, valueOf } from './limits.ts';
import { type Ceiling, isNames, type Limit, type Limits, type LimitValue, type Terms } from './terms.ts';
import { isNamed, type Unit } from './units.ts';
import { SPANS } from './window.ts';
import { reads } from './words.ts';

/** A form's fields by name, as they were typed. */
export type Typed = Record<string, string>;
/** What is wrong with a field, in a sentence that says what to enter. */
export type Problems = Partial<Record<string, string>>;

/** The limits that a human fills in, with the unit of each. */
function blanksIn({ limits, units }: Terms): { name: string; limit: Limit; unit: Unit }[] {
  return Object.entries(limits).flatMap(([name, limit]) => {
    const unit = units[limit.of];
    return limit.label !== undefined && unit ? [{ name, limit, unit }] : [];
  });
}

/** What the fields hold before anybody typed: the start values, as far as the ceiling allows. */
export function typedDefaults(terms: Terms, ceiling: Ceiling): Typed {
  const start: Record<string, LimitValue> = { ...startLimits(terms) };
  for (const [name, limit] of Object.entries(terms.limits))
    if (!isNames(limit)) start[name] = Math.min(limit.start, ceilingOf(ceiling, name, limit));
  return typedLimits(terms, start);
}

export function typedLimits(terms: Terms, limits: Limits): Typed {
  return Object.fromEntries(
    blanksIn(terms).map(({ name, limit, unit }) => [name, write(unit, valueOf(limits, name, limit))]),
  );
}

export function typedCeiling(terms: Terms, ceiling: Ceiling): Typed {
  return Object.fromEntries(
    blanksIn(terms).flatMap(({ name, limit, unit }) =>
      isNames(limit) || limit.ceiling === undefined ? [] : [[name, write(unit, ceilingOf(ceiling, name, limit))]],
    ),
  );
}

/** Reads the limits of a mandate. No mandate may be above the account's own `ceiling`. */
export function readLimits(terms: Terms, typed: Typed, ceiling: Ceiling): { limits: Limits } | { problems: Problems } {
  const limits: Record<string, LimitValue> = {};
  const problems: Problems = {};
  for (const { name, limit, unit } of blanksIn(terms)) {
    const value = read(unit, typed[name]);
    if (value === undefined || !isValid(limit, value)) problems[name] = ask(unit, limit);
    else if (!isNames(limit) && Number(value) > ceilingOf(ceiling, name, limit))
      problems[name] =
        `Your account allows ${reads(terms, name, ceilingOf(ceiling, name, limit))} in ${spanOf(limit)} over all deputies: enter at most that, or raise that limit on the page of your deputies first.`;
    else limits[name] = value;
  }
  return Object.keys(problems).length > 0 ? { problems } : { limits };
}

/** Reads the account's own limits. */
export function readCeiling(terms: Terms, typed: Typed): { ceiling: Ceiling } | { problems: Problems } {
  const ceiling: Record<string, number> = {};
  const problems: Problems = {};
  for (const { name, limit, unit } of blanksIn(terms)) {
    if (isNames(limit) || limit.ceiling === undefined) continue;
    const value = read(unit, typed[name]);
    if (value === undefined || !isValid(limit, value)) problems[name] = ask(unit, limit);
    else ceiling[name] = Number(value);
  }
  return Object.keys(problems).length > 0 ? { problems } : { ceiling };
}

/** Reads how long a mandate lasts, in milliseconds. */
export function readDuration(typed: string | undefined): number | { problems: Problems } {
  return typed !== undefined && isDuration(typed)
    ? DURATIONS_MS[typed]
    : { problems: { until: 'Choose one of the moments in the list.' } };
}

function isDuration(text: string): text is Duration {
  return Object.hasOwn(DURATIONS_MS, text);
}

function read(unit: Unit, typed = ''): LimitValue | undefined {
  return unit.read(typed.trim());
}

function write(unit: Unit, value: LimitValue): string {
  return isNamed(unit) ? unit.write(typeof value === 'object' ? value : []) : unit.write(Number(value));
}

function ask(unit: Unit, limit: Limit): string {
  if (isNamed(unit)) return unit.ask(limit.max);
  return unit.ask(isNames(limit) ? 1 : (limit.min ?? 1), limit.max);
}

function spanOf(limit: Limit): string {
  return limit.per === 'act' ? 'one' : SPANS[limit.per].within;
}
