/** Whether WorkOS still knows a human: the question, and the events that make us ask it at once. */
import { NotFoundException } from '@workos-inc/node';
import { z } from 'zod';
import { type Config, readConfig } from '../config.ts';
import { objectName } from '../deputy.ts';
import type { Presence } from '../ledger/account.ts';
import type { Heard } from '../ledger/acts.ts';
import { DAY_MS } from '../lifetimes.ts';
import { logError } from '../log.ts';
import { isRefusal, soon, workos } from './authkit.ts';
import type { SignIn } from './sealed-session.ts';
import type { AppContext } from './session.ts';

/** What a session that WorkOS has just confirmed says of its human. */
export function presenceOf({ organization, user }: SignIn): Presence {
  return { ...(organization !== undefined && { organization }), permissions: user.permissions, at: Date.now() };
}

/**
 * Asks about one human: does the user exist, are they an active member of the organization they signed in with, and what
 * may they do there? Throws when the answer is neither yes nor a clear no.
 */
export async function askAbout(config: Config, userId: string, { organization }: Presence): Promise<Heard> {
  const { userManagement, authorization } = workos(config);
  if (!(await found(userManagement.getUser(userId)))) return { gone: 'user_gone' };
  if (organization === undefined) return { permissions: [], at: Date.now() };
  const memberships = await found(userManagement.listOrganizationMemberships({ userId, organizationId: organization }));
  const active = (memberships?.data ?? []).filter(({ status }) => status === 'active');
  if (active.length === 0) return { gone: 'membership_gone' };
  const held = new Set(active.flatMap(({ role, roles }) => (roles ?? [role]).map(({ slug }) => slug)));
  const { data: roles } = await soon(authorization.listOrganizationRoles(organization));
  const permissions = roles.filter(({ slug }) => held.has(slug)).flatMap((role) => role.permissions);
  return { organization, permissions: [...new Set(permissions)], at: Date.now() };
}

/** Undefined when WorkOS says that there is no such thing. */
async function found<Thing>(call: Promise<Thing>): Promise<Thing | undefined> {
  try {
    return await soon(call);
  } catch (error) {
    if (error instanceof NotFoundException) return undefined;
    throw error;
  }
}

/** What we ask at. An event says only whom to ask about: WorkOS's answer decides, so order and repetition do not matter. */
const EVENTS = ['user.deleted', 'organization_membership.deleted', 'organization_membership.updated'] as const;
const [USER_DELETED, ...OF_MEMBERSHIPS] = EVENTS;
const eventSchema = z.union([
  z.object({ event: z.literal(USER_DELETED), data: z.object({ id: z.string() }) }),
  z.object({ event: z.enum(OF_MEMBERSHIPS), data: z.object({ userId: z.string() }) }),
]);

/** Whom an event is about, when it is one of those. */
function userIn(event: unknown): string | undefined {
  const { data: known } = eventSchema.safeParse(event);
  if (!known) return undefined;
  return known.event === USER_DELETED ? known.data.id : known.data.userId;
}

/** Has a user's object ask. False when there was no answer. */
async function check(env: Env, userId: string): Promise<boolean> {
  // Other apps share these users. Who has no grant here has no deputy, and mostly no object.
  const { keys } = await env.OAUTH_KV.list({ prefix: `grant:${userId}:`, limit: 1 });
  if (keys.length === 0) return true;
  try {
    return await env.MCP_OBJECT.getByName(objectName(userId)).checkPresence();
  } catch (error) {
    logError('object_unreachable', error);
    return false;
  }
}

/** Events of one run, each with a KV operation or two; the most that WorkOS lists at once. */
const EVENTS_AT_ONCE = 100;

/** Where the last run stopped, and users that got no answer then. */
const FEED = 'workos-events';
const feedSchema = z.object({ after: z.string().optional(), again: z.array(z.string()) }).catch({ again: [] });
type Feed = z.infer<typeof feedSchema>;

/** One run over WorkOS's events since the last one; a first one begins a day ago. Throws while WorkOS does not answer. */
export async function followEvents(env: Env): Promise<void> {
  const { after, again } = feedSchema.parse(await env.OAUTH_KV.get(FEED, 'json'));
  const from = after === undefined ? { rangeStart: new Date(Date.now() - DAY_MS).toISOString() } : { after };
  const options = { events: [...EVENTS], limit: EVENTS_AT_ONCE, order: 'asc' as const, ...from };
  const listing = workos(readConfig(env)).events.listEvents(options);
  const { data: events } = await soon(listing).catch(async (error: unknown) => {
    // WorkOS keeps events for 30 days: a place that it knows no more would be refused for ever.
    if (after !== undefined && isRefusal(error)) await env.OAUTH_KV.put(FEED, JSON.stringify({ again }));
    throw error;
  });
  const left: string[] = [];
  for (const userId of new Set([...again, ...events.flatMap((event) => userIn(event) ?? [])]))
    if (!(await check(env, userId))) left.push(userId);
  const last = events.at(-1)?.id ?? after;
  const next: Feed = { ...(last !== undefined && { after: last }), again: left.slice(0, EVENTS_AT_ONCE) };
  if (events.length > 0 || again.length > 0) await env.OAUTH_KV.put(FEED, JSON.stringify(next));
}

/** POST /webhooks/workos, hidden without a secret: one event, as it happens. 503 makes WorkOS send it again. */
export async function takeEvent(c: AppContext): Promise<Response> {
  const config = readConfig(c.env);
  const secret = config.WORKOS_WEBHOOK_SECRET;
  if (secret === undefined) return c.notFound();
  const signed = { payload: await c.req.text(), sigHeader: c.req.header('WorkOS-Signature') ?? '', secret };
  let userId: string | undefined;
  try {
    userId = userIn(await workos(config).webhooks.constructEvent(signed));
  } catch {
    return c.text('This is not signed with our secret, or too long ago.', 400);
  }
  const answered = userId === undefined || (await check(c.env, userId));
  return answered ? c.text('Taken.') : c.text('No answer came. Send it again.', 503);
}
