/** What the console asks for: each act with what it needs, and with the passkey where the human wants one for it. */
import type { Ceiling } from '../authority/terms.ts';
import { digestOf } from '../canonical.ts';
import type { Presence } from './account.ts';
import {
  type Amendment,
  amend,
  type As,
  type Done,
  erase,
  nameOne,
  pause,
  pauseOne,
  type Problem,
  type Proven,
  resume,
  resumeOne,
  revoke,
  setCeiling,
  setProfile,
  unban,
} from './acts.ts';
import { approve, type Decision, deny, denyAndPause, endAllowance, type UsesNow } from './approving.ts';
import { guard, removePasskey } from './guarding.ts';
import type { Ledger } from './ledger.ts';
import type { Claimed } from './passkeys.ts';

export type Act =
  | { do: 'erase' | 'unban' }
  | { do: 'pause'; deputyId?: string; as?: As }
  /** `pause` is the sequence of the pause or suspension that the human saw; `without` are deputies that stay paused. */
  | { do: 'resume'; pause: number; without?: string[]; presence?: Presence }
  | { do: 'resumeOne'; deputyId: string; pause: number; presence?: Presence }
  | { do: 'name'; deputyId: string; name: string }
  | { do: 'revoke'; deputyId: string; as?: As }
  | { do: 'amend'; amendment: Amendment; narrowOnly: boolean }
  | { do: 'ceiling'; ceiling: Ceiling; version: number }
  | { do: 'profile'; fields: Record<string, string>; version: number }
  | { do: 'approve'; decision: Decision }
  | { do: 'deny'; effectId: string; pause: boolean; as?: As }
  | { do: 'endAllowance'; line: number }
  | { do: 'removePasskey'; id: string }
  /** Whether a passkey is needed for what grants more. */
  | { do: 'guard'; device: boolean };

/** Who acts: whose ledger it is, and what came with the act as signed by a passkey of theirs. */
export type Actor = { userId: string; signed?: Claimed | undefined; usesNow: UsesNow };

export function perform(ledger: Ledger, act: Act, by: Actor): Done | Problem {
  const { signed, usesNow, userId } = by;
  switch (act.do) {
    case 'profile': {
      const { fields, version } = act;
      // What is removed sends nothing elsewhere.
      if (Object.keys(fields).length === 0) return setProfile(ledger, fields, version);
      // The line has what was signed, and must not tell what the profile says.
      const sealed = ledger.account.seal(fields);
      return guarded(ledger, by, { act: 'profile', fields: sealed, version }, (proven) =>
        setProfile(ledger, fields, version, proven),
      );
    }
    case 'pause':
      return act.deputyId === undefined ? pause(ledger, act.as) : pauseOne(ledger, act.deputyId, act.as);
    case 'resume': {
      const { pause: shown, without = [], presence } = act;
      return guarded(ledger, by, { act: 'resume', pause: shown, without }, (proven) =>
        resume(ledger, shown, without, presence, proven),
      );
    }
    case 'resumeOne': {
      const { deputyId, pause: shown, presence } = act;
      return guarded(ledger, by, { act: 'resumeOne', deputyId, pause: shown }, (proven) =>
        resumeOne(ledger, deputyId, shown, presence, proven),
      );
    }
    case 'name':
      return nameOne(ledger, act.deputyId, act.name);
    case 'erase':
      return erase(ledger);
    case 'unban':
      return unban(ledger);
    case 'revoke':
      return revoke(ledger, act.deputyId, act.as);
    case 'amend': {
      const { expiresAt: _, ...chosen } = act.amendment;
      const narrowed = amend(ledger, act.amendment, { narrowOnly: true });
      if (act.narrowOnly || !isWider(narrowed)) return narrowed;
      return guarded(ledger, by, { act: 'amend', ...chosen }, (proven) =>
        amend(ledger, act.amendment, { narrowOnly: false }, proven),
      );
    }
    case 'ceiling': {
      const { ceiling, version } = act;
      const narrowed = setCeiling(ledger, ceiling, version, { narrowOnly: true });
      if (!isWider(narrowed)) return narrowed;
      return guarded(ledger, by, act, (proven) => setCeiling(ledger, ceiling, version, {}, proven));
    }
    case 'approve':
      return approve(ledger, userId, act.decision, { signed, usesNow });
    case 'deny':
      return act.pause ? denyAndPause(ledger, act.effectId, act.as ?? {}) : deny(ledger, act.effectId);
    case 'endAllowance':
      return endAllowance(ledger, act.line);
    case 'removePasskey':
      return removePasskey(ledger, act.id);
    case 'guard': {
      const since = ledger.account.read().guarded;
      return guarded(ledger, by, { act: 'guard', device: act.device, since }, (proven) =>
        guard(ledger, act.device, proven),
      );
    }
  }
}

function isWider(result: Done | Problem): boolean {
  return 'problem' in result && result.problem === 'wider';
}

/**
 * Does what grants more, or sends orders elsewhere. Where the human wants a passkey for it, one must have signed exactly
 * `what`, and counts once.
 */
function guarded(
  ledger: Ledger,
  { userId, signed }: Actor,
  what: Record<string, unknown>,
  work: (proven: Proven) => Done | Problem,
): Done | Problem {
  return ledger.transaction(() => {
    const { guarded: since, recordId: record } = ledger.account.read();
    if (since === 0) return work({});
    const challenge = digestOf({ human: userId, record, since, ...what });
    if (!signed) return { problem: 'needs_device', challenge, allow: ledger.passkeys.usable(ledger.now()) };
    if (signed === 'not_proven') return { problem: 'not_proven' };
    if (signed.challenge !== challenge) return { problem: 'stale' };
    if (!ledger.passkeys.counts(signed.proof, ledger.now())) return { problem: 'not_proven' };
    const result = work({ proof: signed.proof });
    if (!('problem' in result)) ledger.passkeys.used(signed.proof);
    return result;
  });
}
