/** `pnpm demo --live`: agents that its human can stop, and that never ask to be let in again. */
import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { textOf } from '../../src/dev/browser.ts';
import { Person } from '../../src/dev/clients.ts';
import { DevServer, freePort } from '../../src/dev/dev-server.ts';
import { startDemo } from '../support/real-clients.ts';

let server: DevServer;
beforeAll(async () => {
  server = await DevServer.start();
});
afterAll(() => server.stop());

/** Somebody who has signed in at the page of their deputies. */
async function presenter(email: string): Promise<Person> {
  const person = new Person(email, server.origin, (input, init) => fetch(input, init));
  await person.walk('/deputies');
  return person;
}

async function press({ browser }: Person, path: string, button: string): Promise<void> {
  await browser.press(await browser.open(path), button);
}

/** How often that human has appointed anybody. */
async function appointments({ browser }: Person): Promise<number> {
  const { html: record } = await browser.open('/deputies/record.jsonl');
  return record.split('"act":"appointed"').length - 1;
}

async function pagesOf({ browser }: Person): Promise<Map<string, string>> {
  const { html } = await browser.open('/deputies');
  const paths = new Set([...html.matchAll(/href="(\/deputies\/dep_[^"#?]+)"/g)].map(([, path = '']) => path));
  const pages = new Map<string, string>();
  for (const path of paths) {
    const [name] = /laptop agent|phone agent/.exec(textOf(await browser.open(path))) ?? [];
    if (name) pages.set(name, path);
  }
  return pages;
}

test('its human pauses, resumes and dismisses both agents, and then it ends', async () => {
  const email = 'presenter@example.com';
  const live = startDemo('--live', '--url', server.origin, '--as', email, '--every', '0.2');
  await live.prints(/Ordered 1 blue shirt/);
  expect(live.output()).toContain(`Open ${server.origin}/deputies and sign in as ${email}.`);
  expect(live.output()).toContain('and presses Allow (scripted).');
  await live.prints(/REFUSED: 50 shirts are more than your human allows/);
  const human = await presenter(email);

  await press(human, '/deputies', 'Stop all');
  await live.prints(/laptop .*\n +REFUSED: Your human has paused[^]*phone .*\n +REFUSED: Your human has paused/);

  await press(human, '/deputies/resume', 'Let these go on');
  await live.prints(/\n +MCP Shop T-shirt, \$25\.00/);

  const pages = await pagesOf(human);
  expect([...pages.keys()].toSorted()).toEqual(['laptop agent', 'phone agent']);
  await press(human, pages.get('laptop agent') ?? '', 'Dismiss for good');
  await live.prints(/laptop .*\n +REFUSED: HTTP 401: no longer a deputy/);
  await live.prints(/phone /);
  await press(human, pages.get('phone agent') ?? '', 'Dismiss for good');
  await live.prints(/phone .*\n +REFUSED: HTTP 401: no longer a deputy/);

  expect(await live.ended, live.output()).toBe(0);
  // Each tries three times, so that its human sees it on the page, and then it gives up.
  expect(live.output().match(/HTTP 401: no longer a deputy/g)).toHaveLength(6);
  expect(live.output().match(/no longer a deputy. It gives up\./g)).toHaveLength(2);
  expect(live.output()).toContain('Every agent is dismissed.');
  expect(await appointments(human)).toBe(2);
});

test('a power that its human takes away is refused, and not asked for again', async () => {
  const email = 'narrower@example.com';
  const live = startDemo('--live', '--url', server.origin, '--as', email, '--every', '0.2');
  await live.prints(/presses Allow \(scripted\)[^]*presses Allow \(scripted\)/);
  const human = await presenter(email);
  for (const path of (await pagesOf(human)).values()) {
    await human.browser.press(await human.browser.open(path), 'Sign the new terms', { scope: ['orders:read'] });
  }
  await live.prints(/laptop +buyMcpShopItem.*\n +REFUSED: HTTP 403[^]*phone +buyMcpShopItem.*\n +REFUSED: HTTP 403/);
  await live.prints(/REFUSED: HTTP 403/);
  live.child.kill('SIGINT');
  expect(await live.ended, live.output()).toBe(0);
  expect(live.output()).toContain('Stopped.');
  expect(await appointments(human)).toBe(2);
});

test('between two talks --reset empties the pages of that human, lifts their stop, and leaves room for the next', async () => {
  const email = 'twice@example.com';
  const live = startDemo('--live', '--url', server.origin, '--as', email, '--every', '0.1');
  await live.prints(/Ordered 1 blue shirt/);
  const human = await presenter(email);
  await human.browser.submit(await human.browser.open('/deputies'), '/deputies/pause');
  await live.prints(/REFUSED: Your human has paused/);
  live.child.kill('SIGINT');
  await live.ended;
  const other = await presenter('untouched@example.com');

  const reset = startDemo('--reset', '--url', server.origin, '--as', email);
  expect(await reset.ended, reset.output()).toBe(0);
  expect(reset.output()).toContain('The stop is lifted.');
  const { html: record } = await human.browser.open('/deputies/record.jsonl');
  expect(record).not.toContain('"act":"appointed"');
  expect(record).toMatch(/"act":"erased"[^]*"act":"resumed"[^]*"shirtsPerDay":200/);
  expect((await other.browser.open('/deputies/record.jsonl')).html).not.toContain('"act":"erased"');
  const next = startDemo('--live', '--url', server.origin, '--as', email, '--every', '0.1');
  await next.prints(/Ordered 1 blue shirt/);
  next.child.kill('SIGINT');
  await next.ended;
});

test('it stops by itself when its time is up', async () => {
  const live = startDemo('--live', '--url', server.origin, '--as', 'short@example.com', '--minutes', '0.02');
  expect(await live.ended, live.output()).toBe(0);
  expect(live.output()).toContain('The time is up.');
});

test('it says when nothing answers at the address', async () => {
  const origin = `http://localhost:${await freePort()}`;
  const live = startDemo('--live', '--url', origin);
  expect(await live.ended).toBe(1);
  expect(live.output()).toContain(`Nothing answers at ${origin}. Start \`npx -y pnpm dev\` in another terminal.`);
});

test('it says when the server there has no local AuthKit', async () => {
  const other = createServer((_, response) => response.end('<h1>Hello</h1>'));
  const port = await freePort();
  await new Promise<void>((done) => other.listen(port, '127.0.0.1', done));
  const live = startDemo('--live', '--url', `http://127.0.0.1:${port}`);
  expect(await live.ended).toBe(1);
  expect(live.output()).toContain('does not sign people in with the local AuthKit');
  other.close();
});

test.each([
  [['--live', '--as', 'ada'], '--as takes an e-mail address'],
  [['--live', '--url', 'localhost:8787'], '--url takes an address'],
  [['--live', '--minutes', '0'], '--minutes takes a number'],
  [['--live', '--minutes', '90'], '--minutes takes a number'],
  [['--live', '--every', 'often'], '--every takes a number'],
  [['--live', '--scene', '2'], '--live has no scenes'],
  [['--live', '--auto'], '--live has no scenes'],
  [['--as', 'ada@example.com'], '--as goes with --live'],
  [['--reset', '--live'], '--live and --reset are two commands'],
  [['--reset', '--auto'], '--reset has no scenes'],
  [['--reset', '--minutes', '3'], '--reset takes --as and --url alone'],
])('a wrong option %s is answered with the usage', async (args, problem) => {
  const live = startDemo(...args);
  expect(await live.ended).toBe(2);
  expect(live.output()).toContain(problem);
  expect(live.output()).toContain('Usage: pnpm demo');
});
