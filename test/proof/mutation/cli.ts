/**
 * Shows that every guard is needed: removes each in turn, in a copy of the project, and runs the story that must notice.
 *
 *   pnpm prove mutation [--only <text>] [--why] [--check]
 *
 * `--only` picks the guards whose name or story holds the text; `--why` adds what the failed test said; `--check` only looks
 * whether each guard still stands where the table says. Exits 0 only when all stories pass with every guard in place, and
 * each guard's story fails without it.
 */
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { type Guard, GUARDS, type Removal } from './table.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
/** Every story in these must be some guard's. */
const STORIES = ['test/attacks', 'test/proof/faults'];
/** A guard's story can also be one of these. */
const MORE_STORIES = ['test/unit', 'test/journeys', 'test/browser'];
/** Milliseconds after which a run is given up: of one story, and more for each further one. */
const RUN_LIMIT = 180_000;
const MORE_FOR_EACH = 30_000;
/** What needs no copy, or must not be in one. */
const LEFT_OUT = /^(node_modules|\.git|\.wrangler|dist|\.env.*|\.dev\.vars(?!\.example).*)$/;
/** A test that fails with one of these was stopped by a broken removal, not by a missing guard. */
const BROKEN = /SyntaxError|ReferenceError|Transform failed|Failed to (load|parse|resolve)/;

type Failure = { story: string; test: string; why: string };
/** `problem` is set when no verdict came of a run. */
type Outcome = { failures: Failure[]; problem?: string };
type Report = {
  success: boolean;
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { fullName: string; status: string; failureMessages: string[] }[];
  }[];
};

const { values: options } = parseArgs({
  options: { only: { type: 'string' }, why: { type: 'boolean' }, check: { type: 'boolean' } },
});
const chosen = GUARDS.filter(({ name, story }) => `${name} ${story}`.includes(options.only ?? ''));

const copy = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-shop-guards-')));
let running: number | undefined;

/** Ends the test runner and everything it started, and removes the copy. */
function cleanUp(): void {
  if (running !== undefined) {
    try {
      process.kill(-running, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  rmSync(copy, { recursive: true, force: true, maxRetries: 5 });
}
process.on('exit', cleanUp);
for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
] as const) {
  process.on(signal, () => process.exit(128 + number));
}

process.exitCode = (await main()) ? 0 : 1;

async function main(): Promise<boolean> {
  if (chosen.length === 0) return complain(`No guard and no story holds "${options.only}".`);
  const unguarded = storyNames().filter((story) => !GUARDS.some((guard) => guard.story === story));
  if (unguarded.length > 0) return complain(`No guard is named for: ${unguarded.join(', ')}.`);

  const misplaced = (options.check ? GUARDS : chosen)
    .flatMap((guard) => [guard, ...(guard.backedBy ?? [])])
    .flatMap((each) => missing(each) ?? []);
  if (misplaced.length > 0) return complain(misplaced.join('\n'));
  if (options.check) return agree(`All ${GUARDS.length} guards stand where the table says.`);

  cpSync(ROOT, copy, { recursive: true, filter: (path) => path === ROOT || !LEFT_OUT.test(basename(path)) });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));

  const stories = [...new Set(chosen.map(({ story }) => story))];
  const { failures, problem } = await run(stories);
  for (const { story, test, why } of failures)
    console.log(`${story}: "${test}" fails with every guard in place. ${why}`);
  if (problem) console.log(problem);
  if (failures.length > 0 || problem) return complain('The stories must pass before guards are removed.');
  console.log(`All ${stories.length} stories pass. Removing ${chosen.length} guards, one at a time:\n`);

  let caught = 0;
  for (const guard of chosen) if (await isCaught(guard)) caught += 1;
  console.log(`\n${caught} of ${chosen.length} guards are caught when they are missing.`);
  return caught === chosen.length;
}

async function isCaught(guard: Guard): Promise<boolean> {
  const { name, story, backedBy = [] } = guard;
  const say = (verdict: string, detail: string) => {
    const together = backedBy.map((other) => `, with "${other.name}"`).join('');
    console.log(`${verdict.padEnd(10)} ${name}${together} | ${story} | ${detail}`);
  };
  // What fails without the others alone is not this guard's share.
  const others: Outcome = backedBy.length > 0 ? await runWithout(backedBy, story) : { failures: [] };
  const { failures, problem } = await runWithout([guard, ...backedBy], story);
  const failure = failures.find(({ test }) => !others.failures.some((other) => other.test === test));
  const broken = problem ?? others.problem ?? failures.find(({ why }) => BROKEN.test(why))?.why;

  if (broken !== undefined) say('BROKEN', broken);
  else if (failure) say('caught', failure.test + (options.why ? `\n             ${failure.why}` : ''));
  else say('NOT CAUGHT', 'no test failed');
  return failure !== undefined && broken === undefined;
}

