/** What holds for every answer, whatever was asked. */
import { type Answer, describe, type HostileRequest, short } from './request.ts';
import type { Scene } from './fuzz-scene.ts';
import { FOREIGN_HOST, MARK, MARK_HEADER } from './values.ts';

/**
 * Answers of 500 and more that are meant to be. The run breaks nothing the server depends on, so it may not see any
 * of its own (503 when a record cannot be reached, 502 when WorkOS cannot).
 */
export const DECLARED: readonly { status: number; when: (request: HostileRequest) => boolean; why: string }[] = [];

/** What only the inside of the server has words for. */
const INSIDE = [
  /\n\s+at .+:\d+:\d+/,
  /\b(Type|Reference|Range|Syntax|Zod|Internal|Sqlite)Error\b/,
  /SQLITE_|no such (table|column)|UNIQUE constraint/,
  /node_modules|index\.js:\d|file:\/\/\/|\/src\/[\w-]+\.ts/,
  /mcp-shop\.internal|streamable-http:/,
  /Cannot read propert|is not a function|is not iterable|undefined is not/,
];
/** The header of a JSON Web Token signed with RS256, as those of WorkOS are, and a sealed session. */
const WORKOS = /eyJhbGciOiJSUzI1NiI|Fe26\.2\*/;

/** Bytes that any request may have: no answer to a larger one is a success. */
const LARGEST_BODY = 64 * 1024;

const PAGE_HEADERS: readonly (readonly [name: string, value: RegExp])[] = [
  ['content-security-policy', /default-src 'none'.*frame-ancestors 'none'/],
  ['x-frame-options', /^DENY$/],
  ['x-content-type-options', /^nosniff$/],
  ['referrer-policy', /^same-origin$/],
  ['cache-control', /no-store/],
];

/** The first thing that is wrong with the answer, or undefined. */
export function problemWith(request: HostileRequest, answer: Answer, scene: Scene): string | undefined {
  const { status, headers, text } = answer;
  const everything = `${JSON.stringify(headers)}\n${text}`;
  if (status >= 500 && !DECLARED.some((one) => one.status === status && one.when(request)))
    return `it answered ${status}`;
  for (const pattern of INSIDE) {
    const found = pattern.exec(text);
    // What the request itself said may come back in an answer that quotes it.
    if (found && !sentText(request).includes(found[0])) return `it tells of its inside: ${short(found[0])}`;
  }
  if (WORKOS.test(text)) return 'it holds a token or a session of WorkOS';
  for (const { what, value } of scene.secrets()) if (everything.includes(value)) return `it holds ${what}`;
  const stranger = scene.strangersOf(request.who).find((email) => everything.includes(email));
  if (stranger !== undefined && !sentText(request).includes(stranger))
    return `it tells the e-mail of somebody else: ${stranger}`;
  const sent = Buffer.byteLength(request.body?.text ?? '', request.body?.encoding);
  if (sent > LARGEST_BODY && status < 400 && request.method !== 'OPTIONS') return `it took a body of ${sent} bytes`;
  if (MARK_HEADER in headers) return 'a header of the answer was made up by the request';
  return (
    wrongRedirect(headers['location'], scene.server.origin) ??
    wrongPage(answer) ??
    wrongOfConsole(request, answer) ??
    wrongOfMcp(request, answer)
  );
}

/** Only to a path of this site, to AuthKit, or to the address that a client of ours has registered. */
function wrongRedirect(location: string | undefined, origin: string): string | undefined {
  if (location === undefined) return undefined;
  if (!URL.canParse(location, origin)) return `it redirects to what is no address: ${short(location)}`;
  const url = new URL(location, origin);
  // Ours are written out; what is relative was somebody else's text.
  if (!location.startsWith('/') && !URL.canParse(location))
    return `it redirects to what is no path: ${short(location)}`;
  const known = url.origin === origin || url.origin === 'http://localhost:33418';
  return known && url.hostname !== FOREIGN_HOST ? undefined : `it redirects to ${short(url.href)}`;
}

