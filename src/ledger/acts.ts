/** What a human can do about their deputies. Each act is one transaction, and each leaves a line in the record. */
import { ceilingOf, newCeiling, valueOf } from '../authority/limits.ts';
import type { Grade } from '../authority/grade.ts';
import { isNoWider, latestEnd, newMandate } from '../authority/mandate.ts';
import { type Ceiling, isNames, type Limits, type Terms } from '../authority/terms.ts';
import { isOver } from '../authority/policy.ts';
import type { Reason } from '../authority/refusal.ts';
import type { Presence } from './account.ts';
import { folded } from './checkpoint.ts';
import type { Appointment } from './deputies.ts';
import type { Ledger } from './ledger.ts';
import type { Passkey } from './passkeys.ts';
import type { Entry, Head, Proof, Suspension } from './record.ts';
import { openRecord } from './schema.ts';
import { freeWaiting, voidWaiting } from './waiting.ts';

/** How far an act reached: calls with a lower sequence were decided before it, none after it were decided in favour. */
export type Done = {
  sequence: number;
  /** Milliseconds since the epoch, on the ledger's clock. */
  at: number;
  /** Nothing was left to change, and no line says so. */
  unchanged?: true;
  /** OAuth grants that are of no more use, to be cleaned up. */
  grants: GrantToClear[];
};
export type GrantToClear = { deputyId: string; grantId: string };

/** Why an act was not carried out; nothing was changed then. */
export type Problem =
  | { problem: 'unknown_deputy' | 'ended' | 'stale' | 'above_ceiling' | 'wider' }
  | { problem: 'unknown_approval' | 'answered' | 'too_weak' | 'changed' | 'not_proven' | 'unknown_passkey' }
  | { problem: 'no_passkey_counts' | 'too_many_passkeys' | 'halted' }
  /** The human's yes was given, and something else stops the call. */
  | { problem: 'stopped'; reason: Reason }
  /** A passkey is to sign this digest first: one of those that count now. */
  | { problem: 'needs_device'; challenge: string; allow: Passkey[] };

/** The human said yes on the consent page, in that session. The deputy goes live with its first token. */
export function appoint(ledger: Ledger, asked: Appointment, presence?: Presence, by: Proven = {}): void {
  ledger.transaction(() => {
    if (presence) ledger.account.setPresence(presence);
    const { head, now } = ledger.moment();
    // A table keeps well-formed text only, and the record must say what the table holds.
    const appointment = { ...asked, clientName: asked.clientName.toWellFormed() };
    const { deputyId, clientId, clientName, clientDomain, mandate, replaces } = appointment;
    ledger.deputies.appoint(appointment, now);
    const client = { id: clientId, unverifiedName: clientName, ...(clientDomain && { verifiedDomain: clientDomain }) };
    const entry: Entry = { actor: 'human', act: 'appointed', deputy: deputyId, client, mandate, replaces, ...by };
    ledger.record.append(entry, head, now);
  });
}

/** The client fetched its first token: the deputy is live from here on, and those it replaces are not. */
export function activate(ledger: Ledger, deputyId: string, grantId: string): Done | Problem {
  return ledger.transaction(() => {
    const { head, now } = ledger.moment();
    const deputy = ledger.deputies.find(deputyId, now);
    if (!deputy) return { problem: 'unknown_deputy' };
    // An exchange that broke off is made again; one that brought tokens is not.
    if (deputy.status === 'active' && deputy.grantId === grantId && !ledger.answers.brought(grantId))
      return unchanged(ledger, head);
    if (deputy.status !== 'pending') return { problem: 'ended' };
    ledger.deputies.setOAuthGrant(deputyId, grantId);
    ledger.deputies.setStatus(deputyId, 'active', now);
    let newest = ledger.record.append({ actor: 'client', act: 'activated', deputy: deputyId }, head, now);
    for (const id of deputy.replaces) {
      if (ledger.deputies.find(id, now)?.status !== 'active') continue;
      ledger.deputies.setStatus(id, 'superseded', now);
      newest = ledger.record.append({ actor: 'human', act: 'superseded', deputy: id, by: deputyId }, newest, now);
      newest = voidWaiting(ledger, 'replaced', newest, now, id);
    }
    return done(ledger, newest);
  });
}

/** Whether the deputy may have another token. */
export function mayRefresh(ledger: Ledger, deputyId: string): boolean {
  return ledger.endOf(deputyId) === undefined;
}

