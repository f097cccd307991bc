/** McpShopServer: the per-user McpAgent. One object per human, one handler for both protocol eras. */
import { McpServer as LegacyMcpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { McpServer } from '@modelcontextprotocol/server';
import type { Connection, ConnectionContext } from 'agents';
import { McpAgent } from 'agents/mcp';
import { z } from 'zod';
import { LineRefusedError, type Refreshed, sendAuditLine } from './auth/authkit.ts';
import {
  type Act,
  activate,
  appoint,
  type Done,
  grantCleared,
  mayRefresh,
  perform,
  type Problem,
} from './authority/acts.ts';
import type { Search } from './authority/audit.ts';
import type { Appointment } from './authority/deputies.ts';
import { Ledger } from './authority/ledger.ts';
import { checking, recordShared, type Verification } from './authority/record.ts';
import {
  type ConsentView,
  lookAt,
  lookAtOrders,
  lookAtStanding,
  lookForConsent,
  type Standing,
  type View,
} from './authority/view.ts';
import { readConfig } from './config.ts';
import { CALLER_HEADER, decodeCaller, objectName } from './deputy.ts';
import { readMessage, serveMcp } from './mcp-transport.ts';
import { invalidToken } from './rpc-error.ts';
import { type DeliveryJob, deliveryJobSchema, Outbox } from './shop/outbox.ts';
import { recordUnserved, registerTools, type Visit } from './tools/boundary.ts';
import type { AnyTool } from './tools/define-tool.ts';
import { TOOLS } from './tools/registry.ts';
import { type DailyJob, type ExportJob, Upkeep } from './upkeep.ts';
import { PING, PONG, WATCHER_HEADER, Watchers } from './watchers.ts';

const SERVER_INFO = { name: 'MCP Shop on Cloudflare', version: '1.0.0' };
const INSTRUCTIONS =
  'A T-shirt shop. You are a deputy: you act for one human, within what they granted. ' +
  'List the inventory, ask your human for company, address and size, buy, then tell them the order id. ' +
  'A refusal says which rule stopped you and who can lift it; do not try to get around it.';

/** Milliseconds for which a refreshed session is handed to others that still hold the old one. */
const REFRESH_SHARED_FOR = 60_000;

/**
 * An `Agent` has doors of its own: sockets, state messages, sub-agents. The overrides below shut them; the only ways in
 * are one POST from the Worker with a verified caller, a socket from the Worker that only listens, and the RPC methods.
 */
export class McpShopServer extends McpAgent {
  readonly #ledger: Ledger;
  readonly #outbox: Outbox;
  readonly #upkeep: Upkeep;
  readonly #watchers: Watchers;
  readonly #userId: string;
  readonly #refreshes = new Map<string, { at: number; result: Promise<Refreshed>; done: boolean }>();

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.#userId = (ctx.id.name ?? '').slice(objectName('').length);
    this.#ledger = new Ledger(ctx.storage, this.#userId);
    this.#watchers = new Watchers(
      () => this.getConnections(),
      () => this.#ledger.audit.head().hash,
    );
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
    this.#outbox = new Outbox(this.#ledger.orders, env.ORDERS, {
      arm: async (seconds, job) => (await this.schedule(seconds, 'deliverOrder', job)).id,
      cancel: (id) => this.cancelSchedule(id),
      list: async () =>
        (await this.listSchedules()).flatMap(({ callback, payload }) =>
          callback === 'deliverOrder' ? (deliveryJobSchema.safeParse(payload).data ?? []) : [],
        ),
    });
    this.#upkeep = new Upkeep(
      this.#ledger,
      this.#userId,
      {
        armDaily: async (seconds, job) => (await this.schedule(seconds, 'keepRecord', job)).id,
        armExport: async (seconds, job) => (await this.schedule(seconds, 'exportAudit', job)).id,
        cancel: (id) => this.cancelSchedule(id),
        list: () => this.listSchedules(),
      },
      () => {
        const config = readConfig(this.env);
        const organization = config.WORKOS_AUDIT_LOGS_ORGANIZATION;
        return organization === undefined
          ? undefined
          : async (line, key) => {
              try {
                await sendAuditLine(config, organization, this.#userId, line, key);
                return true;
              } catch (error) {
                if (error instanceof LineRefusedError) return false;
                throw error;
              }
            };
      },
    );
  }

  /** McpAgent demands an SDK v1 server for its own session bridge; this one has no tools and is never connected. */
  override get server(): LegacyMcpServer {
    return new LegacyMcpServer(SERVER_INFO);
  }
  override async init(): Promise<void> {}
  override async onStart(): Promise<void> {
    await this.#outbox.recover();
    await this.#upkeep.start();
  }
  /** A page of this human, with a header that only the Worker can send, or nobody. */
  override async onConnect(connection: Connection, { request }: ConnectionContext): Promise<void> {
    if (!this.#watchers.accept(connection, request.headers.get(WATCHER_HEADER), this.#userId)) return;
    const armed = (await this.listSchedules()).some(({ callback }) => callback === 'closeWatchers');
    if (!armed) await this.closeWatchers();
  }
  /** Pages have nothing to say. */
  override async onMessage(connection: Connection): Promise<void> {
    connection.close(1008, 'This socket takes no messages');
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
    const visit: Visit = {
      caller,
      ledger: this.#ledger,
      demoTools: this.env.DEMO_TOOLS !== 'off',
      deliver: (orderId) => this.#outbox.send(orderId),
      recorded: false,
      allowed: false,
    };
    const message = await readMessage(request);
    const call = toolCallIn(message.json);
    const tools = TOOLS.filter((tool) => visit.demoTools || !tool.demo);
    // A call needs no other tool than its own, and making all of them takes longer than most calls.
    const called = tools.filter(({ name }) => name === call?.name);
    const needed = called.length > 0 ? called : tools;
    const answer = await serveMcp(request, message, caller, () => serverFor(needed, visit));
    if (call && !visit.recorded) recordUnserved(call.name, tools, visit);
    if (call) await this.#changed();
    // A call that was decided before the deputy's end is answered as what it did: at a 401 a client would repeat it.
    const ended = visit.allowed ? undefined : this.#ledger.endOf(caller.deputyId);
    if (ended) return invalidToken(caller.resource, ended.message);
    return answer;
  }

  /** The scheduler calls these by their names. */
  async deliverOrder(job: DeliveryJob): Promise<void> {
    await this.#outbox.retry(job);
  }
  async keepRecord(job: DailyJob): Promise<void> {
    await this.#upkeep.daily(job);
    this.#watchers.tell();
  }
  async closeWatchers(): Promise<void> {
    const due = this.#watchers.closeExpired();
    if (due !== undefined) await this.schedule(Math.ceil((due - Date.now()) / 1000) + 1, 'closeWatchers');
  }
  async exportAudit(job: ExportJob): Promise<void> {
    await this.#upkeep.export(job);
  }

  /** Records the deputy that the human has just allowed on the consent page. */
  async appoint(appointment: Appointment): Promise<void> {
    appoint(this.#ledger, appointment);
    await this.#changed();
  }

  /** The client has exchanged its code: the deputy goes live. */
  async activate(deputyId: string, grantId: string): Promise<Done | Problem> {
    const result = activate(this.#ledger, deputyId, grantId);
    await this.#changed();
    return result;
  }

  async mayRefresh(deputyId: string, grantId: string): Promise<boolean> {
    return mayRefresh(this.#ledger, deputyId, grantId);
  }

  async grantCleared(deputyId: string): Promise<void> {
    grantCleared(this.#ledger, deputyId);
  }

  /** What the human does on the console. It has taken effect once this returns. */
  async act(act: Act): Promise<Done | Problem> {
    const result = perform(this.#ledger, act);
    if (act.do === 'erase') await this.#outbox.recover();
    await this.#changed();
    return result;
  }

  /** A browser has signed out: its open pages learn nothing more. */
  async sessionEnded(sessionId: string): Promise<void> {
    this.#watchers.sessionEnded(sessionId);
  }

  async look(search: Search): Promise<View> {
    return lookAt(this.#ledger, search);
  }

  async lookAtStanding(): Promise<Standing> {
    return lookAtStanding(this.#ledger);
  }

  async lookAtOrders(before?: number): Promise<ReturnType<typeof lookAtOrders>> {
    return lookAtOrders(this.#ledger, before);
  }

  async lookForConsent(clientId: string): Promise<ConsentView> {
    return lookForConsent(this.#ledger, clientId);
  }

  async verifyAudit(expected?: { sequence: number; hash: string }): Promise<Verification> {
    this.#recordShared();
    const steps = checking(this.#ledger, expected);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
      // Lets calls, and above all a pause, come in between.
      await scheduler.wait(0);
    }
  }

  /** A page of the audit's lines as they were hashed, oldest first. */
  async auditText(after: number, limit: number): Promise<{ sequence: number; line: string }[]> {
    if (after === 0) this.#recordShared();
    return this.#ledger.audit.text(after, limit);
  }

  /**
   * Runs `refresh` once for all who ask for the same `key` within a minute, and gives each its result: WorkOS lets a
   * session be refreshed a single time. No answer is not a result, so the next one tries again. `earlier` tells that the
   * result was there before this call came.
   */
  async refreshOnce(key: string, refresh: () => Promise<Refreshed>): Promise<{ result: Refreshed; earlier: boolean }> {
    const now = Date.now();
    for (const [known, { at }] of this.#refreshes) if (now - at > REFRESH_SHARED_FOR) this.#refreshes.delete(known);
    const shared = this.#refreshes.get(key) ?? { at: now, result: refresh(), done: false };
    const earlier = shared.done;
    this.#refreshes.set(key, shared);
    // The one that refreshes may hang up, and its promise breaks with it.
    const result = await shared.result.catch((error: unknown) => ({ unavailable: String(error) }));
    shared.done = true;
    if ('unavailable' in result) this.#refreshes.delete(key);
    return { result, earlier };
  }

  /** Before the record is read as a whole. */
  #recordShared(): void {
    recordShared(this.#ledger);
    this.#watchers.tell();
  }

  /** After each act on the record: what is due is armed, and open pages are told. */
  async #changed(): Promise<void> {
    this.#watchers.tell();
    await this.#upkeep.touched();
  }
}

function serverFor(tools: readonly AnyTool[], visit: Visit): McpServer {
  const server = new McpServer(SERVER_INFO, {
    instructions: INSTRUCTIONS,
    capabilities: { tools: { listChanged: false } },
  });
  registerTools(server, tools, visit);
  return server;
}

const toolCall = z.object({
  method: z.literal('tools/call'),
  params: z
    .object({ name: z.string().optional().catch(undefined) })
    .optional()
    .catch(undefined),
});

/** The tool call that a request makes, well-formed or not; undefined when it asks for something else. */
function toolCallIn(message: unknown): { name: string | undefined } | undefined {
  const call = toolCall.safeParse(message);
  return call.success ? { name: call.data.params?.name } : undefined;
}
