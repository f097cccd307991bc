/**
 * Mallory's deputy keeps the object of its human so busy that the pause waits in the crowd: with calls, or with requests that
 * nobody counts. What is under way and what is sent is bounded before the object, and pages are not behind that bound.
 */
import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import worker from '../../src/dev/index.ts';
import { Lines } from '../../src/mcp/crowd.ts';
import { callMessage, cookiesOf, messageOf, rpc, send } from '../support/http.ts';
import { objectOf, person } from '../support/people.ts';
import { plainClient, post, refresh, type Tokens } from '../support/scene.ts';
import { ORIGIN } from '../support/worker.ts';

/** Requests of one deputy, and of all deputies of one human, that are under way or wait for their turn. */
const [OF_ONE, OF_ALL] = [32, 64];
/** Requests that go to the object at once: while there are no more, and when there are. */
const [AT_ONCE, OF_A_CROWD] = [16, 1];

const LIST = { jsonrpc: '2.0', id: 'the list', method: 'tools/list' };
const PING = { jsonrpc: '2.0', id: 7, method: 'ping' };
const START = {
  jsonrpc: '2.0',
  id: 8,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'mallory', version: '1' } },
};
const STARTED = { jsonrpc: '2.0', method: 'notifications/initialized' };
const KINDS = [LIST, PING, START, STARTED, { ...callMessage('listMcpShopInventory'), id: 9 }];

/** The way to the objects: whether it is blocked, how many requests are on it, and the most that were when one came. */
const way = { blocked: false, underWay: 0, most: 0 };

let logged: unknown[] = [];

