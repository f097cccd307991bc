/** What must hold after a run: records verify, no authority was moved, little was stored, and honest clients still work. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { textOf } from '../../../src/dev/browser.ts';
import { ERAS, type Person } from '../../../src/dev/clients.ts';
import { LARGEST } from './bounds.ts';
import type { Scene } from './fuzz-scene.ts';
import { readStored, type Stored, tooMuch } from './stored.ts';
import type { Tally } from './tally.ts';

/** Stored clients that are looked at one by one. */
const LOOKED_AT = 200;

type Head = { sequence: string; hash: string };

export class Aftermath {
  readonly #scene: Scene;
  readonly #data: string;
  readonly #before: { stored: Stored; head: Head }[];

  private constructor(scene: Scene, data: string, before: { stored: Stored; head: Head }[]) {
    this.#scene = scene;
    this.#data = data;
    this.#before = before;
  }

  static async before(scene: Scene, data: string): Promise<Aftermath> {
    const before = [];
    for (const [index, human] of scene.humans.entries())
      before.push({ stored: storedOf(scene, data, index), head: await headOf(human) });
    return new Aftermath(scene, data, before);
  }

  async problems(tally: Tally, minutes: number, say: (line: string) => void): Promise<string[]> {
    const scene = this.#scene;
    const problems: string[] = [];
    let lines = 0;
    let calls = 0;
    for (const [index, human] of scene.humans.entries()) {
      const before = this.#before[index];
      if (!before) throw new Error(`nothing was noted of ${human.email}`);
      const made = ERAS.reduce((sum, _, era) => sum + tally.callsOf(index * ERAS.length + era), 0);
      const after = storedOf(scene, this.#data, index);
      lines += after.lines - before.stored.lines;
      calls += made;
      if (after.authority !== before.stored.authority)
        problems.push(
          `the authority of ${human.email} was changed by deputies:\n${before.stored.authority}\n${after.authority}`,
        );
      const excess = tooMuch(before.stored, after, made, minutes);
      if (excess !== undefined) problems.push(`too much is stored of ${human.email}: ${excess}`);
      problems.push(...(await unverified(human, before.head)));
    }
    problems.push(...(await unverified(scene.human)));
    say(
      `Record: ${lines} lines for ${calls} requests that may have been calls; ${scene.humans.length + 1} records verified, ${scene.humans.length} of them from a head that was noted before; no authority was moved.`,
    );
    problems.push(...(await this.#clients(tally, say)), ...(await this.#honest()));
    return problems;
  }

  /** KV holds one client for each registration that succeeded, and none is large. */
  async #clients(tally: Tally, say: (line: string) => void): Promise<string[]> {
    const kv = await this.#scene.server.kv('OAUTH_KV');
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await kv.list({ prefix: 'client:', ...(cursor !== undefined && { cursor }) });
      names.push(...page.keys.map(({ name }) => name));
      cursor = page.list_complete ? undefined : page.cursor;
    } while (cursor !== undefined);
    const sizes = await Promise.all(
      names.slice(0, LOOKED_AT).map(async (name) => String(await kv.get(name, 'text')).length),
    );
    const expected = tally.registered + this.#scene.registered;
    say(
      `Clients: ${names.length} stored, ${expected} registered; the largest of ${sizes.length} has ${Math.max(...sizes)} bytes.`,
    );
    const problems: string[] = [];
    if (names.length !== expected) problems.push(`${names.length} clients are stored, and ${expected} were registered`);
    if (Math.max(...sizes) > LARGEST.client) problems.push(`a stored client has ${Math.max(...sizes)} bytes`);
    return problems;
  }

  /** Somebody new signs in and shops, in both eras, and a deputy of before still reads its mandate. */
  async #honest(): Promise<string[]> {
    const { server, attackers } = this.#scene;
    const honest = server.person('honest@fuzz.example');
    for (const era of ERAS) {
      const deputy = await server.deputyOf(honest, era);
      const bought = await deputy.call('buyMcpShopItem', {
        company: 'Analytical Engines Ltd',
        mailingAddress: 'London',
        tshirtSize: 'L',
      });
      await deputy.close();
      if (bought.isError) return [`an honest client (${era}) could not buy: ${bought.text}`];
    }
    const answer = await attackers[0]?.deputy.call('getMyMandate');
    const refused = (answer?.data['error'] as { code?: string } | undefined)?.code;
    return answer?.isError && refused !== 'rate_limited'
      ? [`a deputy of before could not read its mandate: ${answer.text}`]
      : [];
  }
}

function storedOf({ attackers }: Scene, data: string, human: number): Stored {
  const clientId = attackers[human * ERAS.length]?.clientId ?? '';
  const folder = join(data, 'do', 'shop-McpShopServer');
  for (const file of readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name))) {
    const stored = readStored(join(folder, file), clientId);
    if (stored) return stored;
  }
  throw new Error(`no record holds the client ${clientId}`);
}

async function headOf(human: Person): Promise<Head> {
  const { html } = await human.walk('/deputies/record.jsonl');
  return JSON.parse(html.trim().split('\n').at(-1) ?? '').head;
}

/** Asks the human's own page, as they would. */
async function unverified(human: Person, head?: Head): Promise<string[]> {
  const query = head ? `?sequence=${head.sequence}&hash=${head.hash}` : '';
  const page = await human.walk(`/deputies/verify${query}`);
  const text = textOf(page);
  return page.status === 200 && text.includes('The record holds.')
    ? []
    : [`the record of ${human.email} does not verify: ${text}`];
}
