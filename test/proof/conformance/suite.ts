/** Runs the official conformance suite, a program of its own, and reads what it found. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { Person } from '../../../src/dev/clients.ts';
import { ENVIRONMENT, freePort, TOOLS } from '../../../src/dev/dev-server.ts';
import { ERAS, type Era, type Place } from './scenarios.ts';
import type { Result } from './verdict.ts';

/** Milliseconds after which a run is given up; it takes a few seconds. */
const RUN_LIMIT = 120_000;

const checksSchema = z.array(z.object({ id: z.string(), status: z.string(), errorMessage: z.string().optional() }));
const clientSchema = z.object({ client_id: z.string() });

/** The scenarios that the suite lists for servers and authorization servers, with those eras of theirs that are run here. */
export async function knownScenarios(): Promise<Map<string, Era[]>> {
  const lists = await Promise.all(['--server', '--authorization'].map((kind) => conformance(['list', kind])));
  const known = new Map<string, Era[]>();
  for (const [, name = '', tags = ''] of lists.join('\n').matchAll(/^ {2}- (\S+) \[(.*)\]$/gm)) {
    const versions = tags.split(',');
    known.set(
      name,
      [...ERAS, 'extension' as const].filter((era) => versions.includes(era)),
    );
  }
  return known;
}

/** Runs all scenarios of an era against the server at `origin`. */
export async function runServerScenarios(origin: string, era: Era, place: Place): Promise<Result[]> {
  // Extensions have no version of their own: the suite runs them only together with everything else.
  const version = era === 'extension' ? [] : ['--spec-version', era];
  const found = await results(['server', '--url', `${origin}/mcp`, '--suite', 'all', ...version], 'server-');
  return found.map(({ scenario, checks }) => ({ scenario, era, place, checks }));
}

/** Runs the scenarios for authorization servers, with a client that has registered and a person who signs in and allows. */
export async function runAuthorizationScenarios(origin: string, era: Era): Promise<Result[]> {
  const port = await freePort();
  const registration = await fetch(`${origin}/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Conformance',
      redirect_uris: [`http://127.0.0.1:${port}/callback`],
      token_endpoint_auth_method: 'none',
    }),
  });
  const { client_id: client } = clientSchema.parse(await registration.json());
  const command = ['authorization', '--url', origin, '--client-id', client, '--resource', `${origin}/mcp`];
  const found = await results([...command, '-p', String(port), '--spec-version', era], 'authorization-server-', (url) =>
    allow(url, origin, port),
  );
  return found.map(({ scenario, checks }) => ({ scenario, era, place: 'shop', checks }));
}

/** What a person does with the address that the suite prints: sign in, allow, and be sent back to the suite. */
async function allow(url: string, origin: string, port: number): Promise<void> {
  const answer = await new Person('conformance@example.com', origin, fetch).answer(url);
  await fetch(`http://127.0.0.1:${port}/callback?${answer.toString()}`);
}

async function results(command: string[], prefix: string, visit?: (url: string) => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-shop-conformance-'));
  try {
    await conformance([...command, '-o', folder], visit);
    return readdirSync(folder).map((name) => ({
      scenario: name.slice(prefix.length).replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, ''),
      checks: checksSchema
        .parse(JSON.parse(readFileSync(join(folder, name, 'checks.json'), 'utf8')))
        .map(({ id, status, errorMessage = '' }) => ({ id, status, message: errorMessage })),
    }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The output of the suite. Its exit code says nothing here: most scenarios are not made for a shop. */
function conformance(command: string[], visit?: (url: string) => Promise<void>): Promise<string> {
  const child = spawn(join(TOOLS, 'conformance'), command, {
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: RUN_LIMIT,
  });
  let output = '';
  let visited: Promise<void> | undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += String(chunk);
      const [, url] = /^(http\S*\/authorize\?\S+)\n/m.exec(output) ?? [];
      // A visit that fails shows as a scenario that does.
      if (url && visit)
        visited ??= visit(url).catch((error: unknown) => console.error(`The visit failed: ${String(error)}`));
    });
  }
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (_, signal) => {
      if (signal) fail(new Error(`conformance ${command[0]} was ended by ${signal}:\n${output}`));
      else done(output);
    });
  });
}
