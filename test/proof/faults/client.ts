/** One deputy's client, as bare as it can be: its tokens, and calls in its era's own form that may hang up. */
import type { Era, Person } from '../../../src/dev/clients.ts';
import {
  authorizePath,
  callMessage,
  messageOf,
  redeem,
  registeredClient,
  rpc,
  rpcIn,
  send,
} from '../../support/http.ts';
import type { Intent, Outcome, SeenOrder } from './history.ts';

/** Milliseconds after which a new access token is fetched; it is good for an hour. */
const REFRESHED_AFTER = 45 * 60_000;

type Tokens = { access_token: string; refresh_token: string };

export class Client {
  readonly name: string;
  readonly era: Era;
  /** What it meant to buy so far, and what of that its human said yes to, with more like it. */
  readonly intents: Intent[] = [];
  readonly favoured: Intent[] = [];
  /** Set when it is of no more use: its human, or the server, has ended it. */
  gone = false;
  #clientId = '';
  #tokens: Tokens | undefined;
  #since = 0;

  constructor(name: string, era: Era) {
    this.name = name;
    this.era = era;
  }

  /** Whether the human is known to have appointed it, and it holds a token. */
  get live(): boolean {
    return this.#tokens !== undefined && !this.gone;
  }

  /** From its registration to its first token; throws when anything on the way fails. */
  async connect(human: Person): Promise<void> {
    this.#clientId = await registeredClient({ client_name: this.name });
    const answer = await human.answer(authorizePath(this.#clientId));
    const code = answer.get('code') ?? '';
    // A client whose request failed asks again, with the code it has.
    for (let tries = 0; tries < 3 && !this.#tokens; tries += 1) await this.#keep(await redeem(this.#clientId, code));
    if (!this.#tokens) throw new Error(`${this.name} got no token`);
  }

  /** Fetches a new access token when the old one is about to run out, or `now` is set. */
  async refresh({ urgent = false } = {}): Promise<void> {
    if (!this.#tokens || (!urgent && Math.abs(Date.now() - this.#since) < REFRESHED_AFTER)) return;
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: this.#clientId,
      refresh_token: this.#tokens.refresh_token,
    });
    const response = await send('/token', { method: 'POST', body });
    if (response.status === 400) this.gone = true;
    await this.#keep(response);
  }

  /** Calls a tool. An `AbortSignal` is a client that hangs up. */
  async call(tool: string, args: Record<string, unknown>, signal: AbortSignal | undefined): Promise<Outcome> {
    try {
      return await outcomeOf(await this.#post(tool, args, signal));
    } catch (error) {
      if (signal?.aborted) return { kind: 'unknown' };
      return { kind: 'odd', answer: String(error) };
    }
  }

  /** Sends so many requests at once that are no calls, and does not care what is answered. */
  async flood(count: number): Promise<void> {
    const methods = ['ping', 'tools/list'];
    await Promise.all(
      Array.from({ length: count }, async (_, id) => {
        const message = { jsonrpc: '2.0', id, method: methods[id % methods.length] };
        await (await rpc(this.#tokens?.access_token ?? '', message)).text();
      }),
    );
  }

  #post(tool: string, args: Record<string, unknown>, signal: AbortSignal | undefined): Promise<Response> {
    const token = this.#tokens?.access_token ?? '';
    return rpcIn(this.era, token, callMessage(tool, args), signal ? { signal } : {});
  }

  async #keep(response: Response): Promise<void> {
    if (response.status === 200) {
      this.#tokens = await response.json<Tokens>();
      this.#since = Date.now();
    } else await response.text();
  }
}

async function outcomeOf(response: Response): Promise<Outcome> {
  const { status } = response;
  if (status === 429) {
    await response.text();
    return { kind: 'turned away' };
  }
  if (status === 401 || status === 403 || status >= 500) {
    const text = await response.text();
    if (status === 401) return { kind: 'ended' };
    if (status === 403) {
      return response.headers.get('WWW-Authenticate')?.includes('insufficient_scope')
        ? { kind: 'refused', code: 'insufficient_scope' }
        : { kind: 'odd', answer: `403 ${text}` };
    }
    return { kind: 'unknown' };
  }
  const { result, error } = await messageOf(response);
  const content = result?.['structuredContent'] as
    | { error?: { code: string; waiting?: { id: string } }; order?: SeenOrder }
    | undefined;
  if (status !== 200 || error || !content)
    return { kind: 'odd', answer: `${status} ${JSON.stringify(error ?? result)}` };
  if (content.error) {
    const { code, waiting } = content.error;
    return { kind: 'refused', code, ...(waiting && { waiting: waiting.id }) };
  }
  return { kind: 'allowed', ...(content.order && { order: content.order }) };
}
