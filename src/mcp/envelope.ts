/** The JSON-RPC envelope: read as leniently as JSON-RPC 2.0 allows, and what is refused is refused in one sentence. */
import { z } from 'zod';
import { jsonIn } from '../text.ts';
import { rpcError } from './rpc-error.ts';

const record = z.record(z.string(), z.unknown());
const named = { error: '"id" must be text or a whole number.' };
const messageId = z.union([z.string(), z.int(named)], named);

/** JSON-RPC 2.0, section 4. Members that it does not know are left out. MCP forbids an `id` of null. */
const envelope = z.object(
  {
    jsonrpc: z.literal('2.0', { error: '"jsonrpc" must be "2.0".' }),
    id: messageId.optional(),
    method: z.string({ error: '"method" must be text.' }),
    params: z.preprocess(
      (params) => (params === null || isEmptyList(params) ? undefined : params),
      z.record(z.string(), z.unknown(), { error: '"params" must be an object of named parameters.' }).optional(),
    ),
  },
  { error: 'send one JSON object with "jsonrpc", "id", "method" and "params".' },
);

/** The message as it is meant, or the answer that refuses it. `json` is undefined for what is none. */
export function readEnvelope(json: unknown): { json: unknown } | { refusal: Response } {
  // Nearly every message is as it should be, and the SDK reads it once more.
  if (isPlain(json)) return { json };
  const given = record.safeParse(json).data;
  // No JSON, or an answer to a request that this server never makes: the SDK knows what becomes of those.
  if (json === undefined || (given && !('method' in given) && ('result' in given || 'error' in given))) return { json };
  const id = messageId.safeParse(given?.['id']).data ?? null;
  const { data, error } = envelope.safeParse(json);
  if (!data) return { refusal: rpcError(400, -32600, `Invalid request: ${error.issues[0]?.message}`, {}, id) };
  const { params, ...rest } = data;
  if (!params) return { json: rest };
  const meant = asMeant(params);
  const args = meant['arguments'];
  if (args !== undefined && !record.safeParse(args).success) {
    const message = `Invalid ${rest.method} request: "arguments" must be an object.`;
    return { refusal: rpcError(200, -32602, message, {}, id) };
  }
  return { json: { ...rest, params: meant } };
}

const MEMBERS = new Set(['jsonrpc', 'id', 'method', 'params']);

/** Whether there is nothing to leave out, to turn into something else or to refuse. */
function isPlain(json: unknown): boolean {
  if (!isObject(json) || !Object.keys(json).every((name) => MEMBERS.has(name))) return false;
  const { jsonrpc, id, method, params = {} } = json;
  const isNamed = typeof id === 'string' || Number.isSafeInteger(id) || (id === undefined && !('id' in json));
  if (jsonrpc !== '2.0' || typeof method !== 'string' || !isNamed || !isObject(params)) return false;
  const { arguments: args = {}, ...others } = params;
  return isObject(args) && params['cursor'] !== '' && !saysUnset(others, UNSET_LEVELS);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** How deep clients are described: a capability's own settings, in the `_meta` of the parameters. */
const UNSET_LEVELS = 4;

function saysUnset(value: unknown, levels: number): boolean {
  return (
    value === null || (levels > 0 && isObject(value) && Object.values(value).some((one) => saysUnset(one, levels - 1)))
  );
}

/** Without what only says that it is not set. Some hosts send arguments as a text of JSON. */
function asMeant(params: Record<string, unknown>): Record<string, unknown> {
  const { arguments: args, ...others } = params;
  if (others['cursor'] === '') delete others['cursor'];
  return {
    ...withoutUnset(others, UNSET_LEVELS),
    ...(args !== undefined && args !== null && { arguments: fromText(args) }),
  };
}

function withoutUnset(object: Record<string, unknown>, levels: number): Record<string, unknown> {
  const set = Object.entries(object).filter(([, value]) => value !== null);
  return Object.fromEntries(
    set.map(([name, value]) => [name, levels > 1 && isObject(value) ? withoutUnset(value, levels - 1) : value]),
  );
}

function fromText(args: unknown): unknown {
  return typeof args === 'string' ? (jsonIn(args) ?? args) : args;
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** What a validator printed: all of its findings, as a list of JSON somewhere in a message. */
const DUMP = /"message":"(?:[^"\\]|\\.)*?\[\\n/;
const findings = z.array(z.object({ path: z.array(z.union([z.string(), z.number()])), message: z.string() }));
const failed = z.looseObject({ error: z.object({ code: z.int(), message: z.string() }) });

/** The answer, with the first finding of a validator in place of all that it printed. JSON-RPC 2.0, section 5.1. */
export function withoutDump(answer: string): string {
  if (!answer.includes('"error":{"code":-') || !DUMP.test(answer)) return answer;
  const start = answer.indexOf('{');
  const message = answer.slice(start).trimEnd();
  const { data } = failed.safeParse(jsonIn(message));
  const [, said = '', list = ''] = /^([^[]*)(.*)$/s.exec(data?.error.message ?? '') ?? [];
  const [first] = findings.safeParse(jsonIn(list)).data ?? [];
  if (!data || !first) return answer;
  const error = { code: -32602, message: `${said || 'Invalid params: '}${first.path.join('.')}: ${first.message}.` };
  return answer.replace(message, () => JSON.stringify({ ...data, error }));
}
