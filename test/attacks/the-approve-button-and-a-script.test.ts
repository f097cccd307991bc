/**
 * A program that controls the human's browser altogether: every page, every form, the session, even fresh sign-ins. It has no
 * authenticator of the human's, but it can make passkeys of its own. It gets no order that needs the device.
 */
import { runInDurableObject } from 'cloudflare:test';
import {
  array,
  assert,
  asyncProperty,
  boolean,
  constant,
  constantFrom,
  nat,
  oneof,
  record,
  type Arbitrary,
} from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { hiddenFields, type Page } from '../../src/dev/browser.ts';
import type { Deputy, Person } from '../../src/dev/clients.ts';
import { Authenticator } from '../support/authenticator.ts';
import { addPasskey, optionsOn, questionPath } from '../support/answering.ts';
import { deputyOf, objectOf, person } from '../support/people.ts';
import { recordOf } from '../support/scene.ts';
import { PURCHASE } from '../support/shop.ts';
import { ORIGIN } from '../support/worker.ts';

/** Orders that the script tries to get, and how many requests of its own it makes for each at most. */
const ORDERS = Number(process.env['VITE_SCRIPT_ORDERS'] ?? 50);
const MOST_STEPS = 6;
/** Orders in one history of one human. */
const IN_ONE = 25;

afterEach(() => void vi.useRealTimers());

/** What the script has seen and made so far. */
type Loot = { forms: { path: string; fields: Record<string, string> }[]; assertions: string[]; own: Authenticator };

const steps = oneof(
  record({
    do: constant('press' as const),
    grade: constantFrom('pressed', 'confirmed', 'device'),
    next: boolean(),
  }),
  record({ do: constant('sign' as const), as: constantFrom('own', "the human's id"), verified: boolean() }),
  record({
    do: constant('replay' as const),
    which: nat(),
    with: constantFrom('nothing', 'assertion', 'shown'),
  }),
  record({ do: constant('enrol' as const) }),
  record({ do: constant('remove' as const) }),
  record({ do: constant('guard' as const), device: constantFrom('yes', 'no') }),
  record({
    do: constant('amend' as const),
    askAbove: constantFrom('', '100', '3'),
    approval: constantFrom('', 'pressed'),
  }),
  record({ do: constant('ceiling' as const) }),
  record({ do: constant('pause and resume' as const) }),
  record({ do: constant('sign in' as const) }),
  record({ do: constant('again' as const) }),
);
type Step = typeof steps extends Arbitrary<infer Of> ? Of : never;

async function open(human: Person, path: string): Promise<Page> {
  return human.walk(path);
}

/** Sends a form of ours with whatever in it, and keeps it for later. */
async function send(human: Person, loot: Loot, path: string, page: Page, fields: Record<string, string>) {
  const all = { ...hiddenFields(page), ...fields };
  loot.forms.push({ path, fields: all });
  return human.browser.post(path, all);
}

type Scene = { human: Person; deputy: Deputy; loot: Loot; id: string; args: Record<string, unknown>; known: string };

