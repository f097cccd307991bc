/** The whole story in a real Chromium: appoint, buy, follow live, pause, resume, dismiss; and pages that stay as they should. */
import { createServer } from 'node:http';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { Deputy, Person, REDIRECT_URI } from '../../src/dev/clients.ts';
import { DevServer, freePort } from '../../src/dev/dev-server.ts';
import { allow, inBrowser, noBrowser } from '../support/chromium.ts';

const PURCHASE = { company: '<img src=x onerror=alert(1)>', mailingAddress: '12 St James’s Square', tshirtSize: 'L' };
const overSocket: typeof fetch = (input, init) => fetch(input, init);
const HOSTILE = '<script>alert(1)</script>\u202Eevil ' + 'x'.repeat(60);

const PATIENCE = { timeout: 10_000 };

let server: DevServer;
beforeAll(async () => {
  server = await DevServer.start();
});
afterAll(() => server.stop());

/** A person who reads the consent page in a window of this browser, and presses Allow there. */
class Reader extends Person {
  readonly #page: Page;
  constructor(email: string, page: Page) {
    super(email, server.origin, overSocket);
    this.#page = page;
  }
  override async answer(url: URL): Promise<URLSearchParams> {
    // The client waits at an address of its own; nothing listens there, but the browser goes.
    const back = this.#page.waitForRequest((request) => request.url().startsWith(REDIRECT_URI));
    await this.#page.route(`${REDIRECT_URI}**`, (route) => route.fulfill({ body: 'Back in the app.' }));
    await this.#page.goto(url.href);
    await says(this.#page, /^Make .* your deputy\?$/);
    for (const power of await this.#page.locator('[name=scope]:enabled').all()) await power.check();
    await this.#page.getByLabel('Shirts in 24 hours', { exact: true }).fill('8');
    await this.#page.locator('output').getByText('8 shirts, $200.').waitFor();
    await allow(this.#page);
    const answer = new URL((await back).url()).searchParams;
    await says(this.#page, 'Back in the app.');
    return answer;
  }
}

/** A window in which scripts that break the policy, dialogs and errors are failures. */
async function windowOf(browser: BrowserContext, complaints: string[]): Promise<Page> {
  const page = await browser.newPage();
  page.on(
    'console',
    (message) => message.text().includes('Content Security Policy') && complaints.push(message.text()),
  );
  // A change between two pages that it does not draw is an error to Chromium, and to nobody else.
  page.on('pageerror', ({ message }) => !message.startsWith('Transition was ') && complaints.push(message));
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return page;
}

async function signIn(page: Page, email: string): Promise<void> {
  await page.goto(`${server.origin}/deputies`);
  await page.fill('[name=email]', email);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL('**/deputies');
}

/** The address that a client with a hostile name sends a human to. */
async function consentPath(): Promise<string> {
  const registered = await fetch(`${server.origin}/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      client_name: HOSTILE,
      redirect_uris: [REDIRECT_URI],
      token_endpoint_auth_method: 'none',
    }),
  });
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: z.object({ client_id: z.string() }).parse(await registered.json()).client_id,
    redirect_uri: REDIRECT_URI,
    scope: 'shop:browse shop:buy',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    resource: `${server.origin}/mcp`,
  });
  return `/authorize?${query.toString()}`;
}

const isLive = (page: Page) => page.getByText('Live', { exact: true }).waitFor();
const says = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor();

/** What the red page says, in the words of each figure. */
const figures = (page: Page) => page.locator('.facts').innerText();
const isStopped = (page: Page) => page.locator('main[data-authority=paused]').waitFor();
/** Milliseconds. */
const A_SECOND = 1000;

test.skipIf(noBrowser())('two windows follow the deputies, and either one stops them', async () => {
  const complaints: string[] = [];
  await inBrowser(async (browser) => {
    const [one, other] = [await windowOf(browser, complaints), await windowOf(browser, complaints)];
    await signIn(one, 'ada@example.com');
    await other.goto(`${server.origin}/deputies`);
    await Promise.all([isLive(one), isLive(other)]);
    await says(one, 'Nobody acts for you');

    const ada = new Reader('ada@example.com', await windowOf(browser, complaints));
    const deputy = await Deputy.connect('2025-11-25', ada, server.origin, overSocket, 'laptop agent');
    await says(one, 'laptop agent took up its mandate');
    await says(one, '8 of 8 shirts left');
    await deputy.call('buyMcpShopItem', { ...PURCHASE, color: 'white' });
    for (const page of [one, other]) {
      await says(page, /laptop agent bought 1 white shirt, L/);
      await says(page, '7 of 8 shirts left');
    }

    // The page stays where it is: it is no other page that is red.
    await one.evaluate('window.mark = true');
    await other.getByRole('button', { name: 'Stop all' }).focus();
    await one.getByRole('button', { name: 'Stop all' }).click();
    await isStopped(one);
    const seen = Date.now();
    await isStopped(other);
    expect(Date.now() - seen).toBeLessThan(2 * A_SECOND);
    expect(await one.evaluate('window.mark')).toBe(true);
    expect(await one.title()).toMatch(/^Stopped/);
    // A screen reader hears of it at once, and the focus is not lost with the key that it was on.
    await other.getByRole('status').filter({ hasText: 'You stopped every deputy' }).waitFor();
    expect(await other.evaluate('document.activeElement.textContent')).toContain('Stopped');

    expect((await deputy.call('listMcpShopInventory')).data['error']).toMatchObject({ code: 'paused' });
    expect((await deputy.call('buyMcpShopItem', PURCHASE)).data['error']).toMatchObject({ code: 'paused' });
    for (const page of [one, other]) {
      await says(page, /laptop agent tried to list the inventory/);
      await page.locator('.facts').getByText('2 attempts refused since').waitFor();
      await page.locator('.facts').getByText('Order 1 was the last').waitFor();
    }
    expect(await figures(one)).toMatch(/^\d+ ms and it held/);
    expect(await figures(other)).toBe(await figures(one));

    await other.getByRole('link', { name: 'Resume…' }).click();
    await other.getByRole('button', { name: 'Let these go on' }).click();
    for (const page of [one, other]) await says(page, 'You let your deputies go on');
    expect((await deputy.call('listMcpShopInventory')).isError).toBe(false);

    await one.getByRole('button', { name: /Pause .laptop agent/ }).click();
    await says(other, 'You paused laptop agent');
    expect((await deputy.call('listMcpShopInventory')).data['error']).toMatchObject({ code: 'deputy_paused' });
    await says(one, 'you paused it');
    await one.getByRole('button', { name: /Let .laptop agent. go on/ }).click();
    await says(other, 'You let laptop agent go on');

    await one.getByRole('link', { name: /Change or dismiss .laptop agent/ }).click();
    await one.getByText('Name it…').click();
    await one.getByLabel('Your own name for it').fill('My laptop');
    await one.getByRole('button', { name: 'Call it so' }).click();
    await says(other, 'You called a deputy My laptop');
    await one.getByRole('link', { name: /Change or dismiss .My laptop/ }).click();
    await one.getByLabel('Shirts in one order', { exact: true }).fill('1');
    await one.getByLabel('Shirts in one order above which it must ask').fill('');
    await one.getByRole('button', { name: 'Sign the new terms' }).click();
    await says(other, /You changed the terms of My laptop/);
    const refused = await deputy.call('buyMcpShopItem', { ...PURCHASE, quantity: 2 });
    expect(refused.data['error']).toMatchObject({ code: 'act_limit' });
    await says(other, /My laptop tried to buy 2 shirts/);

    await one.getByRole('link', { name: /Change or dismiss .My laptop/ }).click();
    await one.getByText('Dismiss…').click();
    await one.getByRole('button', { name: 'Dismiss for good' }).click();
    await says(other, 'You dismissed My laptop');
    const { status } = await fetch(`${server.origin}/mcp`, {
      method: 'POST',
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"prettyPlease","arguments":{}}}',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${deputy.accessToken}` },
    });
    expect(status).toBe(401);
    for (const page of [one, other]) await says(page, /My laptop tried to say pretty please/);

    await one.getByRole('button', { name: 'Sign out' }).click();
    await says(other, /You are signed out/);
  });
  expect(complaints).toEqual([]);
});