beforeEach(() => {
  vi.spyOn(console, 'log').mockImplementation((line) => void logged.push(line));
  Object.assign(way, { blocked: true, underWay: 0, most: 0 });
  const find = env.MCP_OBJECT.getByName.bind(env.MCP_OBJECT);
  vi.spyOn(env.MCP_OBJECT, 'getByName').mockImplementation((name) => {
    const stub = find(name);
    const serve = async (...request: Parameters<typeof stub.serve>) => {
      way.underWay += 1;
      way.most = Math.max(way.most, way.underWay);
      while (way.blocked) await scheduler.wait(5);
      const answer = await stub.serve(...request);
      way.underWay -= 1;
      return answer;
    };
    return new Proxy(stub, {
      get: (_, property): unknown => (property === 'serve' ? serve : Reflect.get(stub, property, stub)),
    });
  });
});
afterEach(() => {
  way.blocked = false;
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** One request more, which is to be answered at once, and not only when it is its turn. */
function oneMore({ access_token: token }: Tokens, message: unknown = PING): Promise<Response> {
  return rpc(token, message, {}, { signal: AbortSignal.timeout(5000) });
}

/** So many requests of every kind at once. */
function flood({ access_token: token }: Tokens, count: number, init: RequestInit = {}): Promise<number>[] {
  return Array.from({ length: count }, async (_, n) => {
    const response = await rpc(token, KINDS[n % KINDS.length], {}, init);
    await response.text();
    return response.status;
  });
}

/** Waits until so many requests are on the way to the object, and those behind them in their lines. */
async function onTheWay(count: number): Promise<void> {
  await vi.waitUntil(() => way.underWay === count);
  await scheduler.wait(50);
}

test.each(['appointed', 'paused', 'dismissed'])(
  'of a deputy that is %s only so much is under way, whatever it asks for',
  async (standing) => {
    const ada = person();
    const { tokens } = await plainClient(ada);
    const [deputy] = (await objectOf(ada).look({})).deputies;
    if (standing === 'paused') await objectOf(ada).act({ do: 'pause' });
    if (standing === 'dismissed') await objectOf(ada).act({ do: 'revoke', deputyId: deputy?.deputyId ?? '' });
    const crowd = flood(tokens, OF_ONE);
    await onTheWay(AT_ONCE);

    for (const message of KINDS) {
      const refused = await oneMore(tokens, message);
      expect(refused.status).toBe(429);
      expect(refused.headers.get('Retry-After')).toBe('2');
      expect(refused.headers.get('Access-Control-Allow-Origin')).toBe('*');
      expect(await refused.json()).toEqual({
        jsonrpc: '2.0',
        id: 'id' in message ? message.id : null,
        error: { code: -32000, message: expect.stringMatching(/nothing of this one was done, so wait 2 seconds/) },
      });
    }
    for (const method of ['GET', 'DELETE', 'HEAD', 'PUT']) {
      const headers = { Authorization: `bearer \t${tokens.access_token}` };
      const refused = await send('/mcp', { method, headers, signal: AbortSignal.timeout(5000) });
      expect(refused.status, method).toBe(429);
    }
    way.blocked = false;
    const [answered] = standing === 'dismissed' ? [[401]] : [[200, 202]];
    for (const status of await Promise.all(crowd)) expect(answered).toContain(status);
    expect(answered).toContain((await rpc(tokens.access_token, PING)).status);
  },
);

test('the pause, the pages and other humans are not behind that bound', async () => {
  const [ada, bob] = [person(), person()];
  const [{ tokens }, other] = [await plainClient(ada), await plainClient(bob)];
  const page = await ada.browser.open('/deputies');
  const crowd = flood(tokens, OF_ONE);
  await onTheWay(AT_ONCE);
  expect((await ada.browser.press(page, 'Stop all')).status).toBe(200);
  expect((await objectOf(ada).lookAtOverview()).account.authority).toBe('paused');
  expect(
    await post('/deputies/pause', {}, { Cookie: cookiesOf(ada), Authorization: `Bearer ${tokens.access_token}` }),
  ).toBe(403);
  way.blocked = false;
  expect((await rpc(other.tokens.access_token, PING)).status).toBe(200);
  await Promise.all(crowd);
});

test('a new token of the same deputy is no new line', async () => {
  const { clientId, tokens } = await plainClient(person());
  const fresh = await (await refresh(clientId, tokens.refresh_token)).json<Tokens>();
  const crowd = flood(tokens, OF_ONE);
  await onTheWay(AT_ONCE);
  expect((await oneMore(fresh)).status).toBe(429);
  way.blocked = false;
  await Promise.all(crowd);
});

test('a crowd goes to the object one at a time, until all of it is through', async () => {
  const { tokens } = await plainClient(person());
  const crowd = flood(tokens, OF_ONE);
  await onTheWay(AT_ONCE);
  way.most = 0;
  way.blocked = false;
  expect(await Promise.all(crowd)).not.toContain(429);
  expect(way.most).toBe(OF_A_CROWD);
  // Once it is through, everything is as before.
  way.blocked = true;
  const few = flood(tokens, AT_ONCE);
  await onTheWay(AT_ONCE);
  way.blocked = false;
  expect(await Promise.all(few)).not.toContain(429);
});

test('the deputies of one human together have a bound, and go one at a time when they are a crowd', async () => {
  const ada = person();
  const crowd: Promise<number>[] = [];
  for (let deputies = 0; deputies < OF_ALL / AT_ONCE; deputies += 1)
    crowd.push(...flood((await plainClient(ada)).tokens, AT_ONCE));
  const { tokens } = await plainClient(ada);
  await onTheWay(AT_ONCE);
  const refused = await oneMore(tokens);
  expect(refused.status).toBe(429);
  expect(await messageOf(refused)).toMatchObject({
    id: 7,
    error: { message: expect.stringContaining('of this human') },
  });
  way.most = 0;
  way.blocked = false;
  expect(await Promise.all(crowd)).not.toContain(429);
  expect(way.most).toBe(OF_A_CROWD);
});

test('a client that hangs up gives its places back when its requests are through', async () => {
  const { tokens } = await plainClient(person());
  const hangUp = new AbortController();
  const crowd = flood(tokens, OF_ONE, { signal: hangUp.signal });
  await onTheWay(AT_ONCE);
  hangUp.abort();
  await Promise.allSettled(crowd);
  way.blocked = false;
  await vi.waitFor(async () => expect(await Promise.all(flood(tokens, AT_ONCE))).not.toContain(429), 5000);
});

test('a place whose request the platform has ended without a word is free again after a minute', async () => {
  const lines = new Lines(OF_ONE);
  const never = () => new Promise<string>(() => {});
  for (let n = 0; n < AT_ONCE; n += 1) void lines.inTurn('ada', never);
  const waiting = Array.from({ length: OF_ONE - AT_ONCE }, () => lines.inTurn('ada', never));
  expect(await lines.inTurn('ada', async () => 'through')).toBeUndefined();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
  expect(await lines.inTurn('ada', async () => 'through')).toBe('through');
  expect(waiting).toHaveLength(OF_ONE - AT_ONCE);
});

/** The same at a Worker that has this limit for its location. */
async function at(limit: RateLimit['limit'], { access_token: token }: Tokens, message: unknown = PING) {
  const headers = {
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
    Authorization: `Bearer ${token}`,
  };
  const request = new Request(`${ORIGIN}/mcp`, { method: 'POST', body: JSON.stringify(message), headers });
  return worker.fetch(request, { ...env, CROWD_LIMIT: { limit } }, createExecutionContext());
}

test('what a deputy sends in a few seconds is bounded for its location, and so is what all deputies of a human send', async () => {
  way.blocked = false;
  const ada = person();
  const [one, other] = [await plainClient(ada), await plainClient(ada)];
  const asked: string[] = [];
  const refusing =
    (start: string) =>
    async ({ key }: { key: string }) => {
      asked.push(key);
      return { success: !key.startsWith(start) };
    };
  const statuses = async (start: string, { tokens }: typeof one, count: number) => {
    const all: number[] = [];
    while (all.length < count) all.push((await at(refusing(start), tokens)).status);
    return all;
  };
  const sent = await statuses('dep_', one, 50);
  expect(sent.indexOf(429)).toBe(49);
  expect(asked).toHaveLength(1);
  const refused = await at(refusing('dep_'), one.tokens, LIST);
  expect(refused.status).toBe(429);
  expect(refused.headers.get('Retry-After')).toBe('10');
  expect(await messageOf(refused)).toMatchObject({ id: 'the list' });
  expect(asked).toHaveLength(1);
  // The other deputy goes on, until it is too much for all of them together.
  expect(await statuses('user_', other, 100)).toContain(200);
  expect(await statuses('user_', other, 60)).toContain(429);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 11_000 });
  expect(await statuses('nobody', one, 1)).toEqual([200]);
  // A limiter that fails stops nobody.
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const broken = () => Promise.reject(new Error('no limiter'));
  for (let n = 0; n < 150; n += 1) expect((await at(broken, one.tokens)).status).toBe(200);
});

