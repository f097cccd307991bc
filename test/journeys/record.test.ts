/** The record: a line for each call that reached the object, and for each act of the human; and its copy at WorkOS. */
import { HTTPException } from 'hono/http-exception';
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import { pause, resume } from '../../src/ledger/acts.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { auditSchemas } from '../../src/auth/audit-export.ts';
import { textOf } from '../../src/dev/browser.ts';
import { AuthkitStore, LOCAL_ORGANIZATION, userIdOf } from '../../src/dev/authkit-store.ts';
import { ERAS, type Person } from '../../src/dev/clients.ts';
import { domain } from '../../src/domain.ts';
import { callMessage, rpc } from '../support/http.ts';
import { deputyOf, jobsOf, objectOf, person, resumption } from '../support/people.ts';
import { buy, PURCHASE } from '../support/shop.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Oldest first. */
const lines = async (human: Person) => (await objectOf(human).look({})).timeline.toReversed();

test.each(ERAS)('every call of a %s client has its line, allowed or refused, with the rule', async (era) => {
  const human = person();
  human.ticks = ['shop:buy'];
  const deputy = await deputyOf(human, era);
  const order = await buy(deputy, { quantity: 2 });
  await deputy.call('buyMcpShopItem', { ...PURCHASE, quantity: 50 });
  await deputy.call('buyMcpShopItem', { tshirtSize: 'XXXL' });
  await deputy.call('getUserInfo');
  await deputy.call('sellMcpShop').catch(() => undefined);
  await rpc(deputy.accessToken, callMessage('listMcpShopOrders'));
  await rpc(deputy.accessToken, callMessage('__proto__\u202e'.padEnd(2000, 'x')));
  await rpc(deputy.accessToken, {
    ...callMessage('listMcpShopInventory'),
    params: { name: 'listMcpShopInventory', arguments: 7 },
  });
  const told = (await lines(human)).filter((line) => line.actor === 'deputy');
  const common = { deputy: expect.stringMatching(/^dep_/), client: expect.any(String), mandateVersion: 1 };
  expect(told).toMatchObject([
    {
      ...common,
      tool: 'buyMcpShopItem',
      decision: 'allowed',
      effect: { id: order.id, number: 1, state: 'confirmed', amounts: { shirts: 2, spend: 5000 } },
      arguments: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
    {
      ...common,
      tool: 'buyMcpShopItem',
      decision: 'refused',
      code: 'act_limit',
      rule: 'At most 5 shirts an order.',
      limit: 'shirtsPerOrder',
      most: 5,
      asked: { shirts: 50, spend: 125_000 },
    },
    { ...common, tool: 'buyMcpShopItem', decision: 'refused', code: 'invalid_arguments' },
    { ...common, tool: 'getUserInfo', decision: 'refused', code: 'permission_required' },
    { ...common, tool: 'unknown', decision: 'refused', code: 'unknown_tool' },
    { ...common, tool: 'listMcpShopOrders', decision: 'refused', code: 'insufficient_scope' },
    { ...common, tool: 'unknown', decision: 'refused', code: 'unknown_tool' },
    { ...common, tool: 'listMcpShopInventory', decision: 'refused', code: 'invalid_request' },
  ]);
  expect(told).toHaveLength(8);
  // What a caller makes up could be anything, so it is not kept.
  expect(JSON.stringify(told)).not.toMatch(/sellMcpShop|__proto__/);
  expect(await objectOf(human).verifyRecord()).toMatchObject({ ok: true });
});

test('a call that is no proper message has its line too', async () => {
  const human = person();
  const { accessToken } = await deputyOf(human, '2025-11-25');
  const call = callMessage('listMcpShopInventory');
  const { id: _, ...notification } = call;
  const bodies = [
    `\uFEFF\uFEFF${JSON.stringify(callMessage('nothing'))}`,
    { ...call, params: undefined },
    { ...call, params: { name: 5 } },
    { ...call, params: 'x' },
    notification,
  ];
  for (const body of bodies) await (await rpc(accessToken, body)).body?.cancel();
  await (await rpc(accessToken, call, { 'Content-Type': 'text/plain' })).body?.cancel();
  const told = (await lines(human)).filter((line) => line.actor === 'deputy');
  expect(told.map(({ tool, code }) => `${tool} ${code}`)).toEqual([
    'unknown unknown_tool',
    'unknown unknown_tool',
    'unknown unknown_tool',
    'unknown unknown_tool',
    'listMcpShopInventory invalid_request',
    'listMcpShopInventory invalid_request',
  ]);
});

test('an order knows the line that made it: one sequence for both, and for nothing else', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  await buy(deputy);
  await deputy.call('listMcpShopInventory');
  const order = await buy(deputy);
  const line = (await lines(human)).find((each) => each.actor === 'deputy' && each.effect?.id === order.id);
  const [effect] = await runInDurableObject(objectOf(human), (_, { storage }) =>
    storage.sql.exec('SELECT line, changed, number FROM effects WHERE id = ?', order.id).toArray(),
  );
  expect(effect).toEqual({ line: line?.sequence, changed: line?.sequence, number: 2 });
});

