import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/kind/**/*.kind.ts'],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Each step stands on the one before.
    bail: 1,
  },
});
