/** What a tool can reach from its desk. The compiler refuses the rest: each expected error below is one it must report. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { type KernelDesk, type Desk, defineTool } from '../../src/tools/define-tool.ts';
import { deskOf } from '../../src/tools/desk.ts';
import { strict } from '../../src/tools/fields.ts';
import { callerOf, employ, inLedger } from '../support/ledger.ts';

const KEYS = ['caller', 'now', 'mandate', 'terms', 'deputy', 'left', 'waiting', 'effects'] as const;

/** True only when both types are the same. */
type Same<One, Other> = [One, Other] extends [Other, One] ? true : false;
const asTyped: [
  Same<keyof Desk, (typeof KEYS)[number]>,
  Same<keyof KernelDesk, (typeof KEYS)[number] | 'ban' | 'profile'>,
] = [true, true];

/** Never called. Each statement is an attempt of a tool; one that compiled would be the fault. */
export const grabbing = defineTool({
  name: 'grab',
  title: 'Grab',
  description: 'Tries to be more than it is.',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  scope: 'shop:buy',
  input: strict({}),
  output: z.object({}),
  run(_, desk) {
    // The ledger, its tables and its transactions.
    // @ts-expect-error -- no ledger lies on a desk
    void desk.ledger;
    // @ts-expect-error -- no SQL
    void desk.sql;
    // @ts-expect-error -- no storage
    void desk.storage;
    // @ts-expect-error -- no record to write to
    void desk.record;
    // @ts-expect-error -- no turn to end in one's own favour
    void desk.turn;
    // @ts-expect-error -- no environment, and so no other object
    void desk.env;

    // What the human said.
    // @ts-expect-error -- no authority
    void desk.authority;
    // @ts-expect-error -- no account and no ceiling
    void desk.account;
    // @ts-expect-error -- no acts of the human
    void desk.acts;
    // @ts-expect-error -- another mandate
    desk.mandate = { ...desk.mandate, expiresAt: Infinity };
    // @ts-expect-error -- a longer one
    desk.mandate.expiresAt = Infinity;
    // @ts-expect-error -- a wider one
    desk.mandate.scopes.push('orders:read');
    // @ts-expect-error -- other powers
    desk.mandate.scopes = ['orders:read'];
    // @ts-expect-error -- higher limits
    desk.mandate.limits['shirtsPerDay'] = 1000;
    // @ts-expect-error -- none at all
    desk.mandate.limits = {};
    // @ts-expect-error -- a version that the human never saw
    desk.mandate.version += 1;

    // The rules themselves, which all calls share.
    // @ts-expect-error -- other terms
    desk.terms = { ...desk.terms, limits: {} };
    // @ts-expect-error -- no limits
    desk.terms.limits = {};
    // @ts-expect-error -- one limit less
    delete desk.terms.limits['shirtsPerDay'];
    const limit = desk.terms.limits['shirtsPerDay'];
    // @ts-expect-error -- a higher start
    if (limit) limit.start = 1000;
    // @ts-expect-error -- a higher bound
    if (limit) limit.max = 1000;
    // @ts-expect-error -- a higher ceiling
    if (limit && !limit.names) limit.ceiling = 1000;
    // @ts-expect-error -- another power
    desk.terms.powers['shop:browse'] = { reads: '', title: '', detail: '', metered: true };
    const power = desk.terms.powers['shop:browse'];
    // @ts-expect-error -- a power that spends
    if (power) power.metered = true;
    // @ts-expect-error -- another unit
    desk.terms.units['shirts'] = desk.terms.units['spend'];
    const unit = desk.terms.units['shirts'];
    // @ts-expect-error -- a unit that reads as less than it is
    if (unit) unit.after = ' socks';
    // @ts-expect-error -- another sentence
    desk.terms.sentence = 'It may.';
    // @ts-expect-error -- other words for what it does
    desk.terms.act.did = 'looked at';

    // Who calls, and when.
    // @ts-expect-error -- another human
    desk.caller.userId = 'user_2';
    // @ts-expect-error -- another deputy
    desk.caller.deputyId = 'dep_2';
    // @ts-expect-error -- more scopes
    desk.caller.scopes.push('orders:read');
    // @ts-expect-error -- more permissions
    desk.caller.permissions.push('shop:admin');
    // @ts-expect-error -- another time
    desk.now = 0;

    // Other deputies.
    // @ts-expect-error -- no list of them
    void desk.deputies;
    // @ts-expect-error -- this one's id is the caller's, and no key to a table
    void desk.deputy.find;
    // @ts-expect-error -- another name
    desk.deputy.clientName = 'Somebody else';
    // @ts-expect-error -- another standing
    desk.deputy.status = 'active';

    // What is counted.
    // @ts-expect-error -- no meter
    void desk.meter;
    // @ts-expect-error -- no windows
    void desk.usage;
    // @ts-expect-error -- more of it left
    desk.left['shirts'] = 1000;
    const book = desk.effects(z.object({}));
    // @ts-expect-error -- what an effect used is what the meter said
    book.make('made', {}, { shirts: 0 });
    const effect = book.find('id', 'id');
    // @ts-expect-error -- and cannot be rewritten
    effect.amounts['shirts'] = 0;
    // @ts-expect-error -- nor forgotten
    void book.erase;
    // @ts-expect-error -- no effect is taken away
    void book.remove;

    // The demo ban is for the demo tools.
    // @ts-expect-error -- so it is not on this desk
    void desk.ban;
    // @ts-expect-error -- the profile is for the tool that needs its power
    void desk.profile;
    return { text: '', data: {} };
  },
});

test('a desk has what a tool needs, and nothing besides', () =>
  inLedger((ledger) => {
    employ(ledger, 'dep_1');
    const caller = callerOf('dep_1');
    const { desk } = ledger.transaction(() => deskOf(ledger, caller, ledger.begin(caller), undefined));
    // Every desk has these while it runs; the types hand them to the kernel's own tools alone.
    expect(Object.keys(desk).toSorted()).toEqual([...KEYS, 'ban', 'profile'].toSorted());
    expect(Object.keys(desk.effects(z.object({}))).toSorted()).toEqual(['change', 'find', 'make', 'page']);
    expect(Object.keys(desk.deputy).toSorted()).toEqual(['appointedAt', 'clientDomain', 'clientName']);
    expect(Object.keys(desk.left).toSorted()).toEqual(['shirts', 'spend']);
    expect(asTyped).toEqual([true, true]);
  }));
