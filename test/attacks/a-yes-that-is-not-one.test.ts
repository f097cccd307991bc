/** Ways to a yes that the human did not give: somebody else's question, another signature, an own passkey, an older grade. */
import { runInDurableObject } from 'cloudflare:test';
import { afterEach, expect, test, vi } from 'vitest';
import { hiddenFields, textOf } from '../../src/dev/browser.ts';
import type { Deputy, Person } from '../../src/dev/clients.ts';
import { Authenticator } from '../support/authenticator.ts';
import { setCeiling } from '../../src/ledger/acts.ts';
import { verify } from '../../src/ledger/verify.ts';
import { agreementOf, approve as approveIn } from '../../src/ledger/approving.ts';
import { addPasskey, approve, openFresh, optionsOn, questionPath, send, yesTo } from '../support/answering.ts';
import { authorizePath, registeredClient } from '../support/http.ts';
import { assertionSchema } from '../../src/ledger/passkeys.ts';
import { callerOf, employ, inLedger, mandateOf, serve } from '../support/ledger.ts';
import { deputyOf, objectOf, person } from '../support/people.ts';
import { outcome, recordOf } from '../support/scene.ts';
import { PURCHASE } from '../support/shop.ts';
import { ORIGIN } from '../support/worker.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const DAY_MS = 24 * 60 * 60_000;
const FOUR = { ...PURCHASE, quantity: 4 };

function later(milliseconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds });
}

async function ask(deputy: Deputy, changes: Record<string, unknown> = {}): Promise<string> {
  const { data } = await deputy.call('buyMcpShopItem', { ...FOUR, ...changes });
  return (data['error'] as { waiting: { id: string } }).waiting.id;
}

const states = async (human: Person) => (await recordOf(human)).effects.map(({ state }) => state);

/** A human with a passkey, and a deputy whose orders above three need it. */
async function guardedBy(synced = false) {
  const human = person();
  const device = await addPasskey(human, { synced });
  const deputy = await deputyOf(human, '2026-07-28');
  return { human, device, deputy, id: await ask(deputy) };
}

test("another human's question is nobody's here, and neither is one that was never asked", async () => {
  const { human, id } = await guardedBy();
  const eve = person();
  await deputyOf(eve, '2026-07-28');
  for (const address of [id, 'never', crypto.randomUUID()]) {
    expect((await eve.browser.open(questionPath(address))).status).toBe(404);
    expect((await send(eve, address, await yesTo(eve, address))).status).toBeGreaterThanOrEqual(403);
  }
  expect(await states(human)).toEqual(['waiting']);
});

test('a signature for another order, of another origin, without a finger, or of a stranger is none', async () => {
  const { human, device, deputy, id } = await guardedBy(true);
  const other = await ask(deputy, { company: 'Other Ltd' });
  const wrong = await yesTo(human, other, { device });
  expect((await send(human, id, { ...(await yesTo(human, id)), assertion: wrong['assertion'] ?? '' })).status).toBe(
    409,
  );
  const attempts = [
    { origin: 'https://evil.example', rpId: 'localhost' },
    { rpId: 'evil.example' },
    { verified: false },
    { crossOrigin: true },
    { type: 'webauthn.create' as const },
  ];
  for (const options of attempts)
    expect((await approve(human, id, { device, ...options })).status, JSON.stringify(options)).toBe(403);
  const stranger = await Authenticator.make();
  expect((await approve(human, id, { device: stranger })).status).toBe(403);
  // Their signature, under the name of the human's passkey.
  const { challenge } = optionsOn(await human.browser.open(questionPath(id)));
  const theirs = await stranger.assertion(challenge, { origin: ORIGIN, counter: 99 });
  const forged = JSON.stringify({ ...theirs, id: device.id, rawId: device.id });
  expect((await send(human, id, { ...(await yesTo(human, id)), assertion: forged })).status).toBe(403);
  for (const handle of ['', 'user_stranger']) {
    const form = await yesTo(human, id, { device });
    const signed = JSON.parse(form['assertion'] ?? '') as { response: Record<string, unknown> };
    signed.response['userHandle'] = Buffer.from(handle).toString('base64url');
    expect((await send(human, id, { ...form, assertion: JSON.stringify(signed) })).status, handle).toBe(403);
  }
  for (const assertion of ['{}', 'null', '[]', '{"id":1}', 'x'])
    expect((await send(human, id, { ...(await yesTo(human, id)), assertion })).status, assertion).toBe(403);
  expect(await states(human)).toEqual(['waiting', 'waiting']);
});

