/** The clients people really use, each as they start it: Inspector's page, mcp-remote under Claude Desktop, `pnpm demo --live`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { Page } from 'playwright-core';
import { ENVIRONMENT, freePort, TOOLS, until } from '../../src/dev/dev-server.ts';
import { allow } from './chromium.ts';

/** Starts Inspector as `pnpm inspect` does, and returns the address it prints. `home` is a folder of its own. */
export async function startInspector(origin: string, home: string): Promise<{ address: string; stop: () => void }> {
  const [port, sandbox] = [await freePort(), await freePort()];
  const child = spawn(join(TOOLS, 'mcp-inspector'), ['--web', '--server-url', `${origin}/mcp`, '--transport', 'http'], {
    env: {
      ...ENVIRONMENT,
      HOME: home,
      BROWSER: 'none',
      CLIENT_PORT: String(port),
      MCP_SANDBOX_PORT: String(sandbox),
      MCP_INSPECTOR_SECRET_STORE: 'memory',
      MCP_AUTO_OPEN_ENABLED: 'false',
    },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = outputOf(child);
  const printed = () => /http:\/\/127\.0\.0\.1:\d+\/?\?MCP_INSPECTOR_API_TOKEN=\w+/.exec(output())?.[0];
  await until(
    () => printed() !== undefined,
    () => `Inspector did not start:\n${output()}`,
  );
  return { address: printed() ?? '', stop: () => void (child.pid && process.kill(-child.pid, 'SIGTERM')) };
}

/** Connects Inspector's page. The human signs in if they have to, ticks those powers, fills in those blanks and presses Allow. */
export async function appointInspector(
  page: Page,
  email: string,
  { powers, blanks = {} }: { powers: readonly string[]; blanks?: Record<string, string> },
): Promise<void> {
  await page.getByRole('switch').first().click({ force: true });
  await page.locator('[name=email], [name=scope]').first().waitFor();
  if ((await page.locator('[name=email]').count()) > 0) {
    await page.locator('[name=email]').fill(email);
    await page.getByRole('button', { name: 'Continue' }).click();
  }
  for (const power of powers) await page.locator(`[name=scope][value="${power}"]`).check();
  for (const [name, value] of Object.entries(blanks)) await page.locator(`input[name=${name}]`).fill(value);
  await allow(page);
  await page.locator('[data-testid=connection-status][data-status=connected]').waitFor();
  await page.getByText('Tools', { exact: true }).first().click();
}

/** Calls a tool on Inspector's page; `args` are what is typed into its fields. */
export async function callOnInspector(page: Page, tool: string, args: Record<string, string> = {}): Promise<void> {
  await page.getByRole('button', { name: tool }).click();
  for (const [name, value] of Object.entries(args)) {
    const field = page.getByLabel(name).first();
    await field.click();
    const option = page.getByRole('option', { name: value, exact: true });
    if (name === 'tshirtSize' || name === 'color' || name === 'mode') await option.click();
    else await field.fill(value);
  }
  await page.getByRole('button', { name: 'Execute Tool' }).click();
}

/** Starts mcp-remote as Claude Desktop does. `signIn` is given the address that it prints for the human, and opens it. */
export async function connectMcpRemote(
  origin: string,
  home: string,
  signIn: (address: string) => Promise<void>,
): Promise<Client> {
  const transport = new StdioClientTransport({
    command: join(TOOLS, 'mcp-remote'),
    args: [`${origin}/mcp`, String(await freePort())],
    env: { PATH: ENVIRONMENT.PATH, HOME: home, BROWSER: 'none', MCP_REMOTE_CONFIG_DIR: join(home, 'mcp-remote') },
    stderr: 'pipe',
  });
  let output = '';
  transport.stderr?.on('data', (chunk) => (output += String(chunk)));
  const client = new Client({ name: 'Claude Desktop', version: '1' });
  const connected = client.connect(transport);
  const printed = () => /visiting:?\s+(http\S+)/.exec(output)?.[1];
  await until(
    () => printed() !== undefined,
    () => `mcp-remote printed no address:\n${output}`,
  );
  await signIn(printed() ?? '');
  await connected;
  return client;
}

/** `pnpm demo` with those arguments, and what it prints. */
export function startDemo(...args: string[]) {
  const child = spawn(join(TOOLS, 'node'), ['src/demo/demo.ts', ...args], {
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = outputOf(child);
  const ended = new Promise<number | null>((done) => child.once('close', done));
  let seen = 0;
  /** Waits until what was printed since the last match holds another one. */
  const prints = async (expected: RegExp) => {
    const found = () => expected.exec(output().slice(seen));
    await until(
      () => found() !== null,
      () => `${expected} never came:\n${output()}`,
    );
    const match = found();
    if (match) seen += match.index + match[0].length;
  };
  return { child, ended, prints, output };
}

function outputOf(child: ChildProcess): () => string {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += String(chunk)));
  return () => output;
}
