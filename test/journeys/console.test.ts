/** The human's page: see who acts, pause, resume, dismiss, change, verify, erase. Through its forms, without script. */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import { type Page, textOf } from '../../src/dev/browser.ts';
import { type Deputy, ERAS, type Person } from '../../src/dev/clients.ts';
import { Effects } from '../../src/ledger/effects.ts';
import { RecordLines } from '../../src/ledger/record.ts';
import type { OrderData } from '../../src/shop/order.ts';
import { authorizePath, callMessage, redeem, registeredClient, rpc, send } from '../support/http.ts';
import { deputyOf, objectOf, person, resumption } from '../support/people.ts';
import { buy, PURCHASE } from '../support/shop.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function codeOf(deputy: Deputy, name = 'listMcpShopInventory', args: Record<string, unknown> = {}) {
  const { data } = await deputy.call(name, args);
  return (data['error'] as { code: string } | undefined)?.code;
}

const consoleOf = (human: Person) => human.browser.open('/deputies');
const status = async ({ accessToken }: Deputy) => (await rpc(accessToken, callMessage('listMcpShopInventory'))).status;

/** The page of the human's newest deputy. */
async function deputyPage(human: Person): Promise<Page> {
  const page = await consoleOf(human);
  const [, path = ''] = /href="(\/deputies\/dep_[^"]+)"/.exec(page.html) ?? [];
  return human.browser.open(path);
}

test('the page shows who acts, what each may do, what is left, what was ordered and what happened', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28', 'Shopping buddy');
  const order = await buy(deputy, { quantity: 2, color: 'blue' });
  await codeOf(deputy, 'buyMcpShopItem', { ...PURCHASE, quantity: 50 });
  const page = await consoleOf(human);
  const text = textOf(page);
  expect(text).toContain(human.email);
  expect(text).toContain('One deputy acts for you');
  expect(text).toContain('Together they may still buy 8 shirts, $200 today.');
  expect(text).toContain('Shopping buddy unverified');
  expect(text).toContain('5 shirts an order, asks above 3 shirts, until');
  expect(text).toContain('Shopping buddy may look around the shop, buy shirts and cancel orders');
  expect(text).toContain('8 of 10 shirts left');
  expect(text).toContain('You appointed Shopping buddy');
  expect(text).toContain('Shopping buddy bought 2 blue shirts, L order 1');
  expect(text).toMatch(/Shopping buddy tried to buy 50 shirts ?Refused you allow it 5 shirts in one order \$1,250/);
  const orders = textOf(await human.browser.open('/deputies/orders'));
  expect(orders).toContain('Order 1: 2 blue shirts, L, bought by Shopping buddy');
  expect(orders).toContain(`For ${order.company}. Sent to ${order.mailingAddress}. ${order.id} $50`);
  const limits = textOf(await human.browser.open('/deputies/ceiling'));
  expect(limits).toContain('They bind all your deputies together');
  const record = textOf(await human.browser.open('/deputies/record'));
  expect(record).toContain('You appointed Shopping buddy. It may look around');
  expect(page.headers.get('Cache-Control')).toBe('no-store');
});

test('a press that changes nothing claims nothing that came before it', async () => {
  const human = person();
  await deputyOf(human, '2026-07-28', 'Held');
  const page = await deputyPage(human);
  expect(textOf(await human.browser.press(page, 'Dismiss for good'))).toContain('You dismissed Held. Its next call');
  await objectOf(human).act({ do: 'ceiling', ceiling: { shirtsPerDay: 7 }, version: 0 });
  for (const button of ['Dismiss for good', 'Pause']) {
    const again = await human.browser.press(page, button);
    expect([button, again.status]).toEqual([button, 200]);
    expect(again.html).not.toContain('class="notes');
  }
});

test('a refusal that another version recorded is told by its rule', async () => {
  const human = person();
  await deputyOf(human, '2026-07-28', 'Old hand');
  const [{ deputyId } = { deputyId: '' }] = (await objectOf(human).look({})).deputies;
  await runInDurableObject(objectOf(human), (_, { storage }) => {
    const record = new RecordLines(storage.sql);
    const tool = {
      tool: 'rentShirts',
      decision: 'refused',
      code: 'yearly_limit',
      limit: 'shirtsPerYear',
      most: 9,
    } as const;
    const rule = 'At most 9 shirts in any year.';
    record.append({ actor: 'deputy', deputy: deputyId, client: 'old', ...tool, rule }, record.head(), Date.now());
  });
  expect(textOf(await consoleOf(human))).toContain('Old hand tried to rentShirts Refused At most 9 shirts in any year');
});

