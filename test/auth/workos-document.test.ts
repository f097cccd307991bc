/**
 * The local AuthKit is held against WorkOS's own OpenAPI document: what the Worker and its administrator ask through the
 * real SDK, and what they are answered. Each refusal of a refresh that the document has is tried on a human.
 */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { auditSchemas } from '../../src/auth/audit-export.ts';
import { authkit } from '../../src/dev/authkit.tsx';
import { AuthkitStore, LOCAL_CLIENT_ID, LOCAL_ORGANIZATION, userIdOf } from '../../src/dev/authkit-store.ts';
import { textOf } from '../../src/dev/browser.ts';
import { Person } from '../../src/dev/clients.ts';
import { administrator, hearOfEvents, membershipOf } from '../support/administrator.ts';
import { cookiesOf, send } from '../support/http.ts';
import { hurry, later, MINUTE } from '../support/outages.ts';
import { deputyOf, objectOf, person } from '../support/people.ts';
import { buy } from '../support/shop.ts';
import { someone, workerFetch } from '../support/worker.ts';
import { type Answer, type Exchange, faultsOf, nameOf, refusalsOf } from '../support/workos-document.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** What is said between the SDK, or a browser, and the local AuthKit from now on. */
function overheard(): Exchange[] {
  const exchanges: Exchange[] = [];
  const real = authkit.fetch;
  vi.spyOn(authkit, 'fetch').mockImplementation(async (request, ...rest) => {
    const copy = request.clone();
    const response = await real(request, ...rest);
    const { method, url } = request;
    // Pages and posts of the browser are no API.
    if (!url.includes('/local-authkit') && !request.headers.get('Content-Type')?.includes('form'))
      exchanges.push({
        method: method.toLowerCase(),
        url: new URL(url),
        sent: jsonOf(await copy.text()),
        status: response.status,
        location: response.headers.get('Location'),
        answered: jsonOf(await response.clone().text()),
      });
    return response;
  });
  return exchanges;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Copies the record of that human to Audit Logs, as a deployment with an organization does. */
async function exportRecord(human: Person): Promise<void> {
  await runInDurableObject(objectOf(human), (instance) => {
    const { env: own } = instance as unknown as { env: object };
    Object.assign(instance, { env: { ...own, WORKOS_AUDIT_LOGS_ORGANIZATION: LOCAL_ORGANIZATION } });
  });
  await buy(await deputyOf(human, '2025-11-25'));
  later(MINUTE);
  await runDurableObjectAlarm(objectOf(human));
}

const auditEvent = z.object({ event: z.object({ action: z.string(), metadata: z.record(z.string(), z.unknown()) }) });
const EVENT = {
  action: 'deputy.called',
  occurredAt: new Date(),
  actor: { type: 'user', id: 'user_1' },
  targets: [],
  context: { location: 'not recorded' },
};

test('everything the Worker and its administrator ask of WorkOS, and each answer, is as its document says', async () => {
  const heard = overheard();
  const human = person();
  const { userManagement, auditLogs, events } = await administrator();
  await send(new URL(userManagement.getJwksUrl(LOCAL_CLIENT_ID)).pathname);
  await human.walk('/login');
  await human.walk('/login');
  expect(human.signIns).toBe(1);
  const userId = userIdOf(human.email);
  // As much as WorkOS takes.
  const metadata = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`note-${n}`, 'a'.repeat(600)]));
  await userManagement.updateUser({ userId, metadata });
  const membership = await membershipOf(human);
  await userManagement.updateOrganizationMembership(membership, { roleSlug: 'staff' });
  await exportRecord(human);

  // An event of a later time would hide those of other tests.
  vi.useRealTimers();
  await userManagement.deactivateOrganizationMembership(membership);
  await userManagement.reactivateOrganizationMembership(membership);
  await hearOfEvents();
  await objectOf(human).checkPresence();

  later(6 * MINUTE);
  expect(textOf(await human.browser.open('/deputies'))).toContain(human.email);
  const support = person(human.email);
  const asked = await support.browser.open('/login?fresh&return_to=/deputies');
  const seen = await support.browser.press(asked, 'Continue', {
    email: human.email,
    impersonator: 'grace@support.example',
  });
  await support.browser.press(seen, 'Stop all');
  later(20 * MINUTE);
  await runDurableObjectAlarm(objectOf(human));
  vi.useRealTimers();
  const [session] = (await userManagement.listSessions(userId)).data;
  await userManagement.revokeSession({ sessionId: session?.id ?? '' });
  await human.browser.press(await human.walk('/deputies'), 'Sign out');

  const refused = [
    userManagement.authenticateWithRefreshToken({ refreshToken: 'made up' }),
    userManagement.revokeSession({ sessionId: 'session_unknown' }),
    userManagement.updateOrganizationMembership(membership, { roleSlug: 'unknown' }),
    events.listEvents({ events: ['user.deleted'], after: 'event_unknown' }),
    auditLogs.createEvent(LOCAL_ORGANIZATION, { ...EVENT, metadata: { client: 'x'.repeat(501) } }),
  ];
  for (const { status } of await Promise.allSettled(refused)) expect(status).toBe('rejected');
  await userManagement.deleteOrganizationMembership(membership);
  await objectOf(human).checkPresence();
  await userManagement.deleteUser(userId);
  await objectOf(human).checkPresence();

  expect(heard.flatMap(faultsOf)).toEqual([]);
  // The keys may be known from another test.
  const keys = 'get /sso/jwks/{clientId} 200';
  expect([...new Set([keys, ...heard.map(nameOf)])].toSorted()).toEqual([
    'delete /user_management/organization_memberships/{id} 200',
    'delete /user_management/users/{id} 200',
    'get /authorization/organizations/{organizationId}/roles 200',
    'get /events 200',
    'get /events 400',
    keys,
    'get /user_management/authorize 200',
    'get /user_management/authorize 302',
    'get /user_management/organization_memberships 200',
    'get /user_management/sessions/logout 302',
    'get /user_management/users/{id} 200',
    'get /user_management/users/{id} 404',
    'get /user_management/users/{id}/sessions 200',
    'post /audit_logs/events 200',
    'post /audit_logs/events 400',
    'post /user_management/authenticate 200',
    'post /user_management/authenticate 400',
    'post /user_management/sessions/revoke 200',
    'post /user_management/sessions/revoke 400',
    'put /user_management/organization_memberships/{id} 200',
    'put /user_management/organization_memberships/{id} 422',
    'put /user_management/organization_memberships/{id}/deactivate 200',
    'put /user_management/organization_memberships/{id}/reactivate 200',
    'put /user_management/users/{id} 200',
  ]);
  const exported = heard.flatMap(({ url, sent }) =>
    url.pathname === '/audit_logs/events' ? [auditEvent.parse(sent)] : [],
  );
  expect(exported.some(({ event }) => 'impersonation' in event.metadata)).toBe(true);
  for (const { event } of exported) {
    const schema = auditSchemas().find(({ action }) => action === event.action);
    expect(Object.keys(schema?.metadata ?? {})).toEqual(expect.arrayContaining(Object.keys(event.metadata)));
  }
  const [authenticated] = heard.filter((each) => nameOf(each) === 'post /user_management/authenticate 200');
  if (!authenticated) throw new Error('nobody signed in');
  expect(faultsOf({ ...authenticated, status: 201 })).toHaveLength(1);
  expect(faultsOf({ ...authenticated, answered: { user: {} } })).not.toEqual([]);
  expect(faultsOf({ ...authenticated, sent: { grant_type: 'refresh_token' } })).not.toEqual([]);
});

