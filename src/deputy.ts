/** Who is calling: what a token carries, and how that crosses from the Worker to the human's object. */
import { z } from 'zod';
import { decodeHeader, encodeHeader } from './internal-header.ts';

const userFields = {
  userId: z.string().min(1),
  email: z.string(),
  name: z.string(),
  permissions: z.array(z.string()),
};

/** The signed-in human, as the identity provider knows them. */
export const userSchema = z.object(userFields);
export type User = z.infer<typeof userSchema>;

/** What a grant carries, encrypted by the OAuth provider. Never a token of the identity provider. */
export const propsSchema = z.object({ ...userFields, deputyId: z.string().min(1) });
export type Props = z.infer<typeof propsSchema>;

/** A verified caller: the human, the deputy acting for them, and what that deputy was granted. */
export const callerSchema = propsSchema.extend({
  clientId: z.string().min(1),
  scopes: z.array(z.string()),
  /** The OAuth resource the token was issued for: `<origin>/mcp`. */
  resource: z.url(),
});
export type Caller = z.infer<typeof callerSchema>;

export const CALLER_HEADER = 'x-mcp-shop-caller';

export function encodeCaller(caller: Caller): string {
  return encodeHeader(caller);
}

/** Undefined for a missing or malformed header. */
export function decodeCaller(header: string | null): Caller | undefined {
  return decodeHeader(callerSchema, header);
}

/** The name of a user's object; the prefix is the only form McpAgent accepts. */
export function objectName(userId: string): string {
  return `streamable-http:${userId}`;
}
