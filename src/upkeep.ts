/** What a record needs besides calls: a daily round, and copies of its audit for WorkOS. Jobs that survive everything. */
import { z } from 'zod';
import type { Line } from './authority/audit.ts';
import type { Ledger } from './authority/ledger.ts';
import { AUDIT_KEPT, prune, PRUNE_BATCH, recordShared } from './authority/record.ts';
import { log, logError } from './log.ts';
import { backOff } from './shop/outbox.ts';

/** `logged` is the last head that went to the log. */
export const dailyJobSchema = z.object({ logged: z.int() });
export type DailyJob = z.infer<typeof dailyJobSchema>;
export const exportJobSchema = z.object({ exportAttempt: z.int() });
export type ExportJob = z.infer<typeof exportJobSchema>;

/** The object's scheduler, as far as upkeep needs it. Times in seconds since the epoch. */
export type UpkeepJobs = {
  armDaily(seconds: number, job: DailyJob): Promise<string>;
  armExport(seconds: number, job: ExportJob): Promise<string>;
  cancel(id: string): Promise<unknown>;
  list(): Promise<{ id: string; time: number; payload: unknown }[]>;
};

/** Sends one line to WorkOS, under a `key` that repetitions share. False when WorkOS will never take it. */
export type SendLine = (line: Line, key: string) => Promise<boolean>;

const DAY_SECONDS = 24 * 60 * 60;
/** Seconds that lines gather before they are sent. */
const EXPORT_DELAY = 5;
const EXPORT_BATCH = 50;
const AT_ONCE = 1;

export class Upkeep {
  readonly #ledger: Ledger;
  readonly #userId: string;
  readonly #jobs: UpkeepJobs;
  readonly #exporter: () => SendLine | undefined;
  /** When the daily job is due, in seconds since the epoch; undefined when none is armed. */
  #daily: { time: number } | undefined;
  #exporting = false;

  /** `exporter` is undefined while no organization is configured. */
  constructor(ledger: Ledger, userId: string, jobs: UpkeepJobs, exporter: () => SendLine | undefined) {
    this.#ledger = ledger;
    this.#userId = userId;
    this.#jobs = jobs;
    this.#exporter = exporter;
  }

  /** Learns what is armed. */
  async start(): Promise<void> {
    for (const { time, payload } of await this.#jobs.list()) {
      if (dailyJobSchema.safeParse(payload).success) this.#daily = { time };
      if (exportJobSchema.safeParse(payload).success) this.#exporting = true;
    }
  }

  /** Called after every change of the record; arms what is not armed yet. Does not throw: the next change tries again. */
  async touched(): Promise<void> {
    const soon = Date.now() / 1000 + DAY_SECONDS;
    if (!this.#daily || this.#daily.time > soon + 60) await this.#armDaily(DAY_SECONDS, 0);
    if (this.#exporting || !this.#isExported()) return;
    this.#exporting = true;
    await this.#armExport(EXPORT_DELAY, 0);
  }

  #isExported(): boolean {
    try {
      return this.#exporter() !== undefined;
    } catch (error) {
      logError('upkeep_failed', error);
      return false;
    }
  }

  /** The daily round: accounts for what shares a line, prunes, forgets, and puts the head of the audit into the log. */
  async daily({ logged }: DailyJob): Promise<void> {
    let head = { sequence: logged, hash: '' };
    let pruned = 0;
    try {
      recordShared(this.#ledger);
      pruned = prune(this.#ledger);
      const now = this.#ledger.now();
      this.#ledger.deputies.forgetPending(now);
      this.#ledger.idempotency.forgetOld(now);
      head = this.#ledger.audit.head();
      if (head.sequence > logged)
        log({ event: 'audit_head', user: this.#userId, sequence: head.sequence, hash: head.hash });
    } catch (error) {
      logError('upkeep_failed', error);
    }
    const next = this.#nextDaily(head.sequence > logged, pruned);
    this.#daily = undefined;
    if (next !== undefined) await this.#armDaily(next, head.sequence);
  }

  /** Seconds until the next round. A record that nothing happens to is left alone until its oldest line is to be pruned. */
  #nextDaily(busy: boolean, pruned: number): number | undefined {
    if (pruned === PRUNE_BATCH) return AT_ONCE;
    if (busy) return DAY_SECONDS;
    const [oldest, next] = this.#ledger.audit.lines(0, 2);
    const onlyPruned = oldest?.actor === 'system' && oldest.act === 'pruned' && !next;
    if (!oldest || onlyPruned) return undefined;
    return Math.max(DAY_SECONDS, Math.ceil((Date.parse(oldest.at) + AUDIT_KEPT - Date.now()) / 1000) + 60);
  }

  /** Arms the one daily job, in place of any other. Does not throw. */
  async #armDaily(seconds: number, logged: number): Promise<void> {
    // Noted before anything is waited for, so that calls that come meanwhile do not arm another one.
    this.#daily = { time: Date.now() / 1000 + seconds };
    try {
      const others = (await this.#jobs.list()).filter(({ payload }) => dailyJobSchema.safeParse(payload).success);
      await this.#jobs.armDaily(seconds, { logged });
      for (const { id } of others) await this.#jobs.cancel(id);
    } catch (error) {
      this.#daily = undefined;
      logError('upkeep_failed', error);
    }
  }

  async #armExport(seconds: number, exportAttempt: number): Promise<void> {
    try {
      await this.#jobs.armExport(seconds, { exportAttempt });
    } catch (error) {
      this.#exporting = false;
      logError('upkeep_failed', error);
    }
  }

  /** Sends lines that WorkOS does not have, in their order. A job that throws would be dropped, so this does not throw. */
  async export({ exportAttempt }: ExportJob): Promise<void> {
    const send = this.#exporter();
    let attempt = 0;
    let left = false;
    try {
      const { exported, recordId } = this.#ledger.account.read();
      const lines = this.#ledger.audit.lines(exported, EXPORT_BATCH);
      for (const line of send ? lines : []) {
        const taken = await send?.(line, `${recordId}-${line.sequence}`);
        if (!taken) logError('audit_line_refused', `line ${line.sequence}`, { user: this.#userId });
        this.#ledger.account.setExported(recordId, line.sequence);
      }
      left = send !== undefined && this.#ledger.audit.head().sequence > this.#ledger.account.read().exported;
    } catch (error) {
      logError('audit_export_failed', error);
      attempt = exportAttempt + 1;
      left = true;
    }
    this.#exporting = left;
    if (left) await this.#armExport(attempt === 0 ? AT_ONCE : backOff(attempt), attempt);
  }
}
