/** Keeping the record short: old lines are folded into the checkpoint, and shared refusals get a line. */
import { RECORD_KEPT_MS } from '../lifetimes.ts';
import { checkpointState, folded, foldInto } from './checkpoint.ts';
import type { Ledger } from './ledger.ts';
import { type Head, type Line, readLine } from './record.ts';
import { apply } from './replay.ts';

/** Lines folded into the checkpoint in one run. */
export const PRUNE_BATCH = 2000;

/** Folds lines older than 90 days into the checkpoint, a batch at a time. Returns how many. */
export function prune(ledger: Ledger): number {
  return ledger.transaction(() => {
    const { sql } = ledger;
    const { head, now } = ledger.moment();
    const state = checkpointState(sql);
    const touched = new Set<string>();
    const old = oldest(ledger, now);
    const last = old.at(-1);
    if (!last) return 0;
    for (const { line } of old) {
      apply(state, line);
      if ('effect' in line && line.effect) touched.add(line.effect.id);
    }
    const open = Object.entries(state.allowances).filter(([, { endsAt }]) => endsAt > last.at);
    foldInto(sql, last, { ...state, windows: {}, allowances: Object.fromEntries(open) }, touched);
    sql.exec('DELETE FROM record WHERE sequence <= ?', last.sequence);
    ledger.record.append({ actor: 'system', act: 'pruned', ...folded(sql) }, head, now);
    return old.length;
  });
}

/** At most a batch of lines, up to the last that is too old to keep. */
function oldest(ledger: Ledger, now: number): (Head & { line: Line })[] {
  const found: (Head & { line: Line })[] = [];
  let count = 0;
  for (const { sequence, hash, line: text } of ledger.record.rows(0, PRUNE_BATCH)) {
    const line = readLine(text);
    const at = Date.parse(line.at);
    // A line from the future says that the clock was ahead; those after it tell how old it is.
    if (at > now - RECORD_KEPT_MS && at <= now) break;
    found.push({ sequence, hash, at, line });
    if (at <= now) count = found.length;
  }
  return found.slice(0, count);
}

/** Deputies whose refusals get their line at a time. */
const SHARED_BATCH = 100;

/** Writes a line for the refusals that no line holds yet, so that the record accounts for every call; a few at a time. */
export function* recordingShared(ledger: Ledger): Generator<void, void> {
  while (recordSome(ledger) === SHARED_BATCH) yield;
}

function recordSome(ledger: Ledger): number {
  return ledger.transaction(() => {
    let { head, now } = ledger.moment();
    const some = ledger.meters.unrecorded(SHARED_BATCH);
    for (const { deputyId, refused } of some) {
      head = ledger.record.append({ actor: 'system', act: 'counted', deputy: deputyId, refused }, head, now);
      ledger.meters.save(deputyId, { ...ledger.meters.read(deputyId), unrecorded: 0 });
    }
    return some.length;
  });
}
