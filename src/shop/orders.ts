/** The orders of one user: rows in the object's SQLite, which are the truth, and a copy of each in KV. */
import { z } from 'zod';
import { COLORS, CURRENCY, MAX_QUANTITY, SHIRT, SIZES } from './catalog.ts';

export const orderSchema = z.object({
  id: z.uuid(),
  userId: z.string(),
  email: z.string(),
  company: z.string(),
  mailingAddress: z.string(),
  tshirtSize: z.enum(SIZES),
  color: z.enum(COLORS),
  quantity: z.int().min(1).max(MAX_QUANTITY),
  unitPrice: z.int().describe('Whole cents.'),
  total: z.int().describe('Whole cents: quantity times unitPrice.'),
  currency: z.literal(CURRENCY),
  orderDate: z.iso.datetime(),
  status: z.enum(['confirmed', 'cancelled']),
});
export type Order = z.infer<typeof orderSchema>;
export type OrderRequest = Pick<Order, 'company' | 'mailingAddress' | 'tshirtSize' | 'color' | 'quantity'>;
/** On whose behalf, and by which deputy, an order is placed. */
export type Buyer = { email: string; deputyId: string; clientId: string };
/** When, in the ledger's milliseconds, and as which line of the audit. */
export type Moment = { sequence: number; now: number };

/** How long KV keeps an order, in seconds: 30 days. */
const KV_TTL = 30 * 24 * 60 * 60;

type Row = {
  sequence: number;
  id: string;
  placed_at: number;
  deputy_id: string;
  client_id: string;
  email: string;
  company: string;
  mailing_address: string;
  tshirt_size: Order['tshirtSize'];
  color: Order['color'];
  quantity: number;
  unit_price: number;
  total: number;
  status: Order['status'];
  /** Counts the changes of the row. */
  version: number;
};

/** A cursor that this user's order list never gave out. */
export class UnknownCursorError extends Error {}

export class OrderBook {
  readonly #sql: SqlStorage;
  readonly #userId: string;

  constructor(sql: SqlStorage, userId: string) {
    this.#sql = sql;
    this.#userId = userId;
  }

  /** Writes the row; its copy in KV is pending then. */
  place(buyer: Buyer, request: OrderRequest, { sequence, now }: Moment): Order {
    const row = this.#sql
      .exec<Row>(
        `INSERT INTO orders (sequence, id, placed_at, deputy_id, client_id, email, company, mailing_address,
           tshirt_size, color, quantity, unit_price, total, status)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'confirmed') RETURNING *`,
        sequence,
        crypto.randomUUID(),
        now,
        buyer.deputyId,
        buyer.clientId,
        buyer.email,
        request.company,
        request.mailingAddress,
        request.tshirtSize,
        request.color,
        request.quantity,
        SHIRT.price,
        SHIRT.price * request.quantity,
      )
      .one();
    this.#sql.exec('INSERT INTO outbox VALUES (?, 1)', row.id);
    return this.#toOrder(row);
  }

  /** The order, or undefined when this user has none of that id. */
  find(id: string): Order | undefined {
    const [row] = this.#sql.exec<Row>('SELECT * FROM orders WHERE id = ?', id);
    return row && this.#toOrder(row);
  }

  /** Cancels an order of this user; one that is cancelled stays so. Undefined when there is none of that id. */
  cancel(id: string): Order | undefined {
    const order = this.find(id);
    if (!order || order.status === 'cancelled') return order;
    this.#sql.exec("UPDATE orders SET status = 'cancelled', version = version + 1 WHERE id = ?", id);
    this.#sql.exec('INSERT OR REPLACE INTO outbox SELECT id, version FROM orders WHERE id = ?', id);
    return this.find(id);
  }

  /** Deletes every order; their copies in KV are pending to be deleted. */
  erase(): void {
    this.#sql.exec('INSERT OR REPLACE INTO outbox SELECT id, version + 1 FROM orders');
    this.#sql.exec('DELETE FROM orders');
  }