function wrongPage({ headers, text }: Answer): string | undefined {
  if (!headers['content-type']?.includes('text/html')) return undefined;
  const missing = PAGE_HEADERS.find(([name, value]) => !value.test(headers[name] ?? ''));
  if (missing) return `the page has no right ${missing[0]}: ${headers[missing[0]]}`;
  return text.includes(`<${MARK}`) ? 'what the request said stands in the page as markup' : undefined;
}

/** The console is for the browser of its human, and for nobody with a token or without anything. */
function wrongOfConsole({ who, path }: HostileRequest, { status, headers }: Answer): string | undefined {
  if (status === 101 && who !== 'human') return 'somebody who is not signed in opened a socket';
  if (who === 'human' || !/^\/deputies(?![\w%])/.test(path)) return undefined;
  if (status < 300) return `the console answered ${status} to somebody who is not signed in`;
  const to = headers['location'];
  // To the sign-in; or, for an address with a slash too many, to one of the console, which is closed as well.
  const known = to === undefined || /^\/(?:login|deputies)(?![\w%])/.test(new URL(to, 'http://localhost').pathname);
  return !known ? `the console sent somebody who is not signed in to ${to}` : undefined;
}

/** JSON-RPC, an OAuth error, or nothing at all; never a page. */
function wrongOfMcp(request: HostileRequest, { status, headers, text }: Answer): string | undefined {
  const { path, method } = request;
  if (!/^\/mcp(\?|$)/.test(path)) return undefined;
  const type = headers['content-type'] ?? '';
  if (type.includes('text/html')) return 'MCP answered with a page';
  // The checks of host and origin come before all else and speak plain text.
  const early = status === 421 || (status === 403 && request.headers['origin'] !== undefined);
  if (early && type.startsWith('text/plain')) return undefined;
  if (method === 'HEAD') return undefined;
  if (status === 202 || status === 204) return text === '' ? undefined : `${status} with a body`;
  if (status === 401 && !headers['www-authenticate']?.includes('resource_metadata='))
    return '401 without the address of the metadata';
  if (status === 401 && text === '') return undefined;
  const messages = type.startsWith('text/event-stream')
    ? text.split('\n').flatMap((line) => (line.startsWith('data: ') ? [line.slice('data: '.length)] : []))
    : [text];
  if (messages.length === 0) return 'an event stream without a message';
  const wrong = messages.find((message) => !isMessage(message, status));
  return wrong === undefined
    ? undefined
    : `no JSON-RPC message and no OAuth error, with HTTP ${status} ${type}: ${short(wrong)}`;
}

function isMessage(text: string, status: number): boolean {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return false;
  }
  if (message === null || typeof message !== 'object' || Array.isArray(message)) return false;
  const { jsonrpc, result, error } = message as { jsonrpc?: unknown; result?: unknown; error?: unknown };
  if (typeof error === 'string') return status >= 400;
  if (jsonrpc !== '2.0') return false;
  if (error === undefined) return typeof result === 'object' && result !== null && status === 200;
  const { code, message: sentence } = error as { code?: unknown; message?: unknown };
  return result === undefined && Number.isInteger(code) && typeof sentence === 'string';
}

function sentText(request: HostileRequest): string {
  return `${decode(request.path)} ${Object.values(request.headers).join(' ')} ${decode(request.body?.text ?? '')}`;
}

function decode(text: string): string {
  try {
    return `${text} ${decodeURIComponent(text.replaceAll('+', ' '))}`;
  } catch {
    return text;
  }
}

/** The whole report of a failure. */
export function failure(problem: string, request: HostileRequest, answer?: Answer): Error {
  const got = answer
    ? `\nThe answer: ${answer.status} ${short(JSON.stringify(answer.headers), 500)}\n${short(answer.text, 800)}`
    : '';
  return new Error(`${problem}\nThe request, secrets as ⟦names⟧:\n${describe(request)}${got}`);
}
