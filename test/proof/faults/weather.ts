/** What goes wrong, by chance: KV, WorkOS, the way to the object, its storage, its scheduler, its life, and the clock. */
import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { vi } from 'vitest';
import { Account } from '../../../src/ledger/account.ts';
import { Effects } from '../../../src/ledger/effects.ts';
import { IdempotencyKeys } from '../../../src/ledger/idempotency.ts';
import { Meters } from '../../../src/ledger/meters.ts';
import { RecordLines } from '../../../src/ledger/record.ts';
import { McpShopServer } from '../../../src/mcp-server.ts';
import type { Chance } from './chance.ts';

/** The share of operations that each fault befalls, from 0 to 1. */
export const FAULTS = {
  'KV refuses': 0.15,
  'KV writes, and its answer is lost': 0.08,
  'KV is slow': 0.2,
  'KV hangs': 0.03,
  'WorkOS breaks': 0.1,
  'WorkOS is slow': 0.2,
  'WorkOS hangs': 0.03,
  'a token cannot be read': 0.01,
  'the object is not reached': 0.02,
  "the object's answer is lost": 0.03,
  'storage fails before a write': 0.01,
  'storage fails after a write': 0.01,
  'the scheduler refuses': 0.25,
  'the object dies during a KV write': 0.03,
} as const;
export type Fault = keyof typeof FAULTS;

/** A call or a page waits for others in real time; here everybody's patience is a tenth of what it is. */
const HASTE = 10;
/** Milliseconds, longer than anybody's patience, after which what hangs goes on. */
const HANGS = 800;
/** Each costs the patience of somebody, so there are few in one scenario. */
const MOST_HANGING = 4;

type Anything = (...args: unknown[]) => unknown;

/** The clock that everything reads; it stands still unless it is moved. */
export class Clock {
  /** The highest time it ever showed, in milliseconds. */
  latest: number;
  #now: number;
  readonly #watching = new Set<{ low: number; high: number }>();

