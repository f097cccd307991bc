/**
 * WorkOS lets a user have any number of permissions, and fifty fields of metadata. Ada's session is then longer than a cookie
 * may be, and browsers drop such a cookie without a word. She is signed in all the same, and reaches the brake.
 */
import { WorkOS } from '@workos-inc/node';
import { afterEach, expect, test, vi } from 'vitest';
import { keysFor, sealer } from '../../src/auth/seal.ts';
import type { Config } from '../../src/config.ts';
import { LOCAL_CLIENT_ID, LOCAL_COOKIE_PASSWORD } from '../../src/dev/authkit-store.ts';
import { textOf } from '../../src/dev/browser.ts';
import type { Person } from '../../src/dev/clients.ts';
import { authorizePath, registeredClient } from '../support/http.ts';
import { later } from '../support/outages.ts';
import { person } from '../support/people.ts';
import { recordOf, SESSION } from '../support/scene.ts';
import { workosAnswers } from '../support/workos-answers.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** What the browser holds of its session. */
function partsOf({ browser }: Person): [name: string, value: string][] {
  return [...browser.cookies].filter(([name]) => name.startsWith(SESSION));
}

function withPermissions(count: number) {
  return workosAnswers((claims, { user }) => {
    claims['permissions'] = Array.from({ length: count }, (_, index) => `module-${index}:records:write`);
    user['metadata'] = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`key${index}`, 'm'.repeat(600)]));
    user['profile_picture_url'] = `https://example.com/${'p'.repeat(1800)}`;
  });
}

test.each([
  [0, 1],
  [40, 1],
  [100, 2],
  [500, 5],
])('somebody with %i permissions and fifty fields of metadata has %i cookies at least', async (count, atLeast) => {
  const ada = person();
  await withPermissions(count);
  expect(textOf(await ada.walk(authorizePath(await registeredClient())))).toContain(ada.email);
  const parts = partsOf(ada);
  expect(parts.length).toBeGreaterThanOrEqual(atLeast);
  // Metadata are not among them: they alone would be eight.
  expect(parts.length).toBeLessThanOrEqual(atLeast + 4);
  if (count <= 40) expect(parts).toHaveLength(1);
  for (const [name, value] of parts) expect(name.length + value.length).toBeLessThan(3900);

  later(6 * 60_000);
  await ada.browser.press(await ada.browser.open('/deputies'), 'Stop all');
  expect((await recordOf(ada)).account.authority).toBe('paused');
  await ada.browser.press(await ada.browser.open('/deputies'), 'Sign out');
  expect(partsOf(ada)).toEqual([]);
});

test('what is sealed is what is used, and nothing else of what WorkOS says', async () => {
  const ada = person();
  await withPermissions(1);
  await ada.walk('/login');
  const [[, value] = ['', '']] = partsOf(ada);
  const keys = keysFor({ COOKIE_PASSWORD: LOCAL_COOKIE_PASSWORD } as Config, 'session');
  const text = await (await sealer(keys[0])).open(value.replace(/^1\./, ''));
  expect(JSON.parse(text ?? '{}')).toEqual({
    accessToken: expect.any(String),
    refreshToken: expect.any(String),
    user: { id: expect.stringMatching(/^user_local_/), email: ada.email, name: expect.any(String) },
  });
});

test('parts that are missing, changed places, or come from two sessions are none, and are cleared away', async () => {
  const ada = person();
  await withPermissions(150);
  await ada.walk('/login');
  const good = partsOf(ada);
  later(6 * 60_000);
  await ada.browser.open('/deputies');
  const newer = partsOf(ada);
  expect([good.length > 2, newer.length]).toEqual([true, good.length]);
  const [first, second, third] = good.map(([name]) => name) as [string, string, string];
  const broken: Record<string, (parts: Map<string, string>) => void> = {
    'the first is missing': (parts) => parts.delete(first),
    'the last is missing': (parts) => parts.delete(good.at(-1)?.[0] ?? ''),
    'two changed places': (parts) => parts.set(second, newer[2]?.[1] ?? '').set(third, newer[1]?.[1] ?? ''),
    'one is of the session before': (parts) => parts.set(second, good[1]?.[1] ?? ''),
    'all but the first are of the session before': (parts) => parts.set(first, good[0]?.[1] ?? ''),
    'the first says that there are two': (parts) => parts.set(first, newer[0]?.[1].replace(/^\d+/, '2') ?? ''),
    'the first says that it is alone': (parts) => parts.set(first, newer[0]?.[1].replace(/^\d+/, '1') ?? ''),
  };
  for (const [what, change] of Object.entries(broken)) {
    // AuthKit would sign her in again without a word.
    for (const [name] of [...partsOf(ada), ['local-authkit']]) ada.browser.cookies.delete(name ?? '');
    const parts = new Map(newer);
    change(parts);
    for (const [name, value] of parts) ada.browser.setCookie(name, value);
    const page = await ada.browser.open('/deputies');
    expect(page.html, what).toContain('name="email"');
    expect(partsOf(ada), what).toEqual([]);
    expect(textOf(await ada.walk('/deputies')), what).toContain(ada.email);
  }
});

test('a session that became shorter leaves no part of the longer one, and one that stays does no harm', async () => {
  const ada = person();
  await withPermissions(150);
  await ada.walk('/login');
  const longer = partsOf(ada);
  expect(longer.length).toBeGreaterThan(2);
  vi.restoreAllMocks();
  await withPermissions(0);
  later(6 * 60_000);
  expect(textOf(await ada.browser.open('/deputies'))).toContain(ada.email);
  expect(partsOf(ada)).toHaveLength(1);
  for (const [name, value] of longer.slice(1)) ada.browser.setCookie(name, value);
  expect(textOf(await ada.browser.open('/deputies'))).toContain(ada.email);
});

test('a session that the SDK has sealed, as ours were once, is read, and is one of ours after its refresh', async () => {
  const ada = person();
  await ada.walk('/login');
  const keys = keysFor({ COOKIE_PASSWORD: LOCAL_COOKIE_PASSWORD } as Config, 'session');
  const text = await (await sealer(keys[0])).open(partsOf(ada)[0]?.[1].replace(/^1\./, '') ?? '');
  const { accessToken, refreshToken, user } = JSON.parse(text ?? '{}') as Record<string, string>;
  const answer = { user, access_token: accessToken, refresh_token: refreshToken };
  vi.spyOn(globalThis, 'fetch').mockResolvedValueOnce(Response.json(answer));
  const session = { sealSession: true, cookiePassword: LOCAL_COOKIE_PASSWORD };
  const sdk = new WorkOS('sk_test', { clientId: LOCAL_CLIENT_ID });
  const { sealedSession = '' } = await sdk.userManagement.authenticateWithCode({ code: 'any', session });
  expect(sealedSession).toMatch(/^Fe26\.2\*/);
  ada.browser.setCookie(SESSION, sealedSession);
  expect(textOf(await ada.browser.open('/deputies'))).toContain(ada.email);
  expect(ada.browser.cookies.get(SESSION)).toBe(sealedSession);
  later(6 * 60_000);
  expect(textOf(await ada.browser.open('/deputies'))).toContain(ada.email);
  expect(ada.browser.cookies.get(SESSION)).toMatch(/^1\./);
});