/** Counts the dots of a picture by their colour, near ones as one: the red, green and blue of the most frequent. */
const MOST_FREQUENT = `async (base64) => {
  const image = await createImageBitmap(await (await fetch('data:image/png;base64,' + base64)).blob());
  const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  const dots = context.getImageData(0, 0, image.width, image.height).data;
  const counts = new Map();
  for (let dot = 0; dot < dots.length; dot += 4) {
    const near = [dots[dot] >> 4, dots[dot + 1] >> 4, dots[dot + 2] >> 4].join();
    counts.set(near, (counts.get(near) ?? 0) + 1);
  }
  const [[most]] = [...counts].toSorted(([, one], [, other]) => other - one);
  return most.split(',').map((part) => Number(part) << 4);
}`;

function dominantColour(page: Page, picture: Buffer): Promise<[number, number, number]> {
  return page.evaluate(`(${MOST_FREQUENT})(${JSON.stringify(picture.toString('base64'))})`);
}

test.skipIf(noBrowser()).each(['light', 'dark'] as const)(
  'a copy of the console of 320 pixels shows from afar whether it is stopped, %s',
  async (scheme) => {
    await inBrowser(async (browser) => {
      const page = await windowOf(browser, []);
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      await signIn(page, `far-${scheme}@example.com`);
      const human = new Person(`far-${scheme}@example.com`, server.origin, overSocket);
      await Deputy.connect('2026-07-28', human, server.origin, overSocket, 'far agent');
      await page.setViewportSize({ width: 320, height: 180 });
      // A page of another origin would not be read back: a blank one is where the pictures are measured.
      const blank = await browser.newPage();
      await page.reload();
      const running = await dominantColour(blank, await page.screenshot());
      await page.getByRole('button', { name: 'Stop all' }).click();
      await isStopped(page);
      const [red, green, blue] = await dominantColour(blank, await page.screenshot());
      expect(red).toBeGreaterThan(150);
      expect(Math.max(green, blue)).toBeLessThan(60);
      const difference = Math.hypot(red - running[0], green - running[1], blue - running[2]);
      expect(difference).toBeGreaterThan(150);
    });
  },
);

