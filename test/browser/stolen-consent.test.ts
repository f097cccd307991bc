/** Clicks that were meant for another window, in a real Chromium: none of them appoints a deputy, and a person who reads does. */
import { createServer } from 'node:http';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { REDIRECT_URI } from '../../src/dev/clients.ts';
import { DevServer, freePort } from '../../src/dev/dev-server.ts';
import { allow, inBrowser, noBrowser } from '../support/chromium.ts';

let server: DevServer;
beforeAll(async () => {
  server = await DevServer.start();
});
afterAll(() => server.stop());

/** The address that a client of Mallory sends people to. */
async function consentAddress(): Promise<string> {
  const registered = await fetch(`${server.origin}/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none' }),
  });
  const { client_id: clientId } = z.object({ client_id: z.string() }).parse(await registered.json());
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: REDIRECT_URI,
    scope: 'shop:browse shop:buy',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    resource: `${server.origin}/mcp`,
  });
  return `${server.origin}/authorize?${query.toString()}`;
}

/** A window of somebody who is signed in. */
async function signedIn(browser: BrowserContext, email: string): Promise<Page> {
  const page = await browser.newPage();
  await page.route(`${REDIRECT_URI}**`, (route) => route.fulfill({ body: 'Back in the app.' }));
  await page.goto(`${server.origin}/deputies`);
  await page.fill('[name=email]', email);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL('**/deputies');
  return page;
}

/** Where Allow is on the consent page, as Mallory has found out beforehand. */
async function placeOfAllow(page: Page, address: string): Promise<{ x: number; y: number }> {
  await page.goto(address);
  await page.getByRole('button', { name: 'Allow' }).scrollIntoViewIfNeeded();
  const box = await page.getByRole('button', { name: 'Allow' }).boundingBox();
  if (!box) throw new Error('there is no Allow to be seen');
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

async function says(page: Page, text: string | RegExp): Promise<void> {
  await page.getByText(text).first().waitFor();
}

/** Clicks that go on, as in a game that asks for many. */
async function clickAway(page: Page, { x, y }: { x: number; y: number }): Promise<void> {
  for (let clicks = 0; clicks < 15; clicks += 1) {
    await page.mouse.click(x, y);
    await page.waitForTimeout(100);
  }
  await says(page, TOO_SOON);
}

async function expectNobody(page: Page): Promise<void> {
  await page.goto(`${server.origin}/deputies`);
  await says(page, 'Nobody acts for you');
}

/** A page of Mallory. */
async function trap(html: string): Promise<string> {
  const site = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end(html);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => site.listen(port, resolve));
  onTestFinished(() => void site.close());
  return `http://localhost:${port}/`;
}

/** Of the page itself, or of the server when the click came before the script. */
const TOO_SOON = 'That was too soon';
/** High enough that the page need not be scrolled to its buttons. */
const TALL = { width: 1280, height: 1600 };

test.skipIf(noBrowser())(
  'the second click of a double click on a page that becomes the consent page is no Allow',
  async () => {
    await inBrowser(async (browser) => {
      const address = await consentAddress();
      const page = await signedIn(browser, 'double@example.com');
      await page.setViewportSize(TALL);
      const { x, y } = await placeOfAllow(page, address);
      await page.goto(
        await trap(`<body onmousedown="location = '${address}'" style="height: 100vh">Double-click here`),
      );
      await page.mouse.click(x, y);
      await says(page, /Make .* your deputy\?/);
      await clickAway(page, { x, y });
      await expectNobody(page);
    });
  },
);

test.skipIf(noBrowser())('nor is a click in a window whose opener was led to the consent page', async () => {
  await inBrowser(async (browser) => {
    const address = await consentAddress();
    const page = await signedIn(browser, 'opener@example.com');
    await page.setViewportSize(TALL);
    const { x, y } = await placeOfAllow(page, address);
    const over = await trap(
      `<body onmousedown="opener.location = '${address}'; setTimeout(() => window.close(), 300)" style="height: 100vh">Double-click here`,
    );
    await page.goto(await trap(`<body onclick="window.open('${over}')" style="height: 100vh">Start`));
    const opening = browser.waitForEvent('page');
    await page.mouse.click(x, y);
    const front = await opening;
    await front.setViewportSize(TALL);
    await says(front, 'Double-click here');
    const gone = front.waitForEvent('close');
    await front.mouse.click(x, y);
    await gone;
    // A browser shows the window behind by itself; without a screen it must be told.
    await page.bringToFront();
    await says(page, /Make .* your deputy\?/);
    await clickAway(page, { x, y });
    await expectNobody(page);
  });
});

test.skipIf(noBrowser())('nor is a click where Mallory has switched the script off', async () => {
  await inBrowser(async (browser) => {
    const address = await consentAddress();
    const page = await signedIn(browser, 'sandbox@example.com');
    // What a sandboxed frame opens is sandboxed too: its forms work, and its scripts do not.
    const frame = `<a target=_blank href='${address.replaceAll('&', '&amp;amp;')}'>Win</a>`;
    await page.goto(
      await trap(`<iframe sandbox="allow-popups allow-forms allow-same-origin" srcdoc="${frame}"></iframe>`),
    );
    const opening = browser.waitForEvent('page');
    await page.frameLocator('iframe').getByText('Win').click();
    const front = await opening;
    await says(front, /Make .* your deputy\?/);
    await front.getByLabel('Without script').waitFor();
    await front.getByRole('button', { name: 'Allow' }).click();
    await front.waitForTimeout(1000);
    await says(front, /Make .* your deputy\?/);
    await expectNobody(page);
    // Deny is free.
    await front.route(`${REDIRECT_URI}**`, (route) => route.fulfill({ body: 'Back in the app.' }));
    await front.getByRole('button', { name: 'Deny' }).click();
    await says(front, 'Back in the app.');
  });
});

test.skipIf(noBrowser())('a person who reads and clicks appoints, and so does one with a keyboard alone', async () => {
  await inBrowser(async (browser) => {
    const page = await signedIn(browser, 'reader@example.com');
    await page.goto(await consentAddress());
    await allow(page);
    await says(page, 'Back in the app.');

    await page.goto(await consentAddress());
    await page.getByRole('button', { name: 'Allow' }).focus();
    await page.keyboard.press('Enter');
    await says(page, TOO_SOON);
    await page.waitForTimeout(800);
    await page.keyboard.press('Enter');
    await says(page, 'Back in the app.');
  });
});

test.skipIf(noBrowser())('without script a person types that they have read it', async () => {
  await inBrowser(async (browser) => {
    const page = await signedIn(browser, 'plain@example.com');
    const address = await consentAddress();
    const cookies = await browser.cookies();
    const plain = await browser.browser()?.newContext({ javaScriptEnabled: false });
    if (!plain) return;
    await plain.addCookies(cookies);
    const window = await plain.newPage();
    await window.route(`${REDIRECT_URI}**`, (route) => route.fulfill({ body: 'Back in the app.' }));
    await window.goto(address);
    await window.getByLabel('Without script').fill('Yes');
    await window.getByRole('button', { name: 'Allow' }).click();
    await says(window, 'Back in the app.');
    await page.goto(`${server.origin}/deputies`);
    await says(page, 'signed, not connected yet');
    await plain.close();
  });
});

test.skipIf(noBrowser())(
  'a person whose browser could not load the script types it too, and loses nothing',
  async () => {
    await inBrowser(async (browser) => {
      const page = await signedIn(browser, 'half@example.com');
      await page.route('**/consent.js', (route) => route.abort());
      await page.goto(await consentAddress());
      await page.getByLabel('Shirts in one order', { exact: true }).fill('4');
      await page.getByRole('button', { name: 'Allow' }).click();
      await says(page, TOO_SOON);
      await page.getByLabel('Or type').fill('Yes');
      await page.getByRole('button', { name: 'Allow' }).click();
      await says(page, 'Back in the app.');
      await page.goto(`${server.origin}/deputies`);
      await says(page, '4 shirts an order');
    });
  },
);
