/** What fails beside us: KV, WorkOS, the object, the record itself. Nothing lost, nothing doubled, never a yes by default. */
import { abortAllDurableObjects, evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Act } from '../../src/authority/acts.ts';
import { AuditTrail, type Line, readLine } from '../../src/authority/audit.ts';
import { PENDING_FOR } from '../../src/authority/deputies.ts';
import { objectName } from '../../src/deputy.ts';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import { type Page, textOf } from '../../src/dev/browser.ts';
import { ERAS, type Person } from '../../src/dev/clients.ts';
import type { McpShopServer } from '../../src/mcp-server.ts';
import { type Order, orderSchema } from '../../src/shop/orders.ts';
import { authorizePath, callMessage, messageOf, redeem, registeredClient, rpc, rpcIn, send } from '../support/http.ts';
import { buy, deputyOf, objectOf, person, PURCHASE } from '../support/shop.ts';

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const MINUTE = 60_000;

/** The human's object; asked for anew each time, because a stub is of no more use once its object has died. */
function recordOf({ email }: Person): DurableObjectStub<McpShopServer> {
  return env.MCP_OBJECT.getByName(objectName(userIdOf(email)));
}

async function linesOf(human: Person): Promise<Line[]> {
  return (await recordOf(human).auditText(0, 1000)).map(({ line }) => readLine(line));
}

async function actsOf(human: Person): Promise<string[]> {
  return (await linesOf(human)).map((line) =>
    line.actor === 'deputy' ? `${line.tool} ${line.code ?? line.decision}` : line.act,
  );
}

async function expectSound(human: Person): Promise<void> {
  expect(await recordOf(human).verifyAudit()).toMatchObject({ ok: true });
}

async function theDeputy(human: Person) {
  const [deputy, ...others] = (await recordOf(human).look({})).deputies;
  expect(others).toEqual([]);
  if (!deputy) throw new Error('nobody was appointed');
  return deputy;
}

/** The WorkOS SDK waits a second before it tries again, with which a test proves nothing. */
function hurry(): void {
  const real = globalThis.setTimeout;
  const fast = (work: () => void, milliseconds = 0) => real(work, milliseconds < 1900 ? 0 : milliseconds);
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(fast);
}

function later(milliseconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds });
}

/** Runs the jobs that are due, an hour at a time, until no order waits for KV. */
async function drain(human: Person): Promise<void> {
  for (let hours = 0; hours < 50; hours += 1) {
    const jobs = await runInDurableObject(recordOf(human), (instance) => instance.listSchedules());
    if (!jobs.some(({ callback }) => callback === 'deliverOrder')) break;
    later(60 * MINUTE);
    await runDurableObjectAlarm(recordOf(human));
  }
  vi.useRealTimers();
}

/** Once the jobs are through, KV holds exactly the orders of the ledger, as they are there. */
async function expectKvEqualsLedger(human: Person): Promise<Order[]> {
  await drain(human);
  const { orders } = await recordOf(human).look({});
  const { keys } = await env.ORDERS.list({ prefix: `order:${userIdOf(human.email)}:` });
  const copies = await Promise.all(keys.map(({ name }) => env.ORDERS.get<Order>(name, 'json')));
  const byId = (one: Order | null, other: Order | null) => String(one?.id).localeCompare(String(other?.id));
  expect(copies.toSorted(byId)).toMatchObject(orders.map((order) => orderSchema.parse(order)).toSorted(byId));
  return orders;
}

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

/** WorkOS is down: the local AuthKit keeps everything in KV under one prefix. */
function workosIsDown() {
  hurry();
  const real = env.OAUTH_KV.get.bind(env.OAUTH_KV) as (...args: unknown[]) => Promise<never>;
  return vi.spyOn(env.OAUTH_KV, 'get').mockImplementation((...args: unknown[]) => {
    if (String(args[0]).startsWith('local-authkit:')) return Promise.reject(new Error('WorkOS is down'));
    return real(...args);
  });
}

