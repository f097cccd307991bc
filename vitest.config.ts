import { resolve } from 'node:path';
import { cloudflareTest } from '@cloudflare/vitest-pool-workers';
import { defineConfig } from 'vitest/config';
import { leaveOutWhatIsOnPurpose } from './test/support/on-purpose.ts';
import { SkippedReporter } from './test/support/skipped-reporter.ts';

leaveOutWhatIsOnPurpose();

/** The test runner reads .dev.vars too: without this, a developer's real keys would be used. */
const NO_KEYS = {
  WORKOS_CLIENT_ID: '',
  WORKOS_API_KEY: '',
  COOKIE_PASSWORD: '',
  COOKIE_PASSWORD_PREVIOUS: '',
  WORKOS_AUTHKIT_DOMAIN: '',
  PUBLIC_URL: '',
  DEMO_TOOLS: '',
  HALT: '',
  RESTORE: '',
  BLOCKED_CLIENTS: '',
  WORKOS_AUDIT_LOGS_ORGANIZATION: '',
  WORKOS_WEBHOOK_SECRET: '',
  WORKOS_AUDIT_LOGS_API_KEY: '',
};

/** The Worker as the tests run it. */
export const WORKER: Parameters<typeof cloudflareTest>[0] = {
  main: './src/dev/index.ts',
  wrangler: { configPath: './wrangler.toml' },
  miniflare: { bindings: NO_KEYS },
};

/** A domain of another kind than the shop, in the place of `src/domain.ts`. */
const SECOND_DOMAIN = resolve(import.meta.dirname, 'test/second-domain/mails.ts');

export default defineConfig({
  // Vite warns at every run about source maps that some packages leave out.
  logLevel: 'error',
  test: {
    // Expected errors are logged too; only those of a failing test are worth reading.
    silent: 'passed-only',
    reporters: ['default', new SkippedReporter()],
    projects: [
      {
        // The Worker in workerd, driven through its own fetch.
        logLevel: 'error',
        plugins: [cloudflareTest(WORKER)],
        test: {
          name: 'workerd',
          include: ['test/{unit,auth,journeys,attacks,proof}/**/*.test.ts', 'test/second-domain/shop.test.ts'],
          setupFiles: ['test/support/setup.ts'],
          testTimeout: 20_000,
          // One worker for all files: three times faster. They share its storage, so every test has its own user.
          isolate: false,
        },
      },
      {
        // The same Worker with another domain: `src/domain.ts` is swapped for it, as a fork would do.
        logLevel: 'error',
        plugins: [cloudflareTest(WORKER)],
        resolve: { alias: [{ find: /^(\.{1,2}\/)+(src\/)?domain\.ts$/, replacement: SECOND_DOMAIN }] },
        test: {
          name: 'second-domain',
          include: ['test/second-domain/mails.test.ts'],
          setupFiles: ['test/support/setup.ts'],
          testTimeout: 20_000,
        },
      },
      {
        // The commands of package.json and what they produce, from outside.
        // One file at a time: a dev server reloads when another test touches a source file.
        test: {
          name: 'node',
          fileParallelism: false,
          include: ['test/{node,browser}/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
