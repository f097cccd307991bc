/** A call that was not carried out: what the deputy is told, in a closed list of codes. */
import { z } from 'zod';

export const REFUSAL_CODES = [
  'invalid_arguments',
  'unknown_cursor',
  'demo_banned',
  'permission_required',
  'internal_error',
] as const;

/** Who can change what stopped the call: the deputy itself, its human, an administrator at WorkOS, or the operator. */
export const LIFTERS = ['deputy', 'human', 'administrator', 'operator'] as const;

export const refusalSchema = z.object({
  code: z.enum(REFUSAL_CODES),
  rule: z.string().describe('The rule that stopped the call, in one sentence.'),
  whoCanLift: z.enum(LIFTERS).describe('Who can change that.'),
  url: z.string().describe('Where a human finds more.'),
});

/** Thrown by a tool, or by what decides about it; `message` is one sentence for the model. */
export class Refusal extends Error {
  readonly code: (typeof REFUSAL_CODES)[number];
  readonly rule: string;
  readonly whoCanLift: (typeof LIFTERS)[number];

  constructor(refusal: {
    code: (typeof REFUSAL_CODES)[number];
    message: string;
    rule: string;
    whoCanLift: (typeof LIFTERS)[number];
  }) {
    super(refusal.message);
    this.code = refusal.code;
    this.rule = refusal.rule;
    this.whoCanLift = refusal.whoCanLift;
  }
}
