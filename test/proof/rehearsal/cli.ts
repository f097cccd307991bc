/**
 * `pnpm prove rehearsal`: the talk of eight minutes, as docs/presenting.md has it, played by itself. Real Chromium, Inspector,
 * mcp-remote and `pnpm demo --live` at a server of its own. Exits 0 when the audience would have seen everything.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { BrowserContext, Page } from 'playwright-core';
import { Deputy, Person } from '../../../src/dev/clients.ts';
import { DevServer, until } from '../../../src/dev/dev-server.ts';
import { inBrowser, plugIn, pressByScript } from '../../support/chromium.ts';
import { saysStopped, signInAt, stopAll } from '../../support/console-page.ts';
import { median } from '../bench/measure.ts';
import {
  appointInspector,
  callOnInspector,
  connectMcpRemote,
  startDemo,
  startInspector,
} from '../../support/real-clients.ts';

const EMAIL = 'ada@example.com';
const HOME = { company: 'Analytical Engines Ltd', mailingAddress: '12 St James’s Square, London' };
const POWERS = ['shop:buy', 'orders:read', 'profile:read'];
const BLANKS = { shirtsPerOrder: '2', shirtsPerDay: '6', spendPerDay: '150', askAbove: '' };

const home = mkdtempSync(join(tmpdir(), 'mcp-shop-rehearsal-'));
const server = await DevServer.start();
const start = performance.now();
let last = start;

/** Says what the audience has seen, and how long the computers took for it. */
function seen(what: string): void {
  const now = performance.now();
  console.log(`${((now - last) / 1000).toFixed(1).padStart(6)} s  ${what}`);
  last = now;
}

function holds(found: boolean, otherwise: string): void {
  if (!found) throw new Error(otherwise);
}

/** Ada in a second browser, who answers what mcp-remote opens. */
const ada = new Person(EMAIL, server.origin, (input, init) => fetch(input, init));

async function textOf(client: Client, name: string, args: Record<string, unknown> = {}): Promise<string> {
  return JSON.stringify((await client.callTool({ name, arguments: args })).content);
}

/** Waits until the record of that human, as they download it, holds a line like that. */
async function recorded(expected: RegExp): Promise<void> {
  const holdsLine = async () => expected.test((await ada.walk('/deputies/record.jsonl')).html);
  await until(holdsLine, () => `no line of the record is like ${expected}`);
}

/** Calls that are timed until their lines are on screen. */
const TIMED_CALLS = 20;

/** Milliseconds from the sending of a call to its answer, and until the window in front has drawn its line. They come at uneven times. */
async function untilOnScreen(window: Page, call: () => Promise<unknown>) {
  const [answered, drawn]: [number[], number[]] = [[], []];
  await window.bringToFront();
  for (let count = 0; count < TIMED_CALLS; count += 1) {
    await new Promise((done) => setTimeout(done, (count * 170) % 1000));
    await window.evaluate(`window.drawnAt = new Promise((done) =>
        new MutationObserver((_, observer) => { observer.disconnect(); requestAnimationFrame(() => done(Date.now())); })
          .observe(document.body, { subtree: true, attributeFilter: ['data-version'] })); undefined`);
    const sent = Date.now();
    await call();
    answered.push(Date.now() - sent);
    drawn.push((await window.evaluate<number>('window.drawnAt')) - sent);
  }
  return { answered: median(answered), drawn: median(drawn), slowest: Math.max(...drawn) };
}

async function rehearse(browser: BrowserContext): Promise<void> {
  const [page, second] = [await browser.newPage(), await browser.newPage()];
  await signInAt(page, server.origin, EMAIL);
  await second.goto(`${server.origin}/deputies`);
  await page.goto(`${server.origin}/deputies/profile`);
  for (const [name, value] of Object.entries(HOME)) await page.locator(`textarea[name=${name}]`).fill(value);
  await page.locator('form[action="/deputies/profile"] button').click();
  await page.waitForURL((url) => url.pathname === '/deputies');
  const inspector = await startInspector(server.origin, home);
  const tool = await browser.newPage();
  try {
    await tool.goto(inspector.address);
    await appointInspector(tool, EMAIL, { powers: POWERS, blanks: BLANKS });
    seen('before: two windows, an address on the profile page, the Inspector signed in');
    await play(browser, page, second, tool);
  } finally {
    inspector.stop();
  }
}

