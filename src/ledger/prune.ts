/** Keeping the record short: old lines are folded into the checkpoint, and shared refusals get a line. */
import { RECORD_KEPT_MS } from '../lifetimes.ts';
import { checkpointState, folded, foldInto } from './checkpoint.ts';
import type { Ledger } from './ledger.ts';
import { type Head, readLine } from './record.ts';
import { apply } from './replay.ts';

/** Lines folded into the checkpoint in one run. */
export const PRUNE_BATCH = 2000;

/** Folds lines older than 90 days into the checkpoint, a batch at a time. Returns how many. */
export function prune(ledger: Ledger): number {
  return ledger.transaction(() => {
    const { sql } = ledger;
    const head = ledger.record.head();
    const now = ledger.now(head);
    const state = checkpointState(sql);
    const touched = new Set<string>();
    let last: Head | undefined;
    let count = 0;
    for (const row of ledger.record.rows(0, PRUNE_BATCH)) {
      const line = readLine(row.line);
      const at = Date.parse(line.at);
      if (at > now - RECORD_KEPT_MS) break;
      apply(state, line);
      if (line.actor === 'deputy' && line.effect) touched.add(line.effect.id);
      last = { sequence: row.sequence, hash: row.hash, at };
      count += 1;
    }
    if (!last) return 0;
    foldInto(sql, last, { ...state, windows: {} }, touched);
    sql.exec('DELETE FROM record WHERE sequence <= ?', last.sequence);
    ledger.record.append({ actor: 'system', act: 'pruned', ...folded(sql) }, head, now);
    return count;
  });
}

/** Writes a line for the refusals that no line holds yet, so that the record accounts for every call. */
export function recordShared(ledger: Ledger): void {
  ledger.transaction(() => {
    let head = ledger.record.head();
    const now = ledger.now(head);
    for (const { deputyId, refused } of ledger.meters.unrecorded()) {
      head = ledger.record.append({ actor: 'system', act: 'counted', deputy: deputyId, refused }, head, now);
      ledger.meters.save(deputyId, { ...ledger.meters.read(deputyId), unrecorded: 0 });
    }
  });
}
