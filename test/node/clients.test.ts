/** The clients people really use, each as they start it: Inspector's page, and mcp-remote under Claude Desktop. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inBrowser, noBrowser } from '../support/chromium.ts';
import { appointInspector, callOnInspector, connectMcpRemote, startInspector } from '../support/real-clients.ts';
import { Person } from '../../src/dev/clients.ts';
import { DevServer } from '../../src/dev/dev-server.ts';

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

test("MCP Inspector's page connects through the consent page, and buys a shirt", async ({ skip }) => {
  const reason = noBrowser();
  skip(reason !== false, String(reason));
  const inspector = await startInspector(server.origin, home);
  try {
    await inBrowser(async (browser) => {
      const page = await browser.newPage();
      await page.goto(inspector.address);
      await appointInspector(page, 'inspector@example.com', { powers: ['shop:buy'] });
      await callOnInspector(page, 'buyMcpShopItem', {
        company: 'Analytical Engines Ltd',
        mailingAddress: '12 St James’s Square, London',
        tshirtSize: 'L',
      });
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
  const client = await connectMcpRemote(server.origin, home, async (address) => {
    const person = new Person('desktop@example.com', server.origin, (input, init) => fetch(input, init));
    const consent = await person.walk(address);
    expect(consent.html).toContain('This goes to a program on this computer.');
    const { left } = await person.browser.press(consent, 'Allow', { scope: ['shop:buy', 'orders:read'] });
    expect((await fetch(left ?? '')).status).toBe(200);
  });
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toContain('buyMcpShopItem');
  const purchase = { company: 'Desktop Ltd', mailingAddress: 'London', tshirtSize: 'M' };
  const bought = await client.callTool({ name: 'buyMcpShopItem', arguments: purchase });
  expect(bought.structuredContent).toMatchObject({ status: 'success', order: purchase });
  const listed = await client.callTool({ name: 'listMcpShopOrders', arguments: {} });
  expect(listed.structuredContent).toMatchObject({ orders: [purchase] });
  await client.close();
});