test('a passkey that is made without a finger, or inside a page of another origin, is not added', async () => {
  const human = person();
  const page = await openFresh(human, '/deputies/passkeys');
  const made = await Authenticator.make();
  for (const options of [{ crossOrigin: true }, { verified: false }, { rpId: 'evil.example' }]) {
    const attestation = JSON.stringify(
      await made.attestation(optionsOn(page).challenge, { origin: ORIGIN, ...options }),
    );
    expect((await human.browser.press(page, 'Add a passkey', { attestation })).status, JSON.stringify(options)).toBe(
      403,
    );
  }
  expect((await objectOf(human).lookAtPasskeys()).passkeys).toEqual([]);
});

test('a question whose end could not be written, because the storage failed, ends all the same', () =>
  inLedger(async (ledger) => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    employ(ledger, 'dep_1');
    const caller = callerOf('dep_1');
    expect((await serve(ledger, caller, 'buyMcpShopItem', FOUR)).code).toBe('approval_required');
    const [approval] = ledger.approvals.waiting();
    if (!approval) throw new Error('nothing waits');
    const shown = agreementOf(ledger, caller.userId, approval);
    later(11 * 60_000);
    const append = ledger.record.append.bind(ledger.record);
    const failing = vi.spyOn(ledger.record, 'append').mockImplementation((entry, ...rest) => {
      if (entry.actor === 'deputy') throw new Error('the disk is full');
      return append(entry, ...rest);
    });
    expect((await serve(ledger, caller, 'buyMcpShopItem', PURCHASE)).code).toBe('internal_error');
    failing.mockRestore();
    const decision = { effectId: approval.effectId, shown, grade: 'confirmed', next: false } as const;
    const usesNow = () => approval.action.uses;
    expect(approveIn(ledger, caller.userId, decision, { signed: undefined, usesNow })).toEqual({ problem: 'answered' });
    expect(ledger.effects.find(approval.effectId)?.state).toBe('lapsed');
  }));

test('of fifty questions of one deputy five wait, and the others leave nothing', () =>
  inLedger(async (ledger) => {
    setCeiling(ledger, { shirtsPerDay: 1000, spendPerDay: 2_500_000 }, 0);
    employ(ledger, 'dep_1', mandateOf({ shirtsPerDay: 1000, spendPerDay: 2_500_000 }));
    const codes: (string | undefined)[] = [];
    for (let number = 1; number <= 50; number += 1) {
      const args = { ...FOUR, idempotencyKey: `${number}` };
      codes.push((await serve(ledger, callerOf('dep_1'), 'buyMcpShopItem', args)).code);
      later(7000);
    }
    expect(codes.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => 'approval_required'));
    expect(new Set(codes.slice(5))).toEqual(new Set(['too_many_waiting']));
    expect(ledger.effects.newest(50).map(({ state }) => state)).toEqual(Array.from({ length: 5 }, () => 'waiting'));
    expect(verify(ledger)).toMatchObject({ ok: true });
  }));

test('a counter that went back shows that the passkey was copied', async () => {
  const { human, device, deputy, id } = await guardedBy();
  expect((await approve(human, id, { device, counter: 40 })).status).toBe(200);
  const next = await ask(deputy, { company: 'Other Ltd' });
  for (const counter of [40, 39, 0]) expect((await approve(human, next, { device, counter })).status).toBe(403);
  expect(await states(human)).toEqual(['waiting', 'confirmed']);
});

test('a press is no device, whatever the form says of itself', async () => {
  const { human, id } = await guardedBy();
  const form = await yesTo(human, id);
  for (const grade of ['pressed', 'confirmed', 'device', 'none'])
    expect((await send(human, id, { ...form, grade })).status, grade).toBe(403);
  expect(await states(human)).toEqual(['waiting']);
});

test('a passkey that is added while something waits, or beside another, counts after a day', async () => {
  const human = person();
  human.blanks = { approval: 'device' };
  const deputy = await deputyOf(human, '2026-07-28');
  const id = await ask(deputy);
  const first = await addPasskey(human);
  expect((await approve(human, id, { device: first })).status).toBe(403);
  later(DAY_MS);
  const next = await ask(deputy, { company: 'Other Ltd' });
  await human.walk('/deputies');
  expect((await approve(human, next, { device: first })).status).toBe(200);
  const second = await addPasskey(human);
  const third = await ask(deputy, { company: 'Third Ltd' });
  expect((await approve(human, third, { device: second })).status).toBe(403);
  expect((await approve(human, third, { device: first })).status).toBe(200);
});

