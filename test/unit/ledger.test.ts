/** The record of one human, inside its object. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import { Ledger } from '../../src/authority/ledger.ts';
import { DEFAULT_LIMITS, type Mandate } from '../../src/authority/mandate.ts';
import type { Caller } from '../../src/deputy.ts';
import { objectName } from '../../src/deputy.ts';
import { readDemoMode, writeDemoMode } from '../../src/shop/demo-mode.ts';

afterEach(() => {
  vi.useRealTimers();
});

const BUYER = { email: 'ada@example.com', deputyId: 'dep_1', clientId: 'client_1' };
const REQUEST = { company: 'Engines', mailingAddress: 'London', tshirtSize: 'L', color: 'blue', quantity: 1 } as const;

const MANDATE: Mandate = {
  format: 1,
  version: 1,
  scopes: ['shop:browse', 'shop:buy'],
  limits: DEFAULT_LIMITS,
  expiresAt: Date.parse('2100-01-01T00:00:00Z'),
};
const CALLER: Caller = {
  ...BUYER,
  userId: 'user_1',
  name: 'Ada',
  permissions: [],
  scopes: MANDATE.scopes,
  resource: 'http://localhost:8787/mcp',
};

/** Places an order as a call does: with a line of the audit of its own. */
function place(ledger: Ledger) {
  return ledger.transaction(() => {
    const turn = ledger.begin(CALLER);
    const order = ledger.orders.place(BUYER, REQUEST, turn);
    turn.allowed({ tool: 'buyMcpShopItem', order });
    return order;
  });
}

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
    const later = place(ledger);
    vi.useFakeTimers({ toFake: ['Date'], now: start });
    expect(ledger.now()).toBe(Date.parse(later.orderDate));
    place(ledger);
    expect(ledger.orders.list({ limit: 2 }).orders.map(({ orderDate }) => orderDate)).toEqual([
      later.orderDate,
      later.orderDate,
    ]);
  }));

test('a transaction that throws leaves neither rows nor demo mode behind', () =>
  inObject((ledger) => {
    expect(() =>
      ledger.transaction(() => {
        place(ledger);
        writeDemoMode(ledger.kv, 'banned');
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(ledger.orders.list({ limit: 1 }).orders).toEqual([]);
    expect(readDemoMode(ledger.kv)).toBe('normal');
  }));

test('a page knows whether there is another one, without an empty last page', () =>
  inObject((ledger) => {
    for (let count = 0; count < 4; count += 1) place(ledger);
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
      mandate: MANDATE,
      replaces: [],
    };
    const now = Date.parse('2026-11-23T12:00:00Z');
    ledger.deputies.appoint(appointment, now);
    expect(ledger.deputies.find('dep_1', now)).toEqual({
      ...appointment,
      status: 'pending',
      scopes: MANDATE.scopes,
      appointedAt: '2026-11-23T12:00:00.000Z',
      changedAt: '2026-11-23T12:00:00.000Z',
    });
    expect(ledger.deputies.find('dep_2', now)).toBeUndefined();
  }));
