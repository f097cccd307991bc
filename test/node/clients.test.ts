/** The clients people really use: older SDKs in Node, Inspector's page, and mcp-remote as Claude Desktop starts it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import * as auth12 from 'sdk-1-12/client/auth.js';
import * as client12 from 'sdk-1-12/client/index.js';
import * as transport12 from 'sdk-1-12/client/streamableHttp.js';
import * as auth17 from 'sdk-1-17/client/auth.js';
import * as client17 from 'sdk-1-17/client/index.js';
import * as transport17 from 'sdk-1-17/client/streamableHttp.js';
import * as auth25 from 'sdk-1-25/client/auth.js';
import * as client25 from 'sdk-1-25/client/index.js';
import * as transport25 from 'sdk-1-25/client/streamableHttp.js';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { allow, inBrowser, noBrowser } from '../support/chromium.ts';
import type { Fetch } from '../../src/dev/browser.ts';
import { Deputy, legacySdk, Person } from '../../src/dev/clients.ts';
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

afterEach(() => {
  vi.restoreAllMocks();
});

const PURCHASE = { company: 'Analytical Engines Ltd', mailingAddress: 'London', tshirtSize: 'M' };

/** SDKs that people still use, with the revision that each of them opens with. */
const OLDER_SDKS = [
  [
    '1.12',
    '2025-03-26',
    legacySdk(client12.Client, transport12.StreamableHTTPClientTransport, auth12.UnauthorizedError),
  ],
  [
    '1.17',
    '2025-06-18',
    legacySdk(client17.Client, transport17.StreamableHTTPClientTransport, auth17.UnauthorizedError),
  ],
  [
    '1.25',
    '2025-11-25',
    legacySdk(client25.Client, transport25.StreamableHTTPClientTransport, auth25.UnauthorizedError),
  ],
] as const;

/** All that goes over the network from here on. SDK 1.12 takes no `fetch` of ours, so it is the one of Node. */
function traffic(): { sent: string; got: string }[] {
  const exchanges: { sent: string; got: string }[] = [];
  const network = globalThis.fetch;
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const response = await network(input, init);
    const got = await response.clone().text();
    exchanges.push({ sent: typeof init?.body === 'string' ? init.body : '', got });
    return response;
  });
  return exchanges;
}

test.each(OLDER_SDKS)(
  'SDK %s signs in, speaks %s, buys, refreshes, and asks again once dismissed',
  async (version, revision, sdk) => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
    // SDK 1.12 prints that a refresh was refused.
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const exchanges = traffic();
    const overSocket: Fetch = (input, init) => fetch(input, init);
    const person = new Person(`sdk-${version}@example.com`, server.origin, overSocket);
    const deputy = await Deputy.connect(sdk, person, server.origin, overSocket, `SDK ${version}`);

    const opened = exchanges.findLast(({ sent }) => sent.includes('"initialize"'));
    for (const message of [opened?.sent, opened?.got]) expect(message).toContain(`"protocolVersion":"${revision}"`);
    expect((await deputy.listTools()).map(({ name }) => name)).toContain('buyMcpShopItem');
    expect((await deputy.call('buyMcpShopItem', PURCHASE)).data).toMatchObject({ status: 'success', order: PURCHASE });
    const refused = await deputy.call('buyMcpShopItem', { ...PURCHASE, quantity: 50 });
    expect(refused.data).toMatchObject({ error: { code: 'act_limit' } });

    const tokens = deputy.credentials.tokens();
    deputy.credentials.saveTokens({ ...tokens, access_token: 'run out', token_type: 'Bearer' });
    expect((await deputy.call('listMcpShopOrders')).data).toMatchObject({ orders: [PURCHASE] });
    expect(deputy.credentials.asked).toBe(1);

    const [page = ''] = /\/deputies\/dep_[^"]+/.exec((await person.walk('/deputies')).html) ?? [];
    await person.browser.press(await person.walk(page), 'Dismiss this deputy');
    expect((await deputy.call('listMcpShopOrders')).isError).toBe(false);
    expect(deputy.credentials.asked).toBe(2);
    // It prints here when it cannot read a tool's schema.
    expect(warned).not.toHaveBeenCalled();
    await deputy.close();
  },
);

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
  const bought = await client.callTool({ name: 'buyMcpShopItem', arguments: PURCHASE });
  expect(bought.structuredContent).toMatchObject({ status: 'success', order: PURCHASE });
  const listed = await client.callTool({ name: 'listMcpShopOrders', arguments: {} });
  expect(listed.structuredContent).toMatchObject({ orders: [PURCHASE] });
  await client.close();
});
