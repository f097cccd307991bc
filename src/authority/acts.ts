/** What a human can do about their deputies. Each act is one transaction, and each leaves a line in the audit. */
import type { Scope } from '../deputy.ts';
import type { Entry, Head } from './audit.ts';
import { folded } from './checkpoint.ts';
import type { Appointment, Deputy } from './deputies.ts';
import type { Ledger } from './ledger.ts';
import { type Ceiling, isNoWider, LONGEST, type Mandate, mandateSchema, type Spending } from './mandate.ts';
import { openRecord } from './schema.ts';

/** How far an act reached: calls with a lower sequence were decided before it, none after it were decided in favour. */
export type Done = {
  sequence: number;
  /** Milliseconds since the epoch, on the ledger's clock. */
  at: number;
  /** It was so already: `sequence` and `at` are of the act before. */
  already?: true;
  /** OAuth grants that are of no more use, to be cleaned up. */
  grants: GrantToClear[];
};
export type GrantToClear = { deputyId: string; grantId: string };

/** Why an act was not carried out; nothing was changed then. */
export type Problem = { problem: 'unknown_deputy' | 'ended' | 'stale' | 'above_ceiling' | 'wider' };

/** The human said yes on the consent page. The deputy goes live with its first token. */
export function appoint(ledger: Ledger, appointment: Appointment): void {
  ledger.transaction(() => {
    const head = ledger.audit.head();
    const now = ledger.now(head);
    const { deputyId, clientId, clientName, clientDomain, mandate, replaces } = appointment;
    ledger.deputies.appoint(appointment, now);
    const client = { id: clientId, unverifiedName: clientName, ...(clientDomain && { verifiedDomain: clientDomain }) };
    ledger.audit.append({ actor: 'human', act: 'appointed', deputy: deputyId, client, mandate, replaces }, head, now);
  });
}

/** The client fetched its first token: the deputy is live from here on, and those it replaces are not. */
export function activate(ledger: Ledger, deputyId: string, grantId: string): Done | Problem {
  return ledger.transaction(() => {
    const head = ledger.audit.head();
    const now = ledger.now(head);
    const deputy = ledger.deputies.find(deputyId, now);
    if (!deputy) return { problem: 'unknown_deputy' };
    // A client that did not get the answer asks again; and one from before grants were recorded was live at once.
    if (deputy.status === 'active' && (deputy.grantId ?? grantId) === grantId) {
      if (deputy.grantId === undefined) ledger.deputies.setGrant(deputyId, grantId);
      return done(ledger, head);
    }
    if (deputy.status !== 'pending') return { problem: 'ended' };
    ledger.deputies.setGrant(deputyId, grantId);
    ledger.deputies.setStatus(deputyId, 'active', now);
    let newest = ledger.audit.append({ actor: 'client', act: 'activated', deputy: deputyId }, head, now);
    for (const id of deputy.replaces) {
      if (ledger.deputies.find(id, now)?.status !== 'active') continue;
      ledger.deputies.setStatus(id, 'superseded', now);
      newest = ledger.audit.append({ actor: 'human', act: 'superseded', deputy: id, by: deputyId }, newest, now);
    }
    return done(ledger, newest);
  });
}

/** Whether the deputy may have another token. Learns the grant of a deputy from before grants were recorded. */
export function mayRefresh(ledger: Ledger, deputyId: string, grantId: string): boolean {
  return ledger.transaction(() => {
    const now = ledger.now();
    const deputy = ledger.deputies.find(deputyId, now);
    if (deputy?.status !== 'active' || now >= deputy.mandate.expiresAt) return false;
    if (deputy.grantId !== grantId) ledger.deputies.setGrant(deputyId, grantId);
    return true;
  });
}

/** Stops every deputy, those that sign in later included. Once this has returned, no call is decided in a deputy's favour. */
export function pause(ledger: Ledger): Done {
  return setAuthority(ledger, 'paused');
}

export function resume(ledger: Ledger): Done {
  return setAuthority(ledger, 'active');
}

function setAuthority(ledger: Ledger, authority: 'active' | 'paused'): Done {
  return ledger.transaction(() => {
    const head = ledger.audit.head();
    const now = ledger.now(head);
    const account = ledger.account.read();
    // Pressed twice, or in two tabs: it took effect the first time.
    if (account.authority === authority) {
      const { authoritySequence: sequence = 0, authorityAt: at = now } = account;
      return { ...done(ledger, { ...head, sequence, at }), already: true };
    }
    const newest = ledger.audit.append(
      { actor: 'human', act: authority === 'paused' ? 'paused' : 'resumed' },
      head,
      now,
    );
    ledger.account.setAuthority(authority, now, newest.sequence);
    return done(ledger, newest);
  });
}

/** Dismisses one deputy for good. */
export function revoke(ledger: Ledger, deputyId: string): Done | Problem {
  return ledger.transaction(() => {
    const head = ledger.audit.head();
    const now = ledger.now(head);
    const deputy = ledger.deputies.find(deputyId, now);
    if (!deputy) return { problem: 'unknown_deputy' };
    if (deputy.status === 'revoked' || deputy.status === 'superseded') return done(ledger, head);
    ledger.deputies.setStatus(deputyId, 'revoked', now);
    return done(ledger, ledger.audit.append({ actor: 'human', act: 'revoked', deputy: deputyId }, head, now));
  });
}

