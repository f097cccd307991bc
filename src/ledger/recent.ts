/** The last quarter of an hour by ten seconds, and what was refused since everything was stopped: read back from the newest line. */
import type { AccountState } from './account.ts';
import type { Brief, RecordLines } from './record.ts';

export const STEP_MS = 10_000;
export const STEPS = 90;

/** What a deputy did, the most telling first: it left an effect, it was refused, it asked its human, it looked. */
type Deed = 'made' | 'refused' | 'asked' | 'looked';

/** Which of these it did in one step of the time. */
type Mark = { step: number } & Record<Deed, boolean>;

/** `count`: how often, in the whole time that is shown. */
export type Lane = { deputyId: string; marks: Mark[]; count: Record<Deed, number> };

/** Refusals since the pause or suspension, and when the last one was (ISO 8601). */
export type Tried = { count: number; last: string };

export type Recent = {
  /** Milliseconds since the epoch: where the first step begins. The last one holds now. */
  since: number;
  /** In the order of what they did last. */
  lanes: Lane[];
  /** When nobody could act, in milliseconds, or one deputy could not. */
  stops: { from: number; to: number; deputyId?: string }[];
  /** While everything is stopped: by deputy. */
  tried: Record<string, Tried>;
  /** The record is longer than what was read, so that `tried` counts from later than the stop. */
  cut: boolean;
};

/** `now` is the ledger's time in milliseconds. */
export function recentOf(
  record: RecordLines,
  { authority, authoritySequence = 0 }: Pick<AccountState, 'authority' | 'authoritySequence'>,
  now: number,
): Recent {
  const since = (Math.floor(now / STEP_MS) - STEPS + 1) * STEP_MS;
  const lanes = new Map<string, Lane>();
  const tried: Record<string, Tried> = {};
  const switches: Switch[] = [];
  let read = 0;
  let first = Infinity;
  for (const { sequence, at, deputy, act, decision, code, made, shared } of record.lately()) {
    const time = Date.parse(at);
    const isShown = time >= since;
    const isSinceStop = authority !== 'active' && sequence > authoritySequence;
    if (!isShown && !isSinceStop) break;
    read += 1;
    first = sequence;
    if (isShown && act !== null && SWITCHES.has(act))
      switches.unshift({ at: time, act, deputyId: deputy ?? undefined });
    if (deputy === null) continue;
    const refusals = Number(decision === 'refused') + shared;
    const deed = deedOf({ act, decision, made });
    const step = Math.floor((time - since) / STEP_MS);
    if (isShown && deed) mark(lanes, deputy, step, deed, 1);
    if (isShown && refusals > 0) mark(lanes, deputy, step, 'refused', refusals);
    if (isSinceStop && (code === 'paused' || code === 'suspended')) {
      const before = tried[deputy];
      tried[deputy] = { count: (before?.count ?? 0) + refusals, last: before?.last ?? at };
    }
  }
  return {
    since,
    lanes: [...lanes.values()],
    stops: stopsIn(switches, authority !== 'active', since, now),
    tried,
    cut: read > 0 && authority !== 'active' && first > authoritySequence + 1,
  };
}

const SWITCHES = new Set(['paused', 'suspended', 'resumed', 'restored']);
type Switch = { at: number; act: string; deputyId: string | undefined };

/** What a line says that its deputy did, but for refusals: the human's yes makes what it had asked for. */
function deedOf({ act, decision, made }: Pick<Brief, 'act' | 'decision' | 'made'>): Deed | undefined {
  if (act === 'approved') return 'made';
  if (decision === 'asked') return 'asked';
  if (decision !== 'allowed') return undefined;
  return made === 1 ? 'made' : 'looked';
}

function mark(lanes: Map<string, Lane>, deputyId: string, step: number, deed: Deed, times: number): void {
  const lane = lanes.get(deputyId) ?? quietLane(deputyId);
  lanes.set(deputyId, lane);
  let at = lane.marks.find((one) => one.step === step);
  if (!at) lane.marks.push((at = { step, made: false, refused: false, asked: false, looked: false }));
  at[deed] = true;
  lane.count[deed] += times;
}

/** Of a deputy that did nothing. */
export function quietLane(deputyId: string): Lane {
  return { deputyId, marks: [], count: { made: 0, refused: 0, asked: 0, looked: 0 } };
}

/** `switches` are oldest first; `isStopped` is how it ended. */
function stopsIn(switches: readonly Switch[], isStopped: boolean, since: number, now: number): Recent['stops'] {
  const stops: Recent['stops'] = [];
  for (const [deputyId, own] of Map.groupBy(switches, (one) => one.deputyId)) {
    const of = deputyId === undefined ? {} : { deputyId };
    // Before the first switch it was the other way round.
    let from = own[0]?.act === 'resumed' ? since : undefined;
    // A resume lifts a suspension first, and leaves the pause below it.
    const held = new Set<string>(from === undefined ? [] : ['paused']);
    for (const { at, act } of own) {
      if (act !== 'resumed') held.add(act);
      else if (!held.delete('suspended')) held.clear();
      if (held.size > 0) from ??= at;
      else if (from !== undefined) {
        stops.push({ ...of, from, to: at });
        from = undefined;
      }
    }
    if (from !== undefined && (deputyId !== undefined || isStopped)) stops.push({ ...of, from, to: now });
  }
  if (isStopped && !switches.some(({ deputyId }) => deputyId === undefined)) stops.push({ from: since, to: now });
  return stops;
}
