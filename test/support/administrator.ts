/** The administrator at WorkOS, with the real SDK, and the cron that hears of what they do. */
import { createScheduledController } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { WorkOS } from '@workos-inc/node';
import { LOCAL_API_KEY, LOCAL_CLIENT_ID, userIdOf } from '../../src/dev/authkit-store.ts';
import type { Person } from '../../src/dev/clients.ts';
import worker from '../../src/dev/index.ts';
import { send } from './http.ts';

const HERE = { clientId: LOCAL_CLIENT_ID, apiHostname: 'localhost', port: 8787, https: false, maxRetries: 0 };

/** The SDK at the local AuthKit, which learns an origin with the first request to it. */
export async function administrator(): Promise<WorkOS> {
  await send('/healthz');
  return new WorkOS(LOCAL_API_KEY, HERE);
}

/** The id of somebody's membership of their organization. */
export async function membershipOf({ email }: Person): Promise<string> {
  const { userManagement } = await administrator();
  const { data } = await userManagement.listOrganizationMemberships({ userId: userIdOf(email) });
  return data[0]?.id ?? '';
}

/** One run of the cron that follows WorkOS's events. */
export function hearOfEvents(): Promise<void> {
  return worker.scheduled(createScheduledController({ cron: '*/5 * * * *' }), env);
}
