/** The record of one human in their Durable Object: orders, deputies, demo ban. One transaction decides and acts. */
import { OrderBook } from '../shop/orders.ts';
import { Deputies } from './deputies.ts';

export class Ledger {
  readonly orders: OrderBook;
  readonly deputies: Deputies;
  readonly kv: SyncKvStorage;
  readonly #storage: DurableObjectStorage;

  /** Creates its tables, so it must be made before the object answers. */
  constructor(storage: DurableObjectStorage, userId: string) {
    this.#storage = storage;
    this.kv = storage.kv;
    this.orders = new OrderBook(storage.sql, userId);
    this.deputies = new Deputies(storage.sql);
  }

  /** Runs `work` as one synchronous transaction: what it wrote, in tables and in `kv`, is undone when it throws. */
  transaction<Result>(work: () => Result): Result {
    return this.#storage.transactionSync(work);
  }

  /** Milliseconds since the epoch; never runs backwards, even when the machine's clock does. */
  now(): number {
    return Math.max(Date.now(), this.orders.lastPlacedAt());
  }
}
