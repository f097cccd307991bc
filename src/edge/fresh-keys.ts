/**
 * What the OAuth provider has just written, for every place at once. KV shows a write elsewhere up to a minute or more
 * later, and remembers for a minute that a key was absent. So each write is also kept for ten minutes in one of a few
 * small objects. They are not those of humans: a stranger can name anybody, and would make an object of each name.
 */
import { DurableObject } from 'cloudflare:workers';
import { countUnknownToken } from './abuse.ts';
import { forAnyKey } from './kv-keys.ts';

/** How long a write is kept: several times what KV takes. Codes and consent pages live no longer, and are kept here alone. */
const KEPT_SECONDS = 600;
const KEPT_MS = KEPT_SECONDS * 1000;

/** A sign-in asks eight times, and each answers hundreds a second. After a change of this number what is kept is not found. */
const SHARDS = 16;

/** Kept of one key, for example `{ value: '{"clientId":"…"}' }`; a value of null is a key that was deleted. */
type Kept = { value: string | null };

/** One share of the keys. Its writes are bounded by the limits for strangers, and by what the provider stores of each. */
export class FreshKeys extends DurableObject {
  readonly #sql: SqlStorage;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    this.#sql.exec(
      'CREATE TABLE IF NOT EXISTS fresh (key TEXT PRIMARY KEY, value TEXT, until INTEGER NOT NULL) WITHOUT ROWID',
    );
  }

  /** What was written under this key in the last minutes. */
  read(key: string): Kept | undefined {
    return this.#sql.exec<Kept>('SELECT value FROM fresh WHERE key = ? AND until > ?', key, Date.now()).toArray()[0];
  }

  /** The keys with this beginning that hold something. */
  names(prefix: string): string[] {
    const found = this.#sql.exec<{ key: string }>(
      "SELECT key FROM fresh WHERE key BETWEEN ?1 AND ?1 || '~' AND value IS NOT NULL AND until > ?2",
      prefix,
      Date.now(),
    );
    return found.toArray().map(({ key }) => key);
  }

  async keep(key: string, value: Kept['value']): Promise<void> {
    this.#sql.exec('INSERT OR REPLACE INTO fresh VALUES (?, ?, ?)', key, value, Date.now() + KEPT_MS);
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now() + KEPT_MS);
  }

  override async alarm(): Promise<void> {
    this.#sql.exec('DELETE FROM fresh WHERE until <= ?', Date.now());
    const [left] = this.#sql.exec('SELECT 1 FROM fresh LIMIT 1');
    if (left) await this.ctx.storage.setAlarm(Date.now() + KEPT_MS);
  }
}

/** Written once: KV's value is as good as any, so a known deputy's call asks KV alone. What else there is changes. */
const WRITTEN_ONCE = /^(token|client):/;

/** OAUTH_KV as the provider may use it: each write shows at once, wherever it was made. Errors: Answered, and KV's. */
export function freshKv(env: Env, request: Request): KVNamespace {
  const kv = forAnyKey(env.OAUTH_KV);

  async function text(key: string): Promise<string | null> {
    const once = WRITTEN_ONCE.test(key);
    const stored = once ? await kv.get(key) : null;
    if (stored !== null) return stored;
    if (key.startsWith('token:')) await countUnknownToken(request, env);
    const kept = await shardOf(env, key).read(key);
    if (kept) return kept.value;
    return once ? null : kv.get(key);
  }

  const own = {
    async get(key: string, as?: 'json' | { type?: string }): Promise<unknown> {
      const value = await text(key);
      const json = as === 'json' || (typeof as === 'object' && as.type === 'json');
      return value !== null && json ? JSON.parse(value) : value;
    },
    async put(key: string, value: string, options?: KVNamespacePutOptions): Promise<void> {
      // A code's grant is written again when it is exchanged, and KV takes one write a second of a key.
      if ((options?.expirationTtl ?? Infinity) > KEPT_SECONDS) await kv.put(key, value, options);
      await shardOf(env, key).keep(key, value);
    },
    async delete(key: string): Promise<void> {
      await shardOf(env, key).keep(key, null);
      await kv.delete(key);
    },
    /** A revocation lists the tokens of a grant, which are all in one share. */
    async list(options: KVNamespaceListOptions & { prefix: string }) {
      const page = await kv.list(options);
      if (!options.prefix.startsWith('token:') || options.cursor) return page;
      const names = new Set([
        ...page.keys.map(({ name }) => name),
        ...(await shardOf(env, options.prefix).names(options.prefix)),
      ]);
      return { ...page, keys: [...names].map((name) => ({ name })) };
    },
  };
  return new Proxy(kv, { get: (target, name): unknown => Reflect.get(name in own ? own : target, name) });
}

/** All keys of one client or one grant are in one share: `client:<id>`, `grant:<user>:<id>`, `token:<user>:<id>:<hash>`. */
function shardOf(env: Env, key: string) {
  const [, owner = '', id = ''] = key.split(':');
  let hash = 0;
  for (const character of `${owner}:${id}`) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return env.FRESH_KEYS.getByName(String(hash % SHARDS));
}