/**
 * Stops every deputy, those that sign in later included. Once this has returned, no call is decided in a deputy's favour.
 * Each press takes a new sequence, also while they are paused: only who saw the last one can lift it.
 */
export function pause(ledger: Ledger, by: As = {}): Done {
  return ledger.transaction(() => {
    const { head, now } = ledger.moment();
    const newest = ledger.record.append({ actor: 'human', act: 'paused', ...by }, head, now);
    ledger.account.setAuthority('paused', now, newest.sequence);
    return done(ledger, newest);
  });
}

/** Stops one deputy, until its human lifts that very pause. Each press takes a new sequence, as with all of them. */
export function pauseOne(ledger: Ledger, deputyId: string, by: As = {}): Done | Problem {
  return ledger.transaction(() => {
    const { head, now } = ledger.moment();
    const deputy = ledger.deputies.find(deputyId, now);
    if (!deputy) return { problem: 'unknown_deputy' };
    // It can do nothing any more.
    if (isOver(deputy.status)) return unchanged(ledger, head);
    const newest = ledger.record.append({ actor: 'human', act: 'paused', deputy: deputyId, ...by }, head, now);
    ledger.deputies.setPaused(deputyId, newest.sequence);
    return done(ledger, newest);
  });
}

/** Lets one deputy go on, when no other pause of it came after that sequence. A pause of all of them stays. */
export function resumeOne(
  ledger: Ledger,
  deputyId: string,
  pauseSequence: number,
  presence?: Presence,
  by: Proven = {},
): Done | Problem {
  return ledger.transaction(() => {
    const { head, now } = ledger.moment();
    const deputy = ledger.deputies.find(deputyId, now);
    if (!deputy) return { problem: 'unknown_deputy' };
    if (isOver(deputy.status)) return { problem: 'ended' };
    if (deputy.paused === undefined || deputy.paused !== pauseSequence) return { problem: 'stale' };
    const newest = ledger.record.append({ actor: 'human', act: 'resumed', deputy: deputyId, ...by }, head, now);
    ledger.deputies.setPaused(deputyId, undefined);
    if (presence) ledger.account.setPresence(presence);
    return done(ledger, newest);
  });
}

/** Gives a deputy the name that its human knows it by; an empty one takes that back. */
export function nameOne(ledger: Ledger, deputyId: string, name: string): Done | Problem {
  return ledger.transaction(() => {
    const { head, now } = ledger.moment();
    const deputy = ledger.deputies.find(deputyId, now);
    if (!deputy) return { problem: 'unknown_deputy' };
    if (name === (deputy.name ?? '')) return unchanged(ledger, head);
    ledger.deputies.setName(deputyId, name === '' ? undefined : name);
    return done(ledger, ledger.record.append({ actor: 'human', act: 'named', deputy: deputyId, name }, head, now));
  });
}

/**
 * Lifts the pause or the suspension, in that session, when nothing came after that sequence; else it is stale. A pause
 * below a suspension stays, and so does that of single deputies. Those in `without` are paused alone before that.
 */
export function resume(
  ledger: Ledger,
  pauseSequence: number,
  without: readonly string[] = [],
  presence?: Presence,
  by: Proven = {},
): Done | Problem {
  return ledger.transaction(() => {
    const { authority, authoritySequence } = ledger.account.read();
    if (authority === 'active' || authoritySequence !== pauseSequence) return { problem: 'stale' };
    for (const deputyId of without) pauseOne(ledger, deputyId);
    const { head, now } = ledger.moment();
    const newest = ledger.record.append({ actor: 'human', act: 'resumed', ...by }, head, now);
    if (authority === 'suspended') ledger.account.setSuspended(false, now, newest.sequence);
    else ledger.account.setAuthority('active', now, newest.sequence);
    if (presence) ledger.account.setPresence(presence);
    return done(ledger, newest);
  });
}

/** What the identity provider says of the human now: a clear no, with the reason, or how they are there. */
export type Heard = { gone: Suspension } | Presence;

/**
 * Takes in what was heard in answer to a question about `asked`. False, and it counts for nothing, when a session of the
 * human has granted something since.
 */
export function hear(ledger: Ledger, asked: Presence, heard: Heard): boolean {
  return ledger.transaction(() => {
    const { authority, presence } = ledger.account.read();
    if (presence?.at !== asked.at) return false;
    if (!('gone' in heard)) {
      ledger.account.setPresence(heard);
      return true;
    }
    const { head, now } = ledger.moment();
    ledger.account.setPresence({ ...asked, at: now });
    if (authority === 'suspended') return true;
    const newest = ledger.record.append({ actor: 'system', act: 'suspended', why: heard.gone }, head, now);
    ledger.account.setSuspended(true, now, newest.sequence);
    return true;
  });
}

