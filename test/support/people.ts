/** People and deputies of the Worker under test, and the objects that hold their ledgers. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { objectName } from '../../src/deputy.ts';
import { userIdOf } from '../../src/dev/authkit-store.ts';
import { Deputy, type Era, Person, type ShowPage } from '../../src/dev/clients.ts';
import { type Job, jobSchema } from '../../src/ledger/jobs.ts';
import type { McpShopServer } from '../../src/mcp-server.ts';
import { ORIGIN, someone, workerFetch } from './worker.ts';

export function person(email = someone()): Person {
  return new Person(email, ORIGIN, workerFetch);
}

export function deputyOf(human: Person, era: Era, name?: string, showPage?: ShowPage): Promise<Deputy> {
  return Deputy.connect(era, human, ORIGIN, workerFetch, name, showPage);
}

/** The Durable Object of that human. */
export function objectOf({ email }: Person) {
  return env.MCP_OBJECT.getByName(objectName(userIdOf(email)));
}

/** How many jobs of that kind the object has armed. */
export async function jobsOf(object: DurableObjectStub<McpShopServer>, kind: Job['kind']): Promise<number> {
  const jobs = await runInDurableObject(object, (instance) => instance.listSchedules());
  return jobs.filter(({ callback, payload }) => callback === 'runJob' && jobSchema.parse(payload).kind === kind).length;
}

/** How many effects of that object still wait to be copied elsewhere. */
export function waitingIn(object: DurableObjectStub<McpShopServer>): Promise<number> {
  return runInDurableObject(
    object,
    (_, { storage: { sql } }) => sql.exec<{ count: number }>('SELECT count(*) AS count FROM outbox').one().count,
  );
}

/** The act that lifts the pause of that object as it is now. */
export async function resumption(object: DurableObjectStub<McpShopServer>) {
  const { account } = await object.lookAtOverview();
  return { do: 'resume' as const, pause: account.authoritySequence ?? 0 };
}
