/**
 * `pnpm demo`: the whole story in a terminal, with a Worker of its own, real MCP clients of both protocol eras and
 * nobody's account. Exits 0 when everything it says was seen to be true, 1 when a step failed, 2 for a wrong option.
 */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { formatPrice } from '../shop/catalog.ts';
import { type Order, orderSchema } from '../shop/orders.ts';
import type { Fetch } from './browser.ts';
import { Deputy, type Era, Person, type ToolResult } from './clients.ts';
import { DevServer } from './dev-server.ts';
import { messageOf, type Scene, Stage, type Step } from './stage.ts';

const USAGE = `Usage: pnpm demo [--auto] [--scene N]

  --auto      go on by itself after four seconds, instead of waiting for Enter
  --scene N   start at scene N; the ones before it are played unseen`;

const SHIRT = { company: 'Analytical Engines Ltd', mailingAddress: '12 St James’s Square, London', tshirtSize: 'L' };
const BANNED = 'ABSOLUTELY NOT. GO AWAY 👋';
const overSocket: Fetch = (input, init) => fetch(input, init);

/** Ada and her two deputies, and Bob with his one. */
class Cast {
  readonly #origin: string;
  readonly #deputies = new Map<string, Deputy>();
  readonly #people = new Map<string, Person>();

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** Lets a human appoint a client as their deputy, through the real sign-in and consent pages. */
  async appoint(name: string, email: string, era: Era): Promise<Step> {
    const human = this.#people.get(email) ?? new Person(email, this.#origin, overSocket);
    this.#people.set(email, human);
    const alreadyIn = human.signIns > 0;
    const start = performance.now();
    this.#deputies.set(name, await Deputy.connect(era, human, this.#origin, overSocket, `${name} agent`));
    const milliseconds = performance.now() - start;
    const way = alreadyIn ? 'is signed in already, reads the consent page' : 'signs in, reads the consent page';
    return { who: name, does: `connects with MCP ${era}`, result: `${email} ${way} and presses Allow.`, milliseconds };
  }

  /** Calls a tool, checks the answer, and tells it as a step. */
  async call(
    name: string,
    tool: string,
    args: Record<string, unknown>,
    expected: (answer: ToolResult) => boolean,
  ): Promise<Step> {
    const start = performance.now();
    const answer = await this.#deputy(name).call(tool, args);
    const milliseconds = performance.now() - start;
    if (!expected(answer)) throw new Error(`${name}: ${tool} answered something else: ${answer.text}`);
    return { who: name, does: tool, result: summaryOf(answer), milliseconds };
  }

