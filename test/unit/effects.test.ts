/** What metered calls leave: numbered rows, and what of them waits to be copied or deleted outside. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { erase } from '../../src/ledger/acts.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { verify } from '../../src/ledger/verify.ts';
import { shop } from '../../src/shop/index.ts';
import { callerOf, employ, inLedger, inStorage, serve } from '../support/ledger.ts';

const PURCHASE = { company: 'Engines', mailingAddress: 'London', tshirtSize: 'L' };

/** Buys one shirt; returns the order's id. */
async function buy(ledger: Ledger, deputyId = 'dep_1'): Promise<string> {
  const { data } = await serve(ledger, callerOf(deputyId), 'buyMcpShopItem', PURCHASE);
  return (data['order'] as { id: string }).id;
}

function cancel(ledger: Ledger, orderId: string) {
  return serve(ledger, callerOf('dep_1'), 'cancelMcpShopOrder', { orderId });
}

/** What waits, by id. */
function waiting(ledger: Ledger): Record<string, number | undefined> {
  return Object.fromEntries(ledger.pending.oldest(100).map((id) => [id, ledger.pending.versionOf(id)]));
}

test('effects are numbered 1, 2, 3, whatever happens in between and whoever makes them', () =>
  inLedger(async (ledger, { sql }) => {
    employ(ledger, 'dep_1');
    employ(ledger, 'dep_2');
    const first = await buy(ledger);
    await serve(ledger, callerOf('dep_1'), 'buyMcpShopItem', { ...PURCHASE, quantity: 99 });
    const second = await buy(ledger, 'dep_2');
    await cancel(ledger, second);
    expect(() =>
      ledger.transaction(() => {
        const turn = ledger.begin(callerOf('dep_1'));
        const left = ledger.effects.make(callerOf('dep_1'), { state: 'lost', amounts: {}, data: '{}' }, turn);
        expect(left.number).toBe(3);
        throw new Error('undone');
      }),
    ).toThrow('undone');
    const third = await buy(ledger);
    expect(ledger.effects.newest(9)).toMatchObject([
      { number: 3, id: third, deputyId: 'dep_1', clientId: 'client of dep_1', state: 'confirmed' },
      { number: 2, id: second, deputyId: 'dep_2', clientId: 'client of dep_2', state: 'cancelled' },
      { number: 1, id: first, amounts: { shirts: 1, spend: 2500 } },
    ]);
    expect(new Set([first, second, third]).size).toBe(3);
    // A number cannot stand twice, and an id is found where its number says.
    const copy = 'INSERT INTO effects SELECT ?, ?, line, changed, at, deputy_id, client_id, state, amounts, data';
    expect(() => sql.exec(`${copy} FROM effects WHERE number = 1`, 3, 'another')).toThrow('UNIQUE');
    for (const [index, id] of [first, second, third].entries()) {
      expect(z.uuid().parse(id)).toMatch(/^.{14}8/);
      expect(id.endsWith(`-00000000000${index + 1}`)).toBe(true);
      expect(ledger.effects.find(id)?.number).toBe(index + 1);
      expect(ledger.effects.find(id.replace(/.$/, '9'))).toBeUndefined();
      expect(ledger.effects.find(`00000000${id.slice(8)}`)).toBeUndefined();
    }
    expect(verify(ledger)).toMatchObject({ ok: true });
  }));

test('each change waits as the version of its line, until that version was delivered', () =>
  inLedger(async (ledger) => {
    employ(ledger, 'dep_1');
    const id = await buy(ledger);
    const made = ledger.record.head().sequence;
    expect(waiting(ledger)).toEqual({ [id]: made });
    expect(ledger.effects.find(id)?.line).toBe(made);
    // A change before the first copy was made leaves one copy to make.
    await cancel(ledger, id);
    const changed = ledger.record.head().sequence;
    expect(changed).toBe(made + 1);
    expect(waiting(ledger)).toEqual({ [id]: changed });
    expect(ledger.effects.find(id)).toMatchObject({ line: made, state: 'cancelled' });
    // The older version has come through: the newer one still waits.
    expect(ledger.pending.delivered(id, made)).toBe(false);
    expect(waiting(ledger)).toEqual({ [id]: changed });
    expect(ledger.pending.delivered(id, changed)).toBe(true);
    expect(waiting(ledger)).toEqual({});
    // An order that is cancelled already is not changed, so nothing waits.
    expect(await cancel(ledger, id)).toMatchObject({ allowed: true });
    expect(waiting(ledger)).toEqual({});
    // One that may have been overtaken waits once more, as it is now.
    ledger.pending.again(id);
    expect(waiting(ledger)).toEqual({ [id]: changed });
  }));

test('what is erased waits to be deleted, whether its copy was made or not', () =>
  inLedger(async (ledger) => {
    employ(ledger, 'dep_1');
    const [copied, waits] = [await buy(ledger), await buy(ledger)];
    ledger.pending.delivered(copied, ledger.effects.find(copied)?.line ?? 0);
    erase(ledger);
    expect(waiting(ledger)).toEqual({ [copied]: 0, [waits]: 0 });
    expect(ledger.effects.newest(9)).toEqual([]);
    // A delivery of before that ends now does not pass for the deletion.
    expect(ledger.pending.delivered(waits, 5)).toBe(false);
    ledger.pending.again(copied);
    expect(waiting(ledger)).toEqual({ [copied]: 0, [waits]: 0 });
    expect(ledger.pending.delivered(copied, 0)).toBe(true);
    // Those of the new record are numbered from 1 again, and nothing of them is taken for the old ones.
    employ(ledger, 'dep_1');
    const next = await buy(ledger);
    expect(ledger.effects.newest(9)).toMatchObject([{ number: 1, id: next }]);
    expect(waiting(ledger)).toEqual({ [waits]: 0, [next]: ledger.record.head().sequence });
    expect(verify(ledger)).toMatchObject({ ok: true });
  }));

test('where a domain copies nothing, nothing waits', () =>
  inStorage(async (storage) => {
    const ledger = new Ledger(storage, shop, { delivers: false });
    employ(ledger, 'dep_1');
    await cancel(ledger, await buy(ledger));
    await buy(ledger);
    erase(ledger);
    expect(waiting(ledger)).toEqual({});
  }));