  /**
   * One page, newest first. `cursor` is the `nextCursor` of the page before.
   * Throws UnknownCursorError for a cursor that is not from this list.
   */
  list({ limit, cursor }: { limit: number; cursor?: string | undefined }): { orders: Order[]; nextCursor?: string } {
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : this.#sequenceOf(cursor);
    // One row more than asked for tells whether there is a next page.
    const rows = this.#sql
      .exec<Row>('SELECT * FROM orders WHERE sequence < ? ORDER BY sequence DESC LIMIT ?', before, limit + 1)
      .toArray();
    const orders = rows.slice(0, limit).map((row) => this.#toOrder(row));
    const last = orders.at(-1);
    return rows.length > limit && last ? { orders, nextCursor: last.id } : { orders };
  }

  /** The newest orders before a number, each with its own: the line of the audit that placed it. */
  newest(limit: number, before = Number.MAX_SAFE_INTEGER): (Order & { number: number })[] {
    return this.#sql
      .exec<Row>('SELECT * FROM orders WHERE sequence < ? ORDER BY sequence DESC LIMIT ?', before, limit)
      .toArray()
      .map((row) => ({ ...this.#toOrder(row), number: row.sequence }));
  }

  /** What the audit says of each order. */
  facts(): Iterable<{ id: string; quantity: number; total: number; status: string }> {
    return this.#sql.exec<{ id: string; quantity: number; total: number; status: string }>(
      'SELECT id, quantity, total, status FROM orders',
    );
  }

  /** The orders whose copy in KV is missing, older than the row, or to be deleted. */
  pending(): string[] {
    return this.#sql
      .exec<{ id: string }>('SELECT order_id AS id FROM outbox')
      .toArray()
      .map(({ id }) => id);
  }

  /**
   * The KV entry of an order as it is now, or undefined when KV has it already. `ttl` is in seconds; without a value
   * the entry is to be deleted, because the order was.
   */
  copyOf(id: string): { key: string; value?: string; ttl: number; version: number } | undefined {
    const [waiting] = this.#sql.exec<{ version: number }>('SELECT version FROM outbox WHERE order_id = ?', id);
    if (!waiting) return undefined;
    const entry = { key: `order:${this.#userId}:${id}`, ttl: KV_TTL, version: waiting.version };
    const [row] = this.#sql.exec<Row>('SELECT * FROM orders WHERE id = ?', id);
    if (!row) return entry;
    const value = { ...this.#toOrder(row), deputyId: row.deputy_id, clientId: row.client_id };
    return { ...entry, value: JSON.stringify(value) };
  }

  /** Notes which version KV has just got; false when the order is another one by now, and still pending. */
  copied(id: string, version: number): boolean {
    this.#sql.exec('DELETE FROM outbox WHERE order_id = ? AND version = ?', id, version);
    return this.#sql.exec('SELECT 1 FROM outbox WHERE order_id = ?', id).toArray().length === 0;
  }

  /** Makes the copy in KV pending again, because an older write may have replaced it. */
  copyAgain(id: string): void {
    this.#sql.exec(
      `INSERT OR REPLACE INTO outbox VALUES (?, coalesce((SELECT version FROM orders WHERE id = ?), 0))`,
      id,
      id,
    );
  }

  #sequenceOf(cursor: string): number {
    const [row] = this.#sql.exec<{ sequence: number }>('SELECT sequence FROM orders WHERE id = ?', cursor);
    if (!row) throw new UnknownCursorError();
    return row.sequence;
  }

  #toOrder(row: Row): Order {
    return {
      id: row.id,
      userId: this.#userId,
      email: row.email,
      company: row.company,
      mailingAddress: row.mailing_address,
      tshirtSize: row.tshirt_size,
      color: row.color,
      quantity: row.quantity,
      unitPrice: row.unit_price,
      total: row.total,
      currency: CURRENCY,
      orderDate: new Date(row.placed_at).toISOString(),
      status: row.status,
    };
  }
}
