/** How pages name the identity provider. With authkit.ts, presence.ts and audit-export.ts, all that another provider changes. */
import type { Config } from '../config.ts';

export const SIGN_IN = 'AuthKit';

/** Where people sign in, for the landing page. `local`: at the stand-in that this very server mounts. */
export function signInPlace(config: Config, origin: string): { name: string; local: boolean } {
  if (new URL(config.WORKOS_API_ORIGIN).origin === origin) return { name: `the local ${SIGN_IN}`, local: true };
  return { name: config.WORKOS_AUTHKIT_DOMAIN ?? `WorkOS ${SIGN_IN}`, local: false };
}
