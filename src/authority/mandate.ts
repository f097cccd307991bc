/** What a human granted a deputy: powers, limits and an end. And the sentence that says so, wherever it is read. */
import { z } from 'zod';
import { BASE_SCOPE, type Scope, SCOPES } from '../deputy.ts';
import { CURRENCY, formatPrice, MAX_QUANTITY } from '../shop/catalog.ts';

const DAY = 24 * 60 * 60_000;

/** The largest values a human can enter. `spendPerDay` is in whole cents. */
export const BOUNDS = { shirtsPerOrder: MAX_QUANTITY, shirtsPerDay: 1000, spendPerDay: 2_500_000 } as const;

/** Milliseconds a mandate can last at most: as long as a grant of the OAuth provider. */
export const LONGEST = 30 * DAY;

const limitsSchema = z.object({
  /** Shirts in one order. */
  shirtsPerOrder: z.int().min(1).max(BOUNDS.shirtsPerOrder),
  /** Shirts within any 24 hours. */
  shirtsPerDay: z.int().min(1).max(BOUNDS.shirtsPerDay),
  /** Whole cents within any 24 hours. */
  spendPerDay: z.int().min(1).max(BOUNDS.spendPerDay),
  /** An order of more shirts than this needs the human's approval. */
  askAbove: z.int().min(0).max(BOUNDS.shirtsPerOrder),
  /** Calls of any tool within any minute. */
  callsPerMinute: z.int().min(1),
  /** Purchases within any minute. */
  purchasesPerMinute: z.int().min(1),
});
export type Limits = z.infer<typeof limitsSchema>;
/** The limits that the human fills in; the others are ours. */
export type Spending = Pick<Limits, 'shirtsPerOrder' | 'shirtsPerDay' | 'spendPerDay' | 'askAbove'>;

/** As stored. A later format is added beside this one, and read into it: a stored mandate is never dropped. */
export const mandateSchema = z.object({
  format: z.literal(1),
  /** Counts the human's changes, from 1. */
  version: z.int().min(1),
  scopes: z.array(z.enum(SCOPES)),
  limits: limitsSchema,
  /** Milliseconds since the epoch. */
  expiresAt: z.int(),
});
export type Mandate = z.infer<typeof mandateSchema>;

/** The limits of the account, over all its deputies, within any 24 hours. */
export const ceilingSchema = limitsSchema.pick({ shirtsPerDay: true, spendPerDay: true });
export type Ceiling = z.infer<typeof ceilingSchema>;

export const DEFAULT_LIMITS: Limits = {
  shirtsPerOrder: 5,
  shirtsPerDay: 10,
  spendPerDay: 25_000,
  askAbove: 3,
  callsPerMinute: 60,
  purchasesPerMinute: 10,
};
export const DEFAULT_CEILING: Ceiling = { shirtsPerDay: 20, spendPerDay: 50_000 };
/** Milliseconds a mandate lasts unless the human says otherwise. */
export const DEFAULT_DURATION = 7 * DAY;

/** How long a human can let a mandate last, in milliseconds. */
export const DURATIONS = { hour: DAY / 24, day: DAY, week: DEFAULT_DURATION, month: LONGEST } as const;
export type Duration = keyof typeof DURATIONS;

/** Whether `next` grants nothing that `current` does not: then it needs no fresher proof of who the human is. */
export function isNoWider(next: Mandate, current: Mandate): boolean {
  return (
    next.scopes.every((scope) => current.scopes.includes(scope)) &&
    next.expiresAt <= current.expiresAt &&
    next.limits.shirtsPerOrder <= current.limits.shirtsPerOrder &&
    next.limits.shirtsPerDay <= current.limits.shirtsPerDay &&
    next.limits.spendPerDay <= current.limits.spendPerDay &&
    next.limits.askAbove <= current.limits.askAbove &&
    next.limits.callsPerMinute <= current.limits.callsPerMinute &&
    next.limits.purchasesPerMinute <= current.limits.purchasesPerMinute
  );
}

