/** Props of the stories: a human's record, the tokens of a plain client, and forms posted by hand. */
import type { Deputy, Person } from '../../src/dev/clients.ts';
import { authorizePath, redeem, registeredClient, send } from './http.ts';
import { objectOf } from './people.ts';
import { ORIGIN } from './worker.ts';

export const SESSION = '__Host-mcp-shop-session';
export const EVIL = 'https://evil.example';
/** Another program's page on the human's own computer: to the browser it is the same site, so cookies come along. */
export const NEIGHBOUR = 'http://localhost:6274';

/** What the human's record holds now. */
export function recordOf(human: Person) {
  return objectOf(human).look({});
}

/** The code of the refusal; "allowed" when there was none. */
export async function outcome(deputy: Deputy, tool: string, args: Record<string, unknown> = {}): Promise<string> {
  const { data } = await deputy.call(tool, args);
  return (data['error'] as { code: string } | undefined)?.code ?? 'allowed';
}

/** The code of the refusal and the limit that it was, from an answer's structured content; "allowed" when there was none. */
export function stoppedBy({ error }: { error?: unknown }): string {
  if (error === undefined) return 'allowed';
  const { code, limit } = error as { code: string; limit?: string };
  return limit === undefined ? code : `${code} ${limit}`;
}

export type Tokens = { access_token: string; refresh_token: string };

/** A client without an SDK, appointed by the human: nothing is retried, refreshed or asked for on its own. */
export async function plainClient(human: Person): Promise<{ clientId: string; code: string; tokens: Tokens }> {
  const clientId = await registeredClient();
  const code = (await human.answer(authorizePath(clientId))).get('code') ?? '';
  return { clientId, code, tokens: await (await redeem(clientId, code)).json<Tokens>() };
}

export function refresh(clientId: string, refreshToken: string, scope?: string): Promise<Response> {
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: clientId, refresh_token: refreshToken });
  if (scope !== undefined) body.set('scope', scope);
  return send('/token', { method: 'POST', body });
}

/** Posts a form by hand, from our own origin unless `headers` says otherwise, and returns the status. */
export async function post(
  path: string,
  fields: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<number> {
  const body = new URLSearchParams(fields);
  const response = await send(path, { method: 'POST', body, headers: { Origin: ORIGIN, ...headers } });
  await response.body?.cancel();
  return response.status;
}
