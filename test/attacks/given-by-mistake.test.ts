/**
 * Ada says more than she means: powers that nobody asked for, a client that she has dismissed before, numbers that contradict
 * each other, a page that she has not read or that lay open too long. Each is shown or told before anything is granted.
 */
import { afterEach, expect, test, vi } from 'vitest';
import { parse } from 'node-html-parser';
import { hiddenFields, type Page, textOf } from '../../src/dev/browser.ts';
import { authorizePath, cookiesOf, redeem, registeredClient } from '../support/http.ts';
import { deputyOf, objectOf, person } from '../support/people.ts';
import { post, recordOf } from '../support/scene.ts';

afterEach(() => {
  vi.useRealTimers();
});

function ticked({ html }: Page): (string | undefined)[] {
  return parse(html)
    .querySelectorAll('[name=scope][checked]')
    .map((box) => box.getAttribute('value'));
}

test.each([
  [undefined, ['shop:browse']],
  ['shop:browse', ['shop:browse']],
  ['shop:browse offline_access', ['shop:browse']],
  ['shop:everything', ['shop:browse']],
  ['orders:read', ['shop:browse', 'orders:read']],
  ['shop:browse shop:buy orders:read', ['shop:browse', 'shop:buy', 'orders:read']],
])(
  'of a client that asks for %s, that is ticked, the rest is offered, and Allow grants no more',
  async (scope, asked) => {
    const human = person();
    const clientId = await registeredClient();
    const page = await human.walk(authorizePath(clientId, { scope }));
    expect(ticked(page)).toEqual(asked);
    expect(textOf(page)).toContain('Read your orders');
    const { left } = await human.browser.press(page, 'Allow');
    const answer = await redeem(clientId, left?.searchParams.get('code') ?? '');
    expect(await answer.json()).toMatchObject({ scope: asked.join(' ') });
    const [deputy] = (await recordOf(human)).deputies;
    expect(deputy?.mandate.scopes).toEqual(asked);
  },
);

test('a client that was dismissed is shown as such, with when', async () => {
  const human = person();
  const registeredAnew = async () => {
    const id = await registeredClient({ client_name: 'Persistent' });
    return [id, authorizePath(id)] as const;
  };
  const [clientId, path] = await registeredAnew();
  expect(textOf(await human.walk(path))).not.toContain('You dismissed');
  await redeem(clientId, (await human.answer(path)).get('code') ?? '');
  const [deputy] = (await recordOf(human)).deputies;
  await objectOf(human).act({ do: 'revoke', deputyId: deputy?.deputyId ?? '' });
  const [dismissed] = (await recordOf(human)).deputies;
  const when = dismissed?.changedAt ?? '';
  const asked = await human.walk(path);
  expect(textOf(asked)).toMatch(/You dismissed this client (now|\d s ago)/);
  expect(asked.html).toContain(`<time datetime="${when}"`);

  // Whoever registers anew is another client, which cannot be told apart for sure.
  const [otherId, again] = await registeredAnew();
  expect(textOf(await human.walk(again))).toMatch(
    /You dismissed a client of this name .* It went back to the same place, and this may be the same one/,
  );
  // Once that is dismissed too, each has its own time.
  await redeem(otherId, (await human.answer(again)).get('code') ?? '');
  const [second] = (await recordOf(human)).deputies;
  await objectOf(human).act({ do: 'revoke', deputyId: second?.deputyId ?? '' });
  expect((await human.walk(path)).html).toContain(`<time datetime="${when}"`);
  const other = authorizePath(await registeredClient({ client_name: 'Another' }));
  expect(textOf(await human.walk(other))).not.toContain('You dismissed');

  // Who is appointed again is no longer dismissed.
  await redeem(clientId, (await human.answer(path)).get('code') ?? '');
  expect(textOf(await human.walk(path))).not.toContain('You dismissed');
});

const NEVER_ASKS = /It would never ask, because the most in one order is 5 shirts\. Enter at most 4 shirts, or nothing/;

test.each([
  [
    'more an order than a day',
    { shirtsPerOrder: '11' },
    /The most in 24 hours is 10 shirts\. Enter at most that, or raise/,
  ],
  ['asking over the limit', { askAbove: '6' }, NEVER_ASKS],
  ['less money than a shirt costs', { spendPerDay: '24.99' }, /Enter an amount in US dollars from 25\.00/],
])(
  'a mandate with %s is answered with what to change, when it is given and when it is changed',
  async (_, blanks, told) => {
    const human = person();
    const consent = await human.walk(authorizePath(await registeredClient()));
    const given = await human.browser.press(consent, 'Allow', blanks);
    expect(given.status).toBe(400);
    expect(textOf(given)).toMatch(told);
    expect(given.html).toContain('aria-invalid');
    expect((await recordOf(human)).deputies).toEqual([]);

    await deputyOf(human, '2026-07-28');
    const [deputy] = (await recordOf(human)).deputies;
    const changed = await human.browser.open(`/deputies/${deputy?.deputyId ?? ''}`);
    const answer = await human.browser.press(changed, 'Sign the new terms', blanks);
    expect(answer.status).toBe(400);
    expect(textOf(answer)).toMatch(told);
    expect((await recordOf(human)).deputies[0]?.mandate.version).toBe(1);
  },
);

test('an account cannot be limited to what buys nothing', async () => {
  const human = person();
  const form = await human.walk('/deputies/ceiling');
  const answer = await human.browser.press(form, 'Set these limits', { spendPerDay: '24.99' });
  expect(answer.status).toBe(400);
  expect(textOf(answer)).toContain('from 25.00');
});

test('a blank of asking that is left empty never asks, and the mandate does not speak of it', async () => {
  const human = person();
  human.blanks = { askAbove: '' };
  const deputy = await deputyOf(human, '2026-07-28');
  expect(JSON.stringify((await deputy.call('getMyMandate')).data)).not.toContain('must ask');
  const [{ deputyId } = { deputyId: '' }] = (await recordOf(human)).deputies;
  const { html } = await human.browser.open(`/deputies/${deputyId}`);
  expect(html).toMatch(/name="askAbove"[^>]* placeholder="never" value=""/);
});

test('Allow of a page that nobody can have read grants nothing, and Deny is free', async () => {
  const human = person();
  const path = authorizePath(await registeredClient());
  const page = await human.walk(path);
  const headers = { Cookie: cookiesOf(human), 'Sec-Fetch-Mode': 'navigate' };
  const blanks = { shirtsPerOrder: '5', askAbove: '3', shirtsPerDay: '10', spendPerDay: '250', until: 'week' };
  const fields = { ...hiddenFields(page), ...blanks, decision: 'allow' };
  for (const read of ['', 'no', 'yesterday']) expect(await post(path, { ...fields, read }, headers)).toBe(400);
  expect((await recordOf(human)).deputies).toEqual([]);
  const denied = await human.browser.press(await human.walk(path), 'Deny', { read: '' });
  expect(denied.left?.searchParams.get('error')).toBe('access_denied');
  // Nothing else was missing.
  expect(await post(path, { ...fields, read: 'Yes' }, headers)).toBeLessThan(400);
});

test.each(['Allow', 'Deny'])('%s on a page that lay open too long says so, and where to look again', async (button) => {
  const human = person();
  const page = await human.walk(authorizePath(await registeredClient()));
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10 * 60_000 });
  const answer = await human.browser.press(page, button);
  expect(textOf(answer)).toContain('This page is too old Nothing was granted.');
  expect(answer.html).toContain('Show the page again');
});
