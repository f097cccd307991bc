/** The object cannot be reached, dies, or cannot write its record: nothing lost, nothing doubled, never a yes by default. */
import { abortAllDurableObjects, evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Act } from '../../src/ledger/acts.ts';
import { RecordLines } from '../../src/ledger/record.ts';
import { PENDING_MS } from '../../src/lifetimes.ts';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import type { Page } from '../../src/dev/browser.ts';
import { ERAS, type Person } from '../../src/dev/clients.ts';
import type { McpShopServer } from '../../src/mcp-server.ts';
import { authorizePath, callMessage, messageOf, redeem, registeredClient, rpcIn } from '../support/http.ts';
import {
  actsOf,
  connected,
  consented,
  expectKvEqualsLedger,
  expectSound,
  later,
  linesOf,
  MINUTE,
  ordersOf,
  purchase,
  quiet,
  refresh,
  theDeputy,
  type Tokens,
} from '../support/outages.ts';
import { deputyOf, objectOf, person, resumption } from '../support/people.ts';
import { PURCHASE } from '../support/shop.ts';

beforeEach(quiet);
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/**
 * Every request to an object fails before it arrives or, with `after`, once it was carried out: then the answer is lost.
 * With `method`, only the requests of that name.
 */
function unreachable({ after = false, method }: { after?: boolean; method?: keyof McpShopServer } = {}) {
  const real = env.MCP_OBJECT.getByName.bind(env.MCP_OBJECT);
  return vi.spyOn(env.MCP_OBJECT, 'getByName').mockImplementation((name) => {
    const stub = real(name);
    const call = (property: string, args: unknown[]): unknown =>
      (stub as unknown as Record<string, (...given: unknown[]) => unknown>)[property]?.(...args);
    return new Proxy(stub, {
      get:
        (_, property) =>
        async (...args: unknown[]) => {
          const lost = method === undefined || property === method;
          const answer = after || !lost ? await call(String(property), args) : undefined;
          if (lost) throw new Error('the object is gone');
          return answer;
        },
    });
  });
}

test('while the object cannot be reached, a call is answered with 503 and nothing is bought', async () => {
  const { human, tokens } = await connected();
  const gone = unreachable();
  const response = await purchase(tokens);
  expect([response.status, response.headers.get('Retry-After')]).toEqual([503, '5']);
  gone.mockRestore();
  expect(await actsOf(human)).toEqual(['appointed', 'activated']);
  await expectSound(human);
});

test.each([
  ['a request is lost', false],
  ['its answer is lost', true],
])('when %s on the way to the object, /token says to try again, which then works', async (_, after) => {
  const { human, clientId, code } = await consented();
  const expectTryAgain = async (response: Response) => {
    expect([response.status, response.headers.get('Retry-After')]).toEqual([503, '5']);
    expect(await response.json()).toMatchObject({ error: 'temporarily_unavailable' });
  };
  let gone = unreachable({ after });
  await expectTryAgain(await redeem(clientId, code));
  gone.mockRestore();
  const first = await redeem(clientId, code);
  expect(first.status).toBe(200);
  const tokens = await first.json<Tokens>();

  gone = unreachable({ after });
  await expectTryAgain(await refresh(clientId, tokens));
  gone.mockRestore();
  const second = await refresh(clientId, tokens);
  expect(second.status).toBe(200);
  expect((await purchase(await second.json())).status).toBe(200);
  expect(await actsOf(human)).toEqual(['appointed', 'activated', 'buyMcpShopItem allowed']);
  await expectSound(human);
});

test('while the object cannot be reached, no page shows or grants anything', async () => {
  const { human } = await connected();
  const { deputyId } = await theDeputy(human);
  const path = authorizePath(await registeredClient());
  const consent = await human.walk(path);
  const overview = await human.browser.open('/deputies');
  await objectOf(human).act({ do: 'pause' });
  const resume = await human.browser.open('/deputies/resume');
  await objectOf(human).act(await resumption(objectOf(human)));
  const forms: [Page, string][] = [
    [consent, 'Allow'],
    [overview, 'Stop all'],
    [resume, 'Let these go on'],
    [await human.browser.open(`/deputies/${deputyId}`), 'Dismiss for good'],
    [await human.browser.open(`/deputies/${deputyId}`), 'Sign the new terms'],
    [await human.browser.open('/deputies/ceiling'), 'Set these limits'],
    [await human.browser.open('/deputies/erase'), 'Delete everything'],
  ];
  const acts = await actsOf(human);
  const gone = unreachable();
  const pages = ['', '/resume', '/ceiling', '/all', '/orders', '/verify', `/${deputyId}`].map(
    (name) => `/deputies${name}`,
  );
  for (const address of [path, ...pages]) {
    const page = await human.browser.open(address);
    expect(page.status, address).toBeGreaterThanOrEqual(500);
    expect(page.left).toBeUndefined();
  }
  for (const [page, button] of forms) {
    const answer = await human.browser.press(page, button);
    expect(answer.status, button).toBeGreaterThanOrEqual(500);
    expect(answer.left).toBeUndefined();
  }
  gone.mockRestore();
  expect(await actsOf(human)).toEqual(acts);
  expect((await human.browser.press(consent, 'Allow')).left?.searchParams.get('code')).toBeTruthy();
  await expectSound(human);
});

