/** A line each half minute: how much was done since the last one, and what memory the server holds. */
import type { BenchServer } from '../bench/bench-server.ts';

const EVERY = 30_000;

export class Clock {
  readonly #server: BenchServer;
  #timer: NodeJS.Timeout | undefined;
  #finish: () => void = () => {};

  constructor(server: BenchServer) {
    this.#server = server;
  }

  /** Begins to print; `done` is how many `things` were done so far. */
  start(things: string, done: () => number): void {
    const begin = Date.now();
    let [last, lastAt] = [0, begin];
    const line = () => {
      const [count, now] = [done(), Date.now()];
      const rate = ((count - last) * 1000) / Math.max(1, now - lastAt);
      console.log(
        `  ${((now - begin) / 1000).toFixed(0).padStart(4)} s  ${String(count).padStart(8)} ${things}  ${rate.toFixed(1).padStart(8)} a second  workerd ${mib(this.memory())}`,
      );
      [last, lastAt] = [count, now];
    };
    this.#timer = setInterval(line, EVERY);
    this.#finish = () => {
      line();
      const seconds = (Date.now() - begin) / 1000;
      console.log(
        `  ${done().toLocaleString('en')} ${things} in ${seconds.toFixed(0)} s: ${(done() / seconds).toFixed(1)} a second.`,
      );
    };
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#finish();
  }

  /** Resident memory of workerd, in bytes. */
  memory(): number {
    return this.#server.memory().now;
  }
}

export function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(bytes < 100 * 2 ** 20 ? 1 : 0)} MiB`;
}
