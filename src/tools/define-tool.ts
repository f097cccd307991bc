/** The shape of a tool, and the only place that registers one: decide, act, record and answer happen here. */
import type { McpServer, ScopeChallenge, StandardSchemaWithJSON } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Ledger, Turn } from '../authority/ledger.ts';
import { type Denial, Refusal } from '../authority/refusal.ts';
import { BASE_SCOPE, type Caller, type Scope, SCOPES } from '../deputy.ts';
import { log, logError } from '../log.ts';
import { readDemoMode } from '../shop/demo-mode.ts';
import type { Order } from '../shop/orders.ts';
import { answerOrRefusal, publishedSchema } from './schemas.ts';

/** What a tool may touch while it runs. */
export type Desk = {
  caller: Caller;
  ledger: Ledger;
  /** This call: what was granted and used, and the ledger's time. */
  turn: Turn;
};

/** `text` is for the model and ends in a next step; `data` is the same as structured content. */
export type Answer<Data> = {
  text: string;
  data: Data;
  /** The order this call placed or changed: it goes into the audit, and its copy to KV after the transaction. */
  order?: Order | undefined;
};

type Annotations = {
  readOnlyHint: boolean;
  destructiveHint: boolean;
  idempotentHint: boolean;
  openWorldHint: boolean;
};

/** What a tool that spends says of it, so that the limits and the idempotency key are the boundary's business. */
export type Purchase<Input> = {
  /** `total` in whole cents. */
  cost: (input: Input) => { quantity: number; total: number };
  /** The key under which a repetition is recognised, and the arguments that it must repeat. */
  idempotency: (input: Input) => { key: string | undefined; arguments: unknown };
};

export type Tool<Input extends z.ZodObject, Output extends z.ZodObject> = {
  name: string;
  title: string;
  /** What it does, when to call it, and what comes next. */
  description: string;
  annotations: Annotations;
  /** Granted on the consent page; without it the call is answered with HTTP 403 `insufficient_scope`. */
  scope: Scope;
  /** A WorkOS permission the human must have. */
  permission?: string;
  /** What a deputy is told while the demo ban is on; a tool without it works all the same. */
  whenBanned?: string;
  demo?: boolean;
  input: Input;
  output: Output;
  /** Set when the tool spends; then `repeat` answers a purchase that was made before under the same key. */
  purchase?: Purchase<z.output<Input>> & { repeat: (orderId: string, desk: Desk) => Answer<z.input<Output>> };
  /** Synchronous: it runs inside the transaction. Throws Refusal; anything else thrown is a fault of ours. */
  run: (input: z.output<Input>, desk: Desk) => Answer<z.input<Output>>;
};

/** What came of a call: the answer, what it bought, and a seal of its arguments for the audit. */
type Outcome = Answer<Record<string, unknown>> & {
  purchase?: { quantity: number; total: number } | undefined;
  /** The order was placed by an earlier call with the same idempotency key. */
  repeated?: boolean;
  sealed?: string | undefined;
};

/** A tool of any shape, as the registry holds it. */
export type AnyTool = Omit<Tool<z.ZodObject, z.ZodObject>, 'run' | 'purchase'> & {
  inputSchema: StandardSchemaWithJSON;
  outputSchema: StandardSchemaWithJSON;
  call: (args: unknown, desk: Desk, demoTools: boolean) => Outcome;
};

