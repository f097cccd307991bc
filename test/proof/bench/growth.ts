/**
 * Whether anything becomes slower as one human's ledger grows: the brake, the pages and a call, with many deputies and with a
 * long record. Rows are written into the object's SQLite between two starts of the server, as the shop itself would have.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parse } from 'node-html-parser';
import { z } from 'zod';
import type { Page } from '../../../src/dev/browser.ts';
import { freePort } from '../../../src/dev/dev-server.ts';
import { INDEXES, MANY } from '../../../src/ledger/deputies.ts';
import { type BenchServer, startShop } from './bench-server.ts';
import { median } from './measure.ts';
import { RawClient, toolCall } from './raw-client.ts';
import { atMost, say, table, type Target } from './tables.ts';

/** Milliseconds on the wall, and of the server's processor. */
type Times = { wall: number; processor: number };
type Size = { deputies: number; lines: number };
type Grown = Size & { call: Times; pause: Times; console: Times; consent: Times; verify: Times; worst: number };

const SIZES: readonly Size[] = [
  { deputies: 1, lines: 100 },
  { deputies: 1000, lines: 2100 },
  { deputies: 5000, lines: 10_100 },
  { deputies: 1, lines: 10_000 },
  { deputies: 1, lines: 100_000 },
  { deputies: 1, lines: 1_000_000 },
];
const TIMES = 15;

/** The largest record takes minutes to make, so `most` can leave it out. */
export async function growth(script: string, most = Infinity): Promise<{ tables: string[]; targets: Target[] }> {
  const grown: Grown[] = [];
  for (const size of SIZES.filter(({ lines }) => lines <= most)) {
    say(`Growing to ${size.deputies} deputies and ${size.lines} lines`);
    grown.push(await grow(script, size));
  }
  const both = ({ wall, processor }: Times) => `${wall.toFixed(1)} (${processor.toFixed(1)})`;
  const rows = grown.map(({ deputies, lines, call, pause, console, consent, verify, worst }) => [
    `${deputies.toLocaleString('en')} · ${lines.toLocaleString('en')}`,
    ...[call, pause, console, consent, verify].map(both),
    worst.toFixed(0),
  ]);
  const header = ['deputies · lines', 'a call', 'the pause', 'console', 'consent', 'verify', 'worst call meanwhile'];
  const ratio = (of: (one: Grown) => Times, large: number, small: number) => {
    const [more, less] = [large, small].map((count) => grown.find(({ deputies }) => deputies === count));
    return more && less ? of(more).processor / of(less).processor : NaN;
  };
  return {
    tables: ['Milliseconds, medians; in brackets the processor time of the server.', table(header, rows)],
    targets: [
      atMost('The pause with 5,000 deputies ÷ with 1 (processor)', 1.5, [ratio(({ pause }) => pause, 5000, 1)]),
      // With one deputy the page has one card to draw; with more, at most a few dozen.
      atMost('The console with 5,000 deputies ÷ with 1,000 (processor)', 1.5, [
        ratio(({ console }) => console, 5000, 1000),
      ]),
    ],
  };
}

async function grow(script: string, size: Size): Promise<Grown> {
  const data = mkdtempSync(join(tmpdir(), 'mcp-shop-growth-'));
  const port = await freePort();
  let server = await startShop(script, { data, port });
  try {
    const human = server.person('grown@example.com');
    const { accessToken } = await server.deputyOf(human, '2026-07-28');
    await server.stop();
    fill(join(data, 'do', 'shop-McpShopServer'), size);
    server = await startShop(script, { data, port });
    // The browser and its cookies go on: the address is the same.
    const client = new RawClient(server.origin, 4);
    const call = async () => {
      const { status } = await client.post('/mcp', toolCall('2026-07-28', accessToken, 'listMcpShopInventory'));
      if (status !== 200) throw new Error(`the call was answered with ${status}`);
    };
    await call();
    const open = async (path: string): Promise<Page> => {
      const page = await human.browser.open(path);
      if (page.status !== 200) throw new Error(`${path} was answered with ${page.status}`);
      return page;
    };
    const press = pressing(server, await open('/deputies'), human.browser.cookies);
    const consent = `/authorize?${await consentQuery(server)}`;
    const measured = {
      call: await times(server, call),
      console: await times(server, () => open('/deputies')),
      consent: await times(server, () => open(consent)),
      pause: await times(server, press),
    };
    const [calls, form] = [human.browser.cookies, await open('/deputies')];
    const release = verifying(server, form, calls);
    let worst = 0;
    const over = new AbortController();
    const watch = (async () => {
      while (!over.signal.aborted) {
        const start = performance.now();
        await call();
        worst = Math.max(worst, performance.now() - start);
      }
    })();
    const verify = await times(server, release, 1);
    over.abort();
    await watch;
    await client.close();
    return { ...size, ...measured, verify, worst };
  } finally {
    await server.stop();
    rmSync(data, { recursive: true, force: true });
  }
}

