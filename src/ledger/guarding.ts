/** The human's passkeys as they add and remove them, and the setting that asks for one. Each act is a line. */
import { PASSKEY_WAITS_MS } from '../lifetimes.ts';
import { type Done, done, type Problem, type Proven, unchanged } from './acts.ts';
import type { Ledger } from './ledger.ts';
import { attested, type Attestation, MOST_PASSKEYS, type Passkey } from './passkeys.ts';

/** Milliseconds in which a page that offers a new passkey can be answered. */
const OFFERED_MS = 10 * 60_000;

/** What a new passkey is to be made for: a challenge that this ledger alone can make, until then (milliseconds). */
export function offerPasskey(ledger: Ledger): { challenge: string; until: number } {
  const until = ledger.now() + OFFERED_MS;
  return { challenge: challengeUntil(ledger, until), until };
}

function challengeUntil(ledger: Ledger, until: number): string {
  return Buffer.from(ledger.account.seal({ newPasskeyUntil: until }), 'hex').toString('base64url');
}

/** Adds a passkey that was made for an offer. Whoever has had none, and is asked nothing now, can use it at once. */
export async function addPasskey(
  ledger: Ledger,
  response: Attestation,
  { until, origin }: { until: number; origin: string },
): Promise<Done | Problem> {
  const made = await attested(response, { challenge: challengeUntil(ledger, until), origin });
  if (!made) return { problem: 'not_proven' };
  return ledger.transaction(() => {
    const { head, now } = ledger.moment();
    if (now >= until || until > now + OFFERED_MS) return { problem: 'stale' };
    if (ledger.passkeys.all().length >= MOST_PASSKEYS) return { problem: 'too_many_passkeys' };
    if (ledger.passkeys.find(made.id)) return unchanged(ledger, head);
    const first = ledger.passkeys.all().length === 0 && !ledger.passkeys.had(now);
    const atOnce = first && ledger.approvals.firstEnd() === Infinity;
    const passkey: Passkey = { ...made, addedAt: now, usableAt: atOnce ? now : now + PASSKEY_WAITS_MS };
    ledger.passkeys.add(passkey);
    const { id, publicKey, counter, usableAt } = passkey;
    const usable = new Date(usableAt).toISOString();
    const line = { actor: 'human', act: 'passkeyAdded', passkey: id, publicKey, counter, usable } as const;
    return done(ledger, ledger.record.append(line, head, now));
  });
}

/** Removes a passkey, such as one that was lost. For a day nothing becomes easier by that. */
export function removePasskey(ledger: Ledger, id: string): Done | Problem {
  return ledger.transaction(() => {
    const { head, now } = ledger.moment();
    if (!ledger.passkeys.find(id)) return { problem: 'unknown_passkey' };
    const counted = ledger.passkeys.usable(now).length > 0;
    ledger.passkeys.remove(id);
    if (counted && ledger.passkeys.usable(now).length === 0) ledger.account.setPasskeysUntil(now);
    return done(ledger, ledger.record.append({ actor: 'human', act: 'passkeyRemoved', passkey: id }, head, now));
  });
}

/** Sets whether what grants more needs a passkey. Until one counts there would be no way back, so one must. */
export function guard(ledger: Ledger, device: boolean, by: Proven): Done | Problem {
  return ledger.transaction(() => {
    const { head, now } = ledger.moment();
    if (ledger.account.read().guarded > 0 === device) return unchanged(ledger, head);
    if (device && ledger.passkeys.usable(now).length === 0) return { problem: 'no_passkey_counts' };
    const newest = ledger.record.append({ actor: 'human', act: 'guarded', device, ...by }, head, now);
    ledger.account.setGuarded(device ? newest.sequence : 0);
    return done(ledger, newest);
  });
}
