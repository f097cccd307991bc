/** The JSON Schemas that clients see of a tool. */
import type { StandardSchemaWithJSON } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { refusalSchema } from '../authority/refusal.ts';

/**
 * A schema the SDK publishes but never enforces: arguments are parsed inside the transaction, so that every
 * refusal has one wording in both protocol eras. The JSON is made on first use and kept, because the SDK asks
 * for it again at every call.
 */
export function publishedSchema(make: () => Record<string, unknown>): StandardSchemaWithJSON {
  let json: Record<string, unknown> | undefined;
  const get = () => (json ??= withoutDialect(make()));
  return {
    '~standard': {
      version: 1,
      vendor: 'mcp-shop',
      validate: (value) => ({ value }),
      jsonSchema: { input: get, output: get },
    },
  };
}

/** MCP's dialect is the one that zod writes. The validators of SDK 1.12 and 1.17 give up at its name. */
function withoutDialect(schema: Record<string, unknown>): Record<string, unknown> {
  const { $schema: _, ...rest } = schema;
  return rest;
}

/** Clients check structured content against the output schema in refusals too, so the schema allows for both. */
export function answerOrRefusal(output: z.ZodObject): Record<string, unknown> {
  const { required, properties, ...rest } = z.toJSONSchema(output, { io: 'output' });
  const error = withoutDialect(z.toJSONSchema(refusalSchema));
  return {
    ...rest,
    properties: {
      ...properties,
      error: { ...error, description: 'Set instead of the rest when the call was refused.' },
    },
    anyOf: [{ required }, { required: ['error'] }],
  };
}
