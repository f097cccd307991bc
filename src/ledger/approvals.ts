/** The table of what deputies asked their human: the exact call, and until when it waits. What came of it is the effect's state. */
import { z } from 'zod';
import { GRADES, type Grade } from '../authority/grade.ts';
import { ASKED_KEPT_MS, ASKED_MS } from '../lifetimes.ts';

/** The states of an effect that the kernel knows: while it waits, and when nothing came of it. */
export const WAITING = 'waiting';
export const ENDED = ['denied', 'lapsed', 'void'] as const;
export type Ended = (typeof ENDED)[number];

export function isEnded(state: string): state is Ended {
  return (ENDED as readonly string[]).includes(state);
}

/** Questions of one deputy that wait at most. */
export const MOST_WAITING = 5;
/** Questions that one human's ledger remembers; older ones that were answered are forgotten. */
const MOST_KEPT = 1000;

/** What was decided about when it was asked for, and is decided about again. */
const actionSchema = z.object({
  name: z.string(),
  scope: z.string(),
  permission: z.string().optional(),
  tokenScopes: z.array(z.string()).readonly(),
  permissions: z.array(z.string()).readonly(),
  uses: z.record(z.string(), z.union([z.int(), z.array(z.string()).readonly()])),
});

const answerSchema = z.object({ text: z.string(), data: z.record(z.string(), z.unknown()) });
const argumentsSchema = z.record(z.string(), z.unknown());

export type Approval = {
  effectId: string;
  /** That of the effect, by which its row is found. */
  number: number;
  deputyId: string;
  tool: string;
  /** The HMAC of the arguments: the same call again is recognised by it. */
  digest: string;
  arguments: Record<string, unknown>;
  /** What a call like it has too, in canonical form. */
  like: string;
  action: z.infer<typeof actionSchema>;
  /** The limit that asks, and above how many. */
  limit: string;
  most: number;
  /** What the effect becomes with a yes: the domain's word. */
  state: string;
  /** What the tool answers then. */
  answer: z.infer<typeof answerSchema>;
  grade: Grade;
  /** Milliseconds since the epoch. */
  askedAt: number;
  endsAt: number;
};

type Row = {
  effect_id: string;
  number: number;
  deputy_id: string;
  tool: string;
  digest: string;
  arguments: string;
  like_it: string;
  action: string;
  limit_name: string;
  most: number;
  state: string;
  answer: string;
  grade: string;
  asked_at: number;
  ends_at: number;
};

/** What calls need to know of the table without asking it: effects by the call that asked for them, and when the first lapses. */
type Known = { effects: Map<string, { id: string; askedAt: number }>; firstEnd: number };

const WAITS =
  "EXISTS (SELECT 1 FROM effects WHERE effects.number = approvals.number AND id = effect_id AND effects.state = 'waiting')";

export class Approvals {
  readonly #sql: SqlStorage;
  #known: Known | undefined;
  /** How often anything in it has changed. */
  changes = 0;

  /** Reads what is known once, so that a call that asks nothing has no question more to the storage. */
  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#known = this.#read();
  }

  /**
   * The effect that this very call of that deputy has asked for in the last day. `seal` seals its arguments, if it has any;
   * `now` in milliseconds.
   */
  known(deputyId: string, tool: string, seal: () => string | undefined, now: number): string | undefined {
    const { effects } = this.#now();
    const asked = effects.size === 0 ? undefined : effects.get(keyOf(deputyId, tool, seal() ?? ''));
    return asked && now < asked.askedAt + ASKED_KEPT_MS ? asked.id : undefined;
  }

  /** When the first one that waits lapses, in milliseconds; Infinity when none waits. */
  firstEnd(): number {
    return this.#now().firstEnd;
  }

  keep(approval: Approval): void {
    this.forgetOld(approval.askedAt);
    this.#sql.exec(
      'INSERT INTO approvals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      approval.effectId,
      approval.number,
      approval.deputyId,
      approval.tool,
      approval.digest,
      JSON.stringify(approval.arguments),
      approval.like,
      JSON.stringify(approval.action),
      approval.limit,
      approval.most,
      approval.state,
      JSON.stringify(approval.answer),
      approval.grade,
      approval.askedAt,
      approval.endsAt,
    );
    this.changed();
  }

  find(effectId: string): Approval | undefined {
    const [row] = this.#sql.exec<Row>('SELECT * FROM approvals WHERE effect_id = ?', effectId);
    return row && toApproval(row);
  }

  /** Those that wait, of one deputy or of all, oldest first. */
  waiting(deputyId?: string): Approval[] {
    if (this.firstEnd() === Infinity) return [];
    return this.#sql
      .exec<Row>(
        `SELECT * FROM approvals WHERE ${WAITS} AND deputy_id = coalesce(?, deputy_id) ORDER BY asked_at, effect_id`,
        deputyId ?? null,
      )
      .toArray()
      .map(toApproval);
  }

  /** The clock was ahead: nothing waits longer than from now. */
  setBack(now: number): void {
    this.#sql.exec('UPDATE approvals SET asked_at = min(asked_at, ?), ends_at = min(ends_at, ?)', now, now + ASKED_MS);
    this.changed();
  }

  /** `now` in milliseconds. What still waits stays. */
  forgetOld(now: number): void {
    const over = `asked_at <= ? OR effect_id IN (SELECT effect_id FROM approvals ORDER BY asked_at DESC LIMIT -1 OFFSET ${MOST_KEPT})`;
    this.#sql.exec(`DELETE FROM approvals WHERE NOT ${WAITS} AND (${over})`, now - ASKED_KEPT_MS);
    this.changed();
  }

  /** To be called whenever an effect that waited does so no more: the table is asked again. */
  changed(): void {
    this.#known = undefined;
    this.changes += 1;
  }

  #now(): Known {
    return (this.#known ??= this.#read());
  }

  #read(): Known {
    const rows = this.#sql
      .exec<Pick<Row, 'effect_id' | 'deputy_id' | 'tool' | 'digest' | 'asked_at' | 'ends_at'> & { waits: number }>(
        `SELECT effect_id, deputy_id, tool, digest, asked_at, ends_at, ${WAITS} AS waits FROM approvals`,
      )
      .toArray();
    return {
      effects: new Map(
        rows.map((row) => [keyOf(row.deputy_id, row.tool, row.digest), { id: row.effect_id, askedAt: row.asked_at }]),
      ),
      firstEnd: Math.min(Infinity, ...rows.filter(({ waits }) => waits).map(({ ends_at: end }) => end)),
    };
  }
}

function keyOf(deputyId: string, tool: string, digest: string): string {
  return `${deputyId} ${tool} ${digest}`;
}

function toApproval(row: Row): Approval {
  return {
    effectId: row.effect_id,
    number: row.number,
    deputyId: row.deputy_id,
    tool: row.tool,
    digest: row.digest,
    arguments: argumentsSchema.parse(JSON.parse(row.arguments)),
    like: row.like_it,
    action: actionSchema.parse(JSON.parse(row.action)),
    limit: row.limit_name,
    most: row.most,
    state: row.state,
    answer: answerSchema.parse(JSON.parse(row.answer)),
    grade: z.enum(GRADES).parse(row.grade),
    askedAt: row.asked_at,
    endsAt: row.ends_at,
  };
}
