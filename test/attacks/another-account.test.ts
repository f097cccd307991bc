/**
 * A consent page is shown to Ada, and then her browser changes to Bob's account (a shared computer, or a planted sign-in)
 * before Allow is pressed. The form carries the account it was shown to; another one must look at the page again.
 */
import { expect, test } from 'vitest';
import { textOf } from '../../src/dev/browser.ts';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import { authorizePath, registeredClient } from '../support/http.ts';
import { person } from '../support/people.ts';
import { recordOf } from '../support/scene.ts';

test("Ada's page appoints nobody for Bob, nor for Ada", async () => {
  const [ada, bob] = [person(), person()];
  const page = await ada.walk(authorizePath(await registeredClient()));
  const signIn = await ada.browser.open('/login?fresh&return_to=/');
  await ada.browser.press(signIn, 'Continue', { email: bob.email });

  const answer = await ada.browser.press(page, 'Allow');
  expect(answer.status).toBe(403);
  expect(textOf(answer)).toContain('You are signed in as somebody else now');
  for (const human of [ada, bob]) expect((await recordOf(human)).deputies).toEqual([]);
});

test('a form that names another account appoints nobody for it', async () => {
  const [ada, bob] = [person(), person()];
  const page = await ada.walk(authorizePath(await registeredClient()));
  expect((await ada.browser.press(page, 'Allow', { user: userIdOf(bob.email) })).status).toBe(403);
  for (const human of [ada, bob]) expect((await recordOf(human)).deputies).toEqual([]);
});
