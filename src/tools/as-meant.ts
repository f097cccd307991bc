/** Arguments as models and their hosts send them, turned into what they mean beyond doubt. What stays is for the schema to refuse. */
import { z } from 'zod';

/**
 * What hosts add to each call, whatever the tool: n8n, Cline, Letta, OpenHands, Cursor, Gemini. A name that begins with `_` is theirs
 * by convention. No tool has an argument of such a name.
 */
const HOST_FIELDS = new Set([
  'sessionId',
  'action',
  'chatInput',
  'toolCallId',
  'tool_call_id',
  'tool_call_description',
  'wait_for_previous',
  'task_progress',
  'request_heartbeat',
  'security_risk',
  'random_string',
]);

const WHOLE = /^\s*[+-]?\d+(?:\.0+)?\s*$/;

/** `args` without what is not set and what is not the model's, each value in the type that `schema` asks for. */
export function asMeant(schema: z.ZodObject, args: unknown): unknown {
  if (args === null || args === undefined) return {};
  if (typeof args !== 'object' || Array.isArray(args)) return args;
  const shape: Record<string, z.core.$ZodType | undefined> = schema.shape;
  return Object.fromEntries(
    Object.entries(args).flatMap(([name, value]: [string, unknown]) => {
      const field = Object.hasOwn(shape, name) ? shape[name] : undefined;
      if (!field) return isHosts(name) || isUnset(value) ? [] : [[name, value]];
      // Only what may be left out can be blank.
      if (value === null || (isUnset(value) && z.safeParse(field, undefined).success)) return [];
      return [[name, inType(field, value)]];
    }),
  );
}

function isHosts(name: string): boolean {
  return name.startsWith('_') || HOST_FIELDS.has(name);
}

function isUnset(value: unknown): boolean {
  return value === null || (typeof value === 'string' && value.trim() === '');
}

function inType(field: z.core.$ZodType, value: unknown): unknown {
  if (field instanceof z.ZodOptional || field instanceof z.ZodDefault) return inType(field.unwrap(), value);
  if (field instanceof z.ZodNumber) return typeof value === 'string' && WHOLE.test(value) ? Number(value) : value;
  if (field instanceof z.ZodEnum && typeof value === 'string') {
    const same = (option: string | number) => String(option).toLowerCase() === value.trim().toLowerCase();
    return field.options.find(same) ?? value;
  }
  return value;
}
