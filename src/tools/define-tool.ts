/** The shape of a tool, and the only place that registers one: decide, act and answer happen here. */
import type { McpServer, ScopeChallenge, StandardSchemaWithJSON } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Ledger } from '../authority/ledger.ts';
import { Refusal } from '../authority/refusal.ts';
import { type Caller, type Scope, SCOPES } from '../deputy.ts';
import { log, logError } from '../log.ts';
import { readDemoMode } from '../shop/demo-mode.ts';
import { answerOrRefusal, publishedSchema } from './schemas.ts';

/** What a tool may touch while it runs. */
export type Desk = {
  caller: Caller;
  ledger: Ledger;
  /** False when the operator switched the demo tools off; a demo ban is ignored then. */
  demoTools: boolean;
};

/** `text` is for the model and ends in a next step; `data` is the same as structured content. */
export type Answer<Data> = {
  text: string;
  data: Data;
  /** The order this call placed; its copy goes to KV once the transaction is through. */
  orderId?: string;
};

type Annotations = {
  readOnlyHint: boolean;
  destructiveHint: boolean;
  idempotentHint: boolean;
  openWorldHint: boolean;
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
  /** Synchronous: it runs inside the transaction. Throws Refusal; anything else thrown is a fault of ours. */
  run: (input: z.output<Input>, desk: Desk) => Answer<z.input<Output>>;
};

/** A tool of any shape, as the registry holds it. */
export type AnyTool = Omit<Tool<z.ZodObject, z.ZodObject>, 'run'> & {
  inputSchema: StandardSchemaWithJSON;
  outputSchema: StandardSchemaWithJSON;
  call: (args: unknown, desk: Desk) => Answer<Record<string, unknown>>;
};

export function defineTool<Input extends z.ZodObject, Output extends z.ZodObject>(tool: Tool<Input, Output>): AnyTool {
  const { run, ...rest } = tool;
  return {
    ...rest,
    inputSchema: publishedSchema(() => z.toJSONSchema(tool.input, { io: 'input' })),
    outputSchema: publishedSchema(() => answerOrRefusal(tool.output)),
    call(args, desk) {
      decide(tool, desk);
      const answer = run(parseInput(tool.name, tool.input, args), desk);
      // A tool that breaks its own output schema is a fault of ours; parsing here undoes what it wrote.
      return { ...answer, data: tool.output.parse(answer.data) };
    },
  };
}

/** Throws the Refusal that stops this call, if any. */
function decide(tool: Pick<AnyTool, 'name' | 'permission' | 'whenBanned'>, { caller, ledger, demoTools }: Desk): void {
  if (tool.permission && !caller.permissions.includes(tool.permission)) {
    throw new Refusal({
      code: 'permission_required',
      message: `Sorry, ${tool.name} needs the ${tool.permission} permission, which ${caller.email} does not have. Carry on without it, or ask your human to talk to an administrator.`,
      rule: `${tool.name} needs the WorkOS permission ${tool.permission}.`,
      whoCanLift: 'administrator',
    });
  }
  if (tool.whenBanned && demoTools && readDemoMode(ledger.kv) === 'banned') {
    throw new Refusal({
      code: 'demo_banned',
      message: tool.whenBanned,
      rule: 'Demo mode is "banned" for every deputy of this human; prettyPlease or clearDemoMode lifts it.',
      whoCanLift: 'deputy',
    });
  }
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
    rule: problems.join(' '),
    whoCanLift: 'deputy',
  });
}

/** Registers `tools` on a fresh server for one request. `deliver` copies an order to KV; it does not throw. */
export function registerTools(
  server: McpServer,
  tools: readonly AnyTool[],
  desk: Desk,
  deliver: (orderId: string) => Promise<void>,
): void {
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
        scopeChallenge: ({ authInfo }) =>
          authInfo?.scopes.includes(tool.scope) ? undefined : stepUp(tool, authInfo?.scopes ?? []),
      },
      (args: unknown) => serve(tool, args, desk, deliver),
    );
  }
}

/** Names every scope the client should hold afterwards: clients take the list as complete. */
function stepUp(tool: AnyTool, held: readonly string[]): ScopeChallenge {
  return {
    scopes: [tool.scope, ...SCOPES.filter((scope) => held.includes(scope))],
    errorDescription: `${tool.name} needs ${tool.scope}, which your human has not granted. Sign in again to ask for it.`,
  };
}

/** The one error boundary: whatever happens to a call, the model gets an answer and the log a line. */
async function serve(tool: AnyTool, args: unknown, desk: Desk, deliver: (orderId: string) => Promise<void>) {
  const start = Date.now();
  const { userId: user, clientId: client, deputyId: deputy, resource } = desk.caller;
  const note = (outcome: string) =>
    log({ event: 'tool', tool: tool.name, outcome, user, client, deputy, ms: Date.now() - start });
  try {
    const { text, data, orderId } = desk.ledger.transaction(() => tool.call(args, desk));
    if (orderId) await deliver(orderId);
    note('ok');
    return { content: [{ type: 'text' as const, text }], structuredContent: data };
  } catch (error) {
    const { code, message, rule, whoCanLift } = error instanceof Refusal ? error : internalError(error, tool.name);
    note(code);
    return {
      isError: true,
      content: [{ type: 'text' as const, text: message }],
      structuredContent: { error: { code, rule, whoCanLift, url: new URL('/', resource).href } },
    };
  }
}

/** Nothing of an unexpected error reaches the model: only an id under which the operator finds it. */
function internalError(error: unknown, tool: string): Refusal {
  const id = crypto.randomUUID();
  logError('tool_failed', error, { id, tool });
  return new Refusal({
    code: 'internal_error',
    message: `Something broke on our side (error ${id}). Try again in a moment; if it stays, give your human that id.`,
    rule: `An unexpected error, logged as ${id}.`,
    whoCanLift: 'operator',
  });
}
