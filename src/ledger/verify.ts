/** Checking that the record holds together and says what the tables say. */
import { ACTS, type Amounts, CALLS } from '../authority/terms.ts';
import { addUse, type Pair, setBack, useOf, type Windows } from '../authority/window.ts';
import { checkpointHead, checkpointState, folded } from './checkpoint.ts';
import type { Ledger } from './ledger.ts';
import { type Head, hashOf, type Line, readLine } from './record.ts';
import { apply, type State } from './replay.ts';

/** Lines that are checked at a time; calls and acts of the human go on in between. */
const VERIFY_BATCH = 1000;

/** How often pruning or erasing may come in between; after that, all lines are checked at once. */
const MOST_OVERTAKEN = 3;

export type Verification =
  | {
      ok: true;
      lines: number;
      head: { sequence: number; hash: string };
      /** What the lines amount to, and the tables hold: how many deputies and effects, and the amounts of those, by unit. */
      holds: { deputies: number; effects: number; amounts: Amounts };
    }
  | {
      ok: false;
      /** The line at fault; undefined when a table or the expected head is. */
      sequence?: number;
      /** The record holds together, and the expected head is from before its first line. */
      tooOld?: true;
      problem: string;
    };

type Expected = { sequence: number; hash: string } | undefined;

/** All of `checking` at once. */
export function verify(ledger: Ledger, expected?: Expected): Verification {
  return allOf(checkingOnce(ledger, expected));
}

function allOf(steps: Generator<void, Verification>): Verification {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/**
 * Checks that each line hashes to what is stored and to what the next one says of it, that a line vouches for the
 * checkpoint, that the lines replayed from it give what the tables hold, and that `expected`, a head somebody kept
 * elsewhere, is part of it. Without such an anchor a chain proves nothing against somebody who can rewrite all of it.
 *
 * Yields after each batch of lines, so that calls and pauses come in between; the tables are compared in the last step.
 * Pruning and erasing may come in between as well: the lines are then checked from the start again.
 */
export function* checking(ledger: Ledger, expected: Expected): Generator<void, Verification> {
  for (let overtaken = 0; overtaken < MOST_OVERTAKEN; overtaken += 1) {
    const start = startOf(ledger);
    const steps = checkingOnce(ledger, expected);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
      yield;
      if (!isEqual(startOf(ledger), start)) break;
    }
  }
  return allOf(checkingOnce(ledger, expected));
}

/** Which record it is, and the line that it starts after. Pruning changes this, and so does erasing. */
function startOf(ledger: Ledger): { recordId: string; after: number } {
  return { recordId: ledger.account.read().recordId, after: checkpointHead(ledger.sql).sequence };
}

function* checkingOnce(ledger: Ledger, expected: Expected): Generator<void, Verification> {
  const { sql } = ledger;
  const replayed = new Replay(ledger);
  const first = replayed.head.sequence;
  let vouched = false;
  let anchored = expected === undefined || isSame(replayed.head, expected);
  let lines = 0;
  for (;;) {
    const rows = ledger.record.rows(replayed.head.sequence, VERIFY_BATCH);
    for (const row of rows) {
      const problem = replayed.add(row);
      if (problem !== undefined) return { ok: false, sequence: row.sequence, problem };
      vouched ||= replayed.vouchesFor(() => folded(sql));
      anchored ||= expected !== undefined && isSame(replayed.head, expected);
      lines += 1;
    }
    if (rows.length < VERIFY_BATCH) break;
    yield;
  }
  if (!vouched) return { ok: false, problem: 'the checkpoint is not the one it was made with' };
  const difference = replayed.difference();
  if (difference !== undefined) return { ok: false, problem: difference };
  if (!anchored && expected !== undefined && expected.sequence < first)
    return { ok: false, tooOld: true, problem: 'the line of that head was folded or erased since' };
  if (!anchored) return { ok: false, problem: 'the expected head is not part of this record' };
  const { sequence, hash } = replayed.head;
  return { ok: true, lines, head: { sequence, hash }, holds: replayed.amountsTo() };
}

