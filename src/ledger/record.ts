/**
 * The record: one line of JSON for each act and each call, holding the hash of the line before. A line's hash is the
 * SHA-256 of its text, so anybody can check a downloaded file with `sha256sum` alone.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { GRADES } from '../authority/grade.ts';
import { mandateSchema } from '../authority/mandate.ts';
import { ceilingSchema } from './account.ts';

/** What the first line has for the hash of the line before. */
export const GENESIS = '0'.repeat(64);

const amounts = z.record(z.string(), z.int());

/** An effect as the call left it. `amounts` only in the line that used them up. */
const effectFacts = z.object({ id: z.string(), number: z.int(), state: z.string(), amounts: amounts.optional() });

/** The checkpoint: what it stands for, up to which line and that one's hash, and the SHA-256 of itself. */
const foldedInto = { through: z.int(), hash: z.string(), checkpoint: z.string() };

/** On what WorkOS calls impersonation: the WorkOS session in which somebody else acted as the human. It names nobody here. */
const asTheHuman = { actor: z.literal('human'), impersonation: z.string().optional() };

/** Why the system suspended a human: no such user any more, or no longer a member of the organization they signed in with. */
const SUSPENSIONS = ['user_gone', 'membership_gone'] as const;
export type Suspension = (typeof SUSPENSIONS)[number];

/** What a passkey signed for this line, as WebAuthn gives it (base64url): its challenge is the digest of what was agreed to. */
const proofSchema = z.object({
  passkey: z.string(),
  counter: z.int(),
  clientDataJSON: z.string(),
  authenticatorData: z.string(),
  signature: z.string(),
});
export type Proof = z.infer<typeof proofSchema>;
const proof = proofSchema.optional();

/** Why nothing can come of a request any more. */
const VOIDED = ['dismissed', 'replaced', 'resigned', 'restored'] as const;
export type Voided = (typeof VOIDED)[number];

/** What the human did, or what followed from it. */
const actSchema = z.discriminatedUnion('act', [
  z.object({
    actor: z.literal('human'),
    act: z.literal('appointed'),
    deputy: z.string(),
    /** The name is the client's own word; the domain was verified, when there is one. */
    client: z.object({ id: z.string(), unverifiedName: z.string(), verifiedDomain: z.string().optional() }),
    mandate: mandateSchema,
    replaces: z.array(z.string()),
    proof,
  }),
  z.object({ actor: z.literal('client'), act: z.literal('activated'), deputy: z.string() }),
  /** It gave its tokens back, or lost its grant at the OAuth provider. */
  z.object({ actor: z.literal('client'), act: z.literal('resigned'), deputy: z.string() }),
  z.object({ actor: z.literal('human'), act: z.literal('superseded'), deputy: z.string(), by: z.string() }),
  z.object({ ...asTheHuman, act: z.literal('revoked'), deputy: z.string() }),
  z.object({ actor: z.literal('human'), act: z.literal('amended'), deputy: z.string(), mandate: mandateSchema, proof }),
  z.object({ actor: z.literal('human'), act: z.literal('ceiling'), ceiling: ceilingSchema, proof }),
  /** Which fields of the profile are kept from here on. What they say is in no line. */
  z.object({ actor: z.literal('human'), act: z.literal('profile'), kept: z.array(z.string()), proof }),
  /** One deputy, or all of them where none is named. */
  z.object({ ...asTheHuman, act: z.literal('paused'), deputy: z.string().optional() }),
  z.object({ actor: z.literal('system'), act: z.literal('suspended'), why: z.enum(SUSPENSIONS) }),
  z.object({ actor: z.literal('human'), act: z.literal('resumed'), deputy: z.string().optional(), proof }),
  /** The human's own name for it; empty takes it back. */
  z.object({ actor: z.literal('human'), act: z.literal('named'), deputy: z.string(), name: z.string() }),
  /** The human's yes to what a deputy asked for: how surely, under which mandate, and how many more like it until when. */
  z.object({
    actor: z.literal('human'),
    act: z.literal('approved'),
    deputy: z.string(),
    effect: effectFacts,
    grade: z.enum(GRADES),
    mandateVersion: z.int(),
    next: z.object({ count: z.int(), until: z.string() }).optional(),
    proof,
  }),
  z.object({ ...asTheHuman, act: z.literal('denied'), deputy: z.string(), effect: effectFacts }),
  z.object({ actor: z.literal('system'), act: z.literal('lapsed'), deputy: z.string(), effect: effectFacts }),
  z.object({
    actor: z.literal('system'),
    act: z.literal('voided'),
    deputy: z.string(),
    effect: effectFacts,
    why: z.enum(VOIDED),
  }),
  /** What a yes allowed in advance is allowed no more; `line` is that of the yes. */
  z.object({ actor: z.literal('human'), act: z.literal('allowanceEnded'), deputy: z.string(), line: z.int() }),
  /** A passkey of the human, which counts from `usable` on (ISO 8601); its public key is in COSE, base64url. */
  z.object({
    actor: z.literal('human'),
    act: z.literal('passkeyAdded'),
    passkey: z.string(),
    publicKey: z.string(),
    counter: z.int(),
    usable: z.string(),
  }),
  z.object({ actor: z.literal('human'), act: z.literal('passkeyRemoved'), passkey: z.string() }),
  /** Whether what grants deputies more needs a passkey too. */
  z.object({ actor: z.literal('human'), act: z.literal('guarded'), device: z.boolean(), proof }),
  /** The demo ban, which is no authority, was taken off by the human. */
  z.object({ actor: z.literal('human'), act: z.literal('unbanned') }),
  z.object({ actor: z.literal('human'), act: z.literal('erased'), ...foldedInto }),
  /** The first line of a record, which vouches for what it starts from. */
  z.object({ actor: z.literal('system'), act: z.literal('opened'), ...foldedInto }),
  z.object({ actor: z.literal('system'), act: z.literal('pruned'), ...foldedInto }),
  /** The clock had been ahead by so many milliseconds: this line is older than the one before, and what was used counts from here. */
  z.object({ actor: z.literal('system'), act: z.literal('clock'), aheadMs: z.int() }),
  /** The storage was put back to that time (ISO 8601); every deputy is paused. */
  z.object({ actor: z.literal('system'), act: z.literal('restored'), to: z.string() }),
  z.object({
    actor: z.literal('system'),
    act: z.literal('counted'),
    deputy: z.string(),
    /** Calls refused over the limit of a minute that share this line. */
    refused: z.int(),
  }),
]);

