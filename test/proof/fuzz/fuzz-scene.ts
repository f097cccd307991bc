/** The people of a run: humans whose deputies attack, a human whose own browser does, and what they hold that is secret. */
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Caller } from '../../../src/deputy.ts';
import { LOCAL_API_KEY, userIdOf } from '../../../src/dev/authkit-store.ts';
import { type Deputy, ERAS, type Person } from '../../../src/dev/clients.ts';
import type { Watcher } from '../../../src/watchers.ts';
import type { BenchServer } from '../bench/bench-server.ts';
import type { Answer, HostileRequest } from './request.ts';

/** Each has one deputy of each era; the first one is an administrator. */
const HUMANS = 30;
export const DEPUTIES = HUMANS * ERAS.length;
const REDIRECT_URI = 'http://localhost:33418/callback';
const SESSION = '__Host-mcp-shop-session';
/** Batches after which what a request may have used up is made anew. */
const RENEWED_AFTER = 8;

const registered = z.object({ client_id: z.string() });
const tokens = z.object({ access_token: z.string(), refresh_token: z.string() });

type Attacker = { email: string; userId: string; clientId: string; deputy: Deputy };

export class Scene {
  readonly server: BenchServer;
  readonly attackers: Attacker[];
  readonly humans: Person[];
  /** Anything may happen to this one, by their own browser. */
  readonly human: Person;
  /** Clients that the run has registered itself, in the polite way. */
  registered = 0;
  readonly #held = new Map<string, string>();
  #spares = 0;
  #batches = 0;

  private constructor(server: BenchServer, humans: Person[], attackers: Attacker[], human: Person) {
    this.server = server;
    this.humans = humans;
    this.attackers = attackers;
    this.human = human;
  }