/** Lets the operation of that number on the OAuth provider's KV fail, from now on; returns how many there were. */
function failAt(number: number): { count: number } {
  const seen = { count: 0 };
  for (const name of ['get', 'put', 'delete', 'list'] as const) {
    const real = env.OAUTH_KV[name].bind(env.OAUTH_KV) as (...args: unknown[]) => Promise<never>;
    vi.spyOn(env.OAUTH_KV, name).mockImplementation((...args: unknown[]) => {
      if (String(args[0]).startsWith('local-authkit:')) return real(...args);
      seen.count += 1;
      return seen.count === number ? Promise.reject(new Error('KV is down')) : real(...args);
    });
  }
  return seen;
}

type Tokens = { access_token: string; refresh_token: string };

async function consented(human = person()) {
  const clientId = await registeredClient();
  const code = (await human.answer(authorizePath(clientId))).get('code') ?? '';
  return { human, clientId, code };
}

async function connected(human = person()) {
  const { clientId, code } = await consented(human);
  return { human, clientId, tokens: await (await redeem(clientId, code)).json<Tokens>() };
}

function refresh(clientId: string, { refresh_token: token }: Tokens): Promise<Response> {
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: clientId, refresh_token: token });
  return send('/token', { method: 'POST', body });
}

function purchase({ access_token: token }: Pick<Tokens, 'access_token'>): Promise<Response> {
  return rpc(token, callMessage('buyMcpShopItem', PURCHASE));
}

// ---------------------------------------------------------------- KV fails

test('a purchase and its cancellation that KV both refused end as one cancelled order in KV', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2025-11-25');
  vi.spyOn(env.ORDERS, 'put').mockRejectedValue(new Error('KV is down'));
  const { id: orderId } = await buy(deputy);
  expect((await deputy.call('cancelMcpShopOrder', { orderId })).isError).toBe(false);
  vi.restoreAllMocks();
  expect(await expectKvEqualsLedger(human)).toMatchObject([{ id: orderId, status: 'cancelled' }]);
  expect((await actsOf(human)).slice(-2)).toEqual(['buyMcpShopItem allowed', 'cancelMcpShopOrder allowed']);
  await expectSound(human);
});

test('a cancellation that hangs in KV is answered, stands, and reaches KV by its job', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  const { id: orderId } = await buy(deputy);
  vi.spyOn(env.ORDERS, 'put').mockReturnValueOnce(new Promise(() => {}));
  expect((await deputy.call('cancelMcpShopOrder', { orderId })).isError).toBe(false);
  expect(await expectKvEqualsLedger(human)).toMatchObject([{ id: orderId, status: 'cancelled' }]);
  await expectSound(human);
});

test('whichever KV operation of the first token fails, the deputy goes live once or the client starts over', async () => {
  for (let number = 1; ; number += 1) {
    const { human, clientId, code } = await consented();
    const seen = failAt(number);
    const broken = await redeem(clientId, code);
    vi.restoreAllMocks();
    vi.spyOn(console, 'error').mockImplementation(() => {});
    if (seen.count < number) {
      expect(broken.status).toBe(200);
      expect(number).toBeGreaterThan(2);
      break;
    }
    expect(broken.status, `operation ${number}`).toBeGreaterThanOrEqual(500);
    const again = await redeem(clientId, code);
    if (again.status === 200) {
      expect((await purchase(await again.json())).status).toBe(200);
    } else {
      expect(await again.json()).toMatchObject({ error: 'invalid_grant' });
      const { tokens } = await connected(human);
      expect((await purchase(tokens)).status).toBe(200);
    }
    expect((await recordOf(human).look({})).orders).toHaveLength(1);
    expect(new Set(await actsOf(human))).toEqual(new Set(['appointed', 'activated', 'buyMcpShopItem allowed']));
    await expectSound(human);
  }
});

