/** Real MCP clients of both protocol eras, signed in through the real pages. Runs in workerd and in Node. */
import {
  type OAuthDiscoveryState,
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
  UnauthorizedError as ModernUnauthorized,
} from '@modelcontextprotocol/client';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
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

type ToolInfo = {
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

/** `showPage` shows the human a page that the server asks for (URL elicitation), and says what the client answers then. */
type Options = { authProvider: Credentials; fetch: Fetch; showPage?: ShowPage };

/** A version of the SDK: how its client connects, and how it takes what a person answered. */
type Sdk = {
  connect(address: URL, options: Options): Promise<AnyClient>;
  finish(address: URL, options: Options, answer: URLSearchParams): Promise<void>;
  /** What its client throws once the person was asked. */
  Unauthorized: new () => Error;
};

const INFO = { name: 'test', version: '1' };

/** A version of the SDK that starts a connection with `initialize`, as all do that are called `sdk`. */
export function legacySdk(
  OldClient: new (info: typeof INFO) => AnyClient & { connect(transport: never): Promise<void> },
  OldTransport: new (address: URL, options: Options) => { finishAuth(code: string): Promise<void> },
  Unauthorized: new () => Error,
): Sdk {
  return {
    async connect(address, options) {
      const client = new OldClient(INFO);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK's own types of a transport do not fit each other
      await client.connect(new OldTransport(address, options) as never);
      return client;
    },
    finish: (address, options, answer) => new OldTransport(address, options).finishAuth(answer.get('code') ?? ''),
    Unauthorized,
  };
}

const SDKS: Record<Era, Sdk> = {
  '2025-11-25': legacySdk(Client, StreamableHTTPClientTransport, UnauthorizedError),
  '2026-07-28': {
    async connect(address, { showPage, ...options }) {
      const client = new ModernClient(INFO, {
        versionNegotiation: { mode: { pin: '2026-07-28' } },
        ...(showPage && { capabilities: { elicitation: { url: {} } } }),
      });
      if (showPage)
        client.setRequestHandler('elicitation/create', async ({ params }) =>
          params.mode === 'url' ? showPage(new URL(params.url)) : { action: 'decline' },
        );
      await client.connect(new ModernTransport(address, options));
      return client;
    },
    finish: (address, options, answer) => new ModernTransport(address, options).finishAuth(answer),
    Unauthorized: ModernUnauthorized,
  },
};

/** One MCP client, with its own OAuth client and tokens. */
export class Deputy {
  readonly credentials: Credentials;
  readonly #sdk: Sdk;
  readonly #address: URL;
  readonly #options: Options;
  #client!: AnyClient;

  private constructor(sdk: Sdk, person: Person, origin: string, fetch: Fetch, name: string, showPage?: ShowPage) {
    this.credentials = new Credentials(person, name);
    this.#sdk = sdk;
    this.#address = new URL('/mcp', origin);
    this.#options = { authProvider: this.credentials, fetch, ...(showPage && { showPage }) };
  }

  /** `sdk` is the newest one of an era, or any other version. */
  static async connect(
    sdk: Era | Sdk,
    person: Person,
    origin: string,
    fetch: Fetch,
    name = 'Test client',
    showPage?: ShowPage,
  ): Promise<Deputy> {
    const deputy = new Deputy(typeof sdk === 'string' ? SDKS[sdk] : sdk, person, origin, fetch, name, showPage);
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
    const deputy = new Deputy(SDKS[era], person, origin, fetch, 'Resumed client');
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

  async #connect(): Promise<void> {
    this.#client = await this.#sdk.connect(this.#address, this.#options);
  }

  async #signingIn<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof this.#sdk.Unauthorized)) throw error;
      const { answer } = this.credentials;
      const refused = answer.get('error');
      if (refused) throw new Error(`the authorization was refused: ${refused}`, { cause: error });
      await this.#sdk.finish(this.#address, this.#options, answer);
      await this.#connect();
      return work();
    }
  }
}
