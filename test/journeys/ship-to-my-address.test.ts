/** "Ship it to my address": what a human keeps on a page of theirs, and the deputies that may read it. */
import { expect, test } from 'vitest';
import { textOf } from '../../src/dev/browser.ts';
import { ERAS, type Person } from '../../src/dev/clients.ts';
import { outcome, recordOf } from '../support/scene.ts';
import { deputyOf, person } from '../support/people.ts';
import { buy } from '../support/shop.ts';

const HOME = { company: 'Ada & Sons <Ltd>', mailingAddress: '12 St James’s Square\nLondon SW1Y 4JH' };

const profilePage = (human: Person) => human.walk('/deputies/profile');

async function keep(human: Person, fields: Record<string, string>) {
  return human.browser.press(await profilePage(human), 'Keep this', fields);
}

test.each(ERAS)('a %s deputy that may, reads where its human wants orders to go, and buys there', async (era) => {
  const ada = person();
  const deputy = await deputyOf(ada, era, 'Post girl');
  const empty = await deputy.call('getUserProfile');
  expect(empty).toMatchObject({ isError: false, data: { profile: {} } });
  expect(empty.text).toContain('/deputies/profile');

  expect((await keep(ada, HOME)).url.pathname).toBe('/deputies');
  const { text, data } = await deputy.call('getUserProfile');
  expect(data['profile']).toEqual(HOME);
  expect(text).toContain('Mailing address: "12 St James’s Square\\nLondon SW1Y 4JH"');
  expect(await buy(deputy, HOME)).toMatchObject(HOME);

  const page = await profilePage(ada);
  expect(textOf(page)).toContain('These may read it now: Post girl');
  expect(textOf(page)).toContain('Ada & Sons <Ltd>');
  const { timeline } = await recordOf(ada);
  expect(timeline.findLast((line) => 'act' in line && line.act === 'profile')).toMatchObject({
    actor: 'human',
    kept: ['company', 'mailingAddress'],
  });
  expect(textOf(await ada.browser.open('/deputies'))).toContain('You changed your profile');
});

test('what cannot be an address is told at its field, and nothing typed is lost', async () => {
  const ada = person();
  const page = await keep(ada, { company: 'x'.repeat(101), mailingAddress: 'right \u202Eeviw sdrow' });
  expect(page.status).toBe(400);
  expect(textOf(page)).toContain('It must be at most 100 characters.');
  expect(textOf(page)).toContain('It must not contain control characters or bidirectional overrides.');
  expect(page.html).toContain('x'.repeat(101));
  const again = await ada.browser.press(page, 'Keep this', { ...HOME });
  expect(again.url.pathname).toBe('/deputies');
  expect(textOf(await profilePage(ada))).toContain('London SW1Y 4JH');
});

test('one field alone can be kept, and an empty form removes everything, whatever else was changed', async () => {
  const ada = person();
  const deputy = await deputyOf(ada, '2026-07-28');
  await keep(ada, { ...HOME, company: '  ' });
  expect((await deputy.call('getUserProfile')).data['profile']).toEqual({ mailingAddress: HOME.mailingAddress });
  const old = await profilePage(ada);
  await keep(ada, HOME);
  await ada.browser.press(old, 'Keep this', { company: '', mailingAddress: '' });
  expect((await deputy.call('getUserProfile')).data['profile']).toEqual({});
  expect(textOf(await ada.browser.open('/deputies'))).toContain('You removed your profile');
});

test('a pause holds for it as for any call', async () => {
  const ada = person();
  const deputy = await deputyOf(ada, '2025-11-25');
  await keep(ada, HOME);
  await ada.browser.submit(await ada.browser.open('/deputies'), '/deputies/pause');
  expect(await outcome(deputy, 'getUserProfile')).toBe('paused');
});
