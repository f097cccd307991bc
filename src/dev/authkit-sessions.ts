/** How sessions of the local AuthKit begin, are refreshed and end, and the keys that sign their tokens. */
import { exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import { ROLES, welcome } from './authkit-people.ts';
import {
  type AuthkitStore,
  LOCAL_ORGANIZATION,
  type Refusal,
  type Session,
  type SigningKey,
  type User,
  userIdOf,
} from './authkit-store.ts';

/** Seconds an access token lives, as at WorkOS. */
const TOKEN_SECONDS = 5 * 60;

/** A session whose refresh token was issued and the user it is of, or the answer that says why there is none. */
type Result = { session: Session; user: User } | { refused: Refusal };

function refused(error: string, description: string): Result {
  return { refused: { status: 400, body: { error, error_description: description } } };
}
const INVALID = refused('invalid_grant', 'The code or refresh token is invalid, expired, or was already used.');

/** Somebody has just said on the page who they are. */
export async function startSession(
  store: AuthkitStore,
  email: string,
  clientId: string,
  impersonator: Session['impersonator'],
): Promise<Session> {
  const authTime = Math.floor(Date.now() / 1000);
  const session = { id: `session_${crypto.randomUUID()}`, email, clientId, authTime, impersonator };
  await store.saveSession(session);
  return session;
}

export async function sessionFromCode(
  store: AuthkitStore,
  value: string,
  verifier: string | undefined,
): Promise<Result> {
  const code = await store.takeCode(value);
  if (!code || !(await matchesChallenge(verifier, code.codeChallenge))) return INVALID;
  const session = await store.findSession(code.session);
  const user = session && !session.endedAt ? await welcome(store, session.email) : 'deleted';
  if (!session || user === 'deleted') return INVALID;
  // Who is a member of none signs in without one.
  const organization = user.membership === 'active' ? LOCAL_ORGANIZATION : undefined;
  return { user, session: await issue(store, { ...session, organization }) };
}

/** RFC 7636, section 4.6. A code that was asked for with a challenge cannot be exchanged without its verifier. */
async function matchesChallenge(verifier: string | undefined, challenge: string | undefined): Promise<boolean> {
  if (challenge === undefined || verifier === undefined) return challenge === verifier;
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  return new Uint8Array(digest).toBase64({ alphabet: 'base64url', omitPadding: true }) === challenge;
}

/** A refresh token works once. Used again within the replay grace, it gives what it gave the first time. */
export async function rotate(store: AuthkitStore, token: string, organization: string | undefined): Promise<Result> {
  const session = await store.findSessionByRefreshToken(token);
  if (!session || session.endedAt) return INVALID;
  const answer = await store.refusalOf(userIdOf(session.email));
  if (answer) return { refused: answer };
  const user = await welcome(store, session.email);
  if (user === 'deleted') return INVALID;
  const [wanted, left] = [organization ?? session.organization, user.membership !== 'active'];
  if (wanted !== undefined && wanted !== LOCAL_ORGANIZATION)
    return refused('organization_not_found', 'There is no such organization.');
  if (wanted !== undefined && left)
    return refused('organization_membership_not_found', 'The user is no member of that organization.');
  return { user, session: session.refreshToken === token ? await issue(store, session) : session };
}

/** The session with a new refresh token; the one before it is retired. */
async function issue(store: AuthkitStore, session: Session): Promise<Session> {
  const { refreshToken: token } = session;
  const retired = token === undefined ? undefined : { token, at: Date.now() };
  const issued = { ...session, refreshToken: crypto.randomUUID(), retired };
  await store.saveSession(issued);
  return issued;
}

export async function endSession(store: AuthkitStore, id: string): Promise<Session | undefined> {
  const session = await store.findSession(id);
  if (!session) return undefined;
  const ended = { ...session, endedAt: new Date().toISOString() };
  await store.saveSession(ended);
  return ended;
}

export async function accessToken(store: AuthkitStore, issuer: string, session: Session, user: User): Promise<string> {
  const { id, clientId, authTime, organization } = session;
  const { role } = user;
  const claims = {
    sid: id,
    // What a role gives is there in an organization only.
    ...(organization !== undefined && { org_id: organization, role, roles: [role], permissions: ROLES[role] }),
    client_id: clientId,
    auth_time: authTime,
  };
  const [key = await addSigningKey(store)] = await store.signingKeys();
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', kid: key.kid })
    .setIssuer(issuer)
    .setSubject(userIdOf(session.email))
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime(`${TOKEN_SECONDS}s`)
    .sign(await importJWK(key, 'RS256'));
}

/** A new key signs from now on. Tokens of the key before it stay good, because that one is still published. */
export async function addSigningKey(store: AuthkitStore): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const { kty, ...rest } = await exportJWK(privateKey);
  return store.addSigningKey({ kid: `local_${crypto.randomUUID().slice(0, 8)}`, kty, ...rest });
}

/** The public halves, as WorkOS publishes them but for the certificate: nobody reads one here. */
export async function publishedKeys(store: AuthkitStore) {
  const keys = await store.signingKeys();
  const published = keys.length > 0 ? keys : [await addSigningKey(store)];
  return published.map(({ kid, kty, n, e }) => ({
    kid,
    kty,
    n,
    e,
    alg: 'RS256',
    use: 'sig',
    x5c: [],
    'x5t#S256': kid,
  }));
}

export function toApiSession(session: Session) {
  const at = new Date(session.authTime * 1000).toISOString();
  return {
    object: 'session',
    id: session.id,
    user_id: userIdOf(session.email),
    ...(session.organization !== undefined && { organization_id: session.organization }),
    ...(session.impersonator && { impersonator: session.impersonator }),
    ip_address: null,
    user_agent: null,
    auth_method: session.impersonator ? 'impersonation' : 'magic_code',
    status: session.endedAt ? 'revoked' : 'active',
    expires_at: at,
    ended_at: session.endedAt ?? null,
    created_at: at,
    updated_at: session.endedAt ?? at,
  };
}