test('the human’s acts have theirs: appointed, taken up, changed, paused, resumed, the account, dismissed', async () => {
  const human = person();
  await deputyOf(human, '2025-11-25', 'Own word');
  const object = objectOf(human);
  const deputyId = (await object.look({})).deputies[0]?.deputyId ?? '';
  const limits = { shirtsPerOrder: 1, shirtsPerDay: 1, spendPerDay: 2500, askAbove: 1 };
  await object.act({
    do: 'amend',
    narrowOnly: true,
    amendment: { deputyId, version: 1, scopes: ['shop:browse'], limits },
  });
  await object.act({ do: 'pause' });
  await object.act(await resumption(object));
  await object.act({ do: 'ceiling', ceiling: { shirtsPerDay: 5, spendPerDay: 10_000 }, version: 0 });
  await object.act({ do: 'revoke', deputyId });
  const told = await lines(human);
  expect(told.map((line) => (line.actor === 'deputy' ? line.tool : line.act))).toEqual([
    'opened',
    'appointed',
    'activated',
    'amended',
    'paused',
    'resumed',
    'ceiling',
    'revoked',
  ]);
  expect(told[1]).toMatchObject({ actor: 'human', client: { id: expect.any(String), unverifiedName: 'Own word' } });
  expect(await object.verifyRecord()).toMatchObject({ ok: true, lines: 8 });
});

test('a flood of refusals shares lines, and every call is accounted for', async () => {
  const human = person();
  const { accessToken } = await deputyOf(human, '2025-11-25');
  const calls = 150;
  for (let count = 0; count < calls; count += 10) {
    await Promise.all(Array.from({ length: 10 }, () => rpc(accessToken, callMessage('listMcpShopInventory'))));
  }
  // Asking for the whole record writes down what still shares a line.
  await objectOf(human).recordText(0, 1);
  const told = (await objectOf(human).recordText(0, 1000)).map(
    ({ line }) => JSON.parse(line) as Record<string, unknown>,
  );
  const single = told.filter(({ tool }) => tool === 'listMcpShopInventory').length;
  const shared = told.reduce(
    (sum, { refused, refusedBefore }) => sum + Number(refused ?? 0) + Number(refusedBefore ?? 0),
    0,
  );
  expect(single).toBe(61);
  expect(single + shared).toBe(calls);
});

async function exportTo(human: Person, organization: string): Promise<void> {
  await runInDurableObject(objectOf(human), (instance) => {
    const { env: own } = instance as unknown as { env: Cloudflare.Env };
    Object.assign(instance, { env: { ...own, WORKOS_AUDIT_LOGS_ORGANIZATION: organization } });
  });
}

/** Runs the jobs that are due in a few seconds, until the record has nothing more to send. */
async function sendAll(human: Person): Promise<void> {
  for (let round = 1; round < 10; round += 1) {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
    await runDurableObjectAlarm(objectOf(human));
  }
  vi.useRealTimers();
}

