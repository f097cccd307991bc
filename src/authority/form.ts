/** The blanks of a power of attorney as people type them: read into limits, or told what to change. Pure. */
import { type Duration, DURATIONS_MS } from '../lifetimes.ts';
import { type Grade, GRADES } from './grade.ts';
import { boundBeside, ceilingOf, isValid, neverAsks, startLimits, valueOf } from './limits.ts';
import {
  type Ceiling,
  isNames,
  type Limit,
  type Limits,
  type LimitValue,
  type NumberLimit,
  type Terms,
} from './terms.ts';
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
  const within = (name: string, limit: NumberLimit) => Math.min(limit.start, ceilingOf(ceiling, name, limit));
  for (const [name, limit] of Object.entries(terms.limits)) {
    if (isNames(limit)) continue;
    const bound = limit.asks ? undefined : boundBeside(terms, limit, within);
    start[name] = Math.min(within(name, limit), bound?.most ?? Infinity);
  }
  return typedLimits(terms, start);
}

export function typedLimits(terms: Terms, limits: Limits): Typed {
  return Object.fromEntries(
    blanksIn(terms).map(({ name, limit, unit }) => [
      name,
      neverAsks(terms, limits, name) ? '' : write(unit, valueOf(limits, name, limit)),
    ]),
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
    if (!isNames(limit) && limit.asks && typed[name]?.trim() === '') continue;
    const value = read(unit, typed[name]);
    if (value === undefined || !isValid(limit, value)) problems[name] = ask(unit, limit);
    else if (!isNames(limit) && Number(value) > ceilingOf(ceiling, name, limit))
      problems[name] =
        `Your account allows ${reads(terms, name, ceilingOf(ceiling, name, limit))} in ${spanOf(terms, limit)} over all deputies: enter at most that, or raise that limit on the page of your deputies first.`;
    else limits[name] = value;
  }
  if (Object.keys(problems).length > 0) return { problems };
  const valueAt = (name: string, limit: NumberLimit) => valueOf(limits, name, limit);
  const contradictory = contradictions(terms, limits, valueAt);
  if (contradictory) return { problems: contradictory };
  for (const { name, limit } of blanksIn(terms)) {
    if (isNames(limit) || limits[name] !== undefined) continue;
    // The least that never asks: a mandate that is narrowed beside it must not count as wider.
    limits[name] = (boundBeside(terms, limit, valueAt)?.most ?? limit.max) + 1;
  }
  return { limits };
}

/** What to change where limits cannot be meant beside others of their unit; undefined when all of them can. */
export function contradictions(
  terms: Terms,
  limits: Limits,
  valueAt: (name: string, limit: NumberLimit) => number,
): Problems | undefined {
  const problems: Problems = {};
  for (const [name, value] of Object.entries(limits)) {
    const limit = terms.limits[name];
    const bound = limit && !isNames(limit) && boundBeside(terms, limit, valueAt);
    // Asking above just what is allowed is how "never" is kept.
    if (!bound || Number(value) <= bound.most + (limit.asks ? 1 : 0)) continue;
    const most = `most in ${spanOf(terms, bound.limit)} is ${reads(terms, bound.by, valueAt(bound.by, bound.limit))}`;
    const less = bound.most >= (limit.min ?? 1) ? `at most ${reads(terms, name, bound.most)}, or ` : '';
    problems[name] = limit.asks
      ? `It would never ask, because the ${most}. Enter ${less}nothing if it need not ask.`
      : `The ${most}. Enter at most that${bound.limit.label === undefined ? '' : ', or raise that number'}.`;
  }
  return Object.keys(problems).length > 0 ? problems : undefined;
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
  if (Object.keys(problems).length > 0) return { problems };
  const contradictory = contradictions(terms, ceiling, (name, limit) => ceilingOf(ceiling, name, limit));
  return contradictory ? { problems: contradictory } : { ceiling };
}

/** Reads how surely the human says yes; undefined for the strongest way they have. */
export function readGrade(typed: string | undefined): Grade | undefined {
  return GRADES.find((grade) => grade === typed);
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

function spanOf({ act }: Terms, limit: Limit): string {
  return limit.per === 'act' ? `one ${act.noun}` : SPANS[limit.per].within;
}
