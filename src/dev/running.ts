/** Which servers `pnpm dev` has running here: a file for each, named by its port, so that `pnpm inspect` finds it. */
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Beside wrangler's own files, which no repository holds. */
const FOLDER = resolve(import.meta.dirname, '../../.wrangler/running');

function fileOf(origin: string): string {
  return join(FOLDER, new URL(origin).port || '80');
}

export function rememberServer(origin: string): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(fileOf(origin), '');
}

export function forgetServer(origin: string): void {
  rmSync(fileOf(origin), { force: true });
}

/** The origin of the newest one that answers; that of a server which was started with the usual port otherwise. */
export async function runningServer(): Promise<string> {
  for (const port of newestFirst()) {
    const origin = `http://localhost:${port}`;
    const answers = await fetch(`${origin}/healthz`, { signal: AbortSignal.timeout(2000) }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answers) return origin;
  }
  return 'http://localhost:8787';
}

function newestFirst(): string[] {
  try {
    const ports = readdirSync(FOLDER).map((port) => ({ port, at: statSync(join(FOLDER, port)).mtimeMs }));
    return ports.toSorted((one, other) => other.at - one.at).map(({ port }) => port);
  } catch {
    return [];
  }
}