/** The answers that say nothing about the session, some of which the document leaves out. */
const UNDOCUMENTED: Answer[] = [401, 408, 500, 503].map((status) => ({ status, body: { message: 'any' } }));
const REFUSALS = [...refusalsOf('post', '/user_management/authenticate'), ...UNDOCUMENTED].map((answer, index) => {
  const { error, code, message } = answer.body;
  const outage = [401, 408, 429].includes(answer.status) || answer.status >= 500 || String(error).endsWith('_client');
  const shown = outage ? 'the brake, and the operator a line' : 'the way to sign in again';
  return { ...answer, name: String(error ?? code ?? message), index, outage, shown };
});
/** One human for all of them, whose session has to be refreshed each time. */
const ada = person();

test.each(REFUSALS)(
  'a refresh that WorkOS answers with $status $name shows the human $shown',
  async ({ status, body, index, outage }) => {
    if (ada.signIns === 0) await ada.walk('/login?return_to=/deputies');
    await new AuthkitStore(env.OAUTH_KV).refuseRefreshes(userIdOf(ada.email), { status, body });
    hurry();
    later((6 + 2 * index) * MINUTE);
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
    const page = await send('/deputies', { headers: { Cookie: cookiesOf(ada) } });
    if (outage) {
      expect(page.status).toBe(502);
      expect(await page.text()).toContain('Stop all');
      expect(logged.mock.calls.join()).toContain('"event":"authkit_unavailable"');
      expect(page.headers.getSetCookie()).toEqual([]);
    } else {
      expect(page.headers.get('Location')).toBe('/login?return_to=%2Fdeputies');
      expect(logged).not.toHaveBeenCalled();
    }
  },
);

