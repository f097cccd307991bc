/** What is checked of a request to the OAuth provider's own routes before the provider reads it. */
import { z } from 'zod';

/** Bytes of a body. The longest honest one is about half: a token request with an assertion, a client's metadata. */
const MOST_BYTES = new Map([
  ['/token', 8 * 1024],
  ['/register', 16 * 1024],
]);
/** The provider compares each field with all others, and no kind of token request has a third of these. */
const MOST_FIELDS = 40;
const AMPERSAND = 0x26;

/** Where each kind of token request names its grant. A revocation names no kind. RFC 7009, section 2.1. */
const CREDENTIALS = new Map([
  ['authorization_code', 'code'],
  ['refresh_token', 'refresh_token'],
  ['', 'token'],
]);

/** What matters here of a grant as the provider keeps it, under `grant:<user>:<id>`. */
const grantSchema = z.object({ clientId: z.string() });

const FAILURE_MILLISECONDS = 60_000;
const MOST_FAILURES = 500;
/** Client documents that could not be read, and until when that is remembered. It belongs to no request or human. */
const failures = new Map<string, number>();

export function rememberFailure(clientId: string): void {
  failures.delete(clientId);
  for (const oldest of failures.keys()) {
    if (failures.size < MOST_FAILURES) break;
    failures.delete(oldest);
  }
  failures.set(clientId, Date.now() + FAILURE_MILLISECONDS);
}

/** Whether the document at that address could not be read less than a minute ago. */
export function hasFailed(clientId: string): boolean {
  return (failures.get(clientId) ?? 0) > Date.now();
}

/** The answer about a client whose document cannot be read now. It is no `invalid_client`: its sign-in still counts. */
export function documentUnavailable(): Response {
  const description = 'The document at the address of this client cannot be read. Try again in a minute.';
  return refusal(503, 'temporarily_unavailable', description, { 'Retry-After': '60' });
}

/** The request as the provider may read it, or the answer to one that goes no further. Errors: those of KV. */
export async function beforeTheProvider(request: Request, kv: KVNamespace): Promise<Request | Response> {
  const { pathname } = new URL(request.url);
  const most = MOST_BYTES.get(pathname);
  if (most === undefined || request.method !== 'POST') return request;
  const body = await readAtMost(most, request);
  if (!body) return tooLarge(pathname, `The body is over ${most / 1024} KiB. Send only what this request needs.`);
  const type = request.headers.get('Content-Type')?.split(';')[0]?.trim().toLowerCase();
  if (pathname !== '/token' || type !== 'application/x-www-form-urlencoded') return copyOf(request, body);

  if (body.filter((byte) => byte === AMPERSAND).length >= MOST_FIELDS)
    return tooLarge(pathname, `There are more than ${MOST_FIELDS} fields. Send only those of this grant type.`);
  const form = new URLSearchParams(new TextDecoder().decode(body));
  const refused = await withoutGrant(form, request.headers.get('Authorization'), kv);
  // Written anew, so that the provider reads the fields that were checked.
  return refused ?? copyOf(request, form);
}

/** The body, or undefined when it is longer. What is over is not read. */
async function readAtMost(most: number, request: Request): Promise<Uint8Array | undefined> {
  if (!request.body) return new Uint8Array();
  if (Number(request.headers.get('Content-Length')) > most) {
    await request.body.cancel();
    return undefined;
  }
  const reader = request.body.getReader({ mode: 'byob' });
  // With room for one byte too many.
  const { value } = await reader.readAtLeast(most + 1, new Uint8Array(most + 1));
  if (!value || value.byteLength <= most) return value ?? new Uint8Array();
  await reader.cancel();
  return undefined;
}

function copyOf(request: Request, body: BodyInit): Request {
  const headers = new Headers(request.headers);
  headers.delete('Content-Length');
  if (body instanceof URLSearchParams) headers.delete('Content-Type');
  return new Request(request.url, { method: request.method, headers, body });
}

/**
 * The answer when an address is named as the client and no grant of that client stands behind the request; else undefined.
 * The provider fetches that address before it looks for the grant, so strangers could have it fetch any.
 */
async function withoutGrant(
  form: URLSearchParams,
  authorization: string | null,
  kv: KVNamespace,
): Promise<Response | undefined> {
  const named = [...form.getAll('client_id'), basicUser(authorization)].filter((id) => id !== '');
  // An assertion can name its client by itself, and only clients with an address have one.
  const asserted = form.has('client_assertion') || form.has('client_assertion_type');
  if (!asserted && !named.some(isAddress)) return undefined;

  const clientId = await clientOfGrant(form, kv);
  if (clientId === undefined || named.some((id) => id !== clientId)) {
    // A token that is not there counts as revoked. RFC 7009, section 2.2.
    if (!form.get('grant_type') && form.get('token')) return new Response('', { headers: OPEN_TO_BROWSERS });
    return refusal(
      400,
      'invalid_grant',
      'This client has no such grant. Send its own code or token, or sign in again.',
    );
  }
  if (hasFailed(clientId)) return documentUnavailable();
  form.set('client_id', clientId);
  return undefined;
}

/** The client that a code or a token was given to, if its grant still stands. */
async function clientOfGrant(form: URLSearchParams, kv: KVNamespace): Promise<string | undefined> {
  const credential = form.get(CREDENTIALS.get(form.get('grant_type') ?? '') ?? '') ?? '';
  const [user, grant, secret] = credential.split(':');
  if (!user || !grant || !secret) return undefined;
  return grantSchema.safeParse(await kv.get(`grant:${user}:${grant}`, 'json')).data?.clientId;
}

/** The provider refuses, unread, what cannot be decoded. RFC 6749, section 2.3.1. */
function basicUser(authorization: string | null): string {
  const [, credentials = ''] = /^basic\s+(\S+)\s*$/i.exec(authorization ?? '') ?? [];
  try {
    return decodeURIComponent(atob(credentials).split(':')[0]?.replaceAll('+', ' ') ?? '');
  } catch {
    return '';
  }
}

function isAddress(clientId: string): boolean {
  return URL.canParse(clientId) && new URL(clientId).protocol === 'https:';
}

/** As the provider's own answers are: these routes take no cookies. */
export const OPEN_TO_BROWSERS = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': 'Retry-After' };

function tooLarge(pathname: string, description: string): Response {
  return refusal(413, pathname === '/register' ? 'invalid_client_metadata' : 'invalid_request', description);
}

/** An error of OAuth, which clients read. RFC 6749, section 5.2. */
export function refusal(
  status: number,
  error: string,
  description: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json(
    { error, error_description: description },
    { status, headers: { ...OPEN_TO_BROWSERS, 'Cache-Control': 'no-store', ...headers } },
  );
}
