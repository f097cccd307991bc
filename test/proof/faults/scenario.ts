/** One scenario: a human, a few deputies, some hundred calls in bad weather, and what is left when it is over. */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { vi } from 'vitest';
import type { Allowance } from '../../../src/ledger/allowances.ts';
import { objectName } from '../../../src/deputy.ts';
import { AuthkitStore, userIdOf } from '../../../src/dev/authkit-store.ts';
import { ERAS, Person } from '../../../src/dev/clients.ts';
import { SHIRT } from '../../../src/shop/catalog.ts';
import { ORIGIN, workerFetch } from '../../support/worker.ts';
import { Chance } from './chance.ts';
import {
  actsOf,
  blanks,
  ceiling,
  clockStep,
  intentOf,
  likeOf,
  type Mood,
  MOODS,
  scopes,
  SECOND,
  type Step,
} from './choices.ts';
import { Client } from './client.ts';
import type { Call, History, HumanAct, Intent } from './history.ts';
import { Human } from './human.ts';
import { check } from './model/check.ts';
import { remainsOf } from './remains.ts';
import { Clock, type Fault, FAULTS, Weather } from './weather.ts';

/** What came of one scenario. */
export type Report = {
  seed: number;
  calls: number;
  /** Answered calls by outcome: `allowed`, the code of a refusal, `401` or `unknown`. */
  outcomes: Record<string, number>;
  /** Acts of the human by what was answered. */
  acts: Record<string, number>;
  /** What became of the questions to the human. */
  questions: Record<string, number>;
  /** How often each fault befell something. */
  faults: Record<string, number>;
  orders: number;
  lines: number;
  checks: number;
  violations: string[];
};

/** Nothing that is expected to break needs to be read, and writing it takes longer than the calls. */
function quiet(): void {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  vi.spyOn(console, 'log').mockImplementation(() => {});
}

/** Acts about questions. */
type Answers = 'approve' | 'deny' | 'endAllowance' | 'addPasskey' | 'removePasskey';

/** A short scenario has every fault there is, in five rounds. */
const SHORT_ROUNDS = 5;

/** With a mood, a short one. */
export async function play(seed: number, short?: Mood): Promise<Report> {
  quiet();
  try {
    return await new Scenario(seed, short).run();
  } finally {
    vi.useRealTimers();
    vi.restoreAllMocks();
  }
}

class Scenario {
  readonly #seed: number;
  readonly #plan: Chance;
  readonly #suspensions: Chance;
  readonly #floods: Chance;
  readonly #questions: Chance;
  readonly #clock = new Clock();
  readonly #human: Human;
  /** The same human at another browser, where they answer what is asked. */
  readonly #elsewhere: Human;
  readonly #weather: Weather;
  readonly #clients: Client[] = [];
  readonly #history: History = { calls: [], acts: [], storageFailures: 0, signIns: [] };
  readonly #find = env.MCP_OBJECT.getByName.bind(env.MCP_OBJECT);
  /** Moments of the history so far. */
  #moment = 0;
  #paused = false;
  /** The most milliseconds from one call to the next: some clients are in a hurry, and meet the limits of the minute. */
  readonly #pace: number;
  /** Purchases with a key and without an answer, to be repeated. */
  #open: { client: Client; intent: Intent }[] = [];

  readonly #rounds: number;

  readonly #mood: Mood;
  readonly #short: boolean;

