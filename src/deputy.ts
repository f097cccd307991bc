/** Who is calling: what a token carries, and whose object that reaches. */
import { z } from 'zod';

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
export type Caller = Props & {
  clientId: string;
  scopes: string[];
  /** The OAuth resource the token was issued for: `<origin>/mcp`. */
  resource: string;
};

/** The name of a user's object; the prefix is the only form McpAgent accepts. */
export function objectName(userId: string): string {
  return `streamable-http:${userId}`;
}
