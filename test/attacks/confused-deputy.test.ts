/**
 * Mallory registers a client of her own and sends Ada, who is signed in and trusts another client, to /authorize. Nothing
 * asks Ada to sign in, but the consent page is always shown, is never remembered, and names who would get the power.
 */
import { expect, test } from 'vitest';
import { textOf } from '../../src/dev/browser.ts';
import { authorizePath, registeredClient } from '../support/http.ts';
import { person } from '../support/people.ts';
import { EVIL, recordOf } from '../support/scene.ts';

test.each([{}, { prompt: 'none' }])('a signed-in human is shown the page of a new client (%j)', async (extra) => {
  const ada = person();
  await ada.answer(authorizePath(await registeredClient()));
  const mallory = await registeredClient({ redirect_uris: [`${EVIL}/cb`] });
  const page = await ada.walk(authorizePath(mallory, { redirect_uri: `${EVIL}/cb`, ...extra }));
  expect(page.left).toBeUndefined();
  expect(textOf(page)).toContain('Afterwards you are back at evil.example');
  expect((await recordOf(ada)).deputies).toHaveLength(1);
});

test('a yes is not remembered, not even for the same client', async () => {
  const ada = person();
  const path = authorizePath(await registeredClient());
  await ada.answer(path);
  const again = await ada.walk(path);
  expect(again.left).toBeUndefined();
  expect(textOf(again)).toContain('Make Honest client your deputy?');
});
