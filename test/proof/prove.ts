/** `pnpm prove`: one command for every instrument, each of which shows a claim and has a page with its last results. */
import process from 'node:process';

/** By the folder beside this file that holds it; its `cli.ts` is what runs. */
const INSTRUMENTS: Record<string, readonly [shows: string, takes: string, page: string]> = {
  bench: ['speed beside what the platform alone takes, and the framework', '5 minutes', 'docs/proof/benchmarks.md'],
  conformance: ['the official MCP conformance suite, in both eras', '1 minute', 'docs/proof/conformance.md'],
  cost: ['what each kind of call costs, counted, and the monthly bill', '1 minute', 'docs/proof/cost.md'],
  crowd: ['how long a pause takes while deputies flood the server', '1 minute', 'docs/proof/load.md'],
  faults: ['random failures lose, double and overdraw nothing', '40 minutes', 'docs/proof/faults.md'],
  fuzz: ['hostile requests get an answer, change nothing, and fill nothing', '4 minutes', 'docs/proof/load.md'],
  load: ['thousands of humans: throughput, memory, what a quiet one costs', '11 minutes', 'docs/proof/load.md'],
  mutation: ['each guard is needed: taken out, its story fails', '25 minutes', 'docs/attacks.md'],
  picture: ['the moving picture of the README, made anew from the real page', '1 minute', 'README.md'],
  rehearsal: ['the talk of eight minutes, with the clients that it names', '3 minutes', 'docs/presenting.md'],
};

function list(): string {
  const lines = Object.entries(INSTRUMENTS).map(
    ([name, [shows, takes, page]]) => `  ${name.padEnd(11)}  ${shows.padEnd(64)}  ${takes.padEnd(10)}  ${page}`,
  );
  return `pnpm prove <name> [options]\n\n${lines.join('\n')}`;
}

// The instrument reads its options where a program of its own would.
const [name] = process.argv.splice(2, 1);
if (name === undefined) {
  console.log(list());
} else if (Object.hasOwn(INSTRUMENTS, name)) {
  await import(`./${name}/cli.ts`);
} else {
  console.error(`There is no instrument "${name}".\n\n${list()}`);
  process.exitCode = 2;
}
