/** WorkOS fails: what takes authority away works, nothing grants any, and its copy of the record is made up for later. */
import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Page, textOf } from '../../src/dev/browser.ts';
import type { Person } from '../../src/dev/clients.ts';
import { authorizePath, messageOf, registeredClient } from '../support/http.ts';
import {
  actsOf,
  connected,
  expectSound,
  hurry,
  later,
  MINUTE,
  purchase,
  quiet,
  theDeputy,
} from '../support/outages.ts';
import { deputyOf, objectOf, person } from '../support/people.ts';
import { PURCHASE } from '../support/shop.ts';

beforeEach(quiet);
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** WorkOS is down: the local AuthKit keeps everything in KV under one prefix. */
function workosIsDown() {
  hurry();
  const real = env.OAUTH_KV.get.bind(env.OAUTH_KV) as (...args: unknown[]) => Promise<never>;
  return vi.spyOn(env.OAUTH_KV, 'get').mockImplementation((...args: unknown[]) => {
    if (String(args[0]).startsWith('local-authkit:')) return Promise.reject(new Error('WorkOS is down'));
    return real(...args);
  });
}

/** What a human has open in the browser, from before WorkOS went down; its token needs a refresh since. */
async function inAnOutage(path: string | ((deputyId: string) => string)) {
  const { human, tokens } = await connected();
  const before = await theDeputy(human);
  if (typeof path === 'string' && path === '/deputies/resume') await objectOf(human).act({ do: 'pause' });
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
  await human.browser.press(page, 'Stop all');
  expect((await objectOf(human).look({})).account.authority).toBe('paused');
  expect(await messageOf(await purchase(tokens))).toMatchObject({
    result: { structuredContent: { error: { code: 'paused' } } },
  });
  expect((await actsOf(human)).slice(-2)).toEqual(['paused', 'buyMcpShopItem paused']);
  await expectSound(human);
});

test('while WorkOS is down, the human can dismiss a deputy', async () => {
  const { human, tokens, page } = await inAnOutage((id) => `/deputies/${id}`);
  await human.browser.press(page, 'Dismiss for good');
  expect((await purchase(tokens)).status).toBe(401);
  expect(await theDeputy(human)).toMatchObject({ status: 'revoked' });
  await expectSound(human);
});

test('while WorkOS is down, the human can narrow a mandate, and nobody can widen it', async () => {
  const set = await inAnOutage((id) => `/deputies/${id}`);
  const { human, page } = set;
  await expectUnchanged(set, await human.browser.press(page, 'Sign the new terms', { shirtsPerDay: '11' }));
  await human.browser.press(page, 'Sign the new terms', { shirtsPerDay: '9' });
  expect((await theDeputy(human)).mandate.limits['shirtsPerDay']).toBe(9);
  await expectSound(human);
});

test('while WorkOS is down, nobody can resume', async () => {
  const set = await inAnOutage('/deputies/resume');
  await expectUnchanged(set, await set.human.browser.press(set.page, 'Let these go on'));
  expect((await objectOf(set.human).look({})).account.authority).toBe('paused');
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
  expect((await objectOf(human).look({})).deputies).toEqual([]);
  down.mockRestore();
  expect((await human.answer(path)).get('code')).toBeTruthy();
});

test('while WorkOS is down nobody consents, and the same page can be answered afterwards', async () => {
  const human = person();
  const page = await human.walk(authorizePath(await registeredClient()));
  later(6 * MINUTE);
  const down = workosIsDown();
  expect((await human.browser.press(page, 'Allow')).status).toBe(502);
  expect((await objectOf(human).look({})).deputies).toEqual([]);
  expect(await actsOf(human)).toEqual([]);
  down.mockRestore();
  expect((await human.browser.press(page, 'Allow')).left?.searchParams.get('code')).toBeTruthy();
  expect(await actsOf(human)).toEqual(['appointed']);
});

/** Switches the export on, as a deployment with an organization does. */
function exporting(human: Person): Promise<void> {
  return runInDurableObject(objectOf(human), (instance) => {
    const { env: own } = instance as unknown as { env: object };
    Object.assign(instance, { env: { ...own, WORKOS_AUDIT_LOGS_ORGANIZATION: 'org_local' } });
  });
}

/** The lines that WorkOS has, by their idempotency keys. */
async function exported(human: Person): Promise<number[]> {
  const { recordId } = (await objectOf(human).look({})).account;
  const prefix = `local-authkit:audit:${recordId}-`;
  const { keys } = await env.OAUTH_KV.list({ prefix });
  return keys.map(({ name }) => Number(name.slice(prefix.length))).toSorted((one, other) => one - other);
}

async function runExport(human: Person): Promise<void> {
  later(60 * MINUTE);
  await runDurableObjectAlarm(objectOf(human));
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n + 1);
}

test('lines that WorkOS refuses, or whose answer is lost, get there once each when it is back', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  await exporting(human);
  for (let calls = 0; calls < 3; calls += 1) await deputy.call('buyMcpShopItem', PURCHASE);
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
  await deputy.call('buyMcpShopItem', PURCHASE);
  await runExport(human);
  expect(await exported(human)).toEqual(upTo(7));
  // WorkOS keeps the first event of a key: what it had was offered again, and not stored twice.
  expect(sent).toEqual([1, 2, 3]);
  await expectSound(human);
});

test('an object that dies while it exports goes on where it was, and sends no line twice', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2025-11-25');
  await exporting(human);
  await deputy.call('buyMcpShopItem', PURCHASE);
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
  await deputy.call('buyMcpShopItem', PURCHASE);
  for (let runs = 0; runs < 3; runs += 1) await runExport(human);
  expect(await exported(human)).toEqual(upTo(5));
  await expectSound(human);
});
