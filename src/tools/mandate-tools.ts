/** Who acts for whom, as the server knows it from the token, and what was granted. Every domain has these tools. */
import { z } from 'zod';
import { mostInOneAct, valueOf } from '../authority/limits.ts';
import { authorizationDetails } from '../authority/mandate.ts';
import { type Amounts, basePower, isNames, type Terms } from '../authority/terms.ts';
import { isNamed } from '../authority/units.ts';
import { readsAmounts, sentenceOf } from '../authority/words.ts';
import { type AnyTool, type Desk, defineTool } from './define-tool.ts';
import { quoted } from '../text.ts';
import { strict } from './fields.ts';

const annotations = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };

const mandate = z.object({
  version: z.int().describe("Counts the human's changes."),
  sentence: z.string().describe('The mandate as the human read it.'),
  scopes: z.array(z.string()),
  expiresAt: z.iso.datetime(),
  details: z
    .looseObject({ type: z.string() })
    .describe('The same in the shape of RFC 9396, money in its smallest coin.'),
});

/** `adminPermission` is the one that getUserInfo needs. */
export function mandateTools(terms: Terms, adminPermission: string): AnyTool[] {
  const scope = basePower(terms);
  const { act } = terms;
  // The unit that one act is mostly about, if it counts any, and how many of it one act may have: "inOneOrder".
  const unit = Object.keys(terms.units).find((name) => terms.units[name] && !isNamed(terms.units[name]));
  const inOneAct = `inOne${act.noun.charAt(0).toUpperCase()}${act.noun.slice(1)}`;
  const mostOf = (desk: Desk): Amounts =>
    unit === undefined ? {} : { [unit]: mostInOneAct(terms, desk.mandate.limits, unit, desk.left) };

  const getMyMandate = defineTool({
    name: 'getMyMandate',
    title: 'Read your mandate',
    did: 'read its mandate',
    description: `Tells you what your human allows you: powers, limits, what remains of them, what needs their approval, and until when. Call it before you plan to ${act.verb}. Next: stay within it; only your human can change it.`,
    annotations,
    scope,
    input: strict({}),
    output: z.object({ mandate, limits: limitsSchema(terms), remaining: remainingSchema(terms, inOneAct) }),
    run(_, desk) {
      const { left } = desk;
      const most = mostOf(desk);
      const inOne = unit === undefined ? '' : `, at most ${readsAmounts(terms, most)} in one ${act.noun}`;
      const described = describe(desk);
      return {
        text: `Your human granted this: "${described.sentence}" Left now: ${readsAmounts(terms, left) || 'no number limits it'}${inOne}. Stay within that; only your human can change it.`,
        data: {
          mandate: described,
          limits: Object.fromEntries(
            Object.entries(terms.limits).map(([name, limit]) => [
              nameOf(name, limit),
              valueOf(desk.mandate.limits, name, limit),
            ]),
          ),
          remaining: { ...left, ...(unit !== undefined && { [inOneAct]: most[unit] }) },
        },
      };
    },
  });

  const getUserInfo = defineTool({
    name: 'getUserInfo',
    title: 'Get user info',
    did: 'read who you are',
    description:
      'Tells an administrator whose deputy you are: the human, their permissions, and what they granted you. Call it to check on whose behalf you act. Next: carry on within what was granted.',
    annotations,
    scope,
    permission: adminPermission,
    input: strict({}),
    output: z.object({
      user: z.object({ id: z.string(), email: z.string(), name: z.string() }),
      permissions: z
        .array(z.string())
        .describe('Permissions of the human at the identity provider, as of their last sign-in.'),
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
      const { caller, deputy } = desk;
      return {
        text: `You act for ${caller.name} (${caller.email}), who appointed ${quoted(deputy.clientName)} on ${deputy.appointedAt}. They granted: "${describe(desk).sentence}" Carry on within that.`,
        data: {
          user: { id: caller.userId, email: caller.email, name: caller.name },
          permissions: [...caller.permissions],
          deputy: { id: caller.deputyId, clientId: caller.clientId, ...deputy },
          mandate: describe(desk),
        },
      };
    },
  });

  return [getMyMandate, getUserInfo];
}

function limitsSchema({ limits }: Terms): z.ZodObject {
  return z.object(
    Object.fromEntries(
      Object.entries(limits).map(([name, limit]) => {
        const value = isNames(limit) ? z.array(z.string()) : z.int();
        return [nameOf(name, limit), limit.label === undefined ? value : value.describe(`${limit.label}.`)];
      }),
    ),
  );
}

/** A model is told by the name what comes above that number. */
function nameOf(name: string, limit: Terms['limits'][string]): string {
  return !isNames(limit) && limit.asks ? 'needsApprovalAbove' : name;
}

function remainingSchema({ limits, units, act }: Terms, inOneAct: string): z.ZodObject {
  const counted = Object.values(limits).flatMap((limit) =>
    limit.per !== 'act' && Object.hasOwn(units, limit.of) ? [limit.of] : [],
  );
  return z.object({
    ...Object.fromEntries(
      counted.map((name) => [
        name,
        z.int().describe('What may be used now, all limits considered. Money in its smallest coin.'),
      ]),
    ),
    ...(counted.length > 0 && {
      [inOneAct]: z.int().describe(`The most that one ${act.noun} may have now without an approval.`),
    }),
  });
}

function describe({ mandate: granted, terms, caller }: Desk): z.input<typeof mandate> {
  const details = authorizationDetails(terms, granted, caller.resource);
  return {
    version: granted.version,
    sentence: sentenceOf(terms, 'This deputy', granted),
    scopes: details.actions,
    expiresAt: new Date(granted.expiresAt).toISOString(),
    details,
  };
}
