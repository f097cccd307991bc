/** The people and agents of `pnpm demo`: what each does, checked as it happens and told as a step. */
import { z } from 'zod';
import { formatPrice } from '../shop/catalog.ts';
import { type Order, orderSchema } from '../shop/order.ts';
import { type Fetch, hiddenFields, textOf } from '../dev/browser.ts';
import { Deputy, type Era, Person, type ToolResult } from '../dev/clients.ts';
import type { Step } from './stage.ts';

const overSocket: Fetch = (input, init) => fetch(input, init);

/** Ada and her two deputies, and Bob with his two. */
export class Cast {
  /** The blanks that Ada fills in, so that the limits come up soon. */
  static readonly BLANKS = { shirtsPerOrder: '2', shirtsPerDay: '6', spendPerDay: '150', askAbove: '', until: 'day' };

  readonly #origin: string;
  readonly #fetch: Fetch;
  readonly #blanks: Record<string, string>;
  readonly #deputies = new Map<string, Deputy>();
  readonly #people = new Map<string, Person>();

  constructor(origin: string, fetch = overSocket, blanks: Record<string, string> = Cast.BLANKS) {
    this.#origin = origin;
    this.#fetch = fetch;
    this.#blanks = blanks;
  }

  /** Lets a human appoint a client as their deputy, through the real sign-in and consent pages. */
  async appoint(name: string, email: string, era: Era, blanks = this.#blanks): Promise<Step> {
    const human = this.#people.get(email) ?? new Person(email, this.#origin, this.#fetch);
    human.blanks = blanks;
    this.#people.set(email, human);
    const alreadyIn = human.signIns > 0;
    const start = performance.now();
    this.#deputies.set(name, await Deputy.connect(era, human, this.#origin, this.#fetch, `${name} agent`));
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

  /** Presses a button on the page of one's deputies, as the human, and checks what the page says then. */
  async press(email: string, path: string, button: string, expected: RegExp): Promise<Step> {
    const human = this.#human(email);
    const start = performance.now();
    const page = await human.browser.press(await human.browser.open(path), button);
    const milliseconds = performance.now() - start;
    const [sentence] = expected.exec(textOf(page)) ?? [];
    if (sentence === undefined) throw new Error(`after "${button}" the page says: ${textOf(page)}`);
    return { who: email.split('@')[0] ?? email, does: `presses "${button}"`, result: sentence, milliseconds };
  }

  /** Answers the question that waits, as its human: on its own page, which the console leads to. */
  async answer(email: string, button: 'Approve' | 'Deny', expected: RegExp): Promise<Step> {
    return this.press(email, await this.#questionOf(email), button, expected);
  }

  /** Sends the Approve of the question that waits, as a program in the human's browser could; the page must refuse it. */
  async forge(email: string, expected: RegExp): Promise<Step> {
    const human = this.#human(email);
    const path = await this.#questionOf(email);
    const fields = hiddenFields(await human.browser.open(path));
    const start = performance.now();
    const page = await human.browser.post(path, { ...fields, decision: 'approve' });
    const milliseconds = performance.now() - start;
    const [sentence] = expected.exec(textOf(page)) ?? [];
    if (sentence === undefined) throw new Error(`after a forged yes the page says: ${textOf(page)}`);
    return { who: 'a script', does: 'sends what "Approve" sends', result: sentence, milliseconds };
  }

  async #questionOf(email: string): Promise<string> {
    const { html } = await this.#human(email).browser.open('/deputies');
    const [path] = /\/deputies\/approvals\/[\w-]+/.exec(html) ?? [];
    if (path === undefined) throw new Error(`nothing waits for ${email}`);
    return path;
  }

  /** The page of the deputy that goes by that name. */
  async pageOf(email: string, name: string): Promise<string> {
    const { html } = await this.#human(email).browser.open('/deputies');
    for (const [, path = ''] of html.matchAll(/href="(\/deputies\/dep_[^"]+)"/g)) {
      if (textOf(await this.#human(email).browser.open(path)).includes(`${name} agent`)) return path;
    }
    throw new Error(`${email} has no deputy ${name}`);
  }

  /** Calls with the token that the deputy holds, without letting it sign in again. */
  async knock(name: string, tool: string, expected: number): Promise<Step> {
    const start = performance.now();
    const response = await this.#fetch(new URL('/mcp', this.#origin), {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${this.#deputy(name).accessToken}`,
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: {} } }),
    });
    const milliseconds = performance.now() - start;
    await response.body?.cancel();
    if (response.status !== expected) throw new Error(`${name}: ${tool} answered HTTP ${response.status}`);
    // The ledger answers at first, and the OAuth provider once it has removed the grant.
    return { who: name, does: tool, result: `REFUSED: HTTP ${response.status}, sign in again.`, milliseconds };
  }

  /** Follows a link of the console, and checks what it says. */
  async read(email: string, path: string, expected: RegExp): Promise<Step> {
    const start = performance.now();
    const page = await this.#human(email).browser.open(path);
    const milliseconds = performance.now() - start;
    const [sentence] = expected.exec(textOf(page)) ?? [];
    if (sentence === undefined) throw new Error(`${path} says: ${textOf(page)}`);
    return { who: email.split('@')[0] ?? email, does: `opens ${path}`, result: sentence, milliseconds };
  }

  async orderIds(name: string): Promise<string[]> {
    return ordersIn(await this.#deputy(name).call('listMcpShopOrders')).map(({ id }) => id);
  }

  async leave(): Promise<void> {
    await Promise.all([...this.#deputies.values()].map((deputy) => deputy.close()));
  }

  #human(email: string): Person {
    const human = this.#people.get(email);
    if (!human) throw new Error(`${email} has not signed in yet`);
    return human;
  }

  #deputy(name: string): Deputy {
    const deputy = this.#deputies.get(name);
    if (!deputy) throw new Error(`nobody has appointed ${name} yet`);
    return deputy;
  }
}

export function ordersIn({ data }: ToolResult): Order[] {
  return z.array(orderSchema).parse(data['orders'] ?? []);
}

/** What a tool answered, short enough for a stage. */
function summaryOf(answer: ToolResult): string {
  // An address is longer than a line of the stage, and is opened on the console.
  if (answer.isError) return `REFUSED: ${answer.text.replace(/^https?:\S+ is where your human answers\. /, '')}`;
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
