/** One deputy is paused alone, and another is dismissed: what they still try is refused, told, and lifted by nothing but their human. */
import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import { type Page, textOf } from '../../src/dev/browser.ts';
import { type Deputy, ERAS, type Person } from '../../src/dev/clients.ts';
import { callMessage, rpc } from '../support/http.ts';
import { deputyOf, objectOf, person } from '../support/people.ts';

afterEach(() => void vi.useRealTimers());

async function codeOf(deputy: Deputy, name = 'listMcpShopInventory') {
  const { data } = await deputy.call(name);
  return (data['error'] as { code: string } | undefined)?.code;
}

const consoleOf = (human: Person) => human.browser.open('/deputies');
const status = async ({ accessToken }: Deputy) => (await rpc(accessToken, callMessage('listMcpShopInventory'))).status;

/** The page of the human's newest deputy. */
async function deputyPage(human: Person): Promise<Page> {
  const [, path = ''] = /href="(\/deputies\/dep_[^"]+)"/.exec((await consoleOf(human)).html) ?? [];
  return human.browser.open(path);
}

test.each(ERAS)(
  'one %s deputy is paused alone: its calls are refused, the others go on, and no tool lifts it',
  async (era) => {
    const human = person();
    const held = await deputyOf(human, era, 'Held');
    const free = await deputyOf(human, '2026-07-28', 'Free');
    const [{ deputyId } = { deputyId: '' }] = (await objectOf(human).look({})).deputies.filter(
      ({ clientName }) => clientName === 'Held',
    );
    const page = await human.browser.open(`/deputies/${deputyId}`);
    const paused = await human.browser.press(page, 'Pause');
    expect(textOf(paused)).toContain('You paused Held.');
    expect(textOf(paused)).toMatch(
      /One deputy acts for you.* One deputy is paused\. Together the others may still buy 10 shirts/,
    );
    for (const tool of ['listMcpShopInventory', 'prettyPlease', 'getMyMandate'])
      expect(await codeOf(held, tool), tool).toBe('deputy_paused');
    expect(await status(held), 'it keeps its token').toBe(200);
    expect(await codeOf(free)).toBeUndefined();
    expect(textOf(await consoleOf(human))).toMatch(/Held tried to list the inventory ?Refused you paused it/);

    const going = await human.browser.press(await human.browser.open(`/deputies/${deputyId}`), 'Go on');
    expect(textOf(going)).toContain('You let Held go on.');
    expect(await codeOf(held)).toBeUndefined();
    expect(await objectOf(human).verifyRecord()).toMatchObject({ ok: true });
  },
);

test('a deputy is let go on only from the very pause that was shown, and each press takes a new one', async () => {
  const human = person();
  const deputy = await deputyOf(human, '2026-07-28', 'Held');
  const page = await deputyPage(human);
  await human.browser.press(page, 'Pause');
  const shown = await deputyPage(human);
  // The old page has the key still.
  await human.browser.press(page, 'Pause');
  const answer = await human.browser.press(shown, 'Go on');
  expect(answer.status).toBe(409);
  expect(textOf(answer)).toContain('Nothing was changed. This was changed after your page was made.');
  expect(textOf(answer)).toContain('This deputy is paused by you.');
  expect(await codeOf(deputy)).toBe('deputy_paused');
  await human.browser.press(answer, 'Go on');
  expect(await codeOf(deputy)).toBeUndefined();
});

test('who is left out when all go on stays paused', async () => {
  const human = person();
  const [one, other] = [await deputyOf(human, '2025-11-25', 'One'), await deputyOf(human, '2026-07-28', 'Other')];
  await human.browser.press(await consoleOf(human), 'Stop all');
  const { deputies } = await objectOf(human).look({});
  const chosen = deputies.find(({ clientName }) => clientName === 'One')?.deputyId ?? '';
  await human.browser.press(await human.browser.open('/deputies/resume'), 'Let these go on', { resume: [chosen] });
  expect(await codeOf(one)).toBeUndefined();
  expect(await codeOf(other)).toBe('deputy_paused');
});

test('the knock of a dismissed deputy is in the record and on the page, and a flood of them is counted in few lines', async () => {
  const human = person();
  const { accessToken } = await deputyOf(human, '2026-07-28', 'Gone');
  await human.browser.press(await deputyPage(human), 'Dismiss for good');
  const grants = async () => (await env.OAUTH_KV.list({ prefix: `grant:${userIdOf(human.email)}:` })).keys;
  await vi.waitUntil(async () => (await grants()).length === 0);
  // What the provider has just written is not known for that long.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 15 * 60_000 });
  for (let knock = 0; knock < 70; knock += 1)
    expect((await rpc(accessToken, callMessage('listMcpShopInventory'))).status).toBe(401);
  expect(textOf(await consoleOf(human))).toMatch(/Gone tried to list the inventory ?Refused you dismissed it/);
  const { timeline } = await objectOf(human).look({ decision: 'refused' });
  expect(timeline.length).toBeLessThanOrEqual(61);
});
