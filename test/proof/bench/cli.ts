/**
 * `pnpm prove bench`: how fast the shop is beside the least that its platform takes, and beside the framework's default.
 * Prints Markdown to the output and what it is doing to the error output. `--rounds`, `--milliseconds` and `--lines` (of the
 * longest record) change how long it takes; `--beside` names a commit to measure in the same run.
 */
import { parseArgs } from 'node:util';
import { ERAS } from '../../../src/dev/clients.ts';
import {
  type Contestants,
  floorCalls,
  MANY,
  type People,
  PURCHASE,
  ShopContestant,
  startContestants,
} from './contestants.ts';
import { growth } from './growth.ts';
import { type Lane, measure, type Measured, ratios } from './measure.ts';
import { packageOf, type Profile, profile, selfTime, sourcesOf } from './profile.ts';
import { connecting, expectSuccess, type RawClient, type Reply, toolCall } from './raw-client.ts';
import { atLeast, atMost, machine, say, sectionTable, spread, table, type Target, targetTable } from './tables.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    milliseconds: { type: 'string' },
    lines: { type: 'string' },
    beside: { type: 'string' },
  },
});
const LINES = Number(values.lines ?? 1_000_000);
const ROUNDS = Number(values.rounds ?? 5);
const MILLISECONDS = Number(values.milliseconds ?? 500);
const CLIENTS = [1, MANY] as const;
const MODERN = '2026-07-28';

function run(lanes: readonly Lane[], clients: number): Promise<Record<string, Measured>> {
  return measure(lanes, { clients, rounds: ROUNDS, milliseconds: MILLISECONDS });
}

function title(text: string, clients: number): string {
  return `${text}, ${clients === 1 ? '1 client' : `${clients} clients`}`;
}

/** A tool on all servers: the floor, both eras, without the record, and the framework's; with one user and with many. */
async function toolLanes(
  { floor, shop, withoutRecord, framework, before }: Contestants,
  people: People,
  { name, args = {}, path = '/mcp' }: { name: string; args?: Record<string, unknown>; path?: string },
): Promise<Lane[]> {
  const lanes = [floor.lane(`floor, ${people}`, floorCalls(people, name, args), expectAnswer, path)];
  for (const era of ERAS) lanes.push(shop.lane(`shop ${era}, ${people}`, await shop.calls(people, era, name, args)));
  if (before)
    for (const era of ERAS)
      lanes.push(before.lane(`before ${era}, ${people}`, await before.calls(people, era, name, args)));
  lanes.push(
    withoutRecord.lane(`without the record, ${people}`, await withoutRecord.calls(people, MODERN, name, args)),
  );
  if (people === 'many users') {
    const token = await framework.token();
    const sessions = await Promise.all(Array.from({ length: MANY }, () => framework.session(token)));
    lanes.push(
      framework.lane(
        'McpAgent.serve(), a session each',
        sessions.map((call) => call(name, args)),
      ),
    );
  }
  return lanes;
}

function expectAnswer({ status, text }: Reply): void {
  if (status !== 200) throw new Error(`the floor answered HTTP ${status}: ${text}`);
}

function expectRefusal({ status, text }: Reply): void {
  if (status !== 200 || !text.includes('"isError":true'))
    throw new Error(`the call was not refused: HTTP ${status} ${text.slice(0, 300)}`);
}

/** Every message of a connection, one after the other. */
function conversation(era: (typeof ERAS)[number], token: string) {
  const messages = connecting(era, token);
  return async (client: RawClient) => {
    for (const message of messages) {
      const { status, text } = await client.post('/mcp', message);
      if (status >= 300) throw new Error(`connecting failed: HTTP ${status} ${text.slice(0, 300)}`);
    }
  };
}

async function connectLanes({ shop, framework, before }: Contestants): Promise<Lane[]> {
  const lanes: Lane[] = [];
  for (const [which, one] of [
    ['shop', shop],
    ['before', before],
  ] as const) {
    for (const era of one ? ERAS : []) {
      const tokens = (await one?.tokens('many users', era)) ?? [];
      const conversations = tokens.map((token) => conversation(era, token));
      if (one) lanes.push(one.connectLane(`${which} ${era}`, conversations));
    }
  }
  const token = await framework.token();
  lanes.push(framework.connectLane('McpAgent.serve()', [() => framework.session(token)]));
  return lanes;
}

