/** What the audit says the record must hold: each line is applied to the state before it, from the checkpoint on. */
import { z } from 'zod';
import type { Line } from './audit.ts';
import { ceilingSchema, mandateSchema } from './mandate.ts';
import { windowSchema } from './window.ts';

/** What the audit says of an order, besides its id. */
export type OrderFacts = { quantity: number; total: number; status: string };

/** The state without orders, which a checkpoint keeps in rows of their own. */
export const coreSchema = z.object({
  /** What all deputies had used within the day when the human erased their record; it counts on. */
  day: windowSchema.default([]),
  authority: z.enum(['active', 'paused']),
  ceiling: ceilingSchema,
  deputies: z.record(
    z.string(),
    z.object({
      status: z.enum(['pending', 'active', 'revoked', 'superseded']),
      mandate: mandateSchema,
      clientId: z.string(),
      clientName: z.string(),
      clientDomain: z.string().optional(),
      /** What was granted on the consent page. */
      scopes: z.array(z.string()),
    }),
  ),
});
export type Core = z.infer<typeof coreSchema>;
export type State = Core & { orders: Map<string, OrderFacts> };

/** Applies one line to `state`, in place. Throws when the line cannot follow from it. */
export function apply(state: State, line: Line): void {
  if (line.actor === 'deputy') {
    if (line.order) {
      const { id, ...facts } = line.order;
      state.orders.set(id, facts);
    }
    return;
  }
  switch (line.act) {
    case 'appointed':
      state.deputies[line.deputy] = {
        status: 'pending',
        mandate: line.mandate,
        clientId: line.client.id,
        clientName: line.client.unverifiedName,
        ...(line.client.verifiedDomain && { clientDomain: line.client.verifiedDomain }),
        scopes: line.mandate.scopes,
      };
      return;
    case 'activated':
      deputy(state, line.deputy).status = 'active';
      return;
    case 'superseded':
      deputy(state, line.deputy).status = 'superseded';
      return;
    case 'revoked':
      deputy(state, line.deputy).status = 'revoked';
      return;
    case 'amended':
      deputy(state, line.deputy).mandate = line.mandate;
      return;
    case 'ceiling':
      state.ceiling = line.ceiling;
      return;
    case 'paused':
      state.authority = 'paused';
      return;
    case 'resumed':
      state.authority = 'active';
      return;
    case 'erased':
    case 'opened':
    case 'pruned':
    case 'counted':
      return;
  }
}

function deputy(state: State, id: string) {
  const found = state.deputies[id];
  if (!found) throw new Error(`the deputy ${id} was never appointed`);
  return found;
}
