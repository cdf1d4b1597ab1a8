import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One test that has run. */
export interface Shown {
  /** From the project's root. */
  readonly file: string;
  readonly title: string;
  readonly passed: boolean;
}

const root = join(import.meta.dirname, '..');

/**
 * Runs the files of one vitest configuration; what they print goes to stderr.
 * @param files parts of their paths, as vitest takes them
 * @throws Error where no file that ran has one of the parts in its path
 */
export const testResults = (config: string, ...files: readonly string[]): readonly Shown[] => {
  const folder = mkdtempSync(join(tmpdir(), 'gpumix-results-'));
  const report = join(folder, 'report.json');
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const args = ['run', '--config', config, ...reporters, ...files];
  spawnSync(process.execPath, [vitest, ...args], { cwd: root, stdio: ['ignore', 2, 2] });
  const { testResults: reported } = JSON.parse(readFileSync(report, 'utf8'));
  rmSync(folder, { recursive: true });
  const ran: readonly string[] = reported.map(({ name }: { name: string }) => name);
  const missing = files.filter((part) => !ran.some((name) => name.includes(part)));
  if (missing.length > 0) throw new Error(`no test file is called ${missing.join(', nor ')}`);
  return reported.flatMap((file: { name: string; assertionResults: { title: string; status: string }[] }) =>
    file.assertionResults.map(({ title, status }) => ({
      file: file.name.slice(root.length + 1),
      title,
      passed: status === 'passed',
    })),
  );
};
