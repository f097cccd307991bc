/** What the long run says: a line for each batch, the violations with their seeds, and a table at the end. */
import { writeSync } from 'node:fs';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { EMPTY, merge, type Totals } from './totals.ts';

export class FaultsReporter implements Reporter {
  #totals: Totals = EMPTY;
  readonly #start = Date.now();

  onTestCaseResult(test: TestCase): void {
    const batch = test.meta().faults;
    const { errors = [] } = test.result();
    if (!batch) return;
    this.#totals = merge(this.#totals, batch);
    const { seeds, scenarios, calls, outcomes, violations, faults } = batch;
    const seconds = Math.round((Date.now() - this.#start) / 1000);
    say(
      `${test.name}: seeds ${seeds?.join(' to ')}, ${scenarios} scenarios, ${calls} calls, ` +
        `${outcomes['allowed'] ?? 0} carried out, ${sum(faults)} faults, ${violations.length} violations; ` +
        `${this.#totals.calls} calls after ${seconds} s`,
    );
    for (const { seed, violation } of violations) say(`  seed ${seed}: ${violation}`);
    if (violations.length === 0) for (const { message } of errors) say(`  ${message}`);
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly { message?: string }[]): void {
    for (const module of modules) for (const { message } of module.errors()) say(message);
    for (const { message } of unhandled) say(`An error that nobody handled: ${message}`);
    const { seeds, scenarios, calls, orders, lines, checks, outcomes, acts, questions, faults, violations } =
      this.#totals;
    const { allowed = 0, unknown = 0, ...refused } = outcomes;
    say(`
Seeds ${seeds?.join(' to ')}: ${scenarios} scenarios, ${Math.round((Date.now() - this.#start) / 1000)} s.`);
    table('Calls', { 'carried out': allowed, ...refused, 'without an answer': unknown, 'in all': calls });
    table('Acts of the human', acts);
    table('Questions to the human', questions);
    table('Faults', { ...faults, 'in all': sum(faults) });
    table('Checked', { orders, 'lines of the record': lines, checks });
    say(`\n${violations.length === 0 ? 'No violation.' : `${violations.length} VIOLATIONS.`}`);
    const failed = [...new Set(violations.map(({ seed }) => seed))].slice(0, 20);
    for (const seed of failed) say(`  once more, alone: npx -y pnpm prove faults --seed ${seed}`);
  }
}

/** Where the command wants to have it. */
const OUTPUT = Number(process.env['FAULTS_OUTPUT'] ?? 1);

function say(text = ''): void {
  writeSync(OUTPUT, `${text}\n`);
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((all, one) => all + one, 0);
}

function table(title: string, counts: Record<string, number>): void {
  say(`\n${title}`);
  for (const [name, count] of Object.entries(counts))
    say(`  ${name.padEnd(36)} ${count.toLocaleString('en').padStart(12)}`);
}
