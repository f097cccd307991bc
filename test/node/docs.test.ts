/** What the documents say of the code is what the code says. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { configSchema } from '../../src/config.ts';
import { TOOLS } from '../../src/tools/registry.ts';

const README = readFileSync('README.md', 'utf8');
const DOCUMENTS = [
  'README.md',
  'docs/architecture.md',
  'docs/operating.md',
  'docs/extending.md',
  'docs/attacks.md',
  'docs/proof/faults.md',
  'docs/presenting.md',
  'docs/proof/benchmarks.md',
  'docs/proof/conformance.md',
  'docs/proof/cost.md',
  'docs/proof/load.md',
];
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

/** The first column of the README's table under a heading of the first column, without its backticks. */
function table(heading: string): string[][] {
  const lines = README.split('\n');
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
        .map((cell) => cell.trim()),
    );
}

test('the tool table lists the tools in their order, with what each needs', () => {
  const rows = table('tool').map(([name, , needs]) => [name, needs]);
  expect(rows).toEqual(
    TOOLS.map(({ name, scope, permission }) => [
      `\`${name}\``,
      `\`${scope}\`${permission ? `, permission \`${permission}\`` : ''}`,
    ]),
  );
});

test('the variables are those of the code, in the README and in .dev.vars.example', () => {
  const known = new Set(Object.keys(configSchema.shape).filter((name) => name !== 'WORKOS_API_ORIGIN'));
  const example = readFileSync('.dev.vars.example', 'utf8');
  expect(new Set([...example.matchAll(/^([A-Z_]+)=$/gm)].map(([, name]) => name))).toEqual(known);
  expect(new Set(table('variable').map(([name]) => name?.replaceAll('`', '')))).toEqual(known);
});

test('every command is a script of package.json or one of wrangler', () => {
  for (const document of DOCUMENTS) {
    for (const [, command = ''] of readFileSync(document, 'utf8').matchAll(/npx -y pnpm (?:run )?([\w:-]+)/g)) {
      expect([...Object.keys(scripts), 'wrangler'], `${document}: ${command}`).toContain(command);
    }
  }
});

test('every instrument that a document names is one, and each has a document that names it', () => {
  const instruments = readdirSync('test/proof', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const named = DOCUMENTS.flatMap((document) => [
    ...readFileSync(document, 'utf8').matchAll(/pnpm prove ([a-z]+)/g),
  ]).map(([, name]) => name);
  expect(new Set(named)).toEqual(new Set(instruments.map(({ name }) => name)));
});

test('every script is mentioned somewhere', () => {
  const text = DOCUMENTS.map((document) => readFileSync(document, 'utf8')).join();
  const parts = ['typecheck', 'lint', 'format', 'format:check'];
  for (const name of Object.keys(scripts)) {
    if (!parts.includes(name)) expect(text, name).toMatch(new RegExp(`pnpm (run )?${name}\\b`));
  }
});

test('every file, folder and link named exists', () => {
  for (const [, name = ''] of README.matchAll(/^ {2}([\w./-]+\/?) {2,}/gm)) {
    const places = [`src/${name}`, `test/${name}`];
    expect(
      places.some((place) => existsSync(place)),
      name,
    ).toBe(true);
  }
  for (const document of DOCUMENTS) {
    const text = readFileSync(document, 'utf8');
    for (const [, path = ''] of text.matchAll(/`((?:src|test|docs)\/[\w./-]+)`/g)) {
      if (!/docs\/(consent|upstream|mcp-servers)/.test(path))
        expect(existsSync(path), `${document}: ${path}`).toBe(true);
    }
    for (const [, path = ''] of text.matchAll(/\]\((docs\/[\w./-]+)\)/g)) expect(existsSync(path), path).toBe(true);
  }
});