test('whichever KV operation of a refresh fails, the client can refresh again', async () => {
  for (let number = 1; ; number += 1) {
    const { human, clientId, tokens } = await connected();
    const seen = failAt(number);
    const broken = await refresh(clientId, tokens);
    vi.restoreAllMocks();
    vi.spyOn(console, 'error').mockImplementation(() => {});
    if (seen.count < number) {
      expect(broken.status).toBe(200);
      expect(number).toBeGreaterThan(2);
      break;
    }
    expect(broken.status, `operation ${number}`).toBeGreaterThanOrEqual(500);
    const again = await refresh(clientId, tokens);
    expect(again.status, `after operation ${number}`).toBe(200);
    expect((await purchase(await again.json())).status).toBe(200);
    expect(await actsOf(human)).toEqual(['appointed', 'activated', 'buyMcpShopItem allowed']);
    await expectSound(human);
  }
});

test('whichever KV operation of the consent page fails, nobody is appointed by it', async () => {
  for (const step of ['show', 'answer'] as const) {
    for (let number = 1; ; number += 1) {
      const human = person();
      const path = authorizePath(await registeredClient());
      const shown = await human.walk(path);
      const seen = failAt(number);
      const page = step === 'show' ? await human.walk(path) : await human.browser.press(shown, 'Allow');
      vi.restoreAllMocks();
      vi.spyOn(console, 'error').mockImplementation(() => {});
      if (seen.count < number) {
        expect(number).toBeGreaterThan(1);
        break;
      }
      // A record of the consent that could not be removed is no reason to refuse what the human has said.
      if (page.left?.searchParams.has('code')) continue;
      expect(page.status, `${step} ${number}`).toBeGreaterThanOrEqual(400);
      const { deputies } = await recordOf(human).look({});
      expect(deputies.filter(({ status }) => status !== 'pending')).toEqual([]);
      const { tokens } = await connected(human);
      expect((await purchase(tokens)).status).toBe(200);
      await expectSound(human);
    }
  }
});

test('a revocation holds while its grant cannot be removed, which the next act of the human makes up for', async () => {
  const { human, clientId, tokens } = await connected();
  const { deputyId, grantId } = await theDeputy(human);
  const page = await human.browser.open(`/deputies/${deputyId}`);
  const failing = vi.spyOn(env.OAUTH_KV, 'delete').mockRejectedValue(new Error('KV is down'));
  expect((await human.browser.press(page, 'Dismiss this deputy')).status).toBe(200);
  await vi.waitUntil(() => failing.mock.calls.length > 0);
  expect((await purchase(tokens)).status).toBe(401);
  expect((await refresh(clientId, tokens)).status).toBe(400);
  const grant = `grant:${userIdOf(human.email)}:${grantId}`;
  expect(await env.OAUTH_KV.get(grant)).not.toBeNull();
  expect((await theDeputy(human)).grantId).toBe(grantId);

  vi.restoreAllMocks();
  await human.browser.press(await human.browser.open('/deputies'), 'Pause every deputy');
  await vi.waitUntil(async () => (await theDeputy(human)).grantId === undefined);
  expect(await env.OAUTH_KV.get(grant)).toBeNull();
  expect((await purchase(tokens)).status).toBe(401);
  expect((await recordOf(human).look({})).orders).toEqual([]);
  expect(await actsOf(human)).toEqual(['appointed', 'activated', 'revoked', 'buyMcpShopItem deputy_revoked', 'paused']);
  await expectSound(human);
});

test('a purchase that was decided before a revocation is answered as bought, although KV took its time', async () => {
  const { human, tokens } = await connected();
  const { deputyId } = await theDeputy(human);
  const { promise: late, resolve: arrive } = Promise.withResolvers<void>();
  const put = vi.spyOn(env.ORDERS, 'put').mockReturnValueOnce(late);
  const bought = purchase(tokens);
  await vi.waitUntil(() => put.mock.calls.length > 0);
  await recordOf(human).act({ do: 'revoke', deputyId });
  arrive();
  // A client that is told to sign in again would repeat the purchase, as another deputy, and so buy twice.
  expect(await messageOf(await bought)).toMatchObject({ result: { structuredContent: { status: 'success' } } });
  expect((await purchase(tokens)).status).toBe(401);
  expect((await recordOf(human).look({})).orders).toHaveLength(1);
  expect((await actsOf(human)).slice(2)).toEqual([
    'buyMcpShopItem allowed',
    'revoked',
    'buyMcpShopItem deputy_revoked',
  ]);
  await expectSound(human);
});