test('refusals of a flood share a line of the log', async () => {
  const { tokens } = await plainClient(person());
  const crowd = flood(tokens, OF_ONE);
  await onTheWay(AT_ONCE);
  // Refusals of other stories count in a line of their own.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 30_000 });
  await oneMore(tokens);
  logged = [];
  await Promise.all(flood(tokens, 20));
  expect(logged).toEqual([]);
  vi.setSystemTime(Date.now() + 11_000);
  await oneMore(tokens);
  expect(logged).toEqual([JSON.stringify({ event: 'limited', route: '/mcp', by: 'deputy', times: 21 })]);
  way.blocked = false;
  await Promise.all(crowd);
});

test('what is sent to /token for one grant stands in the same line', async () => {
  way.blocked = false;
  const { clientId, code } = await plainClient(person());
  const grant = code.split(':').slice(0, 2).join(':');
  let [underWay, most] = [0, 0];
  const find = env.MCP_OBJECT.getByName.bind(env.MCP_OBJECT);
  vi.spyOn(env.MCP_OBJECT, 'getByName').mockImplementation((name) => {
    const stub = find(name);
    const once = stub.once.bind(stub) as (...args: unknown[]) => Promise<unknown>;
    stub.once = (async (...args: unknown[]) => {
      most = Math.max(most, (underWay += 1));
      await scheduler.wait(20);
      return once(...args).finally(() => (underWay -= 1));
    }) as never;
    return stub;
  });
  const answers = await Promise.all(
    Array.from({ length: 3 * OF_ONE }, async (_, number) => {
      const body = new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: clientId,
        code: `${grant}:made up ${number}`,
        code_verifier: 'v'.repeat(43),
        redirect_uri: 'https://client.example/callback',
      });
      const answer = await send('/token', { method: 'POST', body });
      await answer.body?.cancel();
      return answer;
    }),
  );
  expect(most).toBeLessThanOrEqual(AT_ONCE);
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(2 * OF_ONE);
  expect(refused[0]?.headers.get('Retry-After')).toBe('2');
});

test('a place that is never given back holds up nobody once its minute is over', async () => {
  const waits: number[] = [];
  vi.spyOn(scheduler, 'wait').mockImplementation(async (ms) => void waits.push(ms));
  const lines = new Lines(OF_ONE);
  void lines.inTurn('grant', () => new Promise(() => {}));
  // Once there is a crowd.
  await Promise.all(Array.from({ length: AT_ONCE + 1 }, () => lines.inTurn('grant', async () => 'served')));
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * 60_000 });
  waits.length = 0;
  for (let times = 0; times < 3; times += 1) expect(await lines.inTurn('grant', async () => 'served')).toBe('served');
  expect(waits).toEqual([]);
}, 60_000);