test('every page forbids what it does not need: other hosts, inline scripts and styles, frames', async () => {
  const human = person();
  await deputyOf(human, '2026-07-28');
  const pages = [await human.browser.open('/'), await consoleOf(human), await deputyPage(human)];
  pages.push(await human.walk(authorizePath(await registeredClient())), await human.browser.open('/nowhere'));
  for (const path of ['all', 'orders', 'resume', 'ceiling', 'erase', 'verify', 'live', 'dep_nobody']) {
    pages.push(await human.browser.open(`/deputies/${path}`));
  }
  for (const { url, headers, html } of pages) {
    expect(headers.get('Content-Security-Policy'), url.pathname).toBe(
      "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    expect(headers.get('X-Frame-Options'), url.pathname).toBe('DENY');
    expect(html, url.pathname).not.toMatch(/ style=|<style| on[a-z]+=|javascript:/);
  }
});

test('the page needs one request to the object', async () => {
  const human = person();
  await buy(await deputyOf(human, '2025-11-25'));
  const asked: PropertyKey[] = [];
  const getByName = env.MCP_OBJECT.getByName.bind(env.MCP_OBJECT);
  vi.spyOn(env.MCP_OBJECT, 'getByName').mockImplementation((name) => {
    const stub = getByName(name);
    return new Proxy(stub, {
      get(_, method) {
        asked.push(method);
        return Reflect.get(stub, method) as unknown;
      },
    });
  });
  expect((await consoleOf(human)).status).toBe(200);
  expect(asked).toEqual(['look']);
});

test('orders that the page does not show are on pages of their own, newest first, each once', async () => {
  const human = person();
  human.blanks = { shirtsPerDay: '20', spendPerDay: '500' };
  await deputyOf(human, '2026-07-28');
  await runInDurableObject(objectOf(human), (_, { storage }) => {
    const effects = new Effects(storage.sql, true);
    for (let number = 1; number <= 120; number += 1) {
      const { mailingAddress } = PURCHASE;
      const company = `Company ${number}!`;
      const data: OrderData = {
        email: human.email,
        company,
        mailingAddress,
        tshirtSize: 'L',
        color: 'blue',
        unitPrice: 2500,
      };
      const left = { state: 'confirmed', amounts: { shirts: 1, spend: 2500 }, data: JSON.stringify(data) };
      effects.make({ deputyId: 'dep_test', clientId: 'test' }, left, { line: number, now: Date.now() });
    }
  });
  const companies = (page: Page) => [...page.html.matchAll(/Company (\d+)!/g)].map(([, number]) => Number(number));
  expect(textOf(await consoleOf(human))).toContain('All 120 orders');
  let page = await human.browser.open('/deputies/orders');
  const seen = companies(page);
  for (let older = olderOn(page); older; older = olderOn(page)) {
    page = await human.browser.open(older);
    seen.push(...companies(page));
  }
  expect(seen).toEqual(Array.from({ length: 120 }, (_, index) => 120 - index));
  expect(textOf(page)).toContain('Newest');
  expect(textOf(await human.browser.open('/deputies/orders?before=1'))).toContain('No older ones.');
  expect(companies(await human.browser.open('/deputies/orders?before=nonsense'))).toHaveLength(50);
});

const olderOn = ({ html }: Page) => /href="(\/deputies\/orders\?before=\d+)"/.exec(html)?.[1];

const afterOn = ({ html }: Page) => /href="(\/deputies\/all\?after=[^"]+)"/.exec(html)?.[1];

