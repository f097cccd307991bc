/** The transport of an object: one JSON-RPC request of either protocol era, served by a server of its own, answered whole. */
import {
  type AuthInfo,
  createMcpHandler,
  isLegacyRequest,
  type McpServer,
  PROTOCOL_VERSION_META_KEY,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Caller } from '../deputy.ts';
import type { Answer } from './accept.ts';
import { readEnvelope, withoutDump } from './envelope.ts';

/** The object's own address for MCP. It says nothing: which request of which caller it is comes beside it. */
const OBJECT_URL = 'https://mcp-shop.internal/mcp';

/**
 * What a client sent: as it came, and parsed once for everybody; `json` is undefined for what is none. `call` is the tool call
 * that it makes, well-formed or not, and whether it names its version itself, as those of the newer era do.
 */
export type Message = { text: string; json: unknown; call?: { name: string | undefined; isNewer: boolean } };

/** Without byte-order marks, so that everybody who parses it reads the same. */
export function readMessage(body: string): Message {
  const text = body.replace(/^\uFEFF+/, '');
  try {
    const json: unknown = JSON.parse(text);
    const { data } = toolCall.safeParse(json);
    if (!data) return { text, json };
    const { name, _meta: about } = data.params ?? {};
    return { text, json, call: { name, isNewer: about !== undefined } };
  } catch {
    return { text, json: undefined };
  }
}

/** Compiled while the module loads, the only time at which a Worker evaluates code. */
const toolCall = z.compile(
  z.object({
    method: z.literal('tools/call'),
    params: z
      .object({
        name: z.string().optional().catch(undefined),
        _meta: z
          .object({ [PROTOCOL_VERSION_META_KEY]: z.string() })
          .optional()
          .catch(undefined),
      })
      .optional()
      .catch(undefined),
  }),
);

/**
 * Serves `message` with the server that `makeServer` returns, which must be a new one, and returns once all of the answer
 * is there. That server must not announce `listChanged` or `subscribe`: a `subscriptions/listen` is then acknowledged, with
 * nothing to listen to, and ends at once; otherwise its answer would never be whole.
 */
export async function serveMcp(
  { text, json, call }: Message,
  headers: Record<string, string>,
  caller: Caller,
  makeServer: () => McpServer,
): Promise<Answer> {
  const read = readEnvelope(json);
  if ('refusal' in read) return whole(read.refusal);
  // Only what is no JSON is read by the SDK, which says so.
  const body = read.json === undefined ? text : null;
  const request = new Request(OBJECT_URL, { method: 'POST', headers, body });
  const options = { authInfo: authInfoOf(caller), ...(read.json !== undefined && { parsedBody: read.json }) };
  if (call?.isNewer || !(await isLegacyRequest(request, read.json)))
    return whole(await createMcpHandler(makeServer, { legacy: 'reject' }).fetch(request, options));

  const server = makeServer();
  const transport = new WebStandardStreamableHTTPServerTransport();
  await server.connect(transport);
  try {
    return await whole(await transport.handleRequest(request, options));
  } finally {
    await server.close();
  }
}

/** The answer with all of its text: only then is it known what came of a call. */
export async function whole(answer: Response): Promise<Answer> {
  return { status: answer.status, headers: Object.fromEntries(answer.headers), body: withoutDump(await answer.text()) };
}

/** What the SDK needs for a step-up challenge. The token itself stays in the Worker. */
function authInfoOf({ clientId, scopes, resource }: Caller): AuthInfo {
  return { token: '', clientId, scopes, resource: new URL(resource) };
}
