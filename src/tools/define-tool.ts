/** The shape of a tool: plain data, and one function that runs inside the transaction of its call. */
import type { StandardSchemaWithJSON } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Mandate } from '../authority/mandate.ts';
import { Refusal } from '../authority/refusal.ts';
import type { Amounts, Terms, Uses } from '../authority/terms.ts';
import type { Caller } from '../deputy.ts';
import type { DemoMode } from '../ledger/demo-mode.ts';
import type { Effect } from '../ledger/effects.ts';
import type { Profile } from '../ledger/profile.ts';
import { asMeant } from './as-meant.ts';
import { answerOrRefusal, publishedSchema } from './schemas.ts';

/** What lies on a tool's desk while it runs. There is nothing on it that could move authority. */
export type Desk = {
  readonly caller: { readonly [Key in keyof Caller]: Readonly<Caller[Key]> };
  /** The ledger's time, in milliseconds since the epoch. */
  readonly now: number;
  /** What the human granted this deputy, and the domain's words for it. */
  readonly mandate: Readonly<Mandate>;
  readonly terms: Terms;
  /** As the human knows this deputy. */
  readonly deputy: { readonly clientName: string; readonly clientDomain?: string; readonly appointedAt: string };
  /** What one more metered call may use, by unit: 0 when this deputy may make none. */
  readonly left: Readonly<Amounts>;
  /** What this deputy asked its human and waits for, and until when (milliseconds). */
  readonly waiting: readonly { id: string; number: number; amounts: Amounts; endsAt: number }[];
  /** What metered calls of this human left, with data of one shape. */
  readonly effects: <Data>(schema: z.ZodType<Data>) => EffectBook<Data>;
};

/** The effects of one human. A call makes or changes one at most; `field` is the argument that a refusal names. */
export type EffectBook<Data> = {
  /** Only in a tool with `meter`, which must make one. What it used is what the meter said. */
  make: (state: string, data: Data) => Effect<Data>;
  /** Throws the Refusal `unknown_effect` for an id that this human has not. */
  find: (id: string, field: string) => Effect<Data>;
  /** What waits for the human is taken back by it, and becomes `void`; what nothing came of stays as it is. */
  change: (effect: Effect<Data>, state: string) => Effect<Data>;
  /** Newest first. `cursor` is the `nextCursor` of the page before; throws the Refusal `unknown_cursor` for any other. */
  page: (limit: number, cursor?: string) => { effects: Listed<Data>[]; nextCursor?: string };
};

/** An effect among those of other deputies. `clientName` is what the client of the deputy that made it calls itself. */
export type Listed<Data> = Effect<Data> & { clientName: string };

/** For the kernel's own tools alone: the demo ban, which deputies may lift, and the human's profile. */
export type KernelDesk = Desk & {
  readonly ban: { read(): DemoMode; write(mode: DemoMode): void; clear(): void };
  readonly profile: Profile['fields'];
};

/** `text` is for the model and ends in a next step; `data` is the same as structured content. */
export type Answer<Data> = { text: string; data: Data };

type Annotations = {
  readOnlyHint: boolean;
  destructiveHint: boolean;
  idempotentHint: boolean;
  openWorldHint: boolean;
};

type Shape = {
  name: string;
  title: string;
  /** What its human reads of a call that was carried out: "looked around". */
  did?: string;
  /** What it does, when to call it, and what comes next. */
  description: string;
  annotations: Annotations;
  /** A power of the domain; without it the call is answered with HTTP 403 `insufficient_scope`. */
  scope: string;
  /** A permission the human must have at the identity provider. */
  permission?: string;
  /** What a deputy is told while the demo ban is on; a tool without it works all the same. */
  whenBanned?: string;
  demo?: boolean;
};

