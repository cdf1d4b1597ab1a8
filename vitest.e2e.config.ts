import { defineConfig } from 'vitest/config';
import { controlPlanes } from './test/e2e/global-setup.ts';

export default defineConfig({
  test: {
    include: ['test/e2e/**/*.e2e.ts'],
    globalSetup: ['test/e2e/global-setup.ts'],
    setupFiles: ['test/e2e/last-words.ts'],
    // Reports (FAULTS.md, CONFORMANCE.md) show titles or read them, and those are to be whole.
    taskTitleValueFormatTruncate: 0,
    // Files spend most of their time waiting for controllers: each worker has a control plane of its own.
    maxWorkers: controlPlanes,
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
});
