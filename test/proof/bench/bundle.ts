/** Bundles a Worker with wrangler's own esbuild, as `pnpm deploy` does, and takes variants of it that no deployment has. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { unstable_readConfig as readConfig } from 'wrangler';
import { run } from '../../../src/dev/dev-server.ts';

export const ROOT = resolve(import.meta.dirname, '../../..');
export const CONFIG = readConfig({ config: join(ROOT, 'wrangler.toml') });

/** A place in the bundle, which must occur exactly once, and what stands there instead. */
export type Change = readonly [find: string, replace: string];

/**
 * Without the limits that a human's day has: a deputy may buy and call as often as it likes. Everything is checked,
 * counted and recorded as ever; only the numbers are other ones.
 */
export const UNLIMITED: readonly Change[] = [
  [
    'callsPerMinute: { of: "calls", per: "minute", start: 60, max: 60 }',
    'callsPerMinute: { of: "calls", per: "minute", start: 1e9, max: 1e9 }',
  ],
  [
    'of: "acts",\n      per: "minute",\n      start: 10,\n      max: 10,',
    'of: "acts", per: "minute", start: 1e9, max: 1e9,',
  ],
  ['start: 10,\n      max: 1e3,\n      ceiling: 20,', 'start: 9e8, max: 9e8, ceiling: 9e8,'],
  [
    'start: 25e3,\n      // Less buys nothing.\n      min: SHIRT.price,\n      max: 25e5,\n      ceiling: 5e4,',
    'start: 9e10, max: 9e10, ceiling: 9e10,',
  ],
];

/** Keeps the number of the newest line in memory and writes no line, so that its price can be told. What decides still runs. */
export const WITHOUT_RECORD: readonly Change[] = [
  [
    'append(entry, head, now) {\n    const sequence = head.sequence + 1;',
    'append(entry, head, now) {\n    const sequence = head.sequence + 1;\n    return this.inMemory = { sequence, hash: head.hash, at: now };',
  ],
  ['  head() {\n    const [row', '  head() {\n    if (this.inMemory) return this.inMemory;\n    const [row'],
];

/** The bundle of `entry` (from the project's root, or that of another checkout), as text. */
export async function bundle(entry: string, root = ROOT): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-shop-bench-'));
  try {
    // Bindings are the server's business, and another entry does not have the object that wrangler.toml names.
    const { name, compatibility_date, compatibility_flags, keep_names } = CONFIG;
    const config = join(folder, 'wrangler.json');
    writeFileSync(
      config,
      JSON.stringify({ name, compatibility_date, compatibility_flags, keep_names, main: join(root, entry) }),
    );
    const out = join(folder, 'out');
    const { code, output } = await run('wrangler', ['deploy', '--dry-run', '--config', config, '--outdir', out]);
    if (code !== 0) throw new Error(`${entry} could not be bundled:\n${output}`);
    const script = readdirSync(out).find((file) => file.endsWith('.js'));
    if (script === undefined) throw new Error(`wrangler wrote no script for ${entry}:\n${output}`);
    return readFileSync(join(out, script), 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The bundle of the shop as it was at that commit. */
export async function bundleAt(commit: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-shop-before-'));
  const checkout = join(folder, 'checkout');
  try {
    execFileSync('git', ['worktree', 'add', '--detach', '--quiet', checkout, commit], { cwd: ROOT });
    symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));
    return await bundle('src/index.ts', checkout);
  } finally {
    execFileSync('git', ['worktree', 'remove', '--force', checkout], { cwd: ROOT });
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The bundle with those changes. Throws when a place is not there, or there more than once. */
export function changed(script: string, changes: readonly Change[]): string {
  let result = script;
  for (const [find, replace] of changes) {
    const found = result.split(find).length - 1;
    if (found !== 1) throw new Error(`the bundle holds this ${found} times instead of once: ${find}`);
    result = result.replace(find, () => replace);
  }
  return result;
}
