/** The tables of a benchmark, in Markdown. */
import { execFileSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { type Measured, median, ratios } from './measure.ts';

/** Lanes by name, and the lane that the others are compared with. */
export type Section = { title: string; compareWith: string; measured: Record<string, Measured> };

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** "412 (380 to 430)": the median of the rounds, and the lowest and highest of them. */
export function spread(values: readonly number[], digits = 0): string {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}

export function sectionTable({ title, compareWith, measured }: Section): string {
  const base = measured[compareWith];
  const rows = Object.entries(measured).map(([name, lane]) => [
    name,
    spread(lane.perSecond),
    median(lane.milliseconds).toFixed(2),
    median(lane.processor).toFixed(2),
    base === undefined || lane === base ? '1' : spread(ratios(lane.perSecond, base.perSecond), 2),
  ]);
  const header = [title, 'calls a second', 'ms a call', 'CPU ms a call', `calls a second ÷ ${compareWith}`];
  return table(header, rows);
}

/** What it was measured on. `pid` is a workerd's. */
export function machine(pid: number): string {
  const workerd = execFileSync(readlinkSync(`/proc/${pid}/exe`), ['--version'], { encoding: 'utf8' }).trim();
  const [cpu] = cpus();
  return [
    `Measured on ${new Date().toISOString().slice(0, 10)}: ${cpu?.model.trim() ?? 'unknown processor'},`,
    `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB; Node ${process.versions.node}, ${workerd}.`,
    'The clients run on the same machine.',
  ].join(' ');
}

export type Target = { what: string; wanted: string; ratio: number[]; met: boolean };

export function atLeast(what: string, wanted: number, found: number[]): Target {
  return { what, wanted: `at least ${wanted}`, ratio: found, met: median(found) >= wanted };
}

export function atMost(what: string, wanted: number, found: number[]): Target {
  return { what, wanted: `at most ${wanted}`, ratio: found, met: median(found) <= wanted };
}

/** Tells whoever waits for the tables what is being done. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function targetTable(targets: readonly Target[]): string {
  return table(
    ['target', 'wanted', 'median (lowest to highest round)', 'result'],
    targets.map(({ what, wanted, ratio, met }) => [what, wanted, spread(ratio, 2), met ? 'met' : '**missed**']),
  );
}
