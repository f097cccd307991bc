/** Removes the OAuth grants of deputies that are dismissed. The ledger refuses those deputies already. */
import type { GrantToClear } from '../ledger/acts.ts';
import { objectName } from '../deputy.ts';
import { logError } from '../log.ts';

/**
 * Removes grants, so that no code or refresh brings another token. Access tokens stay until they end by themselves: who
 * comes back with one is refused by the ledger, which records the knock. Does not throw: what is left over is tried again at
 * the human's next act.
 */
export async function clearGrants(
  env: Pick<Env, 'MCP_OBJECT' | 'OAUTH_KV'>,
  userId: string,
  grants: readonly GrantToClear[],
): Promise<void> {
  const object = env.MCP_OBJECT.getByName(objectName(userId));
  for (const { deputyId, grantId } of grants) {
    try {
      // As the OAuth provider names it.
      await env.OAUTH_KV.delete(`grant:${userId}:${grantId}`);
      await object.grantCleared(deputyId);
    } catch (error) {
      logError('grant_cleanup_failed', error, { deputy: deputyId });
    }
  }
}
