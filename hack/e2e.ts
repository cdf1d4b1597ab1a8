import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs the end-to-end tests (all, or those that the arguments name) and ends with the counts of vitest's own report. */
const folder = mkdtempSync(join(tmpdir(), 'gpumix-e2e-'));
const report = join(folder, 'report.json');
const vitest = join(import.meta.dirname, '../node_modules/vitest/vitest.mjs');
const reporters = ['--reporter=verbose', '--reporter=json', `--outputFile.json=${report}`];
const args = [vitest, 'run', '--config', 'vitest.e2e.config.ts', ...reporters, ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', cwd: join(import.meta.dirname, '..') });

let failed = 0;
try {
  const counts = JSON.parse(readFileSync(report, 'utf8'));
  // a file that could not be loaded or set up has no failed test of its own
  const brokenFiles = counts.testResults.filter(
    (file: { status: string; assertionResults: { status: string }[] }) =>
      file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  failed = counts.numFailedTests + brokenFiles;
  const skipped = counts.numPendingTests + counts.numTodoTests;
  console.log(`${counts.numPassedTests} passed, ${failed} failed, ${skipped} skipped`);
} catch {
  failed = 1;
  console.log('0 passed, 1 failed, 0 skipped'); // the runner did not get as far as a report
}
rmSync(folder, { recursive: true, force: true });
process.exitCode = status === 0 && failed === 0 ? 0 : 1;
