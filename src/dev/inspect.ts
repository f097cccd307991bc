/** `pnpm inspect`: MCP Inspector in the browser, at the server that `pnpm dev` has running. */
import { spawn } from 'node:child_process';
import { runningServer } from './running.ts';

const address = `${await runningServer()}/mcp`;
console.log(`Inspecting ${address}`);
const inspector = spawn(
  'mcp-inspector',
  ['--web', '--server-url', address, '--transport', 'http', ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => inspector.kill(signal));
inspector.on('close', (code) => process.exit(code ?? 0));
