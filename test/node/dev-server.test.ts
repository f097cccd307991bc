/** `pnpm dev`, with the clients people use, over real sockets. */
import { mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Fetch } from '../../src/dev/browser.ts';
import { Deputy, ERAS, Person } from '../../src/dev/clients.ts';
import { DevServer, run } from '../../src/dev/dev-server.ts';

const PURCHASE = { company: 'Analytical Engines Ltd', mailingAddress: 'London', tshirtSize: 'L' };
const overSocket: Fetch = (input, init) => fetch(input, init);
let server: DevServer;

beforeAll(async () => {
  server = await DevServer.start();
});
afterAll(() => server.stop());

function connect(era: (typeof ERAS)[number], email: string): Promise<Deputy> {
  return Deputy.connect(era, new Person(email, server.origin, overSocket), server.origin, overSocket);
}

test.each(ERAS)('a %s client from Node signs in, buys, lists, is banned and comes back', async (era) => {
  const deputy = await connect(era, `node-${era}@example.com`);
  const bought = await deputy.call('buyMcpShopItem', PURCHASE);
  expect((await deputy.call('listMcpShopOrders')).data['orders']).toMatchObject([bought.data['order']]);
  await deputy.call('setDemoMode', { mode: 'banned' });
  expect((await deputy.call('buyMcpShopItem', PURCHASE)).text).toBe('ABSOLUTELY NOT. GO AWAY 👋');
  await deputy.call('prettyPlease');
  expect((await deputy.call('buyMcpShopItem', PURCHASE)).isError).toBe(false);
});

test.each([
  ['legacy', []],
  ['modern', ['--protocol-era', 'modern']],
])('the command line of MCP Inspector lists and calls the tools in the %s era', async (_, era) => {
  const { accessToken } = await connect('2025-11-25', 'inspector@example.com');
  const inspect = (...args: string[]) =>
    run('mcp-inspector', [
      '--cli',
      `${server.origin}/mcp`,
      '--header',
      `Authorization: Bearer ${accessToken}`,
      ...era,
      '--format',
      'json',
      ...args,
    ]);

  const listed = await inspect('--method', 'tools/list');
  expect(listed.code, listed.output).toBe(0);
  for (const name of [
    'listMcpShopInventory',
    'buyMcpShopItem',
    'listMcpShopOrders',
    'getUserInfo',
    'setDemoMode',
    'clearDemoMode',
    'prettyPlease',
  ]) {
    expect(listed.output).toContain(`"${name}"`);
  }

  const args = Object.entries(PURCHASE).flatMap(([name, value]) => ['--tool-arg', `${name}=${value}`]);
  const bought = await inspect('--method', 'tools/call', '--tool-name', 'buyMcpShopItem', ...args);
  expect(bought.code, bought.output).toBe(0);
  expect(bought.output).toContain('Analytical Engines Ltd');
});

test('people, keys, clients and orders survive a reload and a restart of the server', async () => {
  const person = new Person('survivor@example.com', server.origin, overSocket);
  const deputy = await Deputy.connect('2025-11-25', person, server.origin, overSocket);
  await deputy.call('buyMcpShopItem', PURCHASE);

  const reloaded = server.printed('server updated and ready');
  utimesSync('src/dev/index.ts', new Date(), new Date());
  await reloaded;
  expect((await deputy.call('listMcpShopOrders')).data['orders']).toHaveLength(1);

  await server.restart();
  expect((await deputy.call('listMcpShopOrders')).data['orders']).toHaveLength(1);
  await Deputy.connect('2026-07-28', person, server.origin, overSocket);
  expect(person.signIns).toBe(1);
  expect(deputy.credentials.asked).toBe(1);
});

const keys = (client: string) =>
  `WORKOS_CLIENT_ID=${client}\nWORKOS_API_KEY=sk_test_1\nCOOKIE_PASSWORD=${'x'.repeat(32)}\n`;

test.concurrent.for([
  ['alone, .env counts', { '.env': keys('client_1') }],
  // With this variable the server would not start.
  ['beside .dev.vars, .env does not', { '.env': 'DEMO_TOOLS=nonsense\n', '.dev.vars': keys('client_1') }],
] as const)('%s', async ([, files], { expect: expecting }) => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-shop-variables-'));
  for (const name of ['src', 'node_modules', 'wrangler.toml']) symlinkSync(resolve(name), join(folder, name));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const apart = await DevServer.start(undefined, folder);
  try {
    const signIn = await fetch(`${apart.origin}/login`, { redirect: 'manual' });
    expecting(signIn.headers.get('Location')).toMatch(/^https:\/\/api\.workos\.com\/.*client_id=client_1&/);
  } finally {
    await apart.stop();
    rmSync(folder, { recursive: true });
  }
});

test('a Host header of somebody else is refused', async () => {
  const status = await new Promise((done) => {
    request(server.origin, { headers: { Host: 'evil.example' } }, (response) =>
      done(response.resume().statusCode),
    ).end();
  });
  expect(status).toBe(421);
});
