/** Whether what was answered is what the record holds: nothing lost, nothing doubled, nothing after a pause. */
import { createHmac } from 'node:crypto';
import type { Call, History, HumanAct, Intent, OrderRow, Remains } from '../history.ts';
import { type CallLine, isCall, type Line } from './chain.ts';
import { type Findings, tally } from './findings.ts';
import type { Replayed } from './rules.ts';

const DAY = 24 * 60 * 60_000;
/** How long a sign-in counts as fresh. */
const FRESH = 10 * 60_000;

export function compareAnswers(
  history: History,
  lines: readonly Line[],
  { deputies, authority, questions }: Replayed,
  { orders: rows, secret }: Remains,
  findings: Findings,
): void {
  const ids = new Map([...deputies].map(([id, { name }]) => [name, id]));
  for (const call of history.calls) checkCall(call, lines, rows, ids.get(call.client), history, findings);
  counted(history, lines, ids, findings);
  askedFor(history, lines, ids, findings);
  purchases(history.calls, rows, lines, { secret, ids }, findings);
  for (const act of history.acts) stopped(act, history, findings);
  confirmed(history, lines, findings);
  acted(history.acts, lines, deputies, ids, findings);
  for (const { act, outcome, sequence = 0, clock = 0 } of history.acts)
    findings.expect(
      act !== 'endAllowance' || outcome !== 'done' || (questions.allowed.get(sequence)?.until ?? 0) <= clock,
      () => `what line ${sequence} allowed in advance was ended, and the lines say that it still holds`,
    );
  const last = history.acts.findLast(({ act, outcome }) => (act === 'pause' || act === 'resume') && outcome !== 'none');
  if (last?.outcome !== 'done') return;
  // A resume can lift a suspension alone, and one can come after it: what the lines say was compared already.
  if (lines.some((line) => !isCall(line) && line.act === 'suspended')) return;
  findings.expect(
    authority === (last.act === 'pause' ? 'paused' : 'active'),
    () => `after the ${last.act} that was answered last, authority is ${authority}`,
  );
}

/** One call: its answer is possible, and what it says is in the record. */
function checkCall(
  call: Call,
  lines: readonly Line[],
  rows: readonly OrderRow[],
  deputy: string | undefined,
  { calls, storageFailures }: History,
  findings: Findings,
): void {
  const { outcome, tool, client, intent, clock } = call;
  const said = `${tool} of ${client}, call ${call.sent}`;
  findings.expect(outcome.kind !== 'odd', () => `${said}: ${outcome.kind === 'odd' ? outcome.answer : ''}`);
  if (outcome.kind === 'refused') {
    const possible =
      outcome.code === 'internal_error'
        ? storageFailures > 0
        : outcome.code === 'unknown_effect'
          ? !rows.some(({ id }) => id === call.orderId)
          : outcome.code === 'idempotency_conflict'
            ? calls.some((other) => other.client === client && other.intent && isConflict(other.intent, intent))
            : !['unknown_tool', 'invalid_request', 'invalid_arguments', 'unknown_cursor'].includes(outcome.code);
    findings.expect(possible, () => `${said}: refused with ${outcome.code}, for which there was no reason`);
  }
  if (outcome.kind !== 'allowed') return;
  const { order } = outcome;
  if (tool === 'cancelMcpShopOrder') {
    const row = rows.find(({ id }) => id === call.orderId);
    findings.expect(
      row !== undefined && row.state !== 'confirmed' && row.state !== 'waiting',
      () => `${said}: answered as cancelled, and ${row?.state ?? 'lost'}`,
    );
  }
  if (!intent) return;
  const placed = rows.filter(({ id }) => id === order?.id);
  findings.expect(
    placed.length === 1,
    () => `${said}: order ${order?.id} was answered and is there ${placed.length} times`,
  );
  const [row] = placed;
  if (!row || !order) return;
  findings.expect(
    row.company === intent.company && row.deputy === deputy && order.company === intent.company,
    () => `${said}: was answered with the order ${order.id} of ${row.company}`,
  );
  const { shirts, spend } = row.amounts;
  findings.expect(
    order.number === row.number && order.quantity === shirts && order.total === spend,
    () => `${said}: was answered with order ${order.number}, ${order.quantity} for ${order.total}, which is another`,
  );
  const line = lines[row.line - 1];
  const repeated = lines.some((one) => isCall(one) && one.repeats === order.id);
  // The ledger's clock is never behind the machine's.
  findings.expect(
    repeated || (line !== undefined && line.time >= clock.low),
    () => `${said}: recorded at ${line?.at}, before it was sent`,
  );
}

