import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { missing } from './environment.ts';

/**
 * The tests on a kind cluster. Where there can be none it says in one line what is missing and counts that as not run:
 * exit status 3, or 0 with --skip-if-missing.
 */
const lacking = missing();
if (lacking === null) {
  const runner = join(import.meta.dirname, '../run-tests.ts');
  process.exitCode = spawnSync(process.execPath, [runner, 'vitest.kind.config.ts'], { stdio: 'inherit' }).status ?? 1;
} else {
  console.log(`kind: not run: ${lacking}`);
  console.log('0 passed, 0 failed, 1 skipped');
  process.exitCode = process.argv.includes('--skip-if-missing') ? 0 : 3;
}