export function defineTool<Input extends z.ZodObject, Output extends z.ZodObject>(tool: Tool<Input, Output>): AnyTool {
  const { run, purchase: spending, ...rest } = tool;
  const { name, scope, permission } = tool;
  return {
    ...rest,
    inputSchema: publishedSchema(() => z.toJSONSchema(tool.input, { io: 'input' })),
    outputSchema: publishedSchema(() => answerOrRefusal(tool.output)),
    call(args, desk, demoTools) {
      const { turn, ledger, caller } = desk;
      turn.decide({ name, scope, permission });
      refuseBanned(tool, ledger, demoTools);
      const input = parseInput(tool.name, tool.input, args);
      const sealed = Object.keys(input).length > 0 ? ledger.account.seal(input) : undefined;
      // A tool that breaks its own output schema is a fault of ours; parsing here undoes what it wrote.
      const checked = (answer: Answer<z.input<Output>>) => ({
        ...answer,
        data: tool.output.parse(answer.data),
        sealed,
      });
      if (!spending) return checked(run(input, desk));

      const { key, arguments: repeated } = spending.idempotency(input);
      const digest = ledger.account.seal(repeated);
      const before = key === undefined ? undefined : ledger.idempotency.find(caller.deputyId, key, turn.now);
      if (before && before.digest !== digest) throw conflict(tool.name);
      if (before) return { ...checked(spending.repeat(before.orderId, desk)), repeated: true };

      const purchase = spending.cost(input);
      turn.decide({ name, scope, permission, purchase });
      const answer = checked(run(input, desk));
      if (key !== undefined && answer.order)
        ledger.idempotency.keep(caller.deputyId, key, digest, answer.order.id, turn.now);
      return { ...answer, purchase };
    },
  };
}

function conflict(name: string): Refusal {
  return new Refusal({
    code: 'idempotency_conflict',
    message: `${name}: this idempotencyKey was used for a purchase with other arguments, so nothing was bought. Repeat that purchase exactly, or take a new key for a new one.`,
    rule: 'Within 24 hours an idempotencyKey stands for one purchase, with the arguments it was first used with.',
    whoCanLift: 'deputy',
  });
}

function refuseBanned({ whenBanned }: Pick<AnyTool, 'whenBanned'>, { kv }: Ledger, demoTools: boolean): void {
  if (!whenBanned || !demoTools || readDemoMode(kv) !== 'banned') return;
  throw new Refusal({
    code: 'demo_banned',
    message: whenBanned,
    rule: 'Demo mode is "banned" for every deputy of this human; prettyPlease or clearDemoMode lifts it.',
    whoCanLift: 'deputy',
  });
}

function parseInput<Input extends z.ZodObject>(name: string, schema: Input, args: unknown): z.output<Input> {
  const result = schema.safeParse(args ?? {});
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) =>
    issue.path.length > 0 ? `${issue.path.join('.')}: ${issue.message}` : issue.message,
  );
  throw new Refusal({
    code: 'invalid_arguments',
    message: `${name} was not carried out, because of its arguments. ${problems.join(' ')} Correct them and call again.`,
    rule: 'The arguments must be as tools/list describes them.',
    whoCanLift: 'deputy',
  });
}

/** One request of a deputy at the human's object. */
export type Visit = {
  caller: Caller;
  ledger: Ledger;
  /** False when the operator switched the demo tools off; a demo ban is ignored then. */
  demoTools: boolean;
  /** Copies an order to KV; it does not throw. */
  deliver: (orderId: string) => Promise<void>;
  /** Set once a call of this request has a line in the audit, or shares one. */
  recorded: boolean;
  /** Set once a call of this request was decided in the deputy's favour: what it did must be answered. */
  allowed: boolean;
};

/** Registers `tools` on a fresh server for one request. */
export function registerTools(server: McpServer, tools: readonly AnyTool[], visit: Visit): void {
  for (const tool of tools) {
    const { title, description, annotations, inputSchema, outputSchema } = tool;
    server.registerTool(
      tool.name,
      {
        title,
        description,
        annotations,
        inputSchema,
        outputSchema,
        scopeChallenge: () => challenge(tool, visit),
      },
      (args: unknown) => serve(tool, args, visit),
    );
  }
}

/**
 * Refuses, and records, a call whose only fault is a scope that was not granted. Any other denial is left to the call
 * itself. Names every scope the client should hold afterwards: clients take the list as complete.
 */
function challenge(tool: AnyTool, visit: Visit): ScopeChallenge | undefined {
  const { ledger, caller } = visit;
  return ledger.transaction(() => {
    const turn = ledger.begin(caller);
    const denial = turn.denial(tool);
    if (denial?.code !== 'insufficient_scope') return undefined;
    turn.refused(denial, { tool: tool.name });
    visit.recorded = true;
    note(tool.name, denial.code, visit, 0);
    const held = SCOPES.filter((scope) => turn.grant?.mandate.scopes.includes(scope) && caller.scopes.includes(scope));
    return { scopes: [tool.scope, ...held], errorDescription: denial.message };
  });
}

