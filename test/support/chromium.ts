/** A real browser for the tests that need one: Chromium or Chrome as installed on this machine. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, type CDPSession, chromium, type Page } from 'playwright-core';

const PLACES = [
  process.env['CHROMIUM_PATH'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const executablePath = PLACES.find((path) => path && existsSync(path));

/**
 * Why a browser test is skipped, or false when it can run. In CI it must run, so that it cannot be skipped unseen.
 */
export function noBrowser(): string | false {
  if (executablePath) return false;
  const reason = 'no Chromium or Chrome found; install one or set CHROMIUM_PATH';
  if (process.env['CI']) throw new Error(reason);
  return reason;
}

/** Opens a browser without any history, runs `work`, and closes it. */
export async function inBrowser<Result>(work: (browser: BrowserContext) => Promise<Result>): Promise<Result> {
  const profile = mkdtempSync(join(tmpdir(), 'mcp-shop-browser-'));
  const browser = await chromium.launchPersistentContext(profile, {
    headless: true,
    args: ARGUMENTS,
    viewport: { width: 1280, height: 900 },
    ...(executablePath && { executablePath }),
  });
  try {
    return await work(browser);
  } finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

/** Presses Allow as somebody who has read the consent page: the page takes it once it was in front for a moment. */
export async function allow(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Allow' }).hover();
  await page.locator('[name=read][value=yes]').waitFor({ state: 'attached' });
  await page.getByRole('button', { name: 'Allow' }).click();
}

/** A device with a fingerprint reader, as Chromium plays one. */
export async function plugIn(page: Page): Promise<{ session: CDPSession; authenticatorId: string }> {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { session, authenticatorId };
}

/** The Approve of a question's page, as a script there presses it, and sends the form by itself; tells the status of that. */
export async function pressByScript(page: Page): Promise<number> {
  await page.evaluate("document.querySelector('button[value=approve]').click()");
  return page.evaluate<number>(`(async () => {
    const body = new URLSearchParams(new FormData(document.querySelector('main form')));
    body.set('decision', 'approve');
    return (await fetch(location.href, { method: 'POST', body })).status;
  })()`);
}
