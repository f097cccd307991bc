/**
 * Two deputies, or two tokens, are to come of one yes: Allow is pressed twice, a page is answered again later or
 * otherwise, a code is redeemed twice. The human's object decides once, and a repetition gets the first answer.
 */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import { erase } from '../../src/ledger/acts.ts';
import { Once } from '../../src/ledger/once.ts';
import { inLedger, mandateOf } from '../support/ledger.ts';
import { type Page, textOf } from '../../src/dev/browser.ts';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import type { Person } from '../../src/dev/clients.ts';
import { freshKv } from '../../src/edge/fresh-keys.ts';
import { ANSWER_KEPT_MS } from '../../src/lifetimes.ts';
import { authorizePath, callMessage, messageOf, redeem, registeredClient, rpc } from '../support/http.ts';
import { actsOf, consented, later, linesOf } from '../support/outages.ts';
import { objectOf, person } from '../support/people.ts';
import { recordOf, type Tokens } from '../support/scene.ts';
import { ORIGIN } from '../support/worker.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Long enough that a request is a repetition, and no doubled one. */
const A_MOMENT = 3000;
/** The same client with the same proof, in other words. */
const OTHER_WORDS = { resource: `${ORIGIN}/mcp` };

async function shownTo(human: Person): Promise<{ page: Page; clientId: string }> {
  const clientId = await registeredClient();
  return { clientId, page: await human.walk(authorizePath(clientId)) };
}

const codeOf = ({ left }: Page) => left?.searchParams.get('code') ?? undefined;

async function call(token: string) {
  return rpc(token, callMessage('listMcpShopInventory'));
}

async function appointed(human: Person): Promise<number> {
  return (await linesOf(human)).filter((line) => 'act' in line && line.act === 'appointed').length;
}

async function exchanged(human = person()) {
  const { clientId, code } = await consented(human);
  const first = await redeem(clientId, code);
  expect(first.status).toBe(200);
  return { human, clientId, code, tokens: await first.json<Tokens>() };
}

test('Allow pressed three times at once appoints one deputy, and each press leads to its code', async () => {
  for (let time = 0; time < 5; time += 1) {
    const human = person();
    const { page, clientId } = await shownTo(human);
    const answers = await Promise.all([1, 2, 3].map(() => human.browser.press(page, 'Allow')));
    const [code, ...others] = new Set(answers.map(codeOf));
    expect(others).toEqual([]);
    expect((await redeem(clientId, code ?? '')).status).toBe(200);
    expect(await actsOf(human)).toEqual(['appointed', 'activated']);
  }
});

test('pressed again within five minutes, Allow leads to the same code; after that the page is used up', async () => {
  const human = person();
  const { page, clientId } = await shownTo(human);
  const code = codeOf(await human.browser.press(page, 'Allow'));
  expect((await redeem(clientId, code ?? '')).status).toBe(200);
  await evictDurableObject(objectOf(human));
  later(ANSWER_KEPT_MS - A_MOMENT);
  expect(codeOf(await human.browser.press(page, 'Allow'))).toBe(code);
  later(2 * A_MOMENT);
  const late = await human.browser.press(page, 'Allow');
  expect([late.status, late.left]).toEqual([400, undefined]);
  expect(await appointed(human)).toBe(1);
});

test.each([
  ['Allow', 'Deny', {}],
  ['Deny', 'Allow', {}],
  ['Allow', 'Allow', { shirtsPerDay: '9' }],
] as const)('after %s, another answer changes nothing: %s %o', async (first, then, fields) => {
  const human = person();
  const { page } = await shownTo(human);
  const { left } = await human.browser.press(page, first);
  const mandates = async () => (await recordOf(human)).deputies.map(({ mandate }) => mandate);
  const before = await mandates();
  const second = await human.browser.press(page, then, fields);
  expect([second.status, second.left]).toEqual([400, undefined]);
  expect(textOf(second)).toContain('You have answered this page before');
  expect(await mandates()).toEqual(before);
  // The first answer still stands, for who repeats it.
  expect((await human.browser.press(page, first)).left?.href).toBe(left?.href);
});

test('Allow and Deny at once lead to one of them', async () => {
  const human = person();
  const { page } = await shownTo(human);
  const answers = await Promise.all(['Allow', 'Deny'].map((button) => human.browser.press(page, button)));
  expect(answers.filter(({ left }) => left)).toHaveLength(1);
  const allowed = answers.some((answer) => codeOf(answer) !== undefined);
  expect(await appointed(human)).toBe(allowed ? 1 : 0);
});