/** Dismisses one deputy for good. */
export function revoke(ledger: Ledger, deputyId: string, by: As = {}): Done | Problem {
  return ledger.transaction(() => {
    const { head, now } = ledger.moment();
    const deputy = ledger.deputies.find(deputyId, now);
    if (!deputy) return { problem: 'unknown_deputy' };
    if (isOver(deputy.status)) return unchanged(ledger, head);
    ledger.deputies.setStatus(deputyId, 'revoked', now);
    const newest = ledger.record.append({ actor: 'human', act: 'revoked', deputy: deputyId, ...by }, head, now);
    voidWaiting(ledger, 'dismissed', newest, now, deputyId);
    return done(ledger, newest);
  });
}

/** The client gave its tokens back (RFC 7009), or the provider took its grant: the deputy can never call again. */
export function resign(ledger: Ledger, grantId: string): void {
  ledger.transaction(() => {
    const deputyId = ledger.deputies.withGrant(grantId);
    // Whose mandate has run out has nothing to give back.
    if (deputyId === undefined || ledger.endOf(deputyId)) return;
    const { head, now } = ledger.moment();
    ledger.deputies.setStatus(deputyId, 'resigned', now);
    const newest = ledger.record.append({ actor: 'client', act: 'resigned', deputy: deputyId }, head, now);
    voidWaiting(ledger, 'resigned', newest, now, deputyId);
  });
}

/** What the human changes of a mandate. `expiresAt` in milliseconds, at most 30 days after the appointment; undefined leaves it. */
export type Amendment = {
  deputyId: string;
  /** The version that the human saw. */
  version: number;
  scopes: readonly string[];
  limits: Limits;
  approval?: Grade | undefined;
  expiresAt?: number | undefined;
  /** How the human chose that end. */
  until?: string | undefined;
};

/** Changes a mandate. With `narrowOnly` it refuses to grant more than before. */
export function amend(
  ledger: Ledger,
  amendment: Amendment,
  { narrowOnly }: { narrowOnly: boolean },
  by: Proven = {},
): Done | Problem {
  return ledger.transaction(() => {
    const { head, now } = ledger.moment();
    const deputy = ledger.deputies.find(amendment.deputyId, now);
    if (!deputy) return { problem: 'unknown_deputy' };
    const { mandate } = deputy;
    if (deputy.status !== 'active' || now >= mandate.expiresAt) return { problem: 'ended' };
    const { terms } = ledger;
    const latest = latestEnd(Date.parse(deputy.appointedAt));
    const granted = {
      // The token holds no more than what was granted on the consent page.
      scopes: amendment.scopes.filter((scope) => deputy.scopes.includes(scope)),
      limits: amendment.limits,
      approval: amendment.approval,
      expiresAt: Math.min(amendment.expiresAt ?? mandate.expiresAt, latest),
    };
    const next = newMandate(terms, granted, mandate);
    const wider = !isNoWider(terms, next, mandate);
    // What narrows always works; what widens must know what it widens.
    if (wider && mandate.version !== amendment.version) return { problem: 'stale' };
    if (wider && narrowOnly) return { problem: 'wider' };
    if (isRaisedAbove(terms, next.limits, mandate.limits, ledger.account.read().ceiling))
      return { problem: 'above_ceiling' };
    ledger.deputies.setMandate(deputy.deputyId, next, now);
    const entry: Entry = { actor: 'human', act: 'amended', deputy: deputy.deputyId, mandate: next, ...by };
    return done(ledger, ledger.record.append(entry, head, now));
  });
}

/** A limit from before the ceiling was lowered may stay, because the ceiling binds it anyway; it cannot be raised. */
function isRaisedAbove({ limits }: Terms, next: Limits, current: Limits, ceiling: Ceiling): boolean {
  return Object.entries(limits).some(([name, limit]) => {
    if (isNames(limit) || limit.ceiling === undefined) return false;
    const most = Math.max(valueOf(current, name, limit), ceilingOf(ceiling, name, limit));
    return valueOf(next, name, limit) > most;
  });
}

