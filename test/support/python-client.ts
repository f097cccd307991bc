/**
 * The requests of the official Python SDK, as its source makes them: modelcontextprotocol/python-sdk, src/mcp/client/auth/
 * and streamable_http.py, with httpx below. What it checks of an answer is checked here too, and fails with its words.
 */
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Fetch } from '../../src/dev/browser.ts';
import type { Person } from '../../src/dev/clients.ts';

const PROTOCOL = '2025-11-25';
const REDIRECT_URI = 'http://localhost:3030/callback';
/** What httpx.AsyncClient adds to a request; one that the sign-in makes itself has none of it. */
const HTTPX = { 'Accept-Encoding': 'gzip, deflate', Connection: 'keep-alive', 'User-Agent': 'python-httpx/0.28.1' };

const resourceSchema = z.object({ resource: z.url(), authorization_servers: z.array(z.url()).min(1) });
const serverSchema = z.object({
  issuer: z.url(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  registration_endpoint: z.url(),
  scopes_supported: z.array(z.string()),
  authorization_response_iss_parameter_supported: z.boolean().default(false),
});
const clientSchema = z.object({
  client_id: z.string(),
  client_secret: z.string().optional(),
  token_endpoint_auth_method: z.enum(['none', 'client_secret_post', 'client_secret_basic', 'private_key_jwt']),
  redirect_uris: z.array(z.url()).min(1),
});
const tokensSchema = z.object({
  access_token: z.string(),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.number().int(),
  scope: z.string(),
  refresh_token: z.string(),
});
const messageSchema = z.object({
  jsonrpc: z.literal('2.0'),
  id: z.number(),
  result: z.record(z.string(), z.unknown()),
});

type Method = 'client_secret_basic' | 'client_secret_post' | 'none';

export class PythonClient {
  /** Each request to the server, as method and path. */
  readonly asked: string[] = [];
  readonly #person: Person;
  readonly #server: URL;
  readonly #fetch: Fetch;
  readonly #method: Method | undefined;
  #resource = '';
  #authorizationServer: z.infer<typeof serverSchema> | undefined;
  client: z.infer<typeof clientSchema> | undefined;
  tokens: z.infer<typeof tokensSchema> | undefined;
  #protocol: string | undefined;
  #id = 0;

  /** Without a method, as the SDK's own example registers, the server chooses one. */
  constructor(person: Person, origin: string, fetch: Fetch, method?: Method) {
    this.#person = person;
    this.#server = new URL('/mcp', origin);
    this.#fetch = fetch;
    this.#method = method;
  }

  async initialize(): Promise<void> {
    const clientInfo = { name: 'mcp', version: '0.1.0' };
    const { protocolVersion } = await this.request('initialize', {
      protocolVersion: PROTOCOL,
      capabilities: {},
      clientInfo,
    });
    this.#protocol = z.string().parse(protocolVersion);
    const answer = await this.#post({ method: 'notifications/initialized', jsonrpc: '2.0' });
    if (answer.status !== 202) throw new Error(`initialized: ${answer.status}`);
  }

  /** The result of a request. Signs in when the server asks for it, and repeats the request then. */
  async request(method: string, params?: Record<string, unknown>): Promise<Record<string, unknown>> {
    const id = this.#id++;
    const answer = await this.#post({ method, ...(params && { params }), jsonrpc: '2.0', id });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`Server returned an error response: ${answer.status} ${text}`);
    const type = answer.headers.get('Content-Type')?.toLowerCase() ?? '';
    const data = type.startsWith('text/event-stream') ? /^data: (.*)$/m.exec(text)?.[1] : text;
    const message = messageSchema.parse(JSON.parse(data ?? ''));
    if (message.id !== id) throw new Error(`an answer to ${message.id} instead of ${id}`);
    return message.result;
  }

  /** As when the access token has run out. */
  refresh(): Promise<void> {
    return this.#token({
      grant_type: 'refresh_token',
      refresh_token: this.tokens?.refresh_token ?? '',
      ...this.#named(),
    });
  }

  async #post(message: Record<string, unknown>): Promise<Response> {
    const send = () =>
      this.#send('POST', this.#server, JSON.stringify(message), {
        ...HTTPX,
        Accept: 'application/json, text/event-stream',
        'Content-Type': 'application/json',
        ...(this.#protocol && { 'mcp-protocol-version': this.#protocol }),
        ...(this.tokens && { Authorization: `Bearer ${this.tokens.access_token}` }),
      });
    const answer = await send();
    if (answer.status !== 401) return answer;
    await answer.body?.cancel();
    await this.#signIn(answer.headers.get('WWW-Authenticate') ?? '');
    return send();
  }

  async #signIn(challenge: string): Promise<void> {
    const field = (name: string) =>
      new RegExp(`${name}=(?:"([^"]+)"|([^\\s,]+))`).exec(challenge)?.slice(1).find(Boolean);
    const { origin, pathname } = this.#server;
    const known = '/.well-known/oauth-protected-resource';
    const places = [field('resource_metadata'), `${origin}${known}${pathname}`, `${origin}${known}`];
    const { resource, authorization_servers: servers } = await this.#discover(places, resourceSchema);
    if (!this.#server.href.startsWith(resource)) throw new Error(`Protected resource ${resource} does not match`);
    this.#resource = resource;
    // Pydantic writes an address without a path with a slash at its end, and only the origin of it is used.
    const issuer = new URL(servers[0] ?? '').origin;
    const documents = ['oauth-authorization-server', 'openid-configuration'].map(
      (name) => `${issuer}/.well-known/${name}`,
    );
    const server = (this.#authorizationServer = await this.#discover(documents, serverSchema));
    if (server.issuer !== servers[0])
      throw new Error(`Authorization server metadata issuer mismatch: ${server.issuer}`);
    const scope = `${field('scope')}${server.scopes_supported.includes('offline_access') ? ' offline_access' : ''}`;
    const client = (this.client ??= await this.#register(server.registration_endpoint, scope));

    const verifier = randomBytes(96).toString('base64url');
    const state = randomBytes(32).toString('base64url');
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: client.client_id,
      redirect_uri: REDIRECT_URI,
      state,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      resource: this.#resource,
      scope,
    });
    const answer = await this.#person.answer(`${server.authorization_endpoint}?${query.toString()}`);
    if (answer.get('state') !== state) throw new Error(`State parameter mismatch: ${answer.get('state')}`);
    if (answer.get('iss') !== server.issuer)
      throw new Error(`Authorization response iss mismatch: ${answer.get('iss')}`);
    await this.#token({
      grant_type: 'authorization_code',
      code: answer.get('code') ?? '',
      redirect_uri: REDIRECT_URI,
      ...this.#named(),
      code_verifier: verifier,
    });
  }

  async #discover<Shape extends z.ZodType>(places: (string | undefined)[], shape: Shape): Promise<z.infer<Shape>> {
    for (const place of places) {
      if (place === undefined) continue;
      const answer = await this.#send('GET', new URL(place), undefined, { 'MCP-Protocol-Version': PROTOCOL });
      const document = shape.safeParse(await answer.json().catch(() => undefined));
      if (answer.status === 200 && document.success) return document.data;
    }
    throw new Error('discovery failed');
  }

  async #register(endpoint: string, scope: string): Promise<z.infer<typeof clientSchema>> {
    const metadata = {
      redirect_uris: [REDIRECT_URI],
      ...(this.#method && { token_endpoint_auth_method: this.#method }),
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      scope,
      client_name: 'Simple Auth Client',
    };
    const headers = { 'Content-Type': 'application/json' };
    const answer = await this.#send('POST', new URL(endpoint), JSON.stringify(metadata), headers);
    if (answer.status !== 201) throw new Error(`Registration failed: ${answer.status} ${await answer.text()}`);
    return clientSchema.parse(await answer.json());
  }

  #named() {
    return { client_id: this.client?.client_id ?? '' };
  }

  /** The id is in the form whatever the method is: with Basic it is sent twice. */
  async #token(fields: Record<string, string>): Promise<void> {
    const form = new URLSearchParams({ ...fields, resource: this.#resource });
    const headers: Record<string, string> = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const { client_id: id = '', client_secret: secret = '', token_endpoint_auth_method: method } = this.client ?? {};
    if (method === 'client_secret_basic')
      headers['Authorization'] = `Basic ${btoa(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`)}`;
    if (method === 'client_secret_post') form.set('client_secret', secret);
    const endpoint = new URL(this.#authorizationServer?.token_endpoint ?? '');
    const answer = await this.#send('POST', endpoint, form.toString(), headers);
    if (answer.status !== 200) throw new Error(`Token exchange failed (${answer.status}): ${await answer.text()}`);
    this.tokens = tokensSchema.parse(await answer.json());
  }

  #send(method: string, url: URL, body: string | undefined, headers: Record<string, string>): Promise<Response> {
    this.asked.push(`${method} ${url.pathname}`);
    return this.#fetch(url, { method, headers, redirect: 'manual', ...(body !== undefined && { body }) });
  }
}
