/** Fifty purchases at once, by three deputies of one human in both eras, while their authority changes in the middle. */
import { abortAllDurableObjects, evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type Line, readLine } from '../../src/ledger/record.ts';
import { startLimits } from '../../src/authority/limits.ts';
import type { Ceiling, Limits } from '../../src/authority/terms.ts';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import type { Fetch } from '../../src/dev/browser.ts';
import { Deputy, ERAS, type Person } from '../../src/dev/clients.ts';
import { objectName } from '../../src/deputy.ts';
import { domain } from '../../src/domain.ts';
import type { McpShopServer } from '../../src/mcp-server.ts';
import { SHIRT } from '../../src/shop/catalog.ts';
import { type Order, orderSchema } from '../../src/shop/order.ts';
import { jobsOf, person } from '../support/people.ts';
import { PURCHASE } from '../support/shop.ts';
import { ORIGIN, workerFetch } from '../support/worker.ts';

/** Set VITE_RACE_SEED to the seed of a failure to run that one race again; otherwise every run has seeds of its own. */
const ONE_SEED = process.env['VITE_RACE_SEED'];
/** Set VITE_RACE_TIMES to run each race so many times more often. */
const TIMES = Number(process.env['VITE_RACE_TIMES'] ?? 1);
const BUYERS = 50;
/** Milliseconds, for a machine that has much else to do. */
const PATIENCE = 120_000 * TIMES;

beforeEach(quiet);
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Broken calls are logged, as they should be; and writing a thousand lines takes longer than the calls. */
function quiet(): void {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  vi.spyOn(console, 'log').mockImplementation(() => {});
}

// ---------------------------------------------------------------- chance

/** Whole numbers from `min` to `max`, the same ones for the same seed (mulberry32). */
type Random = (min: number, max: number) => number;

function randomFrom(seed: number): Random {
  let state = seed;
  return (min, max) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return min + (((mixed ^ (mixed >>> 14)) >>> 0) % (max - min + 1));
  };
}

/**
 * Runs a race `times` times, each with a human and a seed of its own. A failure names the seed. `odd` differs from one
 * seed to the next.
 */
function repeated(times: number, run: (random: Random, odd: boolean) => Promise<void>): () => Promise<void> {
  return async () => {
    const first = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
    const all = Array.from({ length: times * TIMES }, (_, n) => first + n);
    for (const seed of ONE_SEED === undefined ? all : [Number(ONE_SEED)]) {
      try {
        await run(randomFrom(seed), seed % 2 === 1);
      } catch (error) {
        throw new Error(`with VITE_RACE_SEED=${seed}: ${String(error)}`, { cause: error });
      }
      vi.restoreAllMocks();
      quiet();
    }
  };
}

