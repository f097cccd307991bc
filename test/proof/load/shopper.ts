/** A human with deputies, without a client library: the same OAuth flow, as few bytes and as little work as it takes. */
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Era, Person } from '../../../src/dev/clients.ts';
import type { BenchServer } from '../bench/bench-server.ts';

const REDIRECT_URI = 'http://localhost:33418/callback';
const registered = z.object({ client_id: z.string() });
const granted = z.object({ access_token: z.string() });

export type Shopper = { person: Person; deputies: { token: string; era: Era }[] };

/** Registers a client, as an app of its own does once. */
export async function registerClient({ origin, fetch }: BenchServer, name: string): Promise<string> {
  const response = await fetch(`${origin}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: name, redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none' }),
  });
  return registered.parse(await response.json()).client_id;
}

/** Authorization request, sign-in at AuthKit if need be, consent page, Allow, code, token: all of it, each time. */
export async function appoint({ origin, fetch }: BenchServer, person: Person, clientId: string): Promise<string> {
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: REDIRECT_URI,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    scope: 'shop:browse',
    state: 'state',
    resource: `${origin}/mcp`,
  });
  const code = (await person.answer(`/authorize?${query.toString()}`)).get('code') ?? '';
  const form = { grant_type: 'authorization_code', client_id: clientId, code, code_verifier: verifier };
  const response = await fetch(`${origin}/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ ...form, redirect_uri: REDIRECT_URI }),
  });
  return granted.parse(await response.json()).access_token;
}
