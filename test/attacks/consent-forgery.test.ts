/**
 * Mallory answers the consent page in Ada's place: her own page posts the form, puts ours in a frame, or brings a handle
 * of hers. The Origin check, the ban on frames, and a handle that is bound to the browser it was shown in stop her.
 */
import { expect, test } from 'vitest';
import { hiddenFields } from '../../src/dev/browser.ts';
import { authorizePath, cookiesOf, registeredClient } from '../support/http.ts';
import { person } from '../support/people.ts';
import { EVIL, NEIGHBOUR, post, recordOf } from '../support/scene.ts';

test.each([EVIL, NEIGHBOUR, 'null'])('a form posted by a page of %s appoints nobody', async (origin) => {
  const ada = person();
  const path = authorizePath(await registeredClient());
  const fields = { ...hiddenFields(await ada.walk(path)), ...BLANKS };
  const headers = { Cookie: cookiesOf(ada) };
  expect(await post(path, fields, { ...headers, Origin: origin })).toBe(403);
  expect((await recordOf(ada)).deputies).toEqual([]);
  // The same form from our own page is what Ada would have sent.
  expect(await post(path, fields, headers)).toBe(302);
});

test('a handle from another browser, or a made-up one, appoints nobody', async () => {
  const [ada, mallory] = [person(), person()];
  const path = authorizePath(await registeredClient());
  const { handle: foreign = '' } = hiddenFields(await mallory.walk(path));
  const { user = '' } = hiddenFields(await ada.walk(path));
  for (const handle of [foreign, 'made-up', '']) {
    expect(await post(path, { handle, user, ...BLANKS }, { Cookie: cookiesOf(ada) })).toBe(400);
  }
  expect((await recordOf(ada)).deputies).toEqual([]);
});

test('the page cannot be framed, so nobody can lay a button over it', async () => {
  const { headers } = await person().walk(authorizePath(await registeredClient()));
  expect(headers.get('Content-Security-Policy')).toContain("frame-ancestors 'none'");
  expect(headers.get('X-Frame-Options')).toBe('DENY');
});

const BLANKS = {
  decision: 'allow',
  scope: 'shop:buy',
  shirtsPerOrder: '5',
  shirtsPerDay: '10',
  spendPerDay: '250',
  askAbove: '3',
  read: 'yes',
  until: 'week',
};
