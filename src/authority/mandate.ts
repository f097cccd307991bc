/** What a human granted a deputy: powers, limits and an end. Pure. */
import { z } from 'zod';
import { LONGEST_MANDATE_MS } from '../lifetimes.ts';
import { type Grade, GRADES, isNoEasier } from './grade.ts';
import { isNoHigher, isValid, startLimits, valueOf } from './limits.ts';
import { basePower, type Constraint, isNames, type Limits, type Terms } from './terms.ts';

/**
 * As stored. Scopes and limits are the domain's words of then: what today's domain does not know is ignored, and what it
 * misses has its start value. A later format is added beside this one: a stored mandate is never dropped.
 */
export const mandateSchema = z
  .object({
    format: z.literal(1),
    /** Counts the human's changes, from 1. */
    version: z.int().min(1),
    scopes: z.array(z.string()).readonly(),
    limits: z.record(z.string(), z.union([z.int(), z.array(z.string()).readonly()])).readonly(),
    /** How the human says yes when it asks; without it, in the strongest way they have. */
    approval: z.enum(GRADES).optional(),
    /** Milliseconds since the epoch. */
    expiresAt: z.int(),
  })
  .readonly();
export type Mandate = z.infer<typeof mandateSchema>;

/** What a human fills in. `expiresAt` in milliseconds since the epoch. */
export type Granted = {
  scopes: readonly string[];
  limits: Limits;
  approval?: Grade | undefined;
  expiresAt: number;
};

/**
 * The mandate that a human's words make: a first one, or one in place of `before`, whose limits stay where nothing is said.
 * Throws for a limit that the domain does not know, or outside its bounds.
 */
export function newMandate(terms: Terms, { scopes, limits, approval, expiresAt }: Granted, before?: Mandate): Mandate {
  for (const [name, value] of Object.entries(limits)) {
    const limit = terms.limits[name];
    if (!limit || !isValid(limit, value)) throw new Error(`${JSON.stringify(value)} is no value of ${name}`);
  }
  const base = basePower(terms);
  return {
    format: 1,
    version: (before?.version ?? 0) + 1,
    scopes: Object.keys(terms.powers).filter((scope) => scope === base || scopes.includes(scope)),
    limits: { ...startLimits(terms), ...before?.limits, ...limits },
    ...(approval && { approval }),
    expiresAt,
  };
}

/** The latest end of a mandate, in milliseconds: what the identity provider said of the human is relied on for no longer. */
export function latestEnd(appointedAt: number): number {
  return appointedAt + LONGEST_MANDATE_MS;
}

/** Whether `next` grants nothing that `current` does not: then it needs no fresher proof of who the human is. */
export function isNoWider(terms: Terms, next: Mandate, current: Mandate): boolean {
  return (
    next.scopes.every((scope) => current.scopes.includes(scope)) &&
    next.expiresAt <= current.expiresAt &&
    isNoEasier(next.approval, current.approval) &&
    isNoHigher(terms, next.limits, current.limits)
  );
}

/** The mandate in the shape of OAuth's rich authorization requests (RFC 9396, section 2). Money in its smallest coin. */
export function authorizationDetails(terms: Terms, mandate: Mandate, resource: string) {
  const constraints = Object.entries(terms.limits).flatMap(([name, limit]): Constraint[] => {
    if (isNames(limit)) {
      const value = valueOf(mandate.limits, name, limit);
      return [limit.constraint?.(value) ?? { type: name, values: value }];
    }
    const value = valueOf(mandate.limits, name, limit);
    // A limit without a blank is the server's own, and left out unless the domain says how it reads here.
    if (!limit.constraint && limit.label === undefined) return [];
    return [limit.constraint?.(value) ?? { type: name, [limit.asks ? 'asksAbove' : 'max']: value, per: limit.per }];
  });
  return {
    type: terms.mandateType,
    locations: [resource],
    actions: Object.keys(terms.powers).filter((scope) => mandate.scopes.includes(scope)),
    constraints,
    expires_at: new Date(mandate.expiresAt).toISOString(),
  };
}
