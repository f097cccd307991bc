/**
 * Mallory registers a client with an address of his own, and sends Ada a link to our server that is broken on purpose, so
 * that our error leads her to him: RFC 9700, section 4.11.2. She sees a page of ours, which names the host, and decides.
 */
import { afterEach, expect, test, vi } from 'vitest';
import { linkOf, textOf } from '../../src/dev/browser.ts';
import { authorizePath, registeredClient } from '../support/http.ts';
import { person } from '../support/people.ts';
import { EVIL } from '../support/scene.ts';
import { ORIGIN } from '../support/worker.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const BROKEN = {
  'no response type': { response_type: undefined },
  'the implicit flow': { response_type: 'token' },
  'no PKCE': { code_challenge: undefined, code_challenge_method: undefined },
  'plain PKCE': { code_challenge_method: 'plain' },
  'another resource': { resource: 'https://other.example/mcp' },
  'more than a cookie holds': { state: crypto.getRandomValues(new Uint8Array(5000)).toBase64() },
};

const TRAP = `${EVIL}/login`;

function throughTheSignIn(path: string): string {
  return `/login?${new URLSearchParams({ return_to: path }).toString()}`;
}

/** Opens a link as somebody who is not signed in, and cancels if AuthKit asks who it is. */
async function follow(path: string) {
  const { browser } = person();
  const page = await browser.open(path);
  return page.html.includes('name="email"') ? browser.press(page, 'Cancel') : page;
}

function expectPageOfOurs(page: Awaited<ReturnType<typeof follow>>, host: string, what: string) {
  expect(page.left, what).toBeUndefined();
  expect(page.url.origin, what).toBe(ORIGIN);
  expect(page.status, what).toBe(400);
  expect(textOf(page), what).toContain('Nobody has verified whose address that is');
  expect(linkOf(page, `Go back to ${host}`)?.searchParams.get('error'), what).toBeTruthy();
}

test('a broken request of a client that nobody verified shows a page, wherever it is broken', async () => {
  const clientId = await registeredClient({ redirect_uris: [TRAP] });
  for (const [what, changes] of Object.entries(BROKEN)) {
    const path = authorizePath(clientId, { redirect_uri: TRAP, ...changes });
    expectPageOfOurs(await follow(path), 'evil.example', what);
    expectPageOfOurs(await follow(throughTheSignIn(path)), 'evil.example', `/login, ${what}`);
  }
});

test('a sign-in that Ada cancels shows a page, and so does a broken request after one that she finishes', async () => {
  const clientId = await registeredClient({ redirect_uris: [TRAP] });
  expectPageOfOurs(await follow(authorizePath(clientId, { redirect_uri: TRAP })), 'evil.example', 'cancelled');
  const broken = authorizePath(clientId, { redirect_uri: TRAP, ...BROKEN['no PKCE'] });
  expectPageOfOurs(await person().walk(throughTheSignIn(broken)), 'evil.example', 'signed in');
});

test.each([
  ['https://localhost.evil.example/', 'localhost.evil.example'],
  ['https://127.0.0.1.evil.example/', '127.0.0.1.evil.example'],
  ['https://evil.example/https://localhost/', 'evil.example'],
])('%s is no program on this computer that we would send anybody to', async (trap, host) => {
  const clientId = await registeredClient({ redirect_uris: [trap] });
  const path = authorizePath(clientId, { redirect_uri: trap, ...BROKEN['the implicit flow'] });
  expectPageOfOurs(await follow(path), host, trap);
});

test.each(['http://localhost:33418/callback', 'http://127.0.0.1:33418/callback', 'http://[::1]:33418/callback'])(
  'a program at %s is told at once, as before',
  async (address) => {
    const clientId = await registeredClient({ redirect_uris: [address] });
    for (const [what, changes] of Object.entries(BROKEN)) {
      const path = authorizePath(clientId, { redirect_uri: address, ...changes });
      for (const link of [path, throughTheSignIn(path)]) {
        const { left } = await follow(link);
        expect(left?.href, what).toMatch(`${address}?error=`);
      }
    }
  },
);

test('a client that is verified is told at once, and one that only says so is not', async () => {
  // An address that no other test has: that a document could not be read is remembered for a while.
  const host = `assistant-${crypto.randomUUID()}.example`;
  const clientId = `https://${host}/oauth/client.json`;
  const address = `https://${host}/callback`;
  const network = globalThis.fetch;
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) =>
    new Request(input, init).url === clientId
      ? Response.json({ client_id: clientId, client_name: 'Assistant', redirect_uris: [address] })
      : network(input, init),
  );
  for (const [what, changes] of Object.entries(BROKEN)) {
    const path = authorizePath(clientId, { redirect_uri: address, ...changes });
    for (const link of [path, throughTheSignIn(path)]) expect((await follow(link)).left?.href, what).toContain(address);
  }

  const claims = { client_uri: `https://${host}`, client_name: clientId, redirect_uris: [TRAP] };
  const path = authorizePath(await registeredClient(claims), { redirect_uri: TRAP, ...BROKEN['no PKCE'] });
  expectPageOfOurs(await follow(path), 'evil.example', 'it says so');
  // The other client's name is first in the address, and its document does not list this one's.
  const both = await follow(authorizePath(clientId, { redirect_uri: TRAP, ...BROKEN['no PKCE'] }));
  expect(both.left).toBeUndefined();
});
