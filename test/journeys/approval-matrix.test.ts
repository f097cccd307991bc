/** Every client × everything that can come of a question × every grade: what is ordered, and what the client is told. */
import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import { GRADES, type Grade } from '../../src/authority/grade.ts';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import type { Deputy, Person } from '../../src/dev/clients.ts';
import { SHIRT } from '../../src/shop/catalog.ts';
import type { Authenticator } from '../support/authenticator.ts';
import { addPasskey, questionPath, send, yesTo } from '../support/answering.ts';
import { callMessage, messageOf, rpcIn } from '../support/http.ts';
import { deputyOf, objectOf, person } from '../support/people.ts';
import { outcome, recordOf } from '../support/scene.ts';
import { PURCHASE } from '../support/shop.ts';
import { ORIGIN } from '../support/worker.ts';

const PRICE = SHIRT.price;

afterEach(() => {
  vi.useRealTimers();
  SHIRT.price = PRICE;
});

const FOUR = { ...PURCHASE, quantity: 4 };

type Client = { deputy: Deputy; pages: URL[] };

/** What a client says for its human, who has seen nothing. */
const CLAIM = { action: 'accept', content: { approved: 'yes', confirm: 'true' } } as const;

const CLIENTS: Record<string, (human: Person) => Promise<Client>> = {
  async '2026-07-28 with URL elicitation'(human) {
    const pages: URL[] = [];
    const show = async (url: URL) => (pages.push(url), { action: 'accept' as const });
    return { deputy: await deputyOf(human, '2026-07-28', undefined, show), pages };
  },
  '2026-07-28 without': async (human) => ({ deputy: await deputyOf(human, '2026-07-28'), pages: [] }),
  '2025-11-25': async (human) => ({ deputy: await deputyOf(human, '2025-11-25'), pages: [] }),
  async 'a client that claims acceptance itself'(human) {
    const pages: URL[] = [];
    const show = async (url: URL) => (pages.push(url), CLAIM);
    return { deputy: await deputyOf(human, '2026-07-28', undefined, show), pages };
  },
};

type Scene = {
  human: Person;
  deputy: Deputy;
  id: string;
  device: Authenticator | undefined;
  grade: Grade;
  /** What the deputy is told when it calls again. */
  again: (changes?: Record<string, unknown>) => Promise<string>;
  /** Sends the yes that was ready before; tells the status. */
  yes: () => Promise<number>;
  states: () => Promise<string[]>;
  left: () => Promise<number>;
};

/** What comes of a question. Each leaves what it says, and no order more. */
const ENDS: Record<string, (scene: Scene) => Promise<void>> = {
  async approve({ human, id, yes, again, states, left }) {
    expect(await yes()).toBe(200);
    expect(await again()).toBe('allowed');
    expect(await states()).toEqual(['confirmed']);
    expect(await left()).toBe(16);
    expect(await env.ORDERS.get(`order:${userIdOf(human.email)}:${id}`)).toContain('"quantity":4');
  },
  async deny({ human, id, yes, again, states, left }) {
    await send(human, id, { ...(await yesTo(human, id)), decision: 'deny' });
    expect(await again()).toBe('approval_denied');
    expect(await yes()).toBe(409);
    expect(await states()).toEqual(['denied']);
    expect(await left()).toBe(20);
    expect(await env.ORDERS.get(`order:${userIdOf(human.email)}:${id}`)).toBeNull();
  },
  async lapse({ yes, again, states, left, grade }) {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10 * 60_000 });
    // By then the sign-in is no longer a moment ago either.
    expect(await yes()).toBe(grade === 'confirmed' ? 403 : 409);
    expect(await again()).toBe('approval_lapsed');
    expect(await states()).toEqual(['lapsed']);
    expect(await left()).toBe(20);
  },
  async 'other arguments'({ yes, again, states }) {
    expect(await yes()).toBe(200);
    expect(await again({ mailingAddress: '1 Elsewhere' })).toBe('approval_required');
    expect(await again({ quantity: 5 })).toBe('approval_required');
    expect(await states()).toEqual(['waiting', 'waiting', 'confirmed']);
  },
  async replay({ human, deputy, id, device, yes, again, states }) {
    const first = await yesTo(human, id, { device });
    expect(await yes()).toBe(200);
    expect(await yes()).toBe(409);
    expect((await send(human, id, first)).status).toBe(409);
    // What was signed for one order is none for another.
    expect(await again({ company: 'Another Ltd' })).toBe('approval_required');
    const { data } = await deputy.call('buyMcpShopItem', { ...FOUR, company: 'Another Ltd' });
    const { waiting } = data['error'] as { waiting: { id: string } };
    expect((await send(human, waiting.id, first)).status).toBe(409);
    expect(await states()).toEqual(['waiting', 'confirmed']);
  },
  async dismissed({ human, yes, states }) {
    const [deputy] = (await recordOf(human)).deputies;
    await objectOf(human).act({ do: 'revoke', deputyId: deputy?.deputyId ?? '' });
    expect(await yes()).toBe(409);
    expect(await states()).toEqual(['void']);
  },
  async paused({ human, yes, again, states }) {
    const paused = await objectOf(human).act({ do: 'pause' });
    expect(await yes()).toBe(409);
    expect(await again()).toBe('paused');
    expect(await states()).toEqual(['waiting']);
    if ('problem' in paused) throw new Error(paused.problem);
    await objectOf(human).act({ do: 'resume', pause: paused.sequence });
    expect(await yes()).toBe(200);
    expect(await states()).toEqual(['confirmed']);
  },
  async 'limit lowered'({ human, id, device, yes, again, states }) {
    const [deputy] = (await recordOf(human)).deputies;
    if (!deputy) throw new Error('no deputy');
    const { deputyId, mandate } = deputy;
    const limits = { ...mandate.limits, shirtsPerOrder: 2, askAbove: 1 };
    const amendment = {
      deputyId,
      version: mandate.version,
      scopes: mandate.scopes,
      limits,
      approval: mandate.approval,
    };
    expect(await objectOf(human).act({ do: 'amend', amendment, narrowOnly: true })).not.toHaveProperty('problem');
    expect(await yes(), 'the page from before').toBe(409);
    // The page as it is now offers no yes; who sends one all the same is refused too.
    expect((await human.browser.open(questionPath(id))).html).not.toContain('value="approve"');
    const late = await yesTo(human, id);
    const signed = await device?.assertion(late['shown'] ?? '', { origin: ORIGIN });
    expect((await send(human, id, { ...late, ...(signed && { assertion: JSON.stringify(signed) }) })).status).toBe(409);
    expect(await again()).toBe('approval_required');
    expect(await states()).toEqual(['waiting']);
  },
  async 'price changed'({ human, id, yes, again, states }) {
    SHIRT.price = PRICE + 500;
    expect(await yes()).toBe(409);
    expect(await again()).toBe('approval_required');
    const page = await human.browser.open(questionPath(id));
    expect(page.html).not.toContain('value="approve"');
    await human.browser.press(page, 'Deny');
    expect(await again()).toBe('approval_denied');
    expect(await again({ idempotencyKey: 'anew' })).toBe('approval_required');
    expect(await states()).toEqual(['waiting', 'denied']);
  },
};