/** The median of some tries, one after the other. Processor time comes in steps of ten milliseconds, so it is of all of them. */
async function times(server: BenchServer, work: () => Promise<unknown>, tries = TIMES): Promise<Times> {
  const walls: number[] = [];
  const before = server.processorTime();
  for (let count = 0; count < tries; count += 1) {
    const start = performance.now();
    await work();
    walls.push(performance.now() - start);
  }
  return { wall: median(walls), processor: (server.processorTime() - before) / tries };
}

/** Presses the brake of that page again and again. The page that comes after it is not waited for. */
function pressing(server: BenchServer, page: Page, cookies: ReadonlyMap<string, string>): () => Promise<void> {
  return posting(server, page, '/deputies/pause', cookies);
}

/** Has the record verified by its page. */
function verifying(server: BenchServer, page: Page, cookies: ReadonlyMap<string, string>): () => Promise<void> {
  return async () => {
    const headers = { Cookie: jar(cookies) };
    const answer = await server.fetch(new URL('/deputies/verify', page.url), { headers });
    if (!(await answer.text()).includes('lines')) throw new Error(`verify was answered with ${answer.status}`);
  };
}

function posting(server: BenchServer, page: Page, path: string, cookies: ReadonlyMap<string, string>) {
  const form = parse(page.html).querySelector(`form[action="${path}"]`);
  if (!form) throw new Error(`there is no form for ${path}`);
  const body = new URLSearchParams(
    form
      .querySelectorAll('input')
      .map((input) => [input.getAttribute('name') ?? '', input.getAttribute('value') ?? '']),
  );
  const headers = {
    Cookie: jar(cookies),
    Origin: page.url.origin,
    'Content-Type': 'application/x-www-form-urlencoded',
  };
  return async () => {
    const init = { method: 'POST', body: body.toString(), headers, redirect: 'manual' } as const;
    const answer = await server.fetch(new URL(path, page.url), init);
    await answer.body?.cancel();
    if (answer.status !== 303 && answer.status !== 302) throw new Error(`${path} was answered with ${answer.status}`);
  };
}

function jar(cookies: ReadonlyMap<string, string>): string {
  return [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
}

async function consentQuery(server: BenchServer): Promise<string> {
  const redirect = 'https://client.example/callback';
  const answer = await server.fetch(`${server.origin}/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ client_name: 'Grown', redirect_uris: [redirect], token_endpoint_auth_method: 'none' }),
  });
  const { client_id: id } = z.object({ client_id: z.string() }).parse(await answer.json());
  const challenge = createHash('sha256').update('verifier').digest('base64url');
  return new URLSearchParams({
    response_type: 'code',
    client_id: id,
    redirect_uri: redirect,
    scope: 'shop:browse',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  }).toString();
}

/** Writes the record anew, a second a line up to now: what is there, then deputies, then calls of the first one. */
function fill(folder: string, { deputies, lines }: Size): void {
  const [file, ...others] = readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
  if (file === undefined || others.length > 0) throw new Error('there is not exactly one ledger');
  const sql = new DatabaseSync(join(folder, file));
  try {
    sql.exec('BEGIN');
    const known = sql.prepare('SELECT line FROM record ORDER BY sequence').all();
    const entries = known.map(({ line }) => JSON.parse(String(line)) as Record<string, unknown>);
    const appointed = entries.find(({ act }) => act === 'appointed');
    const first = sql.prepare('SELECT * FROM deputies').get();
    if (!appointed || !first) throw new Error('nobody was appointed');
    sql.exec('DELETE FROM record');

    const insert = sql.prepare('INSERT INTO record VALUES (?, ?, ?)');
    const start = Date.now() - lines * 1000;
    let sequence = 0;
    let previous = String(entries[0]?.['previous']);
    const append = (entry: Record<string, unknown>) => {
      sequence += 1;
      const at = new Date(start + sequence * 1000).toISOString();
      const line = JSON.stringify({ ...entry, sequence, at, previous });
      previous = createHash('sha256').update(line).digest('hex');
      insert.run(sequence, line, previous);
    };
    for (const entry of entries) append(entry);
    const columns = Object.keys(first);
    const copy = sql.prepare(
      `INSERT INTO deputies (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    );
    for (let count = 1; count < deputies; count += 1) {
      const id = `dep_grown_${count}`;
      copy.run(...Object.values({ ...first, deputy_id: id, grant_id: `grant_${count}` }));
      append({ ...appointed, deputy: id });
      append({ actor: 'client', act: 'activated', deputy: id });
    }
    // As the shop makes them.
    if (deputies > MANY)
      for (const [index, on] of Object.entries(INDEXES))
        sql.exec(`CREATE INDEX deputies_by_${index} ON deputies ${on}`);
    const { deputy_id: deputy, client_id: client } = first;
    const tool = 'listMcpShopInventory';
    const call = { actor: 'deputy', deputy, client, tool, decision: 'allowed', mandateVersion: 1 };
    for (let left = lines - sequence; left > 0; left -= 1) append(call);
    sql.exec('COMMIT');
  } finally {
    sql.close();
  }
}
