/** `pnpm tail`: follows the logs of a deployment, a line for each request. Options go to wrangler. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { readable } from './tail-format.ts';

const wrangler = spawn('wrangler', ['tail', '--format', 'json', ...process.argv.slice(2)], {
  stdio: ['inherit', 'pipe', 'inherit'],
});
let pending = '';
// wrangler prints each event over several lines; what is no event yet may become one with the next line.
for await (const line of createInterface({ input: wrangler.stdout })) {
  // Between events, wrangler may say something of its own.
  if (pending === '' && !line.startsWith('{')) {
    console.log(line);
    continue;
  }
  pending += `${line}\n`;
  const lines = readable(pending);
  if (!lines) continue;
  pending = '';
  for (const text of lines) console.log(text);
}
process.exitCode = wrangler.exitCode ?? 1;