test('a passkey that does not count yet changes nothing: what a yes takes, nor what it is asked for', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28');
  const first = await ask(deputy);
  await addPasskey(human);
  const passkeys = await human.walk('/deputies/passkeys');
  expect(passkeys.html).not.toContain('Ask for it there too');
  expect(await objectOf(human).act({ do: 'guard', device: true })).toEqual({ problem: 'no_passkey_counts' });
  expect((await approve(human, first)).status).toBe(200);
  const second = await ask(deputy, { company: 'Other Ltd' });
  expect((await approve(human, second)).status).toBe(200);
  await human.browser.press(passkeys, 'Remove it');
  expect((await objectOf(human).lookAtPasskeys()).passkeysUntil).toBe(0);
  expect(await objectOf(human).verifyRecord()).toMatchObject({ ok: true });
});

test('taking the passkey away makes nothing easier for a day, and neither does deleting everything', async () => {
  const { human, device, deputy, id } = await guardedBy();
  const form = await human.walk('/deputies/passkeys');
  await human.browser.press(form, 'Remove it');
  expect((await approve(human, id, { device })).status).toBe(403);
  const next = await ask(deputy, { company: 'Other Ltd' });
  expect(textOf(await human.browser.open(questionPath(next)))).toContain('none of yours counts here now');
  const own = await addPasskey(human);
  expect((await approve(human, next, { device: own })).status).toBe(403);

  await human.browser.press(await human.walk('/deputies/erase'), 'Delete everything');
  const again = await deputyOf(human, '2026-07-28');
  const last = await ask(again);
  expect((await approve(human, last, { device: await addPasskey(human) })).status).toBe(403);
  expect(await states(human)).toEqual(['waiting']);
});

test('an easier mandate does not lower what a question already needs, and a stricter one raises it', async () => {
  const { human, deputy, id } = await guardedBy();
  const [{ deputyId, mandate } = { deputyId: '', mandate: undefined }] = (await recordOf(human)).deputies;
  if (!mandate) throw new Error('no deputy');
  const { scopes, limits, version } = mandate;
  const amendment = { deputyId, version, scopes, limits, approval: 'pressed' as const };
  await objectOf(human).act({ do: 'amend', amendment, narrowOnly: false });
  expect((await send(human, id, { ...(await yesTo(human, id)), grade: 'pressed' })).status).toBe(403);
  const easy = await ask(deputy, { company: 'Other Ltd' });
  expect((await approve(human, easy)).status).toBe(200);
  expect(await states(human)).toEqual(['confirmed', 'waiting']);
});

test('a stricter mandate since the question counts', async () => {
  const human = person();
  human.blanks = { approval: 'pressed' };
  const deputy = await deputyOf(human, '2026-07-28');
  const id = await ask(deputy);
  const [{ deputyId, mandate } = { deputyId: '', mandate: undefined }] = (await recordOf(human)).deputies;
  if (!mandate) throw new Error('no deputy');
  const { scopes, limits, version } = mandate;
  const amendment = { deputyId, version, scopes, limits, approval: 'confirmed' as const };
  await objectOf(human).act({ do: 'amend', amendment, narrowOnly: true });
  expect((await send(human, id, { ...(await yesTo(human, id)), grade: 'pressed' })).status).toBe(403);
  expect(await states(human)).toEqual(['waiting']);
  expect((await approve(human, id)).status).toBe(200);
});

test('a press after ten minutes in a session is no confirmed one', async () => {
  const human = person();
  human.blanks = { approval: 'confirmed' };
  const deputy = await deputyOf(human, '2026-07-28');
  later(11 * 60_000);
  const id = await ask(deputy);
  const page = await human.browser.open(questionPath(id));
  expect(textOf(page)).toContain('Sign in again to approve');
  const form = { ...hiddenFields(page), decision: 'approve' };
  for (const grade of ['confirmed', 'pressed', 'device'])
    expect((await send(human, id, { ...form, grade })).status, grade).toBe(403);
  expect(await states(human)).toEqual(['waiting']);
  expect((await approve(human, id)).status).toBe(200);
});

