/** `pnpm run deploy`: deploys, and says which secrets the Worker still lacks. Options go on to `wrangler deploy`. */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { z } from 'zod';

const REQUIRED = ['WORKOS_CLIENT_ID', 'WORKOS_API_KEY', 'COOKIE_PASSWORD'];
const options = process.argv.slice(2);
const { values: named } = parseArgs({
  options: { env: { type: 'string', short: 'e' }, name: { type: 'string' } },
  strict: false,
});
/** Another Worker, where the options name one. */
const worker = (['env', 'name'] as const).flatMap((option) =>
  named[option] ? [`--${option}`, String(named[option])] : [],
);
// Production is the environment without a name. wrangler warns when it is not named at all, because there is another one.
const production = named.env === undefined && !process.env['CLOUDFLARE_ENV'] ? ['--env='] : [];

const deployed = spawnSync('wrangler', ['deploy', '--minify', ...options, ...production], { stdio: 'inherit' });
if (deployed.status !== 0) process.exit(deployed.status ?? 1);

const list = spawnSync('wrangler', ['secret', 'list', ...worker, ...production], { encoding: 'utf8' });
const { data: secrets } = z.array(z.object({ name: z.string() })).safeParse(jsonIn(list.stdout));
if (!secrets) {
  console.error(
    `\nIt is deployed. Its secrets could not be listed, so whether they are set is not known:\n${list.stderr}`,
  );
  process.exit(1);
}
const missing = REQUIRED.filter((name) => !secrets.some((secret) => secret.name === name));
if (missing.length > 0) console.log('\nIt is deployed, and answers 503 until these secrets are set:');
for (const name of missing) console.log(`  npx -y pnpm wrangler secret put ${[name, ...worker].join(' ')}`);

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text.slice(text.indexOf('[')));
  } catch {
    return undefined;
  }
}