test('who has left their organization is signed in again without it, and AuthKit, which knows them, asks nothing', async () => {
  const human = person();
  await human.walk('/login?return_to=/deputies');
  const { userManagement } = await administrator();
  await userManagement.deactivateOrganizationMembership(await membershipOf(human));
  const heard = overheard();
  later(6 * MINUTE);
  const page = await human.browser.open('/deputies');
  expect(textOf(page)).toContain(human.email);
  const answers = heard.filter(({ url }) => url.pathname.endsWith('/authenticate')).map(({ answered }) => answered);
  expect(answers).toMatchObject([{ error: 'organization_membership_not_found' }, { user: { email: human.email } }]);
  expect(answers[1]).not.toHaveProperty('organization_id');
  expect(human.signIns).toBe(1);
});

test('AuthKit asks again who has to sign in now, was signed out, or is gone', async () => {
  const human = person();
  await human.walk('/login');
  const asks = async (path: string) => (await human.browser.open(path)).html.includes('name="email"');
  human.browser.cookies.delete('__Host-mcp-shop-session');
  expect(await asks('/login')).toBe(false);
  expect(await asks('/login?fresh')).toBe(true);
  expect(await asks((await addressOfSignIn()).replace('state=', 'max_age=60&state='))).toBe(false);
  later(2 * MINUTE);
  expect(await asks((await addressOfSignIn()).replace('state=', 'max_age=60&state='))).toBe(true);
  expect(await asks((await addressOfSignIn()).replace('state=', 'prompt=login&state='))).toBe(true);
  vi.useRealTimers();
  await (await administrator()).userManagement.deleteUser(userIdOf(human.email));
  expect(await asks('/login')).toBe(true);
});

async function addressOfSignIn(): Promise<string> {
  return (await send('/login')).headers.get('Location') ?? '';
}

test('a session outlives the key that signed it', async () => {
  // An address of its own, because the SDK keeps the keys it has read.
  const human = new Person(someone(), 'http://127.0.0.1:8787', workerFetch);
  const keys = (await env.OAUTH_KV.get('local-authkit:keys')) ?? '[]';
  onTestFinished(() => env.OAUTH_KV.put('local-authkit:keys', keys));
  await human.walk('/login?return_to=/deputies');
  for (let changes = 0; changes < 2; changes += 1) {
    await human.browser.press(await human.browser.open('/local-authkit'), 'Change the signing key');
    expect(textOf(await human.browser.open('/deputies'))).toContain(human.email);
  }
  later(6 * MINUTE);
  const page = await human.browser.open('/deputies');
  expect(textOf(page)).toContain(human.email);
  expect(human.signIns).toBe(1);
});
