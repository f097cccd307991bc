/** `pnpm dev`: serves with wrangler, and ends in three lines: the page, the address, and what to type next. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { forgetServer, rememberServer } from './running.ts';

/** What wrangler says of every start here, and what is no reason to worry on one's own machine. */
const NOISE = /Unable to fetch the `Request\.cf` object|workers\.cloudflare\.com|^\s+at GetAddrInfo/;
const READY = /Ready on (http:\/\/\S+)/;

const wrangler = spawn('wrangler', ['dev', ...process.argv.slice(2)], {
  stdio: ['inherit', 'pipe', 'pipe'],
  env: { ...process.env, WRANGLER_SEND_METRICS: process.env['WRANGLER_SEND_METRICS'] ?? 'false' },
});

/** What was said so far: shown only when the server does not come up. */
let before: string[] | undefined = [];
let origin: string | undefined;

function hear(line: string): void {
  origin ??= READY.exec(line)?.[1];
  if (before === undefined) {
    if (!NOISE.test(line)) console.log(line);
    return;
  }
  before.push(line);
  if (origin === undefined) return;
  before = undefined;
  rememberServer(origin);
  console.log(`Your page    ${origin}/deputies`);
  console.log(`MCP address  ${origin}/mcp`);
  console.log('Type next    npx -y pnpm inspect');
}

for (const stream of [wrangler.stdout, wrangler.stderr]) createInterface({ input: stream }).on('line', hear);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => wrangler.kill(signal));
wrangler.on('error', (error) => {
  console.error(`wrangler does not start: ${error.message}. Run \`npx -y pnpm install\`.`);
  process.exit(1);
});
wrangler.on('close', (code) => {
  if (origin !== undefined) forgetServer(origin);
  for (const line of before ?? []) console.error(line);
  process.exit(code ?? 0);
});
