/**
 * Any history of questions, answers, pauses, terms, clocks, failing storage and restores: nothing is ordered without a yes that
 * holds, nothing that ended comes back, what came to nothing is free again, and the record says what the tables say.
 */
import * as fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { amend, erase, pause, resign, resume, resumeOne, revoke, setCeiling } from '../../src/ledger/acts.ts';
import { isEnded } from '../../src/ledger/approvals.ts';
import { agreementOf, approve, deny, denyAndPause, endAllowance } from '../../src/ledger/approving.ts';
import { useOf } from '../../src/authority/window.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { prune } from '../../src/ledger/prune.ts';
import type { Line } from '../../src/ledger/record.ts';
import { Restore } from '../../src/ledger/restore.ts';
import { verify } from '../../src/ledger/verify.ts';
import { callerOf, employ, inLedger, ledgerOver, mandateOf, serve } from '../support/ledger.ts';
import { PURCHASE } from '../support/shop.ts';

const HISTORIES = Number(process.env['VITE_QUESTION_HISTORIES'] ?? 60);
/** Over midnight. */
const START = Date.parse('2026-11-23T23:40:00Z');
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Far enough that what was counted before may count no more, or back. */
const JUMPS = [-30 * MINUTE_MS, -90_000, 25 * 60 * MINUTE_MS, 91 * DAY_MS];

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const who = fc.nat(1);
const any = fc.nat(9);
const { constant, constantFrom, record, boolean, option, oneof } = fc;
const steps = oneof(
  {
    weight: 12,
    arbitrary: record({
      do: constant('buy' as const),
      who,
      company: constantFrom('A', 'B'),
      quantity: constantFrom(1, 4, 4, 5),
      key: option(fc.nat(5), { nil: undefined }),
    }),
  },
  {
    weight: 9,
    arbitrary: record({
      do: constant('yes' as const),
      any,
      next: boolean(),
      grade: constantFrom('pressed' as const, 'confirmed' as const, 'confirmed' as const),
    }),
  },
  { weight: 3, arbitrary: record({ do: constant('no' as const), any, stop: boolean() }) },
  { weight: 4, arbitrary: record({ do: constant('cancel' as const), who, any }) },
  { weight: 2, arbitrary: record({ do: constant('pause' as const) }) },
  { weight: 6, arbitrary: record({ do: constant('resume' as const), who }) },
  { weight: 2, arbitrary: record({ do: constant('amend' as const), who, most: constantFrom(4, 20) }) },
  { weight: 2, arbitrary: record({ do: constant('ceiling' as const), most: constantFrom(5, 100) }) },
  {
    weight: 2,
    arbitrary: record({ do: constant('end' as const), who, how: constantFrom('revoke', 'resign', 'replace') }),
  },
  { weight: 1, arbitrary: record({ do: constantFrom('erase' as const, 'restore' as const, 'take back' as const) }) },
  { weight: 2, arbitrary: record({ do: constantFrom('prune' as const, 'start anew' as const) }) },
  { weight: 2, arbitrary: record({ do: constant('fail' as const), after: fc.nat(2) }) },
  {
    weight: 5,
    arbitrary: record({ do: constant('wait' as const), ms: constantFrom(MINUTE_MS, 11 * MINUTE_MS, ...JUMPS) }),
  },
);
type Step = typeof steps extends fc.Arbitrary<infer Of> ? Of : never;

class History {
  ledger: Ledger;
  readonly #storage: DurableObjectStorage;
  readonly #times = [0, 0];
  /** By the line of the yes: how many more like it, and like what. */
  readonly #allowed = new Map<number, { count: number; deputy: string; company: string; shirts: number }>();
  /** Since when what is used is the sum of what is there. */
  #exact = true;

  constructor(ledger: Ledger, storage: DurableObjectStorage) {
    this.ledger = ledger;
    this.#storage = storage;
    setCeiling(ledger, { shirtsPerDay: 100, spendPerDay: 250_000 }, ledger.account.read().ceilingVersion);
    for (const one of [0, 1]) this.#employ(one);
  }

