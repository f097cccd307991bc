/** Clients whose id is the address of their document: how it is fetched, and who a client is shown to be. */
import { displayName, isAsSeen } from '../text.ts';

/** How the OAuth provider names itself where it fetches a client's document or keys. */
const PROVIDER = 'workers-oauth-provider/';
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

/**
 * From now on a document counts only when its own address answers 200 with JSON: an address that merely redirects, or hands
 * out files of others, vouches for nobody. The provider itself takes more. Draft of Client ID Metadata Documents, section 4.
 */
export function ownTheFetch(): void {
  const network = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
    if (!headers.get('User-Agent')?.startsWith(PROVIDER)) return network(input, init);
    const answer = await network(input, { ...init, redirect: 'manual' });
    if (answer.status === 200 && JSON_TYPE.test(answer.headers.get('Content-Type') ?? '')) return answer;
    await answer.body?.cancel();
    return new Response(null, { status: 502 });
  };
}

/** Where a client's document is. Whoever can publish there is the client, and nobody else. */
export type Publisher = { host: string; path: string };

/** The one notion of "verified": undefined for a client that registered, because anyone can. */
export function publisherOf(clientId: string): Publisher | undefined {
  const url = URL.parse(clientId);
  return url?.protocol === 'https:' ? { host: url.host, path: url.pathname + url.search } : undefined;
}

/** Who a client is shown to be. One whose name shows something else than it is has no name, and nobody vouches for it. */
export function shownAs({ clientId, clientName }: { clientId: string; clientName: string }): {
  name: string;
  publisher?: Publisher | undefined;
} {
  const publisher = publisherOf(clientId);
  // The provider gives a client that states no name its id.
  if (clientName === clientId || !isAsSeen(clientName, publisher?.host)) return { name: displayName('') };
  return { name: displayName(clientName), publisher };
}