async function play(browser: BrowserContext, page: Page, second: Page, tool: Page): Promise<void> {
  const how = await browser.newPage();
  await how.goto(`${server.origin}/how`);
  const drawn = `document.querySelector('img[src="/how.svg"]').naturalWidth > 0`;
  holds(await how.evaluate<boolean>(drawn), 'there is no drawing at /how');
  await page.reload();
  await page.locator('a[href^="/deputies/dep_"]').first().waitFor();
  seen('minutes 1 and 2: the drawing, and the card of the deputy');

  await callOnInspector(tool, 'getUserProfile');
  await tool.getByText(HOME.company).first().waitFor();
  await callOnInspector(tool, 'buyMcpShopItem', { ...HOME, tshirtSize: 'L' });
  await tool
    .getByText(/Ordered 1 black shirt in L/)
    .first()
    .waitFor();
  await recorded(/"tool":"buyMcpShopItem","decision":"allowed"/);
  for (const window of [page, second])
    await window
      .getByText(/bought/)
      .first()
      .waitFor();
  seen('minute 3: the Inspector ships a shirt to my address; both windows show it');

  const claude = await connectMcpRemote(server.origin, home, async (address) => {
    const consent = await ada.walk(address);
    const { left } = await ada.browser.press(consent, 'Allow', { ...BLANKS, scope: POWERS });
    await (await fetch(left ?? '')).body?.cancel();
  });
  holds((await textOf(claude, 'getUserProfile')).includes(HOME.company), 'mcp-remote did not read the profile');
  holds((await textOf(claude, 'buyMcpShopItem', { ...HOME, tshirtSize: 'M' })).includes('Ordered'), 'no order');
  const line = await untilOnScreen(page, () => claude.callTool({ name: 'getMyMandate', arguments: {} }));
  seen(
    `minute 4: the same as Claude Desktop does it, through mcp-remote; a line is on screen ${line.drawn} ms after its call was sent, which was answered in ${line.answered} (medians of ${TIMED_CALLS} calls; the slowest line ${line.slowest})`,
  );

  const live = startDemo('--live', '--url', server.origin, '--as', EMAIL, '--every', '0.5');
  try {
    await live.prints(/Ordered 1 blue shirt/);
    await live.prints(/REFUSED: 50 shirts are more than your human allows/);
    await recorded(/"asked":\{"shirts":50/);
    seen('minute 5: two agents more, and 50 shirts refused by a rule');

    await stopAll(page);
    const pressed = performance.now();
    await saysStopped(second);
    const follows = performance.now() - pressed;
    await live.prints(/laptop .*\n +REFUSED: Your human has paused/);
    await live.prints(/phone .*\n +REFUSED: Your human has paused/);
    await callOnInspector(tool, 'prettyPlease');
    await tool
      .getByText(/Your human has paused/)
      .first()
      .waitFor();
    holds((await textOf(claude, 'prettyPlease')).includes('paused'), 'mcp-remote was not refused');
    seen(`minute 6: stopped; the second window followed ${follows.toFixed(0)} ms later; no pretty please helps`);

    await ada.browser.submit(await ada.browser.open('/deputies/resume'), '/deputies/resume');
    await live.prints(/\n +MCP Shop T-shirt, \$25\.00/);
    const { html } = await ada.browser.open('/deputies/all');
    for (const [, path = ''] of html.matchAll(/href="(\/deputies\/dep_[^"#?]+)"/g)) {
      const card = await ada.browser.open(path);
      if (/laptop agent|phone agent/.test(card.html) && card.html.includes(`action="${path}/revoke"`))
        await ada.browser.submit(card, `${path}/revoke`);
    }
    await live.prints(/HTTP 401: no longer a deputy/);
    holds((await live.ended) === 0, live.output());
    await recorded(/"act":"revoked"/);
    seen('minute 7: they go on, and two are dismissed for good');
  } finally {
    live.child.kill();
  }

  const dashboard = await browser.newPage();
  const exported = async () => {
    await dashboard.goto(`${server.origin}/local-authkit`);
    return (await dashboard.getByText('deputization.revoked').count()) > 0;
  };
  await until(exported, () => 'the local AuthKit has no audit event of the dismissal');
  holds((await page.goto(`${server.origin}/deputies/verify`))?.status() === 200, 'no verdict');
  await page.getByRole('heading', { name: /^The record holds/ }).waitFor();
  seen('minute 8: what WorkOS was told, and the record holds');
  await claude.close();
  await askFirst(page);

  const reset = startDemo('--reset', '--url', server.origin, '--as', EMAIL);
  holds((await reset.ended) === 0, reset.output());
  holds(!(await ada.browser.open('/deputies/record.jsonl')).html.includes('"appointed"'), 'something was left');
  seen('after: the pages are as on the first day');
}

/** The forty seconds of "Ask me first": the agent asks, the page shows it, a finger, the order; and a script presses for nothing. */
async function askFirst(page: Page): Promise<void> {
  // A device answers the window that is in front.
  await page.bringToFront();
  const { session, authenticatorId } = await plugIn(page);
  await page.goto(`${server.origin}/deputies/passkeys`);
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByText(', counts').first().waitFor();
  ada.blanks = { ...BLANKS, shirtsPerOrder: '5', askAbove: '1' };
  const agent = await Deputy.connect('2026-07-28', ada, server.origin, fetch, 'Claude');
  await page.goto(`${server.origin}/deputies`);
  await page.getByText('Live', { exact: true }).waitFor();
  seen('before "Ask me first": a passkey, and a deputy that must ask above one shirt');

  const begin = performance.now();
  const two = { ...HOME, tshirtSize: 'L', quantity: 2 };
  await agent.call('buyMcpShopItem', two);
  await page.getByText('Claude asks: 2 black shirts').waitFor();
  await page.getByRole('link', { name: 'Look and answer' }).click();
  await page.getByRole('button', { name: 'Approve with your device' }).click();
  await page.getByText(/You said yes: it is order \d+\./).waitFor();
  holds((await agent.call('buyMcpShopItem', two)).data['status'] === 'success', 'the yes brought no order');
  await session.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId });
  const three = { ...two, quantity: 3 };
  const { data } = await agent.call('buyMcpShopItem', three);
  await page.goto((data['error'] as { url: string }).url);
  holds((await pressByScript(page)) === 403, 'a script was taken for a finger');
  holds((await agent.call('buyMcpShopItem', three)).data['status'] !== 'success', 'a script got an order');
  seen(
    `"Ask me first": asked, shown, a finger, the order; a script got nothing. The computers took ${(performance.now() - begin).toFixed(0)} ms of its 40 s`,
  );
}

try {
  await inBrowser(rehearse);
  console.log(
    `The talk can be given. The computers took ${((performance.now() - start) / 1000).toFixed(0)} s of its 480.`,
  );
} finally {
  await server.stop();
  rmSync(home, { recursive: true, force: true });
}
