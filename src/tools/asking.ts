/** A metered call above the limit that asks: what it made waits for the human, unless they have allowed it in advance. */
import { type AskReason, Refusal, type Waiting } from '../authority/refusal.ts';
import type { Amounts, Uses } from '../authority/terms.ts';
import { canonical } from '../canonical.ts';
import { type Approval, MOST_WAITING } from '../ledger/approvals.ts';
import { gradeFor } from '../ledger/approving.ts';
import type { Effect } from '../ledger/effects.ts';
import type { Ledger, Turn } from '../ledger/ledger.ts';
import { ASKED_MS } from '../lifetimes.ts';
import type { Answer, Prepared } from './define-tool.ts';

type Asking = {
  asks: AskReason;
  deputyId: string;
  line: { tool: string; arguments: string | undefined };
  action: Omit<Approval['action'], 'permissions' | 'uses' | 'permission'> & { permission: string | undefined };
  call: Prepared & { uses: Uses };
  amounts: Amounts;
  /** What the call made, which waits, and the state that a yes gives it. */
  effect: Effect;
  granted: string;
  answer: Answer<Record<string, unknown>>;
};

function mustNotCrowd(ledger: Ledger, deputyId: string): void {
  if (ledger.approvals.waiting(deputyId).length >= MOST_WAITING)
    throw new Refusal({ code: 'too_many_waiting', most: MOST_WAITING });
}

/**
 * Leaves the question, with its line; or carries the call out, when a yes from before allows it. Throws the Refusal
 * `too_many_waiting`.
 */
export function ask(
  ledger: Ledger,
  turn: Turn,
  { asks, deputyId, line, action, call, amounts, effect, granted, answer }: Asking,
): (Answer<Record<string, unknown>> & { effect: Effect }) | { asked: AskReason & { waiting: Waiting } } {
  const { now, permissions, standing } = turn;
  const like = canonical(call.like);
  const facts = { id: effect.id, number: effect.number, amounts };
  const under = ledger.allowances.use(effect, line.tool, like, standing?.mandate.version ?? 0, now);
  if (under !== undefined) {
    ledger.effects.change(effect.id, granted, turn.line);
    turn.allowed({ ...line, effect: { ...facts, state: granted }, amounts, under });
    return { ...answer, effect };
  }
  mustNotCrowd(ledger, deputyId);
  const endsAt = now + ASKED_MS;
  const grade = gradeFor(ledger, deputyId, now);
  ledger.approvals.keep({
    effectId: effect.id,
    number: effect.number,
    deputyId,
    tool: line.tool,
    digest: line.arguments ?? '',
    arguments: call.arguments,
    like,
    action: { ...action, permission: action.permission, permissions, uses: call.uses },
    limit: asks.limit,
    most: Number(asks.most),
    state: granted,
    answer,
    grade,
    askedAt: now,
    endsAt,
  });
  turn.asked({
    ...line,
    effect: { ...facts, state: effect.state },
    amounts,
    limit: asks.limit,
    most: asks.most,
    grade,
    until: new Date(endsAt).toISOString(),
  });
  return { asked: { ...asks, waiting: { id: effect.id, endsAt } } };
}
