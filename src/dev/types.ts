/** `pnpm types`: writes src/env.d.ts from wrangler.toml and .dev.vars.example. With `--check` it says whether that was done. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

/** The example with its optional variables: they are comments there, because a Deploy button asks for all others. */
const VARIABLES = '.wrangler/variables.env';

mkdirSync('.wrangler', { recursive: true });
writeFileSync(VARIABLES, readFileSync('.dev.vars.example', 'utf8').replaceAll(/^# ([A-Z_]+=)$/gm, '$1'));
const options = ['--include-runtime=false', '--strict-vars=false', '--env-file', VARIABLES];
const { status } = spawnSync('wrangler', ['types', 'src/env.d.ts', ...options, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