const HISTORIES = [10, 50, 100, 1000, 10_000] as const;

async function listLanes({ shop, framework }: Contestants): Promise<Lane[]> {
  const list = async (orders: number, limit: number) => {
    const token = await shop.token(`history-${orders}`, MODERN);
    return shop.lane(`${limit} of ${orders} orders`, [toolCall(MODERN, token, 'listMcpShopOrders', { limit })]);
  };
  const lanes = [
    await list(10, 10),
    await list(100, 100),
    await list(1000, 100),
    await list(50, 50),
    await list(10_000, 50),
  ];
  for (const orders of [10, 100]) {
    const call = await framework.session(await framework.token());
    for (let bought = 0; bought < orders; bought += 1)
      expectSuccess(await framework.client.post('/mcp', call('buyMcpShopItem', PURCHASE)));
    lanes.push(framework.lane(`McpAgent.serve(), all of ${orders} orders`, [call('listMcpShopOrders')]));
  }
  return lanes;
}

/** Where the time of a call goes, by package and for our own files by folder. */
async function profiled(script: string, name: string, args = {}): Promise<string> {
  const shop = await ShopContestant.start(script, true);
  try {
    const lane = shop.lane(name, await shop.calls('one user', MODERN, name, args));
    const plan = { clients: 8, rounds: 1, milliseconds: 3000 };
    // Once without being looked at, so that what is compiled is compiled.
    await measure([lane], plan);
    const taken = await profile(await shop.server.inspector(), () => measure([lane], plan));
    return profileTable(`${name}, ${MODERN}`, taken, script);
  } finally {
    await shop.stop();
  }
}

function profileTable(heading: string, taken: Profile, script: string): string {
  const sourceOf = sourcesOf(script);
  const shares = selfTime(taken, ({ url, functionName, lineNumber }) =>
    url ? packageOf(sourceOf(lineNumber)) : native(functionName),
  ).filter(({ where }) => where !== '(idle)');
  const total = shares.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const percent = (milliseconds: number) => `${((100 * milliseconds) / total).toFixed(1)} %`;
  const large = shares.filter(({ milliseconds }) => milliseconds / total >= 0.01);
  const rest = shares.slice(large.length).reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return table(
    [heading, 'share of the busy time'],
    [
      ...large.map(({ where, milliseconds }) => [where, percent(milliseconds)]),
      ['everything below 1 %', percent(rest)],
    ],
  );
}

/** What workerd itself does; SQLite is told apart, because it is the record. */
function native(name: string): string {
  if (name === '(idle)' || name === '(garbage collector)') return name;
  return ['exec', 'next', 'toArray', 'one', 'transactionSync', 'raw'].includes(name) ? 'SQLite in workerd' : 'workerd';
}

function ratio(measured: Record<string, Measured>, one: string, other: string): number[] {
  return ratios(measured[one]?.perSecond ?? [], measured[other]?.perSecond ?? []);
}

function timeRatio(measured: Record<string, Measured>, one: string, other: string): number[] {
  return ratios(measured[one]?.milliseconds ?? [], measured[other]?.milliseconds ?? []);
}