async function take(step: Step, { human, deputy, loot, id, args, known }: Scene) {
  const question = questionPath(id);
  switch (step.do) {
    case 'press': {
      const page = await open(human, question);
      const next = step.next ? { next: 'yes' } : {};
      return send(human, loot, question, page, { decision: 'approve', grade: step.grade, ...next });
    }
    case 'sign': {
      const page = await open(human, question);
      const signed = await loot.own.assertion(optionsOn(page).challenge ?? '', {
        origin: ORIGIN,
        verified: step.verified,
      });
      const as = step.as === 'own' ? signed : { ...signed, id: known, rawId: known };
      loot.assertions.push(JSON.stringify(as));
      return send(human, loot, question, page, { decision: 'approve', grade: 'device', assertion: JSON.stringify(as) });
    }
    case 'replay': {
      const form = loot.forms[step.which % Math.max(loot.forms.length, 1)];
      if (!form) return;
      const page = await open(human, question);
      const assertion = loot.assertions[step.which % Math.max(loot.assertions.length, 1)] ?? '';
      const more = { nothing: {}, assertion: { assertion }, shown: { shown: hiddenFields(page)['shown'] ?? '' } }[
        step.with
      ];
      return human.browser.post(step.which % 2 === 0 ? question : form.path, { ...form.fields, ...more });
    }
    case 'enrol': {
      const page = await open(human, '/deputies/passkeys');
      const attestation = await loot.own.attestation(optionsOn(page).challenge ?? '', { origin: ORIGIN });
      return send(human, loot, '/deputies/passkeys', page, { attestation: JSON.stringify(attestation) });
    }
    case 'remove':
      return send(human, loot, '/deputies/passkeys/remove', await open(human, '/deputies/passkeys'), {
        passkey: known,
      });
    case 'guard':
      return send(human, loot, '/deputies/passkeys/guard', await open(human, '/deputies/passkeys'), {
        device: step.device,
      });
    case 'amend': {
      const [first] = (await recordOf(human)).deputies;
      const path = `/deputies/${first?.deputyId}`;
      const blanks = { shirtsPerOrder: '100', shirtsPerDay: '1000', spendPerDay: '25000', until: 'keep' };
      const scope = ['shop:browse', 'shop:buy', 'orders:read'];
      const { askAbove, approval } = step;
      const fields = { ...hiddenFields(await open(human, path)), ...blanks, askAbove, approval };
      loot.forms.push({ path, fields });
      return human.browser.post(path, { ...fields, scope: scope[1] ?? '' });
    }
    case 'ceiling': {
      const fields = { shirtsPerDay: '1000', spendPerDay: '25000' };
      return send(human, loot, '/deputies/ceiling', await open(human, '/deputies/ceiling'), fields);
    }
    case 'pause and resume': {
      await send(human, loot, '/deputies/pause', await open(human, '/deputies'), {});
      await send(human, loot, '/deputies/resume', await open(human, '/deputies/resume'), {});
      return goOn(human);
    }
    case 'sign in':
      return human.walk(`/login?return_to=/deputies&fresh=1`);
    case 'again':
      return deputy.call('buyMcpShopItem', args);
  }
}

/** As if the human had resumed with their device, which the script cannot; it may even have removed that passkey. */
async function goOn(human: Person): Promise<void> {
  await runInDurableObject(objectOf(human), (_, { storage }) => {
    storage.sql.exec("UPDATE account SET authority = 'active'");
  });
}

test(`a script in the human's browser gets 0 of ${ORDERS} orders that need the device`, async () => {
  const seed = Number(process.env['VITE_SCRIPT_SEED'] ?? Date.now() % 2 ** 31);
  console.info(`seed ${seed}`);
  const tally = { tried: 0, got: 0, requests: 0 };
  await assert(
    asyncProperty(
      array(array(steps, { minLength: 1, maxLength: MOST_STEPS }), { minLength: IN_ONE, maxLength: IN_ONE }),
      async (histories) => {
        vi.useRealTimers();
        const human = person();
        const device = await addPasskey(human);
        await objectOf(human).act({
          do: 'ceiling',
          ceiling: { shirtsPerDay: 1000, spendPerDay: 2_500_000 },
          version: 0,
        });
        human.blanks = { shirtsPerOrder: '5', shirtsPerDay: '1000', spendPerDay: '25000', approval: 'device' };
        const deputy = await deputyOf(human, '2025-11-25');
        await objectOf(human).act({ do: 'guard', device: true });
        const loot: Loot = { forms: [], assertions: [], own: await Authenticator.make() };
        for (const [index, history] of histories.entries()) {
          await goOn(human);
          const args = { ...PURCHASE, quantity: 4, idempotencyKey: `order ${index}` };
          const { data } = await deputy.call('buyMcpShopItem', args);
          const id = (data['error'] as { waiting?: { id: string } } | undefined)?.waiting?.id;
          if (id === undefined) throw new Error(`nothing was asked: ${JSON.stringify(data)}`);
          tally.tried += 1;
          for (const step of history) {
            tally.requests += 1;
            await take(step, { human, deputy, loot, id, args, known: device.id });
          }
          await deputy.call('buyMcpShopItem', args);
          await deputy.call('cancelMcpShopOrder', { orderId: id });
          // Nothing is refused because the deputy was too quick.
          vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
        }
        const { effects } = await objectOf(human).lookAtEffects();
        const got = effects.filter(({ state }) => state === 'confirmed' || state === 'cancelled');
        tally.got += got.length;
        expect(got).toEqual([]);
      },
    ),
    { seed, numRuns: Math.ceil(ORDERS / IN_ONE), endOnFailure: true },
  );
  console.info(JSON.stringify({ seed, ...tally }));
  expect(tally.tried).toBeGreaterThanOrEqual(ORDERS);
}, 900_000);
