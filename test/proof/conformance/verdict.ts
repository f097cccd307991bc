/** Holds what the suite found against the list of what is expected: whatever differs, in either direction, is a surprise. */
import type { Entry, Era, Exception, Place } from './scenarios.ts';

export type Check = { id: string; status: string; message: string };
export type Result = { scenario: string; era: Era; place: Place; checks: Check[] };

/** `known`: the scenarios that the suite itself lists, with their eras. */
export function surprises(
  list: ReadonlyMap<string, Entry>,
  known: ReadonlyMap<string, readonly Era[]>,
  results: readonly Result[],
): string[] {
  return [...unlisted(list, known), ...notRun(list, results), ...results.flatMap((result) => unlike(list, result))];
}

/** The list is of exactly those scenarios, in those eras, that the suite has. */
function unlisted(list: ReadonlyMap<string, Entry>, known: ReadonlyMap<string, readonly Era[]>): string[] {
  const names = new Set([...list.keys(), ...known.keys()]);
  return [...names].flatMap((name) => {
    const listed = list.get(name)?.eras.join(', ') ?? 'none';
    const has = known.get(name)?.join(', ') ?? 'none';
    return listed === has ? [] : [`${name}: the suite has it for ${has}, the list for ${listed}`];
  });
}

function notRun(list: ReadonlyMap<string, Entry>, results: readonly Result[]): string[] {
  const run = new Set(results.map(({ scenario, era, place }) => `${scenario} (${era}, ${place})`));
  const expected = [...list].flatMap(([name, { eras, passes }]) =>
    eras.flatMap((era) => (passes.length > 0 ? passes : ['shop']).map((place) => `${name} (${era}, ${place})`)),
  );
  return expected.filter((one) => !run.has(one)).map((one) => `${one}: the suite did not run it`);
}

function unlike(list: ReadonlyMap<string, Entry>, result: Result): string[] {
  const { scenario, era, place, checks } = result;
  const entry = list.get(scenario);
  if (!entry) return [];
  const at = `${scenario} (${era}, ${place})`;
  const notPassed = checks.filter(({ status }) => status !== 'SUCCESS');
  const proven = checks.some(isProof);
  if (!entry.passes.includes(place)) {
    const clean = notPassed.length === 0 && proven && !entry.passesEmptyHanded;
    return clean ? [`${at}: passes, but is listed as one that cannot`] : [];
  }
  const exceptions = exceptionsFor(entry, result);
  return [
    ...notPassed
      .filter((check) => !exceptions.some((exception) => excuses(exception, check)))
      .map(({ id, status, message }) => `${at}: ${id}: ${status} ${message}`),
    ...exceptions
      .filter((exception) => !notPassed.some((check) => excuses(exception, check)))
      .map(({ check, status }) => `${at}: ${check}: listed as ${status}, which it no longer is`),
    ...(proven ? [] : [`${at}: nothing was checked`]),
  ];
}

/** What the suite checks beside the scenario itself: that the messages it saw are valid. */
function isProof({ id, status }: Check): boolean {
  return status === 'SUCCESS' && !id.startsWith('wire-schema-');
}

export function exceptionsFor(entry: Entry, { era, place }: Result): Exception[] {
  return (entry.exceptions ?? []).filter(
    (exception) => (exception.era ?? era) === era && (exception.place ?? place) === place,
  );
}

function excuses({ check, status }: Exception, { id, status: found }: Check): boolean {
  return check === id && status === found;
}
