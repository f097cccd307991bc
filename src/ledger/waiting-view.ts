/** What waits for the human, as their console lists it. */
import type { Allowance } from './allowances.ts';
import type { Effect } from './effects.ts';
import type { Ledger } from './ledger.ts';

/** Something that waits, for a list. `endsAt` in milliseconds. */
export type WaitingView = { effect: Effect; deputyId: string; endsAt: number };

export type AskedView = { waiting: WaitingView[]; allowances: Allowance[] };

/** What waits for the human, in turn: no deputy's second question before another's first. And what they have allowed in advance. */
export function lookAtWaiting(ledger: Ledger, now: number): AskedView {
  const asked = new Map<string, number>();
  const turn = (deputyId: string) => {
    // One that is paused gets no yes, and so keeps nobody waiting.
    if (ledger.deputies.standingOf(deputyId)?.paused !== undefined) return Infinity;
    const nth = (asked.get(deputyId) ?? 0) + 1;
    asked.set(deputyId, nth);
    return nth;
  };
  const waiting = ledger.approvals
    .waiting()
    .flatMap(({ effectId, deputyId, endsAt }) => {
      const effect = endsAt > now ? ledger.effects.find(effectId) : undefined;
      return effect ? [{ turn: turn(deputyId), effect, deputyId, endsAt }] : [];
    })
    .toSorted((a, b) => (a.turn === b.turn ? 0 : a.turn - b.turn));
  // One of an older mandate, or of a deputy that is gone, allows nothing.
  const allowances = ledger.allowances.open(now).filter(({ deputyId, mandateVersion }) => {
    const standing = ledger.deputies.standingOf(deputyId);
    return standing?.status === 'active' && standing.mandate.version === mandateVersion;
  });
  return { waiting, allowances };
}
