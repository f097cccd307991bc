/**
 * The entry of `pnpm dev` and of the tests: the Worker itself and, unless real WorkOS keys are set, a local AuthKit
 * beside it. Never part of a deployment.
 */
import { exports } from 'cloudflare:workers';
import worker, { McpShopServer as Production } from '../index.ts';
import { isLoopback } from '../origin.ts';
import { authkit } from './authkit.tsx';
import { LOCAL_API_KEY, LOCAL_CLIENT_ID } from './authkit-store.ts';

export { Production as McpShopServer };

/**
 * The real WorkOS SDK talks to the local AuthKit through the Worker's own fetch: a request to one of our own origins
 * needs no socket, so the same mechanism serves `wrangler dev` and the tests.
 */
const ownOrigins = new Set<string>();
const network = globalThis.fetch;
globalThis.fetch = (input, init) => {
  const request = new Request(input, init);
  return ownOrigins.has(new URL(request.url).origin) ? exports.default.fetch(request) : network(request);
};

/** Sealing cookies on one machine, for data that means nothing elsewhere. */
const LOCAL_COOKIE_PASSWORD = 'only for the local AuthKit, never for a deployment';

/** What the local AuthKit answers; none of it clashes with the Worker's own routes. */
const AUTHKIT_PATHS = ['/user_management/', '/sso/', '/audit_logs/', '/local-authkit'];

async function fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
  const { origin, hostname, pathname } = new URL(request.url);
  // A custom domain's PUBLIC_URL is for the deployment; on this machine the address is the local one.
  const local: Env = isLoopback(hostname) ? { ...env, PUBLIC_URL: '' } : env;
  if (env.WORKOS_API_KEY) return worker.fetch(request, local, ctx);

  if (isLoopback(hostname)) {
    ownOrigins.add(origin);
    if (AUTHKIT_PATHS.some((path) => pathname.startsWith(path)))
      return authkit.fetch(request, { ...env, ORIGIN: origin });
  }
  const keys = {
    WORKOS_CLIENT_ID: LOCAL_CLIENT_ID,
    WORKOS_API_KEY: LOCAL_API_KEY,
    WORKOS_API_ORIGIN: origin,
    COOKIE_PASSWORD: env.COOKIE_PASSWORD || LOCAL_COOKIE_PASSWORD,
  };
  return worker.fetch(request, { ...local, ...keys }, ctx);
}

export default { fetch, scheduled: worker.scheduled } satisfies ExportedHandler<Env>;