async function received(human: Person) {
  const { keys } = await env.OAUTH_KV.list({ prefix: 'local-authkit:audit:' });
  const values = await Promise.all(
    keys.map(({ name }) => env.OAUTH_KV.get<{ event: Record<string, unknown> }>(name, 'json')),
  );
  return values
    .flatMap((value) => (value ? [value.event] : []))
    .filter(({ actor }) => (actor as { id: string }).id === userIdOf(human.email))
    .toSorted((one, other) => sequenceOf(one) - sequenceOf(other));
}

const sequenceOf = ({ metadata }: Record<string, unknown>) => (metadata as { sequence: number }).sequence;

test('where an organization is configured, WorkOS gets each act and each metered call once, and the dashboard shows it', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  await exportTo(human, LOCAL_ORGANIZATION);
  const order = await buy(deputy);
  await objectOf(human).act({ do: 'pause' });
  // A read, and a purchase, both refused.
  await deputy.call('listMcpShopInventory');
  await deputy.call('buyMcpShopItem', PURCHASE);
  await sendAll(human);
  const events = await received(human);
  expect(events.map(({ action }) => action)).toEqual([
    'deputization.opened',
    'deputization.appointed',
    'deputization.activated',
    'deputy.called',
    'deputization.paused',
    'deputy.called',
  ]);
  expect(events.map(sequenceOf)).toEqual([1, 2, 3, 4, 5, 7]);
  for (const event of events) expectInSchema(event);
  expect(events[3]).toMatchObject({
    actor: { type: 'user', id: userIdOf(human.email), metadata: { through: expect.stringMatching(/^dep_/) } },
    targets: [{ type: 'deputy' }, { type: 'tool', id: 'buyMcpShopItem' }, { type: 'order', id: order.id }],
    metadata: { sequence: 4, decision: 'allowed' },
  });
  expect(JSON.stringify(events)).not.toContain(human.email);
  const dashboard = await human.browser.open('/local-authkit');
  expect(textOf(dashboard)).toContain('deputization.paused');
});

/** WorkOS refuses an event with a target or a value that its schema does not have. */
function expectInSchema(event: Record<string, unknown>): void {
  const schema = auditSchemas().find(({ action }) => action === event['action']);
  const { targets, metadata } = event as { targets: { type: string }[]; metadata: Record<string, unknown> };
  expect(schema?.targets.map(({ type }) => type)).toEqual(expect.arrayContaining(targets.map(({ type }) => type)));
  for (const [name, value] of Object.entries(metadata)) expect(typeof value).toBe(schema?.metadata?.[name]);
}

test('while WorkOS is down nothing is lost, and nothing is doubled when it answers again', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const human = person();
  const deputy = await deputyOf(human, '2025-11-25');
  await exportTo(human, LOCAL_ORGANIZATION);
  const save = vi.spyOn(AuthkitStore.prototype, 'saveAuditEvent');
  save.mockRejectedValueOnce(new Error('WorkOS is down')).mockRejectedValueOnce(new Error('WorkOS is down'));
  await buy(deputy);
  await sendAll(human);
  expect((await received(human)).map(sequenceOf)).toEqual([1, 2, 3, 4]);
});

test.each([400, 403, 404, 409, 422] as const)(
  'a line that WorkOS answers with %i is left out after three tries',
  async (status) => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
    const human = person();
    const deputy = await deputyOf(human, '2025-11-25');
    await exportTo(human, LOCAL_ORGANIZATION);
    let tries = 0;
    // oxlint-disable-next-line typescript/unbound-method -- called with its own `this` below
    const real = AuthkitStore.prototype.saveAuditEvent;
    vi.spyOn(AuthkitStore.prototype, 'saveAuditEvent').mockImplementation(async function (
      this: AuthkitStore,
      key,
      event,
    ) {
      if (!key.endsWith('-2')) return real.call(this, key, event);
      tries += 1;
      const body = { message: 'no schema for this action', code: 'invalid_audit_log' };
      throw new HTTPException(status, { res: Response.json(body) });
    });
    await buy(deputy);
    await sendAll(human);
    expect((await received(human)).map(sequenceOf)).toEqual([1, 3, 4]);
    expect(tries).toBe(3);
    expect(logged.mock.calls.join()).toContain('audit_line_refused');
  },
);

