/** What the documents say of the code is what the code says. */
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { mandateSchema } from '../../src/authority/mandate.ts';
import { REFUSAL_CODES } from '../../src/authority/refusal.ts';
import { configSchema } from '../../src/config.ts';
import { domain } from '../../src/domain.ts';
import { jobSchema } from '../../src/ledger/jobs.ts';
import { readLine } from '../../src/ledger/record.ts';
import { orderData } from '../../src/shop/order.ts';

const DOCUMENTS = ['README.md', 'AGENTS.md', ...globSync('docs/**/*.md')];
const TEXTS = DOCUMENTS.map((document) => [document, readFileSync(document, 'utf8')] as const);
const README = readFileSync('README.md', 'utf8');
const ARCHITECTURE = readFileSync('docs/architecture.md', 'utf8');
const OPERATING = readFileSync('docs/operating.md', 'utf8');
const SCHEMA = readFileSync('src/ledger/schema.ts', 'utf8');
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
const LOGGED = [...new Set(namesIn(readFileSync('src/log.ts', 'utf8'), /(?:event: |^ +\| )'(\w+)'/gm))];

function namesIn(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, name = '']) => name);
}

/** The cells of the table under a heading of the first column, without their backticks around one name. */
function table(text: string, heading: string): string[][] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${heading}`));
  const rows = lines.slice(start + 2);
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith('|')),
    )
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replace(/^`([^`]*)`$/, '$1')),
    );
}

/** The lines from a heading up to the next one. */
function section(text: string, heading: string): string[] {
  const [, rest = ''] = text.split(`\n${heading}\n`);
  return `${heading}\n${rest.split(/^#+ /m)[0] ?? ''}`.trimEnd().split('\n');
}

/** A heading's address on its page, as GitHub makes it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

test('the tool table lists the tools in their order, with what each needs', () => {
  const rows = table(README, 'tool').map(([name, , needs = '']) => [name, needs.replaceAll('`', '')]);
  expect(rows).toEqual(
    domain.tools.map(({ name, scope, permission }) => [
      name,
      `${scope}${permission ? `, permission ${permission}` : ''}`,
    ]),
  );
});

test('the variables are those of the code, where deploying is explained and in .dev.vars.example', () => {
  const known = new Set(Object.keys(configSchema.shape).filter((name) => name !== 'WORKOS_API_ORIGIN'));
  const example = readFileSync('.dev.vars.example', 'utf8');
  expect(new Set(namesIn(example, /^(?:# )?([A-Z_]+)=$/gm))).toEqual(known);
  // A Deploy button asks for each variable that is no comment, and must ask for no more than is needed.
  const needed = [...known].filter(
    (name) => !configSchema.shape[name as keyof typeof configSchema.shape].safeParse(undefined).success,
  );
  expect(namesIn(example, /^([A-Z_]+)=/gm)).toEqual(needed);
  expect(new Set(table(readFileSync('docs/deploying.md', 'utf8'), 'variable').map(([name]) => name))).toEqual(known);
});

test('every command is a script of package.json or one of wrangler', () => {
  for (const [document, text] of TEXTS) {
    for (const command of namesIn(text, /npx -y pnpm (?:run )?([\w:-]+)/g)) {
      expect([...Object.keys(scripts), 'wrangler', 'exec'], `${document}: ${command}`).toContain(command);
    }
  }
});

test('every instrument that a document names is one, and each has a document that names it', () => {
  const instruments = readdirSync('test/proof', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const named = TEXTS.flatMap(([, text]) => namesIn(text, /pnpm prove ([a-z]+)/g));
  expect(new Set(named)).toEqual(new Set(instruments.map(({ name }) => name)));
});

test('every script is mentioned somewhere', () => {
  const all = TEXTS.map(([, text]) => text).join();
  const parts = ['typecheck', 'lint', 'format', 'format:check'];
  for (const name of Object.keys(scripts)) {
    if (!parts.includes(name)) expect(all, name).toMatch(new RegExp(`pnpm (run )?${name}\\b`));
  }
});

test.each(TEXTS)('every file, folder and link that %s names exists', (document, text) => {
  for (const path of namesIn(text, /(?<![\w./-])((?:src|test)\/[\w./-]*[\w/-])/g)) {
    // The tutorial's reader writes these.
    if (!/rooms/.test(path)) expect(existsSync(path), path).toBe(true);
  }
  for (const path of namesIn(text, /`(docs\/[\w./-]+)`/g)) {
    // These are documents of packages.
    if (!/docs\/(consent|upstream|mcp-servers)/.test(path)) expect(existsSync(path), path).toBe(true);
  }
  for (const path of namesIn(text, /\]\((?!https?:|#)([^)#]+)[^)]*\)/g))
    expect(existsSync(join(dirname(document), path)), path).toBe(true);
});

test('every file that the pages about the structure name is one of ours', () => {
  const files = new Set(globSync('{src,test}/**/*.{ts,tsx}').map((file) => basename(file)));
  for (const text of [README, ARCHITECTURE, readFileSync('AGENTS.md', 'utf8')]) {
    for (const name of namesIn(text, /(?<![\w-])([\w.-]+\.tsx?)\b/g)) expect(files, name).toContain(name);
  }
  // It is generated, and so no room.
  const rooms = readdirSync('src').filter((room) => room !== 'env.d.ts');
  for (const room of rooms) expect(ARCHITECTURE, room).toContain(room);
});

