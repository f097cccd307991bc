/** Real double-clicks on Allow: the browser gives up the first answer for the second one, so both must be the same. */
import { createHash, randomBytes } from 'node:crypto';
import { createServer, request as ask, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { DevServer } from '../../src/dev/dev-server.ts';
import { inBrowser, noBrowser } from '../support/chromium.ts';

const TIMES = 12;
/** Milliseconds between two clicks, and of the way back from the server: the second click comes before the answer. */
const BETWEEN_CLICKS = 20;
const WAY_BACK = 120;

/** The origin of a server that answers so, for this test. */
async function listen(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  onTestFinished(() => void server.close());
  return `http://localhost:${(server.address() as AddressInfo).port}`;
}

test.skipIf(noBrowser())(
  'each double-click on Allow brings the client one code that works, and one deputy',
  async () => {
    const server = await DevServer.start();
    onTestFinished(() => server.stop());
    const { hostname, port } = new URL(server.origin);
    let pressed = 0;
    const origin = await listen((request, response) => {
      const { method, url: path = '', headers } = request;
      const isAnswer = method === 'POST' && path.startsWith('/authorize?');
      if (isAnswer) pressed += 1;
      const onward = ask({ hostname, port, method, path, headers }, (answer) => {
        const pass = () => answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers));
        setTimeout(pass, isAnswer ? WAY_BACK : 0);
      });
      // What the browser has given up ends on the server too.
      response.on('close', () => onward.destroy());
      onward.on('error', () => response.destroy());
      request.pipe(onward);
    });
    const redirectUri = `${await listen((_, response) => response.end('Back in the app.'))}/callback`;
    const registration = { redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' };
    const registered = await fetch(`${origin}/register`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(registration),
    });
    const { client_id: clientId } = z.object({ client_id: z.string() }).parse(await registered.json());
    const client = { client_id: clientId, redirect_uri: redirectUri, resource: `${origin}/mcp` };

    await inBrowser(async (browser) => {
      const page = await browser.newPage();
      await page.goto(`${origin}/deputies`);
      await page.fill('[name=email]', 'hasty@example.com');
      await page.getByRole('button', { name: 'Continue' }).click();
      const codes = new Set<string>();
      for (let time = 0; time < TIMES; time += 1) {
        const verifier = randomBytes(32).toString('base64url');
        const challenge = createHash('sha256').update(verifier).digest('base64url');
        const asked = { ...client, response_type: 'code', code_challenge: challenge, code_challenge_method: 'S256' };
        await page.goto(`${origin}/authorize?${new URLSearchParams(asked).toString()}`);
        await page.getByRole('button', { name: 'Allow' }).hover();
        // As long as it takes until a click counts.
        await page.locator('[name=read][value=yes]').waitFor({ state: 'attached' });
        for (const pause of [BETWEEN_CLICKS, 0]) {
          await page.mouse.down();
          await page.mouse.up();
          await page.waitForTimeout(pause);
        }
        await page.getByText('Back in the app.').waitFor();
        const code = new URL(page.url()).searchParams.get('code') ?? '';
        const body = new URLSearchParams({
          ...client,
          grant_type: 'authorization_code',
          code,
          code_verifier: verifier,
        });
        expect((await fetch(`${origin}/token`, { method: 'POST', body })).status).toBe(200);
        codes.add(code);
      }
      expect(codes.size).toBe(TIMES);
      // Two requests each time, or this shows nothing.
      expect(pressed).toBe(2 * TIMES);
      const record = await (await page.request.get(`${origin}/deputies/record.jsonl`)).text();
      for (const act of ['appointed', 'activated']) expect(record.split(`"act":"${act}"`), act).toHaveLength(TIMES + 1);
    });
  },
);
