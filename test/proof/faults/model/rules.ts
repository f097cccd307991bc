/**
 * The rules once more, written for these checks alone from what the README promises: whether each line of the record could
 * be as it is, given the lines before it. It shares no code with what decides, so that a fault there is not one here.
 */
import { type ActLine, type CallLine, type GrantedMandate, isCall, type Line } from './chain.ts';
import type { Findings } from './findings.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Use may count longer than its span, by one step of the ledger's bookkeeping: a refusal may look back that much further. */
const MINUTE_REFUSING = MINUTE + 5000;
const DAY_REFUSING = DAY + 15 * MINUTE;

const NEEDS: Record<string, string> = {
  buyMcpShopItem: 'shop:buy',
  cancelMcpShopOrder: 'shop:buy',
  listMcpShopOrders: 'orders:read',
};
/** What a demo ban does not stop. */
const FREE_WHEN_BANNED = new Set(['listMcpShopOrders', 'getMyMandate', 'setDemoMode', 'clearDemoMode', 'prettyPlease']);

type Deputy = { name: string; status: string; mandate: GrantedMandate };
type Bought = { time: number; deputy: string; quantity: number; total: number };
type Made = { time: number; deputy: string; allowed: boolean };

export type Replayed = {
  authority: string;
  ceiling: { shirtsPerDay: number; spendPerDay: number };
  deputies: Map<string, Deputy>;
  /** As the lines say, by id. */
  orders: Map<string, { sequence: number; deputy: string; quantity: number; total: number; status: string }>;
};

/** `mostAsked` is the largest quantity that any client asked for. */
export function replay(lines: readonly Line[], mostAsked: number, price: number, findings: Findings): Replayed {
  const rules = new Rules(mostAsked, price, findings);
  for (const line of lines) {
    if (isCall(line)) rules.call(line);
    else rules.act(line);
  }
  return rules.state;
}

class Rules {
  readonly state: Replayed = {
    authority: 'active',
    ceiling: { shirtsPerDay: 20, spendPerDay: 50_000 },
    deputies: new Map(),
    orders: new Map(),
  };
  readonly #bought: Bought[] = [];
  readonly #made: Made[] = [];
  readonly #mostAsked: number;
  readonly #price: number;
  readonly #findings: Findings;
  #banned = false;

  constructor(mostAsked: number, price: number, findings: Findings) {
    this.#mostAsked = mostAsked;
    this.#price = price;
    this.#findings = findings;
  }

  act(line: ActLine & { time: number }): void {
    const { act, sequence, deputy: id = '' } = line;
    const deputy = this.state.deputies.get(id);
    if (act === 'appointed' && line.mandate && line.client) {
      this.#findings.expect(!deputy, () => `line ${sequence}: the deputy ${id} is appointed twice`);
      this.state.deputies.set(id, { name: line.client.unverifiedName, status: 'pending', mandate: line.mandate });
      return;
    }
    if (act === 'paused' || act === 'resumed') {
      const next = act === 'paused' ? 'paused' : 'active';
      this.#findings.expect(this.state.authority !== next, () => `line ${sequence}: ${act}, which it was already`);
      this.state.authority = next;
      return;
    }
    if (act === 'ceiling' && line.ceiling) {
      this.state.ceiling = line.ceiling;
      return;
    }
    if (act === 'counted') return;
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
    const next = { activated: 'active', superseded: 'superseded', revoked: 'revoked' }[act];
    const possible = act === 'activated' ? status === 'pending' : status === 'active' || status === 'pending';
    this.#findings.expect(next !== undefined && possible, () => `line ${sequence}: ${act} of a ${status} deputy`);
    if (next !== undefined) deputy.status = next;
  }

