/** The independent model: whether a history and what remains of it can be those of a shop that keeps its promises. */
import type { History, Remains } from '../history.ts';
import { compareAnswers } from './answers.ts';
import { readRecord } from './chain.ts';
import { Findings } from './findings.ts';
import { type Replayed, replay } from './rules.ts';

export type Verdict = { violations: string[]; checks: number; lines: number };

/** `price` in whole cents for one shirt; `latest` is the highest time that the clock ever showed, in milliseconds. */
export function check(history: History, remains: Remains, price: number, latest: number): Verdict {
  const findings = new Findings();
  const lines = readRecord(remains.record, latest, findings);
  const mostAsked = Math.max(0, ...history.calls.map(({ intent }) => intent?.quantity ?? 0));
  const replayed = replay(lines, mostAsked, price, findings);
  compareTables(replayed, remains, findings);
  compareCopies(remains, findings);
  compareAnswers(history, lines, replayed, remains.orders, findings);
  const { verified } = remains;
  findings.expect(verified.ok, () => `the shop's own check says: ${verified.problem}`);
  return { violations: findings.violations, checks: findings.checks, lines: lines.length };
}

/** The tables hold what the lines, replayed, amount to. */
function compareTables(replayed: Replayed, remains: Remains, findings: Findings): void {
  const { authority, ceiling, deputies, orders } = remains;
  findings.expect(authority === replayed.authority, () => `authority is ${authority}, the lines say otherwise`);
  findings.expect(isSame(ceiling, replayed.ceiling), () => `the ceiling is ${JSON.stringify(ceiling)}`);
  for (const [id, { status, mandate, name }] of replayed.deputies) {
    const row = deputies.find((one) => one.id === id);
    // An appointment that nobody took up is forgotten.
    if (!row && status === 'pending') continue;
    findings.expect(row?.status === status, () => `${name} is ${row?.status}, the lines say ${status}`);
    findings.expect(holds(row?.mandate, mandate), () => `the mandate of ${name} is not the one in the lines`);
  }
  const known = new Set(replayed.deputies.keys());
  findings.expect(
    deputies.every(({ id }) => known.has(id)),
    () => 'there is a deputy that no line tells of',
  );
  findings.expect(
    orders.length === replayed.orders.size,
    () => `${orders.length} orders, and ${replayed.orders.size} in the lines`,
  );
  for (const row of orders) {
    const said = replayed.orders.get(row.id);
    const { sequence, deputy_id: deputy, quantity, total, status } = row;
    findings.expect(
      said !== undefined && isSame(said, { sequence, deputy, quantity, total, status }),
      () => `order ${row.id}, ${row.status}, is not as its lines say`,
    );
  }
}

/** KV holds the orders of the ledger as they are there, and nothing waits any more. */
function compareCopies({ orders, copies, waiting }: Remains, findings: Findings): void {
  findings.expect(waiting === 0, () => `${waiting} orders still wait for KV`);
  findings.expect(copies.length === orders.length, () => `KV holds ${copies.length} of ${orders.length} orders`);
  for (const row of orders) {
    const found = copies.filter((copy) => copy['id'] === row.id);
    const { company, quantity, total, status, color } = row;
    const expected = {
      company,
      quantity,
      total,
      status,
      color,
      mailingAddress: row.mailing_address,
      tshirtSize: row.tshirt_size,
      unitPrice: row.unit_price,
      orderDate: new Date(row.placed_at).toISOString(),
      deputyId: row.deputy_id,
    };
    findings.expect(
      found.length === 1 && holds(found[0], expected),
      () => `order ${row.id}, ${row.status}, is in KV ${found.length} times, ${JSON.stringify(found[0]?.['status'])}`,
    );
  }
}

function isSame(one: Record<string, unknown>, other: Record<string, unknown>): boolean {
  return holds(one, other) && holds(other, one);
}

/** Whether `whole` has all of `part`. */
function holds(whole: unknown, part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return whole === part;
  if (typeof whole !== 'object' || whole === null) return false;
  const fields = new Map(Object.entries(whole));
  return Object.entries(part).every(([name, value]) => holds(fields.get(name), value));
}