/** Runs the story without these guards, and puts them back. */
async function runWithout(guards: readonly Removal[], story: string): Promise<Outcome> {
  const taken = guards.map(remove);
  const problem = taken.find((each) => typeof each === 'string');
  const result = problem === undefined ? await run([story]) : { failures: [], problem };
  for (const putBack of taken.toReversed()) if (typeof putBack !== 'string') putBack();
  return result;
}

/** What is wrong with where a guard is said to stand; undefined when nothing is. */
function missing({ file, text }: Removal): string | undefined {
  const path = join(ROOT, 'src', file);
  if (!existsSync(path)) return `There is no src/${file}.`;
  const times = readFileSync(path, 'utf8').split(text).length - 1;
  return times === 1 ? undefined : `src/${file} holds this ${times} times, not once: ${text}`;
}

/** Takes a guard out of the copy, and returns how to put it back; or says why it could not be taken out. */
function remove({ file, text, without }: Removal): (() => void) | string {
  const path = join(copy, 'src', file);
  const source = readFileSync(path, 'utf8');
  const times = source.split(text).length - 1;
  if (times !== 1) return `src/${file} holds this ${times} times, not once: ${text}`;
  writeFileSync(
    path,
    source.replace(text, () => without),
  );
  return () => writeFileSync(path, source);
}

/** Runs stories in the copy. */
async function run(stories: string[]): Promise<Outcome> {
  const output = join(copy, 'report.json');
  rmSync(output, { force: true });
  const files = stories.map(fileOf);
  const patience = RUN_LIMIT + MORE_FOR_EACH * (stories.length - 1);
  const { said, givenUp } = await vitest([...files, '--reporter=json', `--outputFile=${output}`], patience);
  let report: Report;
  try {
    report = JSON.parse(readFileSync(output, 'utf8')) as Report;
  } catch {
    const what = givenUp ? `was ended after ${patience / 1000} s` : 'made no report';
    return { failures: [], problem: `The test runner ${what}: ${said.slice(-2000)}` };
  }
  const failures = report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => ({
        story: basename(name, '.test.ts'),
        test: fullName,
        why: firstLine(failureMessages.join(' ')),
      })),
  );
  const unread = report.testResults.find(({ status, assertionResults: [first] }) => status === 'failed' && !first);
  if (unread) return { failures, problem: `${basename(unread.name)} did not run: ${firstLine(unread.message)}` };
  if (report.testResults.length !== files.length)
    return { failures, problem: `Not all of ${files.join(', ')} were run.` };
  if (!report.success && failures.length === 0) return { failures, problem: `The run failed: ${said.slice(-2000)}` };
  return { failures };
}

/** What the test runner said, once it has ended, or was ended after so many milliseconds. */
function vitest(args: string[], patience: number): Promise<{ said: string; givenUp: boolean }> {
  return new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      ['node_modules/vitest/vitest.mjs', 'run', '--project', 'workerd', '--project', 'node', ...args],
      {
        cwd: copy,
        stdio: ['ignore', 'pipe', 'pipe'],
        // A group of its own, so that all of it can be ended together.
        detached: true,
      },
    );
    running = child.pid;
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    let givenUp = false;
    const limit = setTimeout(() => {
      givenUp = true;
      if (child.pid) process.kill(-child.pid, 'SIGKILL');
    }, patience);
    child.on('close', () => {
      clearTimeout(limit);
      running = undefined;
      resolve({ said, givenUp });
    });
  });
}

function firstLine(text: string): string {
  return stripVTControlCharacters(text).split('\n', 1).join();
}

function storyNames(): string[] {
  return STORIES.flatMap((folder) => readdirSync(join(ROOT, folder)))
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => basename(file, '.test.ts'));
}

function fileOf(story: string): string {
  const files = [...STORIES, ...MORE_STORIES].map((folder) => `${folder}/${story}.test.ts`);
  const file = files.find((path) => existsSync(join(ROOT, path)));
  if (!file) throw new Error(`none of ${files.join(', ')} exists`);
  return file;
}

function agree(sentence: string): true {
  console.log(sentence);
  return true;
}

function complain(sentence: string): false {
  console.error(sentence);
  return false;
}
