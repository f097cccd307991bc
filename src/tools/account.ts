/** Who acts for whom, as the server knows it from the token, and what was granted. */
import { z } from 'zod';
import { authorizationDetails, leftOf, sentenceOf } from '../authority/mandate.ts';
import { ADMIN_PERMISSION } from '../deputy.ts';
import { formatPrice, SHIRT } from '../shop/catalog.ts';
import { type Desk, defineTool } from './define-tool.ts';
import { strict } from './fields.ts';

const annotations = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };

const mandate = z.object({
  version: z.int().describe("Counts the human's changes."),
  sentence: z.string().describe('The mandate as the human read it.'),
  scopes: z.array(z.string()),
  expiresAt: z.iso.datetime(),
  details: z.looseObject({ type: z.string() }).describe('The same in the shape of RFC 9396, amounts in whole cents.'),
});
const limits = z.object({
  shirtsPerOrder: z.int(),
  shirtsPerDay: z.int(),
  spendPerDay: z.int().describe('Whole US cents.'),
  callsPerMinute: z.int(),
  purchasesPerMinute: z.int(),
  needsApprovalAbove: z.int().describe('An order of more shirts than this must be approved by the human.'),
});
const remaining = z.object({
  shirts: z.int().describe('Shirts that may be ordered now, all limits of the day considered.'),
  spend: z.int().describe('Whole US cents that may be spent now, all limits of the day considered.'),
  inOneOrder: z.int().describe('Shirts that one order may have now without an approval.'),
});

export const getMyMandate = defineTool({
  name: 'getMyMandate',
  title: 'Read your mandate',
  description:
    'Tells you what your human allows you: powers, limits, what remains of them today, what needs their approval, and until when. Call it before you plan a purchase. Next: stay within it; only your human can change it.',
  annotations,
  scope: 'shop:browse',
  input: strict({}),
  output: z.object({ mandate, limits, remaining }),
  run(_, desk) {
    const granted = grantOf(desk);
    const { limits: limit } = granted;
    const left = remainingOf(desk);
    const data = {
      mandate: describe(desk),
      limits: {
        shirtsPerOrder: limit.shirtsPerOrder,
        shirtsPerDay: limit.shirtsPerDay,
        spendPerDay: limit.spendPerDay,
        callsPerMinute: limit.callsPerMinute,
        purchasesPerMinute: limit.purchasesPerMinute,
        needsApprovalAbove: limit.askAbove,
      },
      remaining: left,
    };
    return {
      text: `Your human granted this: "${data.mandate.sentence}" Left now: ${left.shirts} for ${formatPrice(left.spend)}, at most ${left.inOneOrder} in one order. Stay within that; only your human can change it.`,
      data,
    };
  },
});

export const getUserInfo = defineTool({
  name: 'getUserInfo',
  title: 'Get user info',
  description:
    'Tells an administrator whose deputy you are: the human, their permissions, and what they granted you. Call it to check on whose behalf you act. Next: carry on within what was granted.',
  annotations,
  scope: 'shop:browse',
  permission: ADMIN_PERMISSION,
  input: strict({}),
  output: z.object({
    user: z.object({ id: z.string(), email: z.string(), name: z.string() }),
    permissions: z.array(z.string()).describe('WorkOS permissions of the human, as of their last sign-in.'),
    deputy: z.object({
      id: z.string(),
      clientId: z.string(),
      clientName: z.string().describe('What the client calls itself.'),
      clientDomain: z.string().optional().describe('The domain it proved to control; absent when unverified.'),
      appointedAt: z.iso.datetime(),
    }),
    mandate,
  }),
  run(_, desk) {
    const { caller, ledger, turn } = desk;
    const deputy = ledger.deputies.find(caller.deputyId, turn.now);
    if (!deputy) throw new Error(`no row for deputy ${caller.deputyId}`);
    const { clientId, clientName, clientDomain, appointedAt } = deputy;
    return {
      text: `You act for ${caller.name} (${caller.email}), who appointed ${clientName} on ${appointedAt}. They granted: "${describe(desk).sentence}" Carry on within that.`,
      data: {
        user: { id: caller.userId, email: caller.email, name: caller.name },
        permissions: caller.permissions,
        deputy: { id: deputy.deputyId, clientId, clientName, ...(clientDomain && { clientDomain }), appointedAt },
        mandate: describe(desk),
      },
    };
  },
});

function grantOf({ turn }: Desk) {
  if (!turn.grant) throw new Error('a deputy without a mandate was let through');
  return turn.grant.mandate;
}

function describe(desk: Desk): z.input<typeof mandate> {
  const granted = grantOf(desk);
  return {
    version: granted.version,
    sentence: sentenceOf('This deputy', granted),
    scopes: granted.scopes,
    expiresAt: new Date(granted.expiresAt).toISOString(),
    details: authorizationDetails(granted, desk.caller.resource),
  };
}

/** What one more purchase may be at most, under the mandate and under the ceiling of the account. */
function remainingOf(desk: Desk) {
  const { scopes, limits: limit } = grantOf(desk);
  const { turn } = desk;
  if (!scopes.includes('shop:buy') || !desk.caller.scopes.includes('shop:buy'))
    return { shirts: 0, spend: 0, inOneOrder: 0 };
  const { shirts: used, spend, accountShirts, accountSpend } = turn.usage;
  const usedByAll = { shirts: accountShirts, spend: accountSpend };
  const left = leftOf(limit, { shirts: used, spend }, turn.account.ceiling, usedByAll);
  const shirts = Math.min(left.shirts, Math.floor(left.spend / SHIRT.price));
  return { shirts, spend: left.spend, inOneOrder: Math.min(shirts, limit.shirtsPerOrder, limit.askAbove) };
}
