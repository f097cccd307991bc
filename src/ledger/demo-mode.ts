/** The demo ban of one human: a switch for the stage, seen by all their deputies at once. Independent of authority. */

export const DEMO_MODES = ['normal', 'banned'] as const;
export type DemoMode = (typeof DEMO_MODES)[number];

const KEY = 'demoMode';

export class DemoSwitch {
  readonly #kv: SyncKvStorage;

  constructor(kv: SyncKvStorage) {
    this.#kv = kv;
  }

  read(): DemoMode {
    return this.#kv.get(KEY) === 'banned' ? 'banned' : 'normal';
  }

  write(mode: DemoMode): void {
    this.#kv.put(KEY, mode);
  }

  /** Leaves nothing behind. */
  clear(): void {
    this.#kv.delete(KEY);
  }
}
