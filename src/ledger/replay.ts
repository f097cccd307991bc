/** What the record says the ledger must hold: each line is applied to the state before it, from the checkpoint on. */
import { z } from 'zod';
import { mandateSchema } from '../authority/mandate.ts';
import { windowsSchema } from '../authority/window.ts';
import { ceilingSchema } from './account.ts';
import type { EffectFacts } from './effects.ts';
import type { Line } from './record.ts';

/** The state without effects, which a checkpoint keeps in rows of their own. */
export const coreSchema = z.object({
  /** What all deputies together had used when the human erased their data; it counts on. */
  windows: windowsSchema,
  /** The human's own word; a suspension stands above it, and leaves it as it is. */
  authority: z.enum(['active', 'paused']),
  suspended: z.boolean(),
  ceiling: ceilingSchema,
  /** The line since which a passkey is needed for what grants more; 0 for none. */
  guarded: z.int(),
  /** When the last passkey that counted was removed, in milliseconds. */
  passkeysUntil: z.int(),
  passkeys: z.record(z.string(), z.object({ publicKey: z.string(), usableAt: z.int(), counter: z.int() })),
  /** By the line of the yes: whose it is, how many are left, and until when (milliseconds). */
  allowances: z.record(z.string(), z.object({ deputy: z.string(), count: z.int(), endsAt: z.int() })),
  deputies: z.record(
    z.string(),
    z.object({
      status: z.enum(['pending', 'active', 'revoked', 'superseded', 'resigned']),
      mandate: mandateSchema,
      clientId: z.string(),
      clientName: z.string(),
      clientDomain: z.string().optional(),
      /** What was granted on the consent page. */
      scopes: z.array(z.string()).readonly(),
      name: z.string().optional(),
      /** The line that paused it alone. */
      paused: z.int().optional(),
    }),
  ),
});
type CallLine = Extract<Line, { actor: 'deputy' }>;
export type Core = z.infer<typeof coreSchema>;
export type State = Core & { effects: Map<string, EffectFacts> };

/** Applies one line to `state`, in place. Throws when the line cannot follow from it. */
export function apply(state: State, line: Line): void {
  if (line.actor === 'deputy') {
    if (line.effect) applyEffect(state, line.effect);
    if (line.under !== undefined) allowance(state, line.under).count -= 1;
    return;
  }
  if ('proof' in line && line.proof) passkey(state, line.proof.passkey).counter = line.proof.counter;
  switch (line.act) {
    case 'appointed':
      state.deputies[line.deputy] = {
        status: 'pending',
        mandate: line.mandate,
        clientId: line.client.id,
        clientName: line.client.unverifiedName,
        ...(line.client.verifiedDomain && { clientDomain: line.client.verifiedDomain }),
        scopes: line.mandate.scopes,
      };
      return;
    case 'activated':
      deputy(state, line.deputy).status = 'active';
      return;
    case 'superseded':
      deputy(state, line.deputy).status = 'superseded';
      return;
    case 'revoked':
    case 'resigned':
      deputy(state, line.deputy).status = line.act;
      return;
    case 'amended':
      deputy(state, line.deputy).mandate = line.mandate;
      return;
    case 'ceiling':
      state.ceiling = line.ceiling;
      return;
    case 'paused':
      if (line.deputy === undefined) state.authority = 'paused';
      else deputy(state, line.deputy).paused = line.sequence;
      return;
    case 'restored':
      state.authority = 'paused';
      state.allowances = {};
      return;
    case 'named':
      if (line.name === '') delete deputy(state, line.deputy).name;
      else deputy(state, line.deputy).name = line.name;
      return;
    case 'suspended':
      state.suspended = true;
      return;
    case 'resumed':
      if (line.deputy !== undefined) delete deputy(state, line.deputy).paused;
      else if (state.suspended) state.suspended = false;
      else state.authority = 'active';
      return;
    case 'approved':
      applyEffect(state, line.effect);
      if (line.next)
        state.allowances[line.sequence] = {
          deputy: line.deputy,
          count: line.next.count,
          endsAt: Date.parse(line.next.until),
        };
      return;
    case 'denied':
    case 'lapsed':
    case 'voided':
      applyEffect(state, line.effect);
      return;
    case 'allowanceEnded':
      delete state.allowances[line.line];
      return;
    case 'passkeyAdded':
      state.passkeys[line.passkey] = {
        publicKey: line.publicKey,
        usableAt: Date.parse(line.usable),
        counter: line.counter,
      };
      return;
    case 'passkeyRemoved':
      removePasskey(state, line.passkey, Date.parse(line.at));
      return;
    case 'clock':
      state.allowances = {};
      return;
    case 'guarded':
      state.guarded = line.device ? line.sequence : 0;
      return;
    case 'erased':
    case 'opened':
    case 'pruned':
    case 'counted':
    case 'unbanned':
    case 'profile':
      return;
  }
}

function deputy(state: State, id: string) {
  const found = state.deputies[id];
  if (!found) throw new Error(`the deputy ${id} was never appointed`);
  return found;
}

function passkey(state: State, id: string) {
  const found = state.passkeys[id];
  if (!found) throw new Error(`the passkey ${id} was never added`);
  return found;
}

/** Once none counts any more, the day begins in which nothing is easier for that. */
function removePasskey(state: State, id: string, at: number): void {
  const counts = () => Object.values(state.passkeys).some(({ usableAt }) => usableAt <= at);
  const counted = counts();
  delete state.passkeys[id];
  if (counted && !counts()) state.passkeysUntil = at;
}

function allowance(state: State, line: number) {
  const found = state.allowances[line];
  if (!found) throw new Error(`line ${line} allowed nothing in advance`);
  return found;
}

function applyEffect(state: State, { id, number, state: word, amounts }: NonNullable<CallLine['effect']>): void {
  const before = state.effects.get(id);
  if (!before && !amounts) throw new Error(`the effect ${id} was never made`);
  state.effects.set(id, { id, number, state: word, amounts: amounts ?? before?.amounts ?? {} });
}
