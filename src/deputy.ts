/** Who is calling: what a token carries, and how that crosses from the Worker to the user's object. */
import { z } from 'zod';
import { decodeHeader, encodeHeader } from './internal-header.ts';

/** What a deputy may do. `shop:browse` is granted to every deputy; the human ticks the others. */
export const SCOPES = ['shop:browse', 'shop:buy', 'orders:read'] as const;
export const BASE_SCOPE = 'shop:browse';
export type Scope = (typeof SCOPES)[number];

/** The WorkOS permission that `getUserInfo` needs. A permission of the human, so no deputy can be granted it. */
export const ADMIN_PERMISSION = 'shop:admin';

const userFields = {
  userId: z.string().min(1),
  email: z.string(),
  name: z.string(),
  permissions: z.array(z.string()),
};

/** The signed-in human, as WorkOS knows them. */
export const userSchema = z.object(userFields);
export type User = z.infer<typeof userSchema>;

/** What a grant carries, encrypted by the OAuth provider. Never a WorkOS token. */
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