  call(line: CallLine & { time: number }): void {
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
    if (line.decision === 'allowed') this.#allowed(line, deputy);
    else {
      this.#findings.expect(
        this.#mayRefuse(line, deputy),
        () => `line ${line.sequence}: ${line.code ?? 'a refusal'} without its reason`,
      );
    }
    this.#made.push({ time: line.time, deputy: line.deputy, allowed: line.decision === 'allowed' });
  }

  #allowed(line: CallLine & { time: number }, { status, mandate, name }: Deputy): void {
    const { sequence, tool, time, order, repeats } = line;
    const { limits, scopes, expiresAt } = mandate;
    const holds = (rule: boolean, broken: string) =>
      this.#findings.expect(rule, () => `line ${sequence}: ${tool} of ${name} was allowed ${broken}`);
    holds(this.state.authority === 'active', 'after a pause');
    holds(status === 'active', `to a ${status} deputy`);
    holds(time < expiresAt, 'after the end of the mandate');
    holds(scopes.includes(NEEDS[tool] ?? 'shop:browse'), 'without its scope');
    holds(!this.#banned || FREE_WHEN_BANNED.has(tool), 'while the demo ban was on');
    const calls = this.#made.filter((made) => made.allowed && made.deputy === line.deputy && made.time > time - MINUTE);
    holds(calls.length < limits.callsPerMinute, `over ${limits.callsPerMinute} calls a minute`);
    if (tool === 'setDemoMode') this.#banned = true;
    if (tool === 'clearDemoMode' || tool === 'prettyPlease') this.#banned = false;
    if (repeats !== undefined) holds(this.state.orders.has(repeats), 'as a repetition of an order that is not there');
    if (tool === 'buyMcpShopItem' && repeats === undefined) holds(order !== undefined, 'without an order');
    if (!order) return;

    const known = this.state.orders.get(order.id);
    if (tool === 'cancelMcpShopOrder') {
      holds(known?.status === 'confirmed' && order.status === 'cancelled', `as a cancellation of ${order.id}`);
      if (known) known.status = order.status;
      return;
    }
    holds(known === undefined, `although the order ${order.id} was there before`);
    const { quantity, total, id, status: placed } = order;
    this.state.orders.set(id, { sequence, deputy: line.deputy, quantity, total, status: placed });
    holds(total === quantity * this.#price, `for ${total}, at ${this.#price} a shirt`);
    holds(quantity <= limits.shirtsPerOrder, `with ${quantity} shirts, over ${limits.shirtsPerOrder} an order`);
    holds(quantity <= limits.askAbove, `with ${quantity} shirts, without asking above ${limits.askAbove}`);
    this.#bought.push({ time, deputy: line.deputy, quantity, total });
    const minute = this.#bought.filter((one) => one.deputy === line.deputy && one.time > time - MINUTE);
    holds(minute.length <= limits.purchasesPerMinute, `over ${limits.purchasesPerMinute} purchases a minute`);
    const { ceiling } = this.state;
    const mine = this.#sum(time - DAY, line.deputy);
    const all = this.#sum(time - DAY);
    holds(mine.shirts <= limits.shirtsPerDay, `up to ${mine.shirts} shirts, over ${limits.shirtsPerDay} a day`);
    holds(mine.spend <= limits.spendPerDay, `up to ${mine.spend} cents, over ${limits.spendPerDay} a day`);
    holds(all.shirts <= ceiling.shirtsPerDay, `up to ${all.shirts} shirts, over the account's ${ceiling.shirtsPerDay}`);
    holds(all.spend <= ceiling.spendPerDay, `up to ${all.spend} cents, over the account's ${ceiling.spendPerDay}`);
  }

  /** Whether there can be a reason. What a refused call asked for is not in the record, so the most anybody asked for counts. */
  #mayRefuse({ code, time, deputy: id, tool }: CallLine & { time: number }, { status, mandate }: Deputy): boolean {
    const { limits, scopes, expiresAt } = mandate;
    const { ceiling } = this.state;
    const most = this.#mostAsked;
    const mine = this.#sum(time - DAY_REFUSING, id);
    const all = this.#sum(time - DAY_REFUSING);
    const recent = (made: { time: number; deputy: string }) =>
      made.deputy === id && made.time >= time - MINUTE_REFUSING;
    switch (code) {
      case 'paused':
        return this.state.authority === 'paused';
      case 'deputy_unknown':
        return status === 'pending';
      case 'deputy_revoked':
        return status === 'revoked';
      case 'deputy_superseded':
        return status === 'superseded';
      case 'mandate_expired':
        return time >= expiresAt;
      case 'insufficient_scope':
        return !scopes.includes(NEEDS[tool] ?? 'shop:browse');
      case 'demo_banned':
        return this.#banned;
      case 'rate_limited':
        return this.#made.filter(recent).length >= limits.callsPerMinute;
      case 'purchase_rate':
        return this.#bought.filter(recent).length >= limits.purchasesPerMinute;
      case 'order_limit':
        return most > limits.shirtsPerOrder;
      case 'approval_required':
        return most > limits.askAbove;
      case 'daily_shirts':
        return mine.shirts + most > limits.shirtsPerDay;
      case 'daily_spend':
        return mine.spend + most * this.#price > limits.spendPerDay;
      case 'account_shirts':
        return all.shirts + most > ceiling.shirtsPerDay;
      case 'account_spend':
        return all.spend + most * this.#price > ceiling.spendPerDay;
      // Their reasons are outside the record; the answers are checked for them.
      case 'idempotency_conflict':
      case 'unknown_order':
      case 'internal_error':
        return true;
      default:
        return false;
    }
  }

  #sum(after: number, deputy?: string): { shirts: number; spend: number } {
    let shirts = 0;
    let spend = 0;
    for (const one of this.#bought) {
      if (one.time <= after || (deputy !== undefined && one.deputy !== deputy)) continue;
      shirts += one.quantity;
      spend += one.total;
    }
    return { shirts, spend };
  }
}
