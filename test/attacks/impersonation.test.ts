/**
 * Somebody of the support team signs in as Ada, which WorkOS calls impersonation. They may look at what she sees, and stop
 * what harms her; they can grant nothing in her name, and the record does not call them Ada.
 */
import { afterEach, expect, test, vi } from 'vitest';
import { env } from 'cloudflare:workers';
import { hiddenFields, textOf } from '../../src/dev/browser.ts';
import type { Person } from '../../src/dev/clients.ts';
import { addPasskey, approve, optionsOn, questionPath } from '../support/answering.ts';
import { Authenticator } from '../support/authenticator.ts';
import { authorizePath, registeredClient } from '../support/http.ts';
import { hurry, later, quiet } from '../support/outages.ts';
import { deputyOf, objectOf, person } from '../support/people.ts';
import { outcome, recordOf } from '../support/scene.ts';
import { PURCHASE } from '../support/shop.ts';
import { ORIGIN } from '../support/worker.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const LOOK = 'listMcpShopInventory';

/** A browser in which support has signed in as that human. */
async function support(human: Person): Promise<Person> {
  const somebody = person(human.email);
  const page = await somebody.browser.open('/login?return_to=/deputies');
  await somebody.browser.press(page, 'Continue', { email: human.email, impersonator: 'grace@support.example' });
  return somebody;
}

test('support looks, pauses and dismisses, under a banner, and the record names their session', async () => {
  const ada = person();
  const deputy = await deputyOf(ada, '2026-07-28');
  const grace = await support(ada);
  const page = await grace.browser.open('/deputies');
  expect(textOf(page)).toContain('grace@support.example is signed in as Ada');
  expect(textOf(page)).toContain('because: Helping a customer.');
  expect(textOf(await ada.browser.open('/deputies'))).not.toContain('grace@support.example');
  await grace.browser.press(page, 'Stop all');
  expect(await outcome(deputy, LOOK)).toBe('paused');
  const { deputies } = await recordOf(ada);
  const one = await grace.browser.open(`/deputies/${deputies[0]?.deputyId}`);
  await grace.browser.press(one, 'Dismiss for good');
  const { timeline, account } = await recordOf(ada);
  const acts = timeline.flatMap((line) => (line.actor === 'human' ? [line] : []));
  expect(acts.slice(0, 2)).toMatchObject([
    { act: 'revoked', impersonation: expect.stringMatching(/^session_/) },
    { act: 'paused', impersonation: expect.stringMatching(/^session_/) },
  ]);
  // A line holds no e-mail: WorkOS's own log has whose session that was.
  expect(JSON.stringify(timeline)).not.toContain('grace');
  expect(textOf(await ada.browser.open('/deputies'))).toContain('Somebody who was signed in as you (session_');
  await objectOf(ada).act({ do: 'resume', pause: account.authoritySequence ?? 0 });
  await ada.browser.press(await ada.browser.open('/deputies'), 'Stop all');
  const [newest] = (await recordOf(ada)).timeline;
  expect(newest).not.toHaveProperty('impersonation');
  expect(await objectOf(ada).verifyRecord()).toMatchObject({ ok: true });
});

test('support cannot resume, change a mandate or the limits, lift the demo ban, erase, or appoint', async () => {
  const ada = person();
  const deputy = await deputyOf(ada, '2025-11-25');
  await objectOf(ada).act({ do: 'pause' });
  const grace = await support(ada);
  const { browser } = grace;
  const before = await recordOf(ada);
  const id = before.deputies[0]?.deputyId ?? '';
  for (const [path, button] of [
    ['/deputies/resume', 'Let these go on'],
    [`/deputies/${id}`, 'Sign the new terms'],
    ['/deputies/ceiling', 'Set these limits'],
    ['/deputies/erase', 'Delete everything'],
  ] as const) {
    const refused = await browser.press(await browser.open(path), button);
    expect([path, refused.status]).toEqual([path, 403]);
    expect(textOf(refused)).toContain('In their place you can look, pause and dismiss');
  }
  const consent = await browser.open(authorizePath(await registeredClient()));
  expect((await browser.press(consent, 'Allow')).status).toBe(403);
  const after = await recordOf(ada);
  expect([after.head, after.deputies.length]).toEqual([before.head, 1]);
  expect(await outcome(deputy, LOOK)).toBe('paused');

  // The demo ban is lifted by any deputy, and by its human, and by nobody in their place.
  await objectOf(ada).act({ do: 'resume', pause: before.account.authoritySequence ?? 0 });
  await deputy.call('setDemoMode', { mode: 'banned' });
  const lifted = await browser.press(await browser.open('/deputies'), 'Lift the demo ban');
  expect(lifted.status).toBe(403);
  expect((await recordOf(ada)).banned).toBe(true);
});

