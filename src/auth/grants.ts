/** Removes the OAuth grants of deputies that are dismissed. The ledger refuses those deputies already. */
import type { OAuthHelpers } from '@cloudflare/workers-oauth-provider';
import type { GrantToClear } from '../ledger/acts.ts';
import { objectName } from '../deputy.ts';
import { logError } from '../log.ts';

/** Removes grants and their tokens. Does not throw: what is left over is tried again at the human's next act. */
export async function clearGrants(
  oauth: OAuthHelpers,
  env: Env,
  userId: string,
  grants: readonly GrantToClear[],
): Promise<void> {
  const object = env.MCP_OBJECT.getByName(objectName(userId));
  for (const { deputyId, grantId } of grants) {
    try {
      await oauth.revokeGrant(grantId, userId);
      await object.grantCleared(deputyId);
    } catch (error) {
      logError('grant_cleanup_failed', error, { deputy: deputyId });
    }
  }
}
