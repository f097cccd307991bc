/**
 * `pnpm demo`: the whole story in a terminal, with a Worker of its own, real MCP clients of both protocol eras and
 * nobody's account. Exits 0 when everything it says was seen to be true, 1 when a step failed, 2 for a wrong option.
 */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { RefusalCode } from '../authority/refusal.ts';
import { Cast, ordersIn } from './cast.ts';
import type { ToolResult } from '../dev/clients.ts';
import { DevServer } from '../dev/dev-server.ts';
import { type LiveOptions, playLive, readLive } from './live.ts';
import { reset } from './reset.ts';
import { messageOf, type Scene, Stage } from './stage.ts';

const USAGE = `Usage: pnpm demo [--auto] [--scene N]
       pnpm demo --live [--as EMAIL] [--url ORIGIN] [--minutes N] [--every SECONDS]
       pnpm demo --reset [--as EMAIL] [--url ORIGIN]

  --auto      go on by itself after four seconds, instead of waiting for Enter
  --scene N   start at scene N; the ones before it are played unseen
  --live      let two agents shop at a running \`pnpm dev\`, for you to stop
  --reset     between two talks: empty that human's pages there, and lift their stop
  --as        whose agents or pages they are; ada@example.com when left out
  --url       where it runs; http://localhost:8787 when left out
  --minutes   when they stop by themselves; 15 when left out, 50 at most
  --every     seconds between two calls; 3 when left out`;

const SHIRT = { company: 'Analytical Engines Ltd', mailingAddress: '12 St James’s Square, London', tshirtSize: 'L' };
const ADA = 'ada@example.com';
const BANNED = 'ABSOLUTELY NOT. GO AWAY 👋';

const done = ({ isError }: ToolResult) => !isError;
const orders = (count: number) => (answer: ToolResult) => done(answer) && ordersIn(answer).length === count;
const refused =
  (code: RefusalCode) =>
  ({ isError, data }: ToolResult) =>
    isError && z.object({ code: z.literal(code) }).safeParse(data['error']).success;
const refusedByBan = refused('demo_banned');

