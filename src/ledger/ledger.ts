/** The tables of one human in their Durable Object. One transaction decides, acts and records. */
import { startCeiling, tooManyCalls, type Usage } from '../authority/limits.ts';
import { type Action, decide, endOf, type Standing } from '../authority/policy.ts';
import { type Reason, Refusal, type Told } from '../authority/refusal.ts';
import { ACTS, type Amounts, CALLS, isNames, pairsOf, type Terms } from '../authority/terms.ts';
import { addUse, freeUse, type Pair, setBack, SPANS, useOf, type Windows } from '../authority/window.ts';
import type { Caller } from '../deputy.ts';
import { CLOCK_TOLERANCE_MS } from '../lifetimes.ts';
import { Account, type AccountRow, type AccountState } from './account.ts';
import { Allowances } from './allowances.ts';
import { Answers } from './answers.ts';
import { Approvals } from './approvals.ts';
import { DemoSwitch } from './demo-mode.ts';
import { Deputies, type StandingRow } from './deputies.ts';
import { Effects } from './effects.ts';
import { IdempotencyKeys } from './idempotency.ts';
import { type Meter, type MeterRow, Meters } from './meters.ts';
import { Passkeys } from './passkeys.ts';
import { Pending } from './pending.ts';
import { ProfileSheet } from './profile.ts';
import { type CallEntry, type Head, type HeadRow, RecordLines } from './record.ts';
import { recount } from './recount.ts';
import { migrate } from './schema.ts';
import { lapse } from './waiting.ts';

/** All that decides about a call of one deputy, in one row. */
const SITUATION = `SELECT
    newest.sequence, newest.hash, newest.line ->> 'at' AS line_at,
    account.*,
    status, mandate, paused,
    last_seen, meters.windows AS meter, shared_at, unrecorded
  FROM account
    LEFT JOIN record AS newest ON newest.sequence = (SELECT max(sequence) FROM record)
    LEFT JOIN deputies ON deputies.deputy_id = ?1
    LEFT JOIN meters ON meters.deputy_id = ?1`;
type SituationRow = HeadRow & AccountRow & StandingRow & MeterRow;

export class Ledger {
  readonly terms: Terms;
  /** What is counted for each deputy, and for all of them together. */
  readonly pairs: { own: Pair[]; all: Pair[] };
  readonly deputies: Deputies;
  readonly meters: Meters;
  readonly account: Account;
  readonly profile: ProfileSheet;
  readonly effects: Effects;
  readonly approvals: Approvals;
  readonly allowances: Allowances;
  readonly passkeys: Passkeys;
  readonly pending: Pending;
  readonly record: RecordLines;
  readonly idempotency: IdempotencyKeys;
  readonly answers: Answers;
  readonly demo: DemoSwitch;
  readonly sql: SqlStorage;
  readonly #storage: DurableObjectStorage;

  /** Makes its tables, so it must be made before the object answers. `delivers`: effects are copied to elsewhere. */
  constructor(storage: DurableObjectStorage, terms: Terms, { delivers }: { delivers: boolean }) {
    migrate(storage, startCeiling(terms));
    this.#storage = storage;
    this.sql = storage.sql;
    this.terms = terms;
    this.pairs = pairsOf(terms);
    this.deputies = new Deputies(storage.sql);
    this.meters = new Meters(storage.sql);
    this.account = new Account(storage.sql);
    this.profile = new ProfileSheet(storage.kv);
    this.effects = new Effects(storage.sql, delivers);
    this.approvals = new Approvals(storage.sql);
    this.allowances = new Allowances(storage.kv);
    this.passkeys = new Passkeys(storage.kv, this.account);
    this.pending = new Pending(storage.sql, storage.kv);
    this.record = new RecordLines(storage.sql);
    this.idempotency = new IdempotencyKeys(storage.sql);
    this.answers = new Answers(storage.kv, this.deputies);
    this.demo = new DemoSwitch(storage.kv);
    recount(this, storage.kv);
  }

  /**
   * Runs `work` as one synchronous transaction: what it wrote is undone when it throws. Inside another one, only what the
   * inner one wrote is.
   */
  transaction<Result>(work: () => Result): Result {
    const { changes } = this.approvals;
    try {
      return this.#storage.transactionSync(work);
    } catch (error) {
      // What memory knows of them may be what was undone.
      if (this.approvals.changes !== changes) this.approvals.changed();
      throw error;
    }
  }

