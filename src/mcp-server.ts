/** McpShopServer: the per-user McpAgent. One object per human, one handler for both protocol eras. */
import { McpServer as LegacyMcpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { McpServer } from '@modelcontextprotocol/server';
import { McpAgent } from 'agents/mcp';
import { createMcpHandler } from 'agents/mcp/server';
import type { Refreshed } from './auth/authkit.ts';
import type { Appointment } from './authority/deputies.ts';
import { Ledger } from './authority/ledger.ts';
import { CALLER_HEADER, type Caller, decodeCaller, objectName } from './deputy.ts';
import { type DeliveryJob, deliveryJobSchema, Outbox } from './shop/outbox.ts';
import { type Desk, registerTools } from './tools/define-tool.ts';
import { TOOLS } from './tools/registry.ts';

const SERVER_INFO = { name: 'MCP Shop on Cloudflare', version: '1.0.0' };
const INSTRUCTIONS =
  'A T-shirt shop. You are a deputy: you act for one human, within what they granted. ' +
  'List the inventory, ask your human for company, address and size, buy, then tell them the order id. ' +
  'A refusal says which rule stopped you and who can lift it; do not try to get around it.';

/** Milliseconds for which a refreshed session is handed to others that still hold the old one. */
const REFRESH_SHARED_FOR = 60_000;

/**
 * An `Agent` has doors of its own: sockets, state messages, sub-agents. The overrides below shut them;
 * the only ways in are one POST from the Worker with a verified caller, and the RPC methods.
 */
export class McpShopServer extends McpAgent {
  readonly #ledger: Ledger;
  readonly #outbox: Outbox;
  readonly #userId: string;
  readonly #refreshes = new Map<string, { at: number; result: Promise<Refreshed> }>();

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.#userId = (ctx.id.name ?? '').slice(objectName('').length);
    this.#ledger = new Ledger(ctx.storage, this.#userId);
    this.#outbox = new Outbox(this.#ledger.orders, env.ORDERS, {
      arm: async (seconds, job) => (await this.schedule(seconds, 'deliverOrder', job)).id,
      cancel: (id) => this.cancelSchedule(id),
      list: async () =>
        (await this.listSchedules()).flatMap(({ payload }) => deliveryJobSchema.safeParse(payload).data ?? []),
    });
  }

  /** McpAgent demands an SDK v1 server for its own session bridge; this one has no tools and is never connected. */
  override get server(): LegacyMcpServer {
    return new LegacyMcpServer(SERVER_INFO);
  }
  override async init(): Promise<void> {}
  override async onStart(): Promise<void> {
    await this.#outbox.recover();
  }
  override async onConnect(connection: { close(code?: number, reason?: string): void }): Promise<void> {
    connection.close(1008, 'This object takes no connections');
  }
  override shouldSendProtocolMessages(): boolean {
    return false;
  }
  override shouldConnectionBeReadonly(): boolean {
    return true;
  }

  /** Serves one MCP request. Only the Worker can send the caller header; a caller of another object is refused. */
  override async onRequest(request: Request): Promise<Response> {
    const caller = decodeCaller(request.headers.get(CALLER_HEADER));
    if (caller?.userId !== this.#userId) return new Response('Not your object', { status: 403 });
    const handler = createMcpHandler(() => this.#serverFor(caller), {
      legacy: 'stateless',
      maxSubscriptions: 0,
      // The OAuth provider answers CORS, and the Worker has checked Host and Origin.
      corsOptions: false,
      allowedOriginHostnames: '*',
    });
    return handler.fetch(request, { authInfo: toAuthInfo(caller) });
  }

  /** The scheduler calls this by its name. */
  async deliverOrder(job: DeliveryJob): Promise<void> {
    await this.#outbox.retry(job);
  }

  /** Records the deputy that the human has just allowed on the consent page. */
  async appoint(appointment: Appointment): Promise<void> {
    this.#ledger.transaction(() => this.#ledger.deputies.appoint(appointment, this.#ledger.now()));
  }

  /**
   * Runs `refresh` once for all who ask for the same `key` within a minute, and gives each its result: WorkOS lets a
   * session be refreshed a single time. No answer is not a result, so the next one tries again.
   */
  async refreshOnce(key: string, refresh: () => Promise<Refreshed>): Promise<Refreshed> {
    const now = Date.now();
    for (const [known, { at }] of this.#refreshes) if (now - at > REFRESH_SHARED_FOR) this.#refreshes.delete(known);
    const shared = this.#refreshes.get(key) ?? { at: now, result: refresh() };
    this.#refreshes.set(key, shared);
    // The one that refreshes may hang up, and its promise breaks with it.
    const result = await shared.result.catch((error: unknown) => ({ unavailable: String(error) }));
    if ('unavailable' in result) this.#refreshes.delete(key);
    return result;
  }

  #serverFor(caller: Caller): McpServer {
    const server = new McpServer(SERVER_INFO, {
      instructions: INSTRUCTIONS,
      capabilities: { tools: { listChanged: false } },
    });
    const demoTools = this.env.DEMO_TOOLS !== 'off';
    const desk: Desk = { caller, ledger: this.#ledger, demoTools };
    registerTools(
      server,
      TOOLS.filter((tool) => demoTools || !tool.demo),
      desk,
      (orderId) => this.#outbox.send(orderId),
    );
    return server;
  }
}

/** What the SDK needs for a step-up challenge. The token itself stays in the Worker. */
function toAuthInfo({ clientId, scopes, resource }: Caller) {
  return { token: '', clientId, scopes, resource: new URL(resource) };
}