test('of two signatures with one count at once, as two copies of a passkey make them, one counts', async () => {
  const { human, device, deputy, id } = await guardedBy();
  const ids = [id, await ask(deputy, { company: 'Other Ltd' })];
  const answers = await Promise.all(
    ids.map(async (effectId) => {
      const { shown = '' } = hiddenFields(await human.browser.open(questionPath(effectId)));
      const assertion = assertionSchema.parse(await device.assertion(shown, { origin: ORIGIN, counter: 7 }));
      return { decision: { effectId, shown, grade: 'pressed' as const, next: false }, assertion };
    }),
  );
  // Both are read before either counts.
  const [one, other] = await runInDurableObject(objectOf(human), (object) =>
    Promise.all(
      answers.map(({ decision, assertion }) => object.act({ do: 'approve', decision }, { assertion, origin: ORIGIN })),
    ),
  );
  expect([one, other]).toContainEqual({ problem: 'not_proven' });
  expect((await states(human)).toSorted()).toEqual(['confirmed', 'waiting']);
});

test('of fifty questions of one deputy at once five wait, the page shows them, and the brake is not behind them', async () => {
  const human = person();
  await objectOf(human).act({ do: 'ceiling', ceiling: { shirtsPerDay: 1000, spendPerDay: 2_500_000 }, version: 0 });
  human.blanks = { shirtsPerDay: '1000', spendPerDay: '25000' };
  const deputy = await deputyOf(human, '2026-07-28');
  const other = await deputyOf(human, '2025-11-25');
  const numbers = Array.from({ length: 50 }, (_, number) => `Flood ${number}`);
  const said = await Promise.all(
    numbers.map((company) => outcome(deputy, 'buyMcpShopItem', { ...FOUR, company }).catch(() => 'turned away')),
  );
  expect(said.filter((code) => code === 'approval_required')).toHaveLength(5);
  expect(new Set(said)).not.toContain('allowed');
  expect(await states(human)).toEqual(['waiting', 'waiting', 'waiting', 'waiting', 'waiting']);
  // Another deputy's question is not behind them.
  const others = await ask(other, { company: 'Other Ltd' });
  const page = await human.browser.open('/deputies');
  expect(textOf(page)).toContain('One of 6 questions.');
  const asks = [...page.html.matchAll(/data-asks="([^"]+)"/g)].map(([, id]) => id);
  expect([asks.indexOf(others), asks.length]).toEqual([1, 6]);
  expect(await outcome(deputy, 'buyMcpShopItem', { ...FOUR, company: 'One more' })).toBe('too_many_waiting');
  await human.browser.press(page, 'Stop all');
  expect(await outcome(deputy, 'buyMcpShopItem', FOUR)).toBe('paused');
});

test('a no and a pause ask for no passkey, whatever a page still holds of an earlier press', async () => {
  const { human, device, deputy, id } = await guardedBy();
  const used = await yesTo(human, id, { device });
  expect((await send(human, id, used)).status).toBe(200);
  const other = await ask(deputy, { company: 'Other Ltd' });
  for (const assertion of [used['assertion'] ?? '', 'none'])
    expect((await send(human, other, { ...(await yesTo(human, other)), assertion })).status).toBe(403);
  const { form = '' } = used;
  expect((await send(human, other, { form, assertion: used['assertion'] ?? '', decision: 'deny' })).status).toBe(200);
  expect(await states(human)).toEqual(['denied', 'confirmed']);
  expect((await send(human, id, { ...used, decision: 'pause' })).status).toBe(200);
  expect((await recordOf(human)).deputies[0]?.paused).toBeDefined();
});

test('two tabs and two clicks have one winner', async () => {
  const human = person();
  human.blanks = { approval: 'pressed' };
  const deputy = await deputyOf(human, '2026-07-28');
  const id = await ask(deputy);
  const yes = await yesTo(human, id);
  const answers = await Promise.all([
    ...[1, 2, 3].map(() => send(human, id, yes)),
    send(human, id, { ...yes, decision: 'deny' }),
  ]);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(await outcome(deputy, 'buyMcpShopItem', FOUR)).toMatch(/^(allowed|approval_denied)$/);
  expect((await recordOf(human)).effects).toHaveLength(1);
});

