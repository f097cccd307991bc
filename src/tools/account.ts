/** Who acts for whom, as the server knows it from the token. */
import { z } from 'zod';
import { ADMIN_PERMISSION } from '../deputy.ts';
import { defineTool } from './define-tool.ts';
import { strict } from './fields.ts';

export const getUserInfo = defineTool({
  name: 'getUserInfo',
  title: 'Get user info',
  description:
    'Tells an administrator whose deputy you are: the human, their permissions, and what they granted you. Call it to check on whose behalf you act. Next: carry on within what was granted.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
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
    mandate: z.object({ scopes: z.array(z.string()) }),
  }),
  run(_, { caller, ledger }) {
    const deputy = ledger.deputies.find(caller.deputyId);
    if (!deputy) throw new Error(`no row for deputy ${caller.deputyId}`);
    const { clientId, clientName, clientDomain, appointedAt } = deputy;
    return {
      text: `You act for ${caller.name} (${caller.email}), who granted ${caller.scopes.join(', ')} to ${clientName} on ${appointedAt}. Carry on within that.`,
      data: {
        user: { id: caller.userId, email: caller.email, name: caller.name },
        permissions: caller.permissions,
        deputy: { id: deputy.deputyId, clientId, clientName, ...(clientDomain && { clientDomain }), appointedAt },
        mandate: { scopes: caller.scopes },
      },
    };
  },
});
