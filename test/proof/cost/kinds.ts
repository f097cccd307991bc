/** Makes each kind of call once, with real clients on running servers, and says what was counted. */
import { z } from 'zod';
import { type Era, ERAS } from '../../../src/dev/clients.ts';
import { BenchServer, shopPlan } from '../bench/bench-server.ts';
import { bundle, changed, UNLIMITED } from '../bench/bundle.ts';
import { FrameworkContestant, PURCHASE, ShopContestant } from '../bench/contestants.ts';
import { connecting, expectSuccess, type Message, toolCall } from '../bench/raw-client.ts';
import { type Counts, COUNTS_PATH } from './counting.ts';

/** Milliseconds in which what is done after an answer comes to its end. */
const SETTLING = 300;

/** A day of this server, in seconds, so that the daily round comes while it is watched. */
const SHORT_DAY = 3;

const countsSchema = z.record(z.string(), z.number());
type Step = readonly [kind: string, work: () => Promise<unknown>];

async function take(server: BenchServer): Promise<Counts> {
  await new Promise((done) => setTimeout(done, SETTLING));
  return countsSchema.parse(await (await fetch(new URL(COUNTS_PATH, server.origin))).json()) as Counts;
}

/** Makes each kind of call once and says what it cost. */
async function count(server: BenchServer, steps: readonly Step[]): Promise<Record<string, Counts>> {
  const result: Record<string, Counts> = {};
  await take(server);
  for (const [kind, work] of steps) {
    await work();
    result[kind] = await take(server);
  }
  return result;
}

export async function countShop(): Promise<{
  counts: Record<string, Counts>;
  object: number;
  call: Growth;
  purchase: Growth;
}> {
  const script = changed(await bundle('test/proof/cost/shop-worker.ts'), UNLIMITED);
  const shop = new ShopContestant(await BenchServer.start(shopPlan(script)));
  try {
    const { server, client } = shop;
    const post = async (message: Message) => {
      const reply = await client.post('/mcp', message);
      if (reply.status >= 300) throw new Error(`HTTP ${reply.status} ${reply.text.slice(0, 300)}`);
      return reply;
    };
    const call = (era: Era, token: string, name: string, args: Record<string, unknown> = {}) =>
      post(toolCall(era, token, name, args));
    const human = server.person('cost@example.com');
    // Everybody's first sign-in also makes AuthKit's keys and the object, so it is another person's.
    await server.deputyOf(server.person('first@example.com'), '2026-07-28');
    const appointed: Step = ['appoint a deputy', () => server.deputyOf(human, '2026-07-28')];
    const appointment = await count(server, [appointed]);
    const deputy = await server.deputyOf(human, '2026-07-28');
    const { accessToken: token } = deputy;
    await call('2026-07-28', token, 'buyMcpShopItem', PURCHASE);
    const object = largest(server);
    await shop.stock('history', 60);
    const history = await shop.token('history', '2026-07-28');
    let orderId = '';

    const steps: Step[] = [
      ['refresh a token', () => refresh(server, deputy.credentials)],
      ...ERAS.map((era): Step => [
        `connect, ${era}`,
        async () => {
          for (const message of connecting(era, token)) await post(message);
        },
      ]),
      ['list the inventory', () => call('2026-07-28', token, 'listMcpShopInventory')],
      ['list the inventory, 2025-11-25', () => call('2025-11-25', token, 'listMcpShopInventory')],
      ['read the mandate', () => call('2026-07-28', token, 'getMyMandate')],
      ['list 50 orders', () => call('2026-07-28', history, 'listMcpShopOrders', { limit: 50 })],
      [
        'purchase',
        async () => {
          const { text } = await call('2026-07-28', token, 'buyMcpShopItem', PURCHASE);
          orderId = /"id":"([0-9a-f-]{36})"/.exec(text)?.[1] ?? '';
        },
      ],
      [
        'purchase with a key',
        () => call('2026-07-28', token, 'buyMcpShopItem', { ...PURCHASE, idempotencyKey: 'once' }),
      ],
      ['the same again', () => call('2026-07-28', token, 'buyMcpShopItem', { ...PURCHASE, idempotencyKey: 'once' })],
      ['cancel an order', () => call('2026-07-28', token, 'cancelMcpShopOrder', { orderId })],
      ['refused call', () => call('2026-07-28', token, 'buyMcpShopItem', { ...PURCHASE, quantity: 99 })],
      ['open the console', () => human.browser.open('/deputies')],
      ['pause', async () => human.browser.press(await human.browser.open('/deputies'), 'Stop all')],
    ];
    const counts = { ...appointment, ...(await count(server, steps)) };
    const perCall = await growth(shop, 2000, 'listMcpShopInventory', {});
    const perPurchase = await growth(shop, 1000, 'buyMcpShopItem', PURCHASE);
    return { counts, object, call: perCall, purchase: perPurchase };
  } finally {
    await shop.stop();
  }
}

