/**
 * Lives a little with the first landed version, through its own clients, and prints what that left in the objects and in
 * KV. Runs as a test of that version, into whose `test/journeys/` `record.ts` copies it.
 */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { objectName } from '../../src/deputy.ts';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import type { Deputy, Person } from '../../src/dev/clients.ts';
import { authorizePath, registeredClient } from '../support/http.ts';
import { buy, deputyOf, person } from '../support/shop.ts';

/** Far ahead, so that whenever this is replayed no alarm is due by the machine's own clock; KV counts seconds until 2038. */
const START = Date.parse('2037-06-01T09:00:00Z');
const MINUTE = 60_000;

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  vi.useFakeTimers({ toFake: ['Date'], now: START });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test('what the first landed version leaves', async () => {
  const ada = person('ada.of.then@example.com');
  const older = await deputyOf(ada, '2025-11-25', 'Claude');
  const newer = await deputyOf(ada, '2026-07-28', 'Łódź client 👋');
  await buy(older, { company: 'Łódź GmbH', mailingAddress: '12 St James’s\nLondon', tshirtSize: 'S' });
  vi.setSystemTime(START + MINUTE);
  await buy(newer, { company: "O'Brien & Sons", color: 'blue', quantity: 3 });

  // KV is down: for one order at its job's first try too, and for one until just before the upgrade.
  const put = vi.spyOn(env.ORDERS, 'put').mockRejectedValue(new Error('KV is down'));
  const { userId } = await buy(older, { company: 'Tried twice' });
  vi.setSystemTime(START + MINUTE + 6000);
  await runDurableObjectAlarm(env.MCP_OBJECT.getByName(objectName(userId)));
  await buy(newer, { company: 'Tried once' });
  put.mockRestore();

  // A human whose deputies are banned for a demo, who is an administrator, and who granted one deputy less than the other.
  const admin = person('admin@then.example.com');
  const banned = await deputyOf(admin, '2026-07-28', 'Banned client');
  await buy(banned);
  admin.ticks = [];
  const browsing = await deputyOf(admin, '2025-11-25', 'Browsing client');
  await banned.call('setDemoMode', { mode: 'banned' });

  // A client that has its code, and comes for its token after the upgrade.
  vi.setSystemTime(START + 2 * MINUTE);
  const waiting = person('waiting.of.then@example.com');
  const clientId = await registeredClient({ client_name: 'Waiting client' });
  const answer = await waiting.answer(new URL(authorizePath(clientId), 'http://localhost:8787'));

  const left = {
    ada: await leftOf(ada, { older, newer }),
    admin: await leftOf(admin, { banned, browsing }),
    waiting: await leftOf(waiting, {}),
  };
  const schemas = new Set(Object.values(left).map(({ schema }) => JSON.stringify(schema)));
  expect(schemas.size).toBe(1);
  const recording = {
    recordedAt: Date.now(),
    clients: left.ada.clients.concat(left.admin.clients),
    waiting: { clientId, code: answer.get('code') },
    orders: left.ada.orders,
    schema: left.ada.schema,
    objects: Object.values(left).map(({ object }) => object),
    kv: { ORDERS: await entries(env.ORDERS), OAUTH_KV: await entries(env.OAUTH_KV) },
  };
  expect(recording.kv.ORDERS).toHaveLength(3);
  console.log(`RECORDING ${JSON.stringify(recording)}`);
});

/** The orders as their deputy lists them, what its clients hold, and the object. */
async function leftOf({ email }: Person, deputies: Record<string, Deputy>) {
  const clients = Object.entries(deputies).map(([name, { era, credentials }]) => ({
    name,
    email,
    era,
    client: credentials.clientInformation(),
    tokens: credentials.tokens(),
  }));
  const [first] = Object.values(deputies);
  const orders = (await first?.call('listMcpShopOrders'))?.data['orders'] ?? [];
  const stub = env.MCP_OBJECT.getByName(objectName(userIdOf(email)));
  const { schema, ...kept } = await runInDurableObject(stub, (_, { storage }) => contentsOf(storage));
  return { clients, orders, schema, object: { email, ...kept } };
}

/** All that an object holds: tables, the SDK's own included, the values beside them, and when it wants to be woken. */
async function contentsOf(storage: DurableObjectStorage) {
  const made = storage.sql
    .exec<{ name: string; type: string; sql: string }>(
      `SELECT name, type, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite!_%' ESCAPE '!'
         AND name NOT LIKE '!_cf!_%' ESCAPE '!' ORDER BY type DESC, name`,
    )
    .toArray();
  const tables = made.filter(({ type }) => type === 'table');
  const rows = tables.map(({ name }) => [name, storage.sql.exec(`SELECT * FROM ${name}`).toArray()] as const);
  return {
    schema: made.map(({ sql }) => sql),
    rows: Object.fromEntries(rows.filter(([, ofTable]) => ofTable.length > 0)),
    values: Object.fromEntries(storage.kv.list()),
    alarm: await storage.getAlarm(),
  };
}

/** Without their expiry, which counts on the machine's clock. */
async function entries(kv: KVNamespace) {
  const { keys } = await kv.list();
  // Each machine's local AuthKit has a key of its own, so people sign in there anew.
  const ours = keys.filter(({ name }) => !name.startsWith('local-authkit'));
  return Promise.all(ours.map(async ({ name, metadata }) => ({ name, value: await kv.get(name), metadata })));
}