test.skipIf(noBrowser())('without script the stop and the way back are forms and pages', async () => {
  await inBrowser(async (browser) => {
    const page = await windowOf(browser, []);
    await signIn(page, 'plain@example.com');
    const human = new Person('plain@example.com', server.origin, overSocket);
    const deputy = await Deputy.connect('2026-07-28', human, server.origin, overSocket, 'plain agent');
    const plain = await browser.browser()?.newContext({ javaScriptEnabled: false });
    if (!plain) throw new Error('no second window without script');
    await plain.addCookies(await browser.cookies());
    const window = await plain.newPage();
    await window.goto(`${server.origin}/deputies`);
    await window.getByRole('button', { name: 'Stop all' }).click();
    await window.getByText('attempts refused since').waitFor();
    expect(await window.locator('.facts').innerText()).toMatch(/\d+ ms and it held/);
    expect((await deputy.call('listMcpShopInventory')).data['error']).toMatchObject({ code: 'paused' });
    await window.getByRole('link', { name: 'Resume…' }).click();
    await window.getByRole('button', { name: 'Let these go on' }).click();
    await window.getByText('You let your deputies go on').first().waitFor();
    expect((await deputy.call('listMcpShopInventory')).isError).toBe(false);
    await plain.close();
  });
});

test.skipIf(noBrowser())('the console is one screen at 1280 by 720: only its lists scroll', async () => {
  await inBrowser(async (browser) => {
    const page = await windowOf(browser, []);
    await signIn(page, 'stage@example.com');
    const human = new Person('stage@example.com', server.origin, overSocket);
    for (const name of ['one', 'two', 'three']) {
      const deputy = await Deputy.connect('2026-07-28', human, server.origin, overSocket, `${name} agent`);
      for (let count = 0; count < 5; count += 1) await deputy.call('buyMcpShopItem', PURCHASE);
    }
    await page.setViewportSize({ width: 1280, height: 720 });
    for (const press of ['Stop all', undefined]) {
      await page.goto(`${server.origin}/deputies`);
      const over = await page.evaluate<number>(
        'document.documentElement.scrollHeight - document.documentElement.clientHeight',
      );
      expect(over).toBeLessThanOrEqual(0);
      if (press) await page.getByRole('button', { name: press }).click();
      if (press) await isStopped(page);
    }
  });
});

