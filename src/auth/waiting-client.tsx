/** Telling the client that waits for an answer that there will be none. Nobody is sent to a stranger's address unasked. */
import { AuthorizationError } from '@cloudflare/workers-oauth-provider';
import { publisherOf } from '../edge/client-document.ts';
import { isLoopback } from '../edge/origin.ts';
import { Message } from '../pages/layout.tsx';
import { addressOfError, authRequestOf } from './auth-request.ts';
import { unpackedFrom } from './packed-request.ts';
import { originOf } from './requests.ts';
import type { AppContext } from './session.ts';

/** A client whose address was compared with those it may have, and that address with the error to tell it. */
type WaitingClient = { clientId: string; redirectTo: string };

/** The client whose authorization request started this sign-in, if one did. Throws what `parseAuthRequest` throws. */
export async function waitingClient(
  c: AppContext,
  returnTo: string,
  error: 'access_denied' | 'invalid_request',
  description?: string,
): Promise<WaitingClient | undefined> {
  const carried = new URL(returnTo, originOf(c));
  if (carried.pathname !== '/authorize') return undefined;
  const url = (await unpackedFrom(carried)) ?? carried;
  try {
    const request = await authRequestOf(c, new Request(url));
    return { clientId: request.clientId, redirectTo: addressOfError(request, error, description) };
  } catch (failure) {
    const broken = failure instanceof AuthorizationError ? brokenRequest(url, failure) : undefined;
    if (!broken) throw failure;
    return broken;
  }
}

/** The client that sent this broken authorization request; undefined when its address is not known to be its own. */
export function brokenRequest(
  url: URL,
  { code, description, redirectUri, state, issuer }: AuthorizationError,
): WaitingClient | undefined {
  if (redirectUri === undefined) return undefined;
  const redirectTo = addressOfError({ redirectUri, state, issuer }, code, description);
  return { clientId: url.searchParams.get('client_id') ?? '', redirectTo };
}

/**
 * Tells the client, by way of the browser. Anyone can register any address, so an error must not lead there by itself
 * (RFC 9700, section 4.11.2): only a verified client and a program on this computer are told at once.
 */
export function tellClient(
  c: AppContext,
  client: WaitingClient,
  page: { title: string; said: string },
): Response | Promise<Response> {
  const { hostname: host } = new URL(client.redirectTo);
  if (publisherOf(client.clientId) || isLoopback(host)) return c.redirect(client.redirectTo);
  const label = (
    <>
      Go back to <bdi>{host}</bdi>
    </>
  );
  return c.html(
    <Message title={page.title} action={{ href: client.redirectTo, label }}>
      <p>{page.said} Nothing was granted.</p>
      <p>
        An app that waits for the answer is at <code>{host}</code>. Nobody has verified whose address that is. Go there
        only if you came from it; else close this page.
      </p>
    </Message>,
    400,
  );
}