async function main(): Promise<void> {
  const started = performance.now();
  say('Bundling and starting the floor, the shop, the shop without its record, and McpAgent.serve() …');
  const all = await startContestants(values.beside);
  const { floor, shop, withoutRecord, framework, before } = all;
  try {
    const parts: string[] = [machine(shop.server.pid)];
    const targets: Target[] = [];
    for (const [heading, call, wanted, ahead] of [
      ['Inventory', { name: 'listMcpShopInventory' }, 0.85, 2],
      ['Purchase', { name: 'buyMcpShopItem', args: PURCHASE, path: '/put' }, 0.7, 1.2],
    ] as const) {
      parts.push(`### ${heading}`);
      for (const people of ['one user', 'many users'] as const) {
        const lanes = await toolLanes(all, people, call);
        for (const clients of CLIENTS) {
          if (people === 'many users' && clients === 1) continue;
          say(title(`${heading}, ${people}`, clients));
          const measured = await run(lanes, clients);
          parts.push(sectionTable({ title: title(heading, clients), compareWith: `floor, ${people}`, measured }));
          if (clients !== MANY) continue;
          for (const era of ERAS) {
            const one = `shop ${era}, ${people}`;
            targets.push(
              atLeast(`${heading}, ${era}, ${people} ÷ floor`, wanted, ratio(measured, one, `floor, ${people}`)),
            );
            if (people !== 'many users') continue;
            const against = 'McpAgent.serve(), a session each';
            targets.push(atLeast(`${heading}, ${era} ÷ ${against}`, ahead, ratio(measured, one, against)));
          }
        }
      }
    }

    parts.push('### A refused call');
    const refusals: Lane[] = [];
    for (const era of ERAS) {
      const calls = await shop.calls('one user', era, 'buyMcpShopItem', { ...PURCHASE, quantity: 99 });
      refusals.push(shop.lane(`shop ${era}`, calls, expectRefusal));
    }
    refusals.unshift(floor.lane('floor', floorCalls('one user', 'buyMcpShopItem', PURCHASE), expectAnswer));
    for (const clients of CLIENTS) {
      say(title('Refused call', clients));
      const measured = await run(refusals, clients);
      parts.push(sectionTable({ title: title('Refused purchase', clients), compareWith: 'floor', measured }));
      if (clients !== MANY) continue;
      for (const era of ERAS)
        targets.push(atLeast(`A refused call, ${era} ÷ floor`, 0.85, ratio(measured, `shop ${era}`, 'floor')));
    }

    parts.push('### Connecting');
    const connections = await connectLanes(all);
    for (const clients of CLIENTS) {
      say(title('Connecting', clients));
      const measured = await run(connections, clients);
      parts.push(sectionTable({ title: title('Connecting', clients), compareWith: 'McpAgent.serve()', measured }));
      for (const era of before ? ERAS : []) {
        const what = title(`Connecting, ${era} ÷ before`, clients);
        targets.push(atLeast(what, 1, ratio(measured, `shop ${era}`, `before ${era}`)));
      }
    }

    parts.push('### Listing orders');
    for (const orders of HISTORIES) {
      say(`Buying ${orders} shirts`);
      await shop.stock(`history-${orders}`, orders);
    }
    const lists = await listLanes(all);
    for (const clients of CLIENTS) {
      say(title('Listing orders', clients));
      const measured = await run(lists, clients);
      parts.push(sectionTable({ title: title('Orders', clients), compareWith: '10 of 10 orders', measured }));
      const times = clients === 1 ? '1 client' : `${clients} clients`;
      targets.push(
        atMost(
          `Time of 100 orders ÷ 10 orders, ${times}`,
          1.5,
          timeRatio(measured, '100 of 100 orders', '10 of 10 orders'),
        ),
        atMost(
          `Time of 50 of 10,000 ÷ 50 of 50, ${times}`,
          1.1,
          timeRatio(measured, '50 of 10000 orders', '50 of 50 orders'),
        ),
      );
    }

    const peak = (one: { server: { memory(): { peak: number } } }) =>
      `${Math.round(one.server.memory().peak / 2 ** 20)} MiB`;
    parts.push(
      '### Memory',
      table(
        ['workerd with', 'resident memory at its highest'],
        [
          ['the floor', peak(floor)],
          ['the shop', peak(shop)],
          ['the shop without its record', peak(withoutRecord)],
          ['McpAgent.serve()', peak(framework)],
        ],
      ),
    );

    const grown = await growth(all.script, LINES);
    targets.push(...grown.targets);
    parts.push('### Growth', ...grown.tables);

    say('Profiling');
    parts.push(
      '### Where the time of a call goes',
      await profiled(all.script, 'listMcpShopInventory'),
      await profiled(all.script, 'buyMcpShopItem', PURCHASE),
      '### Targets',
      targetTable(targets),
    );
    process.stdout.write(`${parts.join('\n\n')}\n`);
    say(`Took ${spread([(performance.now() - started) / 1000]).split(' ')[0]} seconds.`);
  } finally {
    for (const one of [floor, shop, withoutRecord, framework, before]) await one?.stop();
  }
}

await main();
