/** What each deputy did in the last day, hour by hour, and when all of them were paused. */
import type { Authority } from '../authority/policy.ts';
import type { RecordLines } from './record.ts';

export const HOUR_MS = 60 * 60_000;
export const HOURS = 24;

type Calls = { allowed: number; refused: number };

export type Activity = {
  /** Milliseconds since the epoch: where the first of the 24 hours begins. The last one holds now. */
  since: number;
  /** What is counted begins here, later than `since` when the last day has more lines than are read. */
  from: number;
  /** Those with refusals first, then the busiest: its calls in all, and by hour. */
  lanes: (Calls & { deputyId: string; hours: Calls[] })[];
  /** In milliseconds since the epoch, oldest first. */
  pauses: { from: number; to: number }[];
};

/** `now` is the ledger's time in milliseconds. */
export function activityOf(record: RecordLines, authority: Authority, now: number): Activity {
  const since = Math.floor(now / HOUR_MS) * HOUR_MS - (HOURS - 1) * HOUR_MS;
  const from = Math.max(since, Date.parse(record.searchedBackTo() ?? new Date(since).toISOString()));
  const start = new Date(from).toISOString();
  const lanes = new Map<string, Calls[]>();
  for (const { deputy, hour, allowed, refused } of record.countByHour(start)) {
    const hours = lanes.get(deputy) ?? Array.from({ length: HOURS }, () => ({ allowed: 0, refused: 0 }));
    hours[(Date.parse(`${hour}:00:00Z`) - since) / HOUR_MS] = { allowed, refused };
    lanes.set(deputy, hours);
  }
  return {
    since,
    from,
    lanes: [...lanes]
      .map(([deputyId, hours]) => ({ deputyId, hours, ...total(hours) }))
      .toSorted((one, other) => other.refused - one.refused || other.allowed - one.allowed),
    pauses: pausesIn(record.switches(start), authority, from, now),
  };
}

function pausesIn(switches: ReturnType<RecordLines['switches']>, authority: Authority, from: number, now: number) {
  const pauses: Activity['pauses'] = [];
  // Before the first switch it was the other way round.
  let pausedSince = (switches[0] ? switches[0].act === 'resumed' : authority !== 'active') ? from : undefined;
  // A resume lifts a suspension first, and leaves the pause below it.
  const held = new Set<string>();
  for (const { at, act } of switches) {
    if (act !== 'resumed') held.add(act);
    else if (!held.delete('suspended')) held.clear();
    if (held.size > 0) pausedSince ??= Date.parse(at);
    else if (pausedSince !== undefined) {
      pauses.push({ from: pausedSince, to: Date.parse(at) });
      pausedSince = undefined;
    }
  }
  if (pausedSince !== undefined) pauses.push({ from: pausedSince, to: now });
  return pauses;
}

function total(hours: Calls[]): Calls {
  const [allowed, refused] = [hours.map((hour) => hour.allowed), hours.map((hour) => hour.refused)];
  return { allowed: sum(allowed), refused: sum(refused) };
}

function sum(numbers: number[]): number {
  return numbers.reduce((one, other) => one + other, 0);
}
