/** Plain HTTP against the Worker under test: the requests an attacker or a careless client sends. */
import { basePower } from '../../src/authority/terms.ts';
import type { Era, Person } from '../../src/dev/clients.ts';
import { domain } from '../../src/domain.ts';
import { ORIGIN, workerFetch } from './worker.ts';

export function send(path: string, init: RequestInit = {}): Promise<Response> {
  return workerFetch(new URL(path, ORIGIN), { redirect: 'manual', ...init });
}

/** A JSON-RPC request of the 2025 era. */
export function rpc(
  token: string,
  body: unknown,
  headers: Record<string, string> = {},
  init: RequestInit = {},
): Promise<Response> {
  return send('/mcp', {
    ...init,
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      Authorization: `Bearer ${token}`,
      'MCP-Protocol-Version': '2025-11-25',
      ...headers,
    },
  });
}

/** The same tool call in the form of that era, by a client without anything special. */
export function rpcIn(
  era: Era,
  token: string,
  message: ReturnType<typeof callMessage>,
  init: RequestInit = {},
  more: Record<string, string> = {},
): Promise<Response> {
  if (era === '2025-11-25') return rpc(token, message, more, init);
  const about = {
    'io.modelcontextprotocol/protocolVersion': era,
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const body = { ...message, params: { ...message.params, _meta: about } };
  const headers = { 'MCP-Protocol-Version': era, 'Mcp-Method': message.method, 'Mcp-Name': message.params.name };
  return rpc(token, body, { ...headers, ...more }, init);
}

export function callMessage(name: string, args: Record<string, unknown> = {}) {
  return { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } };
}

/** The JSON-RPC message in an answer, which the 2025 era sends as an event stream. */
export async function messageOf(
  response: Response,
): Promise<{ result?: Record<string, unknown>; error?: { code: number; message: string } }> {
  const text = await response.text();
  const data = text.split('\n').find((line) => line.startsWith('data: '));
  return JSON.parse(data ? data.slice('data: '.length) : text);
}

export const CLIENT_REDIRECT = 'https://client.example/callback';

export async function register(metadata: Record<string, unknown> = {}): Promise<Response> {
  return send('/register', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Honest client',
      redirect_uris: [CLIENT_REDIRECT],
      token_endpoint_auth_method: 'none',
      ...metadata,
    }),
  });
}

export async function registeredClient(metadata: Record<string, unknown> = {}): Promise<string> {
  const response = await register(metadata);
  if (response.status !== 201) throw new Error(`registration: ${response.status} ${await response.text()}`);
  const { client_id: clientId } = await response.json<{ client_id: string }>();
  return clientId;
}

/** RFC 7636, appendix B. */
export const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

/** The path of an authorization request; `undefined` leaves a parameter out. */
export function authorizePath(clientId: string, changes: Record<string, string | undefined> = {}): string {
  const parameters = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: CLIENT_REDIRECT,
    scope: basePower(domain),
    state: 'client-state',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    resource: `${ORIGIN}/mcp`,
    ...changes,
  };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value);
  return `/authorize?${query.toString()}`;
}

export function redeem(
  clientId: string,
  code: string,
  changes: Record<string, string | undefined> = {},
): Promise<Response> {
  const body = new URLSearchParams();
  const parameters = {
    grant_type: 'authorization_code',
    client_id: clientId,
    code,
    redirect_uri: CLIENT_REDIRECT,
    code_verifier: VERIFIER,
    ...changes,
  };
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) body.set(name, value);
  return send('/token', { method: 'POST', body });
}

/** What a browser sends along, for a request that is made by hand. */
export function cookiesOf({ browser }: Person): string {
  return [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
}
