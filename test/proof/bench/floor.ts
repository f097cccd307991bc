/**
 * The floor: the least that a Worker must do for a call that somebody's token allows and a record keeps. One KV read, one
 * Durable Object, one SQLite row; with `/put` also one KV write. No MCP, no OAuth, no check.
 */
import { DurableObject } from 'cloudflare:workers';

type Bindings = { TOKENS: KVNamespace; ORDERS: KVNamespace; FLOOR: DurableObjectNamespace<Floor> };

export class Floor extends DurableObject<Bindings> {
  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env);
    ctx.storage.sql.exec(
      'CREATE TABLE IF NOT EXISTS calls (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, line TEXT NOT NULL)',
    );
  }

  override async fetch(request: Request): Promise<Response> {
    const now = Date.now();
    this.ctx.storage.sql.exec('INSERT INTO calls (at, line) VALUES (?, ?)', now, 'a call');
    if (new URL(request.url).pathname === '/put')
      await this.env.ORDERS.put(`order:${crypto.randomUUID()}`, JSON.stringify({ at: now }), {
        expirationTtl: 2_592_000,
      });
    return Response.json({ ok: true, at: now });
  }
}

async function fetch(request: Request, env: Bindings): Promise<Response> {
  const user = request.headers.get('authorization')?.slice('Bearer '.length) ?? '';
  if (!(await env.TOKENS.get(user, 'json'))) return new Response('no such token', { status: 401 });
  return env.FLOOR.getByName(user).fetch(request);
}

export default { fetch } satisfies ExportedHandler<Bindings>;