  constructor() {
    this.#now = Date.now();
    this.latest = this.#now;
    vi.useFakeTimers({ toFake: ['Date'], now: this.#now });
  }

  /** Watches the clock; what it returns ends that, and tells the lowest and the highest time meanwhile. */
  watch(): () => { low: number; high: number } {
    const seen = { low: this.#now, high: this.#now };
    this.#watching.add(seen);
    return () => {
      this.#watching.delete(seen);
      return seen;
    };
  }

  get now(): number {
    return this.#now;
  }

  /** Moves it, back when `milliseconds` is negative. */
  step(milliseconds: number): void {
    this.#now += milliseconds;
    this.latest = Math.max(this.latest, this.#now);
    for (const seen of this.#watching) {
      seen.low = Math.min(seen.low, this.#now);
      seen.high = Math.max(seen.high, this.#now);
    }
    vi.setSystemTime(this.#now);
  }
}

export class Weather {
  /** How often each thing went wrong. */
  readonly counts = new Map<string, number>();
  readonly #chance: Chance;
  readonly #kinds: ReadonlySet<Fault>;
  readonly #object: () => DurableObjectStub<McpShopServer>;
  #releases = 0;
  #doomed = false;
  /** Counts the lives of the object: what it had sent when it ended gets nowhere any more. */
  #life = 0;
  #reaper: Promise<void> | undefined;
  #hung = 0;
  #stormy = false;

  constructor(chance: Chance, kinds: Iterable<Fault>, object: () => DurableObjectStub<McpShopServer>) {
    this.#chance = chance;
    this.#kinds = new Set(kinds);
    this.#object = object;
  }

  /** From here on things go wrong. `vi.restoreAllMocks` takes it all down again. */
  begin(): void {
    this.#stormy = true;
    const wait = globalThis.setTimeout;
    const hastily = (work: () => void, milliseconds = 0) => wait(work, milliseconds / HASTE);
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(hastily);
    this.#breakKv();
    this.#breakWorkosAndTokens();
    this.#breakTheWay();
    this.#breakTheObject();
    this.#reaper = this.#reap();
  }

  /** Nothing goes wrong any more; what hung comes in late. */
  async calm(): Promise<void> {
    this.#stormy = false;
    this.release();
    await this.#reaper;
  }

  /** An object cannot end itself in the middle of something and see the end of it: this looks on from outside. */
  async #reap(): Promise<void> {
    while (this.#stormy) {
      if (this.#doomed) await this.end('aborted');
      this.#doomed = false;
      await scheduler.wait(2);
    }
  }

  /** Lets everything that hangs go on. */
  release(): void {
    this.#releases += 1;
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  get storageFailures(): number {
    const of = (fault: Fault) => this.counts.get(fault) ?? 0;
    return of('storage fails before a write') + of('storage fails after a write');
  }

  /** Ends the object in one of the ways there are. */
  async end(how: 'evicted' | 'aborted' | 'restarted'): Promise<void> {
    this.#life += 1;
    try {
      if (how === 'restarted') await abortAllDurableObjects();
      else if (how === 'evicted') await evictDurableObject(this.#object());
      else await runInDurableObject(this.#object(), (_, state) => state.abort('ended by the weather'));
    } catch {
      // An abort breaks what asked for it, too; and who is not there cannot be evicted.
    }
    this.count({ evicted: 'object evicted', aborted: 'object aborted', restarted: 'Worker restarted' }[how]);
  }

  #strikes(fault: Fault): boolean {
    if (!this.#stormy || !this.#kinds.has(fault) || !this.#chance.happens(FAULTS[fault])) return false;
    if (fault.endsWith('hangs') && this.#hung++ >= MOST_HANGING) return false;
    this.count(fault);
    return true;
  }

  /** Whoever hangs looks again and again by itself: a promise of one object must not be resolved by another one. */
  async #untilReleased(): Promise<void> {
    const before = this.#releases;
    for (let waited = 0; waited < HANGS && this.#releases === before; waited += 5) await scheduler.wait(5);
  }

  #breakKv(): void {
    const put = env.ORDERS.put.bind(env.ORDERS);
    vi.spyOn(env.ORDERS, 'put').mockImplementation(async (key, value, options) => {
      const life = this.#life;
      if (this.#strikes('the object dies during a KV write')) {
        this.#doomed = true;
        await scheduler.wait(this.#chance.between(0, 8));
      }
      if (this.#strikes('KV refuses')) throw new Error('KV is down');
      if (this.#strikes('KV is slow')) await scheduler.wait(this.#chance.between(1, 25));
      if (this.#strikes('KV hangs')) await this.#untilReleased();
      if (life !== this.#life) throw new Error('the object that wrote this has ended');
      await put(key, value, options);
      if (this.#strikes('KV writes, and its answer is lost')) throw new Error('KV lost its answer');
    });
  }

  /** The local AuthKit keeps all that it knows under one prefix, in the same KV as the tokens. */
  #breakWorkosAndTokens(): void {
    const get = env.OAUTH_KV.get.bind(env.OAUTH_KV) as (...args: unknown[]) => Promise<never>;
    vi.spyOn(env.OAUTH_KV, 'get').mockImplementation(async (...args: unknown[]) => {
      const name = String(args[0]);
      if (name.startsWith('token:') && this.#strikes('a token cannot be read')) throw new Error('KV is down');
      if (name.startsWith('local-authkit:')) {
        if (this.#strikes('WorkOS breaks')) throw new Error('WorkOS is down');
        if (this.#strikes('WorkOS is slow')) await scheduler.wait(this.#chance.between(1, 40));
        if (this.#strikes('WorkOS hangs')) await this.#untilReleased();
      }
      return get(...args);
    });
  }

  /** Between the Worker and the object: a request that does not get there, or an answer that does not come back. */
  #breakTheWay(): void {
    const find = env.MCP_OBJECT.getByName.bind(env.MCP_OBJECT);
    vi.spyOn(env.MCP_OBJECT, 'getByName').mockImplementation((name) => {
      const stub = find(name);
      return new Proxy(stub, {
        get:
          (_, method) =>
          async (...args: unknown[]) => {
            if (this.#strikes('the object is not reached')) throw new Error('the object cannot be reached');
            // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whatever method it is, it is passed on as it came
            const methods = stub as unknown as Record<string | symbol, Anything>;
            const answer = await methods[method]?.(...args);
            if (this.#strikes("the object's answer is lost")) throw new Error('the answer of the object is lost');
            return answer;
          },
      });
    });
  }

  #breakTheObject(): void {
    // oxlint-disable-next-line typescript/unbound-method -- it is called with its object
    const schedule = McpShopServer.prototype.schedule as Anything;
    const unlessRefused = (broken: () => boolean) =>
      function (this: McpShopServer, ...args: unknown[]): unknown {
        if (broken()) return Promise.reject(new Error('the scheduler is down'));
        return schedule.apply(this, args);
      };
    vi.spyOn(McpShopServer.prototype, 'schedule').mockImplementation(
      unlessRefused(() => this.#strikes('the scheduler refuses')) as typeof McpShopServer.prototype.schedule,
    );
    this.#breakWrites(RecordLines.prototype, 'append');
    this.#breakWrites(Meters.prototype, 'save');
    this.#breakWrites(Account.prototype, 'setWindows');
    this.#breakWrites(Effects.prototype, 'make');
    this.#breakWrites(Effects.prototype, 'change');
    this.#breakWrites(IdempotencyKeys.prototype, 'keep');
  }

  #breakWrites(prototype: object, name: string): void {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whatever method it is, its arguments are passed on as they came
    const methods = prototype as Record<string, Anything>;
    const write = methods[name];
    const before = () => this.#strikes('storage fails before a write');
    const after = () => this.#strikes('storage fails after a write');
    vi.spyOn(methods, name).mockImplementation(function (this: unknown, ...args: unknown[]): unknown {
      if (before()) throw new Error('storage is down');
      const result = write?.apply(this, args);
      if (after()) throw new Error('storage broke');
      return result;
    });
  }
}
