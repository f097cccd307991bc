/**
 * Mallory reads whatever she can get: a model's transcript, an object's tables, KV, the logs, the text of an error. No token
 * of WorkOS is kept anywhere, and a fault tells an id and nothing else.
 */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test, vi } from 'vitest';
import { objectName, propsSchema } from '../../src/deputy.ts';
import { deputyOf, person } from '../support/people.ts';
import { PURCHASE } from '../support/shop.ts';

/** The header and payload of a JSON Web Token. */
const JWT = /eyJ[\w-]+\.eyJ[\w-]+/;

test('no WorkOS token reaches the model, the object, KV or the logs', async () => {
  const logged: string[] = [];
  for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, level).mockImplementation((...args) => void logged.push(args.map(String).join(' ')));
  }
  const props = vi.spyOn(propsSchema, 'safeParse');
  const admin = await deputyOf(person('admin@example.com'), '2025-11-25');
  const info = await admin.call('getUserInfo');
  expect(JSON.stringify(info)).not.toMatch(JWT);

  await admin.call('buyMcpShopItem', PURCHASE);
  const { user } = info.data as { user: { id: string } };
  await runInDurableObject(env.MCP_OBJECT.getByName(objectName(user.id)), async (_, { storage }) => {
    const tables = storage.sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'",
      )
      .toArray();
    expect(tables.map(({ name }) => name)).toContain('effects');
    for (const { name } of tables) {
      expect(JSON.stringify(storage.sql.exec(`SELECT * FROM "${name}"`).toArray()), name).not.toMatch(JWT);
    }
    expect(JSON.stringify([...(await storage.list())])).not.toMatch(JWT);
  });

  // The provider encrypts what a grant carries, so it is looked at where it has just been decrypted.
  expect(props).toHaveBeenCalled();
  for (const [carried] of props.mock.calls) {
    expect(Object.keys(carried as object).toSorted()).toEqual(['deputyId', 'email', 'name', 'permissions', 'userId']);
  }
  const { keys } = await env.ORDERS.list();
  for (const { name } of keys) expect(await env.ORDERS.get(name), name).not.toMatch(JWT);
  vi.restoreAllMocks();
  expect(logged.join('\n')).not.toMatch(JWT);
  expect(logged.join('\n')).not.toContain('admin@example.com');
});

test('an unexpected fault in a tool tells the model an id, keeps the reason to itself, and undoes what the tool wrote', async () => {
  const deputy = await deputyOf(person(), '2026-07-28');
  await deputy.call('buyMcpShopItem', PURCHASE);
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
  vi.spyOn(crypto, 'randomUUID').mockReturnValueOnce('not-a-uuid-at-all');
  const answer = await deputy.call('buyMcpShopItem', PURCHASE);
  const log = logged.mock.calls.join('\n');
  vi.restoreAllMocks();

  expect(answer).toMatchObject({ isError: true, data: { error: { code: 'internal_error', whoCanLift: 'operator' } } });
  const [id] = /[0-9a-f-]{36}/.exec(answer.text) ?? [];
  expect(log).toContain(id);
  expect(log).toContain('Invalid UUID');
  expect(JSON.stringify(answer)).not.toMatch(/Zod|uuid|stack|\.ts/);
  expect((await deputy.call('listMcpShopOrders')).data['orders']).toHaveLength(1);
});
