/** What the kernel promises of any domain, told once: consent, limits, pause, races, the record, the ratchet, attacks. */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { textOf } from '../../src/dev/browser.ts';
import { LOCAL_ORGANIZATION } from '../../src/dev/authkit-store.ts';
import { type Deputy, ERAS, type Person } from '../../src/dev/clients.ts';
import { domain } from '../../src/domain.ts';
import { outcome, post, recordOf } from '../support/scene.ts';
import { callMessage, rpc } from '../support/http.ts';
import { deputyOf, objectOf, person } from '../support/people.ts';
import type { Play } from './play.ts';

export function stories(play: Play): void {
  const { tool } = play.act;
  const act = (changes: Record<string, unknown> = {}) => ({ ...play.act.args, ...changes });
  const acting = (deputy: Deputy, changes: Record<string, unknown> = {}) => outcome(deputy, tool, act(changes));
  const signed = async (blanks: Record<string, string> = {}, ada = person()) => {
    ada.blanks = blanks;
    return { ada, deputy: await deputyOf(ada, '2026-07-28') };
  };
  const everyTool = async (deputy: Deputy) => {
    for (const { name } of await deputy.listTools())
      await outcome(deputy, name, name === tool ? act() : name === 'setDemoMode' ? { mode: 'banned' } : {});
  };

  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  describe(play.name, () => {
    test.each(ERAS)(
      'a %s client is appointed on a page of the domain, acts, and its human sees what it did',
      async (era) => {
        const ada = person();
        const deputy = await deputyOf(ada, era);
        expect(await acting(deputy)).toBe('allowed');
        expect(await outcome(deputy, play.reads)).toBe('allowed');
        const page = textOf(await ada.browser.open('/deputies'));
        expect(textOf(await ada.browser.open(`/deputies/${domain.act.nouns}`))).toMatch(play.listSays);
        expect(page).toMatch(play.recordSays);
        expect(page).toContain(play.name);
        const { effects } = await recordOf(ada);
        expect(effects).toMatchObject([{ number: 1, deputyId: expect.stringMatching(/^dep_/) }]);
      },
    );

    test('each metered tool of the domain says what it would use', async () => {
      const played = [play.act, ...(play.others ?? [])];
      const metered = domain.tools.filter((candidate) => candidate.metered).map(({ name }) => name);
      expect(played.map((one) => one.tool).toSorted()).toEqual(metered.toSorted());
      for (const one of played) {
        const { deputy } = await signed();
        expect(await outcome(deputy, one.tool, one.args), one.tool).toBe('allowed');
      }
    });

    test('the consent page has the blanks of the domain, and one that is mistyped appoints nobody', async () => {
      const ada = person();
      ada.blanks = play.mistyped.blanks;
      await expect(deputyOf(ada, '2025-11-25')).rejects.toThrow(play.mistyped.problem);
      await expect(deputyOf(ada, '2025-11-25')).rejects.toThrow(play.consentSays);
      expect((await recordOf(ada)).deputies).toEqual([]);
    });

    test.each(play.over)(
      'what is over $limit is refused, names it, and leaves nothing',
      async ({ limit, blanks, args, code }) => {
        const { ada, deputy } = await signed(blanks);
        const { data } = await deputy.call(tool, act(args));
        expect(data['error']).toMatchObject({ code, limit, whoCanLift: 'human' });
        const { effects, timeline } = await recordOf(ada);
        expect(effects).toEqual([]);
        expect(timeline[0]).toMatchObject({ decision: 'refused', code, limit, asked: expect.any(Object) });
      },
    );

    test.each(play.asking ? [play.asking] : [])(
      'what it must ask about waits on a page that shows all of it; a yes does it once, and a no leaves nothing',
      async (asking) => {
        const { ada, deputy } = await signed({ ...asking.blanks, approval: 'pressed' });
        const question = async (changes = {}) => {
          const { data } = await deputy.call(tool, act({ ...asking.args, ...changes }));
          return (data['error'] as { waiting?: { id: string } }).waiting?.id ?? '';
        };
        const first = await question();
        const path = `/deputies/approvals/${first}`;
        const page = await ada.browser.open(path);
        expect(textOf(page)).toMatch(asking.pageSays);
        expect(await acting(deputy, asking.args)).toBe('approval_required');
        await ada.browser.press(page, 'Approve');
        for (let count = 0; count < 2; count += 1) expect(await acting(deputy, asking.args)).toBe('allowed');
        const second = await question({ ...play.other, ...asking.args });
        await ada.browser.press(await ada.browser.open(`/deputies/approvals/${second}`), 'Deny');
        expect(await acting(deputy, { ...play.other, ...asking.args })).toBe('approval_denied');
        const { effects } = await recordOf(ada);
        expect(effects.map(({ id }) => id)).toEqual([second, first]);
        expect(effects.map(({ state }) => state)).toEqual(['denied', expect.stringMatching(/^(confirmed|sent)$/)]);
        expect(await objectOf(ada).verifyRecord()).toMatchObject({ ok: true });
      },
    );

    test('twenty calls at once do not slip through between the checks', async () => {
      const ada = person();
      ada.blanks = play.day.blanks;
      const { accessToken } = await deputyOf(ada, '2025-11-25');
      const message = callMessage(tool, act());
      const answers = await Promise.all(Array.from({ length: 20 }, () => rpc(accessToken, message)));
      await Promise.all(answers.map((answer) => answer.text()));
      const { effects } = await recordOf(ada);
      expect(effects.map(({ number }) => number).toReversed()).toEqual(
        Array.from({ length: play.day.allows }, (_, index) => index + 1),
      );
      expect(await objectOf(ada).verifyRecord()).toMatchObject({ ok: true });
    });

    test('the limits of the account bind all deputies together, a new one included', async () => {
      const ada = person();
      await objectOf(ada).act({ do: 'ceiling', ceiling: play.ceiling, version: 0 });
      const deputies = [await deputyOf(ada, '2025-11-25'), await deputyOf(ada, '2026-07-28')];
      for (let count = 0; count < play.day.allows; count += deputies.length)
        for (const deputy of deputies) expect(await acting(deputy)).toBe('allowed');
      for (const deputy of [...deputies, await deputyOf(ada, '2026-07-28')])
        expect(await acting(deputy)).toBe('account_limit');
    });

    test.each(ERAS)('a pause stops every tool of a %s client, and only the human lifts it', async (era) => {
      const ada = person();
      const deputy = await deputyOf(ada, era);
      await ada.browser.press(await ada.walk('/deputies'), 'Stop all');
      for (const { name } of await deputy.listTools())
        expect(await outcome(deputy, name, name === tool ? act() : {}), name).toBe('paused');
      expect((await recordOf(ada)).account.authority).toBe('paused');
      await ada.browser.press(await ada.walk('/deputies/resume'), 'Let these go on');
      expect(await acting(deputy)).toBe('allowed');
    });

    test('no tool moves what the human set, whatever it answers', async () => {
      const { ada, deputy } = await signed();
      const before = await recordOf(ada);
      await everyTool(deputy);
      await everyTool(deputy);
      const after = await recordOf(ada);
      expect(after.account).toEqual(before.account);
      expect(after.deputies.map(({ mandate, status }) => [mandate, status])).toEqual(
        before.deputies.map(({ mandate, status }) => [mandate, status]),
      );
    });

    test('a deputy without the power is sent to ask for it, and one that was narrowed is refused', async () => {
      const ada = person();
      ada.ticks = [];
      const { accessToken } = await deputyOf(ada, '2025-11-25');
      const answer = await rpc(accessToken, callMessage(tool, act()));
      expect(answer.status).toBe(403);
      expect(answer.headers.get('WWW-Authenticate')).toContain(play.meteredPower);
      await answer.body?.cancel();
      expect((await recordOf(ada)).effects).toEqual([]);
    });

    test('a dismissed deputy gets 401 at its next call', async () => {
      const ada = person();
      const { accessToken } = await deputyOf(ada, '2025-11-25');
      const [deputy] = (await recordOf(ada)).deputies;
      await objectOf(ada).act({ do: 'revoke', deputyId: deputy?.deputyId ?? '' });
      const answer = await rpc(accessToken, callMessage(tool, act()));
      expect(answer.status).toBe(401);
      await answer.body?.cancel();
    });

    test('a key stands for one call: repeated it does nothing again, with other arguments it is refused', async () => {
      const { ada, deputy } = await signed();
      expect(await acting(deputy, { idempotencyKey: 'one' })).toBe('allowed');
      expect(await acting(deputy, { idempotencyKey: 'one' })).toBe('allowed');
      expect(await outcome(deputy, tool, { ...play.other, idempotencyKey: 'one' })).toBe('idempotency_conflict');
      expect((await recordOf(ada)).effects).toHaveLength(1);
    });

    test('the demo ban stops a metered call, and asking nicely lifts it', async () => {
      const { deputy } = await signed();
      expect(await outcome(deputy, 'setDemoMode', { mode: 'banned' })).toBe('allowed');
      expect(await acting(deputy)).toBe('demo_banned');
      expect(await outcome(deputy, 'prettyPlease')).toBe('allowed');
      expect(await acting(deputy)).toBe('allowed');
    });

    test('what a deputy reads of its mandate is what its human wrote, and what is left of it', async () => {
      const { deputy } = await signed(play.day.blanks);
      const before = (await deputy.call('getMyMandate')).data as { remaining: Record<string, number> };
      expect(await acting(deputy)).toBe('allowed');
      const after = (await deputy.call('getMyMandate')).data as { remaining: Record<string, number>; limits: unknown };
      expect(Object.entries(after.remaining).some(([unit, left]) => left < (before.remaining[unit] ?? 0))).toBe(true);
      expect(after.limits).toMatchObject(
        Object.fromEntries(Object.entries(play.day.blanks).map(([name, typed]) => [name, Number(typed)])),
      );
    });

    test('the record verifies, its download chains, and a changed effect is found', async () => {
      const { ada, deputy } = await signed();
      expect(await acting(deputy)).toBe('allowed');
      expect(textOf(await ada.browser.open('/deputies/verify'))).toContain('The record holds.');
      const { html: text } = await ada.browser.open('/deputies/record.jsonl');
      const lines = text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { sequence?: number; head?: { sequence: number } });
      expect(lines.at(-1)).toEqual({
        head: { sequence: lines.length - 1, hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
      });
      // What a deputy writes, such as addresses and texts, is in none of its calls' lines.
      const calls = text.split('\n').filter((line) => line.includes('"actor":"deputy"'));
      for (const value of Object.values(play.act.args).flat())
        if (String(value).length > 3) expect(calls.join('\n')).not.toContain(value);
      await runInDurableObject(objectOf(ada), (_, { storage }) => {
        storage.sql.exec(
          `UPDATE effects SET amounts = '{"${Object.keys(JSON.parse(storage.sql.exec<{ amounts: string }>('SELECT amounts FROM effects').one().amounts) as object)[0]}":9}'`,
        );
      });
      expect(await objectOf(ada).verifyRecord()).toMatchObject({ ok: false });
    });

    test('the record is copied to WorkOS, act by act and call by call', async () => {
      const { ada, deputy } = await signed();
      await runInDurableObject(objectOf(ada), (instance) => {
        const { env } = instance as unknown as { env: Cloudflare.Env };
        Object.assign(instance, { env: { ...env, WORKOS_AUDIT_LOGS_ORGANIZATION: LOCAL_ORGANIZATION } });
      });
      expect(await acting(deputy)).toBe('allowed');
      for (let round = 0; round < 4; round += 1) {
        vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
        await runDurableObjectAlarm(objectOf(ada));
      }
      vi.useRealTimers();
      const dashboard = textOf(await ada.browser.open('/local-authkit'));
      expect(dashboard).toContain('deputization.appointed');
      expect(dashboard).toContain(tool);
    });

    test('a name that pretends to be markup is text on every page', async () => {
      const ada = person();
      const deputy = await deputyOf(ada, '2025-11-25', '<b>Your bank</b>');
      expect(await acting(deputy)).toBe('allowed');
      for (const path of ['/deputies', '/deputies/all', await pageOf(ada)]) {
        const { html, status } = await ada.browser.open(path);
        expect(status).toBe(200);
        expect(html).not.toContain('<b>Your bank');
      }
    });

    test('a token posts no form of the console', async () => {
      const { ada, deputy } = await signed();
      const bearer = { Authorization: `Bearer ${deputy.accessToken}` };
      for (const path of ['/deputies/resume', '/deputies/ceiling', await pageOf(ada)])
        expect(await post(path, { ...play.day.blanks, version: '1', form: deputy.accessToken }, bearer), path).toBe(
          401,
        );
    });

    test('erasing leaves the account’s use of the day, so it makes no room for more', async () => {
      const ada = person();
      await objectOf(ada).act({ do: 'ceiling', ceiling: play.ceiling, version: 0 });
      const deputy = await deputyOf(ada, '2026-07-28');
      for (let count = 0; count < play.day.allows; count += 1) await acting(deputy);
      await objectOf(ada).act({ do: 'erase' });
      expect(await acting(await deputyOf(ada, '2026-07-28'))).toBe('account_limit');
      expect(await objectOf(ada).verifyRecord()).toMatchObject({ ok: true });
    });
  });
}

async function pageOf(ada: Person): Promise<string> {
  return `/deputies/${(await recordOf(ada)).deputies[0]?.deputyId ?? ''}`;
}
