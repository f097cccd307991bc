/** Puts back what the first landed version left (`record.ts`), so that today's version opens it. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { z } from 'zod';
import { objectName } from '../../src/deputy.ts';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import { Deputy, ERAS, type Person } from '../../src/dev/clients.ts';
import { orderSchema } from '../../src/shop/orders.ts';
import { ORIGIN, workerFetch } from '../support/worker.ts';
import file from './first-version.json';

const row = z.record(z.string(), z.union([z.string(), z.number(), z.null()]));
const entry = z.object({ name: z.string(), value: z.string(), metadata: z.unknown().optional() });

const recordingSchema = z.object({
  recordedAt: z.number(),
  clients: z.array(
    z.object({
      name: z.string(),
      email: z.string(),
      era: z.enum(ERAS),
      client: z.looseObject({ client_id: z.string() }),
      tokens: z.looseObject({ access_token: z.string(), token_type: z.string(), refresh_token: z.string() }),
    }),
  ),
  waiting: z.object({ clientId: z.string(), code: z.string() }),
  orders: z.array(orderSchema),
  schema: z.array(z.string()),
  objects: z.array(
    z.object({
      email: z.string(),
      rows: z.record(z.string(), z.array(row)),
      values: z.record(z.string(), z.unknown()),
      alarm: z.number().nullable(),
    }),
  ),
  kv: z.object({ ORDERS: z.array(entry), OAUTH_KV: z.array(entry) }),
});

export const recording = recordingSchema.parse(file);

/**
 * Restores the objects and KV. Each object is evicted then, so that its constructor, the Agents SDK's as well as ours, finds
 * the old tables, values and alarm as it would after a deployment. Not the same as a deployment: the rows are written anew,
 * so the storage's own file format is today's. The clock of then
 * is to be set by the test: it stood in 2037, so that no alarm is due by the machine's own.
 */
export async function restore(): Promise<void> {
  for (const { email, rows, values, alarm } of recording.objects) {
    const stub = env.MCP_OBJECT.getByName(objectName(userIdOf(email)));
    await runInDurableObject(stub, async (_, { storage }) => {
      await empty(storage);
      for (const statement of recording.schema) storage.sql.exec(statement);
      for (const [table, all] of Object.entries(rows)) for (const one of all) insert(storage.sql, table, one);
      for (const [key, value] of Object.entries(values)) storage.kv.put(key, value);
      if (alarm !== null) await storage.setAlarm(alarm);
    });
    await evictDurableObject(stub);
  }
  for (const binding of ['ORDERS', 'OAUTH_KV'] as const) {
    for (const { name, value, metadata } of recording.kv[binding]) await env[binding].put(name, value, { metadata });
  }
}

/** Takes away what today's version made when the object was first reached. */
async function empty(storage: DurableObjectStorage): Promise<void> {
  await storage.deleteAlarm();
  const tables = storage.sql
    .exec<{ name: string }>(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'
         AND name NOT LIKE '!_cf!_%' ESCAPE '!'`,
    )
    .toArray();
  for (const { name } of tables) storage.sql.exec(`DROP TABLE ${name}`);
  for (const [key] of storage.kv.list()) storage.kv.delete(key);
}

function insert(sql: SqlStorage, table: string, values: z.infer<typeof row>): void {
  const columns = Object.keys(values);
  const places = columns.map(() => '?').join(', ');
  sql.exec(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${places})`, ...Object.values(values));
}

/** One of the recorded clients, with the tokens it held, and its human. */
export function clientOfThen(name: string, human: Person): Promise<Deputy> {
  const kept = recording.clients.find((client) => client.name === name);
  if (!kept) throw new Error(`no client "${name}" was recorded`);
  return Deputy.resume(kept.era, human, ORIGIN, workerFetch, kept);
}
