/** What a human answers to a deputy's question: a yes, which decides again, or a no. Each is one transaction with its line. */
import { type Grade, gradeNeeded, isAsStrong } from '../authority/grade.ts';
import { decideAgain } from '../authority/policy.ts';
import type { Reason } from '../authority/refusal.ts';
import type { Uses } from '../authority/terms.ts';
import { canonical, digestOf } from '../canonical.ts';
import { ALLOWANCE_MS } from '../lifetimes.ts';
import { type As, type Done, done, pauseOne, type Problem } from './acts.ts';
import { type Approval, WAITING } from './approvals.ts';
import type { Effect } from './effects.ts';
import type { Ledger } from './ledger.ts';
import type { Claimed } from './passkeys.ts';
import { settle } from './waiting.ts';

/** How many more like it a human can allow at once. */
export const NEXT_ALLOWED = 3;

/** The human's answer on their page. `shown` names what they saw, see `agreementOf`. */
export type Decision = {
  effectId: string;
  shown: string;
  /** How sure the session is: what a device adds is in `signed`. */
  grade: Exclude<Grade, 'device'>;
  /** With it, so many more like it are allowed for an hour. */
  next: boolean;
};

/** What the domain says that the call would use now; undefined when it has no such call any more. */
export type UsesNow = (tool: string, args: Record<string, unknown>) => Uses | undefined;

/**
 * The digest of exactly what is agreed to: whose it is, who asked, the effect, its arguments and amounts, the mandate, and
 * until when. A form carries it, and a passkey signs it.
 */
export function agreementOf(
  ledger: Ledger,
  userId: string,
  { effectId, deputyId, tool, digest, endsAt }: Approval,
  { next = false } = {},
): string {
  return digestOf({
    human: userId,
    deputy: deputyId,
    effect: effectId,
    tool,
    arguments: digest,
    amounts: ledger.effects.find(effectId)?.amounts,
    mandate: ledger.deputies.standingOf(deputyId)?.mandate.version,
    until: new Date(endsAt).toISOString(),
    ...(next && { next: NEXT_ALLOWED }),
  });
}

/** The grade that a new question of this deputy needs. */
export function gradeFor(ledger: Ledger, deputyId: string, now: number): Grade {
  const asked = ledger.deputies.standingOf(deputyId)?.mandate.approval;
  return gradeNeeded(asked, { hasDevice: ledger.passkeys.had(now) });
}

/** Says yes: decides again, as things are now, and confirms the effect. A problem tells why not; nothing was changed then. */
export function approve(
  ledger: Ledger,
  userId: string,
  { effectId, shown, grade: session, next }: Decision,
  { signed, usesNow }: { signed: Claimed | undefined; usesNow: UsesNow },
): Done | Problem {
  return ledger.transaction(() => {
    const { head, now } = ledger.moment();
    const found = open(ledger, effectId);
    if ('problem' in found) return found;
    if (signed === 'not_proven') return { problem: 'not_proven' };
    const { approval, effect } = found;
    const agreed = agreementOf(ledger, userId, approval, { next });
    if ((signed?.challenge ?? shown) !== agreed) return { problem: 'stale' };
    const grade: Grade = signed ? 'device' : session;
    const mandate = ledger.deputies.standingOf(approval.deputyId)?.mandate;
    // A stricter mandate since then counts; an easier one does not.
    const needed = [approval.grade, mandate?.approval ?? approval.grade];
    if (!needed.every((one) => isAsStrong(grade, one))) return { problem: 'too_weak' };
    if (next && grade === 'pressed') return { problem: 'too_weak' };
    if (!isAsAsked(approval, usesNow)) return { problem: 'changed' };
    const reason = reasonAgainst(ledger, approval, now);
    if (reason) return { problem: 'stopped', reason };
    if (signed && !ledger.passkeys.counts(signed.proof, now)) return { problem: 'not_proven' };
    if (signed) ledger.passkeys.used(signed.proof);
    const allowed = next ? { count: NEXT_ALLOWED, until: new Date(now + ALLOWANCE_MS).toISOString() } : undefined;
    const newest = settle(ledger, approval, approval.state, head, now, (facts) => ({
      actor: 'human',
      act: 'approved',
      ...facts,
      grade,
      mandateVersion: mandate?.version ?? 0,
      ...(allowed && { next: allowed }),
      ...(signed && { proof: signed.proof }),
    }));
    if (allowed)
      ledger.allowances.keep({
        line: newest.sequence,
        deputyId: approval.deputyId,
        tool: approval.tool,
        like: approval.like,
        amounts: { ...effect.amounts },
        mandateVersion: mandate?.version ?? 0,
        count: NEXT_ALLOWED,
        endsAt: now + ALLOWANCE_MS,
      });
    return done(ledger, newest);
  });
}

/** Says no. */
export function deny(ledger: Ledger, effectId: string, by: As = {}): Done | Problem {
  return ledger.transaction(() => {
    const { head, now } = ledger.moment();
    const found = open(ledger, effectId);
    if ('problem' in found) return found;
    const newest = settle(ledger, found.approval, 'denied', head, now, (facts) => ({
      actor: 'human',
      act: 'denied',
      ...facts,
      ...by,
    }));
    return done(ledger, newest);
  });
}

/** Says no and stops the deputy that asked, whatever became of the question: who wants to stop is not told to look first. */
export function denyAndPause(ledger: Ledger, effectId: string, by: As): Done | Problem {
  return ledger.transaction(() => {
    const effect = ledger.effects.find(effectId);
    if (!effect) return { problem: 'unknown_approval' };
    deny(ledger, effectId, by);
    return pauseOne(ledger, effect.deputyId, by);
  });
}

/** Ends what a yes has allowed in advance. */
export function endAllowance(ledger: Ledger, line: number): Done | Problem {
  return ledger.transaction(() => {
    const { head, now } = ledger.moment();
    const deputy = ledger.allowances.end(line);
    if (deputy === undefined) return { problem: 'answered' };
    return done(ledger, ledger.record.append({ actor: 'human', act: 'allowanceEnded', deputy, line }, head, now));
  });
}

/** Whether the call would use now what it would have used when it was asked for: a price, or what is counted, may have changed. */
export function isAsAsked({ tool, action, ...asked }: Approval, usesNow: UsesNow): boolean {
  const uses = usesNow(tool, asked.arguments);
  return uses !== undefined && canonical(uses) === canonical(action.uses);
}

/** Why a yes would change nothing now, apart from how sure it is. */
export function reasonAgainst(ledger: Ledger, { deputyId, action }: Approval, now: number): Reason | undefined {
  const { authority, ceiling, windows, presence } = ledger.account.read();
  const usage = {
    own: ledger.usage(ledger.meters.read(deputyId).windows, now),
    all: ledger.usage(windows, now),
  };
  const permissions = action.permissions.filter((permission) => presence?.permissions.includes(permission) ?? true);
  const standing = ledger.deputies.standingOf(deputyId);
  return decideAgain(ledger.terms, { authority, standing, ceiling, usage, now }, { ...action, permissions });
}

function open(ledger: Ledger, effectId: string): { approval: Approval; effect: Effect } | Problem {
  const approval = ledger.approvals.find(effectId);
  const effect = ledger.effects.find(effectId);
  if (!approval || !effect) return { problem: 'unknown_approval' };
  return effect.state === WAITING ? { approval, effect } : { problem: 'answered' };
}