/** The one error boundary: whatever happens to a call, the model gets an answer, the audit a line and the log a line. */
async function serve(tool: AnyTool, args: unknown, visit: Visit) {
  const { ledger, caller } = visit;
  const start = Date.now();
  try {
    const outcome = ledger.transaction(() => {
      const turn = ledger.begin(caller);
      try {
        return ledger.transaction(() => {
          const done = tool.call(args, { caller, ledger, turn }, visit.demoTools);
          turn.allowed({
            tool: tool.name,
            purchase: done.purchase,
            ...(done.repeated ? { repeats: done.order?.id } : { order: factsOf(done.order) }),
            arguments: done.sealed,
          });
          return done;
        });
      } catch (error) {
        const denial = error instanceof Refusal ? error.denial : internalError(error, tool.name);
        turn.refused(denial, { tool: tool.name });
        return { denial };
      }
    });
    visit.recorded = true;
    if ('denial' in outcome) {
      note(tool.name, outcome.denial.code, visit, Date.now() - start);
      return refusalResult(outcome.denial, caller);
    }
    visit.allowed = true;
    if (outcome.order && !outcome.repeated) await visit.deliver(outcome.order.id);
    note(tool.name, 'ok', visit, Date.now() - start);
    return { content: [{ type: 'text' as const, text: outcome.text }], structuredContent: outcome.data };
  } catch (error) {
    // The record itself could not be written, so nothing was done, and there is no line to write.
    visit.recorded = true;
    const denial = internalError(error, tool.name);
    note(tool.name, denial.code, visit, Date.now() - start);
    return refusalResult(denial, caller);
  }
}

/**
 * Records a call that no tool of ours answered: an unknown name, or a message that the protocol refused. What the caller
 * made up is not kept: it could be anything.
 */
export function recordUnserved(name: string | undefined, tools: readonly AnyTool[], visit: Visit): void {
  const known = tools.find((tool) => tool.name === name);
  const denial: Denial = known
    ? {
        code: 'invalid_request',
        message: `${known.name} was not carried out, because the message is not as the protocol asks for it.`,
        rule: 'A call must be as its version of the protocol asks for it.',
        whoCanLift: 'deputy',
      }
    : {
        code: 'unknown_tool',
        message: 'There is no such tool. Call tools/list for those there are.',
        rule: 'Only the tools that tools/list names can be called.',
        whoCanLift: 'deputy',
      };
  const tool = known?.name ?? 'unknown';
  visit.ledger.transaction(() => {
    const turn = visit.ledger.begin(visit.caller);
    const stopped = turn.denial({ name: tool, scope: BASE_SCOPE });
    turn.refused(stopped ?? denial, { tool });
    note(tool, (stopped ?? denial).code, visit, 0);
  });
  visit.recorded = true;
}

function factsOf(order: Order | undefined) {
  return order && { id: order.id, quantity: order.quantity, total: order.total, status: order.status };
}

function note(tool: string, outcome: string, { caller }: Visit, ms: number): void {
  const { userId: user, clientId: client, deputyId: deputy } = caller;
  log({ event: 'tool', tool, outcome, user, client, deputy, ms });
}

function refusalResult({ code, message, rule, remaining, whoCanLift }: Denial, { resource }: Caller) {
  const url = new URL(whoCanLift === 'human' ? '/deputies' : '/', resource).href;
  return {
    isError: true,
    content: [{ type: 'text' as const, text: message }],
    structuredContent: { error: { code, rule, ...(remaining && { remaining }), whoCanLift, url } },
  };
}

/** Nothing of an unexpected error reaches the model: only an id under which the operator finds it. */
function internalError(error: unknown, tool: string): Denial {
  const id = crypto.randomUUID();
  logError('tool_failed', error, { id, tool });
  return {
    code: 'internal_error',
    message: `Something broke on our side (error ${id}). Nothing was done. Try again in a moment; if it stays, give your human that id.`,
    rule: `An unexpected error, logged as ${id}.`,
    whoCanLift: 'operator',
  };
}
