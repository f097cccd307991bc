/** The record of one human, inside its object. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import { Ledger } from '../../src/authority/ledger.ts';
import { objectName } from '../../src/deputy.ts';
import { readDemoMode, writeDemoMode } from '../../src/shop/demo-mode.ts';

afterEach(() => {
  vi.useRealTimers();
});

const BUYER = { userId: 'user_1', email: 'ada@example.com', deputyId: 'dep_1', clientId: 'client_1' };
const REQUEST = { company: 'Engines', mailingAddress: 'London', tshirtSize: 'L', color: 'blue', quantity: 1 } as const;

function inObject<Result>(
  work: (ledger: Ledger, storage: DurableObjectStorage) => Result | Promise<Result>,
): Promise<Result> {
  const object = env.MCP_OBJECT.getByName(objectName(`ledger_${crypto.randomUUID()}`));
  return runInDurableObject(object, (_, { storage }) => work(new Ledger(storage, 'user_1'), storage));
}

test('ledger time never runs backwards, even when the clock does', () =>
  inObject((ledger) => {
    const start = Date.now();
    vi.useFakeTimers({ toFake: ['Date'], now: start + 60_000 });
    const later = ledger.orders.place(BUYER, REQUEST, ledger.now());
    vi.useFakeTimers({ toFake: ['Date'], now: start });
    expect(ledger.now()).toBe(Date.parse(later.orderDate));
    ledger.orders.place(BUYER, REQUEST, ledger.now());
    expect(ledger.orders.list({ limit: 2 }).orders.map(({ orderDate }) => orderDate)).toEqual([
      later.orderDate,
      later.orderDate,
    ]);
  }));

test('a transaction that throws leaves neither rows nor demo mode behind', () =>
  inObject((ledger) => {
    expect(() =>
      ledger.transaction(() => {
        ledger.orders.place(BUYER, REQUEST, ledger.now());
        writeDemoMode(ledger.kv, 'banned');
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(ledger.orders.list({ limit: 1 }).orders).toEqual([]);
    expect(readDemoMode(ledger.kv)).toBe('normal');
  }));

test('a page knows whether there is another one, without an empty last page', () =>
  inObject((ledger) => {
    for (let count = 0; count < 4; count += 1) ledger.orders.place(BUYER, REQUEST, ledger.now());
    const first = ledger.orders.list({ limit: 2 });
    expect(first.nextCursor).toBe(first.orders[1]?.id);
    expect(ledger.orders.list({ limit: 2, cursor: first.nextCursor }).nextCursor).toBeUndefined();
    expect(ledger.orders.list({ limit: 4 }).nextCursor).toBeUndefined();
  }));

test('a deputy is found as the human appointed it', () =>
  inObject((ledger) => {
    const appointment = {
      deputyId: 'dep_1',
      clientId: 'https://assistant.example/client.json',
      clientName: 'Łódź 👋',
      clientDomain: 'assistant.example',
      redirectHost: 'assistant.example',
      scopes: ['shop:browse', 'shop:buy'],
    };
    ledger.deputies.appoint(appointment, Date.parse('2026-11-23T12:00:00Z'));
    expect(ledger.deputies.find('dep_1')).toEqual({ ...appointment, appointedAt: '2026-11-23T12:00:00.000Z' });
    expect(ledger.deputies.find('dep_2')).toBeUndefined();
  }));
