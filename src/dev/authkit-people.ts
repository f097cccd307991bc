/** Users and memberships of the local AuthKit, as an administrator changes them, and the events that tell of it. */
import { createHmac } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { domain } from '../domain.ts';
import { forAnyKey } from '../edge/kv-keys.ts';
import { AuthkitStore, LOCAL_ORGANIZATION, LOCAL_WEBHOOK_SECRET, type User, userIdOf } from './authkit-store.ts';

type Bindings = Env & { ORIGIN: string };
type Here = Context<{ Bindings: Bindings }>;

/** What each role may do. `staff` is somebody of a company that uses WorkOS for many apps. */
export const ROLES: Record<string, string[]> = {
  admin: [domain.adminPermission],
  member: [],
  staff: [domain.adminPermission, ...Array.from({ length: 59 }, (_, n) => `department-${n + 1}:documents:manage`)],
};

const MADE_AT = '2026-01-01T00:00:00.000Z';
const MEMBERSHIP_PREFIX = 'om_';

/** The user of that address, made with the first sign-in. */
export async function welcome(store: AuthkitStore, email: string): Promise<User | 'deleted'> {
  const known = await store.findUser(userIdOf(email));
  if (known) return known;
  const made: User = { email, membership: 'active', role: email.startsWith('admin@') ? 'admin' : 'member' };
  await store.saveUser(userIdOf(email), made);
  return made;
}

export const people = new Hono<{ Bindings: Bindings }>();

people.get('/user_management/users/:id', async (c) => {
  const user = await storeOf(c).findUser(c.req.param('id'));
  return user && user !== 'deleted' ? c.json(userOf(user)) : noSuch(c, 'User', c.req.param('id'));
});
people.put('/user_management/users/:id', async (c) => {
  const user = await storeOf(c).findUser(c.req.param('id'));
  if (!user || user === 'deleted') return noSuch(c, 'User', c.req.param('id'));
  const { metadata = {} } = await c.req.json<{ metadata?: Record<string, string> }>();
  const next = { ...user, metadata: { ...user.metadata, ...metadata } };
  await storeOf(c).saveUser(c.req.param('id'), next);
  return c.json(userOf(next));
});
people.delete('/user_management/users/:id', (c) => remove(c, c.req.param('id')));

people.get('/user_management/organization_memberships', async (c) => {
  const { user_id: id = '', organization_id: organization = LOCAL_ORGANIZATION, statuses = 'active' } = c.req.query();
  const user = await storeOf(c).findUser(id);
  const shown =
    user && user !== 'deleted' && organization === LOCAL_ORGANIZATION && statuses.split(',').includes(user.membership);
  const data = shown ? [membershipOf(user)] : [];
  return c.json({ object: 'list', data, list_metadata: { before: null, after: null } });
});
people.delete('/user_management/organization_memberships/:id', (c) => change(c, { membership: 'gone' }));
people.put('/user_management/organization_memberships/:id/deactivate', (c) => change(c, { membership: 'inactive' }));
people.put('/user_management/organization_memberships/:id/reactivate', (c) => change(c, { membership: 'active' }));
people.put('/user_management/organization_memberships/:id', async (c) => {
  const { role_slug: role } = await c.req.json<{ role_slug?: string }>();
  if (role !== undefined && role in ROLES) return change(c, { role });
  return c.json({ message: `There is no role '${role}'.`, code: 'invalid_role' }, 422);
});

people.get('/authorization/organizations/:id/roles', (c) => {
  const data = Object.entries(ROLES).map(([slug, permissions]) => ({
    object: 'role',
    id: `role_${slug}`,
    name: slug,
    slug,
    description: null,
    permissions,
    resource_type_slug: 'organization',
    type: 'EnvironmentRole',
    created_at: MADE_AT,
    updated_at: MADE_AT,
  }));
  return c.json({ object: 'list', data });
});

