/** Structured logs: one JSON object a line, and nothing private in it. */
import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * What is logged. Ids only: no address, e-mail, name, argument, query, code or token, so that a log can be kept and shown.
 * `ms` is wall time, which on Workers moves only while something is waited for.
 */
export type LogEvent =
  | ({ event: 'request'; method: string; route: string; status: number; ms: number } & Partial<Call>)
  | { event: 'oauth_error'; code: string; category: string; reason: string; status: number }
  | { event: 'record_restored'; user: string; sequence: number }
  | { event: 'limited'; route: string; by: 'address' | 'all' }
  /** `times`: as many requests of deputies were refused since the last such line. */
  | { event: 'limited'; route: '/mcp'; by: 'deputy' | 'human'; times: number }
  /** A passkey signed something else, or not as it must; `reason` is the library's word. */
  | { event: 'passkey_refused'; reason: string }
  | { event: 'audit_head'; user: string; sequence: number; hash: string }
  | { event: 'library_output'; level: Level; about: string };

/** A tool call, and who made it for whom; `outcome` is "ok" or the code of the refusal. */
export type Call = { tool: string; outcome: string; user: string; client: string; deputy: string };

const serving = new AsyncLocalStorage<{ call?: Call }>();

/** Serves a request, and tells which tool call it was, so that a request is one line. */
export async function withCall<Answered>(serve: () => Promise<Answered>): Promise<[Answered, Call | undefined]> {
  const served: { call?: Call } = {};
  return [await serving.run(served, serve), served.call];
}

/** The request that is being served is this call. */
export function noteCall(call: Call): void {
  const served = serving.getStore();
  if (served) served.call = call;
}

export function log(event: LogEvent): void {
  print('log', event);
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
    | 'restore_failed'
    | 'grant_cleanup_failed'
    | 'rate_limiter_failed'
    | 'authkit_unavailable',
  error: unknown,
  ids: Record<string, string> = {},
): void {
  const text = error instanceof Error ? (error.stack ?? String(error)) : String(error);
  print('error', { event, ...ids, error: withoutQueries(text).slice(0, MAX_ERROR_LENGTH) });
}

/** Characters of an error and where it happened. */
const MAX_ERROR_LENGTH = 4000;

/** What stands in an address after its path can be a code, a state or a name. */
function withoutQueries(text: string): string {
  return text.replaceAll(/(\bhttps?:\/\/[^\s?#"'<>]+)[?#][^\s"'<>]*/g, '$1');
}

const LEVELS = ['debug', 'log', 'info', 'warn', 'error'] as const;
type Level = (typeof LEVELS)[number];

/** What libraries are known to print, by how it starts. */
const KNOWN_OUTPUT = ['CIMD fetch failed', 'Failed to revoke grant', 'Failed to renew client registration'];

/** Whether a line of ours is being printed. */
let ours = false;

/** JSON escapes less than what moves a terminal's cursor or turns its text around. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

function print(level: 'log' | 'error', event: Record<string, unknown>): void {
  ours = true;
  try {
    console[level](visible(JSON.stringify(event)));
  } finally {
    ours = false;
  }
}

/** The text with what cannot be seen in it escaped as in JSON. */
export function visible(text: string): string {
  // Nearly every line is of plain letters alone.
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  return text.replaceAll(INVISIBLE, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/**
 * From now on what anything else prints is one event without its text: libraries print what strangers sent, who could
 * otherwise write a line such as `audit_head`.
 */
export function ownTheConsole(): void {
  for (const level of LEVELS) {
    const real = console[level].bind(console);
    console[level] = (...texts: unknown[]) => {
      if (ours) return real(...texts);
      const [text] = texts;
      const about = KNOWN_OUTPUT.find((start) => typeof text === 'string' && text.startsWith(start)) ?? 'unknown';
      log({ event: 'library_output', level, about });
    };
  }
}
