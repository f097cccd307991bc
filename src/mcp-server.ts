/** McpShopServer: the per-human McpAgent. One object for each human, one handler for both protocol eras. */
import { McpServer as LegacyMcpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { Connection, ConnectionContext } from 'agents';
import { McpAgent } from 'agents/mcp';
import { exporterOf } from './auth/audit-export.ts';
import type { Refreshed } from './auth/sealed-session.ts';
import { askAbout } from './auth/presence.ts';
import { Refreshes } from './auth/refreshes.ts';
import { isEnd } from './authority/refusal.ts';
import type { Uses } from './authority/terms.ts';
import { toModel } from './authority/words.ts';
import { readConfig } from './config.ts';
import { type Caller, objectName } from './deputy.ts';
import { domain } from './domain.ts';
import { haltFor } from './edge/halt.ts';
import { activate, type Done, grantCleared, mayRefresh, type Problem, resign } from './ledger/acts.ts';
import { type ApprovalView, lookAtApproval, lookAtPasskeys, type PasskeysView } from './ledger/approval-view.ts';
import type { Kept } from './ledger/answers.ts';
import { armed, type Job, jobSchema, type Jobs } from './ledger/jobs.ts';
import { Ledger } from './ledger/ledger.ts';
import { type Answer, Once } from './ledger/once.ts';
import { addPasskey } from './ledger/guarding.ts';
import { Outbox } from './ledger/outbox.ts';
import type { Assertion, Attestation, Signed } from './ledger/passkeys.ts';
import { type Act, perform } from './ledger/perform.ts';
import { PresenceChecks } from './ledger/presence.ts';
import type { Profile } from './ledger/profile.ts';
import { recordingShared } from './ledger/prune.ts';
import { readLine, type Search } from './ledger/record.ts';
import { Restore } from './ledger/restore.ts';
import { Upkeep } from './ledger/upkeep.ts';
import { checking, type Verification } from './ledger/verify.ts';
import {
  versionOf,
  type AskingClient,
  type ConsentView,
  lookAt,
  lookAtDeputies,
  lookAtDeputy,
  lookAtEffects,
  lookAtOverview,
  lookAtRecord,
  lookForConsent,
  type Overview,
  type Story,
  storyOf,
  type View,
} from './ledger/view.ts';
import { logError } from './log.ts';
import type { Answer as McpAnswer } from './mcp/accept.ts';
import { insufficientScope, invalidToken } from './mcp/rpc-error.ts';
import { readMessage, serveMcp, whole } from './mcp/transport.ts';
import { Boundary } from './tools/boundary.ts';
import { oneByOne } from './steps.ts';
import { PING, PONG, WATCHER_HEADER, Watchers } from './watchers.ts';

/** What the domain says today that this call would use; undefined when it takes no such call any more. */
function usesNow(tool: string, args: Record<string, unknown>): Uses | undefined {
  try {
    return domain.tools.find(({ name }) => name === tool)?.prepare(args).uses;
  } catch {
    return undefined;
  }
}

/** A client exchanges its code at once, as a rule. */
const EXCHANGED_AT_ONCE_MS = 10_000;

/**
 * An `Agent` has doors of its own: sockets, state messages, sub-agents. The overrides below shut them. The only ways in
 * are the methods that the Worker calls, and a socket from the Worker that only listens.
 */
export class McpShopServer extends McpAgent {
  readonly #userId: string;
  readonly #ledger: Ledger;
  readonly #once: Once;
  readonly #jobs: Jobs;
  readonly #outbox: Outbox;
  readonly #upkeep: Upkeep;
  readonly #presence: PresenceChecks;
  readonly #watchers: Watchers;
  readonly #restore: Restore;
  readonly #refreshes = new Refreshes();

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.#userId = (ctx.id.name ?? '').slice(objectName('').length);
    const { deliver } = domain.effect;
    this.#ledger = new Ledger(ctx.storage, domain, { delivers: deliver !== undefined });
    this.#once = new Once(this.#ledger);
    this.#restore = new Restore(this.#ledger, ctx.storage);
    this.#jobs = {
      arm: (seconds, job) => this.#keepingAwake(this.schedule(seconds, 'runJob', job)),
      cancel: (id) => this.#keepingAwake(this.cancelSchedule(id)),
      list: async () =>
        (await this.listSchedules()).flatMap(({ id, time, payload }) => {
          const { data: job } = jobSchema.safeParse(payload);
          return job ? [{ id, time, job }] : [];
        }),
    };
    this.#outbox = new Outbox(
      this.#ledger,
      async (id, effect) => deliver?.(this.env, { userId: this.#userId, id }, effect),
      (at) => ctx.storage.setAlarm(at),
    );
    this.#upkeep = new Upkeep(this.#ledger, this.#userId, this.#jobs, () =>
      exporterOf(
        readConfig(this.env),
        this.#userId,
        async () => (await this.env.AUDIT_LIMIT.limit({ key: '' })).success,
      ),
    );
    this.#presence = new PresenceChecks(this.#ledger, (known) => askAbout(readConfig(this.env), this.#userId, known));
    this.#watchers = new Watchers(
      () => this.getConnections(),
      () => versionOf(this.#ledger.record.head(), this.#ledger.account.read()),
    );
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
  }

  /** McpAgent demands an SDK v1 server for its own session bridge; this one has no tools and is never connected. */
  override get server(): LegacyMcpServer {
    return new LegacyMcpServer(domain.serverInfo);
  }
  override async init(): Promise<void> {}
  override async onStart(): Promise<void> {
    await this.#outbox.recover();
    await this.#upkeep.start();
  }
  /** Takes a page of this human, with a header that only the Worker can send. */
  override async onConnect(connection: Connection, { request }: ConnectionContext): Promise<void> {
    if (!this.#watchers.accept(connection, request.headers.get(WATCHER_HEADER), this.#userId)) return;
    if ((await armed(this.#jobs, 'closePages')).length === 0) await this.#closePages();
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

  /** Nobody's requests are forwarded here. */
  override onRequest(_: Request): Response {
    return new Response('Not found', { status: 404 });
  }

  /** Serves one MCP request of a caller that the Worker has verified; one of another object is refused. */
  async serve(caller: Caller, headers: Record<string, string>, body: string): Promise<McpAnswer> {
    if (caller.userId !== this.#userId) return { status: 403, headers: {}, body: 'Not your object' };
    // What a call sets going is waited for once its answer is made.
    const going: Promise<void>[] = [];
    const boundary = new Boundary(this.#ledger, caller, domain, {
      demoTools: this.env.DEMO_TOOLS !== 'off',
      deliver: (effectId) => void going.push(this.#outbox.send(effectId)),
      waits: (endsAt) => void going.push(this.#lapseAt(endsAt)),
    });
    const message = readMessage(body);
    const { call } = message;
    const answer = await serveMcp(message, headers, caller, () => boundary.serverFor(call?.name));
    if (call && !boundary.outcome) boundary.recordUnserved(call.name);
    await Promise.all(going);
    if (call) await this.#changed();
    const { outcome, called: tool } = boundary;
    const said = (await this.#instead(caller, outcome, boundary.scopesToAsk)) ?? answer;
    if (!outcome || tool === undefined) return said;
    return { ...said, call: { tool, outcome: outcome === 'allowed' ? 'ok' : outcome.code } };
  }

  /** What HTTP itself says of a call: that its deputy is at its end, or lacks a scope. */
  async #instead({ deputyId, resource }: Caller, outcome: Boundary['outcome'], scopes: readonly string[]) {
    // A call that was decided before the deputy's end is answered as what it did: at a 401 a client would repeat it.
    const reason = outcome ?? this.#ledger.endOf(deputyId);
    if (!reason || reason === 'allowed') return undefined;
    const says = toModel(domain, reason).message;
    if (isEnd(reason)) return whole(invalidToken(resource, says));
    return reason.code === 'insufficient_scope' ? whole(insufficientScope(resource, says, scopes)) : undefined;
  }

  /**
   * An object has one alarm, which the scheduler sets to its own next job. The sweep comes first, because an alarm that
   * breaks off is run again as long as nobody has set another one.
   */
  override async alarm(): Promise<void> {
    await this.#outbox.sweep();
    await this.#keepingAwake(super.alarm());
  }

  /** Waits for the scheduler, and sets the alarm back to the sweep when that is due before. */
  async #keepingAwake(scheduled: Promise<unknown>): Promise<void> {
    await scheduled;
    await this.#outbox.keep(await this.ctx.storage.getAlarm());
  }

  /** The scheduler calls this by its name. */
  async runJob(job: Job): Promise<void> {
    switch (job.kind) {
      case 'export':
        return this.#upkeep.export(job);
      case 'closePages':
        return this.#closePages();
      case 'lapse':
        return this.#lapse();
      case 'daily':
        await this.#upkeep.daily(job);
        this.#watchers.tell();
    }
  }

  /** Has a consent page answered or a code exchanged, once for all who ask under this key. */
  async once(key: string, work: () => Promise<Answer | undefined>): Promise<Kept | undefined> {
    const kept = await this.#once.answer(key, work);
    await this.#changed();
    return kept;
  }

  /** The client has exchanged its code: the deputy goes live. */
  async activate(deputyId: string, grantId: string): Promise<Done | Problem> {
    const result = activate(this.#ledger, deputyId, grantId);
    // An event that came between the yes and this found no grant to ask about.
    if (this.#presence.isOlderThan(EXCHANGED_AT_ONCE_MS)) this.ctx.waitUntil(this.checkPresence());
    await this.#changed();
    return result;
  }

  async mayRefresh(deputyId: string): Promise<boolean> {
    return mayRefresh(this.#ledger, deputyId);
  }

  /** The OAuth provider is about to remove this grant, or a token of it. */
  async resign(grantId: string): Promise<void> {
    resign(this.#ledger, grantId);
    await this.#changed();
  }

  async grantCleared(deputyId: string): Promise<void> {
    grantCleared(this.#ledger, deputyId);
  }

  /** What the human does on the console, with what came as signed at `origin`. It has taken effect once this returns. */
  async act(act: Act, device?: { assertion: Assertion | undefined; origin: string }): Promise<Done | Problem> {
    const signed = device && ((await this.prove(device.assertion, device.origin)) ?? 'not_proven');
    if (act.do === 'approve' && this.#isHalted(act.decision.effectId)) return { problem: 'halted' };
    const result = perform(this.#ledger, act, {
      userId: this.#userId,
      signed,
      usesNow,
    });
    if (act.do === 'erase') await this.#outbox.sendAll();
    if (act.do === 'approve' && !('problem' in result)) await this.#outbox.send(act.decision.effectId);
    await this.#changed();
    return result;
  }

  /** What a passkey of this human has signed at `origin`; undefined when none has. Whether it is the right thing is not said. */
  async prove(assertion: Assertion | undefined, origin: string): Promise<Signed | undefined> {
    return assertion && this.#ledger.passkeys.prove(assertion, { userId: this.#userId, origin });
  }

  async addPasskey(response: Attestation, offer: { until: number; origin: string }): Promise<Done | Problem> {
    const result = await addPasskey(this.#ledger, response, offer);
    await this.#changed();
    return result;
  }

  async lookAtApproval(effectId: string): Promise<ApprovalView | undefined> {
    const view = lookAtApproval(this.#ledger, this.#userId, effectId, usesNow);
    return view && { ...view, halted: this.#isHalted(effectId) };
  }

  async lookAtPasskeys(): Promise<PasskeysView> {
    return lookAtPasskeys(this.#ledger);
  }

  /** Whether the operator lets the deputy that asked for this do nothing now. */
  #isHalted(effectId: string): boolean {
    const effect = this.#ledger.effects.find(effectId);
    return effect !== undefined && haltFor(this.env, effect.clientId) !== undefined;
  }

  /** A job for it; without one, whatever comes next ends it. Does not throw. */
  async #lapseAt(endsAt: number): Promise<void> {
    const seconds = Math.max(1, Math.ceil((endsAt - Date.now()) / 1000));
    await this.#jobs.arm(seconds, { kind: 'lapse' }).catch((error: unknown) => logError('upkeep_failed', error));
  }

  async #lapse(): Promise<void> {
    this.#ledger.transaction(() => this.#ledger.moment());
    await this.#changed();
    const next = this.#ledger.approvals.firstEnd();
    // This machine's clock may be behind the one that asked.
    if (next <= Date.now() + 1000) await this.#lapseAt(next + 1000);
  }

  /** Asks WorkOS about this human now, and suspends their deputies at a clear no. False when no answer came. */
  async checkPresence(): Promise<boolean> {
    const answered = await this.#presence.check();
    await this.#changed();
    return answered;
  }

  /** The steps of putting this record back, in their order; `restore.ts` takes them. */
  wasRestored(name: string): boolean {
    return this.#restore.wasDone(name);
  }
  async prepareRestore(to: number): Promise<number> {
    return this.#restore.prepare(to);
  }
  end(): void {
    this.ctx.abort('goes back in time');
  }
  async finishRestore(name: string, to: number, undone: number): Promise<Done> {
    const done = this.#restore.finish(name, to, undone);
    await this.#changed();
    return done;
  }

  /** A browser has signed out: its open pages learn nothing more. */
  async sessionEnded(sessionId: string): Promise<void> {
    this.#watchers.sessionEnded(sessionId);
  }

  /** The pause with that line was answered so many milliseconds after it was pressed. Every open page shows that. */
  async tookEffect(sequence: number, milliseconds: number): Promise<void> {
    this.#ledger.account.setTook(sequence, milliseconds);
    this.#watchers.tell();
  }

  async look(search: Search, did?: number): Promise<View> {
    return lookAt(this.#ledger, search, did);
  }
  async lookAtRecord(search: Search): Promise<ReturnType<typeof lookAtRecord>> {
    return lookAtRecord(this.#ledger, search);
  }
  async lookAtDeputy(deputyId: string): Promise<ReturnType<typeof lookAtDeputy>> {
    return lookAtDeputy(this.#ledger, deputyId);
  }
  async lookAtDeputies(after?: string): Promise<ReturnType<typeof lookAtDeputies>> {
    return lookAtDeputies(this.#ledger, after);
  }

  async lookAtOverview(): Promise<Overview> {
    return lookAtOverview(this.#ledger);
  }

  async lookAtEffects(before?: number): Promise<ReturnType<typeof lookAtEffects>> {
    return lookAtEffects(this.#ledger, before);
  }

  async lookAtProfile(): Promise<Profile> {
    return this.#ledger.profile.read();
  }

  async lookForConsent(client: AskingClient): Promise<ConsentView> {
    const halted = haltFor(this.env, client.clientId) !== undefined;
    return { ...lookForConsent(this.#ledger, client), halted };
  }

  async verifyRecord(expected?: { sequence: number; hash: string }): Promise<Verification> {
    await this.#recordShared();
    return oneByOne(checking(this.#ledger, expected));
  }

  /** The newest rows of the record, oldest first, and the deputies that they name. */
  async newestRows(count: number): Promise<{ rows: { sequence: number; hash: string }[]; story: Story }> {
    const rows = this.#ledger.record.rows(this.#ledger.record.head().sequence - count, count);
    const story = storyOf(
      this.#ledger,
      rows.map(({ line }) => readLine(line)),
    );
    return { rows: rows.map(({ sequence, hash }) => ({ sequence, hash })), story };
  }

  /** A page of the record's lines as they were hashed, oldest first. */
  async recordText(after: number, limit: number): Promise<{ sequence: number; line: string }[]> {
    if (after === 0) await this.#recordShared();
    return this.#ledger.record.text(after, limit);
  }

  async refreshOnce(key: string, refresh: () => Promise<Refreshed>): ReturnType<Refreshes['once']> {
    return this.#refreshes.once(key, refresh);
  }

  async #closePages(): Promise<void> {
    const due = this.#watchers.closeExpired();
    if (due !== undefined) await this.#jobs.arm(Math.ceil((due - Date.now()) / 1000) + 1, { kind: 'closePages' });
  }

  /** Before the record is read as a whole. */
  async #recordShared(): Promise<void> {
    await oneByOne(recordingShared(this.#ledger));
    this.#watchers.tell();
  }

  /** After each act and call: what is due is armed, and open pages are told. */
  async #changed(): Promise<void> {
    this.#watchers.tell();
    // The answer to the call does not wait for that.
    if (this.#presence.isDue()) this.ctx.waitUntil(this.checkPresence());
    await this.#upkeep.touched();
  }
}
