/** Variables and secrets, parsed once at the door; a failure names the variable and where to set it. */
import { z } from 'zod';

const text = z.string().trim();
/** `.dev.vars` and `wrangler secret put` can only store text, so an empty value means "not set". */
const optional = <Schema extends z.ZodType>(schema: Schema) => z.preprocess((value) => value || undefined, schema);
const required = (where: string) => optional(text.min(1).optional()).refine((value) => value !== undefined, where);
const password = text.min(32, 'needs at least 32 random characters, e.g. `openssl rand -base64 32`');

export const configSchema = z.object({
  WORKOS_CLIENT_ID: required('copy it from the WorkOS dashboard, API keys').transform(String),
  WORKOS_API_KEY: required('copy it from the WorkOS dashboard, API keys').transform(String),
  COOKIE_PASSWORD: optional(password),
  COOKIE_PASSWORD_PREVIOUS: optional(password.optional()),
  WORKOS_AUTHKIT_DOMAIN: optional(text.optional()),
  PUBLIC_URL: optional(
    z
      .url({ protocol: /^https$/, error: 'must be an https origin such as https://shop.example.com' })
      .transform((url) => new URL(url).origin)
      .optional(),
  ),
  DEMO_TOOLS: optional(z.enum(['on', 'off'], { error: 'must be "on" or "off"' }).default('on')),
  WORKOS_AUDIT_LOGS_ORGANIZATION: optional(text.optional()),
  WORKOS_WEBHOOK_SECRET: optional(text.optional()),
  WORKOS_AUDIT_LOGS_API_KEY: optional(text.optional()),
  HALT: optional(z.enum(['on', 'off'], { error: 'must be "on" or "off"' }).default('off')),
  BLOCKED_CLIENTS: optional(text.optional()),
  RESTORE: optional(
    text
      .refine(
        (value) => /^\S+ \S+$/.test(value) && !Number.isNaN(Date.parse(value.split(' ')[1] ?? '')),
        'must be a user id and a time, such as "user_01H… 2026-11-30T12:00:00Z"',
      )
      .optional(),
  ),
  /** Where the WorkOS API lives. Only the local AuthKit sets it. */
  WORKOS_API_ORIGIN: optional(z.url().default('https://api.workos.com')),
});

export type Config = z.output<typeof configSchema>;

/** Thrown when variables are missing or malformed; `problems` has one line for each, safe to show an operator. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`Configuration: ${problems.join('; ')}`);
    this.problems = problems;
  }
}

const parsed = new WeakMap<object, Config>();

/** The configuration of this deployment. Throws ConfigError; values never appear in its messages. */
export function readConfig(env: object): Config {
  const known = parsed.get(env);
  if (known) return known;
  const result = configSchema.safeParse(env);
  if (!result.success) {
    throw new ConfigError(
      result.error.issues.map(({ path, code, message }) =>
        code === 'invalid_type' ? `${path.join('.')}: is missing` : `${path.join('.')}: ${message}`,
      ),
    );
  }
  parsed.set(env, result.data);
  return result.data;
}
