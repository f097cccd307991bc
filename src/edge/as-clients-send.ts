/** What clients send to the OAuth provider, as the standards mean it. The provider is stricter here and laxer there. */
import { z } from 'zod';
import { jsonIn } from '../text.ts';
import { isLoopback } from './origin.ts';
import { refusal } from './oauth-error.ts';

/**
 * The parameters of each kind of token request, first the one that names its grant; '' is a revocation. RFC 6749, sections
 * 4.1.3 and 6; RFC 7636, section 4.5; RFC 7009, section 2.1. `scope` says nothing about a code: the human has decided.
 */
const TOKEN_REQUESTS = new Map([
  ['authorization_code', ['code', 'redirect_uri', 'code_verifier'] as const],
  ['refresh_token', ['refresh_token', 'scope'] as const],
  ['', ['token', 'token_type_hint'] as const],
]);
const WHO_ASKS = ['client_id', 'client_secret', 'client_assertion', 'client_assertion_type'];
/** RFC 7636, sections 4.1 and 4.2. */
const VERIFIER = /^[\w.~-]{43,128}$/;
const S256_CHALLENGE = /^[\w-]{43}$/;

/** The code or the token that a request to /token, read by `tokenRequest` or not, is about. */
export function credentialIn(form: URLSearchParams): string {
  const [name = ''] = TOKEN_REQUESTS.get(form.get('grant_type') ?? '') ?? [];
  return form.get(name) ?? '';
}

/** `named` is the client that the form or the header names. */
export type TokenRequest = { form: URLSearchParams; authorization: string | null; named: string | undefined };

/** The token request as it is meant, or what is wrong with it. */
export function tokenRequest(sent: URLSearchParams, authorization: string | null): TokenRequest | Response {
  // A parameter without a value counts as left out, and one that is not known as not there. RFC 6749, section 3.2.
  const { parameters, repeated } = parametersOf(sent, [
    'grant_type',
    ...WHO_ASKS,
    ...[...TOKEN_REQUESTS.values()].flat(),
  ]);
  if (repeated) return invalid(`${repeated} was sent more than once. Send it once.`);
  const kind = parameters.get('grant_type') ?? '';
  const fields = TOKEN_REQUESTS.get(kind);
  if (!fields) return refusal(400, 'unsupported_grant_type', 'grant_type must be authorization_code or refresh_token.');
  const [credential, ...others] = fields;
  if (!parameters.has(credential))
    return invalid(kind ? `${credential} is missing.` : 'grant_type is missing: authorization_code or refresh_token.');
  const verifier = parameters.get('code_verifier');
  if (kind === 'authorization_code' && verifier !== null && !VERIFIER.test(verifier))
    return invalid('code_verifier must have 43 to 128 characters: letters, digits and - . _ ~');

  const known = new Set(['grant_type', 'resource', ...WHO_ASKS, credential, ...others]);
  const form = new URLSearchParams([...parameters].filter(([name]) => known.has(name)));
  const basic = basicOf(authorization);
  const inForm = form.get('client_id') ?? undefined;
  if (!basic?.id) return { form, authorization, named: inForm };
  // An id proves nothing, so beside the header it is no second way to authenticate. RFC 6749, sections 2.3.1 and 3.2.1.
  if ((inForm ?? basic.id) !== basic.id)
    return invalid('client_id is another client than the one in the Authorization header.');
  form.delete('client_id');
  if (basic.secret) return { form, authorization, named: basic.id };
  // An empty secret may be left out, so this is how a client without one says who it is. RFC 6749, section 2.3.1.
  form.set('client_id', basic.id);
  return { form, authorization: null, named: basic.id };
}

/** Client and secret of HTTP Basic, each form-encoded. RFC 6749, section 2.3.1. Undefined when they cannot be decoded. */
function basicOf(authorization: string | null): { id: string; secret: string } | undefined {
  const [, credentials = ''] = /^basic[ \t]+(\S+)\s*$/i.exec(authorization ?? '') ?? [];
  try {
    const [, id, secret] = /^([^:]*):(.*)$/s.exec(atob(credentials)) ?? [];
    if (id === undefined || secret === undefined) return undefined;
    return { id: formDecoded(id), secret: formDecoded(secret) };
  } catch {
    return undefined;
  }
}

function formDecoded(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

/** What this server has of what a client can register, first the one that every client needs. */
const SERVED = { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] };

/** A client's document without what is unset. What is no JSON object stays as it is. */
export function clientDocument(body: Uint8Array): string {
  const metadata = metadataIn(body);
  return metadata ? JSON.stringify(metadata) : new TextDecoder().decode(body);
}