test('with the weakest grade nothing is allowed in advance, and what was ends with the mandate and with a press', async () => {
  const human = person();
  human.blanks = { approval: 'pressed', shirtsPerDay: '20', spendPerDay: '500' };
  const deputy = await deputyOf(human, '2026-07-28');
  const id = await ask(deputy);
  const form = await yesTo(human, id);
  expect((await send(human, id, { ...form, next: 'yes' })).status).toBe(403);
  human.blanks = { approval: 'confirmed', shirtsPerDay: '20', spendPerDay: '500' };
  const other = await deputyOf(human, '2026-07-28');
  const second = await ask(other, { company: 'Other Ltd' });
  expect((await approve(human, second, { next: true })).status).toBe(200);
  const like = (key: string) => ({ ...FOUR, company: 'Other Ltd', idempotencyKey: key });
  expect(await outcome(other, 'buyMcpShopItem', like('1'))).toBe('allowed');
  // Another deputy was allowed nothing.
  expect(await outcome(deputy, 'buyMcpShopItem', like('1'))).toBe('approval_required');
  await human.browser.press(await human.browser.open('/deputies'), 'Ask me again');
  expect(await outcome(other, 'buyMcpShopItem', like('2'))).toBe('approval_required');
  expect(await objectOf(human).verifyRecord()).toMatchObject({ ok: true });
});

/** A deputy that its human has allowed three more like one for Other Ltd. */
async function allowedInAdvance() {
  const human = person();
  human.blanks = { approval: 'confirmed', shirtsPerDay: '20', spendPerDay: '500' };
  const deputy = await deputyOf(human, '2026-07-28');
  await approve(human, await ask(deputy, { company: 'Other Ltd' }), { next: true });
  const like = (key: string, changes = {}) =>
    outcome(deputy, 'buyMcpShopItem', { ...FOUR, company: 'Other Ltd', idempotencyKey: key, ...changes });
  const shown = async () => (await human.browser.open('/deputies')).html.includes('need not ask');
  return { human, deputy, like, shown };
}

test('three more like it are three, also when they are called at once', async () => {
  const { human, like, shown } = await allowedInAdvance();
  const came = await Promise.all(['1', '2', '3', '4'].map((key) => like(key)));
  expect(came.toSorted()).toEqual(['allowed', 'allowed', 'allowed', 'approval_required']);
  expect(await shown()).toBe(false);
  expect(await objectOf(human).verifyRecord()).toMatchObject({ ok: true });
});

test('within the hour is within the hour, and a clock that was ahead ends it', async () => {
  const { human, like, shown } = await allowedInAdvance();
  later(60 * 60_000 - 1000);
  expect(await like('in time')).toBe('allowed');
  later(2000);
  expect(await like('late')).toBe('approval_required');
  expect(await shown()).toBe(false);
  expect(await objectOf(human).verifyRecord()).toMatchObject({ ok: true });

  const other = await allowedInAdvance();
  later(-30 * 60_000);
  expect(await other.like('back')).toBe('approval_required');
  expect(await objectOf(other.human).verifyRecord()).toMatchObject({ ok: true });
});

test('like it is the same in all but the number, and no more of them', async () => {
  const { deputy } = await allowedInAdvance();
  for (const changes of [{ quantity: 5 }, { color: 'blue' }, { tshirtSize: 'S' }, { mailingAddress: 'Elsewhere 1' }]) {
    const orderId = await ask(deputy, { company: 'Other Ltd', ...changes });
    // It counts while it waits.
    await deputy.call('cancelMcpShopOrder', { orderId });
  }
});

test('what was allowed in advance is gone with a change of the mandate, and with the deputy', async () => {
  const { human, like, shown } = await allowedInAdvance();
  expect(await shown()).toBe(true);
  const [{ deputyId } = { deputyId: '' }] = (await recordOf(human)).deputies;
  const terms = { ...human.blanks, shirtsPerOrder: '4', scope: ['shop:browse', 'shop:buy', 'orders:read'] };
  await human.browser.press(await human.walk(`/deputies/${deputyId}`), 'Sign the new terms', terms);
  expect((await recordOf(human)).deputies[0]?.mandate.version).toBe(2);
  expect(await shown()).toBe(false);
  expect(await like('amended')).toBe('approval_required');

  const other = await allowedInAdvance();
  const [dismissed] = (await recordOf(other.human)).deputies;
  await objectOf(other.human).act({ do: 'revoke', deputyId: dismissed?.deputyId ?? '' });
  expect(await other.shown()).toBe(false);
  expect(await objectOf(other.human).verifyRecord()).toMatchObject({ ok: true });
});

