/**
 * Runs the tests of one vitest configuration (all, or those that the further arguments name) and ends with the counts of
 * vitest's own report: `N passed, N failed, N skipped`.
 *
 *   node hack/run-tests.ts vitest.e2e.config.ts test/e2e/api.e2e.ts
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

const [config = 'vitest.config.ts', ...rest] = process.argv.slice(2);
const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'gpumix-tests-'));
const file = join(folder, 'report.json');
const reporter = /e2e|kind/.test(config) ? 'verbose' : 'default';
const args = ['run', '--config', config, `--reporter=${reporter}`, '--reporter=json', `--outputFile.json=${file}`, ...rest];
const { status } = spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...args], {
  stdio: 'inherit',
  cwd: root,
});

let failed = 0;
try {
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  // A file that could not be loaded or set up has no failed test of its own.
  const broken = report.testResults.filter(
    (result) => result.status === 'failed' && !result.assertionResults.some((one) => one.status === 'failed'),
  );
  failed = report.numFailedTests + broken.length;
  console.log(`${report.numPassedTests} passed, ${failed} failed, ${report.numPendingTests + report.numTodoTests} skipped`);
} catch {
  failed = 1;
  console.log('0 passed, 1 failed, 0 skipped'); // the runner did not get as far as a report
}
rmSync(folder, { recursive: true, force: true });
process.exitCode = status === 0 && failed === 0 ? 0 : 1;
