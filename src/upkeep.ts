/** What a record needs besides calls: a daily round, and copies of its audit for WorkOS. Jobs that survive everything. */
import { z } from 'zod';
import type { Line } from './authority/audit.ts';
import type { Ledger } from './authority/ledger.ts';
import { AUDIT_KEPT, prune, recordShared } from './authority/record.ts';
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

/** Sends one line to WorkOS. `key` makes a repetition harmless. */
export type SendLine = (line: Line, key: string) => Promise<void>;

const DAY_SECONDS = 24 * 60 * 60;
/** Seconds that lines gather before they are sent. */
const EXPORT_DELAY = 5;
const EXPORT_BATCH = 50;

export class Upkeep {
  readonly #ledger: Ledger;
  readonly #userId: string;
  readonly #jobs: UpkeepJobs;
  readonly #exporter: () => SendLine | undefined;
  /** The daily job that is armed, and when it is due, in seconds since the epoch. */
  #daily: { id: string; time: number } | undefined;
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
    for (const { id, time, payload } of await this.#jobs.list()) {
      if (dailyJobSchema.safeParse(payload).success) this.#daily = { id, time };
      if (exportJobSchema.safeParse(payload).success) this.#exporting = true;
    }
  }

  /** Called after every change of the record; arms what is not armed yet. Does not throw: the next change tries again. */
  async touched(): Promise<void> {
    try {
      const soon = Date.now() / 1000 + DAY_SECONDS;
      if (!this.#daily || this.#daily.time > soon + 60) {
        const { id } = this.#daily ?? {};
        this.#daily = { id: '', time: soon };
        this.#daily.id = await this.#jobs.armDaily(DAY_SECONDS, { logged: 0 });
        if (id) await this.#jobs.cancel(id);
      }
      if (!this.#exporting && this.#exporter()) {
        this.#exporting = true;
        await this.#jobs.armExport(EXPORT_DELAY, { exportAttempt: 0 });
      }
    } catch (error) {
      this.#daily = undefined;
      this.#exporting = false;
      logError('upkeep_failed', error);
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
    await this.#armNextDaily(head.sequence > logged || pruned > 0, head.sequence);
  }

  /** A record that nothing happens to is left alone until its oldest line is to be pruned. */
  async #armNextDaily(busy: boolean, logged: number): Promise<void> {
    this.#daily = undefined;
    const [oldest, next] = this.#ledger.audit.lines(0, 2);
    const onlyPruned = oldest?.actor === 'system' && oldest.act === 'pruned' && !next;
    if (!oldest || onlyPruned) return;
    const quiet = Math.max(DAY_SECONDS, Math.ceil((Date.parse(oldest.at) + AUDIT_KEPT - Date.now()) / 1000) + 60);
    const seconds = busy ? DAY_SECONDS : quiet;
    try {
      const id = await this.#jobs.armDaily(seconds, { logged });
      this.#daily = { id, time: Date.now() / 1000 + seconds };
    } catch (error) {
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
        await send?.(line, `${recordId}-${line.sequence}`);
        this.#ledger.account.setExported(recordId, line.sequence);
      }
      left = send !== undefined && this.#ledger.audit.head().sequence > this.#ledger.account.read().exported;
    } catch (error) {
      logError('audit_export_failed', error);
      attempt = exportAttempt + 1;
      left = true;
    }
    this.#exporting = left;
    if (!left) return;
    try {
      await this.#jobs.armExport(attempt === 0 ? 1 : backOff(attempt), { exportAttempt: attempt });
    } catch (error) {
      this.#exporting = false;
      logError('upkeep_failed', error);
    }
  }
}