function isConflict(one: NonNullable<Call['intent']>, other: Call['intent']): boolean {
  return one.idempotencyKey === other?.idempotencyKey && one.company !== other?.company;
}

/** Each answered call has its line, and each line its call: answered, or one of those without an answer. */
function counted(
  { calls }: History,
  lines: readonly Line[],
  ids: ReadonlyMap<string, string>,
  findings: Findings,
): void {
  const inLines = lines.filter(isCall);
  for (const [client, deputy] of ids) {
    const mine = calls.filter((call) => call.client === client);
    const recorded = inLines.filter((line) => line.deputy === deputy);
    const unknown = mine.filter(({ outcome }) => outcome.kind === 'unknown' || outcome.kind === 'odd');
    const allowed = tally(recorded.filter(({ decision }) => decision === 'allowed').map(({ tool }) => tool));
    const answered = tally(mine.filter(({ outcome }) => outcome.kind === 'allowed').map(({ tool }) => tool));
    const open = tally(unknown.map(({ tool }) => tool));
    for (const tool of new Set([...allowed.keys(), ...answered.keys()])) {
      const [held, least] = [allowed.get(tool) ?? 0, answered.get(tool) ?? 0];
      const most = least + (open.get(tool) ?? 0);
      findings.expect(
        held >= least && held <= most,
        () => `${client}: ${held} lines allow ${tool}, where ${least} to ${most} calls were carried out`,
      );
    }
    const refusals = mine.filter(({ outcome }) => outcome.kind === 'refused');
    const sure = refusals.filter(({ outcome }) => outcome.kind === 'refused' && outcome.code !== 'internal_error');
    const ended = mine.filter(({ outcome }) => outcome.kind === 'ended');
    const held = recorded.length - sum(allowed) + shared(lines, recorded, deputy);
    const most = refusals.length + ended.length + unknown.length;
    findings.expect(
      held >= sure.length && held <= most,
      () => `${client}: ${held} refusals in the record, where ${sure.length} to ${most} calls were refused`,
    );
  }
}

/** What a refused purchase is said to have asked for, its client did ask for. */
function askedFor(
  { calls }: History,
  lines: readonly Line[],
  ids: ReadonlyMap<string, string>,
  findings: Findings,
): void {
  const names = new Map([...ids].map(([client, deputy]) => [deputy, client]));
  for (const line of lines) {
    if (!isCall(line) || !line.asked) continue;
    const { sequence, deputy, asked } = line;
    const client = names.get(deputy);
    findings.expect(
      calls.some((call) => call.client === client && call.intent?.quantity === asked.shirts),
      () => `line ${sequence}: ${client} never asked for ${asked.shirts} shirts`,
    );
  }
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((all, one) => all + one, 0);
}

/** Refusals that share a line with others. */
function shared(lines: readonly Line[], recorded: readonly CallLine[], deputy: string): number {
  let count = recorded.reduce((all, { refusedBefore = 0 }) => all + refusedBefore, 0);
  for (const line of lines) if (!isCall(line) && line.deputy === deputy) count += line.refused ?? 0;
  return count;
}

/** The orders that the human has said yes to. */
function approvedIn(lines: readonly Line[]): Set<string> {
  return new Set(
    lines.flatMap((line) => (!isCall(line) && line.act === 'approved' && line.effect ? [line.effect.id] : [])),
  );
}

/** What a line holds for the arguments of a purchase: members in order, under the account's key. */
function sealed(intent: Intent, secret: string): string {
  const members = Object.entries(intent).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const text = JSON.stringify(Object.fromEntries(members));
  return createHmac('sha256', Buffer.from(secret, 'base64')).update(text).digest('hex');
}