/** Shirts, and whole cents. */
export type Used = { shirts: number; spend: number };

/** What is left of a day: under the mandate, and under the ceiling of the account that binds it. */
export function leftOf(limits: Ceiling, used: Used, ceiling: Ceiling, usedByAll: Used): Used {
  return {
    shirts: Math.max(0, Math.min(limits.shirtsPerDay - used.shirts, ceiling.shirtsPerDay - usedByAll.shirts)),
    spend: Math.max(0, Math.min(limits.spendPerDay - used.spend, ceiling.spendPerDay - usedByAll.spend)),
  };
}

/** A part of the sentence: fixed words, or a blank that the human fills in and how it reads once filled. */
export type Part = string | { blank: keyof Spending | 'until'; reads: string };

/** The blanks of a mandate to buy, in the order they are read. */
export function blanks({ limits, expiresAt }: Pick<Mandate, 'limits' | 'expiresAt'>): Part[] {
  return [
    'It may buy up to ',
    { blank: 'shirtsPerOrder', reads: shirts(limits.shirtsPerOrder) },
    ' an order, and up to ',
    { blank: 'shirtsPerDay', reads: shirts(limits.shirtsPerDay) },
    ' for ',
    { blank: 'spendPerDay', reads: formatPrice(limits.spendPerDay) },
    ' in any 24 hours. Above ',
    { blank: 'askAbove', reads: shirts(limits.askAbove) },
    ' in one order it must ask first. All this until ',
    { blank: 'until', reads: moment(expiresAt) },
    '.',
  ];
}

const POWERS: Record<Scope, string> = {
  'shop:browse': 'look around the shop',
  'shop:buy': 'buy shirts and cancel orders',
  'orders:read': 'read the order history',
};

/** The mandate in words, for the human and the deputy alike. `client` is how the page names the deputy. */
export function sentenceOf(client: string, mandate: Pick<Mandate, 'scopes' | 'limits' | 'expiresAt'>): string {
  const powers = SCOPES.filter((scope) => scope === BASE_SCOPE || mandate.scopes.includes(scope)).map(
    (scope) => POWERS[scope],
  );
  const may = `${client} may ${new Intl.ListFormat('en').format(powers)} in your name`;
  if (!mandate.scopes.includes('shop:buy')) return `${may}, until ${moment(mandate.expiresAt)}. It may not buy.`;
  const rest = blanks(mandate).map((part) => (typeof part === 'string' ? part : part.reads));
  return `${may}. ${rest.join('')}`;
}

/**
 * The mandate in the shape of OAuth's rich authorization requests (RFC 9396, section 2), with the constraint names of
 * the Agent Payments Protocol (AP2) where it has one. Amounts are in whole cents.
 */
export function authorizationDetails(mandate: Mandate, resource: string) {
  const { limits } = mandate;
  return {
    type: 'mcp_shop_mandate',
    locations: [resource],
    actions: [...mandate.scopes],
    constraints: [
      { type: 'shop.quantity_range', max: limits.shirtsPerOrder },
      { type: 'shop.quantity_budget', max: limits.shirtsPerDay, frequency: 'DAILY' },
      { type: 'payment.budget', currency: CURRENCY, max: limits.spendPerDay, frequency: 'DAILY' },
      { type: 'payment.agent_recurrence', frequency: 'MINUTELY', max_occurrences: limits.purchasesPerMinute },
      { type: 'shop.approval_above', quantity: limits.askAbove },
    ],
    expires_at: new Date(mandate.expiresAt).toISOString(),
  };
}

export function shirts(count: number): string {
  return count === 1 ? '1 shirt' : `${count.toLocaleString('en')} shirts`;
}

/** Kept, because making one takes far longer than using it. */
const dateFormat = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
const timeFormat = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', timeZone: 'UTC' });

/** A moment for people, in UTC: "30 November 2026, 18:00 UTC". */
export function moment(milliseconds: number): string {
  return `${dateFormat.format(milliseconds)}, ${timeFormat.format(milliseconds)} UTC`;
}
