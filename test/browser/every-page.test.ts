/** Every page in every state, in Chromium: nothing that axe finds, that runs over, or that the keyboard reaches unseen. */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DevServer } from '../../src/dev/dev-server.ts';
import { inBrowser, noBrowser } from '../support/chromium.ts';
import { STATES } from './every-state.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** With the variable PICTURES set, to be looked at by people. */
const PICTURES = process.env['PICTURES'] ? 'test/browser/screenshots' : undefined;
const SCHEMES = ['light', 'dark'] as const;
/** In CSS pixels: a laptop, a projector, a phone, a laptop at twice the size, and the smallest that must do. */
const SIZES = [
  [1280, 720],
  [1920, 1080],
  [390, 844],
  [640, 360],
  [320, 568],
] as const;
/** Where axe looks: colors do not depend on the width, nor sizes on the colors. */
const LOOKED_AT: Partial<Record<number, (typeof SCHEMES)[number]>> = { 1280: 'light', 390: 'dark' };

/** What runs over the page, or over the sheet that it stands on. What is cut short on purpose does not count. */
const RUNS_OVER = `(() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  const isOver = (element, of) => element.checkVisibility() && element.getBoundingClientRect().right > of + 1;
  const texts = [...document.querySelectorAll('bdi, .key, .stop, h1, h2, dd')].filter((text) => !text.closest('.who'));
  const over = texts.filter((text) => isOver(text, text.closest('.sheet')?.getBoundingClientRect().right ?? Infinity));
  const wide = scrollWidth > clientWidth ? [...document.querySelectorAll('body *')].filter((one) => isOver(one, clientWidth)) : [];
  return [...over, ...wide.slice(0, 5)].map((one) => 'runs over: ' + one.outerHTML.slice(0, 120));
})()`;

/** What cannot be seen when the keyboard is there: it has no outline, or something else lies over it. */
const FOCUSED_UNSEEN = `(() => {
  const tabbable = 'a[href], button:enabled, input:enabled:not([type=hidden]), select, textarea, summary, [tabindex="0"]';
  const unseen = [...document.querySelectorAll(tabbable)].filter((element) => {
    if (!element.checkVisibility() || element.matches('.skip')) return false;
    element.focus();
    const shown = element.closest('.hidden, .tick')?.closest('.tick, .key, .seat') ?? element.parentElement.querySelector('input.hidden + .stop') ?? element;
    const box = shown.getBoundingClientRect();
    const top = Math.max(box.top, 0);
    const [x, y] = [(box.left + Math.min(box.right, innerWidth)) / 2, (top + Math.min(box.bottom, top + 40)) / 2];
    const there = document.elementFromPoint(x, y);
    const outlined = [element, ...['.tick', '.key', '.seat'].map((one) => element.closest(one))];
    const isOutlined = outlined.some((one) => one && getComputedStyle(one).outlineStyle !== 'none');
    return !isOutlined || !(shown.contains(there) || there?.contains(shown));
  });
  document.activeElement.blur();
  for (const one of [document.documentElement, ...document.querySelectorAll('ol, .asks')]) one.scrollTo(0, 0);
  return unseen.map((one) => 'unseen: ' + one.outerHTML.slice(0, 120));
})()`;

let server: DevServer;
beforeAll(async () => {
  server = await DevServer.start('test/browser/with-a-clock.ts');
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

/** What is wrong with the page as it stands, at that size. */
async function wrongAt(page: Page, width: number, picture: string | undefined): Promise<string[]> {
  const wrong = await page.evaluate<string[]>(RUNS_OVER);
  // A browser shows the focus to who has used the keyboard last.
  await page.keyboard.press('Tab');
  wrong.push(...(await page.evaluate<string[]>(FOCUSED_UNSEEN)));
  for (const colorScheme of SCHEMES) {
    const isLookedAt = LOOKED_AT[width] === colorScheme;
    if (!isLookedAt && !picture) continue;
    await page.emulateMedia({ colorScheme });
    if (isLookedAt) wrong.push(...(await violations(page)));
    if (picture) await page.screenshot({ path: `${picture}-${width}-${colorScheme}.png` });
  }
  return wrong;
}

/** Milliseconds, for machines that do much else. */
const PATIENCE = { timeout: 300_000 };

test.skipIf(noBrowser()).each(Object.entries(STATES))(
  'every state can be read and used: %s',
  PATIENCE,
  async (_, visit) => {
    const found: Record<string, string[]> = {};
    await inBrowser(async (browser) => {
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on('console', (said) => said.text().includes('Content Security Policy') && complaints.push(said.text()));
      page.on('pageerror', ({ message }) => complaints.push(message));
      page.on('dialog', (dialog) => {
        complaints.push(`a dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      await page.emulateMedia({ reducedMotion: 'reduce' });
      await visit({
        browser,
        page,
        origin: server.origin,
        restart: (variables) => server.restart(variables),
        async look(name) {
          await page.waitForLoadState();
          const picture = PICTURES && `${PICTURES}/${name}`;
          for (const [width, height] of SIZES) {
            await page.setViewportSize({ width, height });
            const wrong = await wrongAt(page, width, picture);
            if (wrong.length > 0) found[`${name} at ${width}`] = [...new Set(wrong)];
          }
          await page.setViewportSize({ width: 1280, height: 720 });
          await page.emulateMedia({ colorScheme: 'light', forcedColors: 'active' });
          if (picture) await page.screenshot({ path: `${picture}-forced.png` });
          await page.emulateMedia({ forcedColors: 'none' });
        },
      });
      if (complaints.length > 0) found['complaints'] = complaints;
    });
    expect(found).toEqual({});
  },
);
