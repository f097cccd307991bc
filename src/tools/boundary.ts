/** What becomes of a call, from the first check to the answer: the one boundary of every tool, and the only place that registers one. */
import {
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { amountsOf } from '../authority/limits.ts';
import {
  type AskReason,
  type Reason,
  Refusal,
  type RefusalCode,
  type Told,
  type Waiting,
} from '../authority/refusal.ts';
import { type Amounts, basePower } from '../authority/terms.ts';
import { toModel } from '../authority/words.ts';
import type { Caller } from '../deputy.ts';
import { type Ended, isEnded, WAITING } from '../ledger/approvals.ts';
import type { Effect } from '../ledger/effects.ts';
import type { Ledger, Turn } from '../ledger/ledger.ts';
import { logError } from '../log.ts';
import { ask } from './asking.ts';
import type { Domain } from './define-domain.ts';
import type { AnyTool, Answer, Prepared } from './define-tool.ts';
import { refuseBanned } from './demo.ts';
import { deskOf } from './desk.ts';

type Options = {
  /** False when the operator switched the demo tools off; a demo ban is ignored then. */
  demoTools: boolean;
  /** Begins to copy an effect to elsewhere. Does not throw. */
  deliver: (effectId: string) => void;
  /** Something waits for the human until then, in milliseconds. Does not throw. */
  waits: (endsAt: number) => void;
};

/** A call that was carried out. `effect` is to be delivered. */
type Done = Answer<Record<string, unknown>> & { effect?: Effect | undefined };
/** A call that waits for the human's yes. */
type Asked = { asked: AskReason & { waiting: Waiting } };

/**
 * A call that nothing stops. `amounts` is what it would use up, and `seal` seals its arguments. `known` is under which key
 * it is recognised, with the effect of one that was made before. `before` is the effect that it asked for earlier, and
 * `asks` why it must ask now.
 */
type Decided = {
  call: Prepared;
  amounts: Amounts | undefined;
  seal: () => string | undefined;
  known: { key: string; digest: string; effect: Effect | undefined } | undefined;
  before?: string | undefined;
  asks?: AskReason | undefined;
};

/** One request of a deputy at its human's object, and the tools that it can reach. */
export class Boundary {
  /** What became of the request's call: why it was refused, or that it was allowed. Undefined while there was none. */
  outcome: 'allowed' | Reason | undefined;
  /** The tool of the request's call; "unknown" for none of ours. */
  called: string | undefined;
  /** After a refusal for want of a scope: all that the client should hold. Clients take the list as complete. */
  scopesToAsk: readonly string[] = [];
  readonly #ledger: Ledger;
  readonly #caller: Caller;
  readonly #domain: Domain;
  readonly #options: Options;
  readonly #tools: readonly AnyTool[];

  constructor(ledger: Ledger, caller: Caller, domain: Domain, options: Options) {
    this.#ledger = ledger;
    this.#caller = caller;
    this.#domain = domain;
    this.#options = options;
    this.#tools = domain.tools.filter((tool) => options.demoTools || !tool.demo);
  }

  /** A fresh server for this request. With the name of a tool it holds that one alone: making all takes longer than most calls. */
  serverFor(name: string | undefined): McpServer {
    const { serverInfo, instructions } = this.#domain;
    const server = new McpServer(serverInfo, {
      instructions,
      capabilities: { tools: { listChanged: false } },
      // The older era has no such question that could be answered in one request.
      inputRequired: { legacyShim: false },
    });
    const called = this.#tools.filter((tool) => tool.name === name);
    for (const tool of called.length > 0 ? called : this.#tools) {
      const { title, description, annotations, inputSchema, outputSchema } = tool;
      const shape = { title, description, annotations, inputSchema, outputSchema };
      server.registerTool(tool.name, shape, (args: unknown, context: ServerContext) =>
        this.#serve(tool, args, context),
      );
    }
    return server;
  }

  /** The one error boundary: whatever happens to a call, the model gets an answer and the record a line. */
  #serve(tool: AnyTool, args: unknown, context: ServerContext) {
    this.called = tool.name;
    let prepared: Prepared | undefined;
    const prepare = () => (prepared ??= tool.prepare(args));
    try {
      const outcome = this.#ledger.transaction(() => {
        const turn = this.#ledger.begin(this.#caller);
        try {
          const decided = this.#decide(tool, prepare, turn);
          return this.#ledger.transaction(() => this.#carryOut(tool, decided, turn));
        } catch (error) {
          const reason = error instanceof Refusal ? error.reason : internalError(error, tool.name);
          if (reason.code === 'insufficient_scope') this.scopesToAsk = this.#scopesWith(reason.scope, turn);
          return { reason, refused: this.#refuse(turn, reason, tool.name, asked(tool, prepare, this.#domain)) };
        }
      });
      if ('refused' in outcome) {
        this.outcome = outcome.reason;
        return this.#askElsewhere(outcome.refused, context) ?? this.#refusalResult(outcome.refused);
      }
      if ('asked' in outcome) {
        this.outcome = outcome.asked;
        this.#options.waits(outcome.asked.waiting.endsAt);
        const told = toModel(this.#domain, outcome.asked);
        return this.#askElsewhere(told, context) ?? this.#refusalResult(told);
      }
      this.outcome = 'allowed';
      if (outcome.effect) this.#options.deliver(outcome.effect.id);
      return { content: [{ type: 'text' as const, text: outcome.text }], structuredContent: outcome.data };
    } catch (error) {
      // The ledger itself could not be written, so nothing was done, and there is no line to write.
      this.outcome = internalError(error, tool.name);
      return this.#refusalResult(toModel(this.#domain, this.outcome));
    }
  }

  #scopesWith(scope: string, { standing }: Turn): string[] {
    const granted = standing?.mandate.scopes ?? [];
    const held = Object.keys(this.#domain.powers).filter(
      (one) => granted.includes(one) && this.#caller.scopes.includes(one),
    );
    return [scope, ...held];
  }

  /** Decides, reads the arguments, recognises a repetition, and decides again about what is to be used. Writes nothing. */
  #decide(tool: AnyTool, prepare: () => Prepared, turn: Turn): Decided {
    turn.decide(tool);
    if (this.#options.demoTools) refuseBanned(tool, this.#ledger.demo.read());
    const call = prepare();
    const amounts = call.uses && amountsOf(this.#domain, call.uses);
    const known = this.#repeated(tool, call, turn);
    let sealed: string | undefined;
    const seal = () => (sealed ??= this.#seal(call));
    const before = call.uses && this.#ledger.approvals.known(this.#caller.deputyId, tool.name, seal, turn.now);
    if (before !== undefined || known?.effect) return { call, amounts, seal, known, before };
    const reason = call.uses && turn.reasonAgainst({ ...tool, uses: call.uses });
    if (reason && reason.code !== 'approval_required') throw new Refusal(reason);
    return { call, amounts, seal, known, asks: reason };
  }

  /** Nothing for a call without arguments. */
  #seal({ arguments: given }: Prepared): string | undefined {
    return Object.keys(given).length > 0 ? this.#ledger.account.seal(given) : undefined;
  }

  /** Runs what was decided about, and records it. */
  #carryOut(tool: AnyTool, { call, amounts, seal, known, before, asks }: Decided, turn: Turn): Done | Asked {
    const line = { tool: tool.name, arguments: seal() };
    const { deputyId, scopes: tokenScopes } = this.#caller;
    if (before !== undefined) return this.#answered(before, call, turn, line);
    if (known?.effect) {
      // A key is known for longer than the question of its call when a clock was ahead, or very many were asked.
      refuseEnded(known.effect);
      const { desk, close } = deskOf(this.#ledger, this.#caller, turn, undefined);
      const answer = call.again(known.effect.id, desk);
      if (close()) throw new Error(`${tool.name} did something again`);
      turn.allowed({ ...line, repeats: known.effect.id });
      return answer;
    }

    const { desk, close } = deskOf(this.#ledger, this.#caller, turn, amounts, { asks: asks !== undefined });
    const answer = call.run(desk);
    const touched = close();
    const { effect, made = false, granted, withdrawn } = touched ?? {};
    if (tool.metered !== made) throw new Error(`${tool.name} ${made ? 'made' : 'did not make'} an effect`);
    if (known && effect) this.#ledger.idempotency.keep(deputyId, known.key, known.digest, effect.id, turn.now);
    if (effect && withdrawn) {
      const { id, number, state } = effect;
      turn.withdrew({ ...line, effect: { id, number, state }, askedAt: withdrawn.askedAt, amounts: effect.amounts });
      return answer;
    }
    if (asks && amounts && effect && granted !== undefined && call.uses) {
      const question = { asks, amounts, effect, granted, answer, call: { ...call, uses: call.uses } };
      const action = { name: tool.name, scope: tool.scope, permission: tool.permission, tokenScopes };
      return ask(this.#ledger, turn, { ...question, deputyId, line, action });
    }
    const used = made ? amounts : undefined;
    const facts = effect && {
      id: effect.id,
      number: effect.number,
      state: effect.state,
      ...(used && { amounts: used }),
    };
    turn.allowed({ ...line, effect: facts, amounts: used });
    return { ...answer, effect };
  }

  /** What came of a call that its human was asked about. */
  #answered(id: string, call: Prepared, turn: Turn, line: { tool: string; arguments: string | undefined }): Done {
    const approval = this.#ledger.approvals.find(id);
    const effect = this.#ledger.effects.find(id);
    if (!approval || !effect) throw new Error(`there is no effect ${id}`);
    if (effect.state === WAITING) {
      const { limit, most, endsAt } = approval;
      const wanted = effect.amounts[this.#domain.limits[limit]?.of ?? ''] ?? most;
      throw new Refusal({ code: 'approval_required', limit, most, wanted, waiting: { id, endsAt } });
    }
    refuseEnded(effect);
    const { desk, close } = deskOf(this.#ledger, this.#caller, turn, undefined);
    const { text, data } = effect.state === approval.state ? approval.answer : call.again(id, desk);
    if (close()) throw new Error(`${line.tool} did something again`);
    turn.allowed({ ...line, repeats: id });
    return { text: `${text} ${SAID_YES}`, data };
  }

  /** Under which key the call is to be recognised, and the effect of one that was made before under it. */
  #repeated({ name }: AnyTool, { idempotency }: Prepared, turn: Turn): Decided['known'] {
    if (idempotency?.key === undefined) return undefined;
    const { key } = idempotency;
    const digest = this.#ledger.account.seal(idempotency.arguments);
    const before = this.#ledger.idempotency.find(this.#caller.deputyId, key, turn.now);
    if (before && before.digest !== digest) throw new Refusal({ code: 'idempotency_conflict', tool: name });
    return { key, digest, effect: before && this.#ledger.effects.find(before.effectId) };
  }

  /**
   * Records a call that no tool of ours answered: an unknown name, or a message that the protocol refused. What the caller
   * made up is not kept: it could be anything.
   */
  recordUnserved(name: string | undefined): void {
    const known = this.#tools.find((tool) => tool.name === name);
    const tool = known?.name ?? 'unknown';
    this.#ledger.transaction(() => {
      const turn = this.#ledger.begin(this.#caller);
      const stopped = turn.reasonAgainst({ name: tool, scope: basePower(this.#domain) });
      const reason: Reason = stopped ?? (known ? { code: 'invalid_request', tool } : { code: 'unknown_tool' });
      this.#refuse(turn, reason, tool);
      this.called = tool;
      this.outcome = reason;
    });
  }

  #refuse(turn: Turn, reason: Reason, tool: string, amounts?: Record<string, number>): Told {
    const told = toModel(this.#domain, reason);
    turn.refused(told, { tool, ...('most' in reason && { most: reason.most }), ...(amounts && { asked: amounts }) });
    return told;
  }

  /** The way of 2026-07-28: a client that can shows its human the page, and calls again. What it answers is no yes. */
  #askElsewhere(told: Told, { mcpReq }: ServerContext) {
    // Whoever has been asked is told how things stand.
    if (!told.waiting || mcpReq.inputResponses || !showsPages.safeParse(mcpReq.envelope).success) return undefined;
    const { noun } = this.#domain.act;
    const message = `${this.#domain.name} asks for your yes to one ${noun}. Read it on your own page, and answer there.`;
    const page = inputRequired.elicitUrl({ message, url: this.#pageFor(told) });
    return inputRequired({ inputRequests: { approval: page } });
  }

  #refusalResult(told: Told) {
    const { message, ...error } = told;
    const url = this.#pageFor(told);
    const text = told.waiting ? `${url} is where your human answers. ${message}` : message;
    return {
      isError: true,
      content: [{ type: 'text' as const, text }],
      structuredContent: { error: { ...error, url } },
    };
  }

  /** Where the human finds more. */
  #pageFor({ whoCanLift, waiting }: Told): string {
    const page = waiting ? `/deputies/approvals/${waiting.id}` : whoCanLift === 'human' ? '/deputies' : '/';
    return new URL(page, this.#caller.resource).href;
  }
}

/** What a client declares that can show its human a page. */
const showsPages = z.object({
  [CLIENT_CAPABILITIES_META_KEY]: z.object({ elicitation: z.object({ url: z.looseObject({}) }) }),
});

/** A model that calls once more would else report the same thing twice. */
const SAID_YES =
  'It is the one that your human said yes to: this very call brings nothing more. For another one, call with something changed, such as a new idempotencyKey.';

const ENDED_AS = {
  denied: 'approval_denied',
  lapsed: 'approval_lapsed',
  void: 'approval_withdrawn',
} as const satisfies Record<Ended, RefusalCode>;

/** Throws the Refusal that says why nothing came of it, when nothing did. */
function refuseEnded({ id, state }: Effect): void {
  if (isEnded(state)) throw new Refusal({ code: ENDED_AS[state], id });
}

/** What a refused metered call would have used, when its arguments say so. */
function asked(tool: AnyTool, prepare: () => Prepared, domain: Domain): Record<string, number> | undefined {
  if (!tool.metered) return undefined;
  try {
    const { uses } = prepare();
    return uses && amountsOf(domain, uses);
  } catch {
    return undefined;
  }
}

/** Nothing of an unexpected error reaches the model: only an id under which the operator finds it. */
function internalError(error: unknown, tool: string): Reason {
  const id = crypto.randomUUID();
  logError('tool_failed', error, { id, tool });
  return { code: 'internal_error', id };
}