/** Each purchase that anybody meant: once at most, exactly once when it was answered, never when it was refused for good. */
function purchases(
  calls: readonly Call[],
  rows: readonly OrderRow[],
  lines: readonly Line[],
  { secret, ids }: { secret: string; ids: ReadonlyMap<string, string> },
  findings: Findings,
): void {
  const approved = approvedIn(lines);
  const meant = Map.groupBy(
    calls.filter(({ intent }) => intent),
    ({ intent }) => intent && sealed(intent, secret),
  );
  const placed = Map.groupBy(rows, ({ line }) => {
    const made = lines[line - 1];
    return made && isCall(made) ? made.arguments : undefined;
  });
  for (const [call, orders] of placed) {
    const [first] = meant.get(call) ?? [];
    const intent = first?.intent;
    for (const order of orders) {
      findings.expect(
        order.deputy === ids.get(first?.client ?? '') &&
          order.company === intent?.company &&
          order.amounts.shirts === intent.quantity &&
          order.color === intent.color &&
          order.tshirtSize === intent.tshirtSize &&
          order.mailingAddress === intent.mailingAddress,
        () => `order ${order.id} of ${order.company} is not what was asked for`,
      );
    }
  }
  for (const [call, tries] of meant) {
    const intent = tries[0]?.intent;
    const rowsOf = placed.get(call) ?? [];
    const orders = rowsOf.filter(({ state }) => state === 'confirmed' || state === 'cancelled');
    const yeses = orders.filter(({ id }) => approved.has(id)).length;
    const open = tries.filter(({ outcome }) => outcome.kind === 'unknown' || outcome.kind === 'odd').length;
    const yes = tries.filter(({ outcome }) => outcome.kind === 'allowed').length;
    findings.expect(
      yes > 0 ? orders.length > 0 : orders.length <= open + yeses,
      () => `${intent?.company}: ${orders.length} orders, after ${yes} successes and ${open} calls without an answer`,
    );
    if (tries.length === 1)
      findings.expect(rowsOf.length <= 1, () => `${intent?.company}: ${rowsOf.length} orders of one call`);
  }
  // Whatever was sent under one key of one deputy is one order within 24 hours, and so is what was asked for.
  const same = Map.groupBy(
    calls.filter(({ intent }) => intent),
    ({ client, intent }) => `${client}, ${intent?.idempotencyKey ?? intent?.company}`,
  );
  for (const [key, tries] of same) {
    const words = new Set(tries.map(({ intent }) => intent && sealed(intent, secret)));
    const times = [...words].flatMap((call) => (placed.get(call) ?? []).map(({ at }) => at));
    const sorted = times.toSorted((one, other) => one - other);
    findings.expect(
      sorted.every((time, n) => n === 0 || time - (sorted[n - 1] ?? 0) >= DAY),
      () => `${key}: ${times.length} orders within 24 hours`,
    );
  }
}

const STOPS = new Set<HumanAct['act']>(['pause', 'pauseOne', 'dismiss']);

/** After a pause was answered, and until a resume that counts, no call and no yes that was sent after it took effect. */
function stopped(act: HumanAct, { acts, calls }: History, findings: Findings): void {
  if (act.outcome !== 'done' || !STOPS.has(act.act)) return;
  const since = `after the ${act.act} of ${act.answered}`;
  const until =
    act.act !== 'dismiss'
      ? Math.min(Infinity, ...acts.filter((one) => mayLift(one, act)).map(({ sent }) => sent))
      : Infinity;
  const isStopped = (one: { sent: number; answered: number; client?: string }) =>
    one.sent >= act.answered && one.answered <= until && (act.act === 'pause' || one.client === act.client);
  for (const call of calls)
    findings.expect(
      !isStopped(call) || call.outcome.kind !== 'allowed',
      () => `${call.tool} of ${call.client}, call ${call.sent}, was allowed ${since}`,
    );
  for (const one of acts)
    findings.expect(
      one.act !== 'approve' || !isStopped(one) || one.outcome !== 'done',
      () => `a yes for ${one.client}, sent at ${one.sent}, took effect ${since}`,
    );
}