test('a pause whose answer was lost holds, and pressed again it takes a line of its own', async () => {
  const { human, tokens } = await connected();
  const page = await human.browser.open('/deputies');
  const gone = unreachable({ after: true, method: 'act' });
  expect((await human.browser.press(page, 'Stop all')).status).toBeGreaterThanOrEqual(500);
  gone.mockRestore();
  expect(await messageOf(await purchase(tokens))).toMatchObject({ result: { isError: true } });
  expect((await human.browser.press(page, 'Stop all')).status).toBe(200);
  expect((await actsOf(human)).filter((act) => act === 'paused')).toHaveLength(2);
  expect(await ordersOf(human)).toEqual([]);
  await expectSound(human);
});

test('a consent whose appointment was not answered gives no code, and what is left of it vanishes', async () => {
  const human = person();
  const page = await human.walk(authorizePath(await registeredClient()));
  const gone = unreachable({ after: true, method: 'once' });
  const answer = await human.browser.press(page, 'Allow');
  expect([answer.status >= 500, answer.left]).toEqual([true, undefined]);
  gone.mockRestore();
  expect(await theDeputy(human)).toMatchObject({ status: 'pending' });
  later(PENDING_MS);
  expect((await objectOf(human).look({})).deputies).toEqual([]);
  await expectSound(human);
});

/** Where a purchase stands still until its object has died; each step has been reached once `reached` says so. */
const STEPS: Record<string, (human: Person) => Promise<() => boolean>> = {
  'has arrived': (human) => standStill(human, 'onRequest', { after: false }),
  'is committed': (human) => standStill(human, 'schedule', { after: false }),
  'has its job': (human) => standStill(human, 'schedule', { after: true }),
  'is on its way to KV': async () => {
    const put = vi.spyOn(env.ORDERS, 'put').mockReturnValueOnce(new Promise(() => {}));
    return () => put.mock.calls.length > 0;
  },
  'is in KV': async () => {
    const real = env.ORDERS.put.bind(env.ORDERS);
    let reached = false;
    vi.spyOn(env.ORDERS, 'put').mockImplementationOnce(async (key, value, options) => {
      await real(key, value, options);
      reached = true;
      await new Promise(() => {});
    });
    return () => reached;
  },
  'is about to lose its job': (human) => standStill(human, 'cancelSchedule', { after: false }),
  'has lost its job': (human) => standStill(human, 'cancelSchedule', { after: true }),
};

async function standStill(
  human: Person,
  method: 'onRequest' | 'schedule' | 'cancelSchedule',
  { after }: { after: boolean },
): Promise<() => boolean> {
  let reached = false;
  await runInDurableObject(objectOf(human), (instance: McpShopServer) => {
    const real = instance[method].bind(instance) as (...args: unknown[]) => Promise<unknown>;
    vi.spyOn(instance, method).mockImplementationOnce((async (...args: unknown[]) => {
      if (after) await real(...args);
      reached = true;
      await new Promise(() => {});
    }) as never);
  });
  return () => reached;
}

