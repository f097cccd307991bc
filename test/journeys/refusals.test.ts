/** Every refusal there is, as a real client reads it, beside one golden file. */
import { abortAllDurableObjects, runInDurableObject } from 'cloudflare:test';
import { afterEach, expect, test, vi } from 'vitest';
import { RecordLines } from '../../src/ledger/record.ts';
import { REFUSAL_CODES, type RefusalCode } from '../../src/authority/refusal.ts';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import type { Deputy, Person } from '../../src/dev/clients.ts';
import { Effects } from '../../src/ledger/effects.ts';
import { administrator } from '../support/administrator.ts';
import { callMessage, messageOf, rpc } from '../support/http.ts';
import { deputyOf, objectOf, person } from '../support/people.ts';
import { buy, PURCHASE } from '../support/shop.ts';
import golden from './refusals.golden.json';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

type Told = { status: number; text: string; error?: unknown; challenge?: string | null };

/** What a client is told, without what differs from run to run. */
async function told(deputy: Deputy, name: string, args: Record<string, unknown> = {}): Promise<Told> {
  const response = await rpc(deputy.accessToken, callMessage(name, args));
  const { status, headers } = response;
  if (status !== 200) {
    return { status, text: stable(await response.text()), challenge: headers.get('WWW-Authenticate') };
  }
  const { result, error } = await messageOf(response);
  if (error) return { status, text: error.message };
  const { content, structuredContent, isError } = result as {
    content: { text: string }[];
    structuredContent: { error: unknown };
    isError: boolean;
  };
  expect(isError).toBe(true);
  return {
    status,
    text: stable(content[0]?.text ?? ''),
    error: JSON.parse(stable(JSON.stringify(structuredContent.error))),
  };
}

function stable(text: string): string {
  return text
    .replaceAll(/\d{1,2} [A-Z][a-z]+ \d{4}, \d\d:\d\d UTC/g, '<moment>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<uuid>');
}

const newest = async (human: Person) => (await objectOf(human).look({})).deputies[0]?.deputyId ?? '';

/** A code, and what differs where it reads differently: "daily_limit of money". */
type Case = RefusalCode | `${RefusalCode} of money`;

const FOUR = { ...PURCHASE, quantity: 4 };

/** A deputy that has asked for four shirts. */
async function asking() {
  const human = person();
  const deputy = await deputyOf(human, '2025-11-25');
  const { data } = await deputy.call('buyMcpShopItem', FOUR);
  return { human, deputy, id: (data['error'] as { waiting: { id: string } }).waiting.id };
}