test.each([401, 408, 429, 503] as const)(
  'what WorkOS answers with %i is not the fault of the line, which is sent again',
  async (status) => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const human = person();
    const deputy = await deputyOf(human, '2025-11-25');
    await exportTo(human, LOCAL_ORGANIZATION);
    const save = vi.spyOn(AuthkitStore.prototype, 'saveAuditEvent');
    // The SDK tries some of them again by itself.
    for (let times = 0; times < 4; times += 1)
      save.mockImplementationOnce(async () => {
        throw new HTTPException(status, { res: Response.json({ message: 'not now' }) });
      });
    await buy(deputy);
    await sendAll(human);
    await sendAll(human);
    expect((await received(human)).map(sequenceOf)).toEqual([1, 2, 3, 4]);
  },
);

test('without an organization nothing is sent', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  const save = vi.spyOn(AuthkitStore.prototype, 'saveAuditEvent');
  await buy(deputy);
  await sendAll(human);
  expect(save).not.toHaveBeenCalled();
});

test('once a day the head of a busy record goes to the log, and a quiet one is left alone', async () => {
  const human = person();
  await deputyOf(human, '2026-07-28');
  const logged: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((text) => void logged.push(String(text)));
  const heads = () => logged.filter((line) => line.includes('audit_head')).map((line) => JSON.parse(line) as unknown);
  const dueInHours = async () => {
    const alarm = await runInDurableObject(objectOf(human), (_, { storage }) => storage.getAlarm());
    return ((alarm ?? Infinity) - Date.now()) / 3_600_000;
  };
  expect(await dueInHours()).toBeCloseTo(24, 0);
  const { head } = await objectOf(human).look({});
  for (let day = 0; day < 2; day += 1) {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 24.1 * 3_600_000 });
    await runDurableObjectAlarm(objectOf(human));
  }
  expect(heads()).toEqual([{ event: 'audit_head', user: userIdOf(human.email), ...head }]);
  expect(await dueInHours()).toBeGreaterThan(80 * 24);
  await objectOf(human).act({ do: 'pause' });
  expect(await dueInHours()).toBeCloseTo(24, 0);
  expect(await jobsOf(objectOf(human), 'daily')).toBe(1);
});

test.each([
  "UPDATE account SET windows = '{}'",
  "UPDATE meters SET windows = '{}'",
  "UPDATE deputies SET client_name = 'Claude'",
  "UPDATE deputies SET client_domain = 'claude.ai'",
  "UPDATE deputies SET client_id = 'https://claude.ai/client.json'",
  `UPDATE deputies SET scopes = '["shop:browse","shop:buy","orders:read"]'`,
])('verifying notices %s behind the record', async (change) => {
  const human = person();
  human.ticks = ['shop:buy'];
  await buy(await deputyOf(human, '2026-07-28'));
  expect(await objectOf(human).verifyRecord()).toMatchObject({ ok: true });
  await runInDurableObject(objectOf(human), (_, { storage }) => void storage.sql.exec(change));
  expect(await objectOf(human).verifyRecord()).toMatchObject({ ok: false });
});

test('a pause does not wait until a long record is verified', async () => {
  const human = person();
  await human.walk('/login?return_to=/');
  await runInDurableObject(objectOf(human), (_, { storage }) => {
    const ledger = new Ledger(storage, domain, { delivers: true });
    for (let count = 0; count < 1500; count += 1) {
      pause(ledger);
      resume(ledger, ledger.account.read().authoritySequence ?? 0);
    }
  });
  const done: string[] = [];
  const verified = objectOf(human).verifyRecord();
  const paused = objectOf(human).act({ do: 'pause' });
  const result = await Promise.all([
    verified.then((value) => (done.push('verified'), value)),
    paused.then((value) => (done.push('paused'), value)),
  ]);
  expect(done).toEqual(['paused', 'verified']);
  expect(result[0]).toMatchObject({ ok: true, lines: 3002 });
});
