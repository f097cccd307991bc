/** What the lines of the record say was used: counted line by line, for Verify and for a limit that is new. */
import { ACTS, type Amounts } from '../authority/terms.ts';
import { addUse, freeUse, type Pair, setBack, type Windows } from '../authority/window.ts';
import { isEnded } from './approvals.ts';
import type { Line } from './record.ts';

export class Counting {
  readonly #pairs: { own: readonly Pair[]; all: readonly Pair[] };
  /** What each deputy used, and all of them together. */
  readonly own = new Map<string, Windows>();
  all: Windows;
  /** What waits for the human: whose it is, and what is free again when nothing comes of it. */
  readonly #waiting = new Map<string, { deputy: string; amounts: Amounts; at: number }>();

  constructor(pairs: { own: readonly Pair[]; all: readonly Pair[] }, before: Windows) {
    this.#pairs = pairs;
    this.all = before;
  }

  add(line: Line): void {
    const at = Date.parse(line.at);
    if (line.actor === 'system' && line.act === 'clock') this.#setBack(at + line.aheadMs, at);
    if (!('effect' in line) || !line.effect) return;
    const { id, state, amounts } = line.effect;
    const waiting = this.#waiting.get(id);
    if (waiting) {
      this.#waiting.delete(id);
      if (isEnded(state)) this.#free(waiting);
    }
    if (!amounts) return;
    this.#change(line.deputy, (windows, pairs) => addUse(windows, pairs, { ...amounts, [ACTS]: 1 }, at));
    if ('decision' in line && line.decision === 'asked') this.#waiting.set(id, { deputy: line.deputy, amounts, at });
  }

  #free({ deputy, amounts, at }: { deputy: string; amounts: Amounts; at: number }): void {
    this.#change(deputy, (windows, pairs) => freeUse(windows, pairs, amounts, at));
  }

  #change(deputy: string, change: (windows: Windows, pairs: readonly Pair[]) => Windows): void {
    this.own.set(deputy, change(this.own.get(deputy) ?? {}, this.#pairs.own));
    this.all = change(this.all, this.#pairs.all);
  }

  #setBack(ahead: number, now: number): void {
    for (const [id, windows] of this.own) this.own.set(id, setBack(windows, this.#pairs.own, ahead, now));
    this.all = setBack(this.all, this.#pairs.all, ahead, now);
    for (const waiting of this.#waiting.values()) waiting.at = Math.min(waiting.at, now);
  }
}