test.each(Object.keys(STEPS))('an object that dies when a purchase %s loses and doubles nothing', async (step) => {
  const human = person();
  const deputy = await deputyOf(human, step.startsWith('is') ? ERAS[0] : ERAS[1]);
  await deputy.call('listMcpShopOrders');
  const reached = await STEPS[step]?.(human);
  const bought = deputy.call('buyMcpShopItem', { ...PURCHASE, idempotencyKey: 'one' });
  const broken = expect(bought).rejects.toThrow('may or may not have been carried out');
  await vi.waitUntil(() => reached?.());
  await abortAllDurableObjects();
  await broken;
  vi.restoreAllMocks();
  quiet();
  if (step === 'has its job' || step === 'is on its way to KV') {
    // Its job brings it to KV, without any request.
    later(60 * MINUTE);
    await runDurableObjectAlarm(objectOf(human));
    vi.useRealTimers();
    expect((await env.ORDERS.list({ prefix: `order:${userIdOf(human.email)}:` })).keys).toHaveLength(1);
  }
  const committed = step !== 'has arrived';
  expect(await ordersOf(human)).toHaveLength(committed ? 1 : 0);

  const again = await deputy.call('buyMcpShopItem', { ...PURCHASE, idempotencyKey: 'one' });
  expect(again.isError).toBe(false);
  expect(await expectKvEqualsLedger(human)).toMatchObject([again.data['order']]);
  const acts = (await actsOf(human)).filter((act) => act === 'buyMcpShopItem allowed');
  expect(acts).toHaveLength(committed ? 2 : 1);
  expect((await linesOf(human)).filter((line) => line.actor === 'deputy' && line.effect)).toHaveLength(1);
  await expectSound(human);
});

const ENDS: [string, (human: Person) => Promise<void>][] = [
  ['is evicted', (human) => evictDurableObject(objectOf(human))],
  ['dies', () => abortAllDurableObjects()],
];

test.each(ENDS)('what the human has done holds when the object %s right after it', async (_, end) => {
  const { human, tokens } = await connected();
  const { deputyId } = await theDeputy(human);
  const acts: (() => Act | Promise<Act>)[] = [
    () => ({ do: 'ceiling', ceiling: { shirtsPerDay: 3, spendPerDay: 7500 }, version: 0 }),
    () => ({ do: 'pause' }),
    () => resumption(objectOf(human)),
    () => ({ do: 'revoke', deputyId }),
  ];
  const seen: unknown[] = [];
  for (const act of acts) {
    await objectOf(human).act(await act());
    await end(human);
    const { account, deputies } = await objectOf(human).look({});
    seen.push([account.ceiling['shirtsPerDay'], account.authority, deputies[0]?.status]);
  }
  expect(seen).toEqual([
    [3, 'active', 'active'],
    [3, 'paused', 'active'],
    [3, 'active', 'active'],
    [3, 'active', 'revoked'],
  ]);
  expect((await purchase(tokens)).status).toBe(401);
  expect((await actsOf(human)).slice(2, 6)).toEqual(['ceiling', 'paused', 'resumed', 'revoked']);
  await expectSound(human);
});

test.each(ENDS)('a consent is good for its code when the object %s in between', async (_, end) => {
  const { human, clientId, code } = await consented();
  await end(human);
  const tokens = await (await redeem(clientId, code)).json<Tokens>();
  await end(human);
  expect((await purchase(tokens)).status).toBe(200);
  expect(await actsOf(human)).toEqual(['appointed', 'activated', 'buyMcpShopItem allowed']);
  await expectSound(human);
});

test('a deputy that is live before its client has the token gets it, although the object dies in between', async () => {
  const { human, clientId, code } = await consented();
  const real = env.OAUTH_KV.put.bind(env.OAUTH_KV) as (...args: unknown[]) => Promise<void>;
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  vi.spyOn(env.OAUTH_KV, 'put').mockImplementationOnce(async (...args: unknown[]) => {
    await held;
    await real(...args);
  });
  const exchange = redeem(clientId, code);
  await vi.waitUntil(async () => (await theDeputy(human)).status === 'active');
  await abortAllDurableObjects();
  release();
  const response = await exchange;
  expect(response.status).toBe(200);
  expect((await purchase(await response.json())).status).toBe(200);
  expect(await actsOf(human)).toEqual(['appointed', 'activated', 'buyMcpShopItem allowed']);
  await expectSound(human);
});

test('an appointment that is not taken up vanishes after 15 minutes, whatever the code is still good for', async () => {
  const { human, clientId, code } = await consented();
  // The record's clock alone: the OAuth provider's code has not run out.
  const age = (milliseconds: number) =>
    runInDurableObject(objectOf(human), (_, { storage }) => {
      storage.sql.exec('UPDATE deputies SET appointed_at = ?', Date.now() - milliseconds);
    });
  await age(PENDING_MS - MINUTE);
  const { deputyId } = await theDeputy(human);
  await age(PENDING_MS);
  expect((await objectOf(human).look({})).deputies).toEqual([]);
  const response = await redeem(clientId, code);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: 'invalid_grant' });
  expect(await objectOf(human).activate(deputyId, 'grant')).toEqual({ problem: 'unknown_deputy' });
  // The provider has removed the grant, so that turning the clock back does not help.
  await age(0);
  expect((await redeem(clientId, code)).status).toBe(400);
  expect(await actsOf(human)).toEqual(['appointed']);
  await expectSound(human);
});