  static async set(server: BenchServer): Promise<Scene> {
    const humans = Array.from({ length: HUMANS }, (_, index) =>
      server.person(index === 0 ? 'admin@fuzz.example' : `victim-${index}@fuzz.example`),
    );
    const attackers: Attacker[] = [];
    for (const human of humans) {
      for (const era of ERAS) {
        const deputy = await server.deputyOf(human, era);
        const clientId = deputy.credentials.clientInformation()?.client_id ?? '';
        attackers.push({ email: human.email, userId: userIdOf(human.email), clientId, deputy });
      }
    }
    const scene = new Scene(server, humans, attackers, server.person('browser@fuzz.example'));
    scene.registered = attackers.length;
    const [first] = attackers;
    scene.#held.set('origin', server.origin);
    scene.#held.set('client', first?.clientId ?? '');
    scene.#held.set('human.user', userIdOf(scene.human.email));
    scene.#held.set(
      'caller',
      inHeader({
        userId: first?.userId ?? '',
        email: first?.email ?? '',
        name: 'x',
        permissions: ['shop:admin'],
        deputyId: 'dep_x',
        clientId: first?.clientId ?? '',
        scopes: ['shop:browse', 'shop:buy', 'orders:read'],
        resource: `${server.origin}/mcp`,
      }),
    );
    scene.#held.set('watcher', inHeader({ userId: first?.userId ?? '', sessionId: 'x', until: Date.now() + 1e9 }));
    for (const [index, { deputy }] of attackers.entries()) scene.#held.set(`token:${index}`, deputy.accessToken);
    await scene.#renew();
    return scene;
  }

  /** What no answer may hold, by what it is. `of` is who may see their own. */
  secrets(): { what: string; value: string }[] {
    return [
      { what: 'the key of the WorkOS API', value: LOCAL_API_KEY },
      { what: 'the password of the cookies', value: 'only for a benchmark on one machine' },
    ];
  }

  /** The e-mails that this sender has no business to read. */
  strangersOf(who: HostileRequest['who']): string[] {
    const own =
      who === 'human'
        ? this.human.email
        : who === 'anonymous'
          ? undefined
          : this.attackers[Number(who.slice(7))]?.email;
    return [...this.humans, this.human].map(({ email }) => email).filter((email) => email !== own);
  }

  /** Called before each batch of requests. */
  async between(): Promise<void> {
    this.#batches += 1;
    if (!this.human.browser.cookies.has(SESSION) || this.#batches % RENEWED_AFTER === 0) await this.#renew();
  }

  /** The request as it is sent: with the secrets it names, and with what its sender always sends. */
  prepared(request: HostileRequest): HostileRequest {
    const fill = (text: string) => text.replace(/⟦([\w.:]+)⟧/g, (_, name: string) => this.#held.get(name) ?? '');
    const headers: Record<string, string> = { host: new URL(this.server.origin).host };
    if (request.who === 'human')
      headers['cookie'] = [...this.human.browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    if (request.who.startsWith('deputy'))
      headers['authorization'] = `Bearer ${this.#held.get(`token:${request.who.slice(7)}`)}`;
    for (const [name, value] of Object.entries(request.headers)) headers[name] = fill(value);
    return {
      ...request,
      path: fill(request.path),
      headers,
      ...(request.body && { body: { ...request.body, text: fill(request.body.text) } }),
    };
  }

  /** A browser keeps what it is told to keep. */
  took({ who }: HostileRequest, { cookies }: Answer): void {
    if (who !== 'human') return;
    for (const line of cookies) {
      const [pair = '', ...attributes] = line.split('; ');
      const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
      if (attributes.some((attribute) => /^max-age=0$/i.test(attribute))) this.human.browser.cookies.delete(name);
      else this.human.browser.setCookie(name, value);
    }
  }

  /** Makes sure that the human is signed in and has a deputy, a consent page and forms; and makes codes and tokens to waste. */
  async #renew(): Promise<void> {
    const { human, server } = this;
    // What a hostile sign-in left behind.
    for (const name of human.browser.cookies.keys()) if (name !== SESSION) human.browser.cookies.delete(name);
    let overview = await human.walk('/deputies');
    if (!/\/deputies\/dep_/.test(overview.html)) {
      await server.deputyOf(human, '2025-11-25');
      this.registered += 1;
      overview = await human.walk('/deputies');
    }
    // Paused or not, this page has a form, and all forms of a session have the same token.
    const { html } = await human.walk('/deputies/resume');
    this.#held.set('human.form', /name="form" value="([^"]+)"/.exec(html)?.[1] ?? '');
    this.#held.set('human.deputy', /\/deputies\/(dep_[\w-]+)/.exec(overview.html)?.[1] ?? '');
    const consent = await human.walk(this.#authorization(this.#held.get('client') ?? '', 'x'.repeat(43)));
    this.#held.set('consent', `${consent.url.pathname}${consent.url.search}`);
    this.#held.set('handle', /name="handle" value="([^"]+)"/.exec(consent.html)?.[1] ?? '');
    // Left open at AuthKit, so that there is a state that could still be used.
    await human.browser.open('/login?return_to=/deputies/verify');
    this.#held.set(
      'state',
      [...human.browser.cookies.keys()].find((name) => name.includes('sign-in'))?.split('sign-in-')[1] ?? '',
    );
    await this.#renewSpares();
  }

  /** A person of no importance, with a live grant and a code that was not exchanged yet. */
  async #renewSpares(): Promise<void> {
    this.#spares += 1;
    const spare = this.server.person(`spare-${this.#spares}@fuzz.example`);
    const client = registered.parse(
      await this.#post(
        '/register',
        JSON.stringify({
          client_name: 'Spare',
          redirect_uris: [REDIRECT_URI],
          token_endpoint_auth_method: 'none',
          grant_types: ['authorization_code', 'refresh_token'],
        }),
        'application/json',
      ),
    ).client_id;
    this.registered += 1;
    const verifier = randomBytes(32).toString('base64url');
    const code = async () => (await spare.answer(this.#authorization(client, verifier))).get('code') ?? '';
    const form = new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: client,
      code: await code(),
      code_verifier: verifier,
      redirect_uri: REDIRECT_URI,
    });
    const granted = tokens.parse(await this.#post('/token', form.toString(), 'application/x-www-form-urlencoded'));
    this.#held.set('spare.client', client);
    this.#held.set('spare.token', granted.access_token);
    this.#held.set('spare.refresh', granted.refresh_token);
    this.#held.set('code.client', client);
    this.#held.set('code.verifier', verifier);
    this.#held.set('code', await code());
  }

  #authorization(client: string, verifier: string): string {
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const query = {
      response_type: 'code',
      client_id: client,
      redirect_uri: REDIRECT_URI,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      scope: 'shop:browse',
      state: 's',
      resource: `${this.server.origin}/mcp`,
    };
    return `/authorize?${new URLSearchParams(query).toString()}`;
  }

  async #post(path: string, body: string, type: string): Promise<unknown> {
    const response = await this.server.fetch(new URL(path, this.server.origin), {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    });
    return response.json();
  }
}

/** As the Worker sends it to an object; what encodes it there does not run in Node. */
function inHeader(value: Caller | Watcher): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}