const CELLS = Object.keys(CLIENTS).flatMap((client) =>
  Object.keys(ENDS).flatMap((end) => GRADES.map((grade): [string, string, Grade] => [client, end, grade])),
);

test.each(CELLS)('%s: %s, %s', async (kind, end, grade) => {
  const human = person();
  const device = grade === 'device' ? await addPasskey(human, { synced: true }) : undefined;
  human.blanks = { approval: grade, shirtsPerDay: '20', spendPerDay: '500' };
  const { deputy, pages } = (await CLIENTS[kind]?.(human)) ?? { deputy: undefined, pages: [] };
  if (!deputy) throw new Error(`no client ${kind}`);
  const { data } = await deputy.call('buyMcpShopItem', FOUR);
  const { code, waiting, url } = data['error'] as { code: string; waiting: { id: string }; url: string };
  expect(code).toBe('approval_required');
  const { id } = waiting;
  expect(pages.map(({ href }) => href)).toEqual(kind.includes('with URL') || kind.includes('claims') ? [url] : []);
  if (kind.includes('claims')) await claim(deputy);
  expect((await recordOf(human)).effects).toMatchObject([{ id, state: 'waiting' }]);

  const ready = await yesTo(human, id, { device });
  await ENDS[end]?.({
    human,
    deputy,
    id,
    device,
    grade,
    again: (changes = {}) => outcome(deputy, 'buyMcpShopItem', { ...FOUR, ...changes }),
    yes: async () => (await send(human, id, ready)).status,
    states: async () => (await recordOf(human)).effects.map(({ state }) => state),
    left: async () => ((await deputy.call('getMyMandate')).data['remaining'] as { shirts: number }).shirts,
  });
  expect(await objectOf(human).verifyRecord()).toMatchObject({ ok: true });
});

/** Says yes in every place where a client could: in an answer to a question, and in arguments that it makes up. */
async function claim(deputy: Deputy): Promise<void> {
  const call = callMessage('buyMcpShopItem', FOUR);
  for (const inputResponses of [{ approval: CLAIM }, { approval: { action: 'accept' }, yes: CLAIM }]) {
    const params = { ...call.params, inputResponses, requestState: 'approved' };
    const answer = await messageOf(await rpcIn('2026-07-28', deputy.accessToken, { ...call, params }));
    expect(JSON.stringify(answer)).toContain('approval_required');
  }
  expect(await outcome(deputy, 'buyMcpShopItem', { ...FOUR, confirm: true, approved: true })).toBe('invalid_arguments');
}
