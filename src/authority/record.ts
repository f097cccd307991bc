/** Keeping the audit: checking that it holds together and says what the tables say, and pruning what is old. */
import { type Head, hashOf, readLine } from './audit.ts';
import type { Ledger } from './ledger.ts';
import { apply, coreSchema, type State } from './replay.ts';

/** Milliseconds for which lines of the audit are kept one by one. */
export const AUDIT_KEPT = 90 * 24 * 60 * 60_000;
/** Lines folded into the checkpoint in one run. */
const PRUNE_BATCH = 2000;

export type Verification =
  | { ok: true; lines: number; head: { sequence: number; hash: string } }
  | {
      ok: false;
      /** The line at fault; undefined when a table or the expected head is. */
      sequence?: number;
      problem: string;
    };

/**
 * Checks that each line hashes to what is stored and to what the next one says of it, that the lines replayed from the
 * checkpoint give exactly what the tables hold, and that `expected`, a head somebody kept elsewhere, is part of it.
 * Without such an anchor a chain proves nothing against whoever can rewrite all of it.
 */
export function verify(ledger: Ledger, expected?: { sequence: number; hash: string }): Verification {
  let previous: Head = checkpointHead(ledger);
  let anchored = expected === undefined || isSame(previous, expected);
  const state = checkpointState(ledger);
  let lines = 0;
  for (const row of ledger.audit.rows()) {
    const at = (problem: string): Verification => ({ ok: false, sequence: row.sequence, problem });
    if (row.sequence !== previous.sequence + 1) return at(`line ${previous.sequence + 1} is missing`);
    if (hashOf(row.line) !== row.hash) return at('its text is not the one that was recorded');
    try {
      const line = readLine(row.line);
      if (line.sequence !== row.sequence) return at('it is stored under another number than its own');
      if (line.previous !== previous.hash) return at('it does not follow from the line before');
      if (Date.parse(line.at) < previous.at) return at('it is older than the line before');
      if (line.actor === 'system' && line.act === 'pruned') {
        const { hash, sequence, at: _, ...digest } = checkpointDigest(ledger);
        if (line.through === sequence && (line.hash !== hash || line.checkpoint !== digest.checkpoint))
          return at('the checkpoint is not the one it was made with');
      }
      apply(state, line);
      previous = { sequence: row.sequence, hash: row.hash, at: Date.parse(line.at) };
    } catch (error) {
      return at(`it cannot be read or applied: ${String(error)}`);
    }
    anchored ||= expected !== undefined && isSame(previous, expected);
    lines += 1;
  }
  if (!anchored) return { ok: false, problem: 'the expected head is not part of this record' };
  const difference = compare(ledger, state);
  if (difference) return { ok: false, problem: difference };
  return { ok: true, lines, head: { sequence: previous.sequence, hash: previous.hash } };
}

/** Folds lines older than 90 days into the checkpoint, a batch at a time. Returns how many. */
export function prune(ledger: Ledger): number {
  return ledger.transaction(() => {
    const head = ledger.audit.head();
    const now = ledger.now(head);
    const state = checkpointState(ledger);
    const touched = new Set<string>();
    let last: Head | undefined;
    let count = 0;
    for (const row of ledger.audit.rows()) {
      const line = readLine(row.line);
      const at = Date.parse(line.at);
      if (at > now - AUDIT_KEPT || count === PRUNE_BATCH) break;
      apply(state, line);
      if (line.actor === 'deputy' && line.order) touched.add(line.order.id);
      last = { sequence: row.sequence, hash: row.hash, at };
      count += 1;
    }
    if (!last) return 0;
    const { sql } = ledger.storage;
    for (const id of touched) {
      const order = state.orders.get(id);
      if (order)
        sql.exec(
          'INSERT OR REPLACE INTO checkpoint_orders VALUES (?, ?, ?, ?)',
          id,
          order.quantity,
          order.total,
          order.status,
        );
    }
    const { orders: _, ...core } = state;
    sql.exec(
      'UPDATE checkpoint SET sequence = ?, at = ?, hash = ?, state = ? WHERE id = 1',
      last.sequence,
      last.at,
      last.hash,
      JSON.stringify(core),
    );
    sql.exec('DELETE FROM audit WHERE sequence <= ?', last.sequence);
    const { checkpoint } = checkpointDigest(ledger);
    ledger.audit.append(
      { actor: 'system', act: 'pruned', through: last.sequence, hash: last.hash, checkpoint },
      head,
      now,
    );
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

type CheckpointRow = { sequence: number; at: number; hash: string; state: string };

function checkpointRow(ledger: Ledger): CheckpointRow {
  return ledger.storage.sql.exec<CheckpointRow>('SELECT sequence, at, hash, state FROM checkpoint').one();
}

function checkpointHead(ledger: Ledger): Head {
  const { sequence, at, hash } = checkpointRow(ledger);
  return { sequence, at, hash };
}

function checkpointState(ledger: Ledger): State {
  const core = coreSchema.parse(JSON.parse(checkpointRow(ledger).state));
  return { ...core, orders: new Map(checkpointOrders(ledger).map(({ id, ...facts }) => [id, facts])) };
}

type OrderFacts = { id: string; quantity: number; total: number; status: string };

function checkpointOrders(ledger: Ledger): OrderFacts[] {
  return ledger.storage.sql
    .exec<OrderFacts>('SELECT id, quantity, total, status FROM checkpoint_orders ORDER BY id')
    .toArray();
}

function checkpointDigest(ledger: Ledger): CheckpointRow & { checkpoint: string } {
  const row = checkpointRow(ledger);
  return { ...row, checkpoint: hashOf(JSON.stringify([row, checkpointOrders(ledger)])) };
}

/** The first difference between what the lines give and what the tables hold; undefined when there is none. */
function compare(ledger: Ledger, state: State): string | undefined {
  const { authority, ceiling } = ledger.account.read();
  if (authority !== state.authority) return `authority is ${authority}, the audit says ${state.authority}`;
  if (JSON.stringify(ceiling) !== JSON.stringify(state.ceiling)) return 'the ceiling is not the one in the audit';
  const deputies = new Map(ledger.deputies.all(0).map((deputy) => [deputy.deputyId, deputy]));
  for (const [id, { status, mandate }] of Object.entries(state.deputies)) {
    const deputy = deputies.get(id);
    deputies.delete(id);
    // An appointment that was never taken up is forgotten.
    if (!deputy && status === 'pending') continue;
    if (deputy?.status !== status) return `deputy ${id} is ${deputy?.status ?? 'missing'}, the audit says ${status}`;
    if (JSON.stringify(deputy.mandate) !== JSON.stringify(mandate))
      return `the mandate of ${id} is not the one in the audit`;
  }
  for (const id of deputies.keys()) return `deputy ${id} was never appointed`;
  const orders = new Map(state.orders);
  for (const { id, quantity, total, status } of ledger.orders.facts()) {
    const order = orders.get(id);
    orders.delete(id);
    if (!order) return `order ${id} is not in the audit`;
    if (order.quantity !== quantity || order.total !== total || order.status !== status)
      return `order ${id} is not as the audit says`;
  }
  for (const id of orders.keys()) return `order ${id} is in the audit and nowhere else`;
  return undefined;
}
