/** What the sign-in and consent handlers need of a request, and how they leave it. */
import type { BodyData } from 'hono/utils/body';
import { objectName } from '../deputy.ts';
import type { AppContext } from './session.ts';

/** The fields of a posted form; none when the body is not a form. */
export function formOf(c: AppContext): Promise<BodyData<{ all: true }>> {
  return c.req.parseBody({ all: true }).catch(() => ({}));
}

/** The text fields of a form, as they were typed; of a repeated one, the first. */
export function typedIn(fields: BodyData<{ all: true }>): Record<string, string> {
  const typed: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields)) {
    const [first] = [value].flat();
    if (typeof first === 'string') typed[name] = first;
  }
  return typed;
}

/** The object of a human, which holds their ledger. */
export function objectOf(c: AppContext, userId: string) {
  return c.env.MCP_OBJECT.getByName(objectName(userId));
}

export function originOf(c: AppContext): string {
  return new URL(c.req.url).origin;
}

export function hereOf(c: AppContext): string {
  const { pathname, search } = new URL(c.req.url);
  return pathname + search;
}

/** `fresh` makes AuthKit ask who it is, even when it knows. */
export function loginPath(returnTo: string, { fresh = false } = {}): string {
  return `/login?${new URLSearchParams({ return_to: returnTo, ...(fresh && { fresh: '1' }) }).toString()}`;
}

/** The path itself when it stays on this site, else the landing page: never an address somebody else chose. */
export function ownPath(path: string | undefined): string {
  const base = 'https://own.invalid';
  if (path === undefined || !URL.canParse(path, base)) return '/';
  const url = new URL(path, base);
  // "/.//evil.example" is a path of this site, but as a Location it would be another host.
  return url.origin === base && url.protocol === 'https:' ? url.pathname.replace(/^\/+/, '/') + url.search : '/';
}

/** Leaves this site, or goes to another page of it, with the cookies that a helper of the OAuth provider has set. */
export function redirectOut(c: AppContext, location: string, headers: Headers): Response {
  for (const cookie of headers.getSetCookie()) c.header('Set-Cookie', cookie, { append: true });
  return c.redirect(location);
}
