/**
 * The rules once more, written for these checks alone from what the README promises: whether each line of the record could
 * be as it is, given the lines before it. It shares no code with what decides, so that a fault there is not one here.
 */
import { type ActLine, type CallLine, GENESIS, type GrantedMandate, isCall, type Line } from './chain.ts';
import type { Findings } from './findings.ts';
import { Questions } from './questions.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Use may count longer than its span, by one step of the ledger's bookkeeping: a refusal may look back that much further. */
const MINUTE_STEP = 5000;
const DAY_STEP = 15 * MINUTE;
/** Questions of one deputy that wait at most. */
const MOST_QUESTIONS = 5;

const NEEDS: Record<string, string> = {
  buyMcpShopItem: 'shop:buy',
  cancelMcpShopOrder: 'shop:buy',
  listMcpShopOrders: 'orders:read',
};
/** What a demo ban does not stop. */
const FREE_WHEN_BANNED = new Set(['listMcpShopOrders', 'getMyMandate', 'setDemoMode', 'clearDemoMode', 'prettyPlease']);

type Deputy = { name: string; status: string; paused: boolean; mandate: GrantedMandate };
type Amounts = { shirts: number; spend: number };
type Bought = Amounts & { time: number; deputy: string; id: string };
type DayLimits = { shirtsPerDay: number; spendPerDay: number };
type Made = { time: number; deputy: string; allowed: boolean };

export type Replayed = {
  authority: string;
  /** By the system; the human's own word stands below it. */
  suspended: boolean;
  ceiling: DayLimits;
  deputies: Map<string, Deputy>;
  /** As the lines say, by id. */
  orders: Map<string, { number: number; line: number; deputy: string; amounts: Amounts; state: string }>;
  /** What was used, and when, as each span counts it. What was asked for and came to nothing is given back, but for the minute. */
  bought: { day: Bought[]; minute: Bought[] };
  questions: Questions;
};

/** `price` in whole cents for one shirt. */
export function replay(
  lines: readonly Line[],
  { userId, price }: { userId: string; price: number },
  findings: Findings,
): Replayed {
  const rules = new Rules(userId, price, findings);
  for (const line of lines) {
    findings.expect(
      (line.sequence === 1) === (!isCall(line) && line.act === 'opened'),
      () => `line ${line.sequence}: a record is opened by its first line and by no other`,
    );
    rules.add(line);
  }
  return rules.state;
}

/** `ahead` and `now` are what the clock said before and after it was set back, in milliseconds. */
function setBack<Use extends { time: number }>(uses: Use[], span: number, step: number, ahead: number, now: number) {
  return uses
    .filter(({ time }) => (Math.floor(time / step) + 1) * step + span > ahead)
    .map((use) => ({ ...use, time: Math.min(use.time, now) }));
}

class Rules {
  readonly state: Replayed;
  #made: Made[] = [];
  /** When the line before was written. */
  #last = 0;
  readonly #price: number;
  readonly #findings: Findings;
  #banned = false;

  constructor(userId: string, price: number, findings: Findings) {
    this.state = {
      authority: 'active',
      suspended: false,
      ceiling: { shirtsPerDay: 20, spendPerDay: 50_000 },
      deputies: new Map(),
      orders: new Map(),
      bought: { day: [], minute: [] },
      questions: new Questions(userId),
    };
    this.#price = price;
    this.#findings = findings;
  }

  add(line: Line): void {
    if (isCall(line)) this.#call(line);
    else this.#act(line);
    this.#last = line.time;
  }

