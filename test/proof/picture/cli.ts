/**
 * `pnpm prove picture`: makes docs/two-agents-stopped.gif anew. A server of its own, the two agents of `pnpm demo --live`
 * with real calls, and the human's page in Chromium, where the red key is pressed. Nothing in it is drawn.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { encode } from 'modern-gif';
import type { Page } from 'playwright-core';
import { DevServer } from '../../../src/dev/dev-server.ts';
import { inBrowser } from '../../support/chromium.ts';
import { signInAt, stopAll } from '../../support/console-page.ts';
import { startDemo } from '../../support/real-clients.ts';

const FILE = 'docs/two-agents-stopped.gif';
const MAX_BYTES = 2_000_000;
const EMAIL = 'ada@example.com';
const SIZE = { width: 1280, height: 720 };
/** As it is shown beside text: three quarters of the window. */
const SHOWN = { width: 960, height: 540 };
const EVERY_MS = 500;
/** Pictures before the press and after it. */
const [BEFORE, AFTER] = [12, 16];
/** What nobody can read in half a second stands longer: the first picture, and the last. */
const LONG_MS = 2500;

type Shot = { data: Uint8Array<ArrayBuffer>; delay: number };

const server = await DevServer.start();
try {
  const live = startDemo('--live', '--url', server.origin, '--as', EMAIL, '--every', '0.7');
  const shots = await inBrowser(async (browser) => {
    const [page, darkroom] = [await browser.newPage(), await browser.newPage()];
    await page.setViewportSize(SIZE);
    await page.bringToFront();
    await signInAt(page, server.origin, EMAIL);
    await live.prints(/phone +listMcpShopOrders/);
    const taken = await film(page, darkroom, BEFORE);
    await stopAll(page);
    await live.prints(/REFUSED: Your human has paused/);
    return [...taken, ...(await film(page, darkroom, AFTER))];
  });
  live.child.kill('SIGINT');
  await live.ended;
  for (const shot of [shots[0], shots.at(-1)]) if (shot) shot.delay = LONG_MS;
  const gif = new Uint8Array(await encode({ ...SHOWN, frames: shots, maxColors: 128 }));
  if (gif.length > MAX_BYTES) throw new Error(`the picture has ${gif.length} bytes, and may have ${MAX_BYTES}`);
  writeFileSync(FILE, gif);
  console.log(
    `${FILE}: ${shots.length} pictures, ${SHOWN.width} × ${SHOWN.height}, ${Math.ceil(gif.length / 1000)} kB`,
  );
} finally {
  await server.stop();
}

/** Takes pictures of the page, each shown for as long as it took until the next. */
async function film(page: Page, darkroom: Page, count: number): Promise<Shot[]> {
  const shots: Shot[] = [];
  for (let index = 0; index < count; index += 1) {
    const start = performance.now();
    const data = await pixelsOf(darkroom, await page.screenshot());
    await sleep(Math.max(0, EVERY_MS - (performance.now() - start)));
    shots.push({ data, delay: Math.round(performance.now() - start) });
  }
  return shots;
}

/** The pixels of a PNG in the size that is shown, four bytes each, as Chromium reads and shrinks it. */
async function pixelsOf(darkroom: Page, png: Buffer): Promise<Shot['data']> {
  const { width, height } = SHOWN;
  // As text: these names are a browser's, which the compiler of this file does not know.
  const base64 = await darkroom.evaluate<string>(`(async () => {
    const blob = await (await fetch('data:image/png;base64,${png.toString('base64')}')).blob();
    const size = { resizeWidth: ${width}, resizeHeight: ${height}, resizeQuality: 'high' };
    const context = new OffscreenCanvas(${width}, ${height}).getContext('2d');
    context.drawImage(await createImageBitmap(blob, size), 0, 0);
    const bytes = new Uint8Array(context.getImageData(0, 0, ${width}, ${height}).data.buffer);
    let text = '';
    for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
    return btoa(text);
  })()`);
  return new Uint8Array(Buffer.from(base64, 'base64'));
}