  /** Milliseconds since the epoch. A clock that is a little behind the newest line stands still until it has caught up. */
  now(head: Head = this.record.head()): number {
    const now = Date.now();
    return now < head.at - CLOCK_TOLERANCE_MS ? now : Math.max(now, head.at);
  }

  /** What the next line follows, and its time in milliseconds. Only inside a transaction: it can add a line of its own. */
  moment(head: Head = this.record.head()): { head: Head; now: number } {
    const now = this.now(head);
    const newest = now < head.at ? this.#setBack(head, now) : head;
    return { head: this.approvals.firstEnd() <= now ? lapse(this, newest, now) : newest, now };
  }

  /** The clock was ahead. What was counted then must not count for as long as it was, so it counts from now. */
  #setBack(head: Head, now: number): Head {
    const { own, all } = this.pairs;
    for (const id of this.meters.ids()) {
      const { windows, sharedAt, lastSeen, unrecorded } = this.meters.read(id);
      this.meters.save(id, {
        windows: setBack(windows, own, head.at, now),
        sharedAt: Math.min(sharedAt, now),
        lastSeen: Math.min(lastSeen, now),
        unrecorded,
      });
    }
    this.account.setWindows(setBack(this.account.read().windows, all, head.at, now));
    this.approvals.setBack(now);
    this.allowances.endAll();
    return this.record.append({ actor: 'system', act: 'clock', aheadMs: head.at - now }, head, now);
  }

  /** Why the deputy may do nothing any more, or undefined while it is live. */
  endOf(deputyId: string): Reason | undefined {
    return endOf(this.deputies.standingOf(deputyId), this.now());
  }

  /** What counts in these windows, by the name of a limit. */
  usage(windows: Windows, now: number): Usage {
    return (name) => {
      const limit = this.terms.limits[name];
      if (!limit || isNames(limit) || limit.per === 'act') return { used: 0, freesAt: undefined };
      return useOf(windows, { per: limit.per, of: limit.of }, now);
    };
  }

  /** What decides about a call of that deputy. Only inside a transaction: it can add a line of its own. */
  situation(deputyId: string): Situation {
    const row = this.sql.exec<SituationRow>(SITUATION, deputyId).one();
    const newest = this.record.toHead(row);
    const { head, now } = this.moment(newest);
    // Setting the clock back changes what was counted.
    if (head !== newest) return this.situation(deputyId);
    const account = this.account.toState(row);
    return { head, now, account, standing: this.deputies.toStanding(row), meter: this.meters.toMeter(row) };
  }

  /** Begins a deputy's call. Only inside a transaction, which must end in a line of the record. */
  begin(caller: Caller): Turn {
    return new Turn(this, caller);
  }
}

type Situation = { head: Head; now: number; account: AccountState; standing: Standing | undefined; meter: Meter };

/** One call of a deputy: what decides about it, read once, and the one way to record what came of it. */
export class Turn {
  /** The ledger's time, in milliseconds. */
  readonly now: number;
  readonly account: AccountState;
  readonly standing: Standing | undefined;
  readonly usage: { own: Usage; all: Usage };
  readonly #meter: Meter;
  readonly #ledger: Ledger;
  readonly #caller: Caller;
  readonly #head: Head;