  #act(line: ActLine & { time: number }): void {
    const { act, sequence, deputy: id = '' } = line;
    const deputy = this.state.deputies.get(id);
    if (act === 'appointed' && line.mandate && line.client) {
      this.#findings.expect(!deputy, () => `line ${sequence}: the deputy ${id} is appointed twice`);
      this.state.deputies.set(id, {
        name: line.client.unverifiedName,
        status: 'pending',
        paused: false,
        mandate: line.mandate,
      });
      return;
    }
    if (act === 'suspended') {
      this.#findings.expect(
        line.actor === 'system' && !this.state.suspended,
        () => `line ${sequence}: suspended twice`,
      );
      this.state.suspended = true;
      return;
    }
    if ((act === 'paused' || act === 'resumed') && deputy) {
      this.#findings.expect(
        act === 'paused' || deputy.paused,
        () => `line ${sequence}: ${deputy.name} is let go on, and was not paused`,
      );
      deputy.paused = act === 'paused';
      return;
    }
    if (act === 'resumed' && this.state.suspended) {
      this.state.suspended = false;
      return;
    }
    if (act === 'paused' || act === 'resumed') {
      // Each press of Pause counts; only what is paused can be resumed.
      this.#findings.expect(
        act === 'paused' || this.state.authority === 'paused',
        () => `line ${sequence}: resumed, and nothing was paused`,
      );
      this.state.authority = act === 'paused' ? 'paused' : 'active';
      return;
    }
    if (act === 'ceiling' && line.ceiling) {
      this.state.ceiling = line.ceiling;
      return;
    }
    const question = { approved: 'confirmed', denied: 'denied', lapsed: 'lapsed', voided: 'void' }[act];
    if (question !== undefined) return this.#answered(line, question);
    const holds = (rule: boolean, broken: string) =>
      this.#findings.expect(rule, () => `line ${sequence}: ${act} ${broken}`);
    if (this.state.questions.act(line, holds)) return;
    if (act === 'counted') return;
    if (act === 'clock') return this.#setBack(line.time);
    if (act === 'opened') {
      const { through, hash, checkpoint = '' } = line;
      this.#findings.expect(
        line.actor === 'system' && through === 0 && hash === GENESIS && /^[0-9a-f]{64}$/.test(checkpoint),
        () => `line ${sequence}: opened after line ${through}`,
      );
      return;
    }
    this.#findings.expect(deputy !== undefined, () => `line ${sequence}: ${act} of a deputy that nobody appointed`);
    if (!deputy) return;
    const { status } = deputy;
    if (act === 'amended' && line.mandate) {
      const { version } = deputy.mandate;
      this.#findings.expect(
        status === 'active' && line.mandate.version === version + 1,
        () => `line ${sequence}: version ${line.mandate?.version} of a ${status} deputy follows version ${version}`,
      );
      deputy.mandate = line.mandate;
      return;
    }
    const next = { activated: 'active', superseded: 'superseded', revoked: 'revoked', resigned: 'resigned' }[act];
    const possible = act === 'activated' ? status === 'pending' : status === 'active' || status === 'pending';
    this.#findings.expect(next !== undefined && possible, () => `line ${sequence}: ${act} of a ${status} deputy`);
    if (next !== undefined) deputy.status = next;
  }

  /** A question is answered once, and a yes is decided about as things are then. */
  #answered(line: ActLine & { time: number }, becomes: string): void {
    const { sequence, act, effect, time, deputy: id = '' } = line;
    const holds = (rule: boolean, broken: string) =>
      this.#findings.expect(rule, () => `line ${sequence}: ${act} ${broken}`);
    const [deputy, order] = [this.state.deputies.get(id), this.state.orders.get(effect?.id ?? '')];
    const waiting = this.state.questions.answered(line, deputy?.mandate.approval, holds);
    holds(
      effect?.state === becomes && effect.number === order?.number,
      `and left order ${effect?.number} ${effect?.state}`,
    );
    if (!waiting || !order || !effect || !deputy) return;
    order.state = becomes;
    if (act === 'lapsed') holds(time >= waiting.until, 'before its end');
    if (act === 'voided') holds(deputy.status !== 'active', `of a ${deputy.status} deputy`);
    if (act !== 'approved') return this.#giveBack(effect.id);
    const { mandate, status, paused } = deputy;
    holds(!paused, 'after a pause of its deputy');
    holds(this.state.authority === 'active' && !this.state.suspended, 'after a pause');
    holds(status === 'active' && time < mandate.expiresAt, `of a ${status} deputy`);
    holds(line.mandateVersion === mandate.version, 'under another mandate');
    holds(mandate.scopes.includes('shop:buy'), 'without its scope');
    holds(order.amounts.shirts <= mandate.limits.shirtsPerOrder, 'with more than an order may have');
    this.#withinTheDay(id, time, mandate.limits, holds);
  }

  #giveBack(id: string): void {
    const { bought } = this.state;
    bought.day = bought.day.filter((one) => one.id !== id);
  }

  #withinTheDay(deputy: string, time: number, limits: DayLimits, holds: (rule: boolean, broken: string) => void): void {
    const { ceiling } = this.state;
    const mine = this.#sum(time - DAY, deputy);
    const all = this.#sum(time - DAY);
    holds(mine.shirts <= limits.shirtsPerDay, `up to ${mine.shirts} shirts, over ${limits.shirtsPerDay} a day`);
    holds(mine.spend <= limits.spendPerDay, `up to ${mine.spend} cents, over ${limits.spendPerDay} a day`);
    holds(all.shirts <= ceiling.shirtsPerDay, `up to ${all.shirts} shirts, over the account's ${ceiling.shirtsPerDay}`);
    holds(all.spend <= ceiling.spendPerDay, `up to ${all.spend} cents, over the account's ${ceiling.spendPerDay}`);
  }

  /** What was used while the clock was ahead counts from `now`; what had stopped counting by then stays so. */
  #setBack(now: number): void {
    const { bought } = this.state;
    bought.day = setBack(bought.day, DAY, DAY_STEP, this.#last, now);
    this.state.questions.setBack(now);
    bought.minute = setBack(bought.minute, MINUTE, MINUTE_STEP, this.#last, now);
    this.#made = setBack(this.#made, MINUTE, MINUTE_STEP, this.#last, now);
  }

  #call(line: CallLine & { time: number }): void {
    const deputy = this.state.deputies.get(line.deputy);
    this.#findings.expect(
      deputy !== undefined,
      () => `line ${line.sequence}: a call of a deputy that nobody appointed`,
    );
    if (!deputy) return;
    this.#findings.expect(
      line.mandateVersion === deputy.mandate.version,
      () => `line ${line.sequence}: decided by version ${line.mandateVersion}, ${deputy.mandate.version} holds`,
    );
    if (line.decision !== 'refused') this.#allowed(line, deputy);
    else {
      this.#findings.expect(
        this.#mayRefuse(line, deputy),
        () => `line ${line.sequence}: ${line.code ?? 'a refusal'} without its reason`,
      );
      this.#saysWhatItAsked(line);
    }
    this.#made.push({ time: line.time, deputy: line.deputy, allowed: line.decision !== 'refused' });
  }

  #allowed(line: CallLine & { time: number }, { status, mandate, name, paused }: Deputy): void {
    const { sequence, tool, time, effect, repeats, limit, most, asked, under } = line;
    const { limits, scopes, expiresAt } = mandate;
    const holds = (rule: boolean, broken: string) =>
      this.#findings.expect(rule, () => `line ${sequence}: ${tool} of ${name} was allowed ${broken}`);
    holds(this.state.authority === 'active', 'after a pause');
    holds(!this.state.suspended, 'after a suspension');
    holds(!paused, 'after a pause of this deputy');
    holds(status === 'active', `to a ${status} deputy`);
    holds(time < expiresAt, 'after the end of the mandate');
    holds(scopes.includes(NEEDS[tool] ?? 'shop:browse'), 'without its scope');
    holds(!this.#banned || FREE_WHEN_BANNED.has(tool), 'while the demo ban was on');
    const calls = this.#made.filter((made) => made.allowed && made.deputy === line.deputy && made.time > time - MINUTE);
    holds(calls.length < limits.callsPerMinute, `over ${limits.callsPerMinute} calls a minute`);
    if (tool === 'setDemoMode') this.#banned = true;
    if (tool === 'clearDemoMode' || tool === 'prettyPlease') this.#banned = false;
    if (repeats !== undefined) holds(this.state.orders.has(repeats), 'as a repetition of an order that is not there');
    const asks = line.decision === 'asked';
    holds(asked === undefined, 'and says what it asked for');
    holds(
      asks ? limit === 'askAbove' && most === limits.askAbove : limit === undefined && most === undefined,
      'and says what stopped it',
    );
    holds(tool === 'buyMcpShopItem' || repeats === undefined, 'as a repetition, which only a purchase can be');
    if (tool === 'buyMcpShopItem')
      holds((effect === undefined) !== (repeats === undefined), 'without an order, or twice');
    if (!effect) return;

    const { id, number, state, amounts } = effect;
    const known = this.state.orders.get(id);
    if (tool === 'cancelMcpShopOrder' && state === 'void') {
      const waiting = this.state.questions.waiting.get(id);
      holds(
        waiting?.deputy === line.deputy && amounts === undefined,
        `as taking back ${id}, which is not its question`,
      );
      if (known) known.state = state;
      this.state.questions.waiting.delete(id);
      return this.#giveBack(id);
    }
    if (tool === 'cancelMcpShopOrder') {
      holds(known?.state === 'confirmed' && state === 'cancelled', `as a cancellation of ${id}`);
      holds(known?.number === number, `as a cancellation of order ${number}, which is ${known?.number}`);
      holds(amounts === undefined, 'as a cancellation that used something up');
      if (known) known.state = state;
      return;
    }
    const left = asks ? 'waiting' : 'confirmed';
    holds(tool === 'buyMcpShopItem' && state === left, `and left an order that is ${state}`);
    holds(known === undefined, `although the order ${id} was there before`);
    // Nothing is ever deleted here, so they are numbered 1, 2, 3 without a gap.
    const next = this.state.orders.size + 1;
    holds(number === next, `as order ${number}, where the next one is ${next}`);
    holds(amounts !== undefined, 'without what it used up');
    const { shirts, spend } = amounts ?? { shirts: 0, spend: 0 };
    this.state.orders.set(id, { number, line: sequence, deputy: line.deputy, amounts: { shirts, spend }, state });
    holds(shirts > 0 && spend === shirts * this.#price, `for ${spend}, at ${this.#price} a shirt`);
    holds(shirts <= limits.shirtsPerOrder, `with ${shirts} shirts, over ${limits.shirtsPerOrder} an order`);
    holds(
      (asks || under !== undefined) === shirts > limits.askAbove,
      `with ${shirts} shirts, ${asks ? '' : 'not '}asking above ${limits.askAbove}`,
    );
    if (asks) this.state.questions.asked(line, { shirts, spend }, mandate.approval, holds);
    if (under !== undefined) this.state.questions.under(line, { shirts, spend }, holds);
    const { bought } = this.state;
    for (const span of [bought.day, bought.minute]) span.push({ time, deputy: line.deputy, shirts, spend, id });
    const minute = bought.minute.filter((one) => one.deputy === line.deputy && one.time > time - MINUTE);
    holds(minute.length <= limits.purchasesPerMinute, `over ${limits.purchasesPerMinute} purchases a minute`);
    this.#withinTheDay(line.deputy, time, limits, holds);
  }

  /** A refused purchase says how many shirts it asked for, and for how much; nothing else does. */
  #saysWhatItAsked({ sequence, tool, code, asked }: CallLine): void {
    const says = tool === 'buyMcpShopItem';
    this.#findings.expect(
      says ? asked !== undefined && asked.spend === asked.shirts * this.#price : asked === undefined,
      () => `line ${sequence}: ${tool}, refused with ${code}, asked for ${JSON.stringify(asked)}`,
    );
  }

  /** Whether its reason is one. */
  #mayRefuse(line: CallLine & { time: number }, { status, mandate, paused }: Deputy): boolean {
    const { code, time, deputy: id, tool, limit, asked = { shirts: 0, spend: 0 } } = line;
    const { limits, scopes, expiresAt } = mandate;
    const isLimit = (name: string, most: number) => limit === name && line.most === most;
    /** Use counts against a limit of the day longer than a day, never shorter. */
    const overDay = (granted: DayLimits, deputy?: string) => {
      const used = this.#sum(time - DAY - DAY_STEP, deputy);
      return isLimit('shirtsPerDay', granted.shirtsPerDay)
        ? used.shirts + asked.shirts > granted.shirtsPerDay
        : isLimit('spendPerDay', granted.spendPerDay) && used.spend + asked.spend > granted.spendPerDay;
    };
    const recent = (made: { time: number; deputy: string }) =>
      made.deputy === id && made.time >= time - MINUTE - MINUTE_STEP;
    switch (code) {
      case 'paused':
        return this.state.authority === 'paused';
      case 'suspended':
        return this.state.suspended;
      case 'deputy_paused':
        return paused;
      case 'deputy_unknown':
        return status === 'pending';
      case 'deputy_revoked':
        return status === 'revoked';
      case 'deputy_superseded':
        return status === 'superseded';
      case 'deputy_resigned':
        return status === 'resigned';
      case 'mandate_expired':
        return time >= expiresAt;
      case 'insufficient_scope':
        return !scopes.includes(NEEDS[tool] ?? 'shop:browse');
      case 'demo_banned':
        return this.#banned;
      case 'rate_limited':
        return (
          isLimit('callsPerMinute', limits.callsPerMinute) && this.#made.filter(recent).length >= limits.callsPerMinute
        );
      case 'act_rate':
        return (
          isLimit('purchasesPerMinute', limits.purchasesPerMinute) &&
          this.state.bought.minute.filter(recent).length >= limits.purchasesPerMinute
        );
      case 'act_limit':
        return isLimit('shirtsPerOrder', limits.shirtsPerOrder) && asked.shirts > limits.shirtsPerOrder;
      case 'approval_required':
        // Asked again: the mandate may be another one by now.
        return this.state.questions.of(id).length > 0;
      case 'approval_denied':
      case 'approval_lapsed':
      case 'approval_withdrawn': {
        const state = { approval_denied: 'denied', approval_lapsed: 'lapsed', approval_withdrawn: 'void' }[code];
        return [...this.state.orders.values()].some((order) => order.deputy === id && order.state === state);
      }
      case 'too_many_waiting':
        return this.state.questions.of(id).length >= MOST_QUESTIONS;
      case 'not_your_request':
        return [...this.state.questions.waiting.values()].some((one) => one.deputy !== id);
      case 'daily_limit':
        return overDay(limits, id);
      case 'account_limit':
        return overDay(this.state.ceiling);
      // Their reasons are outside the record; the answers are checked for them.
      case 'idempotency_conflict':
      case 'unknown_effect':
      case 'internal_error':
        return true;
      default:
        return false;
    }
  }

  #sum(after: number, deputy?: string): Amounts {
    let shirts = 0;
    let spend = 0;
    for (const one of this.state.bought.day) {
      if (one.time <= after || (deputy !== undefined && one.deputy !== deputy)) continue;
      shirts += one.shirts;
      spend += one.spend;
    }
    return { shirts, spend };
  }
}
