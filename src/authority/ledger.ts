/** The record of one human in their Durable Object. One transaction decides, acts and records. */
import type { Caller } from '../deputy.ts';
import { OrderBook } from '../shop/orders.ts';
import { Account, type AccountState } from './account.ts';
import { AuditTrail, type CallEntry, type Head } from './audit.ts';
import { Deputies, type Meter } from './deputies.ts';
import { IdempotencyKeys } from './idempotency.ts';
import { type Action, decide, denyEnded, type Grant, type Usage } from './policy.ts';
import { type Denial, Refusal } from './refusal.ts';
import { migrate } from './schema.ts';
import { DAY, freesAt, MINUTE, spend, used } from './window.ts';

export class Ledger {
  readonly orders: OrderBook;
  readonly deputies: Deputies;
  readonly account: Account;
  readonly audit: AuditTrail;
  readonly idempotency: IdempotencyKeys;
  readonly storage: DurableObjectStorage;

  /** Creates its tables, so it must be made before the object answers. */
  constructor(storage: DurableObjectStorage, userId: string) {
    migrate(storage);
    this.storage = storage;
    this.orders = new OrderBook(storage.sql, userId);
    this.deputies = new Deputies(storage.sql);
    this.account = new Account(storage.sql);
    this.audit = new AuditTrail(storage.sql);
    this.idempotency = new IdempotencyKeys(storage.sql);
  }

  get kv(): SyncKvStorage {
    return this.storage.kv;
  }

  /**
   * Runs `work` as one synchronous transaction: what it wrote, in tables and in `kv`, is undone when it throws. Inside
   * another one, only what the inner one wrote is.
   */
  transaction<Result>(work: () => Result): Result {
    return this.storage.transactionSync(work);
  }

  /** Milliseconds since the epoch; never runs backwards, even when the machine's clock does. */
  now(head: Head = this.audit.head()): number {
    return Math.max(Date.now(), head.at);
  }

  /** Why the deputy may do nothing any more, or undefined while it is live. */
  endOf(deputyId: string): Denial | undefined {
    return denyEnded(this.deputies.grantOf(deputyId), this.now());
  }

  /** Begins a deputy's call. Only inside a transaction, which must end in a line of the audit. */
  begin(caller: Caller): Turn {
    return new Turn(this, caller);
  }
}

/** One call of a deputy: what decides about it, read once, and the one way to record what came of it. */
export class Turn {
  /** The ledger's time, in milliseconds. */
  readonly now: number;
  readonly account: AccountState;
  readonly grant: Grant | undefined;
  readonly meter: Meter;
  readonly #ledger: Ledger;
  readonly #caller: Caller;
  readonly #head: Head;

  constructor(ledger: Ledger, caller: Caller) {
    this.#ledger = ledger;
    this.#caller = caller;
    this.#head = ledger.audit.head();
    this.now = ledger.now(this.#head);
    this.account = ledger.account.read();
    this.grant = ledger.deputies.grantOf(caller.deputyId);
    this.meter = ledger.deputies.meter(caller.deputyId);
  }

  /** The audit line that this call will have; an order takes it as its own sequence. */
  get sequence(): number {
    return this.#head.sequence + 1;
  }

  get usage(): Usage {
    const [calls, purchases] = used(this.meter.minute, MINUTE, this.now);
    const [shirts, money] = used(this.meter.day, DAY, this.now);
    const [accountShirts, accountSpend] = used(this.account.day, DAY, this.now);
    return {
      calls,
      purchases,
      minuteFreesAt: freesAt(this.meter.minute, MINUTE, this.now),
      shirts,
      spend: money,
      freesAt: freesAt(this.meter.day, DAY, this.now),
      accountShirts,
      accountSpend,
      accountFreesAt: freesAt(this.account.day, DAY, this.now),
    };
  }

  /** The denial that stops the action, if any. */
  denial(action: Omit<Action, 'tokenScopes' | 'permissions'>): Denial | undefined {
    const { authority, ceiling } = this.account;
    const { scopes: tokenScopes, permissions } = this.#caller;
    return decide(authority, this.grant, ceiling, this.usage, { ...action, tokenScopes, permissions }, this.now);
  }

  /** Throws Refusal when the action is denied. */
  decide(action: Omit<Action, 'tokenScopes' | 'permissions'>): void {
    const denial = this.denial(action);
    if (denial) throw new Refusal(denial);
  }

  /** Records a call that was carried out, and what it bought. `purchase.total` in whole cents. */
  allowed(facts: Facts & { purchase?: { quantity: number; total: number } | undefined }): void {
    const { purchase, ...rest } = facts;
    this.#append({ ...rest, decision: 'allowed' });
    const { minute, day } = this.meter;
    this.#saveMeter({
      minute: spend(minute, MINUTE, this.now, [1, purchase ? 1 : 0]),
      day: purchase ? spend(day, DAY, this.now, [purchase.quantity, purchase.total]) : day,
      unrecorded: 0,
    });
    if (purchase) {
      const spent = spend(this.account.day, DAY, this.now, [purchase.quantity, purchase.total]);
      this.#ledger.account.setDay(spent);
    }
  }

  /** Records a call that was not carried out. Over the limit of a minute, a deputy's refusals share one line a minute. */
  refused(denial: Denial, facts: Facts): void {
    // A deputy that is not in the record, because its human has erased it, leaves nothing in it again.
    if (!this.grant) return;
    const over = used(this.meter.minute, MINUTE, this.now)[0] >= this.grant.mandate.limits.callsPerMinute;
    if (over && this.now < this.meter.sharedAt + MINUTE.length) {
      this.#saveMeter({ unrecorded: this.meter.unrecorded + 1 });
      return;
    }
    this.#append({ ...facts, decision: 'refused', code: denial.code, rule: denial.rule });
    this.#saveMeter({
      unrecorded: 0,
      ...(over ? { sharedAt: this.now } : { minute: spend(this.meter.minute, MINUTE, this.now, [1, 0]) }),
    });
  }

  #append(facts: Facts & Pick<CallEntry, 'decision' | 'code' | 'rule'>): void {
    const { deputyId, clientId } = this.#caller;
    const { tool, order, repeats, arguments: sealed, ...decision } = facts;
    const entry: CallEntry = {
      actor: 'deputy',
      deputy: deputyId,
      client: clientId,
      tool,
      ...decision,
      ...(this.grant && { mandateVersion: this.grant.mandate.version }),
      ...(order && { order }),
      ...(repeats !== undefined && { repeats }),
      ...(sealed !== undefined && { arguments: sealed }),
      ...(this.meter.unrecorded > 0 && { refusedBefore: this.meter.unrecorded }),
    };
    this.#ledger.audit.append(entry, this.#head, this.now);
  }

  #saveMeter(changes: Partial<Meter>): void {
    this.#ledger.deputies.saveMeter(this.#caller.deputyId, { ...this.meter, ...changes, lastSeen: this.now });
  }
}

/** What a line of the audit says of a call, besides who made it and what was decided. */
type Facts = Pick<CallEntry, 'tool'> & { [Key in 'order' | 'repeats' | 'arguments']?: CallEntry[Key] | undefined };
