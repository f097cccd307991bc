/** The Worker under test, in workerd, reached through its own fetch. */
import { createExecutionContext } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import { LOCAL_API_KEY, LOCAL_CLIENT_ID } from '../../src/dev/authkit-store.ts';
import type { Fetch } from '../../src/dev/browser.ts';
import worker from '../../src/index.ts';

export const ORIGIN = 'http://localhost:8787';

let requests = 0;

/** Every request comes from an address of its own unless it says otherwise, as the limits for strangers count them. */
export const workerFetch: Fetch = (input, init) => {
  const request = new Request(input, init);
  if (!request.headers.has('CF-Connecting-IP')) request.headers.set('CF-Connecting-IP', `test ${(requests += 1)}`);
  return exports.default.fetch(request);
};

/** The same Worker as it is deployed with other variables, with the local AuthKit for WorkOS. */
export function deployedWith(variables: Record<string, string>): Fetch {
  const local = { WORKOS_CLIENT_ID: LOCAL_CLIENT_ID, WORKOS_API_KEY: LOCAL_API_KEY, WORKOS_API_ORIGIN: ORIGIN };
  const deployed = { ...env, ...local, ...variables };
  return (input, init) => {
    const request = new Request(input, init);
    const { pathname } = new URL(request.url);
    if (pathname.startsWith('/user_management/')) return workerFetch(request.url, request);
    return worker.fetch(request, deployed, createExecutionContext());
  };
}

/** An address no other test uses, because all of them share one storage. */
export function someone(name = 'ada'): string {
  return `${name}-${crypto.randomUUID().slice(0, 8)}@example.com`;
}
