/** Clients whose id is the address of their document: how it is fetched, and who a client is shown to be. */
import { displayName, isAsSeen } from '../text.ts';
import { clientDocument } from './as-clients-send.ts';
import { readAtMost } from './read-at-most.ts';

/** How the OAuth provider names itself where it fetches a client's document or keys. */
const PROVIDER = 'workers-oauth-provider/';
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

/** The provider reads no longer document. */
const MOST_BYTES = 5 * 1024;
/** One fetch serves one sign-in, however many requests that takes. The draft allows a lower bound of its own, section 5.2. */
const DOCUMENT_MS = 300_000;
const FAILURE_MS = 60_000;
const MOST_REMEMBERED = 500;
/** Documents by their address, or that they could not be read, and until when. They belong to no request or human. */
const remembered = new Map<string, { until: number; document?: string }>();

function remember(clientId: string, milliseconds: number, document?: string): void {
  remembered.delete(clientId);
  for (const oldest of remembered.keys()) {
    if (remembered.size < MOST_REMEMBERED) break;
    remembered.delete(oldest);
  }
  remembered.set(clientId, { until: Date.now() + milliseconds, ...(document !== undefined && { document }) });
}

function rememberedOf(clientId: string) {
  const known = remembered.get(clientId);
  return known && known.until > Date.now() ? known : undefined;
}

export function rememberFailure(clientId: string): void {
  remember(clientId, FAILURE_MS);
}

/** Whether the document at that address could not be read less than a minute ago. */
export function hasFailed(clientId: string): boolean {
  const known = rememberedOf(clientId);
  return known !== undefined && known.document === undefined;
}

/**
 * From now on a document counts only when its own address answers 200 with JSON: an address that merely redirects, or hands
 * out files of others, vouches for nobody. The provider itself takes more. Draft of Client ID Metadata Documents, section 4.
 */
export function ownTheFetch(): void {
  const network = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
    if (!headers.get('User-Agent')?.startsWith(PROVIDER)) return network(input, init);
    // A client's keys come by the same way, and the provider keeps those itself.
    const isDocument = headers.get('Cache-Control') === 'no-store';
    const { url } = new Request(input);
    const known = isDocument && rememberedOf(url)?.document;
    if (known) return new Response(known);
    const answer = await network(input, { ...init, redirect: 'manual' });
    if (answer.status !== 200 || !JSON_TYPE.test(answer.headers.get('Content-Type') ?? '')) {
      await answer.body?.cancel();
      return new Response(null, { status: 502 });
    }
    if (!isDocument) return answer;
    const body = await readAtMost(MOST_BYTES, answer);
    if (!body) return new Response(null, { status: 502 });
    const document = clientDocument(body);
    remember(url, DOCUMENT_MS, document);
    return new Response(document, { headers: { 'Cache-Control': answer.headers.get('Cache-Control') ?? '' } });
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
