/** The table of a conformance run, in Markdown, as docs/proof/conformance.md shows it. */
import { type Entry, ERAS, type Era } from './scenarios.ts';
import { exceptionsFor, type Result } from './verdict.ts';

/** A row for each scenario, extensions under the newest era; below, the reasons that it points to. */
export function tableOf(list: ReadonlyMap<string, Entry>, results: readonly Result[]): string {
  const reasons: string[] = [];
  const noteOf = (reason: string) => {
    if (!reasons.includes(reason)) reasons.push(reason);
    return `(${reasons.indexOf(reason) + 1})`;
  };
  const cell = (name: string, entry: Entry, era: Era): string => {
    if (!entry.eras.includes(era)) return '';
    if (entry.passes.length === 0) return `does not apply ${noteOf(entry.reason ?? '')}`;
    return entry.passes
      .map((place) => {
        const result = results.find((one) => one.scenario === name && one.era === era && one.place === place);
        if (!result) return `${place} not run`;
        const passed = result.checks.filter(({ status }) => status === 'SUCCESS').length;
        const notes = [...new Set(exceptionsFor(entry, result).map(({ reason }) => noteOf(reason)))];
        return [`${place} ${passed} of ${result.checks.length}`, ...notes].join(' ');
      })
      .join(', ');
  };
  const newest = ERAS.at(-1);
  const rows = [...list].map(([name, entry]) => {
    const cells = ERAS.map((era) =>
      cell(name, entry, entry.eras.includes('extension') && era === newest ? 'extension' : era),
    );
    return `| ${[`\`${name}\``, ...cells].join(' | ')} |`;
  });
  return [
    `| scenario | ${ERAS.join(' | ')} |`,
    `| --- | ${ERAS.map(() => '---').join(' | ')} |`,
    ...rows,
    '',
    ...reasons.map((reason, index) => `${index + 1}. ${reason}`),
  ].join('\n');
}

/** How much that is, in a sentence. */
export function totalsOf(list: ReadonlyMap<string, Entry>, results: readonly Result[]): string {
  const counted = results.filter(({ scenario, place }) => list.get(scenario)?.passes.includes(place));
  const passed = counted.flatMap(({ checks }) => checks).filter(({ status }) => status === 'SUCCESS');
  const names = new Set(counted.map(({ scenario }) => scenario));
  const left = [...list.values()].filter(({ passes }) => passes.length === 0).length;
  return `${passed.length} checks passed, of ${names.size} scenarios. ${left} scenarios do not apply.`;
}

/** The same table, whatever a formatter did to the spaces and rules in it. */
export function isSameTable(one: string, other: string): boolean {
  return plain(one) === plain(other);
}

function plain(table: string): string {
  return table.replace(/\s+/g, ' ').replace(/-{3,}/g, '---').trim();
}