/** How a deputy comes to be told each code. */
const WAYS: Record<RefusalCode, () => Promise<Told>> & Partial<Record<Case, () => Promise<Told>>> = {
  async deputy_unknown() {
    const human = person();
    const deputy = await deputyOf(human, '2025-11-25');
    await objectOf(human).act({ do: 'erase' });
    return told(deputy, 'listMcpShopInventory');
  },
  async deputy_revoked() {
    const human = person();
    const deputy = await deputyOf(human, '2025-11-25');
    await objectOf(human).act({ do: 'revoke', deputyId: await newest(human) });
    return told(deputy, 'listMcpShopInventory');
  },
  async deputy_superseded() {
    const human = person();
    const deputy = await deputyOf(human, '2025-11-25');
    const { account, deputies } = await objectOf(human).look({});
    const [old] = deputies;
    if (!old) throw new Error('no deputy');
    const { recordId } = account;
    const appointment = { ...old, deputyId: 'dep_next', replaces: [old.deputyId] };
    await objectOf(human).once('next', async () => ({ text: '', appointment, recordId }));
    await objectOf(human).activate('dep_next', 'grant');
    return told(deputy, 'listMcpShopInventory');
  },
  async deputy_resigned() {
    const human = person();
    const deputy = await deputyOf(human, '2025-11-25');
    const [, grantId = ''] = deputy.accessToken.split(':');
    await objectOf(human).resign(grantId);
    return told(deputy, 'listMcpShopInventory');
  },
  async mandate_expired() {
    const human = person();
    human.blanks = { until: 'hour' };
    const deputy = await deputyOf(human, '2025-11-25');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60 * 60_000 - 5000 });
    await deputy.call('listMcpShopInventory');
    // The token outlives the mandate by a moment when it was fetched a moment later.
    await runInDurableObject(objectOf(human), (_, { storage }) => {
      storage.sql.exec("UPDATE deputies SET mandate = json_set(mandate, '$.expiresAt', ?)", Date.now() - 1);
    });
    return told(deputy, 'listMcpShopInventory');
  },
  async paused() {
    const human = person();
    const deputy = await deputyOf(human, '2025-11-25');
    await objectOf(human).act({ do: 'pause' });
    return told(deputy, 'prettyPlease');
  },
  async deputy_paused() {
    const human = person();
    const deputy = await deputyOf(human, '2025-11-25');
    await objectOf(human).act({ do: 'pause', deputyId: await newest(human) });
    return told(deputy, 'prettyPlease');
  },
  async suspended() {
    const human = person();
    const deputy = await deputyOf(human, '2025-11-25');
    await (await administrator()).userManagement.deleteUser(userIdOf(human.email));
    await objectOf(human).checkPresence();
    return told(deputy, 'prettyPlease');
  },
  async insufficient_scope() {
    const human = person();
    human.ticks = ['orders:read'];
    return told(await deputyOf(human, '2025-11-25'), 'buyMcpShopItem', PURCHASE);
  },
  permission_required: async () => told(await deputyOf(person(), '2025-11-25'), 'getUserInfo'),
  async act_rate() {
    const deputy = await deputyOf(person(), '2025-11-25');
    for (let count = 0; count < 10; count += 1) await buy(deputy);
    return told(deputy, 'buyMcpShopItem', PURCHASE);
  },
  async rate_limited() {
    const deputy = await deputyOf(person(), '2025-11-25');
    for (let count = 0; count < 60; count += 1) await deputy.call('listMcpShopInventory');
    return told(deputy, 'listMcpShopInventory');
  },
  act_limit: async () => told(await deputyOf(person(), '2025-11-25'), 'buyMcpShopItem', { ...PURCHASE, quantity: 6 }),
  approval_required: async () =>
    told(await deputyOf(person(), '2025-11-25'), 'buyMcpShopItem', { ...PURCHASE, quantity: 4 }),
  async approval_denied() {
    const { human, deputy, id } = await asking();
    await objectOf(human).act({ do: 'deny', effectId: id, pause: false });
    return told(deputy, 'buyMcpShopItem', FOUR);
  },
  async approval_lapsed() {
    const { deputy } = await asking();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10 * 60_000 });
    return told(deputy, 'buyMcpShopItem', FOUR);
  },
  async approval_withdrawn() {
    const { deputy, id } = await asking();
    await deputy.call('cancelMcpShopOrder', { orderId: id });
    return told(deputy, 'buyMcpShopItem', FOUR);
  },
  async too_many_waiting() {
    const human = person();
    human.blanks = { shirtsPerDay: '20', spendPerDay: '500', askAbove: '0' };
    const deputy = await deputyOf(human, '2025-11-25');
    for (let count = 0; count < 5; count += 1)
      await deputy.call('buyMcpShopItem', { ...PURCHASE, idempotencyKey: String(count) });
    return told(deputy, 'buyMcpShopItem', PURCHASE);
  },
  async not_your_request() {
    const { human, id } = await asking();
    return told(await deputyOf(human, '2025-11-25'), 'cancelMcpShopOrder', { orderId: id });
  },
  account_limit: () => bought({}, { shirtsPerDay: 3, spendPerDay: 50_000 }, 2),
  'account_limit of money': () => bought({}, { shirtsPerDay: 20, spendPerDay: 6000 }, 1),
  unknown_tool: async () => told(await deputyOf(person(), '2025-11-25'), 'sellMcpShop'),
  async invalid_request() {
    const human = person();
    const { accessToken } = await deputyOf(human, '2025-11-25');
    const message = {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'listMcpShopInventory', arguments: 7 },
    };
    const { error } = await messageOf(await rpc(accessToken, message));
    const [line] = (await objectOf(human).look({})).timeline;
    expect(line).toMatchObject({ code: 'invalid_request', tool: 'listMcpShopInventory' });
    return { status: 200, text: error?.message.split(':')[0] ?? '' };
  },
  invalid_arguments: async () => told(await deputyOf(person(), '2025-11-25'), 'buyMcpShopItem', { tshirtSize: 'XXXL' }),
  unknown_cursor: async () => told(await deputyOf(person(), '2025-11-25'), 'listMcpShopOrders', { cursor: 'x' }),
  unknown_effect: async () => told(await deputyOf(person(), '2025-11-25'), 'cancelMcpShopOrder', { orderId: 'x' }),
  async idempotency_conflict() {
    const deputy = await deputyOf(person(), '2025-11-25');
    await buy(deputy, { idempotencyKey: 'k' });
    return told(deputy, 'buyMcpShopItem', { ...PURCHASE, quantity: 2, idempotencyKey: 'k' });
  },
  async demo_banned() {
    const deputy = await deputyOf(person(), '2025-11-25');
    await deputy.call('setDemoMode', { mode: 'banned' });
    return told(deputy, 'buyMcpShopItem', PURCHASE);
  },
  async internal_error() {
    const deputy = await deputyOf(person(), '2025-11-25');
    vi.spyOn(console, 'error').mockImplementation(() => {});
    vi.spyOn(Effects.prototype, 'make').mockImplementationOnce(() => {
      throw new Error('secret of the house');
    });
    return told(deputy, 'buyMcpShopItem', PURCHASE);
  },
  daily_limit: () => bought({ shirtsPerDay: '3', shirtsPerOrder: '3', askAbove: '' }, {}, 2),
  'daily_limit of money': () => bought({ spendPerDay: '60' }, {}, 1),
};

