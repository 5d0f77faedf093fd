import { defineConfig } from 'vitest/config';
import { fileURLToPath } from 'node:url';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: { alias: { 'robust/testing': source('core/testing/index.ts'), robust: source('core/index.ts') } },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/pages.ts',
    // Native addons do not survive worker threads.
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
