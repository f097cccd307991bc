/**
 * Nobody attacks, but the human's browser and the client are on two continents, and KV shows a write elsewhere a minute
 * later. Each sign-in succeeds at once all the same, and what was revoked stays so. Mallory, who makes tokens up, has
 * no more than a few of them asked for.
 */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import { Deputy, ERAS } from '../../src/dev/clients.ts';
import type { FreshKeys } from '../../src/edge/fresh-keys.ts';
import { Chance } from '../proof/faults/chance.ts';
import { AT_ONCE_MS, signInFarAway, wanderer } from '../proof/faults/far-sign-in.ts';
import { Places } from '../proof/faults/places.ts';
import { callMessage, registeredClient, rpc } from '../support/http.ts';
import { connected } from '../support/outages.ts';
import { ORIGIN, workerFetch } from '../support/worker.ts';

/** `pnpm prove faults` makes ten thousand. */
const SIGN_INS = 6;
const KEPT_MS = 10 * 60_000;

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test('a sign-in whose every request lands at another place needs no second try, and its revocation holds', async () => {
  const places = new Places(new Chance(crypto.getRandomValues(new Uint32Array(1))[0] ?? 0));
  places.begin();
  const humans = [wanderer(places), wanderer(places)];
  for (let count = 0; count < SIGN_INS; count += 1) {
    for (const human of humans) expect(await signInFarAway(places, human)).toEqual([]);
  }
});

test.each(ERAS)('a %s client asks its human once', async (era) => {
  const places = new Places(new Chance(1));
  places.begin();
  const human = wanderer(places);
  const deputy = await Deputy.connect(era, human, ORIGIN, (input, init) => {
    places.move(AT_ONCE_MS);
    return workerFetch(input, init);
  });
  expect((await deputy.call('listMcpShopInventory')).isError).toBe(false);
  expect(deputy.credentials.asked).toBe(1);
});

test('a call of a known deputy asks KV alone for its token', async () => {
  const { tokens } = await connected();
  const asked = vi.spyOn(env.FRESH_KEYS, 'getByName');
  expect((await rpc(tokens.access_token, callMessage('listMcpShopInventory'))).status).toBe(200);
  expect(asked).not.toHaveBeenCalled();
});

test('a token that was made up is asked for once, and no more when its address has brought too many', async () => {
  const asked = vi.spyOn(env.FRESH_KEYS, 'getByName');
  const call = () => rpc(`user_mallory:${'g'.repeat(16)}:${'s'.repeat(32)}`, callMessage('listMcpShopInventory'));
  expect((await call()).status).toBe(401);
  expect(asked).toHaveBeenCalledTimes(1);

  vi.spyOn(env.WIDE_LIMIT, 'limit').mockResolvedValue({ success: false });
  const refused = await call();
  expect(refused.status).toBe(429);
  expect(refused.headers.get('Retry-After')).toBe('60');
  expect(asked).toHaveBeenCalledTimes(1);
});

test('what was kept is gone when KV has had its time', async () => {
  const key = `client:${await registeredClient()}`;
  const keeps = (shard: DurableObjectStub<FreshKeys>) =>
    runInDurableObject(shard, (_, { storage: { sql } }) =>
      sql.exec('SELECT 1 FROM fresh WHERE key = ?', key).toArray(),
    );
  const shards = [...Array(16).keys()].map((number) => env.FRESH_KEYS.getByName(String(number)));
  const left = async () => (await Promise.all(shards.map(keeps))).flat().length;
  expect(await left()).toBe(1);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + KEPT_MS });
  for (const shard of shards) await runDurableObjectAlarm(shard);
  expect(await left()).toBe(0);
});
