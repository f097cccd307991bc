/**
 * Mallory floods the routes that anybody may call, to fill the store, to shut others out, or to find out from the answers
 * which clients exist. Each address has a limit on each route, all together have one, and the answer tells nothing.
 */
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { tooMany } from '../../src/edge/abuse.ts';
import { authorizePath, registeredClient, send } from '../support/http.ts';
import { ORIGIN } from '../support/worker.ts';

/** What wrangler.toml allows one address on one route within a minute. */
const ADDRESS_LIMIT = 300;

let addresses = 0;
/** An address in a network that no other test uses. */
const newAddress = () => `2001:db8:0:${(addresses += 1)}::1`;

async function statusFrom(address: string, path: string, method = 'GET'): Promise<number> {
  const response = await send(path, { method, headers: { 'CF-Connecting-IP': address } });
  await response.body?.cancel();
  return response.status;
}

async function flood(address: string, path: string, method = 'GET'): Promise<number[]> {
  return Promise.all(Array.from({ length: ADDRESS_LIMIT }, () => statusFrom(address, path, method)));
}

/** The local limiter counts by the minute of the clock; a story that runs across the turn of one is told again. */
async function withinOneMinute(story: () => Promise<void>): Promise<void> {
  const minute = () => Math.floor(Date.now() / 60_000);
  const start = minute();
  try {
    await story();
  } catch (error) {
    if (minute() === start) throw error;
    await story();
  }
}

test('one registration too many within a minute is refused, with when to come back', () =>
  withinOneMinute(async () => {
    const address = newAddress();
    // Not even valid: what is limited is asking.
    expect(await flood(address, '/register', 'POST')).not.toContain(429);
    const refused = await send('/register', { method: 'POST', headers: { 'CF-Connecting-IP': address } });
    expect(refused.status).toBe(429);
    expect(refused.headers.get('Retry-After')).toBe('60');
    expect(await refused.json()).toMatchObject({ error: 'temporarily_unavailable' });
  }));

test('a flood stops neither another address nor another route', () =>
  withinOneMinute(async () => {
    const address = newAddress();
    await flood(address, '/login');
    expect(await statusFrom(address, '/login')).toBe(429);
    // One IPv6 customer has all of a network.
    expect(await statusFrom(address.replace(/::1$/, ':ffff:0:0:2'), '/login')).toBe(429);
    expect(await statusFrom(newAddress(), '/login')).toBe(302);
    expect(await statusFrom(address, authorizePath('nobody'))).toBe(400);
  }));

test.each(['/%6Cogin', '/%61uthorize'])('%s is limited like the route that it is', (path) =>
  withinOneMinute(async () => {
    const address = newAddress();
    await flood(address, path);
    expect(await statusFrom(address, path)).toBe(429);
    expect(await statusFrom(address, decodeURIComponent(path))).toBe(429);
  }),
);

test('a refused /authorize says the same whether or not the client exists', () =>
  withinOneMinute(async () => {
    const address = newAddress();
    const known = authorizePath(await registeredClient());
    await flood(address, authorizePath('nobody'));
    const [first, second] = await Promise.all(
      [known, authorizePath('nobody')].map(async (path) => {
        const response = await send(path, { headers: { 'CF-Connecting-IP': address } });
        return { status: response.status, headers: [...response.headers], body: await response.text() };
      }),
    );
    expect(first).toMatchObject({ status: 429, body: expect.stringContaining('Wait a minute') });
    expect(first?.headers).toContainEqual(['retry-after', '60']);
    expect(second).toEqual(first);
  }));

test.each(['/register', '/authorize', '/login'])(
  'a flood of %s from many addresses meets the limit of all',
  async (path) => {
    let [byAddress, byAll] = [true, 0];
    const limited = {
      ...env,
      ADDRESS_LIMIT: { limit: async () => ({ success: byAddress }) },
      TOTAL_LIMIT: { limit: async () => ({ success: (byAll += 1) <= 2 }) },
    };
    const ask = async () => (await tooMany(new Request(ORIGIN + path), limited))?.status;
    expect([await ask(), await ask(), await ask()]).toEqual([undefined, undefined, 429]);
    // What one address has too much does not count for the others.
    byAddress = false;
    expect(await ask()).toBe(429);
    expect(byAll).toBe(3);
    // A cookie can be made up.
    const headers = { Cookie: '__Host-mcp-shop-session=1' };
    expect((await tooMany(new Request(ORIGIN + path, { headers }), limited))?.status).toBe(429);
  },
);

test('what deputies and signed-in humans need is not limited with strangers', async () => {
  const limit = { limit: async () => ({ success: false }) };
  const limited = { ...env, ADDRESS_LIMIT: limit, TOTAL_LIMIT: limit };
  for (const path of ['/mcp', '/token', '/deputies', '/deputies/pause', '/callback', '/']) {
    expect(await tooMany(new Request(ORIGIN + path), limited), path).toBeUndefined();
  }
});

test('two hundred people behind one address sign in within a minute, and who comes too late reads when to try again', () =>
  withinOneMinute(async () => {
    const address = newAddress();
    const headers = { 'CF-Connecting-IP': address };
    const begun = { ...headers, Cookie: '__Host-mcp-shop-sign-in-a=b' };
    const steps = [
      () => send('/register', { method: 'POST', headers }),
      () => send(authorizePath('nobody'), { headers }),
      () => send('/login', { headers }),
      () => send(authorizePath('nobody'), { headers: begun }),
      () => send(authorizePath('nobody'), { method: 'POST', headers: begun }),
      () => send('/token', { method: 'POST', headers }),
    ];
    const asked = Array.from({ length: 200 }, () => steps.map((step) => step())).flat();
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses).not.toContain(429);

    await flood(address, '/login');
    const late = await send('/login', { headers });
    expect(late.status).toBe(429);
    expect(late.headers.get('Content-Type')).toContain('text/html');
    expect(await late.text()).toContain('Wait a minute, then <a href="">try again</a>');
  }));