function story(cast: Cast): Scene[] {
  return [
    {
      title: 'Ada appoints two deputies, Bob appoints one',
      narration: 'An agent is no user of its own. A human allows it, on a page of this server.',
      async play(show) {
        show(await cast.appoint('laptop', ADA, '2025-11-25'));
        show(await cast.appoint('phone', ADA, '2026-07-28'));
        show(await cast.appoint('bob', 'bob@example.com', '2026-07-28', { askAbove: '3' }));
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
    {
      title: 'A limit is a limit',
      narration:
        'Ada wrote 2 shirts an order into the blanks. The refusal says which rule it was, and who can lift it.',
      async play(show) {
        show(await cast.call('laptop', 'buyMcpShopItem', { ...SHIRT, quantity: 50 }, refused('act_limit')));
        show(await cast.call('laptop', 'getMyMandate', {}, done));
      },
    },
    {
      title: 'Ask me first',
      narration:
        'Bob wrote that above 3 shirts it must ask. His agent waits; Bob reads exactly that order on his own page, and answers there.',
      async play(show) {
        const four = { ...SHIRT, company: 'Bob & Sons', color: 'blue', quantity: 4 };
        show(await cast.call('bob', 'buyMcpShopItem', four, refused('approval_required')));
        show(await cast.answer('bob@example.com', 'Approve', /You said yes: it is order \d+\./));
        show(await cast.call('bob', 'buyMcpShopItem', four, done));
        const more = { ...four, color: 'white' };
        show(await cast.call('bob', 'buyMcpShopItem', more, refused('approval_required')));
        show(await cast.answer('bob@example.com', 'Deny', /You said no to order \d+ of bob agent/));
        show(await cast.call('bob', 'buyMcpShopItem', more, refused('approval_denied')));
      },
    },
    {
      title: 'A script is no finger',
      narration:
        'Bob’s second agent needs his device for a yes. A script in his browser has his session and every button, and gets nothing.',
      async play(show) {
        const four = { ...SHIRT, company: 'Bob & Sons', color: 'black', quantity: 4 };
        show(await cast.appoint('desk', 'bob@example.com', '2025-11-25', { askAbove: '3', approval: 'device' }));
        show(await cast.call('desk', 'buyMcpShopItem', four, refused('approval_required')));
        show(await cast.forge('bob@example.com', /Nothing was changed\. This needs a surer yes\./));
        show(await cast.call('desk', 'buyMcpShopItem', four, refused('approval_required')));
      },
    },
    {
      title: 'The red button',
      narration: 'Ada pauses, on her own page. Not even pretty please lifts what a human has set.',
      async play(show) {
        show(await cast.press(ADA, '/deputies', 'Stop all', /\d+ ms and it held Order \d+ was the last/));
        show(await cast.call('laptop', 'buyMcpShopItem', SHIRT, refused('paused')));
        show(await cast.call('phone', 'prettyPlease', {}, refused('paused')));
        show(await cast.call('bob', 'listMcpShopInventory', {}, done));
        show(await cast.press(ADA, '/deputies/resume', 'Let these go on', /You let your deputies go on/));
        show(await cast.call('phone', 'listMcpShopOrders', {}, orders(3)));
      },
    },
    {
      title: 'Dismissed',
      narration: 'Ada dismisses the laptop. Its token is worth nothing at the very next call; the phone goes on.',
      async play(show) {
        const page = await cast.pageOf(ADA, 'laptop');
        show(await cast.press(ADA, page, 'Dismiss for good', /You dismissed laptop agent/));
        show(await cast.knock('laptop', 'listMcpShopOrders', 401));
        show(await cast.call('phone', 'listMcpShopOrders', {}, orders(3)));
      },
    },
    {
      title: 'Who did that?',
      narration: 'Every call and every decision is a line, chained to the one before, and replays to what is stored.',
      async play(show) {
        show(await cast.read(ADA, '/deputies/verify', /The record holds together: \d+ lines/));
      },
    },
  ];
}

const PROVEN = [
  'Clients of two MCP generations signed in through the real pages.',
  'Each deputy acted for the human who allowed it, and nobody else.',
  'A ban set by one client stopped the other at its very next call.',
  'It was lifted for both at once; another human never noticed.',
  'No order went beyond what the human had written into the mandate.',
  'What Bob was asked about waited for his own yes, and his no held.',
  'Where his device must say yes, a script in his browser could not.',
  'A pause stopped every deputy at its next call; Ada alone lifted it.',
  'A dismissed deputy got 401 at its very next call.',
  'The record of it all holds together, and replays to what is stored.',
];

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === 'number') return options;
  if ('live' in options) return playLive(new Stage({ auto: true }), options.live);
  if ('reset' in options) return reset(new Stage({ auto: true }), options.reset);
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

type Options = { auto: boolean; scene: number } | { live: LiveOptions } | { reset: LiveOptions };

function readOptions(): Options | number {
  try {
    const { values } = parseArgs({
      options: {
        auto: { type: 'boolean' },
        scene: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        live: { type: 'boolean' },
        reset: { type: 'boolean' },
        as: { type: 'string' },
        url: { type: 'string' },
        minutes: { type: 'string' },
        every: { type: 'string' },
      },
    });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    const { live, reset: empty, auto, scene, help: _, ...others } = values;
    if (live && empty) throw new Error('--live and --reset are two commands');
    if (live || empty) {
      if (auto || scene !== undefined) throw new Error(`--${live ? 'live' : 'reset'} has no scenes`);
      if (empty && (others.minutes ?? others.every) !== undefined)
        throw new Error('--reset takes --as and --url alone');
      return live ? { live: readLive(others) } : { reset: readLive(others) };
    }
    const [other] = Object.keys(others);
    if (other !== undefined) throw new Error(`--${other} goes with --live`);
    const scenes = story(new Cast('')).length;
    const first = Number(scene ?? 1);
    if (!Number.isInteger(first) || first < 1 || first > scenes)
      throw new Error(`--scene takes a number from 1 to ${scenes}`);
    return { auto: auto ?? false, scene: first };
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${USAGE}`);
    return 2;
  }
}

// The server's guard ends with this process, so leaving at once leaves nothing behind.
process.stdout.once('error', () => process.exit(1));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
process.exit(await main());