  /** Takes a step, and holds what came of it against what may come of it. */
  async take(step: Step): Promise<void> {
    const { sequence } = this.ledger.record.head();
    const before = new Map(this.ledger.effects.newest(1000).map(({ id, state }) => [id, state]));
    const confirmed = await this.#do(step);
    for (const line of this.ledger.record.lines(sequence, 100)) this.#read(line);
    this.ledger.transaction(() => this.ledger.moment());
    const now = this.ledger.now();
    const waiting = new Map(this.ledger.approvals.waiting().map(({ effectId, endsAt }) => [effectId, endsAt]));
    const used = [0, 0, 0];
    for (const { id, state, deputyId, amounts } of this.ledger.effects.newest(1000)) {
      const was = before.get(id);
      if (was === 'waiting' && state === 'confirmed') expect(id).toBe(confirmed);
      if (was !== undefined && isEnded(was)) expect(state).toBe(was);
      if (state === 'waiting') expect(waiting.get(id)).toBeGreaterThan(now);
      if (state === 'waiting' || isEnded(state)) expect(this.ledger.pending.versionOf(id)).toBeUndefined();
      if (isEnded(state)) continue;
      used[2] = (used[2] ?? 0) + (amounts['shirts'] ?? 0);
      for (const one of [0, 1]) if (deputyId === this.#id(one)) used[one] = (used[one] ?? 0) + (amounts['shirts'] ?? 0);
    }
    expect(verify(this.ledger)).toMatchObject({ ok: true });
    this.#exact &&= step.do !== 'erase' && !(step.do === 'wait' && JUMPS.includes(step.ms));
    if (!this.#exact) return;
    const shirts = { per: 'day', of: 'shirts' } as const;
    const windows = [
      ...[0, 1].map((one) => this.ledger.meters.read(this.#id(one)).windows),
      this.ledger.account.read().windows,
    ];
    expect(windows.map((each) => useOf(each, shirts, now).used)).toEqual(used);
  }

  /** Tells which effect its human has said yes to. */
  async #do(step: Step): Promise<string | undefined> {
    const { ledger } = this;
    const asked = ledger.approvals.waiting();
    switch (step.do) {
      case 'buy': {
        const { company, quantity, key } = step;
        const args = { ...PURCHASE, company, quantity, ...(key !== undefined && { idempotencyKey: `${key}` }) };
        await serve(ledger, callerOf(this.#id(step.who)), 'buyMcpShopItem', args);
        return undefined;
      }
      case 'yes': {
        const approval = asked[step.any % Math.max(asked.length, 1)];
        if (!approval) return undefined;
        const { effectId, deputyId, endsAt } = approval;
        const { grade, next } = step;
        const mayNot =
          grade === 'pressed' ||
          ledger.account.read().authority !== 'active' ||
          ledger.deputies.standingOf(deputyId)?.paused === true ||
          Date.now() >= endsAt;
        const shown = agreementOf(ledger, 'user_1', approval, { next });
        const usesNow = () => approval.action.uses;
        const result = approve(ledger, 'user_1', { effectId, shown, grade, next }, { signed: undefined, usesNow });
        if (mayNot) expect(result).toHaveProperty('problem');
        return 'problem' in result ? undefined : effectId;
      }
      case 'no': {
        const id = asked[step.any % Math.max(asked.length, 1)]?.effectId ?? '';
        if (step.stop) denyAndPause(ledger, id, {});
        else deny(ledger, id);
        return undefined;
      }
      case 'cancel': {
        const all = ledger.effects.newest(10);
        const orderId = all[step.any % Math.max(all.length, 1)]?.id ?? 'none';
        await serve(ledger, callerOf(this.#id(step.who)), 'cancelMcpShopOrder', { orderId });
        return undefined;
      }
      case 'pause':
        return void pause(ledger);
      case 'resume': {
        const paused = ledger.deputies.find(this.#id(step.who), Date.now())?.paused;
        if (paused !== undefined) resumeOne(ledger, this.#id(step.who), paused);
        return this.#resume();
      }
      case 'amend': {
        const deputy = ledger.deputies.find(this.#id(step.who), Date.now());
        if (!deputy) return undefined;
        const { deputyId, scopes, mandate } = deputy;
        const limits = { ...mandate.limits, shirtsPerDay: step.most };
        return void amend(ledger, { deputyId, version: mandate.version, scopes, limits }, { narrowOnly: false });
      }
      case 'ceiling':
        return void setCeiling(ledger, { shirtsPerDay: step.most }, ledger.account.read().ceilingVersion);
      case 'end': {
        const old = this.#id(step.who);
        if (step.how === 'revoke') revoke(ledger, old);
        if (step.how === 'resign') resign(ledger, `grant of ${old}`);
        return this.#employ(step.who, step.how === 'replace' ? [old] : []);
      }
      case 'erase':
        erase(ledger);
        for (const one of [0, 1]) this.#employ(one);
        return this.#resume();
      case 'restore':
        new Restore(ledger, this.#storage).finish(crypto.randomUUID(), 0, ledger.record.head().sequence);
        return undefined;
      case 'take back':
        for (const { line } of ledger.allowances.open(Date.now())) endAllowance(ledger, line);
        return undefined;
      case 'prune':
        return void prune(ledger);
      case 'start anew':
        this.ledger = ledgerOver(this.#storage);
        return undefined;
      case 'fail': {
        const append = ledger.record.append.bind(ledger.record);
        let left = step.after;
        const failing = vi.spyOn(ledger.record, 'append').mockImplementation((...line) => {
          if ((left -= 1) < 0) throw new Error('the disk is full');
          return append(...line);
        });
        await serve(ledger, callerOf(this.#id(0)), 'buyMcpShopItem', { ...PURCHASE, quantity: 4, company: 'Failing' });
        failing.mockRestore();
        return undefined;
      }
      case 'wait':
        return void vi.setSystemTime(Date.now() + step.ms);
    }
  }

  /** What was allowed in advance is used for no more, for nothing else, and by nobody else. */
  #read(line: Line): void {
    const effect = 'effect' in line && line.effect ? this.ledger.effects.find(line.effect.id) : undefined;
    const { company } = JSON.parse(effect?.data ?? '{}') as { company: string };
    const shirts = effect?.amounts['shirts'] ?? 0;
    if (line.actor === 'human' && line.act === 'approved' && line.next)
      this.#allowed.set(line.sequence, { count: line.next.count, deputy: line.deputy, company, shirts });
    if (line.actor === 'system' && (line.act === 'clock' || line.act === 'restored')) this.#allowed.clear();
    if (line.actor !== 'deputy' || line.under === undefined) return;
    const allowed = this.#allowed.get(line.under);
    expect(allowed).toMatchObject({ deputy: line.deputy, company });
    if (!allowed) return;
    expect(shirts).toBeLessThanOrEqual(allowed.shirts);
    expect((allowed.count -= 1)).toBeGreaterThanOrEqual(0);
  }

  #id(one: number): string {
    return `dep_${one} the ${this.#times[one]}.`;
  }

  #employ(one: number, replaces: string[] = []): undefined {
    this.#times[one] = (this.#times[one] ?? 0) + 1;
    employ(this.ledger, this.#id(one), mandateOf({ shirtsPerDay: 20, spendPerDay: 50_000 }), replaces);
  }

  #resume(): undefined {
    resume(this.ledger, this.ledger.account.read().authoritySequence ?? 0);
  }
}

test(`${HISTORIES} histories of questions keep their promises`, async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const seed = Number(process.env['VITE_QUESTION_SEED'] ?? Date.now() % 2 ** 31);
  console.info(`seed ${seed}`);
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 20, maxLength: 50 }), (history) =>
      inLedger(async (ledger, storage) => {
        vi.useFakeTimers({ toFake: ['Date'], now: START });
        const told = new History(ledger, storage);
        for (const step of history) await told.take(step);
        vi.useRealTimers();
      }),
    ),
    { seed, numRuns: HISTORIES },
  );
}, 300_000);
