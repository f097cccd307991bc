/** The checkpoint of an audit: what the lines before it amount to. Replaying starts from it. */
import { GENESIS, type Head, hashOf } from './audit.ts';
import { DEFAULT_CEILING } from './mandate.ts';
import { coreSchema, type OrderFacts, type State } from './replay.ts';

type Row = { sequence: number; at: number; hash: string; state: string };
type OrderRow = { id: string } & OrderFacts;

export function checkpointHead(sql: SqlStorage): Head {
  const { sequence, at, hash } = row(sql);
  return { sequence, at, hash };
}

export function checkpointState(sql: SqlStorage): State {
  const core = coreSchema.parse(JSON.parse(row(sql).state));
  return { ...core, orders: new Map(orders(sql).map(({ id, ...facts }) => [id, facts])) };
}

/** Moves the checkpoint to `head`, whose state is `state`; `touched` are the orders that differ from before. */
export function foldInto(
  sql: SqlStorage,
  head: Head,
  { orders: known, ...core }: State,
  touched: Iterable<string>,
): void {
  for (const id of touched) {
    const order = known.get(id);
    if (!order) continue;
    const { quantity, total, status } = order;
    sql.exec('INSERT OR REPLACE INTO checkpoint_orders VALUES (?, ?, ?, ?)', id, quantity, total, status);
  }
  sql.exec(
    'UPDATE checkpoint SET sequence = ?, at = ?, hash = ?, state = ? WHERE id = 1',
    head.sequence,
    head.at,
    head.hash,
    JSON.stringify(core),
  );
}

/** What a line of the audit says of the checkpoint, so that it cannot be changed behind it. */
export function folded(sql: SqlStorage): { through: number; hash: string; checkpoint: string } {
  const { sequence, hash } = row(sql);
  return { through: sequence, hash, checkpoint: hashOf(JSON.stringify([row(sql), orders(sql)])) };
}

/** Whether it is that of a record in which nothing has happened; only such a one needs no line that vouches for it. */
export function isBlank(sql: SqlStorage): boolean {
  const { sequence, at, hash, state } = row(sql);
  const blank = { day: [], authority: 'active', ceiling: DEFAULT_CEILING, deputies: {} };
  return sequence === 0 && at === 0 && hash === GENESIS && state === JSON.stringify(blank) && orders(sql).length === 0;
}

function row(sql: SqlStorage): Row {
  return sql.exec<Row>('SELECT sequence, at, hash, state FROM checkpoint').one();
}

function orders(sql: SqlStorage): OrderRow[] {
  return sql.exec<OrderRow>('SELECT id, quantity, total, status FROM checkpoint_orders ORDER BY id').toArray();
}
