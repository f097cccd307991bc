/**
 * Open pages that follow a human's record, each through a hibernating WebSocket. A socket carries nothing of the record,
 * only its newest version: a page that shows an older one fetches itself again, with its own session.
 */
import type { Connection } from 'agents';
import { z } from 'zod';
import { decodeHeader, encodeHeader } from './internal-header.ts';

export const WATCHER_HEADER = 'x-mcp-shop-watcher';

/** The object's own address for a page's socket. */
export const WATCHER_URL = 'https://mcp-shop.internal/watch';

const watcherSchema = z.object({
  userId: z.string().min(1),
  sessionId: z.string().min(1),
  /** Milliseconds since the epoch: until then the session is known to stand. */
  until: z.number(),
});
export type Watcher = z.infer<typeof watcherSchema>;
const keptSchema = watcherSchema.omit({ userId: true });
type Open = { connection: Connection; kept: z.infer<typeof keptSchema> };

/** Open pages of one human at most. */
const MAX_PAGES = 50;

/** What a close says to the page. The codes are of the range that RFC 6455 leaves to applications. */
const SESSION_OVER = { code: 4401, reason: 'The session is over' };
const TOO_MANY = { code: 4429, reason: 'Too many pages are open' };

export function encodeWatcher(watcher: Watcher): string {
  return encodeHeader(watcher);
}

/** The socket answers pings by itself, without waking the object. */
export const PING = 'ping';
export const PONG = 'pong';

export class Watchers {
  readonly #connections: () => Iterable<Connection>;
  readonly #version: () => string;
  #told: string | undefined;

  /** `version` changes whenever the record does. */
  constructor(connections: () => Iterable<Connection>, version: () => string) {
    this.#connections = connections;
    this.#version = version;
  }

  /** Takes a socket that the Worker has opened for a page of this human; closes any other. */
  accept(connection: Connection, header: string | null, userId: string): boolean {
    const watcher = decodeHeader(watcherSchema, header);
    if (watcher?.userId !== userId) {
      connection.close(1008, 'This object takes no connections');
      return false;
    }
    if (this.#open().length >= MAX_PAGES) {
      connection.close(TOO_MANY.code, TOO_MANY.reason);
      return false;
    }
    connection.setState(keptSchema.parse(watcher));
    connection.send(this.#version());
    return true;
  }

  /** Sends every page the newest version, unless it was sent before. A page whose session is over is closed instead. */
  tell(): void {
    const open = this.#open();
    if (open.length === 0) return;
    const version = this.#version();
    if (version === this.#told) return;
    this.#told = version;
    for (const { connection } of this.#stillOpen(open)) connection.send(version);
  }

  /** Closes the pages of a session that was signed out. */
  sessionEnded(sessionId: string): void {
    for (const { connection, kept } of this.#open())
      if (kept.sessionId === sessionId) connection.close(SESSION_OVER.code, SESSION_OVER.reason);
  }

  /** Closes the pages that did not show a session again in time, and says when the next one is due, in milliseconds. */
  closeExpired(): number | undefined {
    const left = this.#stillOpen(this.#open()).map(({ kept }) => kept.until);
    return left.length > 0 ? Math.min(...left) : undefined;
  }

  #open(): Open[] {
    return [...this.#connections()].flatMap((connection) => {
      const kept = keptSchema.safeParse(connection.state);
      return kept.success && connection.readyState === WebSocket.OPEN ? [{ connection, kept: kept.data }] : [];
    });
  }

  #stillOpen(open: Open[]): Open[] {
    const now = Date.now();
    for (const { connection, kept } of open)
      if (kept.until <= now) connection.close(SESSION_OVER.code, SESSION_OVER.reason);
    return open.filter(({ kept }) => kept.until > now);
  }
}
