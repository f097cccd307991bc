/** The Worker under test, in workerd, reached through its own fetch. */
import { exports } from 'cloudflare:workers';
import type { Fetch } from '../../src/dev/browser.ts';

export const ORIGIN = 'http://localhost:8787';

export const workerFetch: Fetch = (input, init) => exports.default.fetch(new Request(input, init));

/** An address no other test uses, because all of them share one storage. */
export function someone(name = 'ada'): string {
  return `${name}-${crypto.randomUUID().slice(0, 8)}@example.com`;
}
