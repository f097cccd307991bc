/** Ways to a passkey that its human did not add, or not so: made elsewhere, without a finger, for another offer, in an old session. */
import { afterEach, expect, test, vi } from 'vitest';
import { hiddenFields, textOf } from '../../src/dev/browser.ts';
import type { Person } from '../../src/dev/clients.ts';
import { addPasskey, openFresh, optionsOn } from '../support/answering.ts';
import { Authenticator, type Options } from '../support/authenticator.ts';
import { objectOf, person } from '../support/people.ts';
import { recordOf } from '../support/scene.ts';
import { ORIGIN } from '../support/worker.ts';

afterEach(() => void vi.useRealTimers());

const PATH = '/deputies/passkeys';
const MINUTE_MS = 60_000;

function later(milliseconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds });
}

/** The form of a new passkey, as the page offers it now, with what `device` makes for it. */
async function offered(human: Person, device: Authenticator, options: Partial<Options> = {}, challenge?: string) {
  const page = await openFresh(human, PATH);
  const made = await device.attestation(challenge ?? optionsOn(page).challenge, { origin: ORIGIN, ...options });
  return { ...hiddenFields(page), attestation: JSON.stringify(made) };
}

const add = (human: Person, fields: Record<string, string>) => human.browser.post(PATH, fields);
const count = async (human: Person) => (await objectOf(human).lookAtPasskeys()).passkeys.length;

test('a passkey is made on this page, for this offer, with its human in front of it', async () => {
  const human = person();
  const device = await Authenticator.make();
  const eve = person();
  const { challenge: hers } = optionsOn(await openFresh(eve, PATH));
  for (const form of [
    await offered(human, device, { verified: false }),
    await offered(human, device, { origin: 'https://evil.example', rpId: 'localhost' }),
    await offered(human, device, { rpId: 'evil.example' }),
    await offered(human, device, { type: 'webauthn.get' }),
    await offered(human, device, {}, Buffer.from('anything').toString('base64url')),
    await offered(human, device, {}, hers),
    { ...(await offered(human, device)), until: String(Date.now() + 5 * MINUTE_MS) },
    { ...(await offered(human, device)), attestation: '{"id":1}' },
    { ...(await offered(human, device)), attestation: '' },
  ])
    expect((await add(human, form)).status, JSON.stringify(form)).toBe(403);
  expect(await count(human)).toBe(0);
});

test('an offer holds for ten minutes, and no longer because a clock was ahead', async () => {
  const human = person();
  const device = await Authenticator.make();
  // The older offer, in a session that is fresh again.
  const fresh = async (offer: Record<string, string>) => {
    const { form = '' } = hiddenFields(await openFresh(human, PATH));
    return add(human, { ...offer, form });
  };
  const before = await offered(human, device);
  later(10 * MINUTE_MS + 1000);
  expect((await fresh(before)).status).toBe(409);

  later(60 * MINUTE_MS);
  const ahead = await offered(human, device);
  later(-30 * MINUTE_MS);
  expect((await fresh(ahead)).status).toBe(409);
  expect(await count(human)).toBe(0);
});

test('pressed twice, one passkey is there and one line; and there are ten at most', async () => {
  const human = person();
  const form = await offered(human, await Authenticator.make());
  const answers = [await add(human, form), await add(human, form)];
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  const { timeline } = await recordOf(human);
  expect(timeline.filter((line) => 'act' in line && line.act === 'passkeyAdded')).toHaveLength(1);
  for (let more = 2; more <= 10; more += 1) await addPasskey(human);
  const eleventh = await add(human, await offered(human, await Authenticator.make()));
  expect([eleventh.status, textOf(eleventh).includes('You have ten passkeys')]).toEqual([409, true]);
  expect(await count(human)).toBe(10);
  expect(await objectOf(human).verifyRecord()).toMatchObject({ ok: true });
});

test('in a session that is not fresh nothing is added, removed or set', async () => {
  const human = person();
  const device = await addPasskey(human);
  const form = await offered(human, await Authenticator.make());
  later(11 * MINUTE_MS);
  for (const [path, fields] of [
    [PATH, form],
    [`${PATH}/remove`, { ...form, passkey: device.id }],
    [`${PATH}/guard`, { ...form, device: 'yes' }],
  ] as const) {
    const refused = await human.browser.post(path, fields);
    expect([path, refused.status]).toEqual([path, 403]);
    expect(textOf(refused)).toContain('Sign in once more for this');
  }
  const { passkeys, guarded } = await objectOf(human).lookAtPasskeys();
  expect([passkeys.map(({ id }) => id), guarded]).toEqual([[device.id], false]);
});

test('what needs a passkey is not set without any, and is taken off with one alone', async () => {
  const human = person();
  const set = async (device: string, more = {}) =>
    human.browser.post(`${PATH}/guard`, { ...hiddenFields(await openFresh(human, PATH)), device, ...more });
  expect((await set('yes')).status).toBe(409);
  const device = await addPasskey(human);
  expect((await set('yes')).status).toBe(200);
  const asked = await set('no');
  expect(textOf(asked)).toContain('Confirm it with your device');
  const stranger = await Authenticator.make();
  for (const [by, status] of [
    [stranger, 403],
    [device, 200],
  ] as const) {
    const assertion = JSON.stringify(await by.assertion(optionsOn(asked).challenge, { origin: ORIGIN }));
    expect((await human.browser.press(asked, 'Confirm', { assertion })).status).toBe(status);
    expect((await objectOf(human).lookAtPasskeys()).guarded).toBe(status === 403);
  }
  expect((await human.browser.post(`${PATH}/remove`, await removal(human, 'unknown'))).status).toBe(404);
  expect(await objectOf(human).verifyRecord()).toMatchObject({ ok: true });
});

async function removal(human: Person, passkey: string) {
  return { ...hiddenFields(await openFresh(human, PATH)), passkey };
}
