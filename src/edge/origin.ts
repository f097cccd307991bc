/** Which hosts this Worker answers to, and which browser origins may talk to it. */

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

export function isLoopback(hostname: string): boolean {
  return LOOPBACK.has(hostname);
}

/**
 * The origin a request is served under, or undefined for a host that is not ours (answer 421).
 * `publicUrl` is the one origin of a custom domain; without it loopback hosts and workers.dev serve themselves.
 * Must be asked before an OAuth provider is built: `wrangler dev` hands any client's Host on.
 */
export function servedOrigin(url: URL, publicUrl: string | undefined): string | undefined {
  if (publicUrl) return url.origin === publicUrl ? publicUrl : undefined;
  if (isLoopback(url.hostname)) return url.origin;
  if (url.protocol === 'https:' && url.hostname.endsWith('.workers.dev')) return url.origin;
  return undefined;
}

/** Paths a browser app on any origin may call: they take bearer tokens or client credentials, never cookies. */
function isCrossOriginPath(path: string): boolean {
  return path === '/mcp' || path === '/token' || path === '/register' || path.startsWith('/.well-known/');
}

/** Whether the request's `Origin` header, when there is one, may make this request. */
export function isOriginAllowed(request: Request, url: URL): boolean {
  const origin = request.headers.get('Origin');
  if (origin === null) return true;
  // A web page must not reach a server on the developer's machine through DNS rebinding.
  if (isLoopback(url.hostname) && !(URL.canParse(origin) && isLoopback(new URL(origin).hostname))) return false;
  if (isCrossOriginPath(url.pathname)) return true;
  const changesNothing = request.method === 'GET' || request.method === 'HEAD';
  return origin === url.origin || (changesNothing && !request.headers.has('Upgrade'));
}
