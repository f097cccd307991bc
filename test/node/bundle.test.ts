/** What `pnpm deploy` would upload. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../../src/dev/dev-server.ts';

test.each([
  ['src/static/idiomorph.js', 'node_modules/idiomorph/dist/idiomorph.min.js'],
  ['src/static/overpass.woff2', 'node_modules/@fontsource-variable/overpass/files/overpass-latin-wght-normal.woff2'],
])('%s is the file of its package', (copy, original) => {
  expect(readFileSync(copy).equals(readFileSync(original))).toBe(true);
});

test('the deployed bundle builds, and holds nothing of the local AuthKit', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-shop-bundle-'));
  try {
    const { code, output } = await run('wrangler', ['deploy', '--dry-run', '--metafile', '--outdir', folder]);
    expect(code, output).toBe(0);
    const { inputs } = JSON.parse(readFileSync(join(folder, 'bundle-meta.json'), 'utf8')) as {
      inputs: Record<string, unknown>;
    };
    const sources = Object.keys(inputs);
    expect(sources).toContain('src/index.ts');
    expect(sources.filter((source) => /^(src\/dev|test)\//.test(source))).toEqual([]);
    const script = readdirSync(folder).find((name) => name.endsWith('.js')) ?? '';
    const bundle = readFileSync(join(folder, script), 'utf8');
    for (const mark of ['sk_test_local', 'client_local', 'local-authkit:']) expect(bundle).not.toContain(mark);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