/** A yes that says so came from somebody who had just signed in. */
function confirmed({ acts, signIns }: History, lines: readonly Line[], findings: Findings): void {
  for (const line of lines) {
    if (isCall(line) || line.act !== 'approved' || line.grade !== 'confirmed') continue;
    const yeses = acts.filter(
      ({ act, effectId, outcome }) => act === 'approve' && effectId === line.effect?.id && outcome !== 'none',
    );
    findings.expect(
      yeses.some(({ clock = 0 }) => signIns.some((time) => time >= clock - FRESH - 1000)),
      () => `line ${line.sequence}: a yes of somebody who had not just signed in`,
    );
  }
}

/** A resume from a page that is older than the pause counts for nothing, and one that was answered so did nothing. */
function mayLift({ act, client, sent, shown = sent, outcome }: HumanAct, pause: HumanAct): boolean {
  const isIts = pause.act === 'pause' ? act === 'resume' : act === 'resumeOne' && client === pause.client;
  return isIts && outcome !== 'none' && shown > pause.sent;
}

const LINE_OF = {
  pause: 'paused',
  resume: 'resumed',
  pauseOne: 'paused',
  resumeOne: 'resumed',
  amend: 'amended',
  ceiling: 'ceiling',
  dismiss: 'revoked',
  appoint: 'activated',
  approve: 'approved',
  deny: 'denied',
  endAllowance: 'allowanceEnded',
  addPasskey: 'passkeyAdded',
  removePasskey: 'passkeyRemoved',
} as const;

/** Those whose line names no deputy, unless it is about one. */
const OF_ALL = new Set<HumanAct['act']>(['pause', 'resume']);

function groupOf({ act, client = '', effectId, sequence }: HumanAct): string {
  return `${act} ${client} ${effectId ?? (act === 'endAllowance' ? sequence : '')}`.trim();
}

/** Each act that was answered as done has its line, and no line is there without an act. */
function acted(
  acts: readonly HumanAct[],
  lines: readonly Line[],
  deputies: Replayed['deputies'],
  ids: ReadonlyMap<string, string>,
  findings: Findings,
): void {
  const inLines = lines.filter((line) => !isCall(line));
  for (const [name, group] of Map.groupBy(acts, groupOf)) {
    const [first] = group;
    if (!first) continue;
    const { act, client, effectId } = first;
    const held = inLines.filter(
      (line) =>
        line.act === LINE_OF[act] &&
        (effectId === undefined || line.effect?.id === effectId) &&
        (act !== 'endAllowance' || line.line === first.sequence) &&
        (client === undefined ? !OF_ALL.has(act) || line.deputy === undefined : line.deputy === ids.get(client)),
    ).length;
    const done = group.filter(({ outcome }) => outcome === 'done').length;
    const most = done + group.filter(({ outcome }) => outcome === 'unknown').length;
    const status = deputies.get(ids.get(client ?? '') ?? '')?.status;
    const mayBeOver = act === 'endAllowance' || (act === 'pauseOne' && status !== 'active');
    // A deputy that is dismissed has nothing to pause, and what was allowed may be over. Pressed twice, a dismissal took effect the first time. Everything else that was done has its own line.
    const least = act === 'dismiss' || act === 'appoint' ? Math.min(done, 1) : mayBeOver ? 0 : done;
    findings.expect(
      held >= least && held <= most,
      () => `${name}: ${held} lines, where it was done ${least} to ${most} times`,
    );
    for (const { sequence, sent, shown = sent, outcome } of group) {
      const pauses = acts.filter((one) => one.act === 'pause' && one.outcome === 'done');
      findings.expect(
        act !== 'resume' || outcome !== 'done' || !pauses.some((pause) => pause.sent > shown && pause.answered < sent),
        () => `a resume of a page from ${shown}, sent at ${sent}, lifted a pause that came in between`,
      );
      if (act !== 'pause' || sequence === undefined) continue;
      const line = lines[sequence - 1];
      findings.expect(
        line !== undefined && !isCall(line) && line.act === 'paused',
        () => `the answer to a pause names line ${sequence}, which is no pause`,
      );
    }
  }
}
