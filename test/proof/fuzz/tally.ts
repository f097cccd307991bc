/** What was sent, and what came back. */
import type { HostileRequest } from './request.ts';

export class Tally {
  readonly #statuses = new Map<string, Map<number, number>>();
  readonly #calls = new Map<number, number>();
  /** Clients that were registered. */
  registered = 0;

  add({ about, who, mayBeCall, method, path }: HostileRequest, status: number): void {
    const statuses = this.#statuses.get(about) ?? new Map<number, number>();
    this.#statuses.set(about, statuses.set(status, (statuses.get(status) ?? 0) + 1));
    if (path === '/register' && method === 'POST' && status === 201) this.registered += 1;
    if (!mayBeCall || !who.startsWith('deputy:')) return;
    const index = Number(who.slice('deputy:'.length));
    this.#calls.set(index, (this.#calls.get(index) ?? 0) + 1);
  }

  /** Requests of that deputy that may have been a call. */
  callsOf(deputy: number): number {
    return this.#calls.get(deputy) ?? 0;
  }

  table(): string {
    const rows = [...this.#statuses].toSorted(([one], [other]) => one.localeCompare(other));
    const lines = rows.map(([about, statuses]) => {
      const sum = [...statuses.values()].reduce((one, other) => one + other, 0);
      const list = [...statuses]
        .toSorted(([one], [other]) => one - other)
        .map(([status, count]) => `${status}: ${count}`);
      return `${about.padEnd(20)}${String(sum).padStart(7)}   ${list.join('  ')}`;
    });
    return [`${'sent to'.padEnd(20)}${'number'.padStart(7)}   answers by status`, ...lines].join('\n');
  }
}
