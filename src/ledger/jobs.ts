/** Jobs that survive restarts of the object: their kinds, and the scheduler as the ledger needs it. */
import { z } from 'zod';

export const jobSchema = z.discriminatedUnion('kind', [
  /** The daily round. `logged` is the last head that went to the log. */
  z.object({ kind: z.literal('daily'), logged: z.int() }),
  /** Exports lines. `attempt` counts the tries that failed before. */
  z.object({ kind: z.literal('export'), attempt: z.int() }),
  /** Ends questions that nobody answered in time. */
  z.object({ kind: z.literal('lapse') }),
  /** Closes pages whose session is over. */
  z.object({ kind: z.literal('closePages') }),
]);
export type Job = z.infer<typeof jobSchema>;
export type JobOf<Kind extends Job['kind']> = Extract<Job, { kind: Kind }>;

export type Jobs = {
  /** Runs the job in so many seconds. */
  arm(seconds: number, job: Job): Promise<void>;
  cancel(id: string): Promise<unknown>;
  /** `time` in seconds since the epoch. */
  list(): Promise<{ id: string; time: number; job: Job }[]>;
};

/** The armed jobs of one kind. */
export async function armed<Kind extends Job['kind']>(
  jobs: Jobs,
  kind: Kind,
): Promise<{ id: string; time: number; job: JobOf<Kind> }[]> {
  const isOfKind = (job: Job): job is JobOf<Kind> => job.kind === kind;
  return (await jobs.list()).flatMap(({ id, time, job }) => (isOfKind(job) ? [{ id, time, job }] : []));
}

/** Seconds until the next try: 5, 10, 20 and so on, an hour at most. */
export function backOffSeconds(attempts: number): number {
  return Math.min(5 * 2 ** attempts, 3600);
}
