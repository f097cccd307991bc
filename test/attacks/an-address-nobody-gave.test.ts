/**
 * A deputy would like to know where its human lives, and a thief would like to have parcels. The address that a human keeps
 * is read with the power for it alone, and is changed with a session that WorkOS confirms; erasing takes it along.
 */
import { runInDurableObject } from 'cloudflare:test';
import { afterEach, expect, test, vi } from 'vitest';
import { hiddenFields, textOf } from '../../src/dev/browser.ts';
import type { Person } from '../../src/dev/clients.ts';
import { callMessage, cookiesOf, rpc } from '../support/http.ts';
import { objectOf, person } from '../support/people.ts';
import { plainClient, post, recordOf } from '../support/scene.ts';

const HOME = { company: 'Home', mailingAddress: '12 Secret Street' };

afterEach(() => {
  vi.useRealTimers();
});

async function keeping(human: Person): Promise<void> {
  await human.browser.press(await human.walk('/deputies/profile'), 'Keep this', HOME);
}

test('a deputy without the power is not told, and the call says which power that would be', async () => {
  const ada = person();
  ada.ticks = ['shop:buy', 'orders:read'];
  const { tokens } = await plainClient(ada);
  await keeping(ada);
  const answer = await rpc(tokens.access_token, callMessage('getUserProfile'));
  expect(answer.status).toBe(403);
  expect(answer.headers.get('WWW-Authenticate')).toContain('profile:read');
  expect(await answer.text()).not.toContain('Secret Street');
});

test('no line of the record and no page but its own holds it', async () => {
  const ada = person();
  const { tokens } = await plainClient(ada);
  await keeping(ada);
  expect(await (await rpc(tokens.access_token, callMessage('getUserProfile'))).text()).toContain('Secret Street');
  expect(JSON.stringify(await recordOf(ada))).not.toContain('Secret Street');
  expect((await ada.browser.open('/deputies/record.jsonl')).html).not.toContain('Secret Street');
  expect((await ada.browser.open('/deputies')).html).not.toContain('Secret Street');
});

test('a copied session of a browser that has signed out cannot have orders sent elsewhere', async () => {
  const ada = person();
  await keeping(ada);
  const page = await ada.browser.open('/deputies/profile');
  const form = { ...hiddenFields(page), company: 'Mallory', mailingAddress: '1 Thief Road' };
  const copied = { Cookie: cookiesOf(ada) };
  await ada.browser.press(page, 'Sign out');
  expect(await post('/deputies/profile', form, copied)).toBe(401);
  expect(textOf(await ada.walk('/deputies/profile'))).toContain('12 Secret Street');
});

test('another site cannot, and neither can somebody whom support signed in', async () => {
  const ada = person();
  await keeping(ada);
  const form = { ...hiddenFields(await ada.browser.open('/deputies/profile')), company: 'M', mailingAddress: 'X' };
  expect(await post('/deputies/profile', form, { Cookie: cookiesOf(ada), Origin: 'https://evil.example' })).toBe(403);
  expect(await post('/deputies/profile', { ...form, form: '' }, { Cookie: cookiesOf(ada) })).toBe(403);

  const somebody = person();
  const signIn = await somebody.browser.open('/deputies/profile');
  const support = { email: ada.email, impersonator: 'grace@support.example' };
  const page = await somebody.browser.press(signIn, 'Continue', support);
  const refused = await somebody.browser.press(page, 'Keep this', { company: 'M', mailingAddress: 'X' });
  expect(refused.status).toBe(403);
  expect(textOf(await ada.browser.open('/deputies/profile'))).toContain('12 Secret Street');
});

test('a page from before a change overwrites nothing', async () => {
  const ada = person();
  await keeping(ada);
  const [one, other] = await Promise.all([1, 2].map(() => ada.browser.open('/deputies/profile')));
  if (!one || !other) throw new Error('no pages');
  await ada.browser.press(one, 'Keep this', { ...HOME, mailingAddress: '13 Secret Street' });
  const late = await ada.browser.press(other, 'Keep this', { company: 'Old', mailingAddress: 'Elsewhere' });
  expect(late.status).toBe(409);
  expect(textOf(late)).toContain('Nothing was changed');
  expect(textOf(await ada.browser.open('/deputies/profile'))).toContain('13 Secret Street');
});

test('deleting one’s data deletes it', async () => {
  const ada = person();
  await keeping(ada);
  await ada.browser.press(await ada.browser.open('/deputies/erase'), 'Delete everything');
  expect(textOf(await ada.browser.open('/deputies/profile'))).not.toContain('Secret Street');
  const kept = await runInDurableObject(objectOf(ada), (_, { storage }) => storage.kv.get('profile'));
  expect(kept).toBeUndefined();
});