/** What the lines amount to, one after the other, from the checkpoint on. */
class Replay {
  head: Head;
  readonly #ledger: Ledger;
  readonly #state: State;
  /** What each deputy used, and all of them together. */
  readonly #own = new Map<string, Windows>();
  #all: Windows;
  #line: Line | undefined;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.head = checkpointHead(ledger.sql);
    this.#state = checkpointState(ledger.sql);
    this.#all = this.#state.windows;
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
      const isSetBack = line.actor === 'system' && line.act === 'clock';
      if (isSetBack ? time + line.aheadMs !== at : time < at) return 'it is older than the line before';
      if (isSetBack) this.#setBack(at, time);
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
    return this.#accountDiffers() ?? this.#deputiesDiffer() ?? this.#effectsDiffer();
  }

  /** What the lines amount to. */
  amountsTo(): { deputies: number; effects: number; amounts: Amounts } {
    const { deputies, effects } = this.#state;
    const amounts: Amounts = {};
    for (const effect of effects.values())
      for (const [unit, amount] of Object.entries(effect.amounts)) amounts[unit] = (amounts[unit] ?? 0) + amount;
    return { deputies: Object.keys(deputies).length, effects: effects.size, amounts };
  }

  #count(line: Line, at: number): void {
    if (line.actor !== 'deputy' || !line.effect?.amounts) return;
    const used: Amounts = { ...line.effect.amounts, [ACTS]: 1 };
    const { own, all } = this.#ledger.pairs;
    this.#all = addUse(this.#all, all, used, at);
    this.#own.set(line.deputy, addUse(this.#own.get(line.deputy) ?? {}, own, used, at));
  }

  #setBack(aheadMs: number, now: number): void {
    const { own, all } = this.#ledger.pairs;
    this.#all = setBack(this.#all, all, aheadMs, now);
    for (const [id, windows] of this.#own) this.#own.set(id, setBack(windows, own, aheadMs, now));
  }

  #accountDiffers(): string | undefined {
    const { authority, paused, ceiling, windows } = this.#ledger.account.read();
    const { authority: own, suspended } = this.#state;
    const said = suspended ? 'suspended' : own;
    if (authority !== said) return `authority is ${authority}, the record says ${said}`;
    if (paused !== (own === 'paused')) return 'the pause below the suspension is not the one in the record';
    if (!isEqual(ceiling, this.#state.ceiling)) return 'the ceiling is not the one in the record';
    if (!this.#isUsed(this.#ledger.pairs.all, windows, this.#all))
      return 'what all deputies used is not what the record says';
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
        return `deputy ${id} is ${row?.status ?? 'missing'}, the record says ${said.status}`;
      if (!isEqual(row.mandate, said.mandate)) return `the mandate of ${id} is not the one in the record`;
      const { clientId, clientName, clientDomain, scopes } = row;
      const client = [clientId, clientName, clientDomain, scopes];
      if (!isEqual(client, [said.clientId, said.clientName, said.clientDomain, said.scopes]))
        return `the client of ${id} is not the one in the record`;
      if (row.name !== said.name) return `the name of ${id} is not the one in the record`;
      if (row.paused !== said.paused) return `the pause of ${id} is not the one in the record`;
      if (!this.#isUsed(this.#ledger.pairs.own, this.#ledger.meters.read(id).windows, this.#own.get(id) ?? {}))
        return `what ${id} used is not what the record says`;
    }
    const [stranger] = rows.keys();
    return stranger === undefined ? undefined : `deputy ${stranger} was never appointed`;
  }

  #effectsDiffer(): string | undefined {
    const said = new Map(this.#state.effects);
    for (const effect of this.#ledger.effects.facts()) {
      const { id } = effect;
      const known = said.get(id);
      said.delete(id);
      if (!known) return `${id} is not in the record`;
      if (!isEqual(known, effect)) return `${id} is not as the record says`;
    }
    const [missing] = said.keys();
    return missing === undefined ? undefined : `${missing} is in the record and nowhere else`;
  }

  /** Calls of any kind are left out: those that share a line of the record are not counted one by one. */
  #isUsed(pairs: readonly Pair[], stored: Windows, said: Windows): boolean {
    const now = this.#ledger.now();
    return pairs.every((pair) => pair.of === CALLS || useOf(stored, pair, now).used === useOf(said, pair, now).used);
  }
}

function isSame(head: Head, { sequence, hash }: { sequence: number; hash: string }): boolean {
  return head.sequence === sequence && head.hash === hash;
}

function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