test('the README has at most 900 words', () => {
  expect(README.split(/\s+/).length).toBeLessThanOrEqual(900);
});

test.each(TEXTS)('every place on a page that %s leads to is there', (document, text) => {
  for (const [, path = '', anchor = ''] of text.matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)) {
    const page = path === '' ? text : readFileSync(join(dirname(document), path), 'utf8');
    const headings = namesIn(page, /^#+ (.+)$/gm).map(anchorOf);
    expect(headings, `${path}#${anchor}`).toContain(anchor);
  }
});

test('the workflow runs what .ci/run runs, and nothing else', () => {
  const workflow = z
    .object({ jobs: z.object({ check: z.object({ steps: z.array(z.object({ run: z.string().optional() })) }) }) })
    .parse(parse(readFileSync('.github/workflows/check.yml', 'utf8')));
  expect(workflow.jobs.check.steps.flatMap(({ run }) => run ?? [])).toEqual(['./.ci/run']);
});

test('what a Deploy button says of each binding and secret is there for all of them, and for nothing else', () => {
  const { cloudflare } = z
    .object({ cloudflare: z.object({ bindings: z.record(z.string(), z.object({ description: z.string().min(20) })) }) })
    .parse(JSON.parse(readFileSync('package.json', 'utf8')));
  const toml = readFileSync('wrangler.toml', 'utf8').split('[env.staging]')[0] ?? '';
  const bindings = namesIn(toml, /\[\[(?:kv_namespaces|durable_objects\.bindings)\]\]\n(?:binding|name) = "(\w+)"/g);
  const secrets = namesIn(readFileSync('.dev.vars.example', 'utf8'), /^([A-Z_]+)=/gm);
  expect(Object.keys(cloudflare.bindings).toSorted()).toEqual([...secrets, ...bindings].toSorted());
});

test('AGENTS.md has at most 40 lines, and the structure in the README at most 20', () => {
  expect(readFileSync('AGENTS.md', 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(40);
  expect(section(README, '## Structure').length).toBeLessThanOrEqual(20);
  expect(section(README, '## Structure').length).toBeGreaterThan(5);
});

test.each(TEXTS)('every code that %s names is of a refusal, the log, the schema or OAuth', (_, text) => {
  const others = [
    'invalid_grant',
    'auth_time',
    'invalid_token',
    'invalid_client',
    'offline_access',
    'client_id',
    'return_to',
  ];
  const known = new Set([...REFUSAL_CODES, ...LOGGED, ...others, ...(SCHEMA.match(/\b[a-z_]+\b/g) ?? [])]);
  for (const name of namesIn(text, /`([a-z]+(?:_[a-z]+)+)`/g)) expect(known, name).toContain(name);
  for (const code of namesIn(text, /"code": "(\w+)"/g)) expect(REFUSAL_CODES, code).toContain(code);
});

test('the log events are those of the code', () => {
  expect(table(OPERATING, '`event`').map(([event = '']) => event)).toHaveLength(LOGGED.length);
  expect(new Set(table(OPERATING, '`event`').map(([event]) => event))).toEqual(new Set(LOGGED));
});

test('every table and every kind of job is explained', () => {
  for (const name of namesIn(SCHEMA, /CREATE TABLE (\w+)/g))
    expect(ARCHITECTURE, name).toContain(`object, table \`${name}\``);
  const kinds = jobSchema.options.map(({ shape }) => shape.kind.value);
  expect(new Set(table(ARCHITECTURE, 'kind').map(([kind]) => kind))).toEqual(new Set<string | undefined>(kinds));
});

test('the examples of a mandate, of lines and of an effect are of the shapes that are stored', () => {
  const [mandate = '', allowed = '', refused = '', effect = ''] = namesIn(ARCHITECTURE, /```json\n([^]*?)```/g);
  expect(mandateSchema.parse(JSON.parse(mandate))).toEqual(JSON.parse(mandate));
  for (const line of [allowed, refused]) expect(readLine(line)).toEqual(JSON.parse(line));
  const row = JSON.parse(effect) as { data: unknown };
  expect(orderData.strict().parse(row.data)).toEqual(row.data);
  const [, columns = ''] = /CREATE TABLE effects \(([^)]*)/.exec(SCHEMA) ?? [];
  expect(Object.keys(row)).toEqual(namesIn(columns, /^\s+(\w+) [A-Z]/gm));
});

test('what a call writes is what its test counts', () => {
  const counted = namesIn(readFileSync('test/journeys/rows-written.test.ts', 'utf8'), /toBe\((\d+)\)/g);
  const rows = table(ARCHITECTURE, 'call').map(([, count]) => count);
  expect(rows).toEqual(counted.filter((count, index) => count !== counted[index - 1]));
});

test('every attack that is played has a line in the list of attacks', () => {
  const attacks = readFileSync('docs/attacks.md', 'utf8');
  for (const story of globSync('test/attacks/*.test.ts')) expect(attacks, story).toContain(`(../${story})`);
});