/** Sets the limits of the account, over all deputies. To raise one, `version` must be that of the limits as they are. */
export function setCeiling(
  ledger: Ledger,
  ceiling: Ceiling,
  version: number,
  { narrowOnly = false } = {},
  by: Proven = {},
): Done | Problem {
  return ledger.transaction(() => {
    const account = ledger.account.read();
    const next = newCeiling(ledger.terms, ceiling, account.ceiling);
    const wider = Object.entries(next).some(([name, most]) => most > (account.ceiling[name] ?? 0));
    if (wider && account.ceilingVersion !== version) return { problem: 'stale' };
    if (wider && narrowOnly) return { problem: 'wider' };
    const { head, now } = ledger.moment();
    const newest = ledger.record.append({ actor: 'human', act: 'ceiling', ceiling: next, ...by }, head, now);
    ledger.account.setCeiling(next, newest.sequence);
    return done(ledger, newest);
  });
}

const ERASED = [
  'deputies',
  'meters',
  'approvals',
  'idempotency',
  'account',
  'record',
  'checkpoint',
  'checkpoint_effects',
];

/**
 * Deletes what is stored about the human, and starts an empty record. A pause, a suspension, the ceiling and what counts
 * against it stay, and that a passkey is needed: they say nothing about anybody, and erasing must not be a way around them. Copies of effects elsewhere go through
 * the outbox.
 */
export function erase(ledger: Ledger): Done {
  return ledger.transaction(() => {
    const { sql } = ledger;
    const {
      head: { sequence },
      now,
    } = ledger.moment();
    const grants = ledger.deputies.grants(Number.MAX_SAFE_INTEGER, true);
    freeWaiting(ledger);
    const { authority, paused, authorityAt, ceiling, windows, guarded, passkeysUntil } = ledger.account.read();
    const had = ledger.passkeys.usable(now).length > 0 ? now : passkeysUntil;
    const own = paused ? 'paused' : 'active';
    ledger.effects.erase();
    for (const table of ERASED) sql.exec(`DELETE FROM ${table}`);
    ledger.approvals.changed();
    ledger.answers.clear();
    ledger.allowances.endAll();
    ledger.passkeys.clear();
    ledger.demo.clear();
    ledger.profile.clear();
    // Numbers go on, so that what a page from before names is not there again.
    const suspended = authority === 'suspended';
    openRecord(sql, { authority: own, suspended, guarded, passkeysUntil: had, ceiling, windows }, sequence);
    const head = ledger.record.append({ actor: 'human', act: 'erased', ...folded(sql) }, ledger.record.head(), now);
    ledger.account.setAuthority(own, authorityAt ?? now, head.sequence);
    ledger.account.setCeiling(ceiling, head.sequence);
    return { ...done(ledger, head), grants };
  });
}

/** Keeps what deputies that may can read of the human, or removes it. To write one, `version` must be that of what is kept. */
export function setProfile(
  ledger: Ledger,
  fields: Record<string, string>,
  version: number,
  by: Proven = {},
): Done | Problem {
  return ledger.transaction(() => {
    const kept = Object.keys(fields);
    if (kept.length > 0 && ledger.profile.read().version !== version) return { problem: 'stale' };
    const { head, now } = ledger.moment();
    const newest = ledger.record.append({ actor: 'human', act: 'profile', kept, ...by }, head, now);
    ledger.profile.write({ fields, version: newest.sequence });
    return done(ledger, newest);
  });
}

/** Lifts the demo ban that a deputy has set. */
export function unban(ledger: Ledger): Done {
  return ledger.transaction(() => {
    const { head, now } = ledger.moment();
    ledger.demo.clear();
    return done(ledger, ledger.record.append({ actor: 'human', act: 'unbanned' }, head, now));
  });
}

/** Notes that a grant is gone, once the OAuth provider has said so. */
export function grantCleared(ledger: Ledger, deputyId: string): void {
  ledger.deputies.setOAuthGrant(deputyId, undefined);
}

/** In whose session somebody else acted as the human, when somebody did. */
export type As = { impersonation?: string };

/** What a passkey has signed for an act. */
export type Proven = { proof?: Proof };

/** Grants cleaned up after one act; those that are left wait for the next. */
const GRANTS_AT_ONCE = 20;

export function done(ledger: Ledger, { sequence, at }: Head): Done {
  return { sequence, at, grants: ledger.deputies.grants(GRANTS_AT_ONCE) };
}

export function unchanged(ledger: Ledger, head: Head): Done {
  return { ...done(ledger, head), unchanged: true };
}
