/** How what waits for the human ends: its effect gets its state, its amounts are free again, and a line says so. */
import { freeUse } from '../authority/window.ts';
import { type Approval, isEnded } from './approvals.ts';
import type { Effect } from './effects.ts';
import type { Ledger } from './ledger.ts';
import type { Entry, Head, Voided } from './record.ts';

/** Ends what nobody has answered in time. Only inside a transaction; returns the newest line. */
export function lapse(ledger: Ledger, head: Head, now: number): Head {
  return ledger.approvals
    .waiting()
    .filter(({ endsAt }) => endsAt <= now)
    .reduce(
      (newest, approval) =>
        settle(ledger, approval, 'lapsed', newest, now, (facts) => ({ actor: 'system', act: 'lapsed', ...facts })),
      head,
    );
}

/** Ends what waits, of a deputy that is gone or of all. Only inside a transaction; returns the newest line. */
export function voidWaiting(ledger: Ledger, why: Voided, head: Head, now: number, deputyId?: string): Head {
  return ledger.approvals
    .waiting(deputyId)
    .reduce(
      (newest, approval) =>
        settle(ledger, approval, 'void', newest, now, (facts) => ({ actor: 'system', act: 'voided', ...facts, why })),
      head,
    );
}

/** Everything that waits, without a word: before the human's data are deleted. */
export function freeWaiting(ledger: Ledger): void {
  for (const { effectId, askedAt } of ledger.approvals.waiting()) {
    const { windows } = ledger.account.read();
    const amounts = { ...ledger.effects.find(effectId)?.amounts };
    ledger.account.setWindows(freeUse(windows, ledger.pairs.all, amounts, askedAt));
  }
}

/** Gives the effect its state, and frees its amounts when nothing came of it. */
export function settle(
  ledger: Ledger,
  { effectId, deputyId, askedAt }: Approval,
  state: string,
  head: Head,
  now: number,
  entry: (facts: { deputy: string; effect: Pick<Effect, 'id' | 'number' | 'state'> }) => Entry,
): Head {
  const effect = ledger.effects.change(effectId, state, head.sequence + 1);
  if (!effect) throw new Error(`there is no effect ${effectId}`);
  if (isEnded(state)) {
    const { own, all } = ledger.pairs;
    const meter = ledger.meters.read(deputyId);
    ledger.meters.save(deputyId, { ...meter, windows: freeUse(meter.windows, own, effect.amounts, askedAt) });
    ledger.account.setWindows(freeUse(ledger.account.read().windows, all, effect.amounts, askedAt));
  }
  ledger.approvals.changed();
  const facts = { id: effectId, number: effect.number, state };
  return ledger.record.append(entry({ deputy: deputyId, effect: facts }), head, now);
}
