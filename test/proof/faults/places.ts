/** KV as different places see it: what one has written shows elsewhere a minute later, and each remembers what it read. */
import { env } from 'cloudflare:workers';
import { vi } from 'vitest';
import type { Chance } from './chance.ts';

/** Milliseconds. Cloudflare says of both "up to 60 seconds or more"; a miss is remembered like a value. */
const SHOWN_AFTER_MS = 60_000;
const REMEMBERED_MS = 60_000;
/** KV takes one write of a key in this time, and refuses another one. */
const BETWEEN_WRITES_MS = 1000;

const PLACES = ['where the browser is', 'where the client is', 'where its next call lands', 'somewhere else'] as const;

/** `value` is null where the key was deleted. */
type Version = { at: number; place: string; value: string | null };
type Anything = (...args: unknown[]) => unknown;

export class Places {
  #here: string = PLACES[0];
  #now = Date.now();
  readonly #chance: Chance;
  readonly #versions = new Map<string, Version[]>();
  readonly #remembered = new Map<string, { at: number; value: string | null }>();

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** From here on OAUTH_KV is like this. `vi.restoreAllMocks` and `vi.useRealTimers` take it down again. */
  begin(): void {
    vi.useFakeTimers({ toFake: ['Date'], now: this.#now });
    this.#replace('get', (key, as) => {
      const text = this.#read(String(key));
      const json = as === 'json' || (as as { type?: string } | undefined)?.type === 'json';
      return text !== null && json ? JSON.parse(text) : text;
    });
    this.#replace('put', (key, value) => this.#write(String(key), String(value)));
    this.#replace('delete', (key) => this.#write(String(key), null));
    this.#replace('list', (options) => this.#list((options as { prefix: string }).prefix));
  }

  /** The next request lands at another place, a moment later: at most so many milliseconds. */
  move(most = 5000): void {
    this.#here = this.#chance.pick(PLACES.filter((place) => place !== this.#here));
    this.wait(this.#chance.between(100, most));
  }

  wait(milliseconds: number): void {
    this.#now += milliseconds;
    vi.setSystemTime(this.#now);
  }

  /** Nobody asks for earlier keys any more. */
  forget(): void {
    this.#versions.clear();
    this.#remembered.clear();
  }

  #read(key: string): string | null {
    const name = `${this.#here} ${key}`;
    const remembered = this.#remembered.get(name);
    if (remembered && this.#now - remembered.at < REMEMBERED_MS) return remembered.value;
    const value = this.#shown(key)?.value ?? null;
    this.#remembered.set(name, { at: this.#now, value });
    return value;
  }

  #shown(key: string): Version | undefined {
    const isShown = ({ at, place }: Version) => place === this.#here || this.#now - at >= SHOWN_AFTER_MS;
    return this.#versions.get(key)?.findLast(isShown);
  }

  #write(key: string, value: string | null): void {
    const versions = this.#versions.get(key) ?? [];
    const last = versions.at(-1);
    if (value !== null && last && this.#now - last.at < BETWEEN_WRITES_MS)
      throw new Error('KV PUT failed: 429 Too Many Requests');
    this.#versions.set(key, [...versions, { at: this.#now, place: this.#here, value }]);
    this.#remembered.set(`${this.#here} ${key}`, { at: this.#now, value });
  }

  #list(prefix: string) {
    const names = [...this.#versions.keys()].filter((key) => key.startsWith(prefix));
    const keys = names.filter((key) => this.#shown(key)?.value).map((name) => ({ name }));
    return { keys, list_complete: true, cacheStatus: null };
  }

  /** The local AuthKit keeps what WorkOS would know in the same namespace, and WorkOS is no KV. */
  #replace(name: 'get' | 'put' | 'delete' | 'list', work: Anything): void {
    const real = env.OAUTH_KV[name].bind(env.OAUTH_KV) as Anything;
    const replaced = async (...args: unknown[]) => {
      const isOfWorkos = JSON.stringify(args[0]).includes('local-authkit:');
      return isOfWorkos ? real(...args) : work(...args);
    };
    vi.spyOn(env.OAUTH_KV, name).mockImplementation(replaced as never);
  }
}