function pick<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[random(0, items.length - 1)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

/** Lets everything else go on for so many turns of the event loop. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await scheduler.wait(0);
}

// ---------------------------------------------------------------- the scene

/** What came of one call. `dismissed` is a 401 of the record, `unknown` one of the OAuth provider, `broken` a 503. */
type Outcome = { by: string } & (
  | { kind: 'bought'; order: Order }
  | { kind: 'refused'; code: string; limit?: string | undefined }
  | { kind: 'dismissed' | 'unknown' | 'broken' }
);
type Buyer = { id: string; deputy: Deputy; client: Client };
type Scene = { random: Random; human: Person; object: DurableObjectStub<McpShopServer>; buyers: Buyer[] };

/** A client that gives up at a 401, instead of sending its human to the sign-in. */
class Client {
  connected = false;
  readonly fetch: Fetch = async (input, init) => {
    const response = await workerFetch(input, init);
    if (!this.connected || response.status !== 401) return response;
    throw new Error((await response.text()).includes('dismissed') ? 'dismissed' : 'unknown');
  };
}

/** The most that a human can allow of a limit. */
function mostOf(name: string): number {
  return domain.limits[name]?.max ?? NaN;
}

const WIDEST = { shirtsPerDay: mostOf('shirtsPerDay'), spendPerDay: mostOf('spendPerDay') };
const RATES = { callsPerMinute: 1000, purchasesPerMinute: 1000 };
const WIDE: Limits = { ...startLimits(domain), ...WIDEST, ...RATES };

/** Fifty purchases at once are more than the server lets anybody allow a deputy in a minute. */
const served = Object.keys(RATES).map((name) => ({ limit: domain.limits[name], max: mostOf(name) }));
beforeAll(() => {
  for (const [name, max] of Object.entries(RATES)) Object.assign(domain.limits[name] ?? {}, { max });
});
afterAll(() => {
  for (const { limit, max } of served) Object.assign(limit ?? {}, { max });
});

/** Three deputies, two of one era and one of the other, with the same mandate: as wide as it can be, but for `limits`. */
async function scene(random: Random, { limits = {}, ceiling = WIDEST }: { limits?: Limits; ceiling?: Ceiling }) {
  const human = person();
  const buyers: Buyer[] = [];
  for (const era of [...ERAS, pick(random, ERAS)]) {
    const client = new Client();
    const id = `buyer ${buyers.length}`;
    buyers.push({ id, client, deputy: await Deputy.connect(era, human, ORIGIN, client.fetch, id) });
    client.connected = true;
  }
  const name = objectName(userIdOf(human.email));
  const object = env.MCP_OBJECT.getByName(name);
  await object.act({ do: 'ceiling', ceiling: WIDEST, version: 0 });
  for (const { deputyId, clientName, mandate } of (await object.look({})).deputies) {
    const buyer = buyers.find(({ id }) => id === clientName);
    if (buyer) buyer.id = deputyId;
    const amendment = { deputyId, version: mandate.version, scopes: mandate.scopes, limits: { ...WIDE, ...limits } };
    expect(await object.act({ do: 'amend', amendment, narrowOnly: false })).not.toHaveProperty('problem');
  }
  await object.act({ do: 'ceiling', ceiling, version: 0 });
  return {
    random,
    human,
    buyers,
    // A stub is of no more use once its object has died.
    get object() {
      return env.MCP_OBJECT.getByName(name);
    },
  } satisfies Scene;
}

async function buy({ id: by, deputy }: Buyer, args: Record<string, unknown> = {}): Promise<Outcome> {
  try {
    const { data } = await deputy.call('buyMcpShopItem', { ...PURCHASE, ...args });
    const { code, limit } = (data['error'] ?? {}) as { code?: string; limit?: string };
    if (code !== undefined) return { by, kind: 'refused', code, limit };
    return { by, kind: 'bought', order: orderSchema.parse(data['order']) };
  } catch (error) {
    const { message } = error as Error;
    if (message.includes('may or may not have been carried out')) return { by, kind: 'broken' };
    if (message === 'dismissed' || message === 'unknown') return { by, kind: message };
    throw error;
  }
}

/** Makes KV slow by chance, so that what happens in the middle finds purchases in every phase. */
function slowDown(random: Random): void {
  const real = env.ORDERS.put.bind(env.ORDERS);
  vi.spyOn(env.ORDERS, 'put').mockImplementation(async (key, value, options) => {
    await turns(random(0, 12));
    await real(key, value, options);
  });
}

/** Fifty purchases at once, spread over the deputies by chance; `middle` happens when some of them are answered. */
async function race(
  { random, buyers }: Scene,
  {
    middle = async () => {},
    purchase = () => ({}),
  }: { middle?: () => Promise<void>; purchase?: (n: number) => Record<string, unknown> },
): Promise<Outcome[]> {
  slowDown(random);
  let answered = 0;
  const calls = Array.from({ length: BUYERS }, async (_, n) => {
    const [buyer, pause] = [pick(random, buyers), random(0, 6)];
    await turns(pause);
    const outcome = await buy(buyer, purchase(n));
    answered += 1;
    return outcome;
  });
  const after = random(1, 40);
  await vi.waitUntil(() => answered >= after, { interval: 1, timeout: PATIENCE });
  await middle();
  return Promise.all(calls);
}

// ---------------------------------------------------------------- what must hold

async function linesOf({ object }: Scene): Promise<Line[]> {
  return (await object.recordText(0, 10_000)).map(({ line }) => readLine(line));
}

function rowsOf({ object }: Scene): Promise<{ sequence: number; id: string; by: string; quantity: number }[]> {
  const query =
    "SELECT line AS sequence, id, deputy_id AS by, amounts ->> 'shirts' AS quantity FROM effects ORDER BY number";
  return runInDurableObject(object, (_, { storage: { sql } }) =>
    sql.exec<{ sequence: number; id: string; by: string; quantity: number }>(query).toArray(),
  );
}

function ordersIn(outcomes: readonly Outcome[]): Order[] {
  return outcomes.flatMap((outcome) => (outcome.kind === 'bought' ? [outcome.order] : []));
}

/** What refused calls were told: each code, with the limit that it is about. */
function codesIn(outcomes: readonly Outcome[]): string[] {
  return outcomes.flatMap((outcome) => (outcome.kind === 'refused' ? [inFull(outcome)] : []));
}

function inFull({ code = '', limit }: { code?: string | undefined; limit?: string | undefined }): string {
  return limit === undefined ? code : `${code} ${limit}`;
}

function callsIn(lines: readonly Line[]) {
  return lines.filter((line) => line.actor === 'deputy');
}

/** The calls that share a line with others. */
function sharedIn(lines: readonly Line[]): number {
  return lines.reduce((sum, line) => {
    if (line.actor === 'deputy') return sum + (line.refusedBefore ?? 0);
    return line.actor === 'system' && line.act === 'counted' ? sum + line.refused : sum;
  }, 0);
}

async function inKv({ human }: Scene): Promise<string[]> {
  const prefix = `order:${userIdOf(human.email)}:`;
  return (await env.ORDERS.list({ prefix })).keys.map(({ name }) => name.slice(prefix.length)).toSorted();
}

/** Runs the jobs that are due, an hour at a time, until no order waits for KV. */
async function drain({ object }: Scene): Promise<void> {
  const start = Date.now();
  for (let hours = 1; hours < 50; hours += 1) {
    if ((await jobsOf(object, 'deliver')) === 0) break;
    vi.useFakeTimers({ toFake: ['Date'], now: start + hours * 60 * 60_000 });
    await runDurableObjectAlarm(object);
  }
  vi.useRealTimers();
}

/**
 * The record holds together and accounts for every call that reached the record exactly once, each answered order is in
 * the ledger exactly once and the other way round, and KV holds what the ledger holds.
 */
async function expectAccounted(set: Scene, outcomes: readonly Outcome[]): Promise<void> {
  const lines = await linesOf(set);
  const calls = callsIn(lines);
  expect(calls.length + sharedIn(lines)).toBe(outcomes.filter(({ kind }) => kind !== 'unknown').length);
  const codes = calls.filter(({ code }) => code !== undefined && code !== 'rate_limited').map(inFull);
  const answered = codesIn(outcomes.filter((outcome) => !('code' in outcome) || outcome.code !== 'rate_limited'));
  const dismissed = outcomes.filter(({ kind }) => kind === 'dismissed').map(() => 'deputy_revoked');
  expect(codes.toSorted()).toEqual([...answered, ...dismissed].toSorted());

  const rows = await rowsOf(set);
  const ids = rows.map(({ id }) => id).toSorted();
  const bought = ordersIn(outcomes).map(({ id }) => id);
  expect(bought.toSorted()).toEqual(ids);
  const allowed = calls.filter(({ decision }) => decision === 'allowed');
  expect(allowed.map(({ sequence, effect }) => [sequence, effect?.id])).toEqual(
    rows.map(({ sequence, id }) => [sequence, id]),
  );
  await drain(set);
  expect(await inKv(set)).toEqual(ids);
  expect(await set.object.verifyRecord()).toMatchObject({ ok: true });
}

function sequenceOf(lines: readonly Line[], act: string): number {
  const found = lines.filter((line) => 'act' in line && line.act === act);
  expect(found).toHaveLength(1);
  return found[0]?.sequence ?? NaN;
}

// ---------------------------------------------------------------- races

test(
  'once a pause is answered, nothing is bought by any deputy',
  repeated(6, async (random, onPage) => {
    const set = await scene(random, {});
    const page = await set.human.browser.open('/deputies');
    let late: Promise<Outcome[]> = Promise.resolve([]);
    let orders = 0;
    const outcomes = await race(set, {
      async middle() {
        if (onPage) expect((await set.human.browser.press(page, 'Stop all')).status).toBe(200);
        else await set.object.act({ do: 'pause' });
        late = Promise.all(set.buyers.map((buyer) => buy(buyer)));
        orders = (await rowsOf(set)).length;
      },
    });
    expect(codesIn(await late)).toEqual(['paused', 'paused', 'paused']);
    const rows = await rowsOf(set);
    expect(rows).toHaveLength(orders);
    const lines = await linesOf(set);
    const paused = sequenceOf(lines, 'paused');
    expect(rows.filter(({ sequence }) => sequence > paused)).toEqual([]);
    for (const { sequence, decision } of callsIn(lines)) expect(decision === 'allowed').toBe(sequence < paused);
    await expectAccounted(set, [...outcomes, ...(await late)]);
  }),
  PATIENCE,
);

test(
  'once a revocation is answered, that deputy gets 401 and the others go on',
  repeated(6, async (random, onPage) => {
    const set = await scene(random, {});
    const victim = pick(random, set.buyers);
    const page = await set.human.browser.open(`/deputies/${victim.id}`);
    let late: Promise<Outcome[]> = Promise.resolve([]);
    const outcomes = await race(set, {
      async middle() {
        if (onPage) expect((await set.human.browser.press(page, 'Dismiss for good')).status).toBe(200);
        else await set.object.act({ do: 'revoke', deputyId: victim.id });
        late = Promise.all(set.buyers.map((buyer) => buy(buyer)));
      },
    });
    for (const { by, kind } of await late) {
      if (by === victim.id) expect(['dismissed', 'unknown']).toContain(kind);
      else expect(kind).toBe('bought');
    }
    const lines = await linesOf(set);
    const revoked = sequenceOf(lines, 'revoked');
    for (const { deputy, sequence, decision } of callsIn(lines))
      expect(decision === 'allowed').toBe(deputy !== victim.id || sequence < revoked);
    await expectAccounted(set, [...outcomes, ...(await late)]);
  }),
  PATIENCE,
);

test(
  'each deputy buys exactly what its mandate allows in a day, and never more',
  repeated(2, async (random, inMoney) => {
    const limit = random(1, 12);
    const limits = inMoney ? { spendPerDay: limit * SHIRT.price } : { shirtsPerDay: limit };
    const set = await scene(random, { limits });
    const outcomes = await race(set, {});
    const code = inMoney ? 'daily_limit spendPerDay' : 'daily_limit shirtsPerDay';
    for (const { id } of set.buyers) {
      const own = outcomes.filter(({ by }) => by === id);
      expect(ordersIn(own)).toHaveLength(Math.min(limit, own.length));
      expect(codesIn(own)).toEqual(Array.from({ length: Math.max(0, own.length - limit) }, () => code));
    }
    await expectAccounted(set, outcomes);
  }),
  PATIENCE,
);

test(
  'all deputies together buy exactly what the account allows in a day, and never more',
  repeated(2, async (random, inMoney) => {
    const limit = random(1, 45);
    const ceiling = { ...WIDEST, ...(inMoney ? { spendPerDay: limit * SHIRT.price } : { shirtsPerDay: limit }) };
    const set = await scene(random, { ceiling });
    const outcomes = await race(set, {});
    expect(ordersIn(outcomes)).toHaveLength(limit);
    const code = inMoney ? 'account_limit spendPerDay' : 'account_limit shirtsPerDay';
    expect(codesIn(outcomes)).toEqual(Array.from({ length: BUYERS - limit }, () => code));
    await expectAccounted(set, outcomes);
  }),
  PATIENCE,
);

test(
  'orders of several shirts fill the ceiling as far as they fit, and never beyond',
  repeated(2, async (random) => {
    const limit = random(20, 60);
    const set = await scene(random, { ceiling: { ...WIDEST, shirtsPerDay: limit } });
    const quantities = Array.from({ length: BUYERS }, () => random(1, 3));
    const outcomes = await race(set, { purchase: (n) => ({ quantity: quantities[n] }) });
    const sum = (await rowsOf(set)).reduce((total, { quantity }) => total + quantity, 0);
    expect(sum).toBeLessThanOrEqual(limit);
    outcomes.forEach(({ kind }, n) => {
      if (kind === 'refused') expect(sum + (quantities[n] ?? 0)).toBeGreaterThan(limit);
    });
    expect(codesIn(outcomes)).toContain('account_limit shirtsPerDay');
    await expectAccounted(set, outcomes);
  }),
  PATIENCE,
);

test(
  'a ceiling that is lowered in the middle stops every deputy at once',
  repeated(2, async (random) => {
    const set = await scene(random, {});
    const outcomes = await race(set, {
      async middle() {
        await set.object.act({ do: 'ceiling', ceiling: { shirtsPerDay: 1, spendPerDay: SHIRT.price }, version: 0 });
      },
    });
    const lines = await linesOf(set);
    const lowered = lines.findLast((line) => 'act' in line && line.act === 'ceiling')?.sequence ?? NaN;
    for (const { sequence, decision } of callsIn(lines)) expect(decision === 'allowed').toBe(sequence < lowered);
    await expectAccounted(set, outcomes);
  }),
  PATIENCE,
);

test(
  'each deputy makes exactly as many purchases a minute as its mandate allows',
  repeated(1, async (random) => {
    const limit = random(1, 10);
    const set = await scene(random, { limits: { purchasesPerMinute: limit } });
    const outcomes = await race(set, {});
    for (const { id } of set.buyers) {
      const own = outcomes.filter(({ by }) => by === id);
      expect(ordersIn(own)).toHaveLength(Math.min(limit, own.length));
      expect(codesIn(own)).toEqual(
        Array.from({ length: Math.max(0, own.length - limit) }, () => 'act_rate purchasesPerMinute'),
      );
    }
    await expectAccounted(set, outcomes);
  }),
  PATIENCE,
);

test(
  'calls over the limit of a minute share a line, and the record accounts for each of them',
  repeated(1, async (random) => {
    const limit = random(1, 10);
    const set = await scene(random, { limits: { callsPerMinute: limit } });
    const outcomes = await race(set, {});
    for (const { id } of set.buyers) {
      const own = outcomes.filter(({ by }) => by === id);
      expect(ordersIn(own)).toHaveLength(Math.min(limit, own.length));
      expect(codesIn(own)).toEqual(
        Array.from({ length: Math.max(0, own.length - limit) }, () => 'rate_limited callsPerMinute'),
      );
    }
    await expectAccounted(set, outcomes);
  }),
  PATIENCE,
);

test(
  'when the object is evicted or dies in the middle, a purchase repeated with its key is made exactly once',
  repeated(6, async (random, dies) => {
    const set = await scene(random, {});
    const keys = Array.from({ length: BUYERS }, () => crypto.randomUUID());
    const outcomes = await race(set, {
      purchase: (n) => ({ idempotencyKey: keys[n] }),
      middle: () => (dies ? abortAllDurableObjects() : evictDurableObject(set.object)),
    });
    const broken = outcomes.filter(({ kind }) => kind === 'broken').length;
    if (!dies) expect(broken).toBe(0);
    const again: Outcome[] = [];
    for (const [n, { kind, by }] of outcomes.entries()) {
      const buyer = set.buyers.find(({ id }) => id === by);
      if (kind === 'broken' && buyer) again.push(await buy(buyer, { idempotencyKey: keys[n] }));
    }
    const orders = ordersIn([...outcomes, ...again]).map(({ id }) => id);
    expect(new Set(orders).size).toBe(BUYERS);

    const calls = callsIn(await linesOf(set));
    expect(calls.flatMap(({ effect }) => effect?.id ?? []).toSorted()).toEqual(orders.toSorted());
    expect((await rowsOf(set)).map(({ id }) => id).toSorted()).toEqual(orders.toSorted());
    // A repetition of what the broken call had already bought says so; of the others there is the order's line only.
    const repeats = calls.flatMap(({ repeats: id }) => id ?? []);
    expect(calls).toHaveLength(BUYERS + repeats.length);
    expect(repeats.length).toBeLessThanOrEqual(broken);
    await drain(set);
    expect(await inKv(set)).toEqual(orders.toSorted());
    expect(await set.object.verifyRecord()).toMatchObject({ ok: true });
  }),
  PATIENCE,
);

test(
  'a pause holds when the object dies right after it has answered',
  repeated(2, async (random) => {
    const set = await scene(random, {});
    let paused = 0;
    const outcomes = await race(set, {
      async middle() {
        const done = await set.object.act({ do: 'pause' });
        paused = 'sequence' in done ? done.sequence : NaN;
        await abortAllDurableObjects();
      },
    });
    const late = await Promise.all(set.buyers.map((buyer) => buy(buyer)));
    expect(codesIn(late)).toEqual(['paused', 'paused', 'paused']);
    const rows = await rowsOf(set);
    expect(rows.filter(({ sequence }) => sequence > paused)).toEqual([]);
    const ids = rows.map(({ id }) => id).toSorted();
    for (const { id } of ordersIn(outcomes)) expect(ids).toContain(id);
    for (const { sequence, decision } of callsIn(await linesOf(set)))
      expect(decision === 'allowed').toBe(sequence < paused);
    await drain(set);
    expect(await inKv(set)).toEqual(ids);
    expect(await set.object.verifyRecord()).toMatchObject({ ok: true });
  }),
  PATIENCE,
);
