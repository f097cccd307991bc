/** The independent model: whether a history and what remains of it can be those of a shop that keeps its promises. */
import type { History, Remains, Windows } from '../history.ts';
import { compareAnswers } from './answers.ts';
import { type ActLine, type CallLine, isCall, type Line, readRecord } from './chain.ts';
import { Findings } from './findings.ts';
import { type Replayed, replay } from './rules.ts';

/** A span that a limit is about, and the steps in which the ledger counts, in milliseconds. */
const MINUTE = 60_000;
const MINUTE_STEP = 5000;
const DAY = 24 * 60 * MINUTE;
const DAY_STEP = 15 * MINUTE;

/** `questions` counts what became of those to the human, by the words of the lines. */
export type Verdict = { violations: string[]; checks: number; lines: number; questions: Record<string, number> };

/** `price` in whole cents for one shirt; `latest` is the highest time that the clock ever showed, in milliseconds. */
export function check(history: History, remains: Remains, price: number, latest: number): Verdict {
  const findings = new Findings();
  const lines = readRecord(remains.record, latest, findings);
  const replayed = replay(lines, { userId: remains.userId, price }, findings);
  compareTables(replayed, remains, findings);
  compareQuestions(replayed, remains, latest, findings);
  compareCounts(replayed, remains, lines.at(-1)?.time ?? 0, findings);
  compareCopies(remains, findings);
  compareAnswers(history, lines, replayed, remains, findings);
  const { verified } = remains;
  findings.expect(verified.ok, () => `the shop's own check says: ${verified.problem}`);
  return {
    violations: findings.violations,
    checks: findings.checks,
    lines: lines.length,
    questions: questionsIn(lines),
  };
}

/** The tables hold what the lines, replayed, amount to. */
function compareTables(replayed: Replayed, remains: Remains, findings: Findings): void {
  const { authority, ceiling, deputies, orders } = remains;
  const inLines = replayed.suspended ? 'suspended' : replayed.authority;
  findings.expect(authority === inLines, () => `authority is ${authority}, the lines say ${inLines}`);
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
    const { number, line, deputy, amounts, state } = row;
    findings.expect(
      said !== undefined && isSame(said, { number, line, deputy, amounts, state }),
      () => `order ${row.id}, ${row.state}, is not as its lines say`,
    );
  }
}

/** What waits, what is allowed in advance and which passkeys there are is as the lines say. */
function compareQuestions({ questions }: Replayed, remains: Remains, latest: number, findings: Findings): void {
  const waiting = Object.fromEntries([...questions.waiting].map(([id, { until }]) => [id, until]));
  findings.expect(
    isSame(Object.fromEntries(remains.questions), waiting),
    () => 'other questions wait than the lines say',
  );
  const passkeys = Object.fromEntries(
    [...questions.passkeys].map(([id, { usableAt, counter }]) => [id, { usableAt, counter }]),
  );
  findings.expect(
    isSame(Object.fromEntries(remains.passkeys), passkeys),
    () => 'other passkeys are there than the lines say',
  );
  for (const [line, { deputy, count }] of remains.allowances) {
    const said = questions.allowed.get(line);
    findings.expect(
      said?.deputy === deputy && said.count === count,
      () => `line ${line} allows ${count} in advance, the lines say ${said?.count}`,
    );
  }
  // One whose hour is over is forgotten.
  for (const [line, { count, until }] of questions.allowed)
    findings.expect(
      count === 0 || until <= latest || remains.allowances.has(line),
      () => `line ${line} allows nothing any more, the lines say ${count}`,
    );
}

function questionsIn(lines: readonly Line[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const line of lines) {
    const kind = isCall(line) ? ofCall(line) : ofAct(line);
    if (kind !== undefined) counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

function ofCall({ decision, effect, under }: CallLine): string | undefined {
  if (decision === 'asked') return 'asked';
  if (under !== undefined) return 'carried out as allowed in advance';
  return effect?.state === 'void' ? 'taken back' : undefined;
}

function ofAct({ act, grade, next }: ActLine): string | undefined {
  if (act === 'approved') return `approved, ${grade}${next ? ', and the next three' : ''}`;
  return QUESTIONED.has(act) ? act : undefined;
}

const QUESTIONED = new Set(['denied', 'lapsed', 'voided', 'allowanceEnded', 'passkeyAdded', 'passkeyRemoved']);

/** What is counted of each deputy and of all together is what the lines say was used, step by step. */
function compareCounts({ bought }: Replayed, { used }: Remains, now: number, findings: Findings): void {
  const of = (deputy?: string) => {
    const isOne = (one: { deputy: string }) => deputy === undefined || one.deputy === deputy;
    return { day: bought.day.filter(isOne), minute: bought.minute.filter(isOne) };
  };
  const deputies = new Set([...used.own.keys(), ...bought.day.map(({ deputy }) => deputy)]);
  for (const deputy of deputies) compareWindows(deputy, used.own.get(deputy) ?? {}, of(deputy), now, findings);
  compareWindows('all deputies', used.all, of(), now, findings);
  findings.expect(used.all['minute'] === undefined, () => 'the account counts a minute, which nothing limits');
}

function compareWindows(who: string, windows: Windows, bought: Replayed['bought'], now: number, findings: Findings) {
  const own = who !== 'all deputies';
  for (const [per, of, stepMs, spanMs] of [
    ['day', 'shirts', DAY_STEP, DAY],
    ['day', 'spend', DAY_STEP, DAY],
    ...(own ? [['minute', 'acts', MINUTE_STEP, MINUTE] as const] : []),
  ] as const) {
    const stored = new Map(windows[per]?.[of]);
    const said = new Map<number, number>();
    for (const { time, shirts, spend } of bought[per]) {
      const step = Math.floor(time / stepMs);
      said.set(step, (said.get(step) ?? 0) + { shirts, spend, acts: 1 }[of]);
    }
    // A step that no longer counts is dropped at the next use, not before.
    const counts = [...said.keys()].filter((step) => (step + 1) * stepMs + spanMs > now);
    for (const step of new Set([...stored.keys(), ...counts])) {
      findings.expect(
        stored.get(step) === said.get(step),
        () => `${stored.get(step)} ${of} of ${who} are counted in step ${step}, the lines say ${said.get(step)}`,
      );
    }
  }
}

/** KV holds the orders of the ledger as they are there, and nothing waits any more. */
function compareCopies({ orders: all, copies, undelivered }: Remains, findings: Findings): void {
  // What its human was only asked about goes nowhere.
  const orders = all.filter(({ state }) => state === 'confirmed' || state === 'cancelled');
  findings.expect(undelivered === 0, () => `${undelivered} orders still wait for KV`);
  findings.expect(copies.length === orders.length, () => `KV holds ${copies.length} of ${orders.length} orders`);
  for (const row of orders) {
    const found = copies.filter((copy) => copy['id'] === row.id);
    const { number, company, mailingAddress, tshirtSize, color, unitPrice } = row;
    const expected = {
      number,
      company,
      mailingAddress,
      tshirtSize,
      color,
      unitPrice,
      quantity: row.amounts.shirts,
      total: row.amounts.spend,
      status: row.state,
      orderDate: new Date(row.at).toISOString(),
      deputyId: row.deputy,
    };
    findings.expect(
      found.length === 1 && holds(found[0], expected),
      () => `order ${row.id}, ${row.state}, is in KV ${found.length} times, ${JSON.stringify(found[0]?.['status'])}`,
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
