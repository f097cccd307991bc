/** The main job, in both protocol eras: sign in, browse, buy, list. */
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { ERAS } from '../../src/dev/clients.ts';
import { deputyOf, person } from '../support/people.ts';
import { buy, PURCHASE } from '../support/shop.ts';

test.each(ERAS)('a client of %s signs in, browses, buys and lists what it bought', async (era) => {
  const human = person();
  const deputy = await deputyOf(human, era);
  expect(deputy.credentials.asked).toBe(1);

  const inventory = await deputy.call('listMcpShopInventory');
  expect(inventory.data).toMatchObject({
    title: 'MCP Shop inventory',
    products: [{ label: 'MCP Shop T-shirt', sizes: ['S', 'M', 'L', 'XL', 'XXL'], price: 2500 }],
  });

  const bought = await deputy.call('buyMcpShopItem', { ...PURCHASE, color: 'blue', quantity: 2 });
  expect(bought.isError).toBe(false);
  expect(bought.data).toEqual({
    status: 'success',
    message: expect.stringContaining('$50.00'),
    order: {
      ...PURCHASE,
      number: 1,
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      userId: expect.stringMatching(/^user_/),
      email: human.email,
      color: 'blue',
      quantity: 2,
      unitPrice: 2500,
      total: 5000,
      currency: 'USD',
      orderDate: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      status: 'confirmed',
    },
  });

  const listed = await deputy.call('listMcpShopOrders');
  const placedBy = { deputyId: expect.stringMatching(/^dep_/), clientName: 'Test client' };
  const orders = [{ ...(bought.data['order'] as object), placedBy }];
  expect(listed.data).toEqual({ title: 'MCP Shop orders', status: 'success', orders });
});

test.each(ERAS)('an order of a %s client is in KV too, with the deputy that placed it', async (era) => {
  const deputy = await deputyOf(person(), era);
  const order = await buy(deputy);
  const stored = await env.ORDERS.getWithMetadata(`order:${order.userId}:${order.id}`, 'json');
  expect(stored.value).toEqual({
    ...order,
    deputyId: expect.stringMatching(/^dep_/),
    clientId: expect.any(String),
  });
  const { keys } = await env.ORDERS.list({ prefix: `order:${order.userId}:` });
  const lifetime = (keys[0]?.expiration ?? 0) - Date.now() / 1000;
  expect(Math.round(lifetime / 86_400)).toBe(30);
});

test('color and quantity have defaults, and text is trimmed', async () => {
  const deputy = await deputyOf(person(), '2026-07-28');
  const bought = await deputy.call('buyMcpShopItem', { ...PURCHASE, company: '  Analytical Engines Ltd ' });
  expect(bought.data['order']).toMatchObject({
    company: 'Analytical Engines Ltd',
    color: 'black',
    quantity: 1,
    total: 2500,
  });
});

test('orders are listed newest first, a page at a time, whichever client placed them', async () => {
  const human = person();
  const [legacy, modern] = [await deputyOf(human, '2025-11-25'), await deputyOf(human, '2026-07-28')];
  for (let number = 1; number <= 5; number += 1) {
    await buy(number % 2 ? legacy : modern, { company: `Company ${number}` });
  }
  const companies: string[][] = [];
  let cursor: string | undefined;
  do {
    const page = await modern.call('listMcpShopOrders', { limit: 2, ...(cursor && { cursor }) });
    companies.push((page.data['orders'] as { company: string }[]).map(({ company }) => company));
    cursor = page.data['nextCursor'] as string | undefined;
  } while (cursor);
  expect(companies).toEqual([['Company 5', 'Company 4'], ['Company 3', 'Company 2'], ['Company 1']]);
});

test('nobody sees the orders of another user, and their cursors are foreign', async () => {
  const ada = await deputyOf(person(), '2025-11-25');
  const bob = await deputyOf(person(), '2025-11-25');
  const order = await buy(ada);
  expect((await bob.call('listMcpShopOrders')).data['orders']).toEqual([]);
  const foreign = await bob.call('listMcpShopOrders', { cursor: order.id });
  expect(foreign).toMatchObject({ isError: true, data: { error: { code: 'unknown_cursor' } } });
  expect(foreign.text).toMatch(/^cursor: .*Leave cursor out/);
});

test('only an administrator gets user info, and it never holds a token', async () => {
  const guest = await deputyOf(person(), '2026-07-28');
  const refused = await guest.call('getUserInfo');
  expect(refused).toMatchObject({
    isError: true,
    data: { error: { code: 'permission_required', whoCanLift: 'administrator', url: 'http://localhost:8787/' } },
  });

  const admin = await deputyOf(person('admin@example.com'), '2026-07-28', 'Laptop of Ada');
  const info = await admin.call('getUserInfo');
  expect(info.data).toEqual({
    user: { id: expect.stringMatching(/^user_/), email: 'admin@example.com', name: 'Admin' },
    permissions: ['shop:admin'],
    deputy: {
      id: expect.stringMatching(/^dep_/),
      clientId: expect.any(String),
      clientName: 'Laptop of Ada',
      appointedAt: expect.any(String),
    },
    mandate: expect.objectContaining({ version: 1, scopes: ['shop:browse', 'shop:buy', 'orders:read'] }),
  });
});
