/** A grant and its deputy end together: the ledger first, and the OAuth provider's store after it. */
import type { GrantToClear } from '../ledger/acts.ts';
import { objectName } from '../deputy.ts';
import { Answered, tryAgain } from '../edge/oauth-error.ts';
import { logError } from '../log.ts';

/**
 * The provider's store, in which nothing of a grant is removed before its deputy has ended in the ledger: a client that gives
 * a token back (RFC 7009) has laid its authority down, wherever else that token is still known. Throws Answered.
 */
export function endingDeputies(kv: KVNamespace, env: Env): KVNamespace {
  const told = new Set<string>();
  async function remove(key: string): Promise<void> {
    const [, user, grant] = /^(?:grant|token):([^:]+):([^:]+)/.exec(key) ?? [];
    if (user !== undefined && grant !== undefined && !told.has(grant)) {
      await end(env, user, grant);
      told.add(grant);
    }
    await kv.delete(key);
  }
  return new Proxy(kv, { get: (target, name): unknown => (name === 'delete' ? remove : Reflect.get(target, name)) });
}

async function end(env: Env, userId: string, grantId: string): Promise<void> {
  try {
    await env.MCP_OBJECT.getByName(objectName(userId)).resign(grantId);
  } catch (error) {
    logError('object_unreachable', error);
    throw new Answered(tryAgain(5, 'The ledger of the human cannot be reached.'));
  }
}

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
