/** The clients people really use, each as they start it: Inspector's page, and mcp-remote under Claude Desktop. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allow, inBrowser, noBrowser } from '../support/chromium.ts';
import { Person } from '../../src/dev/clients.ts';
import { DevServer, ENVIRONMENT, freePort, TOOLS, until } from '../../src/dev/dev-server.ts';

let server: DevServer;
let home: string;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'mcp-shop-home-'));
  server = await DevServer.start();
});
afterAll(async () => {
  await server.stop();
  rmSync(home, { recursive: true, force: true });
});

/** Starts Inspector as `pnpm inspect` does, for the server under test, and returns the address it prints. */
async function startInspector(): Promise<{ address: string; stop: () => void }> {
  const [port, sandbox] = [await freePort(), await freePort()];
  const child = spawn(
    join(TOOLS, 'mcp-inspector'),
    ['--web', '--server-url', `${server.origin}/mcp`, '--transport', 'http'],
    {
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
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const printed = () => /http:\/\/127\.0\.0\.1:\d+\/?\?MCP_INSPECTOR_API_TOKEN=\w+/.exec(output)?.[0];
  await until(
    () => printed() !== undefined,
    () => `Inspector did not start:\n${output}`,
  );
  return { address: printed() ?? '', stop: () => void (child.pid && process.kill(-child.pid, 'SIGTERM')) };
}

test("MCP Inspector's page connects through the consent page, and buys a shirt", async ({ skip }) => {
  const reason = noBrowser();
  skip(reason !== false, String(reason));
  const inspector = await startInspector();
  try {
    await inBrowser(async (browser) => {
      const page = await browser.newPage();
      await page.goto(inspector.address);
      await page.getByRole('switch').first().click({ force: true });

      await page.getByLabel('E-mail address', { exact: true }).fill('inspector@example.com');
      await page.getByRole('button', { name: 'Continue' }).click();
      expect(await page.getByRole('heading').first().textContent()).toMatch(/^Appoint .*Inspector.* as your deputy\?$/);
      await page.getByLabel('Buy shirts in your name').check();
      await allow(page);

      await page.locator('[data-testid=connection-status][data-status=connected]').waitFor();
      await page.getByText('Tools', { exact: true }).first().click();
      await page.getByRole('button', { name: 'buyMcpShopItem' }).click();
      await page.getByLabel('company').first().fill('Analytical Engines Ltd');
      await page.getByLabel('mailingAddress').first().fill('12 St James’s Square, London');
      await page.getByLabel('tshirtSize').first().click();
      await page.getByRole('option', { name: 'L', exact: true }).click();
      await page.getByRole('button', { name: 'Execute Tool' }).click();
      await page
        .getByText(/Ordered 1 black shirt in L for Analytical Engines Ltd: \$25\.00/)
        .first()
        .waitFor();
    });
  } finally {
    inspector.stop();
  }
});

test('mcp-remote, started as Claude Desktop starts it, signs in, buys and lists', async () => {
  const callbackPort = await freePort();
  const transport = new StdioClientTransport({
    command: join(TOOLS, 'mcp-remote'),
    args: [`${server.origin}/mcp`, String(callbackPort)],
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
  const person = new Person('desktop@example.com', server.origin, (input, init) => fetch(input, init));
  const consent = await person.walk(printed() ?? '');
  expect(consent.html).toContain('This goes to a program on this computer.');
  const { left } = await person.browser.press(consent, 'Allow', { scope: ['shop:buy', 'orders:read'] });
  expect((await fetch(left ?? '')).status).toBe(200);

  await connected;
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toContain('buyMcpShopItem');
  const purchase = { company: 'Desktop Ltd', mailingAddress: 'London', tshirtSize: 'M' };
  const bought = await client.callTool({ name: 'buyMcpShopItem', arguments: purchase });
  expect(bought.structuredContent).toMatchObject({ status: 'success', order: purchase });
  const listed = await client.callTool({ name: 'listMcpShopOrders', arguments: {} });
  expect(listed.structuredContent).toMatchObject({ orders: [purchase] });
  await client.close();
});
