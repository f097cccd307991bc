/** Checking that the record holds together and says what the tables say. */
import { type Amounts, CALLS } from '../authority/terms.ts';
import { type Pair, useOf, type Windows } from '../authority/window.ts';
import { allOf } from '../steps.ts';
import { isEnded, WAITING } from './approvals.ts';
import { checkpointHead, checkpointStateInSteps, foldedInSteps } from './checkpoint.ts';
import { Counting } from './counting.ts';
import type { Deputy } from './deputies.ts';
import type { Ledger } from './ledger.ts';
import { type Head, hashOf, type Line, readLine } from './record.ts';
import { apply, type State } from './replay.ts';

/** Lines, deputies or effects that are checked at a time; calls and acts of the human go on in between. */
const VERIFY_BATCH = 200;

/** How often pruning or erasing may come in between; after that, all lines are checked at once. */
const MOST_OVERTAKEN = 3;

type Failure = Extract<Verification, { ok: false }>;
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

/**
 * Checks that each line hashes to what is stored and to what the next one says of it, that a line vouches for the
 * checkpoint, that the lines replayed from it give what the tables hold, and that `expected`, a head somebody kept
 * elsewhere, is part of it. Without such an anchor a chain proves nothing against somebody who can rewrite all of it.
 *
 * Yields after each batch, so that calls and pauses come in between. What they add is read before the next batch of a
 * table is compared. Pruning and erasing may come in between as well: the lines are then checked from the start again.
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
  const replayed = new Replay(ledger, checkpointHead(sql), yield* checkpointStateInSteps(sql));
  const first = replayed.head.sequence;
  const start = yield* foldedInSteps(sql);
  let vouched = false;
  let anchored = expected === undefined || isSame(replayed.head, expected);
  let lines = 0;

  /** Replays at most a batch of what has not been read yet, and says what is wrong with a line, or whether that was all. */
  function readOn(): Failure | boolean {
    const rows = ledger.record.rows(replayed.head.sequence, VERIFY_BATCH);
    for (const row of rows) {
      const problem = replayed.add(row);
      if (problem !== undefined) return { ok: false, sequence: row.sequence, problem };
      vouched ||= replayed.vouchesFor(start);
      anchored ||= expected !== undefined && isSame(replayed.head, expected);
      lines += 1;
    }
    return rows.length < VERIFY_BATCH;
  }

  const comparing = replayed.comparing();
  for (;;) {
    const read = readOn();
    if (typeof read === 'object') return read;
    if (read) {
      if (!vouched) return { ok: false, problem: 'the checkpoint is not the one it was made with' };
      const { done, value: difference } = comparing.next();
      if (done && difference !== undefined) return { ok: false, problem: difference };
      if (done) break;
    }
    yield;
  }
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
  readonly #counting: Counting;
  #line: Line | undefined;

  constructor(ledger: Ledger, head: Head, state: State) {
    this.#ledger = ledger;
    this.head = head;
    this.#state = state;
    this.#counting = new Counting(ledger.pairs, state.windows);
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
      apply(this.#state, line);
      this.#counting.add(line);
      this.#line = line;
      this.head = { sequence: row.sequence, hash: row.hash, at: time };
      return undefined;
    } catch (error) {
      return `it cannot be read or applied: ${String(error)}`;
    }
  }

  /** Whether the last line vouches for the checkpoint as it is. */
  vouchesFor(start: { through: number; hash: string; checkpoint: string }): boolean {
    if (!this.#line || !('through' in this.#line)) return false;
    const { through, hash, checkpoint } = this.#line;
    return isEqual({ through, hash, checkpoint }, start);
  }

  /**
   * The first difference between what the lines give and what the tables hold, a batch at a time. Before each, every line
   * must have been replayed.
   */
  *comparing(): Generator<void, string | undefined> {
    return (
      (yield* this.#deputiesDiffer()) ??
      (yield* this.#effectsDiffer()) ??
      this.#accountDiffers() ??
      this.#passkeysDiffer() ??
      this.#allowancesDiffer()
    );
  }

  /** What the lines amount to. */
  amountsTo(): { deputies: number; effects: number; amounts: Amounts } {
    const { deputies, effects } = this.#state;
    const amounts: Amounts = {};
    const came = [...effects.values()].filter(({ state }) => state !== WAITING && !isEnded(state));
    for (const effect of came)
      for (const [unit, amount] of Object.entries(effect.amounts)) amounts[unit] = (amounts[unit] ?? 0) + amount;
    return { deputies: Object.keys(deputies).length, effects: came.length, amounts };
  }

  #accountDiffers(): string | undefined {
    const { authority, paused, ceiling, windows, guarded, passkeysUntil } = this.#ledger.account.read();
    const { authority: own, suspended } = this.#state;
    const said = suspended ? 'suspended' : own;
    if (authority !== said) return `authority is ${authority}, the record says ${said}`;
    if (paused !== (own === 'paused')) return 'the pause below the suspension is not the one in the record';
    if (guarded !== this.#state.guarded) return 'whether a passkey is needed is not as the record says';
    if (passkeysUntil !== this.#state.passkeysUntil) return 'until when there was a passkey is not as the record says';
    if (!isEqual(ceiling, this.#state.ceiling)) return 'the ceiling is not the one in the record';
    if (!this.#isUsed(this.#ledger.pairs.all, windows, this.#counting.all))
      return 'what all deputies used is not what the record says';
    return undefined;
  }

  *#deputiesDiffer(): Generator<void, string | undefined> {
    const { deputies } = this.#ledger;
    const compared = new Set<string>();
    for (;;) {
      const ids = Object.keys(this.#state.deputies)
        .filter((id) => !compared.has(id))
        .slice(0, VERIFY_BATCH);
      const rows = new Map(deputies.named(ids).map((row) => [row.deputyId, row]));
      for (const id of ids) {
        const difference = this.#deputyDiffers(id, rows.get(id));
        if (difference !== undefined) return difference;
        compared.add(id);
      }
      if (ids.length < VERIFY_BATCH) break;
      yield;
    }
    for (let after = ''; ;) {
      const ids = deputies.ids(VERIFY_BATCH, after);
      const stranger = ids.find((id) => !this.#state.deputies[id]);
      if (stranger !== undefined) return `deputy ${stranger} was never appointed`;
      if (ids.length < VERIFY_BATCH) return undefined;
      after = ids.at(-1) ?? '';
      yield;
    }
  }

  #deputyDiffers(id: string, row: Deputy | undefined): string | undefined {
    const said = this.#state.deputies[id];
    // An appointment that was never taken up is forgotten.
    if (!said || (!row && said.status === 'pending')) return undefined;
    if (row?.status !== said.status)
      return `deputy ${id} is ${row?.status ?? 'missing'}, the record says ${said.status}`;
    if (!isEqual(row.mandate, said.mandate)) return `the mandate of ${id} is not the one in the record`;
    const { clientId, clientName, clientDomain, scopes } = row;
    const client = [clientId, clientName, clientDomain, scopes];
    if (!isEqual(client, [said.clientId, said.clientName, said.clientDomain, said.scopes]))
      return `the client of ${id} is not the one in the record`;
    if (row.name !== said.name) return `the name of ${id} is not the one in the record`;
    if (row.paused !== said.paused) return `the pause of ${id} is not the one in the record`;
    if (!this.#isUsed(this.#ledger.pairs.own, this.#ledger.meters.read(id).windows, this.#counting.own.get(id) ?? {}))
      return `what ${id} used is not what the record says`;
    return undefined;
  }

  *#effectsDiffer(): Generator<void, string | undefined> {
    const { effects } = this.#state;
    const compared = new Set<string>();
    for (let after = 0; ;) {
      const facts = this.#ledger.effects.facts(VERIFY_BATCH, after);
      for (const effect of facts) {
        const known = effects.get(effect.id);
        if (!known) return `${effect.id} is not in the record`;
        if (!isEqual(known, effect)) return `${effect.id} is not as the record says`;
        compared.add(effect.id);
        after = effect.number;
      }
      if (facts.length < VERIFY_BATCH) break;
      yield;
    }
    const missing = [...effects.keys()].find((id) => !compared.has(id));
    return missing === undefined ? undefined : `${missing} is in the record and nowhere else`;
  }

  #passkeysDiffer(): string | undefined {
    const said = new Map(Object.entries(this.#state.passkeys));
    for (const { id, publicKey, usableAt, counter } of this.#ledger.passkeys.all()) {
      if (!isEqual(said.get(id), { publicKey, usableAt, counter }))
        return `the passkey ${id} is not as the record says`;
      said.delete(id);
    }
    const [missing] = said.keys();
    return missing === undefined ? undefined : `the passkey ${missing} is in the record and nowhere else`;
  }

  #allowancesDiffer(): string | undefined {
    const now = this.#ledger.now();
    const said = Object.entries(this.#state.allowances).filter(([, { count, endsAt }]) => count > 0 && endsAt > now);
    const open = this.#ledger.allowances
      .open(now)
      .map(({ line, deputyId, count, endsAt }) => [String(line), { deputy: deputyId, count, endsAt }]);
    return isEqual(inOrder(said), inOrder(open)) ? undefined : 'what was allowed in advance is not as the record says';
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

function inOrder(entries: unknown[][]): unknown[][] {
  return entries.toSorted(([one], [other]) => Number(one) - Number(other));
}
