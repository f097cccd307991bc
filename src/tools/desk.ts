/** The desk of one call: what its tool may see, and its own effects, made and changed through the ledger. */
import type { z } from 'zod';
import { affordable, leftOf } from '../authority/limits.ts';
import { Refusal } from '../authority/refusal.ts';
import { type Amounts, maySpend } from '../authority/terms.ts';
import type { Caller } from '../deputy.ts';
import { type Approval, isEnded, WAITING } from '../ledger/approvals.ts';
import type { Effect } from '../ledger/effects.ts';
import type { Ledger, Turn } from '../ledger/ledger.ts';
import { shownAs } from '../edge/client-document.ts';
import type { KernelDesk, EffectBook } from './define-tool.ts';

/** Who made an effect and was erased since. */
const GONE = { clientId: '', clientName: '' };

/** What a call did to its effect: `made` with the amounts it used up, or only changed. */
export type Touched = {
  effect: Effect;
  made: boolean;
  /** The domain's word for it, while it waits for the human's yes. */
  granted?: string;
  /** What the deputy had asked for and takes back. */
  withdrawn?: Approval;
};

function mustBeTheDomains(state: string): void {
  if (state === WAITING || isEnded(state)) throw new Error(`"${state}" is the kernel's word for an effect`);
}

export type CallDesk = {
  desk: KernelDesk;
  /** Ends the call: nothing is made or changed at this desk any more. Tells which effect the tool made or changed, if any. */
  close: () => Touched | undefined;
};

/**
 * `amounts` is what a metered call uses up; undefined for any other, which can make nothing. What is made by a call that
 * `asks` waits for the human.
 */
export function deskOf(
  ledger: Ledger,
  caller: Caller,
  turn: Turn,
  amounts: Amounts | undefined,
  { asks = false } = {},
): CallDesk {
  let touched: Touched | undefined;
  let over = false;
  // Asked before anything is written: a tool may catch what is thrown here.
  const mayTouch = () => {
    if (over) throw new Error('the call is over');
    if (touched) throw new Error('a call makes or changes one effect at most');
  };
  const { effects, terms } = ledger;
  const mandate = turn.standing?.mandate;
  if (!mandate) throw new Error('a deputy without a mandate was let through');

  const names = new Map<string, string>();
  function nameOf(deputyId: string): string {
    const known = names.get(deputyId) ?? shownAs(ledger.deputies.find(deputyId, turn.now) ?? GONE).name;
    names.set(deputyId, known);
    return known;
  }

  const fields = new Map<string, string>();
  /** What waits for the human is taken back by who asked, and changed by nobody else. */
  function withdraw({ id, deputyId }: Effect): Effect {
    const withdrawn = ledger.approvals.find(id);
    if (deputyId !== caller.deputyId || !withdrawn)
      throw new Refusal({ code: 'not_your_request', field: fields.get(id) ?? 'id' });
    const effect = effects.change(id, 'void', turn.line);
    if (!effect) throw new Error(`there is no effect ${id}`);
    touched = { effect, made: false, withdrawn };
    return effect;
  }

  function book<Data>(schema: z.ZodType<Data>): EffectBook<Data> {
    const typed = (effect: Effect): Effect<Data> => ({ ...effect, data: schema.parse(JSON.parse(effect.data)) });
    return {
      make(state, data) {
        if (!amounts) throw new Error('only a metered call makes an effect');
        mayTouch();
        mustBeTheDomains(state);
        const parsed = schema.parse(data);
        const kept = { state: asks ? WAITING : state, amounts, data: JSON.stringify(parsed) };
        const effect = effects.make(caller, kept, { line: turn.line, now: turn.now });
        touched = { effect, made: true, ...(asks && { granted: state }) };
        // A copy: what the record says is what was counted, whatever a tool does with its own.
        return { ...effect, state, amounts: { ...amounts }, data: parsed };
      },
      find(id, field) {
        const effect = effects.find(id);
        if (!effect) throw new Refusal({ code: 'unknown_effect', field });
        fields.set(id, field);
        return typed(effect);
      },
      change({ id }, state) {
        mustBeTheDomains(state);
        const before = effects.find(id);
        // Nothing came of it, so there is nothing to change.
        if (before && isEnded(before.state)) return typed(before);
        mayTouch();
        if (before?.state === WAITING) return typed(withdraw(before));
        const effect = effects.change(id, state, turn.line);
        if (!effect) throw new Error(`there is no effect ${id}`);
        touched = { effect, made: false };
        return typed(effect);
      },
      page(limit, cursor) {
        const before = cursor === undefined ? undefined : effects.find(cursor);
        if (cursor !== undefined && !before) throw new Refusal({ code: 'unknown_cursor', field: 'cursor' });
        // One more than asked for tells whether there is a next page.
        const found = effects.newest(limit + 1, before?.number);
        const shown = found
          .slice(0, limit)
          .map((effect) => ({ ...typed(effect), clientName: nameOf(effect.deputyId) }));
        const last = shown.at(-1);
        return found.length > limit && last ? { effects: shown, nextCursor: last.id } : { effects: shown };
      },
    };
  }

  return {
    close() {
      over = true;
      return touched;
    },
    desk: {
      caller: { ...caller, permissions: turn.permissions },
      now: turn.now,
      mandate,
      terms,
      effects: book,
      ban: ledger.demo,
      get profile() {
        return ledger.profile.read().fields;
      },
      get deputy() {
        const deputy = ledger.deputies.find(caller.deputyId, turn.now);
        if (!deputy) throw new Error(`no row for deputy ${caller.deputyId}`);
        const { clientDomain, appointedAt } = deputy;
        return {
          clientName: shownAs(deputy).name,
          ...(clientDomain !== undefined && { clientDomain }),
          appointedAt,
        };
      },
      get waiting() {
        return ledger.approvals.waiting(caller.deputyId).flatMap(({ effectId, endsAt }) => {
          const effect = effects.find(effectId);
          return effect ? [{ id: effectId, number: effect.number, amounts: { ...effect.amounts }, endsAt }] : [];
        });
      },
      get left() {
        const remaining = leftOf(terms, mandate.limits, turn.account.ceiling, turn.usage);
        const may = maySpend(terms, mandate.scopes) && maySpend(terms, caller.scopes);
        if (!may) return Object.fromEntries(Object.keys(remaining).map((unit) => [unit, 0]));
        return affordable(terms, remaining);
      },
    },
  };
}
