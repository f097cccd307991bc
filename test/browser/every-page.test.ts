/** Every page in every state, in Chromium: nothing that axe finds, nothing that runs over, light, dark, narrow and zoomed. */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DevServer } from '../../src/dev/dev-server.ts';
import { inBrowser, noBrowser } from '../support/chromium.ts';
import { STATES } from '../support/every-state.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** To be looked at by people. */
const SCREENSHOTS = 'test/browser/screenshots';
const SCHEMES = ['light', 'dark'] as const;
/** In CSS pixels: a laptop, a projector, a phone, and a laptop at twice the size. */
const SIZES = [
  [1280, 720],
  [1920, 1080],
  [390, 844],
  [640, 360],
  [320, 568],
] as const;

/** What runs over the page, or over the sheet that it stands on. What is cut short on purpose does not count. */
const RUNS_OVER = `(() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  const isOver = (element, of) => element.checkVisibility() && element.getBoundingClientRect().right > of + 1;
  const texts = [...document.querySelectorAll('bdi, .key, .stop, h1, h2, dd')].filter((text) => !text.closest('.who'));
  const over = texts.filter((text) => isOver(text, text.closest('.sheet')?.getBoundingClientRect().right ?? Infinity));
  const wide = scrollWidth > clientWidth ? [...document.querySelectorAll('body *')].filter((one) => isOver(one, clientWidth)) : [];
  return [...over, ...wide.slice(0, 5)].map((one) => 'runs over: ' + one.outerHTML.slice(0, 120));
})()`;

let server: DevServer;
beforeAll(async () => {
  server = await DevServer.start();
});
afterAll(() => server.stop());

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations: found } = await (
      globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }
    ).axe.run();
    return found.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
  });
}

test.skipIf(noBrowser()).each(Object.entries(STATES))('every state is accessible and fits: %s', async (_, visit) => {
  const found: Record<string, string[]> = {};
  await inBrowser(async (browser) => {
    const page = await browser.newPage();
    page.on('dialog', (dialog) => {
      found['a dialog'] = [dialog.message()];
      void dialog.dismiss();
    });
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await visit({
      browser,
      page,
      origin: server.origin,
      async look(name) {
        await page.waitForLoadState();
        for (const [width, height] of SIZES) {
          await page.setViewportSize({ width, height });
          const wrong = await page.evaluate<string[]>(RUNS_OVER);
          for (const colorScheme of SCHEMES) {
            await page.emulateMedia({ colorScheme });
            if (width === 1280 || width === 390) wrong.push(...(await violations(page)));
            await page.screenshot({ path: `${SCREENSHOTS}/${name}-${width}-${colorScheme}.png` });
          }
          if (wrong.length > 0) found[`${name} at ${width}`] = [...new Set(wrong)];
        }
        await page.setViewportSize({ width: 1280, height: 720 });
        await page.emulateMedia({ colorScheme: 'light' });
      },
    });
  });
  expect(found).toEqual({});
});
