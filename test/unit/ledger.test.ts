/** The ledger of one human, inside its object. */
import { afterEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { pause, resume } from '../../src/ledger/acts.ts';
import { lookAtEffects } from '../../src/ledger/view.ts';
import { deskOf } from '../../src/tools/desk.ts';
import { callerOf, employ, inLedger, mandateOf, place } from '../support/ledger.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('ledger time does not run backwards with a clock that is a little behind', () =>
  inLedger((ledger) => {
    const start = Date.now();
    vi.useFakeTimers({ toFake: ['Date'], now: start + 60_000 });
    const later = place(ledger);
    vi.useFakeTimers({ toFake: ['Date'], now: start });
    expect(ledger.now()).toBe(Date.parse(later.at));
    place(ledger);
    expect(ledger.effects.newest(2).map(({ at }) => at)).toEqual([later.at, later.at]);
  }));

test('a transaction that throws leaves neither rows nor demo mode behind', () =>
  inLedger((ledger) => {
    expect(() =>
      ledger.transaction(() => {
        place(ledger);
        ledger.demo.write('banned');
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(ledger.effects.newest(1)).toEqual([]);
    expect(ledger.demo.read()).toBe('normal');
  }));

test('a page knows whether there is another one, without an empty last page', () =>
  inLedger((ledger) => {
    employ(ledger, 'dep_1');
    for (let count = 0; count < 4; count += 1) place(ledger);
    // Of a tool.
    ledger.transaction(() => {
      const caller = callerOf('dep_1');
      const page = deskOf(ledger, caller, ledger.begin(caller), undefined).desk.effects(z.object({})).page;
      const first = page(2);
      expect(first.effects.map(({ number }) => number)).toEqual([4, 3]);
      expect(first.nextCursor).toBe(first.effects[1]?.id);
      const last = page(2, first.nextCursor);
      expect(last.effects.map(({ number }) => number)).toEqual([2, 1]);
      expect(last).not.toHaveProperty('nextCursor');
      expect(page(4)).not.toHaveProperty('nextCursor');
      expect(() => page(4, 'no order')).toThrow('unknown_cursor');
    });
    // Of the human.
    for (let count = 4; count < 100; count += 1) place(ledger);
    const newest = lookAtEffects(ledger);
    expect(newest).toMatchObject({ older: 51 });
    expect(newest.effects.map(({ number }) => number)).toEqual(Array.from({ length: 50 }, (_, index) => 100 - index));
    const oldest = lookAtEffects(ledger, newest.older);
    expect(oldest.effects.map(({ number }) => number)).toEqual(Array.from({ length: 50 }, (_, index) => 50 - index));
    expect(oldest).not.toHaveProperty('older');
  }));

test('a deputy is found as the human appointed it', () =>
  inLedger((ledger) => {
    const appointment = {
      deputyId: 'dep_1',
      clientId: 'https://assistant.example/client.json',
      clientName: 'Łódź 👋',
      clientDomain: 'assistant.example',
      redirectHost: 'assistant.example',
      mandate: mandateOf(),
      replaces: [],
    };
    const now = Date.parse('2026-11-23T12:00:00Z');
    ledger.deputies.appoint(appointment, now);
    expect(ledger.deputies.find('dep_1', now)).toEqual({
      ...appointment,
      status: 'pending',
      scopes: appointment.mandate.scopes,
      appointedAt: '2026-11-23T12:00:00.000Z',
      changedAt: '2026-11-23T12:00:00.000Z',
    });
    expect(ledger.deputies.find('dep_2', now)).toBeUndefined();
  }));

test('how long a stop took is told of that stop alone', () =>
  inLedger((ledger) => {
    employ(ledger, 'dep_1');
    const sequenceOf = (done: ReturnType<typeof resume>) => ('sequence' in done ? done.sequence : 0);
    const took = () => ledger.account.read().authorityTook;
    const first = sequenceOf(pause(ledger));
    ledger.account.setTook(first, 7);
    expect(took()).toBe(7);
    const second = sequenceOf(pause(ledger));
    expect(took()).toBeUndefined();
    // What the first one took comes late.
    ledger.account.setTook(first, 900);
    expect(took()).toBeUndefined();
    ledger.account.setTook(second, 8);
    expect(took()).toBe(8);
    resume(ledger, second);
    expect(took()).toBeUndefined();
  }));
