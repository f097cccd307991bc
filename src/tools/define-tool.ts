/** The shape of a tool, and what becomes of its call: decide, parse, recognise a repetition, decide again, run. */
import type { StandardSchemaWithJSON } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Ledger, Turn } from '../authority/ledger.ts';
import { Refusal } from '../authority/refusal.ts';
import type { Caller, Scope } from '../deputy.ts';
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
      const digest = key === undefined ? undefined : ledger.account.seal(repeated);
      const before = key === undefined ? undefined : ledger.idempotency.find(caller.deputyId, key, turn.now);
      if (before && before.digest !== digest) throw conflict(tool.name);
      if (before) return { ...checked(spending.repeat(before.orderId, desk)), repeated: true };

      const purchase = spending.cost(input);
      turn.decide({ name, scope, permission, purchase });
      const answer = checked(run(input, desk));
      if (key !== undefined && digest !== undefined && answer.order)
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
