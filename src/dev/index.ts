/**
 * The entry of `pnpm dev` and of the tests: the Worker itself and, unless real WorkOS keys are set, a local AuthKit
 * beside it. Never part of a deployment.
 */
import { exports } from 'cloudflare:workers';
import worker, { McpShopServer as Production } from '../index.ts';
import { isLoopback, isOriginAllowed } from '../edge/origin.ts';
import { authkit } from './authkit.tsx';
import {
  LOCAL_API_KEY,
  LOCAL_CLIENT_ID,
  LOCAL_COOKIE_PASSWORD,
  LOCAL_ORGANIZATION,
  LOCAL_WEBHOOK_SECRET,
} from './authkit-store.ts';

export { FreshKeys } from '../index.ts';

/** An object knows no request's origin, so it has one of its own for the local AuthKit. */
const OBJECT_ORIGIN = 'http://localhost';
/**
 * The real WorkOS SDK talks to the local AuthKit through the Worker's own fetch: a request to one of our own origins
 * needs no socket, so the same mechanism serves `wrangler dev` and the tests.
 */
const ownOrigins = new Set<string>([OBJECT_ORIGIN]);
const network = globalThis.fetch;
globalThis.fetch = (input, init) => {
  const request = new Request(input, init);
  return ownOrigins.has(new URL(request.url).origin) ? exports.default.fetch(request) : network(request);
};

/** What the local AuthKit answers; none of it clashes with the Worker's own routes. */
const AUTHKIT_PATHS = ['/user_management/', '/sso/', '/audit_logs/', '/authorization/', '/events', '/local-authkit'];

async function fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
  const { origin, hostname, pathname } = new URL(request.url);
  // A custom domain's PUBLIC_URL is for the deployment; on this machine the address is the local one.
  const local: Env = isLoopback(hostname) ? { ...env, PUBLIC_URL: '' } : env;
  if (env.WORKOS_API_KEY) return worker.fetch(request, local, ctx);

  if (isLoopback(hostname)) {
    ownOrigins.add(origin);
    if (AUTHKIT_PATHS.some((path) => pathname.startsWith(path)) && isOriginAllowed(request, new URL(request.url)))
      return authkit.fetch(request, { ...env, ORIGIN: origin });
  }
  return worker.fetch(request, withLocalKeys(local, origin), ctx);
}

function withLocalKeys<Variables extends Cloudflare.Env>(env: Variables, origin: string): Variables {
  return {
    ...env,
    WORKOS_CLIENT_ID: LOCAL_CLIENT_ID,
    WORKOS_API_KEY: LOCAL_API_KEY,
    WORKOS_API_ORIGIN: origin,
    COOKIE_PASSWORD: env.COOKIE_PASSWORD || LOCAL_COOKIE_PASSWORD,
    // Set to nothing, it switches the export off here too.
    WORKOS_AUDIT_LOGS_ORGANIZATION: env.WORKOS_AUDIT_LOGS_ORGANIZATION ?? LOCAL_ORGANIZATION,
    WORKOS_WEBHOOK_SECRET: env.WORKOS_WEBHOOK_SECRET ?? LOCAL_WEBHOOK_SECRET,
  };
}

/** Like the one that is deployed, with the local AuthKit unless real keys are set. */
export class McpShopServer extends Production {
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env.WORKOS_API_KEY ? env : withLocalKeys(env, OBJECT_ORIGIN));
  }
}

/** The crons run as they do on a deployment, with the local AuthKit unless real keys are set. */
function scheduled(controller: ScheduledController, env: Env): Promise<void> {
  return worker.scheduled(controller, env.WORKOS_API_KEY ? env : withLocalKeys(env, OBJECT_ORIGIN));
}

export default { fetch, scheduled } satisfies ExportedHandler<Env>;