/** The round that an object makes by itself on a day on which something happened. */
export async function countDaily(): Promise<Counts> {
  const script = changed(await bundle('test/proof/cost/shop-worker.ts'), [
    ['DAILY_SECONDS = 24 * 60 * 60;', `DAILY_SECONDS = ${SHORT_DAY};`],
  ]);
  const shop = new ShopContestant(await BenchServer.start(shopPlan(script)));
  try {
    const call = toolCall('2026-07-28', await shop.token('daily', '2026-07-28'), 'listMcpShopInventory');
    expectSuccess(await shop.client.post('/mcp', call));
    await take(shop.server);
    const deadline = Date.now() + 4 * SHORT_DAY * 1000;
    while (Date.now() < deadline) {
      const counts = await take(shop.server);
      if (counts.objectRequests > 0) return counts;
    }
    throw new Error('the daily round did not come');
  } finally {
    await shop.stop();
  }
}

async function refresh(
  { origin }: BenchServer,
  credentials: {
    clientInformation(): { client_id: string } | undefined;
    tokens(): { refresh_token?: string | undefined } | undefined;
  },
): Promise<void> {
  const body = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: credentials.tokens()?.refresh_token ?? '',
    client_id: credentials.clientInformation()?.client_id ?? '',
  });
  const response = await fetch(new URL('/token', origin), { method: 'POST', body });
  if (!response.ok) throw new Error(`the token was not refreshed: ${response.status} ${await response.text()}`);
}

function largest(server: BenchServer): number {
  return Math.max(...server.storage().values());
}

/** What one object can do: bytes that it grows by with each call, and calls a second. */
export type Growth = { bytes: number; perSecond: number };

/** Calls a new user's object, eight clients at a time. */
async function growth(
  shop: ShopContestant,
  calls: number,
  name: string,
  args: Record<string, unknown>,
): Promise<Growth> {
  const before = new Set(shop.server.storage().keys());
  const message = toolCall('2026-07-28', await shop.token(`growth-${name}`, '2026-07-28'), name, args);
  expectSuccess(await shop.client.post('/mcp', message));
  const id = [...shop.server.storage().keys()].find((key) => !before.has(key));
  const size = () => shop.server.storage().get(id ?? '') ?? NaN;
  const start = size();
  let left = calls;
  const caller = async () => {
    while (left > 0) {
      left -= 1;
      expectSuccess(await shop.client.post('/mcp', message));
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: 8 }, caller));
  const seconds = (performance.now() - begun) / 1000;
  return { bytes: (size() - start) / calls, perSecond: calls / seconds };
}

export async function countFramework(): Promise<{ counts: Record<string, Counts>; session: number }> {
  const object = { binding: 'MCP_OBJECT', className: 'FrameworkShop' };
  const script = await bundle('test/proof/cost/framework-worker.ts');
  const framework = new FrameworkContestant(
    await BenchServer.start({ script, objects: [object], kv: ['ORDERS', 'OAUTH_KV'] }),
  );
  try {
    const { server, client } = framework;
    const appointed: Step = [
      'appoint a deputy',
      () => server.deputyOf(server.person('cost@example.com'), '2025-11-25'),
    ];
    const appointment = await count(server, [appointed]);
    const deputy = await server.deputyOf(server.person('cost@example.com'), '2025-11-25');
    const token = deputy.accessToken;
    const session = await framework.session(token);
    for (let bought = 0; bought < 49; bought += 1)
      expectSuccess(await client.post('/mcp', session('buyMcpShopItem', PURCHASE)));
    const call = async (name: string, args = {}) => expectSuccess(await client.post('/mcp', session(name, args)));
    const counts = await count(server, [
      ['refresh a token', () => refresh(server, deputy.credentials)],
      ['connect', () => framework.session(token)],
      ['list the inventory', () => call('listMcpShopInventory')],
      ['purchase', () => call('buyMcpShopItem', PURCHASE)],
      ['list 50 orders', () => call('listMcpShopOrders')],
    ]);
    const sizes = [...server.storage('FrameworkShop').values()];
    const bytes = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    return { counts: { ...appointment, ...counts }, session: bytes };
  } finally {
    await framework.stop();
  }
}
