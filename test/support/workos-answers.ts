/** WorkOS with signing keys of its own, whose sessions say what a story needs. The rest is the local AuthKit. */
import { decodeJwt, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { vi } from 'vitest';
import { authkit } from '../../src/dev/authkit.tsx';

type Answer = Record<string, unknown> & { access_token: string; user: Record<string, unknown> };

/** Has `answer` answer a request of the SDK in the place of the local AuthKit; undefined leaves it to that. */
function instead(answer: (path: string, local: () => Promise<Response>) => Response | Promise<Response> | undefined) {
  const real = authkit.fetch;
  return vi.spyOn(authkit, 'fetch').mockImplementation((request, ...rest) => {
    const local = async () => real(request, ...rest);
    return answer(new URL(request.url).pathname, local) ?? local();
  });
}

/** From now on each session that WorkOS issues is changed so, and signed with a key that nobody has seen before. */
export async function workosAnswers(change: (claims: JWTPayload, answer: Answer) => void = () => {}): Promise<void> {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const kid = crypto.randomUUID();
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' };
  async function changed(response: Response): Promise<Response> {
    if (!response.ok) return response;
    const answer = await response.json<Answer>();
    const claims = decodeJwt(answer.access_token);
    change(claims, answer);
    const signed = new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid });
    return Response.json({ ...answer, access_token: await signed.sign(privateKey) });
  }
  instead((path, local) => {
    if (path.startsWith('/sso/jwks/')) return Response.json({ keys: [jwk] });
    return path === '/user_management/authenticate' ? local().then(changed) : undefined;
  });
}

/** From now on WorkOS answers so to whoever exchanges a code or refreshes a session. */
export function workosRefuses(status: number, body: Record<string, unknown>) {
  return instead((path) => (path === '/user_management/authenticate' ? Response.json(body, { status }) : undefined));
}