/** Two shirts, then `more`, under these blanks and this ceiling. */
async function bought(blanks: Record<string, string>, ceiling: Record<string, number>, more: number): Promise<Told> {
  const human = person();
  human.blanks = blanks;
  const deputy = await deputyOf(human, '2025-11-25');
  if (Object.keys(ceiling).length > 0) {
    await objectOf(human).act({
      do: 'ceiling',
      ceiling: { shirtsPerDay: 20, spendPerDay: 50_000, ...ceiling },
      version: 0,
    });
  }
  await buy(deputy, { quantity: 2 });
  return told(deputy, 'buyMcpShopItem', { ...PURCHASE, quantity: more });
}

const GOLDEN: Record<string, Told> = golden;

test.each(Object.entries(WAYS))('%s is told as the golden file says', async (name, way) => {
  expect({ [name]: await way() }).toEqual({ [name]: GOLDEN[name] });
});

test('the golden file holds every code, in order, each with what to do next', () => {
  const codeOf = (name: string) => name.split(' ')[0] ?? '';
  expect(Object.keys(GOLDEN).toSorted()).toEqual(Object.keys(WAYS).toSorted());
  expect([...new Set(Object.keys(GOLDEN).map(codeOf))]).toEqual(REFUSAL_CODES);
  for (const [name, { status, error, text }] of Object.entries(GOLDEN)) {
    const code = codeOf(name);
    // The protocol answers these two itself.
    if (status === 200 && code !== 'unknown_tool' && code !== 'invalid_request') {
      expect(error, code).toMatchObject({
        code,
        rule: expect.any(String),
        whoCanLift: expect.any(String),
        url: expect.stringMatching(/^http/),
      });
      if (code !== 'demo_banned') expect(text, code).toMatch(/\. \S.*\.$/);
    }
  }
});

test('when the record cannot be written, nothing is done and the call is refused', async () => {
  const deputy = await deputyOf(person(), '2026-07-28');
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const append = vi.spyOn(RecordLines.prototype, 'append').mockImplementation(() => {
    throw new Error('the disk is full');
  });
  const answer = await deputy.call('buyMcpShopItem', PURCHASE);
  append.mockRestore();
  expect(answer).toMatchObject({ isError: true, data: { error: { code: 'internal_error' } } });
  expect((await deputy.call('listMcpShopOrders')).data['orders']).toEqual([]);
  await abortAllDurableObjects();
});