test('of very many deputies the page shows a dozen, and all of them are on pages of their own', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28', 'The first one');
  await runInDurableObject(objectOf(human), (_, { storage: { sql } }) => {
    const columns = sql
      .exec('SELECT * FROM deputies LIMIT 1')
      .columnNames.filter((name) => name !== 'deputy_id' && name !== 'client_name' && name !== 'status')
      .join(', ');
    sql.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
      INSERT INTO deputies (deputy_id, client_name, status, ${columns})
      SELECT 'dep_' || i, 'Agent ' || i || '!', iif(i % 2, 'active', 'revoked'), ${columns} FROM n, deputies LIMIT 500`);
  });
  const named = (page: Page) =>
    [...page.html.matchAll(/<h2><bdi>(Agent \d+!|The first one)<\/bdi>/g)].map(([, name]) => name);
  const overview = await consoleOf(human);
  expect(textOf(overview)).toContain('251 deputies act for you');
  expect(named(overview)).toHaveLength(12);
  expect(textOf(overview)).toContain('And 239 more: all deputies.');
  let page = await human.browser.open('/deputies/all');
  const seen = named(page);
  for (let next = afterOn(page); next; next = afterOn(page)) {
    page = await human.browser.open(next);
    seen.push(...named(page));
  }
  expect(seen).toHaveLength(501);
  expect(new Set(seen).size).toBe(501);
  expect(await codeOf(deputy)).toBeUndefined();
});

test('whoever is not signed in is asked to, and comes back to the page', async () => {
  const human = person();
  const signIn = await consoleOf(human);
  expect(signIn.html).toContain('name="email"');
  const page = await human.browser.press(signIn, 'Continue', { email: human.email });
  expect(page.url.pathname).toBe('/deputies');
  expect(textOf(page)).toContain('Nobody acts for you');
  expect(textOf(page)).toContain('Give this server’s address to an AI agent.');
});

test.each(ERAS)(
  'one press pauses every deputy, those that sign in later included, until the human resumes',
  async (era) => {
    const human = person();
    const first = await deputyOf(human, era);
    const second = await deputyOf(human, '2026-07-28');
    const stranger = await deputyOf(person(), era);
    await buy(first);
    await buy(first);
    const paused = await human.browser.press(await consoleOf(human), 'Stop all');
    expect(textOf(paused)).toMatch(/Stopped .*\d+ ms and it held Order 2 was the last 0 attempts refused since/);
    expect(paused.html).toContain('<title>Stopped ·');
    expect(paused.html).toContain('data-authority="paused"');
    for (const deputy of [first, second, await deputyOf(human, era)]) {
      for (const tool of [
        'buyMcpShopItem',
        'listMcpShopInventory',
        'listMcpShopOrders',
        'prettyPlease',
        'getMyMandate',
      ]) {
        expect(await codeOf(deputy, tool, tool === 'buyMcpShopItem' ? PURCHASE : {}), tool).toBe('paused');
      }
      expect(await status(deputy), 'a paused deputy keeps its token').toBe(200);
    }
    expect(await codeOf(stranger)).toBeUndefined();

    const careful = await human.browser.open('/deputies/resume');
    expect(textOf(await consoleOf(human))).toMatch(/ 18 attempts refused since/);
    expect(textOf(careful)).toContain('These may act for you again');
    const resumed = await human.browser.press(careful, 'Let these go on');
    expect(textOf(resumed)).toContain('You let your deputies go on.');
    expect(resumed.html).toContain('data-authority="active"');
    for (const deputy of [first, second]) expect(await codeOf(deputy)).toBeUndefined();
  },
);

test('the consent page says that deputies are paused', async () => {
  const human = person();
  await human.walk('/login?return_to=/');
  await objectOf(human).act({ do: 'pause' });
  expect(textOf(await human.walk(authorizePath(await registeredClient())))).toContain(
    'Your deputies are stopped. This one will be too',
  );
});

test('deputies of one name are told apart by when they were appointed', async () => {
  const human = person();
  await deputyOf(human, '2025-11-25', 'Claude');
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
  await deputyOf(human, '2026-07-28', 'Claude');
  const { html } = await consoleOf(human);
  const links = [...html.matchAll(/aria-label="Change or dismiss ([^"]+)"/g)].map(([, name]) => name);
  expect(links).toHaveLength(2);
  expect(new Set(links).size).toBe(2);
  const record = await human.browser.open('/deputies/record');
  const choices = [...record.html.matchAll(/<option value="dep_[^"]+">([^<]+)</g)].map(([, name]) => name);
  expect(new Set(choices).size).toBe(2);
  for (const name of choices) expect(name).toMatch(/^Claude of \d\d-\d\d \d\d:\d\d:\d\d$/);
});

test('a part of the record leads back to all of it, and says what it is filtered by', async () => {
  const human = person();
  await deputyOf(human, '2025-11-25');
  for (const query of ['before=2', 'deputy=dep_gone', 'tool=noSuchTool', 'decision=refused']) {
    const { html } = await human.browser.open(`/deputies/record?${query}`);
    expect(html, query).toContain('<a href="/deputies/record">Show all, from the newest</a>');
    const [name = '', value = ''] = query.split('=');
    if (name !== 'before') expect(html).toMatch(new RegExp(`<option value="${value}" selected`));
  }
  expect((await human.browser.open('/deputies/record')).html).not.toContain('Show all');
});

test('addresses that a person might open or keep lead to the page', async () => {
  const human = person();
  await deputyOf(human, '2025-11-25');
  for (const path of ['/deputies/', '/deputies/pause', '/deputies/resume']) {
    expect((await human.browser.open(path)).url.pathname, path).toBe('/deputies');
  }
  const [{ deputyId } = { deputyId: '' }] = (await objectOf(human).look({})).deputies;
  for (const act of ['pause', 'resume', 'revoke', 'name'])
    expect((await human.browser.open(`/deputies/${deputyId}/${act}`)).url.pathname, act).toBe(`/deputies/${deputyId}`);
  expect((await human.browser.open('/deputies/all/')).url.pathname).toBe('/deputies/all');
});

test('each press of the pause counts, on an old page too, and only the last one can be lifted', async () => {
  const human = person();
  await deputyOf(human, '2025-11-25');
  const page = await consoleOf(human);
  const first = await human.browser.press(page, 'Stop all');
  expect(textOf(first)).toMatch(/\d+ ms and it held/);
  const before = await objectOf(human).look({});
  const second = await human.browser.press(page, 'Stop all');
  expect(textOf(second)).toMatch(/\d+ ms and it held/);
  const { account } = await objectOf(human).look({});
  expect(account.authority).toBe('paused');
  expect(account.authoritySequence).toBeGreaterThan(before.account.authoritySequence ?? 0);
  const old = { do: 'resume' as const, pause: before.account.authoritySequence ?? 0 };
  expect(await objectOf(human).act(old)).toEqual({ problem: 'stale' });
});

test.each(ERAS)('a dismissed %s deputy gets 401 at its next call, and its grant is gone', async (era) => {
  const human = person();
  const dismissed = await deputyOf(human, '2025-11-25', 'Stays');
  await deputyOf(human, era, 'Leaves');
  const [leaving] = (await objectOf(human).look({})).deputies;
  const page = await human.browser.open(`/deputies/${leaving?.deputyId}`);
  expect(textOf(page)).toContain('Leaves');
  const overview = await human.browser.press(page, 'Dismiss for good');
  expect(textOf(overview)).toContain('You dismissed Leaves.');
  expect(textOf(await human.browser.open('/deputies/all'))).toContain('Leaves unverified dismissed');
  expect(await codeOf(dismissed)).toBeUndefined();
  const grantsOf = async () => (await env.OAUTH_KV.list({ prefix: `grant:${userIdOf(human.email)}:` })).keys;
  await vi.waitUntil(async () => (await grantsOf()).length === 1);
  expect(
    (await objectOf(human).look({})).deputies.find(({ status: now }) => now === 'revoked')?.grantId,
  ).toBeUndefined();
});

test.each(ERAS)('a dismissed %s deputy that signs in again is a new one, which the human sees', async (era) => {
  const human = person();
  const deputy = await deputyOf(human, era);
  await human.browser.press(await deputyPage(human), 'Dismiss for good');
  expect(await status(deputy)).toBe(401);
  expect(await codeOf(deputy)).toBeUndefined();
  expect(deputy.credentials.asked).toBe(2);
  expect((await objectOf(human).look({})).deputies.map(({ status: now }) => now).toSorted()).toEqual([
    'active',
    'revoked',
  ]);
});

test('a mandate can be narrowed, and the next call feels it', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  const page = await human.browser.press(await deputyPage(human), 'Sign the new terms', {
    shirtsPerOrder: '1',
    askAbove: '',
    scope: ['shop:buy'],
  });
  expect(textOf(page)).toContain('You changed the terms of Test client');
  expect(await codeOf(deputy, 'buyMcpShopItem', { ...PURCHASE, quantity: 2 })).toBe('act_limit');
  const listing = await rpc(deputy.accessToken, callMessage('listMcpShopOrders'));
  expect(listing.status).toBe(403);
  expect((await deputy.call('getMyMandate')).data['mandate']).toMatchObject({ version: 2 });
});

test('a mandate can be widened up to what the account allows, and be given more time', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  const page = await deputyPage(human);
  const tooMuch = await human.browser.press(page, 'Sign the new terms', { shirtsPerDay: '21' });
  expect(tooMuch.status).toBe(400);
  expect(textOf(tooMuch)).toContain('Your account allows 20 shirts');
  await human.browser.press(page, 'Sign the new terms', { shirtsPerOrder: '8', askAbove: '', until: 'month' });
  expect((await deputy.call('buyMcpShopItem', { ...PURCHASE, quantity: 8 })).isError).toBe(false);
  const { expiresAt } = (await deputy.call('getMyMandate')).data['mandate'] as { expiresAt: string };
  const [{ appointedAt } = { appointedAt: '' }] = (await objectOf(human).look({})).deputies;
  expect(Date.parse(expiresAt) - Date.parse(appointedAt)).toBe(30 * 24 * 60 * 60 * 1000);
});

test('a mandate from before the account was lowered can be given more time, and not more shirts', async () => {
  const human = person();
  await deputyOf(human, '2026-07-28');
  await objectOf(human).act({ do: 'ceiling', ceiling: { shirtsPerDay: 3, spendPerDay: 7500 }, version: 0 });
  const page = await deputyPage(human);
  expect(textOf(await consoleOf(human))).toContain('3 of 10 shirts left');
  expect((await human.browser.press(page, 'Sign the new terms', { shirtsPerDay: '11' })).status).toBe(400);
  const longer = await human.browser.press(page, 'Sign the new terms', { until: 'month' });
  expect(textOf(longer)).toContain('You changed the terms');
});

test('a power that the client was not granted cannot be added on the page', async () => {
  const human = person();
  human.ticks = [];
  await deputyOf(human, '2026-07-28');
  await human.browser.press(await deputyPage(human), 'Sign the new terms', { scope: ['shop:buy', 'orders:read'] });
  expect((await objectOf(human).look({})).deputies[0]?.mandate.scopes).toEqual(['shop:browse']);
});

test('a form that another tab has overtaken changes nothing and says so', async () => {
  const human = person();
  await deputyOf(human, '2025-11-25');
  const stale = await deputyPage(human);
  await human.browser.press(stale, 'Sign the new terms', { shirtsPerOrder: '2', askAbove: '1' });
  const answer = await human.browser.press(stale, 'Sign the new terms', { shirtsPerOrder: '4' });
  expect(answer.status).toBe(409);
  expect(textOf(answer)).toContain('Nothing was changed. This was changed after your page was made.');
  // The page as it is now, whose form can be sent.
  expect(answer.html).toMatch(/name="shirtsPerOrder"[^>]* value="2"/);
  expect(textOf(await human.browser.press(answer, 'Sign the new terms', { shirtsPerOrder: '3' }))).toContain(
    'You changed the terms',
  );
  expect((await objectOf(human).look({})).deputies[0]?.mandate.limits['shirtsPerOrder']).toBe(3);
  await human.browser.press(stale, 'Dismiss for good');
  expect((await human.browser.press(stale, 'Sign the new terms')).status).toBe(409);
  expect((await human.browser.open('/deputies/dep_nobody')).status).toBe(404);
});

test.each(['', '-1', 'x', '101'])('"%s" in a blank of the page shows it again with what to change', async (value) => {
  const human = person();
  await deputyOf(human, '2025-11-25');
  const again = await human.browser.press(await deputyPage(human), 'Sign the new terms', { shirtsPerOrder: value });
  expect(again.status).toBe(400);
  expect(textOf(again)).toContain('Shirts in one order: Enter a whole number from 1 to 100.');
  expect(again.html).toContain(`value="${value}"`);
  expect((await objectOf(human).look({})).deputies[0]?.mandate.version).toBe(1);
});

test('the account binds all deputies together, and changes only after a fresh sign-in', async () => {
  const human = person();
  const deputies = [await deputyOf(human, '2025-11-25'), await deputyOf(human, '2026-07-28')];
  const form = await human.browser.open('/deputies/ceiling');
  const page = await human.browser.press(form, 'Set these limits', { shirtsPerDay: '3', spendPerDay: '60.00' });
  expect(textOf(page)).toContain(
    'You set the limits of your account. All deputies together may order up to 3 shirts for $60 in any 24 hours.',
  );
  for (const deputy of deputies) await buy(deputy);
  expect(await codeOf(deputies[0] as Deputy, 'buyMcpShopItem', { ...PURCHASE, quantity: 2 })).toBe('account_limit');
  expect(await codeOf(deputies[1] as Deputy, 'buyMcpShopItem', PURCHASE)).toBe('account_limit');

  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 11 * 60_000 });
  const late = await human.browser.press(form, 'Set these limits', { shirtsPerDay: '900' });
  expect(late.status).toBe(403);
  expect(textOf(late)).toContain('Nothing was changed. Open the page again; it asks you to sign in.');
  const signIn = await human.browser.open('/deputies/ceiling');
  expect(signIn.html).toContain('name="email"');
  const again = await human.browser.press(signIn, 'Continue', { email: human.email });
  expect(textOf(again)).toContain('The limits of your account');
  const wrong = await human.browser.press(again, 'Set these limits', { spendPerDay: 'lots' });
  expect(wrong.status).toBe(400);
  expect(wrong.html).toContain('value="lots"');
});

test('a fresh sign-in asks AuthKit to ask even who is signed in there', async () => {
  const response = await send('/login?return_to=/deputies/ceiling&fresh=1');
  expect(new URL(response.headers.get('Location') ?? '').searchParams.get('max_age')).toBe('0');
  const plain = await send('/login?return_to=/');
  expect(new URL(plain.headers.get('Location') ?? '').searchParams.has('max_age')).toBe(false);
});

test('the session that was ended at WorkOS can neither resume nor raise, whatever the cookie says', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  const mandate = await deputyPage(human);
  await human.browser.press(await consoleOf(human), 'Stop all');
  const careful = await human.browser.open('/deputies/resume');
  const sessions = await env.OAUTH_KV.list({ prefix: 'local-authkit:session:' });
  for (const { name, metadata } of sessions.keys) {
    if ((metadata as { user?: string } | undefined)?.user !== userIdOf(human.email)) continue;
    const session = await env.OAUTH_KV.get<Record<string, unknown>>(name, 'json');
    await env.OAUTH_KV.put(name, JSON.stringify({ ...session, endedAt: new Date().toISOString() }), { metadata });
  }
  expect((await human.browser.press(careful, 'Let these go on')).status).toBe(401);
  expect((await human.browser.press(mandate, 'Sign the new terms', { shirtsPerOrder: '9' })).status).toBe(401);
  expect(await codeOf(deputy)).toBe('paused');
});

test('while WorkOS cannot be reached the brake still works, and nothing else does', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const human = person();
  const deputy = await deputyOf(human, '2025-11-25');
  // The access token in the cookie lives five minutes, and WorkOS is needed for the next one.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10 * 60_000 });
  const get = env.OAUTH_KV.get.bind(env.OAUTH_KV) as (...args: unknown[]) => Promise<unknown>;
  vi.spyOn(env.OAUTH_KV, 'get').mockImplementation(((...args: unknown[]) =>
    String(args[0]).startsWith('local-authkit:') ? Promise.reject(new Error('down')) : get(...args)) as never);
  const brake = await consoleOf(human);
  expect(brake.status).toBe(502);
  expect(textOf(brake)).toContain('You can still stop every deputy.');
  expect(brake.html).not.toContain(human.email);
  const pulled = await human.browser.press(brake, 'Stop all');
  expect(textOf(pulled)).toContain('Every deputy is stopped.');
  expect(await codeOf(deputy)).toBe('paused');
  expect((await human.browser.open('/deputies/resume')).status).toBe(502);
  expect((await person().browser.open('/deputies')).html).not.toContain('Stop all');
});

test('the record can be verified, against a head kept elsewhere too', async () => {
  const human = person();
  await buy(await deputyOf(human, '2026-07-28'));
  const page = await human.browser.open('/deputies/verify');
  expect(textOf(page)).toContain('The record holds. The record holds together: 4 lines, none missing');
  expect(textOf(page)).toContain('1 deputy, 1 order, 1 shirt, $25.');
  const { sequence, hash } = (await objectOf(human).look({})).head;
  const kept = await human.browser.open(`/deputies/verify?sequence=${sequence}&hash=${hash}`);
  expect(textOf(kept)).toContain('The head that you kept is part of it.');
  const other = await human.browser.open(`/deputies/verify?sequence=${sequence}&hash=${'0'.repeat(64)}`);
  expect(textOf(other)).toContain('The expected head is not part of this record');
  // As the page copies it, and as it shows it.
  for (const [line, pasted] of [
    ['', `${sequence} ${hash.toUpperCase()} `],
    [` ${sequence} `, hash.replace(/.{4}/g, '$& ')],
  ]) {
    const query = new URLSearchParams({ sequence: line ?? '', hash: pasted ?? '' });
    const found = await human.browser.open(`/deputies/verify?${query.toString()}`);
    expect(textOf(found), pasted).toContain('The head that you kept is part of it.');
  }
  for (const query of ['sequence=x&hash=y', `hash=${hash}`, `sequence=${sequence}`, 'sequence=1e3&hash=1']) {
    const wrong = await human.browser.open(`/deputies/verify?${query}`);
    expect(wrong.status, query).toBe(400);
    expect(textOf(wrong)).toContain('64 hexadecimal digits');
    // Nothing was compared.
    expect(textOf(wrong)).not.toContain('The head that you kept');
  }
});

test('the record is downloaded as lines that anybody can check with SHA-256, and ends in its head', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2025-11-25');
  await buy(deputy);
  await codeOf(deputy, 'buyMcpShopItem', { ...PURCHASE, quantity: 50 });
  const file = await human.browser.open('/deputies/record.jsonl');
  expect(file.headers.get('Content-Type')).toContain('application/jsonl');
  const lines = file.html.trimEnd().split('\n');
  const last = JSON.parse(lines.pop() ?? '') as { head: { sequence: number; hash: string } };
  let previous = '0'.repeat(64);
  for (const [index, line] of lines.entries()) {
    const parsed = JSON.parse(line) as { sequence: number; previous: string };
    expect(parsed).toMatchObject({ sequence: index + 1, previous });
    previous = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(line))).toHex();
  }
  expect(last).toEqual({ head: { sequence: 5, hash: previous } });
  expect(lines.join()).not.toContain(human.email);
  expect(lines.join()).not.toContain(PURCHASE.mailingAddress);
  expect(lines.join()).not.toContain(PURCHASE.company);
});

test('a long history is paged, and its download is whole', async () => {
  const human = person();
  await human.walk('/login?return_to=/');
  const object = objectOf(human);
  for (let count = 0; count < 60; count += 1) await object.act(count % 2 ? await resumption(object) : { do: 'pause' });
  const first = await human.browser.open('/deputies/record');
  expect(first.html.match(/<time /g)).toHaveLength(50);
  const [, older = ''] = /href="(\/deputies\/record\?before=\d+)/.exec(first.html) ?? [];
  const second = await human.browser.open(older);
  expect(second.html.match(/<time /g)).toHaveLength(11);
  expect(second.html).not.toContain('?before=');
  const file = await human.browser.open('/deputies/record.jsonl');
  expect(file.html.trimEnd().split('\n')).toHaveLength(62);
});

test('erasing deletes deputies, orders, their copies and the record; old tokens are 401, and the human can begin anew', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  const { userId } = await buy(deputy);
  const erased = await human.browser.press(await human.browser.open('/deputies/erase'), 'Delete everything');
  expect(textOf(erased)).toContain('You deleted your data. The record begins here.');
  expect(await status(deputy)).toBe(401);
  expect((await objectOf(human).verifyRecord()).ok).toBe(true);
  const again = await deputyOf(human, '2025-11-25');
  expect((await again.call('listMcpShopOrders')).data['orders']).toEqual([]);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
  await runDurableObjectAlarm(objectOf(human));
  expect((await env.ORDERS.list({ prefix: `order:${userId}:` })).keys).toEqual([]);
});

test('erasing is no way around a pause, or around the limits of the account', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2025-11-25');
  await buy(deputy, { quantity: 2 });
  await objectOf(human).act({ do: 'ceiling', ceiling: { shirtsPerDay: 3, spendPerDay: 50_000 }, version: 0 });
  await objectOf(human).act({ do: 'pause' });
  const erased = await human.browser.press(await human.browser.open('/deputies/erase'), 'Delete everything');
  expect(textOf(erased)).toContain('Whoever signs in now is stopped too.');
  expect(textOf(erased), 'of orders it knows nothing any more').not.toContain('was the last');
  const { account, used } = await objectOf(human).look({});
  expect(account).toMatchObject({ authority: 'paused', ceiling: { shirtsPerDay: 3 } });
  expect(used).toEqual({ shirtsPerDay: 2, spendPerDay: 5000 });
  await objectOf(human).act(await resumption(objectOf(human)));
  human.blanks = { shirtsPerDay: '3', shirtsPerOrder: '3', askAbove: '' };
  const next = await deputyOf(human, '2025-11-25');
  expect(await codeOf(next, 'buyMcpShopItem', { ...PURCHASE, quantity: 2 })).toBe('account_limit');
  await buy(next);
  expect(await objectOf(human).verifyRecord()).toMatchObject({ ok: true });
});

test('while WorkOS hangs the brake does not', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const human = person();
  const deputy = await deputyOf(human, '2025-11-25');
  const page = await consoleOf(human);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10 * 60_000 });
  const get = env.OAUTH_KV.get.bind(env.OAUTH_KV) as (...args: unknown[]) => Promise<unknown>;
  vi.spyOn(env.OAUTH_KV, 'get').mockImplementation(((...args: unknown[]) =>
    String(args[0]).startsWith('local-authkit:refresh') ? new Promise(() => {}) : get(...args)) as never);
  const pulled = await human.browser.press(page, 'Stop all');
  expect(textOf(pulled)).toContain('Every deputy is stopped.');
  expect(await codeOf(deputy)).toBe('paused');
});

test('an MCP token opens no page of the human', async () => {
  const deputy = await deputyOf(person(), '2026-07-28');
  for (const path of ['/deputies', '/deputies/resume', '/deputies/record.jsonl', '/deputies/verify']) {
    const response = await send(path, { headers: { Authorization: `Bearer ${deputy.accessToken}` } });
    expect(response.status, path).toBe(302);
    expect(response.headers.get('Location'), path).toContain('/login');
  }
});

test('a client that was dismissed between consent and its first token gets none', async () => {
  const human = person();
  const clientId = await registeredClient();
  const answer = await human.answer(authorizePath(clientId));
  await human.browser.press(await deputyPage(human), 'Dismiss for good');
  const response = await redeem(clientId, answer.get('code') ?? '');
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: 'invalid_grant' });
});

test('a stale resume is answered with the console as it is now', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2025-11-25');
  const page = await consoleOf(human);
  await human.browser.press(page, 'Stop all');
  const careful = await human.browser.open('/deputies/resume');
  await human.browser.press(page, 'Stop all');
  const answer = await human.browser.press(careful, 'Let these go on');
  expect(answer.status).toBe(409);
  expect(answer.html).toContain('data-authority="paused"');
  expect(textOf(answer)).toContain('Nothing was changed. This was changed after your page was made.');
  expect(await codeOf(deputy)).toBe('paused');
});

test('a human names a deputy, and the name is text, short, and can be taken back', async () => {
  const human = person();
  await deputyOf(human, '2026-07-28', 'Client name');
  const named = await human.browser.press(await deputyPage(human), 'Call it so', {
    name: ` The <b>phone</b>\u202e ${'x'.repeat(80)}`,
  });
  expect(named.html).not.toContain('<b>phone');
  const [{ name = '' } = {}] = (await objectOf(human).look({})).deputies;
  expect(Array.from(name)).toHaveLength(60);
  expect(textOf(await consoleOf(human))).toContain('The <b>phone</b> x');
  expect(textOf(await deputyPage(human))).toContain('It calls itself Client name');
  await human.browser.press(await deputyPage(human), 'Call it so', { name: '' });
  expect((await objectOf(human).look({})).deputies[0]?.name).toBeUndefined();
  expect(await objectOf(human).verifyRecord()).toMatchObject({ ok: true });
});
