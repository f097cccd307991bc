/** One human's ledger in an object of its own, the deputies in it, and their calls through the boundary of every tool. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import type { JSONRPCMessage, JSONRPCRequest, McpServer, Transport } from '@modelcontextprotocol/server';
import { startLimits } from '../../src/authority/limits.ts';
import type { Mandate } from '../../src/authority/mandate.ts';
import type { Limits, Terms } from '../../src/authority/terms.ts';
import { type Caller, objectName } from '../../src/deputy.ts';
import { activate, appoint } from '../../src/ledger/acts.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { LONGEST_MANDATE_MS } from '../../src/lifetimes.ts';
import { shop } from '../../src/shop/index.ts';
import { Boundary } from '../../src/tools/boundary.ts';
import type { Domain } from '../../src/tools/define-domain.ts';
import { ORIGIN } from './worker.ts';

export const SCOPES = Object.keys(shop.powers);

/** Works on the storage of an object that no other test has. */
export function inStorage<Result>(work: (storage: DurableObjectStorage) => Result | Promise<Result>): Promise<Result> {
  const object = env.MCP_OBJECT.getByName(objectName(`unit_${crypto.randomUUID()}`));
  return runInDurableObject(object, (_, { storage }) => work(storage));
}

/** The same, with the shop's ledger over it. */
export function inLedger<Result>(
  work: (ledger: Ledger, storage: DurableObjectStorage) => Result | Promise<Result>,
): Promise<Result> {
  return inStorage((storage) => work(ledgerOver(storage), storage));
}

export function ledgerOver(storage: DurableObjectStorage, terms: Terms = shop): Ledger {
  return new Ledger(storage, terms, { delivers: true });
}

/** Every power, the limits of a new mandate but for `limits`, and the longest end from now. */
export function mandateOf(limits: Limits = {}, changes: Partial<Mandate> = {}): Mandate {
  return {
    format: 1,
    version: 1,
    scopes: SCOPES,
    limits: { ...startLimits(shop), ...limits },
    expiresAt: Date.now() + LONGEST_MANDATE_MS,
    ...changes,
  };
}

export function callerOf(deputyId: string, changes: Partial<Caller> = {}): Caller {
  return {
    userId: 'user_1',
    email: 'ada@example.com',
    name: 'Ada',
    permissions: [],
    deputyId,
    clientId: `client of ${deputyId}`,
    scopes: SCOPES,
    resource: `${ORIGIN}/mcp`,
    ...changes,
  };
}

/** The human said yes to a deputy that has not fetched its token yet. */
export function announce(ledger: Ledger, deputyId: string, mandate = mandateOf(), replaces: string[] = []): void {
  appoint(ledger, {
    deputyId,
    clientId: `client of ${deputyId}`,
    clientName: 'Łódź 👋',
    clientDomain: 'assistant.example',
    redirectHost: 'assistant.example',
    mandate,
    replaces,
  });
}

/** A deputy that is live. */
export function employ(ledger: Ledger, deputyId: string, mandate?: Mandate, replaces?: string[]): void {
  announce(ledger, deputyId, mandate, replaces);
  activate(ledger, deputyId, `grant of ${deputyId}`);
}

/** What a call came to. `code` is that of its refusal; a message that no tool answered has none. */
export type Answer = { allowed: boolean; code?: string | undefined; data: Record<string, unknown> };

/** One message to a server in this isolate, as the transports of the SDK bring it. */
async function send(server: McpServer, request: JSONRPCRequest): Promise<JSONRPCMessage> {
  const answer = Promise.withResolvers<JSONRPCMessage>();
  const transport: Transport = {
    start: async () => {},
    close: async () => {},
    send: async (message) => answer.resolve(message),
  };
  await server.connect(transport);
  transport.onmessage?.(request);
  return answer.promise;
}

/** A call as the object serves it, but for HTTP: protocol, boundary, tool. Nothing is delivered. */
export async function serve(
  ledger: Ledger,
  caller: Caller,
  name: string,
  args: unknown = {},
  domain: Domain = shop,
): Promise<Answer> {
  const boundary = new Boundary(ledger, caller, domain, {
    demoTools: true,
    deliver: async () => {},
    waits: async () => {},
  });
  // As text, because that is how it comes.
  const params = JSON.parse(JSON.stringify({ name, arguments: args })) as JSONRPCRequest['params'];
  const answer = await send(boundary.serverFor(name), { jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  if (!boundary.outcome) boundary.recordUnserved(name);
  const allowed = boundary.outcome === 'allowed';
  const { structuredContent: data = {} } = 'result' in answer ? (answer.result as { structuredContent?: object }) : {};
  const { error, ...rest } = data as { error?: { code: string } };
  return { allowed, code: error?.code, data: rest };
}

const AMOUNTS = { shirts: 1, spend: 2500 };

/** Places an order of the deputy `dep_1` as a call does it: with a line of the record of its own. */
export function place(ledger: Ledger) {
  return ledger.transaction(() => {
    const caller = callerOf('dep_1');
    const turn = ledger.begin(caller);
    const { id, number, state, at } = ledger.effects.make(
      caller,
      { state: 'confirmed', amounts: AMOUNTS, data: '{}' },
      turn,
    );
    turn.allowed({ tool: 'buyMcpShopItem', amounts: AMOUNTS, effect: { id, number, state, amounts: AMOUNTS } });
    return { id, at };
  });
}