test('support looks at a question and at the passkeys, and says neither yes nor no, in advance or by a passkey', async () => {
  const ada = person();
  ada.blanks = { shirtsPerDay: '20', spendPerDay: '500' };
  const device = await addPasskey(ada);
  const deputy = await deputyOf(ada, '2026-07-28');
  const ask = async (changes: Record<string, unknown> = {}) => {
    const { data } = await deputy.call('buyMcpShopItem', { ...PURCHASE, quantity: 4, ...changes });
    return (data['error'] as { waiting: { id: string } }).waiting.id;
  };
  await approve(ada, await ask({ company: 'Before' }), { device, next: true });
  const [allowed] = (await recordOf(ada)).timeline;
  const id = await ask();
  const grace = await support(ada);
  const { browser } = grace;
  const page = await browser.open(questionPath(id));
  expect(textOf(page)).toContain('grace@support.example is signed in as Ada');
  expect(textOf(page)).toContain('4 black shirts for $100.00?');
  expect(textOf(page)).toContain('Only they themselves can say yes or no to it.');
  expect(page.html.match(/(?<=name="decision" value=")\w+/g)).toEqual(['pause']);

  const before = await recordOf(ada);
  const form = hiddenFields(page);
  // Even with Ada's own device in their hand.
  const assertion = JSON.stringify(await device.assertion(form['shown'] ?? '', { origin: ORIGIN }));
  const passkeys = await browser.open('/deputies/passkeys');
  const own = await Authenticator.make();
  const { challenge } = optionsOn(await ada.walk('/deputies/passkeys'));
  const attestation = JSON.stringify(await own.attestation(challenge, { origin: ORIGIN }));
  for (const [path, fields] of [
    ...['pressed', 'confirmed', 'device'].map(
      (grade) => [questionPath(id), { decision: 'approve', grade, assertion }] as const,
    ),
    [questionPath(id), { decision: 'approve', grade: 'device', next: 'yes', assertion }],
    [questionPath(id), { decision: 'deny' }],
    [`/deputies/allowances/${allowed?.sequence}`, {}],
    ['/deputies/passkeys', { attestation, until: String(Date.now() + 60_000) }],
    ['/deputies/passkeys/remove', { passkey: device.id }],
    ['/deputies/passkeys/guard', { device: 'yes' }],
    ['/deputies/profile', { company: 'Grace Ltd', mailingAddress: 'Elsewhere 1' }],
  ] as const) {
    const refused = await browser.post(path, { ...form, ...fields });
    expect([path, fields, refused.status]).toEqual([path, fields, 403]);
    expect(textOf(refused)).toContain('In their place you can look, pause and dismiss');
  }
  expect(passkeys.html).not.toContain(own.id);
  const after = await recordOf(ada);
  expect([after.head, after.effects.map(({ state }) => state)]).toEqual([before.head, ['waiting', 'confirmed']]);

  // The brake takes the question with it, and both lines say whose session that was.
  await browser.post(questionPath(id), { ...form, decision: 'pause' });
  expect(await outcome(deputy, LOOK)).toBe('deputy_paused');
  const said = (await recordOf(ada)).timeline.flatMap((line) => (line.actor === 'human' ? [line] : []));
  expect(said.slice(0, 2)).toMatchObject([
    { act: 'paused', impersonation: expect.stringMatching(/^session_/) },
    { act: 'denied', impersonation: expect.stringMatching(/^session_/) },
  ]);
  expect(textOf(await ada.browser.open('/deputies'))).toMatch(/signed in as you \(session_[^)]*\) said no/);
  expect(await objectOf(ada).verifyRecord()).toMatchObject({ ok: true });
});

test('a session of support stays one: refreshed, while WorkOS is down, and when an answer leaves that out', async () => {
  const ada = person();
  await deputyOf(ada, '2025-11-25');
  const grace = await support(ada);
  later(6 * 60_000);
  expect(textOf(await grace.browser.open('/deputies'))).toContain('grace@support.example is signed in as');

  quiet();
  hurry();
  const get = env.OAUTH_KV.get.bind(env.OAUTH_KV) as (...args: unknown[]) => Promise<unknown>;
  const kv = vi.spyOn(env.OAUTH_KV, 'get').mockImplementation((async (...args: unknown[]) => {
    if (String(args[0]).startsWith('local-authkit:')) throw new Error('WorkOS is down');
    return get(...args);
  }) as never);
  later(12 * 60_000);
  const page = await grace.browser.open('/deputies');
  await grace.browser.press(page, 'Stop all');
  const [paused] = (await recordOf(ada)).timeline;
  expect(paused).toMatchObject({ act: 'paused', impersonation: expect.any(String) });

  // The next refresh says nothing of an impersonator: that ends the session, and makes nobody Ada.
  kv.mockImplementation((async (...args: unknown[]) => {
    const value = await get(...args);
    const known = value as { impersonator?: unknown } | null;
    return String(args[0]).startsWith('local-authkit:session:') && known
      ? { ...known, impersonator: undefined }
      : value;
  }) as never);
  later(60 * 60_000);
  expect((await grace.browser.open('/deputies')).html).toContain('name="email"');
});
