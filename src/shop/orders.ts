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
  status: z.enum(['confirmed']),
});
export type Order = z.infer<typeof orderSchema>;
export type OrderRequest = Pick<Order, 'company' | 'mailingAddress' | 'tshirtSize' | 'color' | 'quantity'>;
/** On whose behalf, and by which deputy, an order is placed. */
export type Buyer = { userId: string; email: string; deputyId: string; clientId: string };

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

  /** Creates its table, so it must be made before the object answers. */
  constructor(sql: SqlStorage, userId: string) {
    this.#sql = sql;
    this.#userId = userId;
    sql.exec(`CREATE TABLE IF NOT EXISTS shop_orders (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      placed_at INTEGER NOT NULL,
      deputy_id TEXT NOT NULL,
      client_id TEXT NOT NULL,
      email TEXT NOT NULL,
      company TEXT NOT NULL,
      mailing_address TEXT NOT NULL,
      tshirt_size TEXT NOT NULL,
      color TEXT NOT NULL,
      quantity INTEGER NOT NULL,
      unit_price INTEGER NOT NULL,
      total INTEGER NOT NULL,
      status TEXT NOT NULL,
      version INTEGER NOT NULL DEFAULT 1,
      kv_version INTEGER NOT NULL DEFAULT 0
    )`);
    sql.exec('CREATE INDEX IF NOT EXISTS shop_orders_pending ON shop_orders (id) WHERE kv_version <> version');
  }

  /** Writes the row, whose copy in KV is pending then. `now` is the ledger's time in milliseconds. */
  place(buyer: Buyer, request: OrderRequest, now: number): Order {
    const row = this.#sql
      .exec<Row>(
        `INSERT INTO shop_orders (id, placed_at, deputy_id, client_id, email, company, mailing_address,
           tshirt_size, color, quantity, unit_price, total, status)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'confirmed') RETURNING *`,
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
    return this.#toOrder(row);
  }

  /**
   * One page, newest first. `cursor` is the `nextCursor` of the page before.
   * Throws UnknownCursorError for a cursor that is not from this list.
   */
  list({ limit, cursor }: { limit: number; cursor?: string | undefined }): { orders: Order[]; nextCursor?: string } {
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : this.#sequenceOf(cursor);
    // One row more than asked for tells whether there is a next page.
    const rows = this.#sql
      .exec<Row>('SELECT * FROM shop_orders WHERE sequence < ? ORDER BY sequence DESC LIMIT ?', before, limit + 1)
      .toArray();
    const orders = rows.slice(0, limit).map((row) => this.#toOrder(row));
    const last = orders.at(-1);
    return rows.length > limit && last ? { orders, nextCursor: last.id } : { orders };
  }

  /** When the newest order was placed, in milliseconds; 0 without orders. */
  lastPlacedAt(): number {
    const newest = 'SELECT placed_at FROM shop_orders ORDER BY sequence DESC LIMIT 1';
    return this.#sql.exec<{ placed_at: number }>(newest).toArray()[0]?.placed_at ?? 0;
  }

  /** The orders whose copy in KV is missing or older than the row. */
  pending(): string[] {
    const rows = this.#sql.exec<{ id: string }>('SELECT id FROM shop_orders WHERE kv_version <> version').toArray();
    return rows.map(({ id }) => id);
  }

  /** The KV entry of an order as it is now, or undefined when KV has it already. `ttl` is in seconds. */
  copyOf(id: string): { key: string; value: string; ttl: number; version: number } | undefined {
    const [row] = this.#sql.exec<Row>('SELECT * FROM shop_orders WHERE id = ? AND kv_version <> version', id);
    if (!row) return undefined;
    const value = { ...this.#toOrder(row), deputyId: row.deputy_id, clientId: row.client_id };
    return { key: `order:${this.#userId}:${id}`, value: JSON.stringify(value), ttl: KV_TTL, version: row.version };
  }

  /** Notes which version KV has just got; false when the row is another one by now, so that it is pending again. */
  copied(id: string, version: number): boolean {
    this.#sql.exec('UPDATE shop_orders SET kv_version = ? WHERE id = ?', version, id);
    return this.copyOf(id) === undefined;
  }

  #sequenceOf(cursor: string): number {
    const [row] = this.#sql.exec<{ sequence: number }>('SELECT sequence FROM shop_orders WHERE id = ?', cursor);
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
