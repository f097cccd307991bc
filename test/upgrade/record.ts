/**
 * Records what a version of this project leaves behind: takes it out of git, installs it, lives a little with it
 * (`recorder.ts`), and writes what it left to `first-version.json`.
 *
 *   node test/upgrade/record.ts
 *
 * The recording is in git, so this need not be run again. It is here to show how the recording was made.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The first version that landed. */
const VERSION = 'f1c3397';
const HERE = import.meta.dirname;
const ROOT = join(HERE, '../..');
const RECORDING = join(HERE, 'first-version.json');

const folder = mkdtempSync(join(tmpdir(), 'mcp-shop-first-version-'));
try {
  const archive = execFileSync('git', ['archive', VERSION], { cwd: ROOT, maxBuffer: 100 * 1024 * 1024 });
  execFileSync('tar', ['x', '-C', folder], { input: archive });
  copyFileSync(join(HERE, 'recorder.ts'), join(folder, 'test/journeys/recorder.test.ts'));
  pnpm('install', '--frozen-lockfile');
  const run = ['exec', 'vitest', 'run', '--project', 'workerd', '--silent=false', 'test/journeys/recorder.test.ts'];
  const [, recording] = /RECORDING (\{.*\})$/m.exec(pnpm(...run)) ?? [];
  if (!recording) throw new Error('the recorder printed no recording');
  writeFileSync(
    RECORDING,
    `${JSON.stringify({ commit: VERSION, recordedBy: 'test/upgrade/record.ts', ...JSON.parse(recording) }, null, 2)}\n`,
  );
  execFileSync(join(ROOT, 'node_modules/.bin/oxfmt'), [RECORDING]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function pnpm(...command: string[]): string {
  return execFileSync('npx', ['-y', 'pnpm', ...command], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 100 * 1024 * 1024,
  });
}
