/** A WorkOS session as the browser's cookie holds it: sealed, and with what is used of it alone. */
import { decode } from 'hono/jwt';
import { z } from 'zod';
import type { Config } from '../config.ts';
import type { User } from '../deputy.ts';
import {
  type Impersonator,
  isCurrent,
  isRefusal,
  refreshTokens,
  unsealedBySdk,
  type WorkosSession,
  workosSession,
} from './authkit.ts';
import { keysFor, sealer } from './seal.ts';

/** A signed-in browser: the human, the WorkOS session behind it, and when they last proved who they are. */
export type SignIn = {
  user: User;
  /** The WorkOS organization that the session is in. */
  organization?: string;
  /** Who is in front of the browser in the place of the human. They may look and stop, and grant nothing. */
  impersonator?: Impersonator;
  sessionId: string;
  /** Seconds since the epoch; a refresh does not move it. 0 when AuthKit does not say. */
  authTime: number;
  /** Milliseconds since the epoch: until then the session stands without asking WorkOS. */
  validUntil: number;
};

/** Whose session it is, which one, and who is in front of it. */
export type LastSignIn = { userId: string } & Pick<SignIn, 'sessionId' | 'impersonator'>;

/** What became of a session that was to be refreshed: a fresh one, the end, or no answer. Crosses the user's object. */
export type Refreshed = { sealed: string } | { ended: true } | { unavailable: string };

/** What only this deployment can read. The seal covers the whole of it, so parts of two sessions never open. */
export async function sealSession(config: Config, session: WorkosSession): Promise<string> {
  return (await sealer(keysFor(config, 'session')[0])).close(JSON.stringify(session));
}

const tokenClaims = z.object({
  sid: z.string(),
  exp: z.number(),
  auth_time: z.number().catch(0),
  org_id: z.string().optional().catch(undefined),
  permissions: z.array(z.string()).catch([]),
});

type Unsealed = { session: WorkosSession; claims: z.infer<typeof tokenClaims> };

/**
 * What a sealed session says, or undefined when it cannot be read: damaged, cut off, sealed by other keys or by older
 * code. It asks nobody, so whatever fails here says nothing about WorkOS. Does not throw.
 */
async function unseal(config: Config, sealed: string): Promise<Unsealed | undefined> {
  try {
    const session = workosSession.parse(await opened(config, sealed));
    return { session, claims: tokenClaims.parse(decode(session.accessToken).payload) };
  } catch {
    return undefined;
  }
}

/** How a seal of WorkOS's SDK begins. Ours has no such letter in it. */
const SEALED_BY_SDK = 'Fe26.2*';

async function opened(config: Config, sealed: string): Promise<unknown> {
  if (sealed.startsWith(SEALED_BY_SDK)) return unsealedBySdk(config, sealed);
  for (const key of keysFor(config, 'session')) {
    const text = await (await sealer(key)).open(sealed);
    if (text !== undefined) return JSON.parse(text);
  }
  return undefined;
}

/**
 * Who a sealed session belongs to, or undefined when it cannot be read, is not ours, or its access token has expired.
 * Throws AuthkitUnavailableError when WorkOS's signing keys cannot be read.
 */
export async function readSession(config: Config, sealed: string): Promise<SignIn | undefined> {
  const known = await unseal(config, sealed);
  if (!known || !(await isCurrent(config, known.session.accessToken))) return undefined;
  const { session, claims } = known;
  const { id: userId, email, name } = session.user;
  return {
    sessionId: claims.sid,
    ...(claims.org_id !== undefined && { organization: claims.org_id }),
    ...(session.impersonator && { impersonator: session.impersonator }),
    authTime: claims.auth_time,
    validUntil: claims.exp * 1000,
    user: { userId, email, name, permissions: claims.permissions },
  };
}

/** Whose session this is and which, however old: enough to refresh or end it, not to act. Does not throw. */
export async function describeSession(config: Config, sealed: string): Promise<LastSignIn | undefined> {
  const known = await unseal(config, sealed);
  if (!known) return undefined;
  const { user, impersonator } = known.session;
  return { userId: user.id, sessionId: known.claims.sid, ...(impersonator && { impersonator }) };
}

/** Trades a session for a fresh one; the old one is of no more use then. Does not throw. */
export async function refreshSession(config: Config, sealed: string): Promise<Refreshed> {
  const known = await unseal(config, sealed);
  if (!known) return { ended: true };
  try {
    const session = await refreshTokens(config, known.session, known.claims.org_id);
    // An answer that no longer names the impersonator must not make them the human.
    if (known.session.impersonator && !session.impersonator) return { ended: true };
    return { sealed: await sealSession(config, session) };
  } catch (error) {
    return isRefusal(error) ? { ended: true } : { unavailable: String(error) };
  }
}