test.skipIf(noBrowser())('a page that cannot show the newest line says so, and shows it once it can', async () => {
  await inBrowser(async (browser) => {
    const page = await windowOf(browser, []);
    await signIn(page, 'joan@example.com');
    await isLive(page);
    await page.route('**/deputies', (route) => route.fulfill({ status: 500, body: 'out of order' }));
    const joan = new Person('joan@example.com', server.origin, overSocket);
    await Deputy.connect('2026-07-28', joan, server.origin, overSocket, 'tablet agent');
    await says(page, 'The newest lines cannot be shown at the moment.');
    await page.unroute('**/deputies');
    await says(page, 'tablet agent took up its mandate');
    await isLive(page);
  });
});

test.skipIf(noBrowser())('what the human opened stays open, and the full record is chosen from', async () => {
  await inBrowser(async (browser) => {
    const page = await windowOf(browser, []);
    await signIn(page, 'barbara@example.com');
    await isLive(page);
    const barbara = new Person('barbara@example.com', server.origin, overSocket);
    const deputy = await Deputy.connect('2026-07-28', barbara, server.origin, overSocket, 'desk agent');
    await says(page, 'desk agent took up its mandate');
    await page.locator('.gist summary').click();
    await deputy.call('buyMcpShopItem', { ...PURCHASE, quantity: 50 });
    await says(page, /desk agent tried to buy 50 shirts/);
    expect(await page.locator('.gist').getAttribute('open')).toBe('');
    await page.getByRole('link', { name: 'The full record' }).click();
    await page.locator('[name=deputy]').selectOption('desk agent');
    await page.getByLabel('Decision').selectOption('refused');
    await page.getByRole('button', { name: 'Show these' }).click();
    await says(page, /desk agent tried to buy 50 shirts/);
    expect(await page.getByText('desk agent took up its mandate').count()).toBe(0);
  });
});

test.skipIf(noBrowser())('a page never shows somebody else’s deputies under a name it had before', async () => {
  await inBrowser(async (browser) => {
    const [page, other] = [await windowOf(browser, []), await windowOf(browser, [])];
    await signIn(page, 'first@example.com');
    await isLive(page);
    await page.getByRole('button', { name: 'Stop following' }).click();
    await other.goto(`${server.origin}/deputies`);
    await other.getByRole('button', { name: 'Sign out' }).click();
    await signIn(other, 'second@example.com');
    await page.getByRole('button', { name: 'Follow live' }).click();
    await says(page, 'second@example.com');
    expect(await page.getByText('first@example.com').count()).toBe(0);
    await isLive(page);
  });
});

test.skipIf(noBrowser())('a page that was told to stop stays as it is, until it is told to follow', async () => {
  await inBrowser(async (browser) => {
    const page = await windowOf(browser, []);
    await signIn(page, 'radia@example.com');
    await isLive(page);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.getByRole('button', { name: 'Stop following' }).click();
    const radia = new Person('radia@example.com', server.origin, overSocket);
    const deputy = await Deputy.connect('2026-07-28', radia, server.origin, overSocket, 'still agent');
    await deputy.call('listMcpShopInventory');
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange')); dispatchEvent(new Event('online'))");
    expect(asked).toEqual([]);
    await page.getByRole('button', { name: 'Follow live' }).click();
    await says(page, 'still agent looked around.');
  });
});

