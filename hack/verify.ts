/** Runs every check that needs no cluster, lists all that fail, and says what repairs them. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = (name: string) => join(root, 'node_modules/.bin', name);
const checks: readonly (readonly [string, string, readonly string[]])[] = [
  ['format and lint', bin('biome'), ['check', '.']],
  ['types', bin('tsc'), []],
  ['layers', bin('vitest'), ['run', 'test/layers.test.ts']],
  ['paths in docs', process.execPath, ['hack/dead-paths.ts']],
  ['links in docs', process.execPath, ['hack/links.ts']],
  ['generated docs', process.execPath, ['hack/docs.ts', '--check']],
  ['OpenAPI documents', process.execPath, ['hack/openapi/update.ts', '--check']],
  ['schemas', process.execPath, ['hack/schemas.ts', '--check']],
  ['third-party notices', process.execPath, ['hack/bundle/update.ts', '--check']],
  ['chart', process.execPath, ['hack/chart/chart.ts', '--check']],
  ['shipped profiles', process.execPath, ['hack/profiles/update.ts', '--check']],
];

let [passed, failed] = [0, 0];
for (const [name, command, args] of checks) {
  if (!existsSync(command)) throw new Error(`${command} is not installed: run npm ci`);
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name}`);
  if (status === 0) passed += 1;
  else {
    failed += 1;
    console.log(`${stdout}${stderr}`);
  }
}
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
if (failed > 0) {
  console.log('run `npm run update` to repair what a machine can repair');
  process.exitCode = 1;
}
