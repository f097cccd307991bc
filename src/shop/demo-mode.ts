/** The demo ban of one user: a switch for the stage, seen by every client of that user at once. */

export const DEMO_MODES = ['normal', 'banned'] as const;
export type DemoMode = (typeof DEMO_MODES)[number];

const KEY = 'demoMode';

export function readDemoMode(kv: SyncKvStorage): DemoMode {
  return kv.get(KEY) === 'banned' ? 'banned' : 'normal';
}

export function writeDemoMode(kv: SyncKvStorage, mode: DemoMode): void {
  kv.put(KEY, mode);
}

/** Leaves nothing behind. */
export function clearDemoMode(kv: SyncKvStorage): void {
  kv.delete(KEY);
}
