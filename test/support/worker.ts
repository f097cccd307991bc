/** The Worker under test, in workerd, reached through its own fetch. */
import { exports } from 'cloudflare:workers';
import type { Fetch } from '../../src/dev/browser.ts';

export const ORIGIN = 'http://localhost:8787';

let requests = 0;

/** Every request comes from an address of its own unless it says otherwise, as the limits for strangers count them. */
export const workerFetch: Fetch = (input, init) => {
  const request = new Request(input, init);
  if (!request.headers.has('CF-Connecting-IP')) request.headers.set('CF-Connecting-IP', `test ${(requests += 1)}`);
  return exports.default.fetch(request);
};

/** An address no other test uses, because all of them share one storage. */
export function someone(name = 'ada'): string {
  return `${name}-${crypto.randomUUID().slice(0, 8)}@example.com`;
}
