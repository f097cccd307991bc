/** Long authorization requests, packed for the way through the sign-in: what a client may say depends on no session. */
import { AuthorizationError } from '@cloudflare/workers-oauth-provider';
import { hereOf, loginPath } from './requests.ts';
import type { AppContext } from './session.ts';

/** Characters of a path that a sign-in carries as it is. */
const MOST_CARRIED = 1000;
/** Of a packed request. More than an address holds could only unpack to something that no client has sent. */
const MOST_PACKED = 12_000;
const PACKED = 'packed_request';
const BASE64_URL = { alphabet: 'base64url', omitPadding: true } as const;

/** The way to sign in and back here. A long request is packed, because the browser carries it through the sign-in in a cookie. */
export async function signInPath(c: AppContext): Promise<string> {
  const here = hereOf(c);
  if (here.length <= MOST_CARRIED) return loginPath(here);
  const packed = await through(new CompressionStream('deflate-raw'), new URL(c.req.url).search);
  return loginPath(`/authorize?${PACKED}=${packed.toBase64(BASE64_URL)}`);
}

/** The address of the request that was packed for a sign-in; undefined when there is none in this address. */
export async function unpackedFrom(url: URL): Promise<URL | undefined> {
  const packed = url.searchParams.get(PACKED);
  if (packed === null) return undefined;
  try {
    if (packed.length > MOST_PACKED) throw new RangeError('No sign-in has packed this');
    const bytes = Uint8Array.fromBase64(packed, BASE64_URL);
    const search = new TextDecoder().decode(await through(new DecompressionStream('deflate-raw'), bytes));
    return new URL(`/authorize?${search.slice(1)}`, url);
  } catch {
    const description = `The ${PACKED} is damaged. Connect once more from your app`;
    throw new AuthorizationError('invalid_request', { description });
  }
}

async function through(
  stream: CompressionStream | DecompressionStream,
  content: string | Uint8Array,
): Promise<Uint8Array> {
  return new Uint8Array(await new Response(new Blob([content]).stream().pipeThrough(stream)).arrayBuffer());
}
