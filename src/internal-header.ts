/** A header that only the Worker can send to a human's object: a value as base64 of UTF-8 JSON, because headers are Latin-1. */
import type { z } from 'zod';

export function encodeHeader(value: unknown): string {
  return new TextEncoder().encode(JSON.stringify(value)).toBase64();
}

/** Undefined for a missing or malformed header. */
export function decodeHeader<Value>(schema: z.ZodType<Value>, header: string | null): Value | undefined {
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(header ?? ''))));
  } catch {
    return undefined;
  }
}
