/** Whether a call may be carried out: a pure function of what the human said and what was used so far. */
import { overLimit, tooManyCalls, type Usage } from './limits.ts';
import type { Mandate } from './mandate.ts';
import type { Reason } from './refusal.ts';
import { ACTS, CALLS, type Ceiling, type Terms, type Uses } from './terms.ts';

/** Whether deputies may act at all. The human pauses and resumes; the system suspends a human who is gone. */
export type Authority = 'active' | 'paused' | 'suspended';

/** `expired` follows from the mandate's end; a deputy that the ledger does not hold has no standing. */
export type Status = 'pending' | 'active' | keyof typeof OVER;

/** Dismissed by its human, replaced as they said, or given up by its client: nothing brings it back. */
const OVER = { revoked: 'deputy_revoked', superseded: 'deputy_superseded', resigned: 'deputy_resigned' } as const;

export function isOver(status: Status): status is keyof typeof OVER {
  return Object.hasOwn(OVER, status);
}

/** A deputy's status and mandate, and whether its human has paused it alone, as a decision needs them. */
export type Standing = { status: Status; mandate: Mandate; paused?: boolean };

/** How things stand when a call comes. `now` in milliseconds since the epoch. */
export type Situation = {
  authority: Authority;
  standing: Standing | undefined;
  ceiling: Ceiling;
  usage: { own: Usage; all: Usage };
  now: number;
};

export type Action = {
  /** The tool's name. */
  name: string;
  scope: string;
  /** What the caller's token holds; the mandate may have been narrowed since. */
  tokenScopes: readonly string[];
  /** A permission that the human must have at the identity provider, and those they have. */
  permission?: string | undefined;
  permissions: readonly string[];
  /** What a metered call would use, once its arguments are known. */
  uses?: Uses | undefined;
};

/** The reason that stops `action`, or undefined when it may be carried out. */
export function decide(terms: Terms, situation: Situation, action: Action): Reason | undefined {
  const { authority, standing, ceiling, usage, now } = situation;
  const ended = endOf(standing, now);
  if (ended) return ended;
  if (!standing) throw new Error('a deputy that is not in the ledger was not refused');
  if (authority !== 'active') return { code: authority };
  if (standing.paused) return { code: 'deputy_paused' };
  const { scopes, limits } = standing.mandate;
  const tooMany = tooManyCalls(terms, limits, usage.own);
  if (tooMany) return tooMany;
  const { name: tool, scope, permission } = action;
  if (!scopes.includes(scope) || !action.tokenScopes.includes(scope))
    return { code: 'insufficient_scope', tool, scope };
  if (permission && !action.permissions.includes(permission)) return { code: 'permission_required', tool, permission };
  return action.uses && overLimit(terms, limits, ceiling, usage, action.uses);
}

/** Why a deputy is not live, or undefined when it is. The client is told so with HTTP 401. */
export function endOf(standing: Standing | undefined, now: number): Reason | undefined {
  if (!standing || standing.status === 'pending') return { code: 'deputy_unknown' };
  if (isOver(standing.status)) return { code: OVER[standing.status] };
  const { expiresAt } = standing.mandate;
  return now >= expiresAt ? { code: 'mandate_expired', expiresAt } : undefined;
}

/**
 * The reason that stops what waits for the human's yes, now that they give it: everything but the limit that asks. What it
 * would use is counted since it was asked for, so a limit stops it when more is used than it allows.
 */
export function decideAgain(terms: Terms, situation: Situation, action: Action & { uses: Uses }): Reason | undefined {
  const { own, all } = situation.usage;
  const without = (usage: Usage) => (name: string) => {
    const { of = '' } = terms.limits[name] ?? {};
    const { used, freesAt } = usage(name);
    // The human's yes is no call of the deputy.
    if (of === CALLS) return { used: 0, freesAt };
    const counted = of === ACTS ? 1 : action.uses[of];
    return { used: used - Number(counted), freesAt };
  };
  const reason = decide(terms, { ...situation, usage: { own: without(own), all: without(all) } }, action);
  return reason?.code === 'approval_required' ? undefined : reason;
}
