/**
 * Repairs what a machine can repair: format, imports, generated parts of the docs, OpenAPI documents, schemas, the
 * chart, third-party notices, shipped profiles.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
for (const [command, ...args] of [
  [process.execPath, 'hack/profiles/update.ts'],
  [process.execPath, 'hack/openapi/update.ts'],
  [process.execPath, 'hack/docs.ts'],
  [process.execPath, 'hack/schemas.ts'],
  [process.execPath, 'hack/chart/chart.ts'],
  [process.execPath, 'hack/bundle/update.ts'],
  [join(root, 'node_modules/.bin/biome'), 'check', '--write', '.'],
] as const) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