// ---------------------------------------------------------------- WorkOS fails

/** What a human has open in the browser, from before WorkOS went down; its token needs a refresh since. */
async function inAnOutage(path: string | ((deputyId: string) => string)) {
  const { human, tokens } = await connected();
  const before = await theDeputy(human);
  if (typeof path === 'string' && path === '/deputies/resume') await recordOf(human).act({ do: 'pause' });
  const page = await human.browser.open(typeof path === 'string' ? path : path(before.deputyId));
  expect(page.status).toBe(200);
  const acts = await actsOf(human);
  later(6 * MINUTE);
  workosIsDown();
  return { human, tokens, before, page, acts };
}

async function expectUnchanged({ human, before, acts }: Awaited<ReturnType<typeof inAnOutage>>, answer: Page) {
  expect(answer.status).toBe(502);
  expect(textOf(answer)).toContain('AuthKit cannot be reached');
  expect(await theDeputy(human)).toMatchObject({ mandate: before.mandate, status: before.status });
  expect(await actsOf(human)).toEqual(acts);
  await expectSound(human);
}

test('while WorkOS is down, the human can pause', async () => {
  const { human, tokens, page } = await inAnOutage('/deputies');
  await human.browser.press(page, 'Pause every deputy');
  expect((await recordOf(human).look({})).account.authority).toBe('paused');
  expect(await messageOf(await purchase(tokens))).toMatchObject({
    result: { structuredContent: { error: { code: 'paused' } } },
  });
  expect((await actsOf(human)).slice(-2)).toEqual(['paused', 'buyMcpShopItem paused']);
  await expectSound(human);
});

test('while WorkOS is down, the human can dismiss a deputy', async () => {
  const { human, tokens, page } = await inAnOutage((id) => `/deputies/${id}`);
  await human.browser.press(page, 'Dismiss this deputy');
  expect((await purchase(tokens)).status).toBe(401);
  expect(await theDeputy(human)).toMatchObject({ status: 'revoked' });
  await expectSound(human);
});

test('while WorkOS is down, the human can narrow a mandate, and nobody can widen it', async () => {
  const set = await inAnOutage((id) => `/deputies/${id}`);
  const { human, page } = set;
  await expectUnchanged(set, await human.browser.press(page, 'Change the mandate', { shirtsPerDay: '11' }));
  await human.browser.press(page, 'Change the mandate', { shirtsPerDay: '9' });
  expect((await theDeputy(human)).mandate.limits.shirtsPerDay).toBe(9);
  await expectSound(human);
});

test('while WorkOS is down, nobody can resume', async () => {
  const set = await inAnOutage('/deputies/resume');
  await expectUnchanged(set, await set.human.browser.press(set.page, 'Resume every deputy'));
  expect((await recordOf(set.human).look({})).account.authority).toBe('paused');
});

test('while WorkOS is down, nobody can change the ceiling or erase the record', async () => {
  const set = await inAnOutage('/deputies/ceiling');
  const { human, page } = set;
  await expectUnchanged(set, await human.browser.press(page, 'Set these limits', { shirtsPerDay: '99' }));
  vi.useRealTimers();
  vi.restoreAllMocks();
  const erase = await human.walk('/deputies/erase');
  later(6 * MINUTE);
  workosIsDown();
  await expectUnchanged(set, await human.browser.press(erase, 'Delete everything'));
});

