/** The one boundary of every tool call, and the only place that registers one: decide, act, record, deliver, answer. */
import type { McpServer, ScopeChallenge } from '@modelcontextprotocol/server';
import type { Ledger } from '../authority/ledger.ts';
import { type Denial, Refusal } from '../authority/refusal.ts';
import { BASE_SCOPE, type Caller, SCOPES } from '../deputy.ts';
import { log, logError } from '../log.ts';
import type { Order } from '../shop/orders.ts';
import type { AnyTool } from './define-tool.ts';

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
  try {
    // Nearly every call has its scope; whatever else may stop it is decided once, by the call itself.
    const granted = ledger.deputies.grantOf(caller.deputyId)?.mandate.scopes;
    if (granted?.includes(tool.scope) && caller.scopes.includes(tool.scope)) return undefined;
    return ledger.transaction(() => {
      const turn = ledger.begin(caller);
      const denial = turn.denial(tool);
      if (denial?.code !== 'insufficient_scope') return undefined;
      turn.refused(denial, { tool: tool.name });
      visit.recorded = true;
      note(tool.name, denial.code, visit, 0);
      const held = SCOPES.filter(
        (scope) => turn.grant?.mandate.scopes.includes(scope) && caller.scopes.includes(scope),
      );
      return { scopes: [tool.scope, ...held], errorDescription: denial.message };
    });
  } catch (error) {
    // The line could not be written. The call itself decides again, and answers whatever fails.
    visit.recorded = false;
    logError('tool_failed', error, { tool: tool.name });
    return undefined;
  }
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
