/** Keeping the audit: checking that it holds together and says what the tables say, and pruning what is old. */
import { type Head, hashOf, type Line, readLine } from './audit.ts';
import { checkpointHead, checkpointState, folded, foldInto, isBlank } from './checkpoint.ts';
import type { Ledger } from './ledger.ts';
import { apply, type State } from './replay.ts';
import { DAY, spend, used, type Window } from './window.ts';

/** Milliseconds for which lines of the audit are kept one by one. */
export const AUDIT_KEPT = 90 * 24 * 60 * 60_000;
/** Lines folded into the checkpoint in one run. */
export const PRUNE_BATCH = 2000;
/** Lines that are checked at a time; calls and acts of the human go on in between. */
const VERIFY_BATCH = 1000;

export type Verification =
  | { ok: true; lines: number; head: { sequence: number; hash: string } }
  | {
      ok: false;
      /** The line at fault; undefined when a table or the expected head is. */
      sequence?: number;
      problem: string;
    };

type Expected = { sequence: number; hash: string } | undefined;

/** All of `checking` at once. */
export function verify(ledger: Ledger, expected?: Expected): Verification {
  const steps = checking(ledger, expected);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/**
 * Checks that each line hashes to what is stored and to what the next one says of it, that a line vouches for the
 * checkpoint, that the lines replayed from it give what the tables hold, and that `expected`, a head somebody kept
 * elsewhere, is part of it. Without such an anchor a chain proves nothing against whoever can rewrite all of it.
 *
 * Yields after each batch of lines, so that a long record keeps nobody waiting; the tables are compared in the last step.
 */
export function* checking(ledger: Ledger, expected: Expected): Generator<void, Verification> {
  const { sql } = ledger.storage;
  const { recordId } = ledger.account.read();
  const replayed = new Replay(ledger);
  let vouched = isBlank(sql);
  let anchored = expected === undefined || isSame(replayed.head, expected);
  let lines = 0;
  for (;;) {
    const rows = ledger.audit.rows(replayed.head.sequence, VERIFY_BATCH);
    for (const row of rows) {
      const problem = replayed.add(row);
      if (problem !== undefined) return { ok: false, sequence: row.sequence, problem };
      vouched ||= replayed.vouchesFor(() => folded(sql));
      anchored ||= expected !== undefined && isSame(replayed.head, expected);
      lines += 1;
    }
    if (rows.length < VERIFY_BATCH) break;
    yield;
    if (ledger.account.read().recordId !== recordId) return { ok: false, problem: 'the record was erased meanwhile' };
  }
  if (!vouched) return { ok: false, problem: 'the checkpoint is not the one it was made with' };
  if (!anchored) return { ok: false, problem: 'the expected head is not part of this record' };
  const difference = replayed.difference();
  if (difference !== undefined) return { ok: false, problem: difference };
  return { ok: true, lines, head: { sequence: replayed.head.sequence, hash: replayed.head.hash } };
}

/** What the lines amount to, one after the other, from the checkpoint on. */
class Replay {
  head: Head;
  readonly #ledger: Ledger;
  readonly #state: State;
  /** What each deputy used within the day, and all of them together. */
  readonly #days = new Map<string, Window>();
  #day: Window;
  #line: Line | undefined;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.head = checkpointHead(ledger.storage.sql);
    this.#state = checkpointState(ledger.storage.sql);
    this.#day = this.#state.day;
  }

  /** Takes the next row; says what is wrong with it, if anything. */
  add(row: { sequence: number; line: string; hash: string }): string | undefined {
    const { sequence, hash, at } = this.head;
    if (row.sequence !== sequence + 1) return `line ${sequence + 1} is missing`;
    if (hashOf(row.line) !== row.hash) return 'its text is not the one that was recorded';
    try {
      const line = readLine(row.line);
      const time = Date.parse(line.at);
      if (line.sequence !== row.sequence) return 'it is stored under another number than its own';
      if (line.previous !== hash) return 'it does not follow from the line before';
      if (time < at) return 'it is older than the line before';
      apply(this.#state, line);
      this.#count(line, time);
      this.#line = line;
      this.head = { sequence: row.sequence, hash: row.hash, at: time };
      return undefined;
    } catch (error) {
      return `it cannot be read or applied: ${String(error)}`;
    }
  }

  /** Whether the last line vouches for the checkpoint as it is. */
  vouchesFor(read: () => { through: number; hash: string; checkpoint: string }): boolean {
    if (!this.#line || !('through' in this.#line)) return false;
    const { through, hash, checkpoint } = this.#line;
    return isEqual({ through, hash, checkpoint }, read());
  }

  /** The first difference between what the lines give and what the tables hold. */
  difference(): string | undefined {
    return this.#accountDiffers() ?? this.#deputiesDiffer() ?? this.#ordersDiffer();
  }

  #count(line: Line, at: number): void {
    if (line.actor !== 'deputy' || line.order?.status !== 'confirmed') return;
    const { quantity, total } = line.order;
    this.#day = spend(this.#day, DAY, at, [quantity, total]);
    this.#days.set(line.deputy, spend(this.#days.get(line.deputy) ?? [], DAY, at, [quantity, total]));
  }

  #accountDiffers(): string | undefined {
    const { authority, ceiling, day } = this.#ledger.account.read();
    if (authority !== this.#state.authority)
      return `authority is ${authority}, the audit says ${this.#state.authority}`;
    if (!isEqual(ceiling, this.#state.ceiling)) return 'the ceiling is not the one in the audit';
    if (!this.#isUsed(day, this.#day)) return 'what all deputies used today is not what the audit says';
    return undefined;
  }

  #deputiesDiffer(): string | undefined {
    const rows = new Map(this.#ledger.deputies.all(0).map((deputy) => [deputy.deputyId, deputy]));
    for (const [id, said] of Object.entries(this.#state.deputies)) {
      const row = rows.get(id);
      rows.delete(id);
      // An appointment that was never taken up is forgotten.
      if (!row && said.status === 'pending') continue;
      if (row?.status !== said.status)
        return `deputy ${id} is ${row?.status ?? 'missing'}, the audit says ${said.status}`;
      if (!isEqual(row.mandate, said.mandate)) return `the mandate of ${id} is not the one in the audit`;
      const { clientId, clientName, clientDomain, scopes } = row;
      const client = [clientId, clientName, clientDomain, scopes];
      if (!isEqual(client, [said.clientId, said.clientName, said.clientDomain, said.scopes]))
        return `the client of ${id} is not the one in the audit`;
      if (!this.#isUsed(this.#ledger.deputies.meter(id).day, this.#days.get(id) ?? []))
        return `what ${id} used today is not what the audit says`;
    }
    const [stranger] = rows.keys();
    return stranger === undefined ? undefined : `deputy ${stranger} was never appointed`;
  }

  #ordersDiffer(): string | undefined {
    const said = new Map(this.#state.orders);
    for (const { id, quantity, total, status } of this.#ledger.orders.facts()) {
      const order = said.get(id);
      said.delete(id);
      if (!order) return `order ${id} is not in the audit`;
      if (order.quantity !== quantity || order.total !== total || order.status !== status)
        return `order ${id} is not as the audit says`;
    }
    const [missing] = said.keys();
    return missing === undefined ? undefined : `order ${missing} is in the audit and nowhere else`;
  }

  #isUsed(stored: Window, said: Window): boolean {
    const now = this.#ledger.now();
    return isEqual(used(stored, DAY, now), used(said, DAY, now));
  }
}

/** Folds lines older than 90 days into the checkpoint, a batch at a time. Returns how many. */
export function prune(ledger: Ledger): number {
  return ledger.transaction(() => {
    const { sql } = ledger.storage;
    const head = ledger.audit.head();
    const now = ledger.now(head);
    const state = checkpointState(sql);
    const touched = new Set<string>();
    let last: Head | undefined;
    let count = 0;
    for (const row of ledger.audit.rows(0, PRUNE_BATCH)) {
      const line = readLine(row.line);
      const at = Date.parse(line.at);
      if (at > now - AUDIT_KEPT) break;
      apply(state, line);
      if (line.actor === 'deputy' && line.order) touched.add(line.order.id);
      last = { sequence: row.sequence, hash: row.hash, at };
      count += 1;
    }
    if (!last) return 0;
    foldInto(sql, last, { ...state, day: [] }, touched);
    sql.exec('DELETE FROM audit WHERE sequence <= ?', last.sequence);
    ledger.audit.append({ actor: 'system', act: 'pruned', ...folded(sql) }, head, now);
    return count;
  });
}

/** Writes a line for the refusals that no line holds yet, so that the audit accounts for every call. */
export function recordShared(ledger: Ledger): void {
  ledger.transaction(() => {
    let head = ledger.audit.head();
    const now = ledger.now(head);
    for (const { deputyId, refused } of ledger.deputies.unrecorded()) {
      head = ledger.audit.append({ actor: 'system', act: 'counted', deputy: deputyId, refused }, head, now);
      ledger.deputies.saveMeter(deputyId, { ...ledger.deputies.meter(deputyId), unrecorded: 0 });
    }
  });
}

function isSame(head: Head, { sequence, hash }: { sequence: number; hash: string }): boolean {
  return head.sequence === sequence && head.hash === hash;
}

function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