/** What a line that is no call can say. */
export const ACT_NAMES = actSchema.options.map(({ shape }) => shape.act.value);

/** A tool call of a deputy. */
const callSchema = z.object({
  actor: z.literal('deputy'),
  deputy: z.string(),
  client: z.string(),
  tool: z.string(),
  /** `asked`: it waits for the human's yes. */
  decision: z.enum(['allowed', 'refused', 'asked']),
  /** Why it was refused. A string, because lines outlive the codes of a version. */
  code: z.string().optional(),
  rule: z.string().optional(),
  /** The limit it was, and what that allowed. */
  limit: z.string().optional(),
  most: z.union([z.int(), z.array(z.string()).readonly()]).optional(),
  /** What a refused metered call would have used. */
  asked: amounts.optional(),
  /** Of the mandate that the decision was made under. */
  mandateVersion: z.int().optional(),
  /** The effect that the call made or changed, as it was then. */
  effect: effectFacts.optional(),
  /** Until when a question waits (ISO 8601), and how surely the human must say yes. */
  until: z.string().optional(),
  grade: z.enum(GRADES).optional(),
  /** The line of the yes that had allowed this in advance. */
  under: z.int().optional(),
  /** The effect of an earlier call with the same idempotency key; nothing was done again. */
  repeats: z.string().optional(),
  /** An HMAC of the arguments under the account's own key: to compare with, not to read. */
  arguments: z.string().optional(),
  /** Calls over the limit of a minute, refused since the line before of this deputy, that share this line. */
  refusedBefore: z.int().optional(),
});

const entrySchema = z.union([actSchema, callSchema]);
export type Entry = z.infer<typeof entrySchema>;
export type CallEntry = z.infer<typeof callSchema>;

const lineTime = z.iso.datetime();
const lineSchema = z.object({ sequence: z.int(), at: lineTime, previous: z.string() }).and(entrySchema);
export type Line = z.infer<typeof lineSchema>;

/** Which lines to show: those before a sequence, of one deputy, tool or decision. */
export type Search = {
  before?: number | undefined;
  deputy?: string | undefined;
  tool?: string | undefined;
  decision?: CallEntry['decision'] | undefined;
};

/** A line in few words. `made` is 1 where it left an effect; `shared` are refusals that have no line of their own. */
export type Brief = {
  sequence: number;
  /** ISO 8601. */
  at: string;
  deputy: string | null;
  act: string | null;
  decision: 'allowed' | 'asked' | 'refused' | null;
  code: string | null;
  made: number;
  shared: number;
};

/** Lines read for one page or chart, so that neither costs more as the record grows. */
const SEARCHED_AT_ONCE = 5000;

export type Head = { sequence: number; hash: string; at: number };
type Row = { sequence: number; line: string; hash: string };
/** The newest line; null where there is none. `line_at` is ISO 8601. */
export type HeadRow = { sequence: number | null; hash: string | null; line_at: string | null };