test('while WorkOS is down nobody signs in, and afterwards the same human can', async () => {
  const human = person();
  const path = authorizePath(await registeredClient());
  const signIn = await human.browser.open(path);
  const down = workosIsDown();
  const page = await human.browser.press(signIn, 'Continue', { email: human.email });
  expect(page.status).toBe(502);
  expect(textOf(page)).toContain('AuthKit cannot be reached');
  expect([...human.browser.cookies.keys()].filter((name) => name.includes('session'))).toEqual([]);
  expect((await recordOf(human).look({})).deputies).toEqual([]);
  down.mockRestore();
  expect((await human.answer(path)).get('code')).toBeTruthy();
});

test('while WorkOS is down nobody consents, and the same page can be answered afterwards', async () => {
  const human = person();
  const page = await human.walk(authorizePath(await registeredClient()));
  later(6 * MINUTE);
  const down = workosIsDown();
  expect((await human.browser.press(page, 'Allow')).status).toBe(502);
  expect((await recordOf(human).look({})).deputies).toEqual([]);
  expect(await actsOf(human)).toEqual([]);
  down.mockRestore();
  expect((await human.browser.press(page, 'Allow')).left?.searchParams.get('code')).toBeTruthy();
  expect(await actsOf(human)).toEqual(['appointed']);
});

// ---------------------------------------------------------------- the object fails

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
  await objectOf(human).act({ do: 'resume' });
  const forms: [Page, string][] = [
    [consent, 'Allow'],
    [overview, 'Pause every deputy'],
    [resume, 'Resume every deputy'],
    [await human.browser.open(`/deputies/${deputyId}`), 'Dismiss this deputy'],
    [await human.browser.open(`/deputies/${deputyId}`), 'Change the mandate'],
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

test('a pause whose answer was lost holds, and pressed again it is still one line of the record', async () => {
  const { human, tokens } = await connected();
  const page = await human.browser.open('/deputies');
  const gone = unreachable({ after: true, method: 'act' });
  expect((await human.browser.press(page, 'Pause every deputy')).status).toBeGreaterThanOrEqual(500);
  gone.mockRestore();
  expect(await messageOf(await purchase(tokens))).toMatchObject({ result: { isError: true } });
  expect((await human.browser.press(page, 'Pause every deputy')).status).toBe(200);
  expect((await actsOf(human)).filter((act) => act === 'paused')).toHaveLength(1);
  expect((await recordOf(human).look({})).orders).toEqual([]);
  await expectSound(human);
});

test('a consent whose appointment was not answered gives no code, and what is left of it vanishes', async () => {
  const human = person();
  const page = await human.walk(authorizePath(await registeredClient()));
  const gone = unreachable({ after: true, method: 'appoint' });
  const answer = await human.browser.press(page, 'Allow');
  expect([answer.status >= 500, answer.left]).toEqual([true, undefined]);
  gone.mockRestore();
  expect(await theDeputy(human)).toMatchObject({ status: 'pending' });
  later(PENDING_FOR);
  expect((await recordOf(human).look({})).deputies).toEqual([]);
  await expectSound(human);
});

// ---------------------------------------------------------------- the object dies

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
  await runInDurableObject(recordOf(human), (instance: McpShopServer) => {
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
  vi.spyOn(console, 'error').mockImplementation(() => {});
  if (step === 'has its job' || step === 'is on its way to KV') {
    // Its job brings it to KV, without any request.
    later(60 * MINUTE);
    await runDurableObjectAlarm(recordOf(human));
    vi.useRealTimers();
    expect((await env.ORDERS.list({ prefix: `order:${userIdOf(human.email)}:` })).keys).toHaveLength(1);
  }
  const committed = step !== 'has arrived';
  expect((await recordOf(human).look({})).orders).toHaveLength(committed ? 1 : 0);

  const again = await deputy.call('buyMcpShopItem', { ...PURCHASE, idempotencyKey: 'one' });
  expect(again.isError).toBe(false);
  expect(await expectKvEqualsLedger(human)).toMatchObject([again.data['order']]);
  const acts = (await actsOf(human)).filter((act) => act === 'buyMcpShopItem allowed');
  expect(acts).toHaveLength(committed ? 2 : 1);
  expect((await linesOf(human)).filter((line) => line.actor === 'deputy' && line.order)).toHaveLength(1);
  await expectSound(human);
});

const ENDS: [string, (human: Person) => Promise<void>][] = [
  ['is evicted', (human) => evictDurableObject(recordOf(human))],
  ['dies', () => abortAllDurableObjects()],
];

test.each(ENDS)('what the human has done holds when the object %s right after it', async (_, end) => {
  const { human, tokens } = await connected();
  const { deputyId } = await theDeputy(human);
  const acts: Act[] = [
    { do: 'ceiling', ceiling: { shirtsPerDay: 3, spendPerDay: 7500 } },
    { do: 'pause' },
    { do: 'resume' },
    { do: 'revoke', deputyId },
  ];
  const seen: unknown[] = [];
  for (const act of acts) {
    await recordOf(human).act(act);
    await end(human);
    const { account, deputies } = await recordOf(human).look({});
    seen.push([account.ceiling.shirtsPerDay, account.authority, deputies[0]?.status]);
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
    runInDurableObject(recordOf(human), (_, { storage }) => {
      storage.sql.exec('UPDATE deputies SET appointed_at = ?', Date.now() - milliseconds);
    });
  await age(PENDING_FOR - MINUTE);
  const { deputyId } = await theDeputy(human);
  await age(PENDING_FOR);
  expect((await recordOf(human).look({})).deputies).toEqual([]);
  const response = await redeem(clientId, code);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: 'invalid_grant' });
  expect(await recordOf(human).activate(deputyId, 'grant')).toEqual({ problem: 'unknown_deputy' });
  // The provider has removed the grant, so that turning the clock back does not help.
  await age(0);
  expect((await redeem(clientId, code)).status).toBe(400);
  expect(await actsOf(human)).toEqual(['appointed']);
  await expectSound(human);
});

