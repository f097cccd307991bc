/** Real MCP clients of both protocol eras, signed in through the real pages. Runs in workerd and in Node. */
import {
  type OAuthDiscoveryState,
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
  UnauthorizedError as ModernUnauthorized,
} from '@modelcontextprotocol/client';
import { UnauthorizedError as LegacyUnauthorized } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import { z } from 'zod';
import { Browser, type Fetch, type Page } from './browser.ts';

export const ERAS = ['2025-11-25', '2026-07-28'] as const;
export type Era = (typeof ERAS)[number];

export const REDIRECT_URI = 'http://localhost:33418/callback';

/** A human in front of a browser: signs in when asked, then decides on the consent page. */
export class Person {
  readonly email: string;
  readonly browser: Browser;
  /** The powers this person ticks; undefined ticks all that are offered. */
  ticks: string[] | undefined;
  /** What this person types into the blanks of the mandate; what is left out stays as the page has it. */
  blanks: Record<string, string> = {};
  decision = 'Allow';
  /** How often this person had to sign in. */
  signIns = 0;

  constructor(email: string, origin: string, fetch: Fetch) {
    this.email = email;
    this.browser = new Browser(origin, fetch);
  }

  /** Walks from an authorization request to the consent page, signing in on the way if need be. */
  async walk(url: URL | string): Promise<Page> {
    const page = await this.browser.open(url);
    if (!page.html.includes('name="email"')) return page;
    this.signIns += 1;
    return this.browser.press(page, 'Continue', { email: this.email });
  }

  /** From an authorization request to what the client gets back. */
  async answer(url: URL | string): Promise<URLSearchParams> {
    const consent = await this.walk(url);
    const fields = { ...this.blanks, scope: this.ticks ?? offeredOn(consent) };
    const page = await this.browser.press(consent, this.decision, fields);
    if (!page.left) throw new Error(`the consent page did not return to the client: ${page.status} ${page.html}`);
    return page.left.searchParams;
  }
}

function offeredOn({ html }: Page): string[] {
  return [...html.matchAll(/name="scope" value="([^"]+)"/g)].map(([, scope = '']) => scope);
}

/** An in-memory OAuth client that asks a Person. Serves both SDKs. */
class Credentials {
  readonly redirectUrl = REDIRECT_URI;
  readonly clientMetadata;
  readonly #person: Person;
  #client: OAuthClientInformationMixed | undefined;
  #tokens: OAuthTokens | undefined;
  #verifier = '';
  #discovery: OAuthDiscoveryState | undefined;
  answer = new URLSearchParams();
  /** How often the person was asked. */
  asked = 0;

  constructor(person: Person, name: string) {
    this.#person = person;
    this.clientMetadata = { client_name: name, redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none' };
  }
  clientInformation() {
    return this.#client;
  }
  saveClientInformation(client: OAuthClientInformationMixed) {
    this.#client = client;
  }
  tokens() {
    return this.#tokens;
  }
  /** The SDK calls it when the server says that a grant or a client is gone. */
  invalidateCredentials(what: string) {
    if (what === 'all' || what === 'tokens') this.#tokens = undefined;
    if (what === 'all' || what === 'client') this.#client = undefined;
  }
  signOut() {
    this.#tokens = undefined;
  }
  saveTokens(tokens: OAuthTokens) {
    this.#tokens = tokens;
  }
  saveCodeVerifier(verifier: string) {
    this.#verifier = verifier;
  }
  codeVerifier() {
    return this.#verifier;
  }
  saveDiscoveryState(state: OAuthDiscoveryState) {
    this.#discovery = state;
  }
  discoveryState() {
    return this.#discovery;
  }
  async redirectToAuthorization(url: URL) {
    this.asked += 1;
    this.answer = await this.#person.answer(url);
  }
}

const toolResult = z.object({
  content: z.array(z.object({ type: z.literal('text'), text: z.string() })),
  structuredContent: z.record(z.string(), z.unknown()).default({}),
  isError: z.boolean().default(false),
});
export type ToolResult = { text: string; data: Record<string, unknown>; isError: boolean };

export type ToolInfo = {
  name: string;
  title?: string | undefined;
  description?: string | undefined;
  inputSchema: Record<string, unknown>;
  outputSchema?: Record<string, unknown> | undefined;
  annotations?: Record<string, unknown> | undefined;
};
/** What both SDKs' clients have in common. */
type AnyClient = {
  listTools(): Promise<{ tools: ToolInfo[] }>;
  callTool(params: { name: string; arguments: Record<string, unknown> }): Promise<Record<string, unknown>>;
  getServerVersion(): { name: string; version: string } | undefined;
  close(): Promise<void>;
};

export type ShowPage = (
  url: URL,
) => Promise<{ action: 'accept' | 'decline' | 'cancel'; content?: Record<string, string> }>;

/** One MCP client of one era, with its own OAuth client and tokens. */
export class Deputy {
  readonly era: Era;
  readonly credentials: Credentials;
  readonly #address: URL;
  readonly #fetch: Fetch;
  /** Shows the human a page that the server asks for (URL elicitation), and says what the client answers then. */
  readonly #showPage: ShowPage | undefined;
  #client!: AnyClient;

