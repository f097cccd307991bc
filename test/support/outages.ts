/** What the journeys through outages share: what the record and KV hold afterwards, and a client whose every step can break. */
import { runDurableObjectAlarm } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, vi } from 'vitest';
import { type Line, readLine } from '../../src/ledger/record.ts';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import type { Person } from '../../src/dev/clients.ts';
import { type Order, orderData, orderOf } from '../../src/shop/order.ts';
import { authorizePath, callMessage, redeem, registeredClient, rpc, send } from './http.ts';
import { objectOf, person, waitingIn } from './people.ts';
import { PURCHASE } from './shop.ts';

export const MINUTE = 60_000;

/** What fails on purpose is logged as an error too, and hides those of a failing test. */
export function quiet(): void {
  vi.spyOn(console, 'error').mockImplementation(() => {});
}

export async function linesOf(human: Person): Promise<Line[]> {
  return (await objectOf(human).recordText(0, 1000)).map(({ line }) => readLine(line));
}

/** What happened, oldest first, after the line that opens every record. */
export async function actsOf(human: Person): Promise<string[]> {
  const [opened, ...acts] = (await linesOf(human)).map((line) =>
    line.actor === 'deputy' ? `${line.tool} ${line.code ?? line.decision}` : line.act,
  );
  expect(opened).toBe('opened');
  return acts;
}

export async function expectSound(human: Person): Promise<void> {
  expect(await objectOf(human).verifyRecord()).toMatchObject({ ok: true });
}

export async function theDeputy(human: Person) {
  const [deputy, ...others] = (await objectOf(human).look({})).deputies;
  expect(others).toEqual([]);
  if (!deputy) throw new Error('nobody was appointed');
  return deputy;
}

/** The WorkOS SDK waits a second before it tries again, with which a test proves nothing. */
export function hurry(): void {
  const real = globalThis.setTimeout;
  const fast = (work: () => void, milliseconds = 0) => real(work, milliseconds < 1900 ? 0 : milliseconds);
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(fast);
}

export function later(milliseconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds });
}

/** Runs the sweeps that are due, an hour at a time, until no order waits for KV. */
async function drain(human: Person): Promise<void> {
  for (let hours = 0; hours < 50; hours += 1) {
    if ((await waitingIn(objectOf(human))) === 0) break;
    later(60 * MINUTE);
    await runDurableObjectAlarm(objectOf(human));
  }
  vi.useRealTimers();
}

/** The orders that the human's page shows, newest first, as tools answer with them. */
export async function ordersOf(human: Person): Promise<Order[]> {
  const { effects } = await objectOf(human).look({});
  return effects.map((effect) =>
    orderOf({ ...effect, data: orderData.parse(JSON.parse(effect.data)) }, userIdOf(human.email)),
  );
}

/** Once the jobs are through, KV holds exactly the orders of the ledger, as they are there. */
export async function expectKvEqualsLedger(human: Person): Promise<Order[]> {
  await drain(human);
  const orders = await ordersOf(human);
  const { keys } = await env.ORDERS.list({ prefix: `order:${userIdOf(human.email)}:` });
  const copies = await Promise.all(keys.map(({ name }) => env.ORDERS.get<Order>(name, 'json')));
  const byId = (one: Order | null, other: Order | null) => String(one?.id).localeCompare(String(other?.id));
  expect(copies.toSorted(byId)).toMatchObject(orders.toSorted(byId));
  return orders;
}

export type Tokens = { access_token: string; refresh_token: string };

export async function consented(human = person()) {
  const clientId = await registeredClient();
  const code = (await human.answer(authorizePath(clientId))).get('code') ?? '';
  return { human, clientId, code };
}

export async function connected(human = person()) {
  const { clientId, code } = await consented(human);
  return { human, clientId, tokens: await (await redeem(clientId, code)).json<Tokens>() };
}

export function refresh(clientId: string, { refresh_token: token }: Tokens): Promise<Response> {
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: clientId, refresh_token: token });
  return send('/token', { method: 'POST', body });
}

export function purchase({ access_token: token }: Pick<Tokens, 'access_token'>): Promise<Response> {
  return rpc(token, callMessage('buyMcpShopItem', PURCHASE));
}
