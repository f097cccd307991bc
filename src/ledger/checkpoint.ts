/** The checkpoint of a record: what the lines before it amount to. Replaying starts from it. */
import { z } from 'zod';
import type { EffectFacts } from './effects.ts';
import { type Head, hashOf } from './record.ts';
import { coreSchema, type State } from './replay.ts';

type Row = { sequence: number; at: number; hash: string; state: string };
type EffectRow = { id: string; number: number; state: string; amounts: string };

const amountsSchema = z.record(z.string(), z.int());

export function checkpointHead(sql: SqlStorage): Head {
  const { sequence, at, hash } = row(sql);
  return { sequence, at, hash };
}

export function checkpointState(sql: SqlStorage): State {
  const core = coreSchema.parse(JSON.parse(row(sql).state));
  const facts = effects(sql).map(({ amounts, ...rest }): EffectFacts => ({
    ...rest,
    amounts: amountsSchema.parse(JSON.parse(amounts)),
  }));
  return { ...core, effects: new Map(facts.map((effect) => [effect.id, effect])) };
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
export function folded(sql: SqlStorage): { through: number; hash: string; checkpoint: string } {
  const { sequence, hash } = row(sql);
  return { through: sequence, hash, checkpoint: hashOf(JSON.stringify([row(sql), effects(sql)])) };
}

function row(sql: SqlStorage): Row {
  return sql.exec<Row>('SELECT sequence, at, hash, state FROM checkpoint').one();
}

function effects(sql: SqlStorage): EffectRow[] {
  return sql.exec<EffectRow>('SELECT id, number, state, amounts FROM checkpoint_effects ORDER BY id').toArray();
}
