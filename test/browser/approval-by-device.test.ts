/** An approval in a real Chromium with a virtual authenticator: the agent asks, the open console shows it, a finger, the order. */
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deputy, Person } from '../../src/dev/clients.ts';
import { DevServer } from '../../src/dev/dev-server.ts';
import { inBrowser, noBrowser, plugIn, pressByScript } from '../support/chromium.ts';

const FOUR = {
  company: 'Analytical Engines Ltd',
  mailingAddress: '12 St James’s Square',
  tshirtSize: 'M',
  color: 'blue',
  quantity: 4,
};

let server: DevServer;
beforeAll(async () => {
  server = await DevServer.start();
});
afterAll(() => server.stop());

async function signIn(page: Page, email: string): Promise<void> {
  await page.goto(`${server.origin}/deputies`);
  await page.fill('[name=email]', email);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL('**/deputies');
}

type Asked = { waiting: { id: string }; url: string; code: string };

async function ask(deputy: Deputy, changes: Record<string, unknown> = {}): Promise<Asked> {
  const { data } = await deputy.call('buyMcpShopItem', { ...FOUR, ...changes });
  return data['error'] as Asked;
}

async function story(browser: BrowserContext): Promise<void> {
  const email = 'ada@example.com';
  const page = await browser.newPage();
  await signIn(page, email);
  const { session, authenticatorId } = await plugIn(page);
  await page.goto(`${server.origin}/deputies/passkeys`);
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByText(', counts').first().waitFor();

  const human = new Person(email, server.origin, fetch);
  human.blanks = { shirtsPerDay: '20', spendPerDay: '500' };
  const deputy = await Deputy.connect('2026-07-28', human, server.origin, fetch, 'Claude');
  await page.goto(`${server.origin}/deputies`);
  await page.getByText('Live', { exact: true }).waitFor();
  const { waiting } = await ask(deputy);
  // The open page shows it without anybody touching it.
  await page.getByText('Claude asks: 4 blue shirts for $100.00').waitFor();
  await expect.poll(() => page.title()).toMatch(/asks/);
  await page.getByRole('link', { name: 'Look and answer' }).click();
  await page.getByRole('heading', { name: '4 blue shirts for $100.00?' }).waitFor();
  await page.getByRole('button', { name: 'Approve with your device' }).click();
  await page.getByText('You said yes: it is order 1.').waitFor();
  const { data } = await deputy.call('buyMcpShopItem', FOUR);
  expect(data).toMatchObject({ order: { id: waiting.id, status: 'confirmed' } });

  // Where no answer to a yes comes, the same page says no and pauses: what was signed is no part of that.
  const lost = await ask(deputy, { color: 'black' });
  await page.goto(lost.url);
  await page.route(lost.url, async (route) => {
    if (!route.request().postData()?.includes('decision=approve')) return route.continue();
    await route.fetch();
    // A browser that is answered so stays where it is.
    return route.fulfill({ status: 204 });
  });
  const landed = page.waitForResponse(lost.url);
  await page.getByRole('button', { name: 'Approve with your device' }).click();
  expect((await landed).status()).toBe(204);
  const stops = page.waitForRequest(lost.url);
  await page.getByRole('button', { name: 'Deny and pause Claude' }).click();
  expect(new URLSearchParams((await stops).postData() ?? '').getAll('decision')).toEqual(['pause']);
  await page.getByText('You paused Claude').first().waitFor();
  await page.unroute(lost.url);
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByText('You let Claude go on').first().waitFor();

  // The same button, pressed by a script in a browser without the device.
  await session.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId });
  const second = await ask(deputy, { color: 'white' });
  await page.goto(second.url);
  const status = await pressByScript(page);
  expect(status).toBe(403);
  expect((await ask(deputy, { color: 'white' })).code).toBe('approval_required');
  await page.reload();
  await page.getByRole('button', { name: 'Deny', exact: true }).click();
  await page.waitForURL('**/deputies?did=*');
  expect((await ask(deputy, { color: 'white' })).code).toBe('approval_denied');
}

test.skipIf(noBrowser())(
  'the agent asks, the human sees it and touches the device, and a script that presses the same button gets nothing',
  () => inBrowser(story),
);
