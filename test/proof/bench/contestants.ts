/** The servers that a benchmark compares, with people and deputies signed in, and the calls they make. */
import type { Era } from '../../../src/dev/clients.ts';
import { BenchServer, shopPlan } from './bench-server.ts';
import { bundle, bundleAt, changed, UNLIMITED, WITHOUT_RECORD } from './bundle.ts';
import type { Lane } from './measure.ts';
import { connecting, expectSuccess, type Message, RawClient, toolCall } from './raw-client.ts';

/** Clients at a time at most, and people where there are many: one for each. */
export const MANY = 16;

export const PURCHASE = {
  company: 'Analytical Engines Ltd',
  mailingAddress: "12 St James's Square, London SW1Y 4JH, UK",
  tshirtSize: 'L',
};

/** Whose calls the clients of a lane make: all those of one person's deputy, or each of somebody else's. */
export type People = 'one user' | 'many users';

/** A server, a client with kept-alive connections, and the tokens of its people. */
export class Contestant {
  readonly server: BenchServer;
  readonly client: RawClient;

  constructor(server: BenchServer) {
    this.server = server;
    this.client = new RawClient(server.origin, MANY);
  }

  /** A lane in which client number n sends `messages[n]`; one message serves all. */
  lane(name: string, messages: readonly Message[], check = expectSuccess, path = '/mcp'): Lane {
    const call = async (client: number) => {
      const message = messages[client % messages.length];
      if (message) check(await this.client.post(path, message));
    };
    return { name, call, processorTime: () => this.server.processorTime() };
  }

  /** A lane in which a call is everything that a client sends before it can call a tool. */
  connectLane(name: string, conversations: readonly ((client: RawClient) => Promise<unknown>)[]): Lane {
    const call = async (client: number) => conversations[client % conversations.length]?.(this.client);
    return { name, call, processorTime: () => this.server.processorTime() };
  }

  async stop(): Promise<void> {
    await this.client.close();
    await this.server.stop();
  }
}

export class ShopContestant extends Contestant {
  readonly #tokens = new Map<string, string>();

  static async start(script: string, inspector = false): Promise<ShopContestant> {
    return new ShopContestant(await BenchServer.start(shopPlan(script), { inspector }));
  }

  /** The token of that person's deputy; signs them in the first time. */
  async token(person: string, era: Era): Promise<string> {
    const key = `${person} ${era}`;
    const known = this.#tokens.get(key);
    if (known !== undefined) return known;
    const human = this.server.person(`${person}@example.com`);
    const { accessToken } = await this.server.deputyOf(human, era);
    this.#tokens.set(key, accessToken);
    return accessToken;
  }

  async tokens(people: People, era: Era): Promise<string[]> {
    const tokens: string[] = [];
    for (let index = 0; index < (people === 'one user' ? 1 : MANY); index += 1)
      tokens.push(await this.token(`${people.replace(' ', '-')}-${index}`, era));
    return tokens;
  }

  async calls(people: People, era: Era, name: string, args: Record<string, unknown> = {}): Promise<Message[]> {
    return (await this.tokens(people, era)).map((token) => toolCall(era, token, name, args));
  }

  /** Lets that person's deputy buy until there are so many orders. */
  async stock(person: string, orders: number): Promise<void> {
    const era = '2026-07-28';
    const purchase = toolCall(era, await this.token(person, era), 'buyMcpShopItem', PURCHASE);
    let left = orders;
    const buyer = async () => {
      while (left > 0) {
        left -= 1;
        expectSuccess(await this.client.post('/mcp', purchase));
      }
    };
    await Promise.all(Array.from({ length: MANY }, buyer));
  }
}

/** `McpAgent.serve()`: a session, and with it an object, for each client. */
export class FrameworkContestant extends Contestant {
  static async start(): Promise<FrameworkContestant> {
    const script = await bundle('test/proof/bench/framework.ts');
    const object = { binding: 'MCP_OBJECT', className: 'FrameworkShop' };
    return new FrameworkContestant(await BenchServer.start({ script, objects: [object], kv: ['ORDERS', 'OAUTH_KV'] }));
  }

  /** A new user's token. */
  async token(): Promise<string> {
    const human = this.server.person('anybody@example.com');
    return (await this.server.deputyOf(human, '2025-11-25')).accessToken;
  }

  /** Opens a session and returns how to call a tool in it. */
  async session(token: string): Promise<(name: string, args?: Record<string, unknown>) => Message> {
    let sessionId = '';
    for (const message of connecting('2025-11-25', token)) {
      const { status, sessionId: given } = await this.client.post('/mcp', inSession(message, sessionId));
      if (status >= 300) throw new Error(`the framework's server refused to connect: HTTP ${status}`);
      sessionId ||= given ?? '';
    }
    return (name, args) => inSession(toolCall('2025-11-25', token, name, args), sessionId);
  }
}

function inSession(message: Message, sessionId: string): Message {
  return sessionId ? { ...message, headers: { ...message.headers, 'mcp-session-id': sessionId } } : message;
}

/** What the floor's requests say who they are by; its KV holds a record of the size of a token's for each. */
export const FLOOR_TOKEN = 'somebody';

async function startFloor(): Promise<Contestant> {
  const script = await bundle('test/proof/bench/floor.ts');
  const object = { binding: 'FLOOR', className: 'Floor' };
  const server = await BenchServer.start({ script, objects: [object], kv: ['TOKENS', 'ORDERS'] });
  const tokens = await server.kv('TOKENS');
  for (let index = 0; index < MANY; index += 1)
    await tokens.put(`${FLOOR_TOKEN}-${index}`, JSON.stringify({ grant: 'x'.repeat(700) }));
  return new Contestant(server);
}

export type Contestants = {
  floor: Contestant;
  shop: ShopContestant;
  withoutRecord: ShopContestant;
  framework: FrameworkContestant;
  /** The shop at another commit, when one was named. */
  before?: ShopContestant;
  /** The bundle that `shop` runs, for a profile. */
  script: string;
};

/** `beside` names a commit to measure beside this one. */
export async function startContestants(beside?: string): Promise<Contestants> {
  const script = changed(await bundle('src/index.ts'), UNLIMITED);
  return {
    script,
    floor: await startFloor(),
    shop: await ShopContestant.start(script),
    withoutRecord: await ShopContestant.start(changed(script, WITHOUT_RECORD)),
    framework: await FrameworkContestant.start(),
    ...(beside !== undefined && { before: await ShopContestant.start(changed(await bundleAt(beside), UNLIMITED)) }),
  };
}

/** The floor's requests carry what a tool call carries. */
export function floorCalls(people: People, name: string, args: Record<string, unknown> = {}): Message[] {
  return Array.from({ length: people === 'one user' ? 1 : MANY }, (_, index) =>
    toolCall('2026-07-28', `${FLOOR_TOKEN}-${index}`, name, args),
  );
}