// ---------------------------------------------------------------- the record itself fails

test.each(ERAS)('a call of a %s client that cannot be recorded is not carried out', async (era) => {
  const human = person();
  const deputy = await deputyOf(human, era);
  const failing = vi.spyOn(AuditTrail.prototype, 'append').mockImplementation(() => {
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
  expect((await recordOf(human).look({})).orders).toEqual([]);
  expect(await expectKvEqualsLedger(human)).toEqual([]);

  const bought = await deputy.call('buyMcpShopItem', { ...PURCHASE, idempotencyKey: 'one' });
  expect(bought.data).toMatchObject({ status: 'success', message: expect.stringContaining('Ordered') });
  expect(await expectKvEqualsLedger(human)).toHaveLength(1);
  await expectSound(human);
});

test('a purchase whose line fails alone is refused, undone, and recorded as an error of ours', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  vi.spyOn(AuditTrail.prototype, 'append').mockImplementationOnce(() => {
    throw new Error('the disk is full');
  });
  const { isError, data } = await deputy.call('buyMcpShopItem', PURCHASE);
  expect([isError, data]).toMatchObject([true, { error: { code: 'internal_error' } }]);
  expect(await expectKvEqualsLedger(human)).toEqual([]);
  expect((await recordOf(human).look({})).used).toEqual({ shirts: 0, spend: 0 });
  expect(await actsOf(human)).toEqual(['appointed', 'activated', 'buyMcpShopItem internal_error']);
  await expectSound(human);
});

test.each(ERAS)('a %s call without its scope whose line fails is still refused for its scope', async (era) => {
  const human = person();
  human.ticks = ['orders:read'];
  const { accessToken } = await deputyOf(human, era);
  vi.spyOn(AuditTrail.prototype, 'append').mockImplementationOnce(() => {
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
    [await human.browser.open('/deputies'), 'Pause every deputy', {}],
    [await human.browser.open(`/deputies/${deputyId}`), 'Change the mandate', { shirtsPerDay: '9' }],
    [await human.browser.open(`/deputies/${deputyId}`), 'Dismiss this deputy', {}],
    [await human.browser.open('/deputies/ceiling'), 'Set these limits', { shirtsPerDay: '99' }],
    [await human.browser.open('/deputies/erase'), 'Delete everything', {}],
  ];
  const { account, deputies, head } = await recordOf(human).look({});
  const failing = vi.spyOn(AuditTrail.prototype, 'append').mockImplementation(() => {
    throw new Error('the disk is full');
  });
  for (const [page, button, fields] of forms) {
    const answer = await human.browser.press(page, button, fields);
    expect(answer.status, button).toBeGreaterThanOrEqual(500);
    expect(answer.left).toBeUndefined();
  }
  expect((await redeem(waiting.clientId, waiting.code)).status).toBe(503);
  failing.mockRestore();
  expect(await recordOf(human).look({})).toMatchObject({ account, deputies, head });
  expect((await redeem(waiting.clientId, waiting.code)).status).toBe(200);
  expect((await purchase(tokens)).status).toBe(200);
  await expectSound(human);
});

// ---------------------------------------------------------------- the export fails

/** Switches the export on, as a deployment with an organization does. */
function exporting(human: Person): Promise<void> {
  return runInDurableObject(recordOf(human), (instance) => {
    const { env: own } = instance as unknown as { env: object };
    Object.assign(instance, { env: { ...own, WORKOS_AUDIT_LOGS_ORGANIZATION: 'org_local' } });
  });
}

/** The lines that WorkOS has, by their idempotency keys. */
async function exported(human: Person): Promise<number[]> {
  const { recordId } = (await recordOf(human).look({})).account;
  const prefix = `local-authkit:audit:${recordId}-`;
  const { keys } = await env.OAUTH_KV.list({ prefix });
  return keys.map(({ name }) => Number(name.slice(prefix.length))).toSorted((one, other) => one - other);
}

async function runExport(human: Person): Promise<void> {
  later(60 * MINUTE);
  await runDurableObjectAlarm(recordOf(human));
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n + 1);
}

test('lines that WorkOS refuses, or whose answer is lost, get there once each when it is back', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  await exporting(human);
  for (let calls = 0; calls < 3; calls += 1) await deputy.call('listMcpShopInventory');
  hurry();
  const real = env.OAUTH_KV.put.bind(env.OAUTH_KV) as (...args: unknown[]) => Promise<void>;
  const sent: number[] = [];
  const flaky = vi.spyOn(env.OAUTH_KV, 'put').mockImplementation(async (...args: unknown[]) => {
    const line = /^local-authkit:audit:.*-(\d+)$/.exec(String(args[0]))?.[1];
    if (line === '4') throw new Error('WorkOS is down');
    await real(...args);
    if (line !== undefined) sent.push(Number(line));
    if (line === '3') throw new Error('the answer was lost');
  });
  await runExport(human);
  await runExport(human);
  expect(await exported(human)).toEqual([1, 2, 3]);
  flaky.mockRestore();
  await deputy.call('listMcpShopInventory');
  await runExport(human);
  expect(await exported(human)).toEqual(upTo(6));
  // WorkOS keeps the first event of a key: what it had was offered again, and not stored twice.
  expect(sent).toEqual([1, 2, 3]);
  await expectSound(human);
});

test('an object that dies while it exports goes on where it was, and sends no line twice', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2025-11-25');
  await exporting(human);
  await deputy.call('listMcpShopInventory');
  let reached = false;
  const real = env.OAUTH_KV.put.bind(env.OAUTH_KV) as (...args: unknown[]) => Promise<void>;
  const stuck = vi.spyOn(env.OAUTH_KV, 'put').mockImplementation(async (...args: unknown[]) => {
    await real(...args);
    if (!String(args[0]).endsWith('-2')) return;
    reached = true;
    await new Promise(() => {});
  });
  const run = runExport(human).catch(() => undefined);
  await vi.waitUntil(() => reached);
  await abortAllDurableObjects();
  await run;
  stuck.mockRestore();
  await exporting(human);
  await deputy.call('listMcpShopInventory');
  for (let runs = 0; runs < 3; runs += 1) await runExport(human);
  expect(await exported(human)).toEqual(upTo(4));
  await expectSound(human);
});
