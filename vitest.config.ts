import { cloudflareTest } from '@cloudflare/vitest-pool-workers';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Vite warns at every run about source maps that some packages leave out.
  logLevel: 'error',
  plugins: [
    cloudflareTest({
      main: './src/dev/index.ts',
      wrangler: { configPath: './wrangler.toml' },
      // The test runner reads .dev.vars too: without this, a developer's real keys would be used.
      miniflare: {
        bindings: {
          WORKOS_CLIENT_ID: '',
          WORKOS_API_KEY: '',
          COOKIE_PASSWORD: '',
          WORKOS_AUTHKIT_DOMAIN: '',
          PUBLIC_URL: '',
          DEMO_TOOLS: '',
        },
      },
    }),
  ],
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/setup.ts'],
    testTimeout: 20_000,
  },
});