test.each(ERAS)('a call of a %s client that cannot be recorded is not carried out', async (era) => {
  const human = person();
  const deputy = await deputyOf(human, era);
  const failing = vi.spyOn(RecordLines.prototype, 'append').mockImplementation(() => {
    throw new Error('the disk is full');
  });
  const answers = [
    await deputy.call('buyMcpShopItem', { ...PURCHASE, idempotencyKey: 'one' }),
    await deputy.call('setDemoMode', { mode: 'banned' }),
    await deputy.call('listMcpShopInventory'),
  ];
  for (const { isError, data } of answers)
    expect([isError, data]).toMatchObject([true, { error: { code: 'internal_error' } }]);
  failing.mockRestore();
  expect(await actsOf(human)).toEqual(['appointed', 'activated']);
  expect(await ordersOf(human)).toEqual([]);
  expect(await expectKvEqualsLedger(human)).toEqual([]);

  const bought = await deputy.call('buyMcpShopItem', { ...PURCHASE, idempotencyKey: 'one' });
  expect(bought.data).toMatchObject({ status: 'success', message: expect.stringContaining('Ordered') });
  expect(await expectKvEqualsLedger(human)).toHaveLength(1);
  await expectSound(human);
});

test('a purchase whose line fails alone is refused, undone, and recorded as an error of ours', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  vi.spyOn(RecordLines.prototype, 'append').mockImplementationOnce(() => {
    throw new Error('the disk is full');
  });
  const { isError, data } = await deputy.call('buyMcpShopItem', PURCHASE);
  expect([isError, data]).toMatchObject([true, { error: { code: 'internal_error' } }]);
  expect(await expectKvEqualsLedger(human)).toEqual([]);
  expect((await objectOf(human).look({})).used).toEqual({ shirtsPerDay: 0, spendPerDay: 0 });
  expect(await actsOf(human)).toEqual(['appointed', 'activated', 'buyMcpShopItem internal_error']);
  await expectSound(human);
});

test.each(ERAS)('a %s call without its scope whose line fails is still refused for its scope', async (era) => {
  const human = person();
  human.ticks = ['orders:read'];
  const { accessToken } = await deputyOf(human, era);
  vi.spyOn(RecordLines.prototype, 'append').mockImplementationOnce(() => {
    throw new Error('the disk is full');
  });
  const response = await rpcIn(era, accessToken, callMessage('buyMcpShopItem', PURCHASE));
  expect(response.status).toBe(200);
  const { result } = await messageOf(response);
  expect(result).toMatchObject({ isError: true, structuredContent: { error: { code: 'insufficient_scope' } } });
  expect(await actsOf(human)).toEqual(['appointed', 'activated', 'buyMcpShopItem insufficient_scope']);
  await expectSound(human);
});

test('an act of the human that cannot be recorded has no effect, and is not answered as done', async () => {
  const { human, clientId, tokens } = await connected();
  const { deputyId } = await theDeputy(human);
  const waiting = await consented(human);
  const forms: [Page, string, Record<string, string>][] = [
    [await human.walk(authorizePath(clientId)), 'Allow', {}],
    [await human.browser.open('/deputies'), 'Stop all', {}],
    [await human.browser.open(`/deputies/${deputyId}`), 'Sign the new terms', { shirtsPerDay: '9' }],
    [await human.browser.open(`/deputies/${deputyId}`), 'Dismiss for good', {}],
    [await human.browser.open('/deputies/ceiling'), 'Set these limits', { shirtsPerDay: '99' }],
    [await human.browser.open('/deputies/erase'), 'Delete everything', {}],
  ];
  const { account, deputies, head } = await objectOf(human).look({});
  const failing = vi.spyOn(RecordLines.prototype, 'append').mockImplementation(() => {
    throw new Error('the disk is full');
  });
  for (const [page, button, fields] of forms) {
    const answer = await human.browser.press(page, button, fields);
    expect(answer.status, button).toBeGreaterThanOrEqual(500);
    expect(answer.left).toBeUndefined();
  }
  expect((await redeem(waiting.clientId, waiting.code)).status).toBe(503);
  failing.mockRestore();
  expect(await objectOf(human).look({})).toMatchObject({ account, deputies, head });
  expect((await redeem(waiting.clientId, waiting.code)).status).toBe(200);
  expect((await purchase(tokens)).status).toBe(200);
  await expectSound(human);
});
