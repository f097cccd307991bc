/** /mcp after the token check: the narrow way from an authenticated request to the human's object. */
import type { OAuthResourceContext } from '@cloudflare/workers-oauth-provider';
import { type Caller, objectName, propsSchema } from '../deputy.ts';
import { haltFor } from '../edge/halt.ts';
import { logError, noteCall } from '../log.ts';
import { EITHER, formsIn, inForm } from './accept.ts';
import { MAX_BODY_BYTES, readBody } from './body.ts';
import { humanInTurn, refuse, tooFast, TURN_SECONDS } from './crowd.ts';
import { remember } from './known-tokens.ts';
import { invalidToken, rpcError } from './rpc-error.ts';

/** RFC 9110, section 8.3: a type may be missing, and letters of any case mean the same. RFC 6839, section 3.1: `+json`. */
const JSON_TYPE = 'application/json';
const IS_JSON = /^\s*application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

/** The endpoint of a server whose tool `look` shows what was done. */
export function mcpEndpoint(look: string) {
  /** Answers a request whose sender was verified before. */
  const serve = (request: Request, env: Env, caller: Caller) => serveCaller(request, env, caller, look);

  /** Answers a request whose token the OAuth provider has just verified. */
  async function fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the provider set `auth`, which its own handler type leaves out
    const verified = ctx as OAuthResourceContext<unknown>;
    const caller = callerOf(verified);
    if (!caller) return invalidToken(request.url, 'This token is from another version. Sign in again.');
    remember(request, caller, verified.auth.expiresAt);
    return serve(request, env, caller);
  }

  return { fetch, serve };
}

/** The client's request itself goes no further: the object gets the bounded body, a few headers, and who calls. */
async function serveCaller(request: Request, env: Env, caller: Caller, look: string): Promise<Response> {
  const fast = await tooFast(env, caller, request);
  if (fast) return fast;

  // A WebSocket upgrade is a GET, whatever method it was sent with.
  if (request.method !== 'POST') {
    const message =
      'Method not allowed: this endpoint is stateless and takes POST only. There is no stream to GET and no session to DELETE.';
    return rpcError(405, -32000, message, { Allow: 'POST, OPTIONS' });
  }

  const forms = formsIn(request.headers.get('Accept'));
  if (forms.length === 0)
    return rpcError(
      406,
      -32000,
      'Not acceptable: answers are application/json or text/event-stream. Accept one of them.',
    );

  const body = await readBody(request);
  if (body === undefined)
    return rpcError(413, -32600, `The request body is over ${MAX_BODY_BYTES / 1024} KiB. Send less.`);
  if (body.trimStart().startsWith('[')) {
    return rpcError(
      400,
      -32600,
      'Invalid request: JSON-RPC batches left MCP in 2025-06-18. Send one message per request.',
    );
  }

  const halt = haltFor(env, caller.clientId);
  if (halt)
    return rpcError(halt.blocked ? 403 : 503, -32000, halt.message, halt.blocked ? {} : { 'Retry-After': '60' });

  const object = env.MCP_OBJECT.getByName(objectName(caller.userId));
  try {
    const answer = await humanInTurn(caller, () => object.serve(caller, forwardedHeaders(request), body));
    if (!answer) return refuse('human', TURN_SECONDS, body);
    if (answer.call)
      noteCall({ ...answer.call, user: caller.userId, client: caller.clientId, deputy: caller.deputyId });
    // What broke in there is for the log; a client could learn a stack from it.
    if (answer.status >= 500) throw new Error(`the object answered ${answer.status}: ${answer.body}`);
    return inForm(answer, forms);
  } catch (error) {
    logError('object_unreachable', error);
    const message =
      'No answer came from the ledger of your human, so this may or may not have been carried out. ' +
      `Look at ${look} before you repeat it.`;
    return rpcError(503, -32000, message, { 'Retry-After': '5' });
  }
}

/** Props are what this Worker stored at sign-in; the provider typed them as unknown, and `auth` is what it verified. */
function callerOf({ props, auth }: OAuthResourceContext<unknown>): Caller | undefined {
  const parsed = propsSchema.safeParse(props);
  if (!parsed.success || !auth.clientId || auth.userId !== parsed.data.userId) return undefined;
  return { ...parsed.data, clientId: auth.clientId, scopes: auth.scope, resource: auth.audience };
}

function forwardedHeaders({ headers }: Request): Record<string, string> {
  const forwarded = [...headers].filter(([name]) => name.startsWith('mcp-'));
  const type = headers.get('Content-Type') ?? JSON_TYPE;
  return { ...Object.fromEntries(forwarded), 'content-type': IS_JSON.test(type) ? JSON_TYPE : type, accept: EITHER };
}
