/** Limits for strangers: how often one address, and everybody together, may start something before anyone is known. */
import { log, logError } from '../log.ts';
import { refusal } from './oauth-error.ts';

/** Routes that anybody can call and that cost something: a stored client, a consent page, a sign-in. */
const LIMITED = new Set(['/register', '/authorize', '/login']);

/**
 * Deputies refresh here, for each human of an office behind one address, so it has a wider limit. It has
 * none for all together: a flood from a few addresses would use that up, and no deputy anywhere could refresh.
 */
const TOKENS = '/token';

/** Seconds until it is worth trying again: the period of the limits in wrangler.toml. */
const RETRY_AFTER_SECONDS = 60;

/**
 * The answer to a request that is one too many, or undefined. It says nothing about the request, so it does not tell
 * whether a client or anybody else exists. A limiter that fails lets the request through: it guards no authority.
 */
export async function tooMany(request: Request, env: Env): Promise<Response | undefined> {
  const pathname = decoded(new URL(request.url).pathname);
  if (!LIMITED.has(pathname) && pathname !== TOKENS) return undefined;
  const address = networkOf(request.headers.get('CF-Connecting-IP'));
  const limited = await limitedBy(env, pathname, address);
  if (!limited) return undefined;
  log({ event: 'limited', route: pathname, by: limited });
  const headers = { 'Retry-After': String(RETRY_AFTER_SECONDS), 'Cache-Control': 'no-store' };
  const description = 'Too many requests. Wait a minute, then try again.';
  if (pathname === '/register' || pathname === TOKENS)
    return refusal(429, 'temporarily_unavailable', description, headers);
  return new Response(`${description}\n`, {
    status: 429,
    headers: { ...headers, 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' },
  });
}

async function limitedBy(env: Env, route: string, address: string): Promise<'address' | 'all' | undefined> {
  try {
    if (route === TOKENS) return (await env.TOKEN_LIMIT.limit({ key: address })).success ? undefined : 'address';
    // One address first, so that a flood from it does not use up what is for everybody.
    if (!(await env.ADDRESS_LIMIT.limit({ key: `${route} ${address}` })).success) return 'address';
    if (!(await env.TOTAL_LIMIT.limit({ key: route })).success) return 'all';
  } catch (error) {
    logError('rate_limiter_failed', error);
  }
  return undefined;
}

/** As the pages' router reads it: an escaped letter is the letter. */
function decoded(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}

/** An IPv6 customer has a whole /64, so its first four groups are one address; without an address all share one limit. */
export function networkOf(address: string | null): string {
  if (!address?.includes(':')) return address ?? 'unknown';
  const [start = '', end] = address.split('::');
  const groups = start.split(':').filter(Boolean);
  if (end !== undefined) {
    const after = end.split(':').filter(Boolean);
    while (groups.length + after.length < 8) groups.push('0');
    groups.push(...after);
  }
  return groups
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':');
}
