/** `pnpm demo --live`: two agents shop slowly at a running `pnpm dev`, so that its human has something to stop. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Browser, type Fetch } from '../dev/browser.ts';
import { Cast } from './cast.ts';
import { messageOf, type Stage } from './stage.ts';

export type LiveOptions = {
  origin: string;
  /** Whose agents they are. */
  email: string;
  minutes: number;
  /** Seconds between two calls. */
  every: number;
};

/** Small enough that they come up soon; and nothing is left of a mandate an hour after the talk. */
const BLANKS = { shirtsPerOrder: '4', shirtsPerDay: '8', spendPerDay: '200', askAbove: '2', until: 'hour' };

/** They begin at different places of the round, so that they are not seen doing the same. */
const AGENTS = [
  { name: 'laptop', era: '2025-11-25', begins: 0 },
  { name: 'phone', era: '2026-07-28', begins: 4 },
] as const;

const AFTERWARDS = 'Their mandates end by themselves, an hour after the sign-in.';

const SHIRT = { company: 'Analytical Engines Ltd', mailingAddress: '12 St James’s Square, London', tshirtSize: 'L' };

/** What an agent does, over and over. */
const ROUND = [
  ['listMcpShopInventory', {}],
  ['buyMcpShopItem', { ...SHIRT, color: 'blue' }],
  ['listMcpShopOrders', { limit: 3 }],
  ['buyMcpShopItem', { ...SHIRT, quantity: 50 }],
  ['getMyMandate', {}],
  ['buyMcpShopItem', { ...SHIRT, color: 'white', quantity: 2 }],
  // Its human is asked about this one, and the next round learns what they said.
  ['buyMcpShopItem', { ...SHIRT, color: 'white', quantity: 3 }],
  ['listMcpShopInventory', {}],
  ['listMcpShopOrders', { limit: 3 }],
] as const;

/** Milliseconds that one request may take. */
const PATIENCE_MS = 10_000;
/** Calls in a row without an answer, after which the server counts as gone. */
const ENOUGH = 10;

/** Calls of a dismissed agent after which it gives up: its human sees on the page that it still tries. */
const KNOCKS = 3;

/** A token was not accepted. Thrown before a client sees it, because a client would ask the human again by itself. */
class TurnedAwayError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`HTTP ${status}`);
    this.status = status;
  }
}

const patient: Fetch = (input, init) => fetch(input, { ...init, signal: AbortSignal.timeout(PATIENCE_MS) });

const withoutAskingAgain: Fetch = async (input, init) => {
  const response = await patient(input, init);
  const turnedAway = response.status === 401 || response.status === 403;
  if (!turnedAway || !new Headers(init?.headers).has('Authorization')) return response;
  await response.body?.cancel();
  throw new TurnedAwayError(response.status);
};

/** Takes the options as they were typed; throws with a sentence about the first that is wrong. */
export function readLive(typed: { as?: string; url?: string; minutes?: string; every?: string }): LiveOptions {
  const email = z.email().safeParse(typed.as ?? 'ada@example.com');
  if (!email.success) throw new Error('--as takes an e-mail address');
  const url = z.url({ protocol: /^https?$/ }).safeParse(typed.url ?? 'http://localhost:8787');
  if (!url.success) throw new Error('--url takes an address such as http://localhost:8787');
  const minutes = readNumber(typed.minutes ?? '15');
  if (!(minutes > 0 && minutes <= 50)) throw new Error('--minutes takes a number up to 50');
  const every = readNumber(typed.every ?? '3');
  if (!(every <= 60)) throw new Error('--every takes a number of seconds up to 60');
  return { origin: new URL(url.data).origin, email: email.data.toLowerCase(), minutes, every };
}

/** NaN for anything but digits and a point. */
function readNumber(text: string): number {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
}

/** Plays until every agent is dismissed or the time is up. Returns the exit code. */
export async function playLive(stage: Stage, { origin, email, minutes, every }: LiveOptions): Promise<number> {
  const fail = (sentence: string) => {
    stage.line(sentence, ['red', 'bold']);
    return 1;
  };
  const problem = await problemAt(origin);
  if (problem) return fail(problem);
  process.prependOnceListener('SIGINT', () => {
    stage.line(`\nStopped. ${AFTERWARDS}`, 'dim');
    process.exit(0);
  });
  stage.line(`Open ${origin}/deputies and sign in as ${email}.`, 'bold');
  stage.line('Pause, resume and dismiss the agents there. Ctrl-C ends this.', 'dim');
  stage.line();

  const cast = new Cast(origin, withoutAskingAgain, BLANKS);
  try {
    for (const { name, era } of AGENTS) {
      const step = await cast.appoint(name, email, era);
      stage.show({ ...step, result: step.result.replace(/\.$/, ' (scripted).') });
    }
  } catch (error) {
    const what = `${email} could not appoint them: ${messageOf(error).slice(0, 200)}`;
    return fail(`${what}\nTry a fresh e-mail address: --as stage2@example.com`);
  }

  const end = Date.now() + minutes * 60_000;
  const waiting = AGENTS.map(({ name, begins }) => ({ name, next: begins, knocks: 0 }));
  let unanswered = 0;
  for (let agent = waiting.shift(); agent; agent = waiting.shift()) {
    await sleep(Math.max(0, Math.min(every * 1000, end - Date.now())));
    if (Date.now() >= end) {
      stage.line(`\nThe time is up. ${AFTERWARDS}`, 'dim');
      return 0;
    }
    const { name } = agent;
    const [does, args] = ROUND[agent.next % ROUND.length] ?? ROUND[0];
    agent.next += 1;
    const start = performance.now();
    const show = (result: string) => stage.show({ who: name, does, result, milliseconds: performance.now() - start });
    try {
      stage.show(await cast.call(name, does, args, () => true));
      unanswered = 0;
    } catch (error) {
      if (!(error instanceof TurnedAwayError)) {
        show(`NO ANSWER: ${messageOf(error)}`);
        unanswered += 1;
        if (unanswered === ENOUGH) return fail(`\nNothing answers at ${origin} any more.`);
      } else if (error.status === 401) {
        agent.knocks += 1;
        const over = agent.knocks === KNOCKS;
        show(`REFUSED: HTTP 401: no longer a deputy.${over ? ' It gives up.' : ''}`);
        if (over) continue;
      } else {
        show('REFUSED: HTTP 403: not in its mandate.');
      }
    }
    waiting.push(agent);
  }
  stage.line('\nEvery agent is dismissed. Nobody acts here any more.', 'bold');
  return 0;
}

/** What stands in the way of playing at that address, in a sentence. */
export async function problemAt(origin: string): Promise<string | undefined> {
  try {
    const { html } = await new Browser(origin, patient).open('/deputies');
    if (html.includes('name="email"')) return undefined;
    return `The server at ${origin} does not sign people in with the local AuthKit, so nobody can be played there.`;
  } catch {
    return `Nothing answers at ${origin}. Start \`npx -y pnpm dev\` in another terminal.`;
  }
}
