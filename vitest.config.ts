import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**'],
    environment: 'node',
    // Reports (FAULTS.md) show titles, and those are to be whole.
    taskTitleValueFormatTruncate: 0,
    // Tests wait for servers, sockets and clocks more than they compute.
    maxWorkers: 3,
    // How long a test may take says nothing on a machine that others use; these only end one that hangs.
    testTimeout: 300_000,
    hookTimeout: 120_000,
  },
});
