/** What deputies and their humans do in a shop on an ordinary day. */
import * as fc from 'fast-check';
import { parseReply, type RawClient, toolCall } from '../bench/raw-client.ts';
import type { Shopper } from './shopper.ts';

const SHIRT = { company: 'Analytical Engines Ltd', mailingAddress: '12 St James’s Square, London', tshirtSize: 'L' };

type Visit =
  | { tool: string; args: Record<string, unknown> }
  /** The human pauses, a deputy tries, and the human resumes. */
  | { tool: 'pause' };

/** Out of a thousand visits. */
const MIX: readonly (readonly [number, Visit])[] = [
  [450, { tool: 'listMcpShopInventory', args: {} }],
  [270, { tool: 'listMcpShopOrders', args: { limit: 10 } }],
  [120, { tool: 'getMyMandate', args: {} }],
  [100, { tool: 'buyMcpShopItem', args: { ...SHIRT, color: 'blue' } }],
  [25, { tool: 'buyMcpShopItem', args: { ...SHIRT, quantity: 50 } }],
  [20, { tool: 'buyMcpShopItem', args: { ...SHIRT, tshirtSize: 'huge' } }],
  [10, { tool: 'getUserInfo', args: {} }],
  [5, { tool: 'pause' }],
];

/** An endless row of visits, the same for the same seed. */
export function* visits(seed: number): Generator<Visit, never> {
  const visit = fc.oneof(...MIX.map(([weight, one]) => ({ weight, arbitrary: fc.constant(one) })));
  const row = fc.sample(visit, { seed, numRuns: 20_000 });
  for (;;) yield* row;
}

/** Carries out one visit and returns each call with what came of it; one that should not be begins with "FAULT". */
export async function carryOut(visit: Visit, shopper: Shopper, turn: number, client: RawClient): Promise<string[]> {
  if ('args' in visit) return [await call(shopper, turn, client, visit.tool, visit.args)];
  const { browser } = shopper.person;
  await browser.press(await browser.open('/deputies'), 'Stop all');
  const refused = await call(shopper, turn, client, 'listMcpShopInventory', {});
  await browser.press(await browser.open('/deputies/resume'), 'Let these go on');
  return [refused.includes('paused') ? refused : `FAULT: after a pause: ${refused}`, 'human pauses and resumes'];
}

async function call(
  { deputies }: Shopper,
  turn: number,
  client: RawClient,
  tool: string,
  args: Record<string, unknown>,
): Promise<string> {
  const deputy = deputies[turn % deputies.length];
  if (!deputy) throw new Error('a human without deputies');
  const reply = await client.post('/mcp', toolCall(deputy.era, deputy.token, tool, args));
  const result = reply.status === 200 ? parseReply(reply).result : undefined;
  const content = result?.['structuredContent'] as { error?: { code: string } } | undefined;
  if (!content) return `FAULT: ${tool} was answered with HTTP ${reply.status}: ${reply.text.slice(0, 300)}`;
  return `${tool} ${content.error ? `refused: ${content.error.code}` : 'done'}`;
}
