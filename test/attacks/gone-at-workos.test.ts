/**
 * Ada is dismissed by her company, and her account at WorkOS is deleted, or taken out of the organization. Her agents hold
 * tokens for weeks. Her authority ends where WorkOS ends it, within a stated time; and no silence of WorkOS ends anybody's.
 */
import { createExecutionContext, evictDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import { hiddenFields, linkOf, textOf } from '../../src/dev/browser.ts';
import type { Person } from '../../src/dev/clients.ts';
import worker from '../../src/dev/index.ts';
import { appoint } from '../../src/ledger/acts.ts';
import { PresenceChecks } from '../../src/ledger/presence.ts';
import { DAY_MS } from '../../src/lifetimes.ts';
import { administrator, hearOfEvents, membershipOf } from '../support/administrator.ts';
import { hurry, later, quiet } from '../support/outages.ts';
import { authorizePath, redeem, registeredClient } from '../support/http.ts';
import { inLedger, mandateOf } from '../support/ledger.ts';
import { deputyOf, objectOf, person, resumption } from '../support/people.ts';
import { outcome, plainClient, recordOf, refresh } from '../support/scene.ts';
import { PURCHASE } from '../support/shop.ts';
import { ORIGIN, someone } from '../support/worker.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const LOOK = 'listMcpShopInventory';
const authorityOf = async (human: Person) => (await recordOf(human)).account.authority;
const suspensionsOf = async (human: Person) =>
  (await recordOf(human)).timeline.flatMap((line) =>
    line.actor === 'system' && line.act === 'suspended' ? line.why : [],
  );

/** WorkOS answers nothing about these, as the local AuthKit keeps it. */
function silent(...about: string[]): void {
  const get = env.OAUTH_KV.get.bind(env.OAUTH_KV) as (...args: unknown[]) => Promise<unknown>;
  vi.spyOn(env.OAUTH_KV, 'get').mockImplementation((async (...args: unknown[]) => {
    if (about.some((name) => String(args[0]).startsWith(`local-authkit:${name}`))) throw new Error('WorkOS is down');
    return get(...args);
  }) as never);
}

test('the deputies of a deleted user are refused once the events were heard, and keep their tokens', async () => {
  const ada = person();
  const deputy = await deputyOf(ada, '2026-07-28');
  const { clientId, tokens } = await plainClient(ada);
  const { userManagement } = await administrator();
  await userManagement.deleteUser(userIdOf(ada.email));
  await hearOfEvents();
  expect(await suspensionsOf(ada)).toEqual(['user_gone']);
  expect(await outcome(deputy, 'buyMcpShopItem', PURCHASE)).toBe('suspended');
  expect(await outcome(deputy, 'prettyPlease')).toBe('suspended');
  expect((await refresh(clientId, tokens.refresh_token)).status).toBe(200);
  // The same events again change nothing.
  await env.OAUTH_KV.delete('workos-events');
  await hearOfEvents();
  expect(await suspensionsOf(ada)).toEqual(['user_gone']);
  expect(await objectOf(ada).verifyRecord()).toMatchObject({ ok: true });
});

test('who is taken back signs in again, resumes that suspension, and nothing else lifts it', async () => {
  const ada = person();
  const deputy = await deputyOf(ada, '2025-11-25');
  const { userManagement } = await administrator();
  const membership = await membershipOf(ada);
  await userManagement.deactivateOrganizationMembership(membership);
  await hearOfEvents();
  expect(await suspensionsOf(ada)).toEqual(['membership_gone']);
  const { account } = await recordOf(ada);
  await userManagement.reactivateOrganizationMembership(membership);
  await hearOfEvents();
  expect(await outcome(deputy, LOOK)).toBe('suspended');

  for (const pause of [0, (account.authoritySequence ?? 0) - 1])
    expect(await objectOf(ada).act({ do: 'resume', pause })).toEqual({ problem: 'stale' });
  const page = await ada.walk('/deputies');
  expect(textOf(page)).toContain('Suspended SUSPENDED');
  const resumed = await ada.browser.press(await ada.browser.open('/deputies/resume'), 'Let these go on');
  expect(textOf(resumed)).toContain('You let your deputies go on.');
  expect(await outcome(deputy, 'buyMcpShopItem', PURCHASE)).toBe('allowed');
  expect(await objectOf(ada).checkPresence()).toBe(true);
  expect(await authorityOf(ada)).toBe('active');
  expect(await objectOf(ada).verifyRecord()).toMatchObject({ ok: true });
});

test('a session from before cannot resume: WorkOS refuses it, and says to sign in again', async () => {
  const ada = person();
  await deputyOf(ada, '2025-11-25');
  const { userManagement } = await administrator();
  await userManagement.deleteOrganizationMembership(await membershipOf(ada));
  await hearOfEvents();
  const page = await ada.browser.open('/deputies/resume');
  const refused = await ada.browser.press(page, 'Let these go on', hiddenFields(page));
  expect([refused.status, textOf(refused)]).toEqual([401, expect.stringContaining('You are signed out')]);
  expect(await authorityOf(ada)).toBe('suspended');
  // Signed in again, without that organization, she is the one who decides.
  await ada.walk(linkOf(refused, 'Sign in') ?? '');
  await ada.browser.press(await ada.browser.open('/deputies/resume'), 'Let these go on');
  expect(await authorityOf(ada)).toBe('active');
  expect(await objectOf(ada).checkPresence()).toBe(true);
  expect(await authorityOf(ada)).toBe('active');
});

test.each([
  ['before', ['pause', 'suspend']],
  ['after', ['suspend', 'pause']],
] as const)('a pause from %s the suspension outlasts it, and erasing loses neither', async (_, order) => {
  const ada = person();
  const deputy = await deputyOf(ada, '2025-11-25');
  const object = objectOf(ada);
  await (await administrator()).userManagement.deleteUser(userIdOf(ada.email));
  for (const what of order) await (what === 'pause' ? object.act({ do: 'pause' }) : object.checkPresence());
  expect(await outcome(deputy, LOOK)).toBe('suspended');
  expect(await object.verifyRecord()).toMatchObject({ ok: true });
  const lift = await resumption(object);
  // Whatever came last is what a page must have shown, and a page lifts once.
  expect(await object.act({ do: 'resume', pause: lift.pause - 1 })).toEqual({ problem: 'stale' });
  await object.act(lift);
  expect(await object.act(lift)).toEqual({ problem: 'stale' });
  expect(await outcome(deputy, LOOK)).toBe('paused');
  expect(await object.verifyRecord()).toMatchObject({ ok: true });

  const bob = person();
  await deputyOf(bob, '2025-11-25');
  await (await administrator()).userManagement.deleteUser(userIdOf(bob.email));
  for (const what of order)
    await (what === 'pause' ? objectOf(bob).act({ do: 'pause' }) : objectOf(bob).checkPresence());
  await objectOf(bob).act({ do: 'erase' });
  expect((await recordOf(bob)).account).toMatchObject({ authority: 'suspended', paused: true });
  expect(await objectOf(bob).verifyRecord()).toMatchObject({ ok: true });
});

test('without any event the first call after a day has WorkOS asked, and is not held up by that', async () => {
  const ada = person();
  const deputy = await deputyOf(ada, '2026-07-28');
  await (await administrator()).userManagement.deleteUser(userIdOf(ada.email));
  later(DAY_MS - 60_000);
  // An object that starts anew knows when WorkOS was last heard.
  await evictDurableObject(objectOf(ada));
  expect(await outcome(deputy, LOOK)).toBe('allowed');
  await scheduler.wait(50);
  expect(await authorityOf(ada)).toBe('active');
  later(120_000);
  expect(await outcome(deputy, LOOK)).toBe('allowed');
  await vi.waitUntil(async () => (await authorityOf(ada)) === 'suspended');
  expect(await outcome(deputy, LOOK)).toBe('suspended');
});

test('no answer of WorkOS suspends nobody, and it is asked again', async () => {
  quiet();
  hurry();
  const ada = person();
  await deputyOf(ada, '2025-11-25');
  const { userManagement } = await administrator();
  await userManagement.deleteUser(userIdOf(ada.email));
  silent('user:');
  await hearOfEvents();
  expect(await objectOf(ada).checkPresence()).toBe(false);
  expect(await authorityOf(ada)).toBe('active');
  vi.restoreAllMocks();
  // The cursor has moved on, and the user was kept.
  await hearOfEvents();
  expect(await authorityOf(ada)).toBe('suspended');
});

test('a no that was asked for before she came back counts for nothing', async () => {
  const ada = person();
  const deputy = await deputyOf(ada, '2025-11-25');
  await objectOf(ada).act({ do: 'pause' });
  const page = await ada.browser.open('/deputies/resume');
  const { userManagement } = await administrator();
  const membership = await membershipOf(ada);
  await userManagement.deactivateOrganizationMembership(membership);
  // The second look at her is at her membership. By flags, because a request cannot be woken by another one's promise.
  const state = { looks: 0, answered: false };
  const get = env.OAUTH_KV.get.bind(env.OAUTH_KV) as (...args: unknown[]) => Promise<unknown>;
  vi.spyOn(env.OAUTH_KV, 'get').mockImplementation((async (...args: unknown[]) => {
    const value = await get(...args);
    if (args[0] !== `local-authkit:user:${userIdOf(ada.email)}`) return value;
    state.looks += 1;
    if (state.looks === 2) await vi.waitUntil(() => state.answered, { timeout: 4000, interval: 5 });
    return value;
  }) as never);
  const checking = objectOf(ada).checkPresence();
  await vi.waitUntil(() => state.looks === 2, { timeout: 4000, interval: 5 });
  await userManagement.reactivateOrganizationMembership(membership);
  await ada.browser.press(page, 'Let these go on');
  state.answered = true;
  expect(await checking).toBe(true);
  expect(await outcome(deputy, LOOK)).toBe('allowed');
});

test('events that were not listed are listed by the next run, and a place that WorkOS forgot is no end of it', async () => {
  quiet();
  hurry();
  const ada = person();
  await deputyOf(ada, '2025-11-25');
  await hearOfEvents();
  await (await administrator()).userManagement.deleteUser(userIdOf(ada.email));
  silent('event:');
  await hearOfEvents();
  vi.restoreAllMocks();
  await env.OAUTH_KV.put('workos-events', JSON.stringify({ after: 'event_gone', again: [] }));
  quiet();
  await hearOfEvents();
  await hearOfEvents();
  expect(await authorityOf(ada)).toBe('suspended');
});

test('a user of another app, who has appointed nobody here, gets no object', async () => {
  const workos = await administrator();
  const stranger = person();
  await stranger.walk('/deputies');
  const find = vi.spyOn(env.MCP_OBJECT, 'getByName');
  await workos.userManagement.deleteUser(userIdOf(stranger.email));
  await hearOfEvents();
  expect(find.mock.calls.flat()).not.toContain(`streamable-http:${userIdOf(stranger.email)}`);
});

test('a permission that WorkOS takes away is not had by the deputies, and comes back with it', async () => {
  const admin = person(`admin@${someone().split('@')[0]}.example`);
  const deputy = await deputyOf(admin, '2026-07-28');
  expect(await outcome(deputy, 'getUserInfo')).toBe('allowed');
  const { userManagement } = await administrator();
  const membership = await membershipOf(admin);
  await userManagement.updateOrganizationMembership(membership, { roleSlug: 'member' });
  await hearOfEvents();
  expect(await outcome(deputy, 'getUserInfo')).toBe('permission_required');
  await userManagement.updateOrganizationMembership(membership, { roleSlug: 'admin' });
  await hearOfEvents();
  expect(await outcome(deputy, 'getUserInfo')).toBe('allowed');
  expect(await authorityOf(admin)).toBe('active');
});

const SECRET = 'a secret of the webhook';

/** A webhook as WorkOS sends it, to a Worker whose operator has set the secret. */
async function sent(event: unknown, signedWith = SECRET, secret = SECRET): Promise<number> {
  const payload = JSON.stringify(event);
  const time = Date.now();
  const hash = await (await administrator()).webhooks.computeSignature(time, payload, signedWith);
  const headers = { 'WorkOS-Signature': `t=${time}, v1=${hash}` };
  const request = new Request(`${ORIGIN}/webhooks/workos`, { method: 'POST', body: payload, headers });
  return (await worker.fetch(request, { ...env, WORKOS_WEBHOOK_SECRET: secret }, createExecutionContext())).status;
}

test('a signed webhook ends it at once; an unsigned one, and one for a server without a secret, do nothing', async () => {
  const ada = person();
  const deputy = await deputyOf(ada, '2025-11-25');
  const { userManagement } = await administrator();
  const event = { id: 'event_1', event: 'user.deleted', data: { object: 'user', id: userIdOf(ada.email) } };
  // A webhook says whom to ask about, and not what the answer is.
  expect(await sent(event)).toBe(200);
  expect(await outcome(deputy, LOOK)).toBe('allowed');
  await userManagement.deleteUser(userIdOf(ada.email));
  expect(await sent(event, 'another secret')).toBe(400);
  expect(await sent(event, SECRET, '')).toBe(404);
  expect(await sent({ event: 'user.created', data: {} })).toBe(200);
  expect(await outcome(deputy, LOOK)).toBe('allowed');
  expect(await sent(event)).toBe(200);
  expect(await sent(event)).toBe(200);
  expect(await outcome(deputy, LOOK)).toBe('suspended');
  expect(await suspensionsOf(ada)).toEqual(['user_gone']);
});

test('who is deleted between the yes and the first token is asked about then', async () => {
  const ada = person();
  const clientId = await registeredClient();
  const code = (await ada.answer(authorizePath(clientId))).get('code') ?? '';
  const { userManagement } = await administrator();
  await userManagement.deleteUser(userIdOf(ada.email));
  await hearOfEvents();
  later(60_000);
  await redeem(clientId, code);
  await vi.waitUntil(async () => (await authorityOf(ada)) === 'suspended', { timeout: 4000, interval: 20 });
});

test('a no that another yes of hers overtook is asked for again', () =>
  inLedger(async (ledger) => {
    const appointed = (deputyId: string, at: number) =>
      appoint(
        ledger,
        { deputyId, clientId: 'c', clientName: 'n', redirectHost: 'h', mandate: mandateOf(), replaces: [] },
        { permissions: [], organization: 'org_1', at },
      );
    appointed('dep_a', 1);
    let asked = 0;
    const checks = new PresenceChecks(ledger, async () => {
      // Her Allow was confirmed before she was deleted, and lands while WorkOS is asked.
      if ((asked += 1) === 1) appointed('dep_b', 2);
      return { gone: 'user_gone' };
    });
    expect(await checks.check()).toBe(true);
    expect(ledger.account.read().authority).toBe('suspended');
  }));
