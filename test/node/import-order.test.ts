/** Imports go downwards only: a file imports from its own room and from rooms below it. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const SRC = resolve(import.meta.dirname, '../../src');
/** From top to bottom. Any other folder is a domain, such as `shop`; any other file of the root is ground, for everybody. */
const DOMAIN = 'a domain';
const ROOMS = [
  ['demo', 'dev', 'index.ts', 'oauth.ts', 'mcp-server.ts', 'app.tsx', 'auth-handler.ts'],
  ['console', 'auth', 'pages'],
  ['domain.ts'],
  [DOMAIN],
  ['tools'],
  ['mcp', 'ledger'],
  ['authority', 'edge'],
];

/** A floor's number, counted from the top. */
function floorOf(file: string): number {
  const [room = '', ...below] = relative(SRC, file).split('/');
  const floor = ROOMS.findIndex((rooms) => rooms.includes(room));
  if (floor !== -1) return floor;
  return below.length > 0 ? ROOMS.findIndex((rooms) => rooms.includes(DOMAIN)) : ROOMS.length;
}

test.each(globSync(join(SRC, '**/*.{ts,tsx}')))('%s imports nothing from above', (file) => {
  const imports = readFileSync(file, 'utf8').matchAll(/from '(\.[^']+)'/g);
  const above = [...imports]
    .map(([, path = '']) => resolve(dirname(file), path))
    .filter((path) => floorOf(path) < floorOf(file));
  expect(above).toEqual([]);
});
