/** The long run of `pnpm prove faults`: the Worker in workerd as in the tests, and nothing but batches of scenarios. */
import { join } from 'node:path';
import { cloudflareTest } from '@cloudflare/vitest-pool-workers';
import { defineConfig } from 'vitest/config';
import { WORKER } from '../../../vitest.config.ts';
import { FaultsReporter } from './reporter.ts';

export default defineConfig({
  logLevel: 'error',
  root: join(import.meta.dirname, '..', '..', '..'),
  plugins: [cloudflareTest(WORKER)],
  test: {
    include: ['test/proof/faults/batches.ts'],
    setupFiles: ['test/support/setup.ts'],
    silent: true,
    reporters: [new FaultsReporter()],
  },
});
