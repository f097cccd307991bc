/** KV fails: nothing that was bought is lost or doubled, and nobody is appointed, or kept from being dismissed, by it. */
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import { authorizePath, messageOf, redeem, registeredClient } from '../support/http.ts';
import {
  actsOf,
  connected,
  consented,
  expectKvEqualsLedger,
  expectSound,
  ordersOf,
  purchase,
  quiet,
  refresh,
  theDeputy,
} from '../support/outages.ts';
import { deputyOf, objectOf, person } from '../support/people.ts';
import { buy } from '../support/shop.ts';

beforeEach(quiet);
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

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
    quiet();
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
    expect(await ordersOf(human)).toHaveLength(1);
    // What was handed out by an exchange that broke off is taken back when the client starts over.
    const acts = new Set((await actsOf(human)).filter((act) => act !== 'resigned'));
    expect(acts).toEqual(new Set(['appointed', 'activated', 'buyMcpShopItem allowed']));
    await expectSound(human);
  }
});

test('whichever KV operation of a refresh fails, the client can refresh again', async () => {
  for (let number = 1; ; number += 1) {
    const { human, clientId, tokens } = await connected();
    const seen = failAt(number);
    const broken = await refresh(clientId, tokens);
    vi.restoreAllMocks();
    quiet();
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
      quiet();
      if (seen.count < number) {
        expect(number).toBeGreaterThan(1);
        break;
      }
      // A record of the consent that could not be removed is no reason to refuse what the human has said.
      if (page.left?.searchParams.has('code')) continue;
      expect(page.status, `${step} ${number}`).toBeGreaterThanOrEqual(400);
      const { deputies } = await objectOf(human).look({});
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
  expect((await human.browser.press(page, 'Dismiss for good')).status).toBe(200);
  await vi.waitUntil(() => failing.mock.calls.length > 0);
  expect((await purchase(tokens)).status).toBe(401);
  expect((await refresh(clientId, tokens)).status).toBe(400);
  const grant = `grant:${userIdOf(human.email)}:${grantId}`;
  expect(await env.OAUTH_KV.get(grant)).not.toBeNull();
  expect((await theDeputy(human)).grantId).toBe(grantId);

  vi.restoreAllMocks();
  await human.browser.press(await human.browser.open('/deputies'), 'Stop all');
  await vi.waitUntil(async () => (await theDeputy(human)).grantId === undefined);
  expect(await env.OAUTH_KV.get(grant)).toBeNull();
  expect((await purchase(tokens)).status).toBe(401);
  expect(await ordersOf(human)).toEqual([]);
  const knock = 'buyMcpShopItem deputy_revoked';
  expect(await actsOf(human)).toEqual(['appointed', 'activated', 'revoked', knock, 'paused', knock]);
  await expectSound(human);
});

test('a purchase that was decided before a revocation is answered as bought, although KV took its time', async () => {
  const { human, tokens } = await connected();
  const { deputyId } = await theDeputy(human);
  const { promise: late, resolve: arrive } = Promise.withResolvers<void>();
  const put = vi.spyOn(env.ORDERS, 'put').mockReturnValueOnce(late);
  const bought = purchase(tokens);
  await vi.waitUntil(() => put.mock.calls.length > 0);
  await objectOf(human).act({ do: 'revoke', deputyId });
  arrive();
  // A client that is told to sign in again would repeat the purchase, as another deputy, and so buy twice.
  expect(await messageOf(await bought)).toMatchObject({ result: { structuredContent: { status: 'success' } } });
  expect((await purchase(tokens)).status).toBe(401);
  expect(await ordersOf(human)).toHaveLength(1);
  expect((await actsOf(human)).slice(2)).toEqual([
    'buyMcpShopItem allowed',
    'revoked',
    'buyMcpShopItem deputy_revoked',
  ]);
  await expectSound(human);
});
