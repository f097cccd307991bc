/** `pnpm run deploy` with a wrangler that only says what it was asked: no account is needed to see what it tells. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { unstable_readConfig } from 'wrangler';
import { z } from 'zod';

let bin = '';
beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), 'wrangler-'));
});
afterEach(() => {
  rmSync(bin, { recursive: true });
});

/** What the script prints, and how it ends, with a wrangler that runs `listing` when it is asked for secrets. */
function deploy(options: string[], listing: string, deployed = 0) {
  const script = `#!/bin/sh
case "$1" in
  deploy) echo "deployed: $*"; exit ${deployed};;
  secret) ${listing};;
esac
`;
  writeFileSync(join(bin, 'wrangler'), script);
  chmodSync(join(bin, 'wrangler'), 0o755);
  const { status, stdout, stderr } = spawnSync(process.execPath, ['src/dev/deploy.ts', ...options], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${bin}:${process.env['PATH']}` },
  });
  return { status, stdout, stderr };
}

const list = (...names: string[]) => `echo '${JSON.stringify(names.map((name) => ({ name, type: 'secret_text' })))}'`;

test('with every secret it deploys, and says nothing more', () => {
  const { status, stdout } = deploy([], list('WORKOS_CLIENT_ID', 'WORKOS_API_KEY', 'COOKIE_PASSWORD'));
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'deployed: deploy --minify --env=\n' });
});

test('it names the secrets that are missing, with the command for each, at the Worker that was named', () => {
  const { status, stdout } = deploy(['--name', 'rehearsal', '--domain', 'shop.example.com'], list('WORKOS_API_KEY'));
  expect(status).toBe(0);
  expect(stdout).toContain('deployed: deploy --minify --name rehearsal --domain shop.example.com --env=\n');
  for (const name of ['WORKOS_CLIENT_ID', 'COOKIE_PASSWORD'])
    expect(stdout).toContain(`wrangler secret put ${name} --name rehearsal\n`);
  expect(stdout).not.toContain('secret put WORKOS_API_KEY');
});

test('it says when the secrets cannot be listed', () => {
  const { status, stderr } = deploy([], 'echo "not logged in" >&2; exit 1');
  expect(status).toBe(1);
  expect(stderr).toContain('not logged in');
});

test('a deployment that fails ends it', () => {
  expect(deploy([], list(), 3)).toMatchObject({ status: 3, stdout: 'deployed: deploy --minify --env=\n' });
});

test.each([[['--env', 'staging']], [['--env=staging']], [['-e', 'staging']]])(
  'with %s it is about the Worker to rehearse in, and about no other',
  (options) => {
    const { stdout } = deploy(options, list('WORKOS_CLIENT_ID', 'WORKOS_API_KEY'));
    expect(stdout).toContain(`deployed: deploy --minify ${options.join(' ')}\n`);
    expect(stdout).toContain('wrangler secret put COOKIE_PASSWORD --env staging\n');
  },
);

const configSchema = z.looseObject({
  name: z.string(),
  kv_namespaces: z.array(z.looseObject({ binding: z.string() })),
  ratelimits: z.array(z.looseObject({ namespace_id: z.string() })),
});

test('what is rehearsed is what is in production', () => {
  const read = (env: string) => configSchema.parse(unstable_readConfig({ config: 'wrangler.toml', env }));
  const [production, staging] = [read(''), read('staging')];
  // A namespace's id and a limit's number are each environment's own.
  const shared = (config: typeof staging) => ({
    ...config,
    name: undefined,
    targetEnvironment: undefined,
    kv_namespaces: config.kv_namespaces.map(({ binding }) => binding),
    ratelimits: config.ratelimits.map((limit) => ({ ...limit, namespace_id: undefined })),
  });
  expect(shared(staging)).toEqual(shared(production));
  const numbers = [...production.ratelimits, ...staging.ratelimits].map((limit) => limit.namespace_id);
  expect(new Set([...numbers, production.name, staging.name]).size).toBe(numbers.length + 2);
});
