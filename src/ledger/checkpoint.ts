/** The checkpoint of a record: what the lines before it amount to. Replaying starts from it. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { allOf } from '../steps.ts';
import type { EffectFacts } from './effects.ts';
import type { Head } from './record.ts';
import { coreSchema, type State } from './replay.ts';

type Row = { sequence: number; at: number; hash: string; state: string };
type EffectRow = { id: string; number: number; state: string; amounts: string };

const amountsSchema = z.record(z.string(), z.int());

export function checkpointHead(sql: SqlStorage): Head {
  const { sequence, at, hash } = row(sql);
  return { sequence, at, hash };
}

export function checkpointState(sql: SqlStorage): State {
  return allOf(checkpointStateInSteps(sql));
}

/** The same, a few effects at a time. */
export function* checkpointStateInSteps(sql: SqlStorage): Generator<void, State> {
  const core = coreSchema.parse(JSON.parse(row(sql).state));
  const known = new Map<string, EffectFacts>();
  for (const page of pages(sql)) {
    for (const { amounts, ...rest } of page)
      known.set(rest.id, { ...rest, amounts: amountsSchema.parse(JSON.parse(amounts)) });
    yield;
  }
  return { ...core, effects: known };
}

/** Moves the checkpoint to `head`, whose state is `state`; `touched` are the effects that differ from before. */
export function foldInto(
  sql: SqlStorage,
  head: Head,
  { effects: known, ...core }: State,
  touched: Iterable<string>,
): void {
  for (const id of touched) {
    const effect = known.get(id);
    if (!effect) continue;
    const { number, state, amounts } = effect;
    sql.exec(
      'INSERT OR REPLACE INTO checkpoint_effects VALUES (?, ?, ?, ?)',
      id,
      number,
      state,
      JSON.stringify(amounts),
    );
  }
  sql.exec(
    'UPDATE checkpoint SET sequence = ?, at = ?, hash = ?, state = ? WHERE id = 1',
    head.sequence,
    head.at,
    head.hash,
    JSON.stringify(core),
  );
}

/** What a line of the record says of the checkpoint, so that a change of it shows. */
export function folded(sql: SqlStorage): Folded {
  return allOf(foldedInSteps(sql));
}

type Folded = { through: number; hash: string; checkpoint: string };

/** The same, a few effects at a time: the SHA-256 of the JSON of its row and all of its effects. */
export function* foldedInSteps(sql: SqlStorage): Generator<void, Folded> {
  const { sequence, hash } = row(sql);
  const sum = createHash('sha256').update(`[${JSON.stringify(row(sql))},[`);
  let between = '';
  for (const page of pages(sql)) {
    sum.update(between + JSON.stringify(page).slice(1, -1));
    between = ',';
    yield;
  }
  return { through: sequence, hash, checkpoint: sum.update(']]').digest('hex') };
}

function row(sql: SqlStorage): Row {
  return sql.exec<Row>('SELECT sequence, at, hash, state FROM checkpoint').one();
}

const PAGE = 500;

function* pages(sql: SqlStorage): Generator<EffectRow[], void> {
  for (let after = ''; ;) {
    const page = sql
      .exec<EffectRow>(
        'SELECT id, number, state, amounts FROM checkpoint_effects WHERE id > ? ORDER BY id LIMIT ?',
        after,
        PAGE,
      )
      .toArray();
    if (page.length > 0) yield page;
    if (page.length < PAGE) return;
    after = page.at(-1)?.id ?? '';
  }
}
