/** What waits for its human, when the storage fails in between: what was undone is not remembered. */
import { afterEach, expect, test, vi } from 'vitest';
import { revoke } from '../../src/ledger/acts.ts';
import { RecordLines } from '../../src/ledger/record.ts';
import { ASKED_MS } from '../../src/lifetimes.ts';
import { verify } from '../../src/ledger/verify.ts';
import { callerOf, employ, inLedger, mandateOf, serve } from '../support/ledger.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const PURCHASE = { company: 'Engines', mailingAddress: 'London', tshirtSize: 'L', quantity: 2 };

test('a question that could not be ended in time ends with the next call, and never says yes', () =>
  inLedger(async (ledger) => {
    employ(ledger, 'dep_1', mandateOf({ askAbove: 1 }));
    const asked = await serve(ledger, callerOf('dep_1'), 'buyMcpShopItem', PURCHASE);
    expect(asked.code).toBe('approval_required');
    const [effect] = ledger.effects.newest(1);

    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ASKED_MS });
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const real = Reflect.get(RecordLines.prototype, 'append');
    let lines = 0;
    const failing = vi.spyOn(RecordLines.prototype, 'append').mockImplementation(function append(
      this: RecordLines,
      ...line
    ) {
      lines += 1;
      // The line of the call, after the one that ends the question.
      if (lines > 1) throw new Error('the disk is full');
      return Reflect.apply(real, this, line);
    });
    expect((await serve(ledger, callerOf('dep_1'), 'listMcpShopInventory')).code).toBe('internal_error');
    failing.mockRestore();
    expect(ledger.effects.find(effect?.id ?? '')?.state).toBe('waiting');
    expect(ledger.approvals.waiting()).toHaveLength(1);

    expect(revoke(ledger, 'dep_1')).not.toHaveProperty('problem');
    expect(ledger.effects.find(effect?.id ?? '')?.state).toBe('lapsed');
    expect(ledger.approvals.waiting()).toEqual([]);
    expect(verify(ledger)).toMatchObject({ ok: true });
  }));