/** What the human changes of a mandate. `expiresAt` in milliseconds, at most 30 days after the appointment; undefined leaves it. */
export type Amendment = {
  deputyId: string;
  /** The version that the human saw. */
  version: number;
  scopes: Scope[];
  limits: Spending;
  expiresAt?: number | undefined;
};

/** Changes a mandate. With `narrowOnly` it refuses to grant more than before. */
export function amend(ledger: Ledger, amendment: Amendment, { narrowOnly }: { narrowOnly: boolean }): Done | Problem {
  return ledger.transaction(() => {
    const head = ledger.audit.head();
    const now = ledger.now(head);
    const deputy = ledger.deputies.find(amendment.deputyId, now);
    if (!deputy) return { problem: 'unknown_deputy' };
    const { mandate } = deputy;
    if (deputy.status !== 'active' || now >= mandate.expiresAt) return { problem: 'ended' };
    if (mandate.version !== amendment.version) return { problem: 'stale' };
    const next = mandateSchema.parse({
      format: 1,
      version: mandate.version + 1,
      // The token holds no more than what was granted on the consent page.
      scopes: amendment.scopes.filter((scope) => deputy.scopes.includes(scope)),
      limits: { ...mandate.limits, ...amendment.limits },
      // What WorkOS said of the human at the appointment is not relied on for longer than that.
      expiresAt: Math.min(amendment.expiresAt ?? mandate.expiresAt, Date.parse(deputy.appointedAt) + LONGEST),
    } satisfies Mandate);
    const wider = !isNoWider(next, mandate);
    if (wider && narrowOnly) return { problem: 'wider' };
    if (isRaisedAbove(next.limits, mandate.limits, ledger.account.read().ceiling)) return { problem: 'above_ceiling' };
    ledger.deputies.setMandate(deputy.deputyId, next, now);
    const entry: Entry = { actor: 'human', act: 'amended', deputy: deputy.deputyId, mandate: next };
    return done(ledger, ledger.audit.append(entry, head, now));
  });
}

/** A limit from before the ceiling was lowered may stay, because the ceiling binds it anyway; it cannot be raised. */
function isRaisedAbove(next: Ceiling, current: Ceiling, ceiling: Ceiling): boolean {
  return (
    next.shirtsPerDay > Math.max(current.shirtsPerDay, ceiling.shirtsPerDay) ||
    next.spendPerDay > Math.max(current.spendPerDay, ceiling.spendPerDay)
  );
}

/** Sets the limits of the account, over all deputies. */
export function setCeiling(ledger: Ledger, ceiling: Ceiling): Done {
  return ledger.transaction(() => {
    const head = ledger.audit.head();
    ledger.account.setCeiling(ceiling);
    return done(ledger, ledger.audit.append({ actor: 'human', act: 'ceiling', ceiling }, head, ledger.now(head)));
  });
}

/**
 * Deletes what is stored about the human, and starts an empty record. A pause, the ceiling and what counts against it
 * stay: they say nothing about anybody, and erasing must not be a way around them. Copies of orders in KV go through the
 * outbox.
 */
export function erase(ledger: Ledger): Done {
  return ledger.transaction(() => {
    const { sql } = ledger.storage;
    const now = ledger.now();
    const grants = grantsOf(ledger.deputies.all(now));
    const { authority, authorityAt, ceiling, day } = ledger.account.read();
    ledger.orders.erase();
    for (const table of ['deputies', 'meters', 'idempotency', 'account', 'audit', 'checkpoint', 'checkpoint_orders']) {
      sql.exec(`DELETE FROM ${table}`);
    }
    ledger.kv.delete('demoMode');
    openRecord(sql, { authority, authorityAt: authorityAt ?? null, ceiling, day });
    const head = ledger.audit.append({ actor: 'human', act: 'erased', ...folded(sql) }, ledger.audit.head(), now);
    return { ...done(ledger, head), grants };
  });
}

/** Notes that a grant is gone, once the OAuth provider has said so. */
export function grantCleared(ledger: Ledger, deputyId: string): void {
  ledger.deputies.setGrant(deputyId, undefined);
}

/** An act as the console asks for it. */
export type Act =
  | { do: 'pause' | 'resume' | 'erase' }
  | { do: 'revoke'; deputyId: string }
  | { do: 'amend'; amendment: Amendment; narrowOnly: boolean }
  | { do: 'ceiling'; ceiling: Ceiling };

export function perform(ledger: Ledger, act: Act): Done | Problem {
  switch (act.do) {
    case 'pause':
      return pause(ledger);
    case 'resume':
      return resume(ledger);
    case 'erase':
      return erase(ledger);
    case 'revoke':
      return revoke(ledger, act.deputyId);
    case 'amend':
      return amend(ledger, act.amendment, act);
    case 'ceiling':
      return setCeiling(ledger, act.ceiling);
  }
}

function done(ledger: Ledger, { sequence, at }: Head): Done {
  const grants = grantsOf(
    ledger.deputies.all(at).filter(({ status }) => status === 'revoked' || status === 'superseded'),
  );
  return { sequence, at, grants };
}

function grantsOf(deputies: Deputy[]): GrantToClear[] {
  return deputies.flatMap(({ deputyId, grantId }) => (grantId === undefined ? [] : [{ deputyId, grantId }]));
}
