/** The body of a request to /mcp: bounded, and read once. */
import { z } from 'zod';
import { readAtMost } from '../edge/read-at-most.ts';

/** Bytes of one JSON-RPC request. The largest valid tool call is far below. */
export const MAX_BODY_BYTES = 64 * 1024;

/** The body as text, or undefined when it is over the limit; never holds more than the limit in memory. */
export async function readBody(request: Request): Promise<string | undefined> {
  const declared = request.headers.get('content-length');
  if (declared !== null && Number(declared) <= MAX_BODY_BYTES) {
    // HTTP holds a body to its declared length, and reading it whole is much cheaper than in pieces.
    const text = await request.text();
    return text.length > MAX_BODY_BYTES ? undefined : text;
  }
  const bytes = await readAtMost(MAX_BODY_BYTES, request);
  return bytes && new TextDecoder().decode(bytes);
}

const identified = z.object({ id: z.union([z.string(), z.number()]) });

/** The id of the JSON-RPC request in that body; null when there is none. */
export function idIn(body: string | undefined): string | number | null {
  try {
    return identified.parse(JSON.parse(body ?? '')).id;
  } catch {
    return null;
  }
}
