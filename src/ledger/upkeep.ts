/** What a ledger needs besides calls: a daily round, and copies of its record elsewhere. */
import { RECORD_KEPT_MS } from '../lifetimes.ts';
import { log, logError } from '../log.ts';
import { oneByOne } from '../steps.ts';
import { armed, backOffSeconds, type JobOf, type Jobs } from './jobs.ts';
import type { Ledger } from './ledger.ts';
import { prune, PRUNE_BATCH, recordingShared } from './prune.ts';
import type { Line } from './record.ts';

/** Exports one line, under a `key` that repetitions share. False when that line was refused. Throws when none can be sent now. */
export type SendLine = (line: Line, key: string) => Promise<boolean>;

const DAILY_SECONDS = 24 * 60 * 60;
/** Seconds that lines gather before they are sent. */
const EXPORT_DELAY_SECONDS = 5;
const EXPORT_BATCH = 50;
const AT_ONCE_SECONDS = 1;
/** A line that was refused so often is left out. */
const MOST_TRIES = 3;

export class Upkeep {
  readonly #ledger: Ledger;
  readonly #userId: string;
  readonly #jobs: Jobs;
  readonly #exporter: () => SendLine | undefined;
  /** When the daily job is due, in seconds since the epoch; undefined when none is armed. */
  #daily: { time: number } | undefined;
  #exporting = false;

  /** `exporter` is undefined while no organization is configured. */
  constructor(ledger: Ledger, userId: string, jobs: Jobs, exporter: () => SendLine | undefined) {
    this.#ledger = ledger;
    this.#userId = userId;
    this.#jobs = jobs;
    this.#exporter = exporter;
  }

  /** Learns what is armed. */
  async start(): Promise<void> {
    const [daily] = await armed(this.#jobs, 'daily');
    if (daily) this.#daily = { time: daily.time };
    this.#exporting = (await armed(this.#jobs, 'export')).length > 0;
  }

  /** Called after every change of the record; arms what is not armed yet. Does not throw: the next change tries again. */
  async touched(): Promise<void> {
    const soon = Date.now() / 1000 + DAILY_SECONDS;
    if (!this.#daily || this.#daily.time > soon + 60) await this.#armDaily(DAILY_SECONDS, 0);
    if (this.#exporting || !this.#isExported()) return;
    this.#exporting = true;
    await this.#armExport(EXPORT_DELAY_SECONDS, 0);
  }

  #isExported(): boolean {
    try {
      return this.#exporter() !== undefined;
    } catch (error) {
      logError('upkeep_failed', error);
      return false;
    }
  }

  /** The daily round: accounts for what shares a line, prunes, forgets, and puts the head of the record into the log. */
  async daily({ logged }: JobOf<'daily'>): Promise<void> {
    let head = { sequence: logged, hash: '' };
    let pruned = 0;
    try {
      await oneByOne(recordingShared(this.#ledger));
      pruned = prune(this.#ledger);
      const now = this.#ledger.now();
      this.#ledger.deputies.forgetPending(now);
      this.#ledger.idempotency.forgetOld(now);
      this.#ledger.answers.forgetOld();
      this.#ledger.approvals.forgetOld(now);
      this.#ledger.allowances.forgetOld(now);
      head = this.#ledger.record.head();
      if (head.sequence > logged)
        log({ event: 'audit_head', user: this.#userId, sequence: head.sequence, hash: head.hash });
    } catch (error) {
      logError('upkeep_failed', error);
    }
    const next = this.#nextDaily(head.sequence > logged, pruned);
    this.#daily = undefined;
    if (next !== undefined) await this.#armDaily(next, head.sequence);
  }

  /** Seconds until the next round. A record without new lines is left alone until its oldest line is to be pruned. */
  #nextDaily(busy: boolean, pruned: number): number | undefined {
    if (pruned === PRUNE_BATCH) return AT_ONCE_SECONDS;
    if (busy) return DAILY_SECONDS;
    const [oldest, next] = this.#ledger.record.lines(0, 2);
    const onlyPruned = oldest?.actor === 'system' && oldest.act === 'pruned' && !next;
    if (!oldest || onlyPruned) return undefined;
    return Math.max(DAILY_SECONDS, Math.ceil((Date.parse(oldest.at) + RECORD_KEPT_MS - Date.now()) / 1000) + 60);
  }

  /** Arms the one daily job, in place of any other. Does not throw. */
  async #armDaily(seconds: number, logged: number): Promise<void> {
    // Noted before anything is waited for, so that calls in between do not arm another one.
    this.#daily = { time: Date.now() / 1000 + seconds };
    try {
      const others = await armed(this.#jobs, 'daily');
      await this.#jobs.arm(seconds, { kind: 'daily', logged });
      for (const { id } of others) await this.#jobs.cancel(id);
    } catch (error) {
      this.#daily = undefined;
      logError('upkeep_failed', error);
    }
  }

  async #armExport(seconds: number, attempt: number): Promise<void> {
    try {
      await this.#jobs.arm(seconds, { kind: 'export', attempt });
    } catch (error) {
      this.#exporting = false;
      logError('upkeep_failed', error);
    }
  }

  /** Exports lines that were not exported yet, in their order. A job that throws would be dropped, so this does not throw. */
  async export({ attempt: before }: JobOf<'export'>): Promise<void> {
    const send = this.#exporter();
    let tried = before;
    let failed = false;
    let left = false;
    try {
      const { exported, recordId } = this.#ledger.account.read();
      const lines = this.#ledger.record.lines(exported, EXPORT_BATCH);
      for (const line of send ? lines : []) {
        const taken = await send?.(line, `${recordId}-${line.sequence}`);
        if (!taken && tried + 1 < MOST_TRIES) throw new Error(`line ${line.sequence} was refused`);
        if (!taken) logError('audit_line_refused', `line ${line.sequence}`, { user: this.#userId });
        this.#ledger.account.setExported(recordId, line.sequence);
        tried = 0;
      }
      left = send !== undefined && this.#ledger.record.head().sequence > this.#ledger.account.read().exported;
    } catch (error) {
      logError('audit_export_failed', error);
      failed = true;
      left = true;
    }
    this.#exporting = left;
    if (!left) return;
    if (!failed) return this.#armExport(AT_ONCE_SECONDS, 0);
    // Spread, because what stopped one record stopped all of them.
    const seconds = Math.ceil(backOffSeconds(tried + 1) * (1 - Math.random() / 2));
    await this.#armExport(seconds, tried + 1);
  }
}
