/** The Worker: checks configuration, host and origin, then hands over to the OAuth provider of this origin. */
import { waitUntil } from 'cloudflare:workers';
import { app } from './app.tsx';
import { exchangeInTurn } from './auth/exchange.ts';
import { endingDeputies } from './auth/grants.ts';
import { followEvents } from './auth/presence.ts';
import { ConfigError, readConfig } from './config.ts';
import { tooMany } from './edge/abuse.ts';
import { beforeTheProvider } from './edge/before-the-provider.ts';
import { ownTheFetch } from './edge/client-document.ts';
import { freshKv } from './edge/fresh-keys.ts';
import { Answered } from './edge/oauth-error.ts';
import { log, logError, ownTheConsole, withCall } from './log.ts';
import { deputyInTurn } from './mcp/crowd.ts';
import { recall } from './mcp/known-tokens.ts';
import { mcp, providerFor } from './oauth.ts';
import { isOriginAllowed, servedOrigin } from './edge/origin.ts';
import { restoreAsked } from './restore.ts';

export { FreshKeys } from './edge/fresh-keys.ts';
export { McpShopServer } from './mcp-server.ts';

ownTheConsole();
ownTheFetch();

/** Both name the same resource; RFC 9728 builds the second one, and many clients look at the first. */
const RESOURCE_METADATA = '/.well-known/oauth-protected-resource';

/** The routes that logs name; what else is asked for could hold anything. */
const ROUTES = new Set([
  '/',
  '/mcp',
  '/authorize',
  '/login',
  '/callback',
  '/logout',
  '/token',
  '/register',
  '/healthz',
  '/webhooks/workos',
  '/deputies',
  '/deputies/live',
  RESOURCE_METADATA,
  `${RESOURCE_METADATA}/mcp`,
  '/.well-known/oauth-authorization-server',
]);

async function fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
  // The address is made of the Host header, and a client can send anything there.
  if (!URL.canParse(request.url)) return plain(421, 'The Host header names no host.');
  const start = Date.now();
  const answered = withCall(() => answer(request, env, ctx));
  // A browser gives up a form whose button is pressed again, and what was begun is the first answer to both. A client that
  // hangs up would leave its place in a line taken.
  const { pathname } = new URL(request.url);
  if (request.method === 'POST' || pathname === '/mcp') waitUntil(answered);
  const [response, call] = await answered;
  // What is refused has lines of its own, which a flood shares.
  if (response.status === 429) return response;
  const route = ROUTES.has(pathname) ? pathname : pathname.startsWith('/deputies/') ? '/deputies/…' : 'other';
  log({ event: 'request', method: request.method, route, status: response.status, ...call, ms: Date.now() - start });
  return response;
}

async function answer(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
  try {
    const url = new URL(request.url);
    const origin = servedOrigin(url, readConfig(env).PUBLIC_URL);
    if (!origin)
      return plain(
        421,
        'This server does not answer to that host. Use its own address; a custom domain is set with PUBLIC_URL.',
      );
    if (!isOriginAllowed(request, url)) return plain(403, 'Requests from this origin are not allowed here.');
    if (url.pathname.startsWith('/mcp/')) return plain(404, `There is nothing here. The MCP endpoint is ${origin}/mcp`);

    const known = url.pathname === '/mcp' ? recall(request) : undefined;
    if (known) return await deputyInTurn(request, () => mcp.serve(request, env, known));

    const limited = await tooMany(request, env);
    if (limited) return limited;

    const kv = endingDeputies(freshKv(env, request), env);
    const checked = await beforeTheProvider(request, kv);
    if (checked instanceof Response) return checked;

    const canonical =
      url.pathname === RESOURCE_METADATA ? new Request(`${origin}${RESOURCE_METADATA}/mcp`, checked) : checked;
    // The provider keeps its helpers on the env it is given, so each provider gets one of its own.
    const own = { ...env, OAUTH_KV: kv };
    const serve = (asked: Request) => providerFor(origin).fetch(asked, own, ctx);
    if (url.pathname === '/mcp') {
      const answered = await deputyInTurn(request, () => serve(canonical));
      return await forPeople(request, answered, () => app.fetch(canonical, own, ctx));
    }
    const isToken = url.pathname === '/token' && request.method === 'POST';
    return await (isToken ? exchangeInTurn(canonical, own, serve) : serve(canonical));
  } catch (error) {
    if (error instanceof Answered) return error.answer;
    if (error instanceof ConfigError)
      return plain(
        503,
        `This deployment is not set up yet.\n${error.problems.join('\n')}\nSet each with \`wrangler secret put NAME\`, or in .dev.vars for development.`,
      );
    logError('request_failed', error);
    return plain(500, 'Something broke on our side. Try again in a moment.');
  }
}

/**
 * The same answer to a browser that opens the address, as a page that says what to do with it. It stays a 401 with its
 * challenge, so that a client which asks this way finds what it looks for (RFC 9728, section 5.1).
 */
async function forPeople(
  request: Request,
  answered: Response,
  page: () => Response | Promise<Response>,
): Promise<Response> {
  // A program in a page says where it runs, and one with a token has found its way.
  const isNavigation = !request.headers.has('Authorization') && !request.headers.has('Origin');
  const isAsked = request.method === 'GET' && /\btext\/html\b/i.test(request.headers.get('Accept') ?? '');
  if (answered.status !== 401 || !isAsked || !isNavigation) return answered;
  const shown = await page();
  const headers = new Headers(answered.headers);
  for (const [name, value] of shown.headers) headers.set(name, value);
  return new Response(shown.body, { status: 401, headers });
}

function plain(status: number, message: string): Response {
  return new Response(`${message}\n`, {
    status,
    headers: {
      'Content-Type': 'text/plain; charset=utf-8',
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'no-store',
    },
  });
}

/** Every few minutes: who is gone at WorkOS. The next run tries again; nobody is suspended for want of an answer. */
async function scheduled(_: ScheduledController, env: Env): Promise<void> {
  await restoreAsked(env);
  await followEvents(env).catch((error: unknown) => logError('authkit_unavailable', error));
}

export default { fetch, scheduled } satisfies ExportedHandler<Env>;
