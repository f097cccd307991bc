/** What is left of a scenario once everything has calmed down: read by the human's own download, from the tables, and from KV. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { z } from 'zod';
import type { Allowance } from '../../../src/ledger/allowances.ts';
import type { Passkey } from '../../../src/ledger/passkeys.ts';
import { objectName } from '../../../src/deputy.ts';
import type { Person } from '../../../src/dev/clients.ts';
import type { OrderRow, Remains, Windows } from './history.ts';
import type { Clock } from './weather.ts';

const HOUR = 60 * 60_000;
/** The longest that a delivery waits for its next try is an hour; so many are more than any needs. */
const MOST_HOURS = 50;

export async function remainsOf(human: Person, userId: string, clock: Clock): Promise<Remains> {
  const object = env.MCP_OBJECT.getByName(objectName(userId));
  const undelivered = await drained(object, clock);
  const page = await human.walk('/deputies/record.jsonl');
  if (page.status !== 200) throw new Error(`the record could not be downloaded: ${page.status} ${page.html}`);
  const tables = await runInDurableObject(object, (_, { storage: { sql, kv } }) => ({
    effects: sql
      .exec('SELECT number, id, line, at, deputy_id AS deputy, state, amounts, data FROM effects ORDER BY number')
      .toArray(),
    account: sql
      .exec<{ authority: string; ceiling: string; windows: string; secret: string }>(
        "SELECT iif(suspended, 'suspended', authority) AS authority, ceiling, windows, secret FROM account",
      )
      .one(),
    questions: sql
      .exec<{ id: string; until: number }>(
        "SELECT effect_id AS id, ends_at AS until FROM approvals JOIN effects ON id = effect_id AND effects.state = 'waiting'",
      )
      .toArray(),
    allowances: (kv.get<Allowance[]>('allowances') ?? [])
      .filter(({ count }) => count > 0)
      .map(({ line, deputyId: deputy, count }) => ({ line, deputy, count })),
    passkeys: (kv.get<Passkey[]>('passkeys') ?? []).map(({ id, usableAt, counter }) => ({ id, usableAt, counter })),
    meters: sql.exec<{ id: string; windows: string }>('SELECT deputy_id AS id, windows FROM meters').toArray(),
    deputies: sql
      .exec<{ id: string; status: string; mandate: string }>('SELECT deputy_id AS id, status, mandate FROM deputies')
      .toArray(),
  }));
  return {
    userId,
    secret: tables.account.secret,
    record: page.html,
    orders: tables.effects.map(orderOf),
    copies: await copiesOf(userId),
    undelivered,
    questions: new Map(tables.questions.map(({ id, until }) => [id, until])),
    allowances: new Map(tables.allowances.map(({ line, ...allowed }) => [line, allowed])),
    passkeys: new Map(tables.passkeys.map(({ id, ...passkey }) => [id, passkey])),
    authority: tables.account.authority,
    ceiling: JSON.parse(tables.account.ceiling),
    deputies: tables.deputies.map((row) => ({ ...row, mandate: JSON.parse(row.mandate) })),
    used: {
      own: new Map(tables.meters.map(({ id, windows }) => [id, windowsOf(windows)])),
      all: windowsOf(tables.account.windows),
    },
    verified: await object.verifyRecord(),
  };
}

const json = z.string().transform((text): unknown => JSON.parse(text));
const effect = z.object({
  number: z.int(),
  id: z.string(),
  line: z.int(),
  at: z.int(),
  deputy: z.string(),
  state: z.string(),
  amounts: json.pipe(z.strictObject({ shirts: z.int(), spend: z.int() })),
  data: json.pipe(
    z.object({
      company: z.string(),
      mailingAddress: z.string(),
      tshirtSize: z.string(),
      color: z.string(),
      unitPrice: z.int(),
    }),
  ),
});
const windows = z.record(z.string(), z.record(z.string(), z.array(z.tuple([z.int(), z.int()]))));

function orderOf(row: unknown): OrderRow {
  const { data, ...facts } = effect.parse(row);
  return { ...facts, ...data };
}

function windowsOf(text: string): Windows {
  return windows.parse(JSON.parse(text));
}

/** Starts the object once more, and runs its jobs, an hour at a time, until no order waits. Returns how many still do. */
async function drained(object: DurableObjectStub, clock: Clock): Promise<number> {
  await evictDurableObject(object).catch(() => {
    // It is not running, so it starts anyway.
  });
  for (let hours = 0; ; hours += 1) {
    const waiting = await runInDurableObject(
      object,
      (_, { storage: { sql } }) => sql.exec<{ count: number }>('SELECT count(*) AS count FROM outbox').one().count,
    );
    if (waiting === 0 || hours === MOST_HOURS) return waiting;
    clock.step(HOUR);
    await runDurableObjectAlarm(object);
  }
}

async function copiesOf(userId: string): Promise<Record<string, unknown>[]> {
  const { keys } = await env.ORDERS.list({ prefix: `order:${userId}:` });
  const copies = await Promise.all(keys.map(({ name }) => env.ORDERS.get(name, 'json')));
  return copies.map((copy) => z.record(z.string(), z.unknown()).parse(copy));
}
