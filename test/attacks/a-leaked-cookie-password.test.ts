/**
 * COOKIE_PASSWORD has leaked, or is changed every year. With the one before as COOKIE_PASSWORD_PREVIOUS nobody notices; without
 * it, whatever was made by it is of no more use. Each use has a key of its own.
 */
import { afterEach, expect, test, vi } from 'vitest';
import { keysFor } from '../../src/auth/seal.ts';
import type { Config } from '../../src/config.ts';
import { LOCAL_COOKIE_PASSWORD } from '../../src/dev/authkit-store.ts';
import { Browser, textOf } from '../../src/dev/browser.ts';
import type { Person } from '../../src/dev/clients.ts';
import { later } from '../support/outages.ts';
import { deputyOf, person } from '../support/people.ts';
import { recordOf, SESSION } from '../support/scene.ts';
import { deployedWith, ORIGIN } from '../support/worker.ts';

afterEach(() => {
  vi.useRealTimers();
});

const NEW = 'another password of at least 32 characters';
const rotating = deployedWith({ COOKIE_PASSWORD: NEW, COOKIE_PASSWORD_PREVIOUS: LOCAL_COOKIE_PASSWORD });
const rotated = deployedWith({ COOKIE_PASSWORD: NEW });

/** The same browser, at a server that was deployed with other passwords. */
function at(fetch: typeof rotated, { browser }: Pick<Person, 'browser'>): Browser {
  const same = new Browser(ORIGIN, fetch);
  for (const [name, value] of browser.cookies) same.setCookie(name, value);
  return same;
}

test('while the password is rotated, nobody is signed out, and open pages and sign-ins under way go on', async () => {
  const ada = person();
  await deputyOf(ada, '2025-11-25');
  const page = await ada.browser.open('/deputies');
  const signIn = await ada.browser.open('/login?fresh&return_to=/deputies/all');
  const browser = at(rotating, ada);
  expect((await browser.open('/deputies')).status).toBe(200);
  await browser.press(page, 'Stop all');
  expect((await recordOf(ada)).account.authority).toBe('paused');
  const back = await browser.press(signIn, 'Continue', { email: ada.email });
  expect([back.status, back.url.pathname]).toEqual([200, '/deputies/all']);

  // Five minutes later a session of before has become one of the new password.
  const other = at(rotating, ada);
  later(6 * 60_000);
  expect((await other.open('/deputies')).status).toBe(200);
  for (const moved of [browser, other]) {
    const after = await at(rotated, { browser: moved }).open('/deputies');
    expect([after.status, textOf(after)]).toEqual([200, expect.stringContaining(ada.email)]);
  }
});

test('without the password before, what was made by it is nothing: sessions, forms, sign-ins under way', async () => {
  const ada = person();
  await deputyOf(ada, '2025-11-25');
  const page = await ada.browser.open('/deputies');
  const signIn = await ada.browser.open('/login?fresh&return_to=/deputies/all');
  const browser = at(rotated, ada);
  const refused = await browser.press(page, 'Stop all');
  expect([refused.status, textOf(refused)]).toEqual([401, expect.stringContaining('You are signed out')]);
  const back = await browser.press(signIn, 'Continue', { email: ada.email });
  expect(textOf(back)).toContain('This sign-in cannot be continued');
  expect(browser.cookies.has(SESSION)).toBe(false);
  // The form is of the same session, and its token of the password before.
  const again = at(rotating, ada);
  later(6 * 60_000);
  await again.open('/deputies');
  const same = await at(rotated, { browser: again }).press(page, 'Stop all');
  expect([same.status, textOf(same)]).toEqual([403, expect.stringContaining('not from your session')]);
  expect((await recordOf(ada)).account.authority).toBe('active');
});

test('each use has a key of its own, which tells nothing of the others or of the password', async () => {
  const config = { COOKIE_PASSWORD: NEW, COOKIE_PASSWORD_PREVIOUS: LOCAL_COOKIE_PASSWORD } as Config;
  const uses = ['session', 'sign-in', 'console form'] as const;
  const keys = uses.flatMap((use) => keysFor(config, use).map((key) => key.toHex()));
  expect(keys).toHaveLength(6);
  expect(new Set(keys).size).toBe(6);
  // RFC 5869, as the platform's own WebCrypto has it.
  const password = await crypto.subtle.importKey('raw', new TextEncoder().encode(NEW), 'HKDF', false, ['deriveBits']);
  const info = new TextEncoder().encode('session');
  const bits = await crypto.subtle.deriveBits(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info },
    password,
    256,
  );
  expect(keysFor(config, 'session')[0].toHex()).toBe(new Uint8Array(bits).toHex());
});