  constructor(ledger: Ledger, caller: Caller) {
    this.#ledger = ledger;
    this.#caller = caller;
    const { head, now, account, standing, meter } = ledger.situation(caller.deputyId);
    this.#head = head;
    this.now = now;
    this.account = account;
    this.standing = standing;
    this.#meter = meter;
    this.usage = {
      own: ledger.usage(this.#meter.windows, this.now),
      all: ledger.usage(this.account.windows, this.now),
    };
  }

  /** The line that this call will have. */
  get line(): number {
    return this.#head.sequence + 1;
  }

  /** Those that the token was issued with and the human still has. */
  get permissions(): string[] {
    const held = this.account.presence?.permissions;
    return this.#caller.permissions.filter((permission) => held?.includes(permission) ?? true);
  }

  /** The reason that stops the action, if any. */
  reasonAgainst(action: Omit<Action, 'tokenScopes' | 'permissions'>): Reason | undefined {
    const { authority, ceiling } = this.account;
    const { scopes: tokenScopes } = this.#caller;
    const { permissions } = this;
    const { standing, usage, now } = this;
    return decide(
      this.#ledger.terms,
      { authority, standing, ceiling, usage, now },
      { ...action, tokenScopes, permissions },
    );
  }

  /** Throws Refusal when something stops the action. */
  decide(action: Omit<Action, 'tokenScopes' | 'permissions'>): void {
    const reason = this.reasonAgainst(action);
    if (reason) throw new Refusal(reason);
  }

  /** Records a call that was carried out, and counts what it used. */
  allowed({ amounts, ...facts }: Facts & { amounts?: Amounts | undefined }): void {
    this.#append({ ...facts, decision: 'allowed' });
    const used = amounts ? { ...amounts, [ACTS]: 1 } : {};
    this.#saveMeter({ windows: this.#count({ ...used, [CALLS]: 1 }), unrecorded: 0 });
    if (amounts) this.#ledger.account.setWindows(addUse(this.account.windows, this.#ledger.pairs.all, used, this.now));
  }

  /** Records a call that waits for the human's yes, and counts what it would use. */
  asked({ amounts, ...facts }: Facts & Asked): void {
    this.#append({ ...facts, decision: 'asked' });
    const used = { ...amounts, [ACTS]: 1 };
    this.#saveMeter({ windows: this.#count({ ...used, [CALLS]: 1 }), unrecorded: 0 });
    this.#ledger.account.setWindows(addUse(this.account.windows, this.#ledger.pairs.all, used, this.now));
  }

  /** Records that the deputy took its question back, and frees what it would have used. */
  withdrew({ askedAt, amounts, ...facts }: Facts & { askedAt: number; amounts: Amounts }): void {
    this.#append({ ...facts, decision: 'allowed' });
    const { own, all } = this.#ledger.pairs;
    const windows = addUse(freeUse(this.#meter.windows, own, amounts, askedAt), own, { [CALLS]: 1 }, this.now);
    this.#saveMeter({ windows, unrecorded: 0 });
    this.#ledger.account.setWindows(freeUse(this.account.windows, all, amounts, askedAt));
    this.#ledger.approvals.changed();
  }

  /** Records a call that was not carried out. Over the limit of calls, a deputy's refusals share one line a minute. */
  refused(told: Told, facts: Facts & Pick<CallEntry, 'most' | 'asked'>): void {
    // A deputy that is not in the ledger, because its human has erased it, leaves nothing in it again.
    if (!this.standing) return;
    const over = tooManyCalls(this.#ledger.terms, this.standing.mandate.limits, this.usage.own) !== undefined;
    if (over && this.now < this.#meter.sharedAt + SPANS.minute.lengthMs) {
      this.#saveMeter({ unrecorded: this.#meter.unrecorded + 1 });
      return;
    }
    const { code, rule, limit } = told;
    this.#append({ ...facts, decision: 'refused', code, rule, ...(limit !== undefined && { limit }) });
    this.#saveMeter({
      unrecorded: 0,
      ...(over ? { sharedAt: this.now } : { windows: this.#count({ [CALLS]: 1 }) }),
    });
  }

  #count(amounts: Amounts): Windows {
    return addUse(this.#meter.windows, this.#ledger.pairs.own, amounts, this.now);
  }

  #append(facts: Facts & Pick<CallEntry, 'decision' | 'code' | 'rule' | 'limit' | 'most' | 'asked' | 'grade'>): void {
    const { deputyId, clientId } = this.#caller;
    const { tool, effect, repeats, arguments: sealed, most, asked, under, until, ...decision } = facts;
    const entry: CallEntry = {
      actor: 'deputy',
      deputy: deputyId,
      client: clientId,
      tool,
      ...decision,
      ...(most !== undefined && { most }),
      ...(asked && { asked }),
      ...(this.standing && { mandateVersion: this.standing.mandate.version }),
      ...(effect && { effect }),
      ...(until !== undefined && { until }),
      ...(under !== undefined && { under }),
      ...(repeats !== undefined && { repeats }),
      ...(sealed !== undefined && { arguments: sealed }),
      ...(this.#meter.unrecorded > 0 && { refusedBefore: this.#meter.unrecorded }),
    };
    this.#ledger.record.append(entry, this.#head, this.now);
  }

  #saveMeter(changes: Partial<Meter>): void {
    this.#ledger.meters.save(this.#caller.deputyId, { ...this.#meter, ...changes, lastSeen: this.now });
  }
}

/** What a line says of a call, besides who made it and what was decided. */
type Facts = Pick<CallEntry, 'tool'> & {
  [Key in 'effect' | 'repeats' | 'arguments' | 'under' | 'until']?: CallEntry[Key] | undefined;
};
type Asked = Required<Pick<CallEntry, 'grade' | 'until'>> & Pick<CallEntry, 'limit' | 'most'> & { amounts: Amounts };
