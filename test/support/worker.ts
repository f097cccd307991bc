/** The Worker under test, in workerd, reached through its own fetch. */
import { exports } from 'cloudflare:workers';
import type { Fetch } from './browser.ts';

export const ORIGIN = 'http://localhost:8787';

export const workerFetch: Fetch = (input, init) => exports.default.fetch(new Request(input, init));

let people = 0;
/** An address no other test uses; storage is shared within a file. */
export function someone(name = 'ada'): string {
  people += 1;
  return `${name}${people}@example.com`;
}