/**
 * A registration without what is unset and what is not served here; the answer says what was kept. RFC 7591, sections 2
 * and 3.2.1.
 */
export function registrationRequest(body: Uint8Array): string | Response {
  const metadata = metadataIn(body);
  if (!metadata) return refusal(400, 'invalid_client_metadata', 'The body must be one JSON object.');
  for (const [name, served] of Object.entries(SERVED)) {
    const asked = metadata[name];
    if (!Array.isArray(asked)) continue;
    const kept = served.filter((value) => asked.includes(value));
    if (kept[0] !== served[0])
      return refusal(
        400,
        'invalid_client_metadata',
        `${name} must include ${served[0]}. Served are: ${served.join(', ')}.`,
      );
    metadata[name] = kept;
  }
  return JSON.stringify(metadata);
}

/** What a client says of itself; undefined when the body is no JSON object. */
function metadataIn(body: Uint8Array): Record<string, unknown> | undefined {
  const parsed = z.record(z.string(), z.unknown()).safeParse(jsonIn(new TextDecoder().decode(body)));
  if (!parsed.success) return undefined;
  return Object.fromEntries(
    Object.entries(parsed.data)
      .map(([name, value]) => [name, Array.isArray(value) ? value.filter(isSet) : value] as const)
      .filter(([, value]) => isSet(value)),
  );
}

/** Serializers write what is not set as null, as empty text or as an empty list. */
function isSet(value: unknown): boolean {
  return value !== null && value !== '' && !(Array.isArray(value) && value.length === 0);
}

const AUTHORIZATION_REQUEST = [
  'client_id',
  'redirect_uri',
  'response_type',
  'scope',
  'state',
  'code_challenge',
  'code_challenge_method',
];

/** An authorization request as it is meant, and what no provider should grant, if anything. RFC 6749, section 3.1. */
export function authorizationRequest(sent: URLSearchParams): { parameters: URLSearchParams; problem?: string } {
  const { parameters, repeated } = parametersOf(sent, AUTHORIZATION_REQUEST);
  const challenge = parameters.get('code_challenge');
  if (repeated) return { parameters, problem: `${repeated} was sent more than once. Send it once` };
  if (challenge === null)
    return { parameters, problem: 'Every client must use PKCE: send code_challenge, with code_challenge_method S256' };
  if (!S256_CHALLENGE.test(challenge))
    return { parameters, problem: 'code_challenge must be the SHA-256 of the verifier: 43 characters of base64url' };
  return { parameters };
}

/** Why no code is ever sent to that address, if so; `server` is an address of this server. */
export function whyNoCode(redirectUri: string, server: URL): string | undefined {
  const url = URL.parse(redirectUri);
  if (!url) return undefined;
  if (!/^https?:$/.test(url.protocol))
    return 'This version of the app has a redirect_uri of its own kind, and codes are sent to https addresses and to localhost only. Update the app, then connect once more';
  const same =
    isLoopback(url.hostname) && isLoopback(server.hostname) ? url.port === server.port : url.host === server.host;
  if (!same) return undefined;
  const ours = "The redirect_uri is this server's own address, so the app would never get its answer";
  if (!isLoopback(url.hostname)) return ours;
  return `${ours}: the app listens on port ${url.port || 80}, which is in use by this server. Start this server on another port (npx -y pnpm dev --port 8788), and connect the app to that one`;
}

/** The parameters that have a value, and the first of `known` that is there more than once. RFC 6749, section 3.1. */
function parametersOf(sent: URLSearchParams, known: readonly string[]) {
  const parameters = new URLSearchParams([...sent].filter(([, value]) => value !== ''));
  return { parameters, repeated: known.find((name) => parameters.getAll(name).length > 1) };
}

function invalid(description: string): Response {
  return refusal(400, 'invalid_request', description);
}

const ANSWER = new Set(['code', 'state', 'iss', 'error', 'error_description', 'error_uri']);

/**
 * The client's address with its answer. The query that the client registered stays as it is written, and nothing in it
 * passes for our answer. RFC 6749, sections 3.1.2 and 4.1.2; RFC 9207, section 2.
 */
export function addressOfAnswer(redirectUri: string, answer: Record<string, string | undefined>): string {
  const url = new URL(redirectUri);
  const own = url.search
    .slice(1)
    .split('&')
    .filter((part) => part !== '' && ![...new URLSearchParams(part).keys()].some((name) => ANSWER.has(name)));
  const added = new URLSearchParams();
  for (const [name, value] of Object.entries(answer)) if (value) added.set(name, value);
  url.search = [...own, added.toString()].join('&');
  return url.href;
}