  async orderIds(name: string): Promise<string[]> {
    return ordersIn(await this.#deputy(name).call('listMcpShopOrders')).map(({ id }) => id);
  }

  async leave(): Promise<void> {
    await Promise.all([...this.#deputies.values()].map((deputy) => deputy.close()));
  }

  #deputy(name: string): Deputy {
    const deputy = this.#deputies.get(name);
    if (!deputy) throw new Error(`nobody has appointed ${name} yet`);
    return deputy;
  }
}

function ordersIn({ data }: ToolResult): Order[] {
  return z.array(orderSchema).parse(data['orders'] ?? []);
}

/** What a tool answered, short enough for a stage. */
function summaryOf(answer: ToolResult): string {
  if (answer.isError) return `REFUSED: ${answer.text}`;
  const { message, orders } = answer.data;
  if (typeof message === 'string') return message;
  if (!orders) return answer.text.split(' Sizes')[0] ?? '';
  const list = ordersIn(answer).map(
    ({ quantity, color, tshirtSize, total }) => `${quantity} ${color} ${tshirtSize} ${formatPrice(total)}`,
  );
  return list.length > 0
    ? `${list.length} ${list.length === 1 ? 'order' : 'orders'}: ${list.join(', ')}.`
    : 'No orders.';
}

const done = ({ isError }: ToolResult) => !isError;
const orders = (count: number) => (answer: ToolResult) => done(answer) && ordersIn(answer).length === count;
const refusedByBan = ({ isError, data }: ToolResult) =>
  isError && z.object({ code: z.literal('demo_banned') }).safeParse(data['error']).success;

function story(cast: Cast): Scene[] {
  return [
    {
      title: 'Ada appoints two deputies, Bob appoints one',
      narration: 'An agent is no user of its own. A human allows it, on a page of this server.',
      async play(show) {
        show(await cast.appoint('laptop', 'ada@example.com', '2025-11-25'));
        show(await cast.appoint('phone', 'ada@example.com', '2026-07-28'));
        show(await cast.appoint('bob', 'bob@example.com', '2026-07-28'));
      },
    },
    {
      title: 'Browse and buy',
      narration: 'Two generations of MCP clients, one address, the same tools.',
      async play(show) {
        show(await cast.call('laptop', 'listMcpShopInventory', {}, done));
        show(await cast.call('laptop', 'buyMcpShopItem', { ...SHIRT, color: 'blue', quantity: 2 }, done));
        show(await cast.call('phone', 'buyMcpShopItem', SHIRT, done));
      },
    },
    {
      title: 'Both deputies see the same orders',
      narration: "The orders belong to Ada, not to a session. Bob's deputy sees none of them.",
      async play(show) {
        for (const name of ['laptop', 'phone']) {
          show(await cast.call(name, 'listMcpShopOrders', {}, orders(2)));
        }
        const [laptop, phone] = [await cast.orderIds('laptop'), await cast.orderIds('phone')];
        if (laptop.join() !== phone.join()) throw new Error('the two deputies see different orders');
        show(await cast.call('bob', 'listMcpShopOrders', {}, orders(0)));
      },
    },
    {
      title: 'A ban from one deputy stops the other',
      narration: 'The laptop switches the demo ban on. The phone, another client with another token, is refused.',
      async play(show) {
        show(await cast.call('laptop', 'setDemoMode', { mode: 'banned' }, done));
        show(
          await cast.call('phone', 'buyMcpShopItem', SHIRT, (answer) => answer.text === BANNED && refusedByBan(answer)),
        );
        show(await cast.call('phone', 'listMcpShopInventory', {}, refusedByBan));
        show(await cast.call('phone', 'listMcpShopOrders', {}, orders(2)));
      },
    },
    {
      title: 'Bob is not touched',
      narration: 'Every human has an object of their own. What happens to Ada stays with Ada.',
      async play(show) {
        show(await cast.call('bob', 'buyMcpShopItem', { ...SHIRT, company: 'Bob & Sons' }, done));
      },
    },
    {
      title: 'Pretty please',
      narration: 'The demo ban is the deputy’s to lift, by asking nicely. What a human sets is not.',
      async play(show) {
        show(await cast.call('phone', 'prettyPlease', {}, done));
        show(await cast.call('laptop', 'buyMcpShopItem', { ...SHIRT, tshirtSize: 'S' }, done));
        show(await cast.call('phone', 'listMcpShopOrders', {}, orders(3)));
      },
    },
  ];
}

const PROVEN = [
  'Clients of two MCP generations signed in through the real pages.',
  'Each deputy acted for the human who allowed it, and nobody else.',
  'A ban set by one client stopped the other at its very next call.',
  'It was lifted for both at once; another human never noticed.',
];

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === 'number') return options;
  const stage = new Stage(options);
  stage.line('MCP Shop on Cloudflare: deputies, not users', 'bold');
  stage.line('Starting a shop with its own local AuthKit ...', 'dim');
  let server: DevServer | undefined;
  try {
    server = await DevServer.start();
    stage.line(`It runs at ${server.origin}`, 'dim');
    const cast = new Cast(server.origin);
    await stage.play(story(cast), options.scene);
    await cast.leave();
  } catch (error) {
    stage.line();
    stage.line(`FAILED: ${messageOf(error)}`, ['red', 'bold']);
    return 1;
  } finally {
    await server?.stop();
  }
  stage.line();
  stage.line('Proven', 'bold');
  for (const sentence of PROVEN) stage.line(`  ✓ ${sentence}`, 'green');
  stage.line();
  stage.line('Your turn: `npx -y pnpm dev`, and `npx -y pnpm inspect` beside it.', 'dim');
  return 0;
}

function readOptions(): { auto: boolean; scene: number } | number {
  try {
    const { values } = parseArgs({
      options: { auto: { type: 'boolean' }, scene: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    const scenes = story(new Cast('')).length;
    const scene = Number(values.scene ?? 1);
    if (!Number.isInteger(scene) || scene < 1 || scene > scenes)
      throw new Error(`--scene takes a number from 1 to ${scenes}`);
    return { auto: values.auto ?? false, scene };
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${USAGE}`);
    return 2;
  }
}

// The server's guard ends with this process, so leaving at once leaves nothing behind.
process.stdout.once('error', () => process.exit(1));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
process.exit(await main());