  constructor(seed: number, short: Mood | undefined) {
    this.#seed = seed;
    const chance = new Chance(seed);
    this.#plan = chance.apart('plan');
    this.#suspensions = chance.apart('suspensions');
    this.#floods = chance.apart('floods');
    this.#questions = chance.apart('questions');
    const tick = () => this.#tick();
    const watch = () => this.#clock.watch();
    this.#human = new Human(chance.apart('human'), tick, watch);
    this.#elsewhere = new Human(chance.apart('elsewhere'), tick, watch, this.#human.person.email);
    this.#pace = this.#plan.pick([100, 2000, 2000]);
    const all = Object.keys(FAULTS) as Fault[];
    // Some scenarios have everything, most have some, so that one fault does not hide what another one would show.
    const share = short ? 1 : this.#plan.pick([0.25, 0.5, 1]);
    this.#short = short !== undefined;
    this.#rounds = short ? SHORT_ROUNDS : this.#plan.between(9, 13);
    this.#mood = short ?? (this.#questions.happens(0.5) ? 'asking' : this.#plan.pick(MOODS));
    const kinds = all.filter(() => this.#plan.happens(share));
    this.#weather = new Weather(chance.apart('weather'), kinds, () => this.#object());
  }

  async run(): Promise<Report> {
    if (this.#short || this.#questions.happens(0.7)) await this.#answer('addPasskey');
    // Many shirts a day need an account that allows them.
    if (this.#mood === 'asking') this.#history.acts.push(await this.#human.ceiling(ceiling(this.#plan, this.#mood)));
    for (let n = this.#plan.between(2, 3); n > 0; n -= 1) await this.#appoint();
    if (this.#mood !== 'any' || this.#plan.happens(0.7)) await this.#do('ceiling');
    this.#weather.begin();
    for (let number = 1; number <= this.#rounds; number += 1) await this.#round(number);
    await this.#weather.calm();
    vi.restoreAllMocks();
    quiet();
    this.#history.storageFailures = this.#weather.storageFailures;
    this.#history.signIns = this.#elsewhere.signIns;
    const { email } = this.#human.person;
    const remains = await remainsOf(new Person(email, ORIGIN, workerFetch), userIdOf(email), this.#clock);
    const verdict = check(this.#history, remains, SHIRT.price, this.#clock.latest);
    const { calls, acts } = this.#history;
    return {
      seed: this.#seed,
      calls: calls.length,
      outcomes: counted(calls.map(({ outcome }) => nameOf(outcome))),
      acts: counted(acts.map(({ act, outcome }) => `${act} ${outcome}`)),
      faults: Object.fromEntries(this.#weather.counts),
      orders: remains.orders.length,
      ...verdict,
    };
  }

  #object() {
    return this.#find(objectName(userIdOf(this.#human.person.email)));
  }

  #tick(): number {
    this.#moment += 1;
    return this.#moment;
  }

  /** Some calls at once, and in between them whatever else happens. */
  async #round(number: number): Promise<void> {
    // A short scenario cannot wait for chance to bring what matters most.
    const sure = { 3: 'back', 4: 'a little back' } as const;
    this.#stepClock(this.#short ? sure[number as keyof typeof sure] : undefined);
    if (this.#plan.happens(0.5)) await runDurableObjectAlarm(this.#object()).catch(() => false);
    if (this.#plan.happens(0.3)) this.#weather.release();
    for (const client of this.#clients) {
      const seemsEnded = this.#history.calls.findLast(({ client: name }) => name === client.name);
      const urgent = seemsEnded?.outcome.kind === 'ended';
      await client.refresh({ urgent }).catch(() => {});
    }
    const live = this.#clients.filter((client) => client.live);
    if (live.length === 0) return this.#appoint();

    const work: Promise<unknown>[] = [];
    for (const again of this.#open.splice(0)) if (again.client.live) work.push(this.#buy(again.client, again.intent));
    for (let n = this.#plan.between(30, 90); n > 0; n -= 1) work.push(this.#call(this.#plan.pick(live)));
    work.push(this.#answers());
    work.push(this.#acts(this.#short && number === 2 ? 'pause' : undefined));
    if (this.#plan.happens(0.25)) work.push(this.#end(this.#plan.pick(['evicted', 'aborted', 'restarted'] as const)));
    if (this.#plan.happens(0.3)) work.push(this.#stepLater());
    if (this.#suspensions.happens(this.#mood === 'asking' ? 0.04 : 0.1)) work.push(this.#suspend());
    if (this.#floods.happens(0.25)) work.push(this.#flood(this.#floods.pick(live)));
    await Promise.all(work);
  }

  #stepClock(sure: Step | undefined): void {
    const [kind, step] = clockStep(this.#plan, this.#mood, sure);
    this.#clock.step(step);
    if (kind !== 'nothing') this.#weather.count(step < 0 ? 'clock steps back' : 'clock steps forward');
  }

  async #stepLater(): Promise<void> {
    const [wait, forward, seconds] = [this.#plan.between(0, 60), this.#plan.happens(0.5), this.#plan.between(1, 400)];
    await scheduler.wait(wait);
    this.#clock.step(forward ? seconds * SECOND : -seconds * SECOND);
    this.#weather.count(forward ? 'clock steps forward' : 'clock steps back');
  }

  /** The human leaves their organization at WorkOS, we are told of it, and they come back. */
  async #suspend(): Promise<void> {
    const { email } = this.#human.person;
    const [id, store] = [userIdOf(email), new AuthkitStore(env.OAUTH_KV)];
    await scheduler.wait(this.#suspensions.between(0, 60));
    await store.saveUser(id, { email, membership: 'inactive', role: 'member' });
    if (
      await this.#object()
        .checkPresence()
        .catch(() => false)
    ) {
      this.#weather.count('suspended at WorkOS');
      this.#paused = true;
    }
    await store.saveUser(id, { email, membership: 'active', role: 'member' });
  }

  async #flood(client: Client): Promise<void> {
    const [wait, count] = [this.#floods.between(0, 40), this.#floods.between(20, 80)];
    await scheduler.wait(wait);
    await client.flood(count);
    this.#weather.count('a deputy floods');
  }

  async #end(how: 'evicted' | 'aborted' | 'restarted'): Promise<void> {
    await scheduler.wait(this.#plan.between(0, 80));
    await this.#weather.end(how);
  }

  // ---------------------------------------------------------------- the deputies

  async #call(client: Client): Promise<unknown> {
    const kind = this.#plan.weighted({
      buy: this.#mood === 'asking' ? 90 : 50,
      cancel: 12,
      list: 8,
      browse: 14,
      mandate: 10,
      ban: 0.3,
      please: 5,
    });
    const mine = this.#history.calls.flatMap(({ outcome }) =>
      outcome.kind === 'allowed' && outcome.order
        ? [outcome.order.id]
        : outcome.kind === 'refused' && outcome.waiting !== undefined
          ? [outcome.waiting]
          : [],
    );
    switch (kind) {
      case 'buy':
        return this.#buy(client, this.#likeOf(client) ?? intentOf(this.#plan, client));
      case 'cancel': {
        const orderId = mine.length > 0 && this.#plan.happens(0.95) ? this.#plan.pick(mine) : 'no such order';
        return this.#send(client, 'cancelMcpShopOrder', { orderId }, { orderId });
      }
      case 'list':
        return this.#send(client, 'listMcpShopOrders', { limit: 5 });
      case 'browse':
        return this.#send(client, 'listMcpShopInventory', {});
      case 'mandate':
        return this.#send(client, 'getMyMandate', {});
      case 'ban':
        return this.#send(client, 'setDemoMode', { mode: 'banned' });
      case 'please':
        return this.#send(client, 'prettyPlease', {});
    }
  }

  #likeOf(client: Client): Intent | undefined {
    const { favoured } = client;
    const before = favoured.length > 0 && this.#questions.happens(0.5) ? this.#questions.pick(favoured) : undefined;
    return before && likeOf(this.#questions, before, client);
  }

  async #buy(client: Client, intent: Intent): Promise<void> {
    const outcome = await this.#send(client, 'buyMcpShopItem', { ...intent }, { intent });
    // What waits for the human is asked for again, to learn what came of it.
    const again = outcome === 'asked' || (outcome === 'unknown' && intent.idempotencyKey !== undefined);
    if (again && this.#plan.happens(0.7)) this.#open.push({ client, intent });
  }

  async #send(
    client: Client,
    tool: string,
    args: Record<string, unknown>,
    about: Pick<Call, 'intent' | 'orderId'> = {},
  ): Promise<Call['outcome']['kind'] | 'asked'> {
    const [pause, hangsUp, patience] = [this.#plan.between(0, 40), this.#plan.happens(0.05), this.#plan.between(1, 60)];
    await scheduler.wait(pause);
    this.#clock.step(this.#plan.between(0, this.#pace));
    const [sent, watch] = [this.#tick(), this.#clock.watch()];
    const hangUp = hangsUp ? new AbortController() : undefined;
    if (hangUp) {
      void scheduler.wait(patience).then(() => hangUp.abort());
    }
    const outcome = await client.call(tool, args, hangUp?.signal);
    if (hangUp && outcome.kind === 'unknown') this.#weather.count('client hangs up');
    this.#history.calls.push({
      client: client.name,
      tool,
      ...about,
      sent,
      answered: this.#tick(),
      clock: watch(),
      outcome,
    });
    return outcome.kind === 'refused' && outcome.code === 'approval_required' ? 'asked' : outcome.kind;
  }

  // ---------------------------------------------------------------- the human

  /** What the human does meanwhile, one thing after the other. */
  async #acts(first: 'pause' | undefined): Promise<void> {
    if (first) await this.#do(first);
    for (let n = this.#plan.between(this.#paused ? 1 : 0, this.#mood === 'asking' ? 2 : 3); n > 0; n -= 1) {
      const act = this.#paused && this.#plan.happens(0.9) ? 'resume' : this.#plan.weighted(actsOf(this.#mood));
      await scheduler.wait(this.#plan.between(0, 60));
      await this.#do(act);
    }
  }

  /** What the human answers meanwhile, at another browser. */
  async #answers(): Promise<void> {
    const [least, most] = this.#mood === 'asking' ? [5, 12] : [0, 4];
    for (let n = this.#questions.between(least, most); n > 0; n -= 1) {
      await scheduler.wait(this.#questions.between(0, 40));
      await this.#answer(
        this.#questions.weighted({
          approve: 70,
          deny: 9,
          denyAndPause: 3,
          endAllowance: 6,
          addPasskey: 3,
          removePasskey: 1,
        }),
      );
    }
  }

  async #answer(
    act: 'approve' | 'deny' | 'denyAndPause' | 'endAllowance' | 'addPasskey' | 'removePasskey',
  ): Promise<void> {
    if (act === 'addPasskey') return void this.#history.acts.push(await this.#elsewhere.addPasskey());
    if (act === 'removePasskey') return void this.#history.acts.push(await this.#elsewhere.removePasskey());
    const { waiting, allowances } = await this.#asked().catch(() => ({ waiting: [], allowances: [] }));
    if (act === 'endAllowance') {
      if (allowances.length === 0) return;
      const { client, line } = this.#questions.pick(allowances);
      return void this.#history.acts.push(await this.#elsewhere.endAllowance(client, line));
    }
    if (waiting.length === 0) return;
    const { client, id, company } = this.#questions.pick(waiting);
    if (act === 'deny') this.#history.acts.push(await this.#elsewhere.deny(client, id));
    if (act === 'denyAndPause') this.#history.acts.push(...(await this.#elsewhere.denyAndPause(client, id)));
    if (act !== 'approve') return;
    const next = this.#questions.happens(0.5);
    const said = await this.#elsewhere.approve(client, id, { next });
    this.#history.acts.push(said);
    const one = this.#clients.find(({ name }) => name === client);
    const intent = one?.intents.find((each) => each.company === company);
    if (next && intent && said.outcome !== 'none') one?.favoured.push(intent);
  }

  async #do(act: Exclude<HumanAct['act'], Answers>): Promise<void> {
    if (act === 'appoint') return this.#appoint();
    const client = this.#plan.pick(this.#clients);
    const done = await this.#perform(act, client);
    if (!done) return;
    this.#history.acts.push(done);
    if (act === 'dismiss' && done.outcome !== 'none') client.gone = done.outcome === 'done' || client.gone;
    if (act === 'pause' && done.outcome !== 'none') this.#paused = true;
    if (act === 'resume' && done.outcome === 'done') this.#paused = false;
  }

  async #perform(act: Exclude<HumanAct['act'], Answers | 'appoint'>, client: Client): Promise<HumanAct | undefined> {
    switch (act) {
      case 'pause':
        return this.#human.pause();
      case 'resume':
        return this.#human.resume();
      case 'ceiling':
        return this.#human.ceiling(ceiling(this.#plan, this.#mood));
      case 'pauseOne':
      case 'resumeOne':
      case 'dismiss':
      case 'amend': {
        const id = await this.#idOf(client).catch(() => undefined);
        if (id === undefined) return undefined;
        if (act === 'pauseOne') return this.#human.pauseOne(client.name, id);
        if (act === 'resumeOne') return this.#human.resumeOne(client.name, id);
        if (act === 'dismiss') return this.#human.dismiss(client.name, id);
        const ticks = this.#plan.happens(0.2) ? { scope: scopes(this.#plan) } : {};
        return this.#human.amend(client.name, id, { ...blanks(this.#plan, this.#mood), ...ticks });
      }
    }
  }

  async #appoint(): Promise<void> {
    const client = new Client(`client ${this.#clients.length + 1}`, this.#plan.pick(ERAS));
    this.#clients.push(client);
    const { person } = this.#human;
    person.ticks = this.#plan.happens(0.85) ? ['shop:buy', 'orders:read'] : scopes(this.#plan);
    person.blanks = { ...blanks(this.#plan, this.#mood), until: this.#plan.pick(['hour', 'day', 'week', 'week']) };
    this.#history.acts.push(await this.#human.appoint(client.name, () => client.connect(person)));
  }

  /** What waits for the human, now and then with what does so no more, and what they have allowed in advance, read from where no weather reaches. */
  #asked() {
    return runInDurableObject(this.#object(), (_, { storage: { sql, kv } }) => ({
      waiting: sql
        .exec<{ client: string; id: string; company: string }>(
          `SELECT client_name AS client, id, data ->> 'company' AS company FROM effects JOIN deputies USING (deputy_id)
           WHERE state = 'waiting'${this.#questions.happens(0.1) ? " OR state IN ('confirmed', 'denied', 'lapsed', 'void')" : ''}`,
        )
        .toArray(),
      allowances: (kv.get<Allowance[]>('allowances') ?? [])
        .filter(({ count }) => count > 0)
        .flatMap(({ line, deputyId }) =>
          sql
            .exec<{ client: string }>('SELECT client_name AS client FROM deputies WHERE deputy_id = ?', deputyId)
            .toArray()
            .map(({ client }) => ({ client, line })),
        ),
    }));
  }

  /** The id of a deputy, read from where no weather reaches. */
  #idOf({ name }: Client): Promise<string | undefined> {
    return runInDurableObject(this.#object(), (_, { storage: { sql } }) => {
      const [row] = sql.exec<{ id: string }>('SELECT deputy_id AS id FROM deputies WHERE client_name = ?', name);
      return row?.id;
    });
  }
}

function nameOf(outcome: Call['outcome']): string {
  if (outcome.kind === 'refused') return outcome.code;
  return outcome.kind === 'ended' ? '401' : outcome.kind;
}

function counted(names: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