  private constructor(era: Era, person: Person, address: URL, fetch: Fetch, name: string, showPage?: ShowPage) {
    this.era = era;
    this.credentials = new Credentials(person, name);
    this.#address = address;
    this.#fetch = fetch;
    this.#showPage = showPage;
  }

  static async connect(
    era: Era,
    person: Person,
    origin: string,
    fetch: Fetch,
    name = `Test client ${era}`,
    showPage?: ShowPage,
  ): Promise<Deputy> {
    const deputy = new Deputy(era, person, new URL('/mcp', origin), fetch, name, showPage);
    await deputy.reconnect();
    return deputy;
  }

  /** A client that signed in long ago, with what it kept from then. */
  static async resume(
    era: Era,
    person: Person,
    origin: string,
    fetch: Fetch,
    kept: { client: OAuthClientInformationMixed; tokens: OAuthTokens },
  ): Promise<Deputy> {
    const deputy = new Deputy(era, person, new URL('/mcp', origin), fetch, 'Resumed client');
    deputy.credentials.saveClientInformation(kept.client);
    deputy.credentials.saveTokens(kept.tokens);
    await deputy.reconnect();
    return deputy;
  }

  /** Connects once more with what it holds, signing in when the server asks for it. */
  async reconnect(): Promise<void> {
    await this.#signingIn(() => this.#connect());
  }

  async listTools(): Promise<ToolInfo[]> {
    return (await this.#client.listTools()).tools;
  }

  /** Calls a tool, signing in again when the server asks for more scopes. */
  async call(name: string, args: Record<string, unknown> = {}): Promise<ToolResult> {
    const result = await this.#signingIn(() => this.#client.callTool({ name, arguments: args }));
    const { content, structuredContent, isError } = toolResult.parse(result);
    return { text: content.map(({ text }) => text).join('\n'), data: structuredContent, isError };
  }

  get accessToken(): string {
    return this.credentials.tokens()?.access_token ?? '';
  }
  get serverVersion() {
    return this.#client.getServerVersion();
  }
  close(): Promise<void> {
    return this.#client.close();
  }

  #legacyTransport() {
    return new LegacyTransport(this.#address, { authProvider: this.credentials, fetch: this.#fetch });
  }

  #modernTransport() {
    return new ModernTransport(this.#address, { authProvider: this.credentials, fetch: this.#fetch });
  }

  async #connect(): Promise<void> {
    const info = { name: 'test', version: '1' };
    if (this.era === '2025-11-25') {
      const client = new LegacyClient(info);
      await client.connect(this.#legacyTransport());
      this.#client = client;
    } else {
      const client = new ModernClient(info, {
        versionNegotiation: { mode: { pin: this.era } },
        ...(this.#showPage && { capabilities: { elicitation: { url: {} } } }),
      });
      if (this.#showPage) {
        const show = this.#showPage;
        client.setRequestHandler('elicitation/create', async ({ params }) =>
          params.mode === 'url' ? show(new URL(params.url)) : { action: 'decline' },
        );
      }
      await client.connect(this.#modernTransport());
      this.#client = client;
    }
  }

  async #signingIn<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof LegacyUnauthorized || error instanceof ModernUnauthorized)) throw error;
      const { answer } = this.credentials;
      const refused = answer.get('error');
      if (refused) throw new Error(`the authorization was refused: ${refused}`, { cause: error });
      if (this.era === '2025-11-25') await this.#legacyTransport().finishAuth(answer.get('code') ?? '');
      else await this.#modernTransport().finishAuth(answer);
      await this.#connect();
      return work();
    }
  }
}
