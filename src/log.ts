/** Structured logs: one JSON object a line, and nothing private in it. */

/**
 * What is logged; `outcome` of a tool is "ok" or the code of the refusal. Ids only: no address, e-mail, name, argument,
 * query, code or token, so that a log can be kept and shown. `ms` is wall time, which on Workers moves only while something is waited for.
 */
export type LogEvent =
  | { event: 'request'; method: string; route: string; status: number; ms: number }
  | { event: 'tool'; tool: string; outcome: string; user: string; client: string; deputy: string; ms: number }
  | { event: 'oauth_error'; code: string; category: string; reason: string; status: number }
  | { event: 'oauth_data_purged'; grants: number; tokens: number }
  | { event: 'limited'; route: string; by: 'address' | 'all' }
  | { event: 'audit_head'; user: string; sequence: number; hash: string };

export function log(event: LogEvent): void {
  console.log(JSON.stringify(event));
}

/** Something broke, or somebody else's service did. `error` says what, for the operator. */
export function logError(
  event:
    | 'request_failed'
    | 'page_failed'
    | 'tool_failed'
    | 'object_unreachable'
    | 'delivery_failed'
    | 'audit_export_failed'
    | 'audit_line_refused'
    | 'upkeep_failed'
    | 'grant_cleanup_failed'
    | 'rate_limiter_failed'
    | 'authkit_unavailable',
  error: unknown,
  ids: Record<string, string> = {},
): void {
  console.error(JSON.stringify({ event, ...ids, error: String(error) }));
}
