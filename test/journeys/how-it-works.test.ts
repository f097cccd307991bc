/** The pages for an audience: the architecture as a drawing, and the address that phones can read. */
import { expect, test } from 'vitest';
import { renderSVG } from 'uqr';
import { textOf } from '../../src/dev/browser.ts';
import { person } from '../support/people.ts';
import { workerFetch } from '../support/worker.ts';

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
