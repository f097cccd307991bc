/** The crowd before a human's object: what one deputy, and all deputies of one human, have under way and send. The brake is not in it. */
import type { Caller } from '../deputy.ts';
import { OPEN_TO_BROWSERS } from '../edge/oauth-error.ts';
import { log, logError } from '../log.ts';
import { idIn, readBody } from './body.ts';
import { rpcError } from './rpc-error.ts';

/** Requests that go at once while there are no more: an agent that asks for several things together waits for nothing. */
const AT_ONCE = 16;
/** Requests that go at once when there are more, until all of them are through. So a pause finds little in front of it. */
const OF_A_CROWD = 1;
/** Milliseconds that a request waits for its turn. */
const PATIENCE_MS = 10_000;
/** Milliseconds after which a place is free again, should the platform have ended its request without a word. */
const LEASE_MS = 60_000;

/** Seconds until there is room again: a full line is through by then, unless its calls are slow. */
export const TURN_SECONDS = 2;

/** A request in a line; its place is free again at `until`, in any case. */
type Place = { until: number };
type Line = { places: Place[]; crowded: boolean };

/** Requests in the order in which they came, in a line for each key. It is of this isolate; others have lines of their own. */
export class Lines {
  readonly #lines = new Map<string, Line>();
  /** Requests in one line, under way and waiting. */
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** What `work` comes to, once it is its turn; undefined when the line is full, or its turn does not come. */
  async inTurn<Result>(key: string, work: () => Promise<Result>): Promise<Result | undefined> {
    const now = Date.now();
    const line = this.#lines.get(key) ?? { places: [], crowded: false };
    line.places = line.places.filter(({ until }) => until > now);
    if (line.places.length >= this.#most) return undefined;
    const place = { until: now + LEASE_MS };
    line.places.push(place);
    line.crowded ||= line.places.length > AT_ONCE;
    this.#lines.set(key, line);
    try {
      return line.crowded && !(await itsTurn(line, place)) ? undefined : await work();
    } finally {
      line.places = line.places.filter((other) => other !== place);
      if (line.places.length === 0) this.#lines.delete(key);
    }
  }
}

/**
 * Waits for its turn in a crowd. A request looks by itself, because another one could not wake it once it has ended; and it
 * waits by the clock, so that the server looks at its sockets in between, where a page may wait.
 */
async function itsTurn(line: Line, place: Place): Promise<boolean> {
  const end = Date.now() + PATIENCE_MS;
  // The clock stands still while nothing is waited for, and tests stop it altogether.
  for (let waited = 0; waited < PATIENCE_MS && Date.now() < end;) {
    const ahead = line.places.filter(({ until }) => until > Date.now()).indexOf(place);
    if (ahead < OF_A_CROWD) return true;
    // Nearly no call takes less than a millisecond, so its turn does not come before.
    await scheduler.wait(ahead);
    waited += ahead;
  }
  return false;
}

const deputies = new Lines(2 * AT_ONCE);
const humans = new Lines(4 * AT_ONCE);

/** A token is `user:grant:secret`. A deputy is one grant, whichever of its tokens it sends; nobody else knows its number. */
const GRANT = /^Bearer[\t ]+([^\s,]+):[^\s,:]+$/i;

/** What `serve` comes to when it is the turn of that grant, written `user:grant`; undefined when there are too many. */
export function grantInTurn(grant: string, serve: () => Promise<Response>): Promise<Response | undefined> {
  return deputies.inTurn(grant, serve);
}

/** Serves a request when it is its deputy's turn. What nobody has checked yet, a dismissed deputy's token above all, counts too. */
export async function deputyInTurn(request: Request, serve: () => Promise<Response>): Promise<Response> {
  const [, grant] = GRANT.exec(request.headers.get('Authorization') ?? '') ?? [];
  if (grant === undefined) return serve();
  return (await grantInTurn(grant, serve)) ?? refuse('deputy', TURN_SECONDS, await readBody(request));
}

/** What asking the object of a human comes to, once it is their deputies' turn; undefined when there are too many. */
export function humanInTurn<Result>({ userId }: Caller, ask: () => Promise<Result>): Promise<Result | undefined> {
  return humans.inTurn(userId, ask);
}

/** An isolate tells its location (the limit in `wrangler.toml`) of one in so many requests that it lets through. */
const TOLD_OF = { deputy: 50, human: 150 };
/** Seconds: the period of that limit. */
const PERIOD_SECONDS = 10;
/** Deputies and humans whose requests are counted. Those that are forgotten start again. */
const MOST_COUNTED = 10_000;

const sent = new Map<string, { times: number; shutUntil: number }>();

/** The answer when a deputy, or all deputies of its human, sent too much in the last seconds, from wherever; else undefined. */
export async function tooFast(env: Env, caller: Caller, request: Request): Promise<Response | undefined> {
  for (const by of ['deputy', 'human'] as const) {
    const key = by === 'deputy' ? caller.deputyId : caller.userId;
    if (sent.size > MOST_COUNTED) sent.clear();
    const one = sent.get(key) ?? { times: 0, shutUntil: 0 };
    sent.set(key, one);
    one.times += 1;
    if (one.times % TOLD_OF[by] === 0 && !(await isWithin(env.CROWD_LIMIT, key)))
      one.shutUntil = Date.now() + PERIOD_SECONDS * 1000;
    if (one.shutUntil > Date.now()) return refuse(by, PERIOD_SECONDS, await readBody(request));
  }
  return undefined;
}

/** A limiter that fails lets the request through: it guards no authority. */
async function isWithin(limit: RateLimit, key: string): Promise<boolean> {
  try {
    return (await limit.limit({ key })).success;
  } catch (error) {
    logError('rate_limiter_failed', error);
    return true;
  }
}

/** Milliseconds in which all refusals of a kind share one line of the log. */
const SHARED_MS = 10_000;

const refused = { deputy: { times: 0, saidAt: 0 }, human: { times: 0, saidAt: 0 } };

/** The answer to a request that goes no further; the record has no line of it. */
export function refuse(by: 'deputy' | 'human', seconds: number, body: string | undefined): Response {
  const all = refused[by];
  all.times += 1;
  // Also when the clock was ahead the last time.
  if (Math.abs(Date.now() - all.saidAt) >= SHARED_MS) {
    log({ event: 'limited', route: '/mcp', by, times: all.times });
    refused[by] = { times: 0, saidAt: Date.now() };
  }
  const whose = by === 'deputy' ? 'this deputy' : 'the deputies of this human';
  const message = `Too many requests of ${whose} at once: nothing of this one was done, so wait ${seconds} seconds, then send it again.`;
  return rpcError(429, -32000, message, { ...OPEN_TO_BROWSERS, 'Retry-After': String(seconds) }, idIn(body));
}
