/** What is checked of a request to the OAuth provider's own routes before the provider reads it. */
import { z } from 'zod';
import { credentialIn, registrationRequest, tokenRequest, type TokenRequest } from './as-clients-send.ts';
import { hasFailed, publisherOf } from './client-document.ts';
import { OPEN_TO_BROWSERS, refusal } from './oauth-error.ts';
import { readAtMost } from './read-at-most.ts';

/** Bytes of a body. The longest honest one is about half: a token request with an assertion, a client's metadata. */
const MOST_BYTES = new Map([
  ['/token', 8 * 1024],
  ['/register', 16 * 1024],
]);
/** The provider compares each field with all others, and no kind of token request has a third of these. */
const MOST_FIELDS = 40;
const AMPERSAND = 0x26;

/** What matters here of a grant as the provider keeps it, under `grant:<user>:<id>`. */
const grantSchema = z.object({ clientId: z.string() });

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
  if (pathname === '/register') {
    const registration = registrationRequest(body);
    return registration instanceof Response ? registration : copyOf(request, registration);
  }
  const type = request.headers.get('Content-Type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') return copyOf(request, body);

  if (body.filter((byte) => byte === AMPERSAND).length >= MOST_FIELDS)
    return tooLarge(pathname, `There are more than ${MOST_FIELDS} fields. Send only those of this grant type.`);
  const sent = new URLSearchParams(new TextDecoder().decode(body));
  const asked = tokenRequest(sent, request.headers.get('Authorization'));
  if (asked instanceof Response) return asked;
  const refused = await withoutGrant(asked, kv);
  // Written anew, so that the provider reads the fields that were checked.
  return refused ?? copyOf(request, asked.form, asked.authorization);
}

function copyOf(request: Request, body: BodyInit, authorization = request.headers.get('Authorization')): Request {
  const headers = new Headers(request.headers);
  headers.delete('Content-Length');
  if (authorization === null) headers.delete('Authorization');
  if (body instanceof URLSearchParams) headers.delete('Content-Type');
  return new Request(request.url, { method: request.method, headers, body });
}

/**
 * The answer when an address is named as the client and no grant of that client stands behind the request; else undefined.
 * The provider fetches that address before it looks for the grant, so strangers could have it fetch any.
 */
async function withoutGrant({ form, named }: TokenRequest, kv: KVNamespace): Promise<Response | undefined> {
  // An assertion can name its client by itself, and only clients with an address have one.
  const asserted = form.has('client_assertion') || form.has('client_assertion_type');
  if (!asserted && !(named && publisherOf(named))) return undefined;

  const clientId = await clientOfGrant(form, kv);
  if (clientId === undefined || (named && named !== clientId)) {
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
export async function clientOfGrant(form: URLSearchParams, kv: KVNamespace): Promise<string | undefined> {
  const [user, grant, secret] = credentialIn(form).split(':');
  if (!user || !grant || !secret) return undefined;
  return grantSchema.safeParse(await kv.get(`grant:${user}:${grant}`, 'json')).data?.clientId;
}

function tooLarge(pathname: string, description: string): Response {
  return refusal(413, pathname === '/register' ? 'invalid_client_metadata' : 'invalid_request', description);
}
