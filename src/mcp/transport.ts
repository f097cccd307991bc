/** The transport of an object: one JSON-RPC request of either protocol era, served by a server of its own, answered whole. */
import type { AuthInfo, McpServer } from '@modelcontextprotocol/server';
import { createMcpHandler } from 'agents/mcp/server';
import { z } from 'zod';
import type { Caller } from '../deputy.ts';
import { readEnvelope, withoutDump } from './envelope.ts';

/** What a client sent: as it came, and parsed once for everybody; `json` is undefined for what is none. */
export type Message = { text: string; json: unknown };

/** Without byte-order marks, so that everybody who parses it reads the same. */
export async function readMessage(request: Request): Promise<Message> {
  const text = (await request.text()).replace(/^\uFEFF+/, '');
  try {
    return { text, json: JSON.parse(text) };
  } catch {
    return { text, json: undefined };
  }
}

/**
 * Serves `message` with the server that `makeServer` returns, which must be a new one, and returns once all of the answer
 * is there. That server must not announce `listChanged` or `subscribe`: a `subscriptions/listen` is then acknowledged, with
 * nothing to listen to, and ends at once; otherwise its answer would never be whole.
 */
export async function serveMcp(
  { method, headers, url }: Request,
  { text, json }: Message,
  caller: Caller,
  makeServer: () => McpServer,
): Promise<Response> {
  const read = readEnvelope(json);
  if ('refusal' in read) return read.refusal;
  const handler = createMcpHandler(makeServer, {
    legacy: 'stateless',
    // The OAuth provider answers CORS, and the Worker has checked Host and Origin.
    corsOptions: false,
    allowedOriginHostnames: '*',
  });
  const answer = await handler.fetch(new Request(url, { method, headers, body: text }), {
    authInfo: authInfoOf(caller),
    // Undefined for what is no JSON: then the handler reads the body itself, and says so.
    parsedBody: read.json,
  });
  // The older era answers before the call is through; only now is it known what came of it.
  return new Response(withoutDump(await answer.text()) || null, answer);
}

/** What the SDK needs for a step-up challenge. The token itself stays in the Worker. */
function authInfoOf({ clientId, scopes, resource }: Caller): AuthInfo {
  return { token: '', clientId, scopes, resource: new URL(resource) };
}

const toolCall = z.object({
  method: z.literal('tools/call'),
  params: z
    .object({ name: z.string().optional().catch(undefined) })
    .optional()
    .catch(undefined),
});

/** The tool call that a message makes, well-formed or not; undefined when it asks for something else. */
export function toolCallIn({ json }: Message): { name: string | undefined } | undefined {
  const call = toolCall.safeParse(json);
  return call.success ? { name: call.data.params?.name } : undefined;
}
