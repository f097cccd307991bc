/** A call that was not carried out, and why: reasons as data. `words.ts` says them. */
import { z } from 'zod';
import type { LimitValue } from './terms.ts';
import { SPANS } from './window.ts';

/** Who can change what stopped a call: the deputy, its human, an administrator at the identity provider, or the operator. */
const LIFTERS = ['deputy', 'human', 'administrator', 'operator'] as const;
export type Lifter = (typeof LIFTERS)[number];

type SpanCode = (typeof SPANS)[keyof typeof SPANS]['code'];
const SPAN_CODES = Object.values(SPANS).map(({ code }): SpanCode => code);

/** Each code with who can lift it. `insufficient_scope` is answered with HTTP 403, and what ends a deputy with 401. */
const LIFTED_BY = {
  deputy_unknown: 'human',
  deputy_revoked: 'human',
  deputy_superseded: 'human',
  deputy_resigned: 'human',
  mandate_expired: 'human',
  paused: 'human',
  deputy_paused: 'human',
  suspended: 'human',
  insufficient_scope: 'human',
  permission_required: 'administrator',
  rate_limited: 'deputy',
  act_rate: 'deputy',
  act_limit: 'human',
  approval_required: 'human',
  approval_denied: 'human',
  approval_lapsed: 'deputy',
  approval_withdrawn: 'deputy',
  too_many_waiting: 'human',
  not_your_request: 'human',
  account_limit: 'human',
  unknown_tool: 'deputy',
  invalid_request: 'deputy',
  invalid_arguments: 'deputy',
  unknown_cursor: 'deputy',
  unknown_effect: 'deputy',
  idempotency_conflict: 'deputy',
  demo_banned: 'deputy',
  internal_error: 'operator',
} as const satisfies Record<string, Lifter>;

export type RefusalCode = keyof typeof LIFTED_BY | SpanCode;
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys does not know the keys of a constant
export const REFUSAL_CODES = [...new Set([...(Object.keys(LIFTED_BY) as RefusalCode[]), ...SPAN_CODES])];

/** Waiting lifts a rate; only the human lifts the limit of a longer span. */
export function whoCanLift(code: RefusalCode): Lifter {
  const known: Partial<Record<RefusalCode, Lifter>> = LIFTED_BY;
  return known[code] ?? 'human';
}

/** A limit that stopped a call. `wanted` is what the call asked of it; `used` and `freesAt` (milliseconds) are of its span. */
export type LimitReason = {
  code: 'rate_limited' | 'act_limit' | SpanCode | 'account_limit';
  limit: string;
  most: LimitValue;
  wanted: LimitValue;
  used?: number;
  freesAt?: number | undefined;
};

/** What waits for the human: the effect, and when the question ends, in milliseconds. */
export type Waiting = { id: string; endsAt: number };

/** A limit above which the human is asked, and what waits for their answer once they were. */
export type AskReason = Omit<LimitReason, 'code'> & { code: 'approval_required'; waiting?: Waiting };

/** Why a call was not carried out. `field` is the argument at fault. */
export type Reason =
  | LimitReason
  | AskReason
  | { code: 'approval_denied' | 'approval_lapsed' | 'approval_withdrawn'; id: string }
  | { code: 'too_many_waiting'; most: number }
  | { code: 'deputy_unknown' | 'deputy_revoked' | 'deputy_superseded' | 'deputy_resigned' | 'deputy_paused' }
  | { code: 'paused' | 'suspended' | 'unknown_tool' }
  | { code: 'mandate_expired'; expiresAt: number }
  | { code: 'insufficient_scope'; tool: string; scope: string }
  | { code: 'permission_required'; tool: string; permission: string }
  | { code: 'invalid_request' | 'idempotency_conflict'; tool: string }
  | { code: 'invalid_arguments'; tool: string; problems: readonly string[] }
  | { code: 'unknown_cursor' | 'unknown_effect' | 'not_your_request'; field: string }
  | { code: 'demo_banned'; says: string }
  | { code: 'internal_error'; id: string };

const ENDS: readonly RefusalCode[] = [
  'deputy_unknown',
  'deputy_revoked',
  'deputy_superseded',
  'deputy_resigned',
  'mandate_expired',
];

/** Whether the deputy may do nothing any more, so that its token is of no use. */
export function isEnd({ code }: Reason): boolean {
  return ENDS.includes(code);
}

/** Thrown by a tool, or by what decides about it. */
export class Refusal extends Error {
  readonly reason: Reason;

  constructor(reason: Reason) {
    super(reason.code);
    this.reason = reason;
  }
}

/** What a client reads of a refusal, as structured content. */
export const refusalSchema = z.object({
  code: z.enum(REFUSAL_CODES),
  rule: z.string().describe('The rule that stopped the call, in one sentence.'),
  limit: z.string().optional().describe('The limit of the mandate that it was.'),
  remaining: z
    .object({ freesAt: z.iso.datetime().optional().describe('When the first part of what was used counts no longer.') })
    .catchall(z.int())
    .optional()
    .describe('What is left under the rule, by unit. Money in its smallest coin.'),
  whoCanLift: z.enum(LIFTERS).describe('Who can change that.'),
  url: z.string().describe('Where a human finds more, and can change it. Of what waits for them: where they answer.'),
  waiting: z
    .object({ id: z.string(), until: z.iso.datetime() })
    .optional()
    .describe('What waits for the human. Repeating the same call tells what came of it.'),
});

/** A reason in words for a model: one sentence that ends in what to do next, and the data beside it. */
export type Told = {
  message: string;
  code: RefusalCode;
  rule: string;
  limit?: string;
  remaining?: { [unit: string]: number | string };
  whoCanLift: Lifter;
  /** `until` in ISO 8601. */
  waiting?: { id: string; until: string };
};