people.get('/events', async (c) => {
  const { events = '', after, limit = '10', range_start: start = '' } = c.req.query();
  const listed = await storeOf(c).events(after);
  if (!listed) return c.json({ message: `Event not found: '${after}'.` }, 400);
  const wanted = listed.filter(({ event, created_at: at }) => events.split(',').includes(event) && at >= start);
  const data = wanted.slice(0, Number(limit));
  const next = data.length < wanted.length ? (data.at(-1)?.id ?? null) : null;
  return c.json({ object: 'list', data, list_metadata: { before: null, after: next } });
});

/** The buttons of the local dashboard. */
people.post('/local-authkit/users/:id', async (c) => {
  const { do: what } = await c.req.parseBody();
  const id = c.req.param('id');
  if (what === 'delete') await remove(c, id);
  else await change(c, { membership: what === 'reactivate' ? 'active' : 'inactive' }, id);
  return c.redirect('/local-authkit', 303);
});

async function remove(c: Here, id: string): Promise<Response> {
  const user = await storeOf(c).findUser(id);
  if (!user || user === 'deleted') return noSuch(c, 'User', id);
  await storeOf(c).saveUser(id, 'deleted');
  await tell(c, 'user.deleted', userOf(user));
  return c.body(null, 200);
}

async function change(c: Here, changes: Partial<User>, userId?: string): Promise<Response> {
  const id = userId ?? (c.req.param('id') ?? '').slice(MEMBERSHIP_PREFIX.length);
  const user = await storeOf(c).findUser(id);
  if (!user || user === 'deleted') return noSuch(c, 'Organization membership', id);
  const next = { ...user, ...changes };
  await storeOf(c).saveUser(id, next);
  const gone = next.membership === 'gone';
  await tell(c, `organization_membership.${gone ? 'deleted' : 'updated'}`, membershipOf(gone ? user : next));
  return c.json(membershipOf(next));
}

/** Lists the event, and sends it as a webhook where that is set up, signed as WorkOS does. */
async function tell(c: Here, name: string, data: unknown): Promise<void> {
  const payload = JSON.stringify(await storeOf(c).saveEvent(name, data));
  const secret = c.env.WORKOS_WEBHOOK_SECRET ?? LOCAL_WEBHOOK_SECRET;
  if (!secret) return;
  const time = Date.now();
  const hash = createHmac('sha256', secret).update(`${time}.${payload}`).digest('hex');
  const headers = { 'Content-Type': 'application/json', 'WorkOS-Signature': `t=${time}, v1=${hash}` };
  await fetch(`${c.env.ORIGIN}/webhooks/workos`, { method: 'POST', body: payload, headers });
}

function storeOf(c: Here): AuthkitStore {
  return new AuthkitStore(forAnyKey(c.env.OAUTH_KV));
}

function noSuch(c: Context, what: string, id: string) {
  return c.json({ message: `${what} not found: '${id}'.`, code: 'entity_not_found', entity_id: id }, 404);
}

function membershipOf(user: User) {
  const { email, membership, role } = user;
  return {
    object: 'organization_membership',
    id: MEMBERSHIP_PREFIX + userIdOf(email),
    user_id: userIdOf(email),
    organization_id: LOCAL_ORGANIZATION,
    organization_name: 'Local organization',
    status: membership === 'active' ? 'active' : 'inactive',
    directory_managed: false,
    role: { slug: role },
    roles: [{ slug: role }],
    custom_attributes: {},
    user: userOf(user),
    created_at: MADE_AT,
    updated_at: new Date().toISOString(),
  };
}

/** The user in the shape of the API. */
export function userOf({ email, metadata = {} }: User) {
  const [local = ''] = email.split('@');
  const first = local.charAt(0).toUpperCase() + local.slice(1);
  return {
    object: 'user',
    id: userIdOf(email),
    email,
    email_verified: true,
    first_name: first,
    last_name: null,
    name: first,
    profile_picture_url: null,
    last_sign_in_at: null,
    locale: null,
    external_id: null,
    metadata,
    created_at: MADE_AT,
    updated_at: MADE_AT,
  };
}