test('where its human wants that, what gives a deputy more needs the device: resume, limits, mandate, profile, appointment', async () => {
  const { human, device } = await guardedBy();
  const asked = 'Confirm it with your device';
  await human.browser.press(await human.walk('/deputies/passkeys'), 'Ask for it there too');
  const [{ deputyId } = { deputyId: '' }] = (await recordOf(human)).deputies;
  const confirm = async (page: Awaited<ReturnType<Person['walk']>>, by = device) => {
    const assertion = JSON.stringify(await by.assertion(optionsOn(page).challenge, { origin: ORIGIN }));
    return human.browser.press(page, 'Confirm', { assertion });
  };

  const ceiling = await human.browser.press(await human.walk('/deputies/ceiling'), 'Set these limits', {
    shirtsPerDay: '100',
  });
  expect(textOf(ceiling)).toContain(asked);
  expect((await recordOf(human)).account.ceiling).toMatchObject({ shirtsPerDay: 20 });
  await confirm(ceiling, await Authenticator.make());
  expect((await recordOf(human)).account.ceiling).toMatchObject({ shirtsPerDay: 20 });
  await confirm(ceiling);
  expect((await recordOf(human)).account.ceiling).toMatchObject({ shirtsPerDay: 100 });

  const wider = await human.browser.press(await human.walk(`/deputies/${deputyId}`), 'Sign the new terms', {
    askAbove: '',
    scope: ['shop:buy', 'orders:read'],
  });
  expect(textOf(wider)).toContain(asked);
  await confirm(wider);
  expect((await recordOf(human)).deputies[0]?.mandate).toMatchObject({ version: 2 });

  await objectOf(human).act({ do: 'pause' });
  const resumed = await human.browser.press(await human.walk('/deputies/resume'), 'Let these go on');
  expect(textOf(resumed)).toContain(asked);
  expect((await recordOf(human)).account.authority).toBe('paused');
  await confirm(resumed);
  expect((await recordOf(human)).account.authority).toBe('active');
  // The same signature lifts no later pause.
  const old = JSON.stringify(await device.assertion(optionsOn(resumed).challenge, { origin: ORIGIN }));
  await objectOf(human).act({ do: 'pause' });
  const next = await human.browser.press(await human.walk('/deputies/resume'), 'Let these go on');
  expect((await human.browser.press(next, 'Confirm', { assertion: old })).status).toBe(409);
  await confirm(next);

  // A changed address sends every later order elsewhere; one that is removed does not.
  const home = { company: 'Ada & Sons', mailingAddress: '12 St James’s Square\nLondon' };
  const kept = async () => (await objectOf(human).lookAtProfile()).fields;
  const profile = await human.browser.press(await human.walk('/deputies/profile'), 'Keep this', home);
  expect(textOf(profile)).toContain(asked);
  await confirm(profile, await Authenticator.make());
  expect(await kept()).toEqual({});
  await confirm(profile);
  expect(await kept()).toEqual(home);
  const [line] = (await recordOf(human)).timeline;
  expect(line).toMatchObject({ act: 'profile', proof: { passkey: device.id } });
  const elsewhere = { ...home, company: 'Eve Ltd' };
  const changed = await human.browser.press(await human.walk('/deputies/profile'), 'Keep this', elsewhere);
  const signedBefore = JSON.stringify(await device.assertion(optionsOn(profile).challenge, { origin: ORIGIN }));
  expect((await human.browser.press(changed, 'Confirm', { assertion: signedBefore })).status).toBe(409);
  expect(await kept()).toEqual(home);
  const gone = { company: '', mailingAddress: '' };
  await human.browser.press(await human.walk('/deputies/profile'), 'Keep this', gone);
  expect(await kept()).toEqual({});

  const consent = await human.walk(authorizePath(await registeredClient()));
  const allowed = await human.browser.press(consent, 'Allow', { scope: ['shop:buy'] });
  expect(textOf(allowed)).toContain(asked);
  const count = (await recordOf(human)).deputies.length;
  expect((await confirm(allowed)).left?.searchParams.get('code')).toBeTruthy();
  expect((await recordOf(human)).deputies).toHaveLength(count + 1);
  expect(await objectOf(human).verifyRecord()).toMatchObject({ ok: true });
});

test("a deputy's text that tries to look like our page is text in its place", async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28', 'MCP Shop: approved</h1><button>Approve');
  const company = '</dd></dl><form action=https://evil.example><button name=decision value=approve>Approve</button>';
  const id = await ask(deputy, { company });
  const page = await human.browser.open(questionPath(id));
  expect(textOf(page)).toContain(company);
  expect(page.html).not.toContain('<form action=https://evil');
  expect(page.html.match(/value="approve"/g) ?? []).toHaveLength(1);
});
