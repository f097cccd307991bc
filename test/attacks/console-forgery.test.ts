/**
 * Ada is signed in, and a page of Mallory's makes her browser use the console: a form posted from elsewhere, a form with the
 * token of another session, a link that changes something, our page in a frame. The Origin check, a token in every form that
 * belongs to one session, and pages that change nothing when they are only opened stop her.
 */
import { cookiesOf } from '../support/http.ts';
import { expect, test } from 'vitest';
import { hiddenFields } from '../../src/dev/browser.ts';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import { deputyOf, person } from '../support/people.ts';
import { EVIL, NEIGHBOUR, post, recordOf } from '../support/scene.ts';

const LIMITS = { shirtsPerOrder: '100', shirtsPerDay: '1000', spendPerDay: '25000', askAbove: '', until: 'month' };

/** Somebody with a deputy, in front of the console, and every form that they could post there. */
async function adaAtHerConsole() {
  const ada = person();
  await deputyOf(ada, '2025-11-25');
  const { form = '' } = hiddenFields(await ada.walk('/deputies'));
  const [deputy] = (await recordOf(ada)).deputies;
  const own = `/deputies/${deputy?.deputyId}`;
  const paths = ['pause', 'resume', 'ceiling', 'erase'].map((act) => `/deputies/${act}`).concat(own, `${own}/revoke`);
  return { ada, form, paths, unchanged: (await recordOf(ada)).head };
}

test.each([EVIL, NEIGHBOUR, 'null'])('no form posted by a page of %s does anything', async (origin) => {
  const { ada, form, paths, unchanged } = await adaAtHerConsole();
  for (const path of paths) {
    const fields = { ...LIMITS, form, version: '1' };
    expect(await post(path, fields, { Cookie: cookiesOf(ada), Origin: origin }), path).toBe(403);
  }
  expect((await recordOf(ada)).head).toEqual(unchanged);
});

test("a form without a token, or with the token of somebody else's session, does nothing", async () => {
  const { ada, form, paths, unchanged } = await adaAtHerConsole();
  const mallory = person();
  const { form: foreign = '' } = hiddenFields(await mallory.walk('/deputies'));
  expect(foreign).not.toBe(form);
  for (const path of paths) {
    for (const token of [{}, { form: '' }, { form: foreign }, { form: `${form.slice(0, -1)}!` }]) {
      expect(await post(path, { ...LIMITS, version: '1', ...token }, { Cookie: cookiesOf(ada) }), path).toBe(403);
    }
  }
  expect((await recordOf(ada)).head).toEqual(unchanged);
  expect(await post('/deputies/pause', { form }, { Cookie: cookiesOf(ada) })).toBe(303);
});

test('a form without a session does nothing, whoever it names', async () => {
  const { ada, form, paths, unchanged } = await adaAtHerConsole();
  const named = { form, user: userIdOf(ada.email), userId: userIdOf(ada.email) };
  for (const path of paths) {
    expect(await post(path, { ...LIMITS, version: '1', ...named }), path).toBe(401);
    expect(await post(path, { ...LIMITS, version: '1', ...named }, { Cookie: '__Host-mcp-shop-session=x' })).toBe(401);
  }
  expect((await recordOf(ada)).head).toEqual(unchanged);
});

test("a form of Mallory's own session does nothing to a deputy of Ada's", async () => {
  const { ada, unchanged } = await adaAtHerConsole();
  const mallory = person();
  const { form = '' } = hiddenFields(await mallory.walk('/deputies'));
  const [deputy] = (await recordOf(ada)).deputies;
  for (const path of [`/deputies/${deputy?.deputyId}`, `/deputies/${deputy?.deputyId}/revoke`]) {
    expect(await post(path, { ...LIMITS, version: '1', form }, { Cookie: cookiesOf(mallory) }), path).toBe(404);
  }
  expect((await recordOf(ada)).head).toEqual(unchanged);
});

test('a page that is only opened changes nothing, and cannot be framed', async () => {
  const { ada, form, paths, unchanged } = await adaAtHerConsole();
  for (const path of ['/deputies', ...paths]) {
    const page = await ada.browser.open(`${path}?${new URLSearchParams({ ...LIMITS, form, version: '1' }).toString()}`);
    expect(page.headers.get('Content-Security-Policy'), path).toContain("frame-ancestors 'none'");
    expect(page.headers.get('X-Frame-Options'), path).toBe('DENY');
  }
  expect((await recordOf(ada)).head).toEqual(unchanged);
});
