/**
 * Ada presses Resume, and while WorkOS is slow to confirm her, she presses the red button. The button is her last word: what
 * widens names the state it was shown, so a Resume, a raised limit or a wider mandate from before counts for nothing.
 */
import { afterEach, expect, test, vi } from 'vitest';
import { env } from 'cloudflare:workers';
import { hiddenFields } from '../../src/dev/browser.ts';
import { deputyOf, objectOf, person } from '../support/people.ts';
import { PURCHASE } from '../support/shop.ts';
import { cookiesOf, send } from '../support/http.ts';
import { outcome, recordOf } from '../support/scene.ts';
import { ORIGIN } from '../support/worker.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Makes WorkOS wait for `answer`. By flags, because a request of workerd cannot be woken by another one's promise. */
function slowWorkOS() {
  const state = { asked: false, answered: false };
  const get = env.OAUTH_KV.get.bind(env.OAUTH_KV) as (...args: unknown[]) => Promise<unknown>;
  vi.spyOn(env.OAUTH_KV, 'get').mockImplementation((async (...args: unknown[]) => {
    if (String(args[0]).startsWith('local-authkit:refresh')) {
      state.asked = true;
      await vi.waitUntil(() => state.answered, { timeout: 4000, interval: 5 });
    }
    return get(...args);
  }) as never);
  return {
    asked: () => vi.waitUntil(() => state.asked, { timeout: 4000, interval: 5 }),
    answer: () => (state.answered = true),
  };
}

/** Posts a form as that human's browser does, without waiting for the page before it. */
function posting(path: string, fields: Record<string, string>, cookies: string): Promise<Response> {
  const headers = { Origin: ORIGIN, Cookie: cookies };
  return send(path, { method: 'POST', body: new URLSearchParams(fields), headers });
}

test('a resume that was pressed before a pause counts for nothing', async () => {
  const ada = person();
  const deputy = await deputyOf(ada, '2026-07-28');
  await ada.browser.press(await ada.walk('/deputies'), 'Stop all');
  const fields = hiddenFields(await ada.browser.open('/deputies/resume'));
  const { asked, answer } = slowWorkOS();
  const resumed = posting('/deputies/resume', fields, cookiesOf(ada));
  await asked();
  const { sequence } = (await objectOf(ada).act({ do: 'pause' })) as { sequence: number };
  answer();
  const response = await resumed;
  expect(response.status).toBe(409);
  expect(await response.text()).toContain('Nothing was changed.');
  const { account, timeline } = await recordOf(ada);
  expect(account).toMatchObject({ authority: 'paused', authoritySequence: sequence });
  expect(timeline.filter((line) => line.actor === 'human' && line.act === 'paused')).toHaveLength(2);
  expect(await outcome(deputy, 'buyMcpShopItem', PURCHASE)).toBe('paused');
});

test('a resume that names no pause, another one, or none that stands, lifts nothing', async () => {
  const ada = person();
  await deputyOf(ada, '2025-11-25');
  const object = objectOf(ada);
  const first = (await object.act({ do: 'pause' })) as { sequence: number };
  const second = (await object.act({ do: 'pause' })) as { sequence: number };
  expect(second.sequence).toBeGreaterThan(first.sequence);
  for (const pause of [first.sequence, 0, Number.NaN, second.sequence + 1])
    expect(await object.act({ do: 'resume', pause })).toEqual({ problem: 'stale' });
  expect(await object.act({ do: 'resume', pause: second.sequence })).toHaveProperty('sequence');
  expect(await object.act({ do: 'resume', pause: second.sequence })).toEqual({ problem: 'stale' });
  expect(await object.verifyRecord()).toMatchObject({ ok: true });
});

test('erasing keeps a pause, and a page from before does not lift it', async () => {
  const ada = person();
  await deputyOf(ada, '2025-11-25');
  const object = objectOf(ada);
  const { sequence } = (await object.act({ do: 'pause' })) as { sequence: number };
  await object.act({ do: 'erase' });
  expect(await object.act({ do: 'resume', pause: sequence })).toEqual({ problem: 'stale' });
  // No later pause has the number of that one.
  for (let latest = 0; latest < sequence;)
    latest = ((await object.act({ do: 'pause' })) as { sequence: number }).sequence;
  expect(await object.act({ do: 'resume', pause: sequence })).toEqual({ problem: 'stale' });
  const { account } = await recordOf(ada);
  expect(await object.act({ do: 'resume', pause: account.authoritySequence ?? 0 })).toHaveProperty('sequence');
  expect(await object.verifyRecord()).toMatchObject({ ok: true });
});

test('a page that is too old can lower the limits of the account and of a mandate, and raise neither', async () => {
  const ada = person();
  await deputyOf(ada, '2025-11-25');
  const object = objectOf(ada);
  const ceilingOf = async () => (await recordOf(ada)).account.ceiling;
  const set = (shirtsPerDay: number, version: number) =>
    object.act({ do: 'ceiling', ceiling: { shirtsPerDay, spendPerDay: 50_000 }, version });
  expect(await set(10, 0)).toHaveProperty('sequence');
  expect(await set(15, 0)).toEqual({ problem: 'stale' });
  expect(await ceilingOf()).toMatchObject({ shirtsPerDay: 10 });
  expect(await set(5, 0)).toHaveProperty('sequence');
  const { account } = await recordOf(ada);
  expect(await set(15, account.ceilingVersion)).toHaveProperty('sequence');

  const [deputy] = (await recordOf(ada)).deputies;
  if (!deputy) throw new Error('nobody was appointed');
  const { deputyId, mandate } = deputy;
  const amend = (shirtsPerOrder: number, version: number) =>
    object.act({
      do: 'amend',
      narrowOnly: false,
      amendment: { deputyId, version, scopes: mandate.scopes, limits: { shirtsPerOrder } },
    });
  expect(await amend(2, 1)).toHaveProperty('sequence');
  expect(await amend(4, 1)).toEqual({ problem: 'stale' });
  expect(await amend(1, 1)).toHaveProperty('sequence');
  expect(await amend(4, 3)).toHaveProperty('sequence');
});
