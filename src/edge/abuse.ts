/** Limits for strangers: how often one address, and everybody together, may start something before anyone is known. */
import { log, logError } from '../log.ts';
import { Answered, refusal } from './oauth-error.ts';

/** Routes that anybody can call and that cost something: a stored client, a consent page, a sign-in. */
const LIMITED = new Set(['/register', '/authorize', '/login']);

/**
 * Routes with a wider limit, and none for all together: a flood from a few addresses would use that up for everybody.
 * At `/token` deputies refresh, for each human of an office behind one address. At `/mcp` only tokens that KV does not know
 * count, because they are asked for in an object (`fresh-keys.ts`), and anybody can make tokens up.
 */
const WIDE = new Set(['/token', '/mcp']);

/** A browser with such a cookie has begun to sign in, or has done so: its sign-in was counted when it began. */
const UNDER_WAY = /(?:^|;\s*)__Host-[\w-]+-(?:session|sign-in)/;

/** Seconds until it is worth trying again: the period of the limits in wrangler.toml. */
const RETRY_AFTER_SECONDS = 60;

/**
 * The answer to a request that is one too many, or undefined. It says nothing about the request, so it does not tell
 * whether a client or anybody else exists. A limiter that fails lets the request through: it guards no authority.
 */
export async function tooMany(request: Request, env: Env): Promise<Response | undefined> {
  const pathname = decoded(new URL(request.url).pathname);
  return LIMITED.has(pathname) || pathname === '/token' ? answerOf(request, env, pathname) : undefined;
}

/** To be called before a token that KV does not know is asked for. Throws Answered. */
export async function countUnknownToken(request: Request, env: Env): Promise<void> {
  const limited = await answerOf(request, env, '/mcp');
  if (limited) throw new Answered(limited);
}

async function answerOf(request: Request, env: Env, pathname: string): Promise<Response | undefined> {
  const address = networkOf(request.headers.get('CF-Connecting-IP'));
  const isWide =
    WIDE.has(pathname) || (pathname === '/authorize' && UNDER_WAY.test(request.headers.get('Cookie') ?? ''));
  const limited = await limitedBy(env, pathname, address, isWide);
  if (!limited) return undefined;
  log({ event: 'limited', route: pathname, by: limited });
  const headers = { 'Retry-After': String(RETRY_AFTER_SECONDS), 'Cache-Control': 'no-store' };
  if (pathname === '/register' || WIDE.has(pathname))
    return refusal(429, 'temporarily_unavailable', 'Too many requests. Wait a minute, then try again.', headers);
  return new Response(PAGE, {
    status: 429,
    headers: {
      ...headers,
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': "default-src 'none'; style-src 'self'; font-src 'self'; frame-ancestors 'none'",
      'X-Content-Type-Options': 'nosniff',
    },
  });
}

/** What a person sees. It is made here, without the pages' own parts, because it must cost nothing. */
const PAGE = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Too many sign-ins at once</title><link rel="stylesheet" href="/style.css"></head>
<body><main class="alone"><div class="sheet deed paper"><h1>Too many sign-ins at once</h1><p><strong>Nothing is wrong with yours.</strong>
More people sign in from your network than fit into one minute. Wait a minute, then <a href="">try again</a>: nothing was
lost.</p></div></main></body></html>`;

async function limitedBy(
  env: Env,
  route: string,
  address: string,
  isWide: boolean,
): Promise<'address' | 'all' | undefined> {
  try {
    const key = `${route} ${address}`;
    // One address first, so that a flood from it does not use up what is for everybody.
    if (!(await (isWide ? env.WIDE_LIMIT : env.ADDRESS_LIMIT).limit({ key })).success) return 'address';
    // A cookie can be made up, so what it widens is for one address alone.
    if (LIMITED.has(route) && !(await env.TOTAL_LIMIT.limit({ key: route })).success) return 'all';
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
function networkOf(address: string | null): string {
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