export type Tool<Input extends z.ZodObject, Output extends z.ZodObject, On = Desk> = Shape & {
  input: Input;
  output: Output;
  /** Makes it a metered call: limits, the idempotency key and the count are then the boundary's business. */
  meter?: {
    /** What the call would use: a whole number of each counted unit, and the names of each other one. */
    uses: (input: z.output<Input>) => Uses;
    /** The key under which a repetition is recognised, and the arguments that it must repeat. */
    idempotency?: (input: z.output<Input>) => { key: string | undefined; arguments: unknown };
    /** What makes another call one like it, apart from the amounts: a human can allow a few more of those at once. All of it when left out. */
    like?: (input: z.output<Input>) => unknown;
    /** Answers a repetition. `id` is that of the effect that the first call made. */
    again?: (id: string, desk: On) => Answer<z.input<Output>>;
  };
  /** Synchronous. Throws Refusal; anything else thrown is a fault of ours. */
  run: (input: z.output<Input>, desk: On) => Answer<z.input<Output>>;
};

/** A call whose arguments were read: what it would use, how it is recognised, and what it does. */
export type Prepared = {
  arguments: Record<string, unknown>;
  uses?: Uses | undefined;
  idempotency?: { key: string | undefined; arguments: unknown } | undefined;
  /** The same for each call that is like it. */
  like: unknown;
  run: (desk: KernelDesk) => Answer<Record<string, unknown>>;
  again: (id: string, desk: KernelDesk) => Answer<Record<string, unknown>>;
};

/** A tool of any shape, as a domain lists it. */
export type AnyTool = Shape & {
  metered: boolean;
  inputSchema: StandardSchemaWithJSON;
  outputSchema: StandardSchemaWithJSON;
  /** Throws the Refusal `invalid_arguments`. */
  prepare: (args: unknown) => Prepared;
};

/**
 * @example
 * export const greet = defineTool({
 *   name: 'greet', title: 'Greet', description: 'Says hello. Call it to be polite. Next: listMcpShopInventory.',
 *   annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
 *   scope: 'shop:browse',
 *   input: strict({ name: line('Whom to greet, e.g. "Ada".', 50) }),
 *   output: z.object({ greeting: z.string() }),
 *   run: ({ name }) => ({ text: `Hello, ${name}. Next: listMcpShopInventory.`, data: { greeting: `Hello, ${name}` } }),
 * });
 */
export function defineTool<Input extends z.ZodObject, Output extends z.ZodObject>(tool: Tool<Input, Output>): AnyTool {
  return defineKernelTool(tool);
}

/** A tool of every server, on a desk with more than a domain's tools see. */
export function defineKernelTool<Input extends z.ZodObject, Output extends z.ZodObject>(
  tool: Tool<Input, Output, KernelDesk>,
): AnyTool {
  const { run, meter, input: inputs, output, ...shape } = tool;
  // Compiled while the module loads, the only time at which a Worker evaluates code.
  const compiled = { input: z.compile(inputs), output: z.compile(output) };
  // A tool that breaks its own output schema is a fault of ours; parsing here undoes what it wrote.
  const checked = ({ text, data }: Answer<z.input<Output>>) => ({ text, data: compiled.output.parse(data) });
  return {
    ...shape,
    metered: meter !== undefined,
    inputSchema: publishedSchema(() => z.toJSONSchema(inputs, { io: 'input' })),
    outputSchema: publishedSchema(() => answerOrRefusal(output)),
    prepare(args) {
      const input = parseInput(tool.name, compiled.input, args);
      const idempotency = meter?.idempotency?.(input);
      return {
        arguments: input,
        uses: meter?.uses(input),
        idempotency,
        like: meter?.like ? meter.like(input) : (idempotency?.arguments ?? input),
        run: (desk) => checked(run(input, desk)),
        again(id, desk) {
          if (!meter?.again) throw new Error(`${tool.name} cannot answer a repetition`);
          return checked(meter.again(id, desk));
        },
      };
    },
  };
}

function parseInput<Input extends z.ZodObject>(tool: string, schema: Input, args: unknown): z.output<Input> {
  const result = schema.safeParse(asMeant(schema, args));
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) =>
    issue.path.length > 0 ? `${issue.path.join('.')}: ${issue.message}` : issue.message,
  );
  throw new Refusal({ code: 'invalid_arguments', tool, problems });
}
