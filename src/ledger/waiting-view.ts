/** What waits for the human, as their console lists it. */
import type { Allowance } from './allowances.ts';
import type { Effect } from './effects.ts';
import type { Ledger } from './ledger.ts';

/** Something that waits, for a list. `endsAt` in milliseconds. */
export type WaitingView = { effect: Effect; deputyId: string; endsAt: number };

export type AskedView = { waiting: WaitingView[]; allowances: Allowance[] };

/** What waits for the human, the first to end first, and what they have allowed in advance. */
export function lookAtWaiting(ledger: Ledger, now: number): AskedView {
  const waiting = ledger.approvals.waiting().flatMap(({ effectId, deputyId, endsAt }) => {
    const effect = endsAt > now ? ledger.effects.find(effectId) : undefined;
    return effect ? [{ effect, deputyId, endsAt }] : [];
  });
  // One of an older mandate, or of a deputy that is gone, allows nothing.
  const allowances = ledger.allowances.open(now).filter(({ deputyId, mandateVersion }) => {
    const standing = ledger.deputies.standingOf(deputyId);
    return standing?.status === 'active' && standing.mandate.version === mandateVersion;
  });
  return { waiting, allowances };
}
