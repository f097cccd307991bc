/** The pages for an audience: the architecture as a drawing, and the address that phones can read. */
import { expect, test } from 'vitest';
import { renderSVG } from 'uqr';
import { textOf } from '../../src/dev/browser.ts';
import { person } from '../support/people.ts';
import { ORIGIN, workerFetch } from '../support/worker.ts';

const DEPLOYED = 'https://mcp-shop.example.workers.dev';

test('/how shows the drawing, says in words what it shows, and leads on', async () => {
  const page = await person().browser.open('/how');
  expect(page.status).toBe(200);
  expect(page.html).toMatch(/<img src="\/how\.svg"[^>]+alt="[^"]{80,}"/);
  expect(textOf(page)).toContain('Once it has answered, no call is decided in a deputy’s favour any more.');
  expect(page.html).toContain('href="/local-authkit"');
});

test('the landing page of a deployment shows its address as a QR code, and a local one does not', async () => {
  const deployed = await (await workerFetch(`${DEPLOYED}/`)).text();
  const [, drawn = ''] = /(<path [^>]+>)<\/svg>$/.exec(renderSVG(DEPLOYED, { border: 4 })) ?? [];
  expect(deployed).toContain(drawn);
  expect(deployed).toContain('aria-label="QR code of this address"');
  expect((await person().browser.open('/')).html).not.toContain('QR code');
});

const A_PERSON = { Accept: 'text/html,application/xhtml+xml;q=0.9' };

test('a person who opens the address of agents gets a page that is a challenge all the same', async () => {
  const page = await workerFetch(`${ORIGIN}/mcp`, { headers: A_PERSON });
  expect(page.status).toBe(401);
  expect(page.headers.get('WWW-Authenticate')).toContain(`${ORIGIN}/.well-known/oauth-protected-resource/mcp`);
  expect(page.headers.get('Content-Security-Policy')).toContain("default-src 'none'");
  expect(await page.text()).toContain('This address is for your agent');
});

test.each([
  ['asks for anything', 'GET', { Accept: '*/*' }],
  ['posts', 'POST', A_PERSON],
  ['has a token', 'GET', { ...A_PERSON, Authorization: 'Bearer wrong' }],
  ['runs in the page of another origin', 'GET', { ...A_PERSON, Origin: 'http://localhost:6274' }],
])('a program that %s gets no page there', async (_, method, headers) => {
  const answer = await workerFetch(`${ORIGIN}/mcp`, { method, headers });
  expect(answer.status).toBe(401);
  expect(answer.headers.get('Content-Type') ?? '').not.toContain('html');
  expect(answer.headers.get('WWW-Authenticate')).toContain('resource_metadata');
  await answer.body?.cancel();
});