export class RecordLines {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The newest line, or the checkpoint when there is none. `at` in milliseconds. */
  head(): Head {
    const [row] = this.#sql.exec<HeadRow>(
      "SELECT sequence, hash, line ->> 'at' AS line_at FROM record ORDER BY sequence DESC LIMIT 1",
    );
    return this.toHead(row ?? { sequence: null, hash: null, line_at: null });
  }

  toHead({ sequence, hash, line_at: at }: HeadRow): Head {
    if (sequence === null || hash === null)
      return this.#sql.exec<Head>('SELECT sequence, hash, at FROM checkpoint').one();
    // Only its time is read here: every call begins with it.
    return { sequence, hash, at: Date.parse(lineTime.parse(at)) };
  }

  /** Adds a line after `head`, which is the newest. `now` is the ledger's time in milliseconds. */
  append(entry: Entry, head: Head, now: number): Head {
    const sequence = head.sequence + 1;
    const line = JSON.stringify({ sequence, at: new Date(now).toISOString(), ...entry, previous: head.hash });
    const hash = hashOf(line);
    this.#sql.exec('INSERT INTO record VALUES (?, ?, ?)', sequence, line, hash);
    return { sequence, hash, at: now };
  }

  /**
   * Lines older than `before` that match, newest first. `older` is where to go on. Looks through at most 5,000 lines at
   * a time, so a page can hold fewer than `limit`, and even none, while older lines are still to be searched.
   */
  newest(limit: number, { before, deputy, tool, decision }: Search): { lines: Line[]; older?: number } {
    const from = Math.min(before ?? Infinity, this.head().sequence + 1);
    const rows = this.#sql
      .exec<Row>(
        `SELECT * FROM (SELECT * FROM record WHERE sequence < ?1 ORDER BY sequence DESC LIMIT ?2)
         WHERE (?3 IS NULL OR line ->> 'deputy' = ?3) AND (?4 IS NULL OR line ->> 'tool' = ?4)
           AND (?5 IS NULL OR line ->> 'decision' = ?5)
         ORDER BY sequence DESC LIMIT ?6`,
        from,
        SEARCHED_AT_ONCE,
        deputy ?? null,
        tool ?? null,
        decision ?? null,
        limit + 1,
      )
      .toArray();
    const lines = rows.slice(0, limit).map(({ line }) => readLine(line));
    // Sequences have no gaps, so where the search stopped is known without reading it.
    const older = rows.length > limit ? lines.at(-1)?.sequence : from - SEARCHED_AT_ONCE;
    const first = this.#sql.exec<{ first: number | null }>('SELECT min(sequence) AS first FROM record').one().first;
    return { lines, ...(older !== undefined && first !== null && first < older && { older }) };
  }

  /** What lately happened in few words, newest first. It reads as many lines as are taken, and 5,000 at most. */
  *lately(): Iterable<Brief> {
    yield* this.#sql.exec<Brief>(
      `SELECT sequence, line ->> 'at' AS at, line ->> 'deputy' AS deputy, line ->> 'act' AS act,
         line ->> 'decision' AS decision, line ->> 'code' AS code, line ->> '$.effect.amounts' IS NOT NULL AS made,
         coalesce(line ->> 'refusedBefore', line ->> 'refused', 0) AS shared
       FROM record ORDER BY sequence DESC LIMIT ?`,
      SEARCHED_AT_ONCE,
    );
  }

  /** Lines that say what was used or is free again, and those that set the clock back, oldest first. */
  *ofUse(): Iterable<Line> {
    const wanted = "line ->> '$.effect.id' IS NOT NULL OR line ->> 'act' = 'clock'";
    for (const { line } of this.#sql.exec<Row>(`SELECT * FROM record WHERE ${wanted} ORDER BY sequence`))
      yield readLine(line);
  }

  /** Lines after `after`, oldest first. */
  lines(after: number, limit: number): Line[] {
    return this.text(after, limit).map(({ line }) => readLine(line));
  }

  /** The lines as they stand, oldest first, from `after` on: what is exported. */
  text(after: number, limit: number): { sequence: number; line: string }[] {
    return this.rows(after, limit).map(({ sequence, line }) => ({ sequence, line }));
  }

  /** Stored rows after `after`, oldest first. */
  rows(after: number, limit: number): Row[] {
    return this.#sql
      .exec<Row>('SELECT * FROM record WHERE sequence > ? ORDER BY sequence LIMIT ?', after, limit)
      .toArray();
  }
}

export function readLine(line: string): Line {
  return lineSchema.parse(JSON.parse(line));
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
