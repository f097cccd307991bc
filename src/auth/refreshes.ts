/** One refresh of a session for all who ask at the same time: WorkOS lets a session be refreshed a single time. */
import type { Refreshed } from './sealed-session.ts';

/** Milliseconds for which a refreshed session is handed to others that still hold the old one. */
const SHARED_MS = 60_000;

export class Refreshes {
  readonly #known = new Map<string, { at: number; result: Promise<Refreshed>; done: boolean }>();

  /**
   * Runs `refresh` once for all who ask for the same `key` within a minute, and gives each its result. A refresh without
   * an answer is tried again by the next one. `earlier` tells that the result was there before this call came.
   */
  async once(key: string, refresh: () => Promise<Refreshed>): Promise<{ result: Refreshed; earlier: boolean }> {
    const now = Date.now();
    for (const [known, { at }] of this.#known) if (now - at > SHARED_MS) this.#known.delete(known);
    const shared = this.#known.get(key) ?? { at: now, result: refresh(), done: false };
    const earlier = shared.done;
    this.#known.set(key, shared);
    // The one that refreshes may hang up, and its promise breaks with it.
    const result = await shared.result.catch((error: unknown) => ({ unavailable: String(error) }));
    shared.done = true;
    if ('unavailable' in result) this.#known.delete(key);
    return { result, earlier };
  }
}
