/**
 * Mallory copied Ada's cookie from a computer where Ada has signed out since, or sits at one where she forgot to. Such a
 * session can lay authority down, never pick it up: that needs WorkOS to say now that the session stands, or a fresh sign-in.
 */
import { afterEach, expect, test, vi } from 'vitest';
import { hiddenFields } from '../../src/dev/browser.ts';
import { authorizePath, cookiesOf, registeredClient } from '../support/http.ts';
import { deputyOf, person } from '../support/people.ts';
import { post, recordOf } from '../support/scene.ts';

afterEach(() => {
  vi.useRealTimers();
});

const LIMITS = { shirtsPerOrder: '5', shirtsPerDay: '10', spendPerDay: '250', askAbove: '3', until: 'keep' };

async function adaAtHerConsole() {
  const ada = person();
  await deputyOf(ada, '2025-11-25');
  const page = await ada.walk('/deputies');
  const { form = '' } = hiddenFields(page);
  const [deputy] = (await recordOf(ada)).deputies;
  return { ada, page, form, own: `/deputies/${deputy?.deputyId}` };
}

test('the copy of a cookie that was signed out can pause and narrow, but not resume or widen', async () => {
  const { ada, page, form, own } = await adaAtHerConsole();
  const copy = { Cookie: cookiesOf(ada) };
  await ada.browser.press(page, 'Sign out');

  const change = (fields: Record<string, string>) => post(own, { ...LIMITS, ...fields, form }, copy);
  expect(await change({ version: '1', scope: 'shop:buy', askAbove: '2' })).toBe(303);
  expect(await change({ version: '2', scope: 'shop:buy' })).toBe(401);
  expect(await post('/deputies/pause', { form }, copy)).toBe(303);
  expect(await post('/deputies/resume', { form }, copy)).toBe(401);
  expect(await post('/deputies/ceiling', { form, shirtsPerDay: '1000', spendPerDay: '25000' }, copy)).toBe(401);
  expect(await post('/deputies/erase', { form }, copy)).toBe(401);
  const { account, deputies } = await recordOf(ada);
  expect(account).toMatchObject({ authority: 'paused', ceiling: { shirtsPerDay: 20, spendPerDay: 50_000 } });
  expect(deputies[0]?.mandate).toMatchObject({ version: 2, limits: { askAbove: 2 } });
});

test('a copy from before the last refresh is not taken for a session that stands', async () => {
  const { ada, form } = await adaAtHerConsole();
  const copy = { Cookie: cookiesOf(ada) };
  await post('/deputies/pause', { form }, copy);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 6 * 60_000 });
  const page = await ada.browser.open('/deputies');
  expect(page.status).toBe(200);
  await ada.browser.press(page, 'Sign out');
  expect(await post('/deputies/resume', { form }, copy)).toBe(401);
  expect((await recordOf(ada)).account.authority).toBe('paused');
});

test('a copy appoints nobody', async () => {
  const { ada, page } = await adaAtHerConsole();
  const mallory = person();
  for (const [name, value] of ada.browser.cookies) mallory.browser.setCookie(name, value);
  const consent = await mallory.browser.open(authorizePath(await registeredClient()));
  await ada.browser.press(page, 'Sign out');
  const answer = await mallory.browser.press(consent, 'Allow');
  expect(answer.left).toBeUndefined();
  expect(answer.html).toContain('name="email"');
  expect((await recordOf(ada)).deputies).toHaveLength(1);
});

test('a browser that was left signed in can neither raise the ceiling nor delete the record', async () => {
  const { ada, form } = await adaAtHerConsole();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 11 * 60_000 });
  const fields = { form, shirtsPerDay: '1000', spendPerDay: '25000' };
  for (const path of ['/deputies/ceiling', '/deputies/erase']) {
    // The session is refreshed on the way, which is no proof that Ada is there.
    expect((await ada.browser.open('/deputies')).status).toBe(200);
    expect(await post(path, fields, { Cookie: cookiesOf(ada) }), path).toBe(403);
    expect((await ada.browser.open(path)).html, path).toContain('name="email"');
  }
  const { account, deputies } = await recordOf(ada);
  expect(account.ceiling).toEqual({ shirtsPerDay: 20, spendPerDay: 50_000 });
  expect(deputies).toHaveLength(1);
});