test.skipIf(noBrowser())('Enter in a blank of the consent page grants nothing', async () => {
  await inBrowser(async (browser) => {
    const page = await windowOf(browser, []);
    await signIn(page, 'edsger@example.com');
    await page.goto(server.origin + (await consentPath()));
    const field = page.getByLabel('Shirts in one order', { exact: true });
    await field.fill('4');
    await field.press('Enter');
    await page.getByRole('button', { name: 'Deny' }).focus();
    expect(await field.inputValue()).toBe('4');
    await page.goto(`${server.origin}/deputies`);
    await says(page, 'Nobody acts for you');
  });
});

/** Bytes. */
const PAGE_WEIGHS_LESS = 100_000;

test.skipIf(noBrowser())(
  'the page comes from this server alone, and weighs less than 100 KB without its data',
  async () => {
    await inBrowser(async (browser) => {
      const page = await windowOf(browser, []);
      const addresses = new Set<string>();
      await signIn(page, 'light@example.com');
      page.on('request', (request) => addresses.add(request.url()));
      await page.goto(`${server.origin}/deputies`, { waitUntil: 'networkidle' });
      expect(new Set([...addresses].map((address) => new URL(address).origin))).toEqual(new Set([server.origin]));
      // Asked for once more, because a browser takes what it knows from its cache.
      const answers = await Promise.all([...addresses].map((address) => page.request.get(address)));
      const weights = (await Promise.all(answers.map((answer) => answer.body()))).map(({ length }) => length);
      expect(weights.length).toBeGreaterThan(4);
      expect(weights.reduce((sum, weight) => sum + weight)).toBeLessThan(PAGE_WEIGHS_LESS);
    });
  },
);

test.skipIf(noBrowser())('a lost connection says so, and comes back by itself', async () => {
  await inBrowser(async (browser) => {
    const page = await windowOf(browser, []);
    await signIn(page, 'grace@example.com');
    await isLive(page);
    await server.restart();
    await page.locator('#live[data-state=on]').waitFor();
    const grace = new Person('grace@example.com', server.origin, overSocket);
    await Deputy.connect('2026-07-28', grace, server.origin, overSocket, 'phone agent');
    await says(page, 'phone agent took up its mandate');
  });
});

test.skipIf(noBrowser())(
  'no other page can frame this one, or press its buttons, with the cookies of the same site',
  async () => {
    await inBrowser(async (browser) => {
      const page = await windowOf(browser, []);
      await signIn(page, 'framed@example.com');
      // Another program's page on the same computer: the same site, so that cookies come along.
      const neighbour = createServer((_, response) => {
        response.setHeader('Content-Type', 'text/html');
        response.end(`<iframe src="${server.origin}/deputies"></iframe>
          <form method="post" action="${server.origin}/deputies/pause"><button>Win</button></form>`);
      });
      const port = await freePort();
      await new Promise<void>((resolve) => neighbour.listen(port, resolve));
      onTestFinished(() => void neighbour.close());
      const foreign = await browser.newPage();
      await foreign.goto(`http://localhost:${port}/`);
      // What a browser puts in the place of a page that may not be framed.
      const framed = () =>
        foreign
          .frames()
          .slice(1)
          .map((frame) => frame.url());
      await vi.waitFor(() => expect(framed()).toEqual(['chrome-error://chromewebdata/']), PATIENCE);
      await foreign.getByRole('button', { name: 'Win' }).click();
      await says(foreign, 'Requests from this origin are not allowed here.');
      await page.reload();
      await page.getByRole('button', { name: 'Stop all' }).waitFor();
    });
  },
);
