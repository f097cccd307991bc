/**
 * Runs the official MCP conformance suite against the Worker, in both protocol eras, and says whether anything is not as
 * `scenarios.ts` expects it.
 *
 *   pnpm prove conformance [--write]
 *
 * `--write` puts the table that came out into docs/proof/conformance.md. Exits 0 only when there is no surprise.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Deputy, Person } from '../../../src/dev/clients.ts';
import { DevServer } from '../../../src/dev/dev-server.ts';
import { addToken } from './proxy.ts';
import { isSameTable, tableOf, totalsOf } from './results-table.ts';
import { ERAS, type Place, SCENARIOS } from './scenarios.ts';
import { knownScenarios, runAuthorizationScenarios, runServerScenarios } from './suite.ts';
import { type Result, surprises } from './verdict.ts';

const DOCUMENT = join(import.meta.dirname, '../../../docs/proof/conformance.md');
/** What stands between the two is written by this program. */
const [START, END] = ['<!-- results -->', '<!-- end of results -->'];

const { values: options } = parseArgs({ options: { write: { type: 'boolean' } } });

const shop = await runAt('shop', 'src/dev/index.ts', async (proxied, origin) => {
  const results = [];
  for (const era of [...ERAS, 'extension' as const]) results.push(...(await runServerScenarios(proxied, era, 'shop')));
  for (const era of ERAS) results.push(...(await runAuthorizationScenarios(origin, era)));
  return results.filter(isOfItsEra);
});
const fixtures = await runAt('fixtures', 'test/proof/conformance/fixture-worker.ts', async (proxied) => {
  const results = [];
  for (const era of ERAS) results.push(...(await runServerScenarios(proxied, era, 'fixtures')));
  return results;
});

const results = [...shop, ...fixtures];
const table = tableOf(SCENARIOS, results);
console.log(
  `\nChecks passed, for each scenario, on the shop and on the same Worker with the suite's own tools:\n\n${table}`,
);
console.log(`\n${totalsOf(SCENARIOS, results)}`);

const found = surprises(SCENARIOS, await knownScenarios(), results);
if (options.write) writeTable();
else if (!isSameTable(tableInDocument(), table)) {
  found.push(
    'docs/proof/conformance.md shows another table: look at what changed, then run `pnpm prove conformance --write`',
  );
}
console.log(found.length === 0 ? '\nNo surprises.' : `\nSurprises (${found.length}):\n${found.join('\n')}`);
process.exitCode = found.length === 0 ? 0 : 1;

/** Starts a server with that entry, signs a deputy in, and runs `work` with the address of a proxy that adds its token. */
async function runAt(
  place: Place,
  entry: string,
  work: (proxied: string, origin: string) => Promise<Result[]>,
): Promise<Result[]> {
  console.log(`Running the suite on the ${place} (${entry}) …`);
  const server = await DevServer.start(entry);
  try {
    const person = new Person('conformance@example.com', server.origin, fetch);
    const deputy = await Deputy.connect('2026-07-28', person, server.origin, fetch, 'Conformance');
    const proxy = await addToken(server.origin, deputy.accessToken);
    try {
      return await work(proxy.origin, server.origin);
    } finally {
      proxy.close();
      await deputy.close();
    }
  } finally {
    await server.stop();
  }
}

/** The run for the extensions runs everything else once more, which says nothing new. */
function isOfItsEra({ scenario, era }: Result): boolean {
  return era !== 'extension' || (SCENARIOS.get(scenario)?.eras.includes('extension') ?? true);
}

function tableInDocument(): string {
  const text = readFileSync(DOCUMENT, 'utf8');
  return text.slice(text.indexOf(START) + START.length, text.indexOf(END));
}

function writeTable(): void {
  const text = readFileSync(DOCUMENT, 'utf8');
  const before = text.slice(0, text.indexOf(START) + START.length);
  writeFileSync(DOCUMENT, `${before}\n\n${table}\n\n${text.slice(text.indexOf(END))}`);
}
