/** What the local AuthKit remembers: its signing keys, users, codes, sessions and audit events, in KV under a prefix. */
import { createHash } from 'node:crypto';
import { z } from 'zod';

export const LOCAL_CLIENT_ID = 'client_local';
export const LOCAL_API_KEY = 'sk_test_local';
/** Sealing cookies on one machine, for data that means nothing elsewhere. */
export const LOCAL_COOKIE_PASSWORD = 'only for the local AuthKit, never for a deployment';
export const LOCAL_ORGANIZATION = 'org_local';
export const LOCAL_WEBHOOK_SECRET = 'only for webhooks of the local AuthKit';

const PREFIX = 'local-authkit:';
/** Seconds a code can be exchanged, as at WorkOS. */
const CODE_SECONDS = 10 * 60;
/** Seconds everything else is kept. */
const KEPT_SECONDS = 30 * 24 * 60 * 60;
/** Milliseconds for which a refresh token that was just used gives the same answer again, as at WorkOS. */
const REPLAY_MS = 30_000;
/** How many sign-ins and audit events a list holds, the newest. */
const MAX_SHOWN = 50;

/** Noted beside a key: milliseconds since the epoch of its last change, and whose it is. */
type Metadata = { at: number; user?: string };

/** The same address is the same user, on every machine and after every restart. */
export function userIdOf(email: string): string {
  return `user_local_${createHash('sha256').update(email).digest('hex').slice(0, 24)}`;
}

/** Somebody of the team, who signs in as a user. */
const impersonator = z.object({ email: z.string(), reason: z.string() });

const code = z.object({ session: z.string(), codeChallenge: z.string().optional() });
const user = z.object({
  email: z.string(),
  /** A membership that was deleted is `gone`. */
  membership: z.enum(['active', 'inactive', 'gone']),
  role: z.string(),
  /** What the app keeps beside the user at WorkOS. */
  metadata: z.record(z.string(), z.string()).optional(),
});
/** What WorkOS answers to a refresh instead of a new session, such as one of its documented errors. */
const refusal = z.object({ status: z.int(), body: z.record(z.string(), z.unknown()) });
const emitted = z.looseObject({
  object: z.literal('event'),
  id: z.string(),
  event: z.string(),
  created_at: z.string(),
});
const session = z.object({
  id: z.string(),
  email: z.string(),
  clientId: z.string(),
  /** Seconds since the epoch at which the person signed in; a refresh does not change it. */
  authTime: z.number(),
  /** There is none until a code of this session was exchanged. */
  refreshToken: z.string().optional(),
  /** The refresh token before that one, and when it was used, in milliseconds since the epoch. */
  retired: z.object({ token: z.string(), at: z.number() }).optional(),
  /** The organization that the session is in. */
  organization: z.string().optional(),
  impersonator: impersonator.optional(),
  endedAt: z.string().optional(),
});
const auditEvent = z.object({
  organizationId: z.string(),
  event: z.record(z.string(), z.unknown()),
  receivedAt: z.string(),
});
const key = z.looseObject({ kid: z.string(), kty: z.string(), n: z.string(), e: z.string() });
export type SigningKey = z.infer<typeof key>;

export type User = z.infer<typeof user>;
export type Refusal = z.infer<typeof refusal>;
type Event = z.infer<typeof emitted>;
type Code = z.infer<typeof code>;
export type Session = z.infer<typeof session>;
export type AuditEvent = z.infer<typeof auditEvent>;

export class AuthkitStore {
  readonly #kv: KVNamespace;

  constructor(kv: KVNamespace) {
    this.#kv = kv;
  }

