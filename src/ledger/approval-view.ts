/** What the human's pages of one question and of their passkeys show: one read each. */
import type { Grade } from '../authority/grade.ts';
import type { Reason } from '../authority/refusal.ts';
import { isAsStrong } from '../authority/grade.ts';
import { agreementOf, isAsAsked, reasonAgainst, type UsesNow } from './approving.ts';
import { type Approval, WAITING } from './approvals.ts';
import type { Effect } from './effects.ts';
import { offerPasskey } from './guarding.ts';
import type { Ledger } from './ledger.ts';
import type { Passkey } from './passkeys.ts';
import { type DeputyView, lookAtDeputy } from './view.ts';

export type ApprovalView = {
  now: number;
  approval: Approval;
  effect: Effect;
  deputy: DeputyView | undefined;
  /** The grade that a yes needs now. */
  grade: Grade;
  /** What a yes agrees to; with `next`, that and the next ones like it. */
  agreed: { one: string; next: string };
  /** It would cost or count as something else now. */
  changed: boolean;
  /** The operator lets this deputy do nothing now. */
  halted: boolean;
  /** What would stop a yes now. */
  stoppedBy?: Reason;
  passkeys: Passkey[];
  guarded: boolean;
};

/** The question about that effect; undefined when this human was never asked. */
export function lookAtApproval(
  ledger: Ledger,
  userId: string,
  effectId: string,
  usesNow: UsesNow,
): Omit<ApprovalView, 'halted'> | undefined {
  const { now } = settled(ledger);
  const approval = ledger.approvals.find(effectId);
  const effect = ledger.effects.find(effectId);
  if (!approval || !effect) return undefined;
  const deputy = lookAtDeputy(ledger, approval.deputyId)?.deputy;
  const asked = deputy?.mandate.approval ?? approval.grade;
  const waits = effect.state === WAITING;
  const changed = waits && !isAsAsked(approval, usesNow);
  const stoppedBy = waits && !changed ? reasonAgainst(ledger, approval, now) : undefined;
  return {
    now,
    approval,
    effect,
    deputy,
    grade: isAsStrong(approval.grade, asked) ? approval.grade : asked,
    agreed: {
      one: agreementOf(ledger, userId, approval),
      next: agreementOf(ledger, userId, approval, { next: true }),
    },
    changed,
    ...(stoppedBy && { stoppedBy }),
    passkeys: ledger.passkeys.all(),
    guarded: ledger.account.read().guarded > 0,
  };
}

export type PasskeysView = {
  now: number;
  passkeys: Passkey[];
  /** Until when there was one, in milliseconds; 0 for never. */
  passkeysUntil: number;
  guarded: boolean;
  /** For a new one. */
  offer: { challenge: string; until: number };
};

export function lookAtPasskeys(ledger: Ledger): PasskeysView {
  const { guarded, passkeysUntil } = ledger.account.read();
  const offer = offerPasskey(ledger);
  return { now: ledger.now(), passkeys: ledger.passkeys.all(), passkeysUntil, guarded: guarded > 0, offer };
}

/** With what was not answered in time ended. */
function settled(ledger: Ledger): { now: number } {
  return ledger.transaction(() => ledger.moment());
}
