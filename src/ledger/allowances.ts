/** What a human said yes to in advance: so many more like one effect, of one deputy, for an hour. */
import { z } from 'zod';
import type { Effect } from './effects.ts';

/** Like it: made by the same deputy with the same tool, the same in what the domain says, and of no unit more. */
const allowanceSchema = z.object({
  /** The line of the yes. */
  line: z.int(),
  deputyId: z.string(),
  tool: z.string(),
  /** What a call like it has too, in canonical form. */
  like: z.string(),
  amounts: z.record(z.string(), z.int()),
  /** It holds for that version of the mandate only. */
  mandateVersion: z.int(),
  /** How many are left. */
  count: z.int(),
  /** Milliseconds since the epoch. */
  endsAt: z.int(),
});
export type Allowance = z.infer<typeof allowanceSchema>;

/** All of them are one value: they are few, and always read together. */
const KEY = 'allowances';
const listSchema = z.array(allowanceSchema);

export class Allowances {
  readonly #kv: SyncKvStorage;

  constructor(kv: SyncKvStorage) {
    this.#kv = kv;
  }

  keep(allowance: Allowance): void {
    this.#kv.put(KEY, [allowance, ...this.#all()]);
  }

  /** Those that are not used up and have not ended, newest first. */
  open(now: number): Allowance[] {
    return this.#all().filter(({ count, endsAt }) => count > 0 && endsAt > now);
  }

  /** Uses the newest that allows this effect, of that tool and like that, under that version of the mandate; tells its line. */
  use(effect: Effect, tool: string, like: string, mandateVersion: number, now: number): number | undefined {
    const found = this.open(now).find(
      (one) =>
        one.deputyId === effect.deputyId &&
        one.tool === tool &&
        one.mandateVersion === mandateVersion &&
        one.like === like &&
        Object.entries(effect.amounts).every(([unit, amount]) => amount <= (one.amounts[unit] ?? 0)),
    );
    if (!found) return undefined;
    this.#kv.put(
      KEY,
      this.#all().map((one) => (one.line === found.line ? { ...one, count: one.count - 1 } : one)),
    );
    return found.line;
  }

  /** Ends one; tells whose it was, or undefined when there is none of that line. */
  end(line: number): string | undefined {
    const all = this.#all();
    const ended = all.find((one) => one.line === line);
    if (ended)
      this.#kv.put(
        KEY,
        all.filter((one) => one !== ended),
      );
    return ended?.deputyId;
  }

  forgetOld(now: number): void {
    const all = this.#all();
    const left = this.open(now);
    if (left.length < all.length) this.#kv.put(KEY, left);
  }

  /** The clock was ahead, or the storage went back: it is not known what is left of them. Or the human deletes their data. */
  endAll(): void {
    this.#kv.delete(KEY);
  }

  #all(): Allowance[] {
    return listSchema.parse(this.#kv.get(KEY) ?? []);
  }
}