test('a page that was answered says nothing to another browser of the same human', async () => {
  const human = person();
  const { page } = await shownTo(human);
  await human.browser.press(page, 'Allow');
  const other = person(human.email);
  await shownTo(other);
  for (const button of ['Allow', 'Deny']) {
    const stolen = await other.browser.press(page, button);
    expect([stolen.status, stolen.left]).toEqual([400, undefined]);
  }
});

test('a code that is redeemed three times at once brings tokens once, and they work', async () => {
  for (let time = 0; time < 5; time += 1) {
    const { human, clientId, code } = await consented();
    const answers = await Promise.all([1, 2, 3].map(() => redeem(clientId, code)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.toSorted((one, other) => one - other)).toEqual([200, 503, 503]);
    const tokens = await answers.find(({ ok }) => ok)?.json<Tokens>();
    expect((await call(tokens?.access_token ?? '')).status).toBe(200);
    expect(await actsOf(human)).toEqual(['appointed', 'activated', 'listMcpShopInventory allowed']);
  }
});

test('a client that lost its tokens gets the same ones for five minutes, from a new object too', async () => {
  const { human, clientId, code, tokens } = await exchanged();
  await evictDurableObject(objectOf(human));
  later(ANSWER_KEPT_MS - A_MOMENT);
  const again = await redeem(clientId, code);
  expect(again.headers.get('Cache-Control')).toBe('no-store');
  expect(await again.json()).toEqual(tokens);
  expect(await actsOf(human)).toEqual(['appointed', 'activated']);
  later(2 * A_MOMENT);
  expect((await redeem(clientId, code)).status).toBe(400);
});

test("a code is spent for its human's object, also where the provider's store has it as it was before", async () => {
  const { human, clientId, code } = await consented();
  const store = freshKv(env, new Request(ORIGIN));
  const key = `grant:${code.split(':').slice(0, 2).join(':')}`;
  const unspent = (await store.get(key)) ?? '';
  expect(unspent).toContain('authCodeId');
  expect((await redeem(clientId, code)).status).toBe(200);
  await store.put(key, unspent);
  const again = await redeem(clientId, code, OTHER_WORDS);
  expect(again.status).toBe(400);
  // The provider takes back what a code brought that is used twice: RFC 6749, section 4.1.2.
  expect(await actsOf(human)).toEqual(['appointed', 'activated', 'resigned']);
});

test('a deputy that was dismissed gets no tokens again, and a paused one gets no use of them', async () => {
  const paused = await exchanged();
  await objectOf(paused.human).act({ do: 'pause' });
  later(A_MOMENT);
  const again = await redeem(paused.clientId, paused.code);
  expect(await again.json()).toEqual(paused.tokens);
  const { result } = await messageOf(await call(paused.tokens.access_token));
  expect(result).toMatchObject({ isError: true, structuredContent: { error: { code: 'paused' } } });

  const [deputy] = (await recordOf(paused.human)).deputies;
  await objectOf(paused.human).act({ do: 'revoke', deputyId: deputy?.deputyId ?? '' });
  expect((await redeem(paused.clientId, paused.code)).status).toBe(400);
});

test('what the object keeps shows no code and no token, and goes when the human erases', async () => {
  const { human, code, tokens } = await exchanged();
  const answers = () =>
    runInDurableObject(objectOf(human), (_, { storage }) =>
      JSON.stringify([...storage.kv.list({ prefix: 'answer:' })]),
    );
  const kept = await answers();
  for (const secret of [code, tokens.access_token, tokens.refresh_token]) {
    expect(kept).not.toContain(secret);
    expect(kept).not.toContain(secret.split(':')[2]);
  }
  await objectOf(human).act({ do: 'erase' });
  expect(await answers()).toBe('[]');
});

test('a made-up code makes no object, and wakes none', async () => {
  const { human } = await exchanged();
  const asked = vi.spyOn(env.MCP_OBJECT, 'getByName');
  for (const user of ['nobody', userIdOf(human.email)])
    expect((await redeem(await registeredClient(), `${user}:made:up`)).status).toBe(400);
  expect(asked).not.toHaveBeenCalled();
});

test('a yes that lands after its human has erased everything appoints nobody', () =>
  inLedger(async (ledger) => {
    const { recordId } = ledger.account.read();
    let erased = false;
    const allowed = new Once(ledger).answer('key', async () => {
      await vi.waitUntil(() => erased);
      const appointment = {
        deputyId: 'dep_1',
        clientId: 'c',
        clientName: 'n',
        redirectHost: 'h',
        mandate: mandateOf(),
        replaces: [],
      };
      return { text: 'sealed', appointment, recordId };
    });
    erase(ledger);
    erased = true;
    expect(await allowed).toBeUndefined();
    expect(ledger.deputies.page(100, ledger.now())).toEqual([]);
  }));