  /** The keys as private JWKs, newest first: that one signs, and the one before it is still published. */
  async signingKeys(): Promise<SigningKey[]> {
    return (await this.#get(z.array(key), 'keys')) ?? [];
  }
  async addSigningKey(made: unknown): Promise<SigningKey> {
    const newest = key.parse(made);
    await this.#put('keys', [newest, ...(await this.signingKeys()).slice(0, 1)]);
    return newest;
  }

  async saveCode(value: string, data: Code): Promise<void> {
    await this.#put(`code:${value}`, data, undefined, CODE_SECONDS);
  }
  /** A code works once. */
  async takeCode(value: string): Promise<Code | undefined> {
    const found = await this.#get(code, `code:${value}`);
    if (found) await this.#kv.delete(`${PREFIX}code:${value}`);
    return found;
  }

  /** Undefined for somebody who never signed in, and `deleted` for a user who is gone for good. */
  async findUser(id: string): Promise<User | 'deleted' | undefined> {
    return this.#get(z.union([user, z.literal('deleted')]), `user:${id}`);
  }
  async saveUser(id: string, data: User | 'deleted'): Promise<void> {
    await this.#put(`user:${id}`, data, { at: Date.now() });
  }

  /** An event has an id that sorts by time. */
  async saveEvent(name: string, data: unknown): Promise<Event> {
    const at = Date.now();
    const id = `event_${at.toString(36).padStart(9, '0')}${crypto.randomUUID().slice(0, 8)}`;
    const saved: Event = { object: 'event', id, event: name, created_at: new Date(at).toISOString(), data };
    await this.#put(`event:${id}`, saved);
    return saved;
  }
  /** Oldest first, from `after` on; undefined when that is no event. */
  async events(after: string | undefined): Promise<Event[] | undefined> {
    if (after !== undefined && !(await this.#get(emitted, `event:${after}`))) return undefined;
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#kv.list({ prefix: `${PREFIX}event:`, ...(cursor && { cursor }) });
      names.push(...page.keys.map(({ name }) => name.slice(PREFIX.length)));
      cursor = page.list_complete ? undefined : page.cursor;
    } while (cursor);
    const later = names.filter((name) => after === undefined || name > `event:${after}`);
    const found = await Promise.all(later.map((name) => this.#get(emitted, name)));
    return found.filter((each) => each !== undefined);
  }

  async saveSession(data: Session): Promise<void> {
    await this.#put(`session:${data.id}`, data, { at: Date.now(), user: userIdOf(data.email) });
    if (data.refreshToken !== undefined) await this.#put(`refresh:${data.refreshToken}`, data.id);
  }
  findSession(id: string): Promise<Session | undefined> {
    return this.#get(session, `session:${id}`);
  }
  async findSessionByRefreshToken(token: string): Promise<Session | undefined> {
    const id = await this.#get(z.string(), `refresh:${token}`);
    const found = id === undefined ? undefined : await this.findSession(id);
    if (!found || found.refreshToken === token) return found;
    const again = found.retired?.token === token && Date.now() - found.retired.at <= REPLAY_MS;
    return again ? found : undefined;
  }
  /** From now on, each refresh of this user's sessions is answered like this; without an answer, as ever. */
  async refuseRefreshes(userId: string, answer?: Refusal): Promise<void> {
    await (answer ? this.#put(`refusal:${userId}`, answer) : this.#kv.delete(`${PREFIX}refusal:${userId}`));
  }
  refusalOf(userId: string): Promise<Refusal | undefined> {
    return this.#get(refusal, `refusal:${userId}`);
  }
  /** The last used ones, of everybody or of one user. */
  sessions(userId?: string): Promise<Session[]> {
    return this.#newest(session, 'session:', (metadata) => userId === undefined || metadata.user === userId);
  }

  /** WorkOS keeps the first event of an idempotency key and ignores repeats. */
  async saveAuditEvent(idempotencyKey: string, event: AuditEvent): Promise<void> {
    const name = `audit:${idempotencyKey}`;
    const metadata = { at: Date.parse(event.receivedAt) };
    if (!(await this.#get(auditEvent, name))) await this.#put(name, event, metadata);
  }
  auditEvents(): Promise<AuditEvent[]> {
    return this.#newest(auditEvent, 'audit:', () => true);
  }

  async #get<Schema extends z.ZodType>(schema: Schema, name: string): Promise<z.output<Schema> | undefined> {
    const value = await this.#kv.get(PREFIX + name, 'json');
    return value === null ? undefined : schema.parse(value);
  }
  async #put(name: string, value: unknown, metadata?: Metadata, expirationTtl = KEPT_SECONDS): Promise<void> {
    await this.#kv.put(PREFIX + name, JSON.stringify(value), { expirationTtl, ...(metadata && { metadata }) });
  }
  /** KV lists keys by name, 1000 at a time, so the newest are found by what is noted beside the keys. */
  async #newest<Schema extends z.ZodType>(
    schema: Schema,
    prefix: string,
    wanted: (metadata: Metadata) => boolean,
  ): Promise<z.output<Schema>[]> {
    const found: { name: string; at: number }[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#kv.list<Metadata>({ prefix: PREFIX + prefix, ...(cursor && { cursor }) });
      for (const { name, metadata } of page.keys)
        if (metadata && wanted(metadata)) found.push({ name, at: metadata.at });
      cursor = page.list_complete ? undefined : page.cursor;
    } while (cursor);
    const newest = found.toSorted((one, other) => other.at - one.at).slice(0, MAX_SHOWN);
    const values = await Promise.all(newest.map(({ name }) => this.#get(schema, name.slice(PREFIX.length))));
    return values.filter((value) => value !== undefined);
  }
}
