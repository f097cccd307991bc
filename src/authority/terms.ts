/** What a domain tells the law: which powers there are, what is counted, how far, and how that reads. Pure. */
import type { Unit } from './units.ts';
import type { Pair, SpanName } from './window.ts';

/** A scope. The first one is every deputy's; the human ticks the others. */
export type Power = Readonly<{
  /** In the sentence "It may … in your name". */
  reads: string;
  /** Beside its tick on the consent page. */
  title: string;
  detail: string;
  /** With it, a deputy can make metered calls. */
  metered?: true;
}>;

/** A number in a mandate. */
export type NumberLimit = Readonly<{
  /** A unit, `acts` for metered calls themselves, or `calls` for calls of any kind. */
  of: string;
  per: 'act' | SpanName;
  start: number;
  max: number;
  /** The least that makes sense, such as the price of one thing; 1 when left out. */
  min?: number;
  /** Names the blank. A limit without it is the server's own and cannot be typed. */
  label?: string;
  /** Above it the human is asked. Its blank may be left empty: then it never is. */
  asks?: true;
  /** Makes it a limit over all deputies too: what an account starts with. */
  ceiling?: number;
  /** How it reads in RFC 9396's constraints; by its name and number when left out. */
  constraint?: (value: number) => Constraint;
  names?: never;
}>;

/** Names a human writes: every name that a metered call states must be among them. */
export type NameLimit = Readonly<{
  names: true;
  of: string;
  per: 'act';
  start: readonly string[];
  /** How many names at most. */
  max: number;
  label: string;
  constraint?: (value: readonly string[]) => Constraint;
}>;

export type Limit = NumberLimit | NameLimit;
export type Constraint = { type: string } & Record<string, unknown>;

/** A limit's value in a mandate. */
export type LimitValue = number | readonly string[];
export type Limits = { readonly [name: string]: LimitValue };
export type Ceiling = { readonly [name: string]: number };
/** Whole numbers by unit. */
export type Amounts = Record<string, number>;
/** What a metered call would use: an amount of each counted unit, the names of each other one. */
export type Uses = Record<string, LimitValue>;

export type Terms = Readonly<{
  /** In RFC 9396's authorization details: "mcp_shop_mandate". */
  mandateType: string;
  /** What a metered call is called, how to make it smaller, and the tool that lists what such calls left. */
  act: Readonly<{ noun: string; nouns: string; verb: string; did: string; less: string; look: string }>;
  powers: Readonly<Record<string, Power>>;
  units: Readonly<Record<string, Unit>>;
  /** Checked in this order. */
  limits: Readonly<Record<string, Limit>>;
  /** "It may buy up to {shirtsPerOrder} an order …": each blank is a limit. */
  sentence: string;
  /** The same for the account. */
  ceiling: string;
  /** What one of a unit costs in another, in whole numbers: of both, one more act can have only as much as both allow. */
  price?: Readonly<{ of: string; in: string; each: number }>;
}>;

/** Units that the kernel counts for every domain. */
export const CALLS = 'calls';
export const ACTS = 'acts';

export function isNames(limit: Limit): limit is NameLimit {
  return limit.names === true;
}

/** The power that every deputy has. */
export function basePower({ powers }: Terms): string {
  return Object.keys(powers)[0] ?? '';
}

/** Whether these scopes allow metered calls. */
export function maySpend({ powers }: Terms, scopes: readonly string[]): boolean {
  return scopes.some((scope) => powers[scope]?.metered);
}

/** What is counted for each deputy, and for all of a human's deputies together. */
export function pairsOf({ limits }: Terms): { own: Pair[]; all: Pair[] } {
  const counted = Object.values(limits).flatMap((limit) =>
    isNames(limit) || limit.per === 'act' ? [] : [{ per: limit.per, of: limit.of, ceiling: limit.ceiling }],
  );
  return { own: unique(counted), all: unique(counted.filter(({ ceiling }) => ceiling !== undefined)) };
}

function unique(pairs: Pair[]): Pair[] {
  return [...new Map(pairs.map(({ per, of }) => [`${per} ${of}`, { per, of }])).values()];
}
