/** A call that was not carried out: what the deputy is told, in a closed list of codes. */
import { z } from 'zod';

export const REFUSAL_CODES = [
  // The human's authority. The first four are answered with HTTP 401, so that the client signs in again.
  'deputy_unknown',
  'deputy_revoked',
  'deputy_superseded',
  'mandate_expired',
  'paused',
  // Answered with HTTP 403 and the scopes to ask for.
  'insufficient_scope',
  'permission_required',
  // Limits.
  'rate_limited',
  'order_limit',
  'approval_required',
  'daily_shirts',
  'daily_spend',
  'account_shirts',
  'account_spend',
  'purchase_rate',
  // The call itself.
  'unknown_tool',
  'invalid_request',
  'invalid_arguments',
  'unknown_cursor',
  'unknown_order',
  'idempotency_conflict',
  'demo_banned',
  'internal_error',
] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** Who can change what stopped the call: the deputy itself, its human, an administrator at WorkOS, or the operator. */
export const LIFTERS = ['deputy', 'human', 'administrator', 'operator'] as const;

export const remainingSchema = z
  .object({
    quantity: z.int().optional().describe('The most shirts that one order may have under this rule.'),
    spend: z.int().optional().describe('Whole cents that may be spent under this rule.'),
    freesAt: z.iso.datetime().optional().describe('When the first part of what was used counts no longer.'),
  })
  .describe('What is left under the rule.');
export type Remaining = z.infer<typeof remainingSchema>;

export const refusalSchema = z.object({
  code: z.enum(REFUSAL_CODES),
  rule: z.string().describe('The rule that stopped the call, in one sentence.'),
  remaining: remainingSchema.optional(),
  whoCanLift: z.enum(LIFTERS).describe('Who can change that.'),
  url: z.string().describe('Where a human finds more, and can change it.'),
});

export type Denial = {
  code: RefusalCode;
  /** One sentence for the model, that ends in what to do next. */
  message: string;
  rule: string;
  remaining?: Remaining;
  whoCanLift: (typeof LIFTERS)[number];
};

/** Thrown by a tool, or by what decides about it. */
export class Refusal extends Error {
  readonly denial: Denial;

  constructor(denial: Denial) {
    super(denial.message);
    this.denial = denial;
  }
}
