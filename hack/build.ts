/**
 * Bundles src/ into dist/gpumix.js with what it needs at run time beside it. A bundle leaves out what is never called:
 * the generated Kubernetes clients alone would cost 50 MiB of memory.
 *
 *   node hack/build.ts              build
 *   node hack/build.ts --if-stale   build unless dist/ is newer than every source
 */
import { chmodSync, cpSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { billOfMaterials } from './bundle/bill-of-materials.ts';
import { bundleOfSources, outputOptions } from './bundle/bundle.ts';
import { notices } from './bundle/notices.ts';
import { bundledPackages } from './bundle/packages.ts';

const root = join(import.meta.dirname, '..');
const output = join(root, 'dist/gpumix.js');

const newest = (folder: string): number =>
  Math.max(...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => statSync(join(folder, path)).mtimeMs));

const stale = (): boolean => {
  if (!existsSync(output)) return true;
  const sources = Math.max(
    newest(join(root, 'src')),
    newest(join(root, 'profiles')),
    statSync(join(root, 'package-lock.json')).mtimeMs,
    statSync(import.meta.filename).mtimeMs,
    newest(join(root, 'hack/bundle')),
  );
  return statSync(output).mtimeMs < sources;
};

if (!process.argv.includes('--if-stale') || stale()) {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  const bundle = await bundleOfSources();
  const packages = bundledPackages(await bundle.write({ dir: join(root, 'dist'), ...outputOptions }));
  await bundle.close();
  writeFileSync(join(root, 'dist/THIRD_PARTY_NOTICES'), notices(packages));
  writeFileSync(join(root, 'dist/sbom.cdx.json'), `${JSON.stringify(billOfMaterials(packages), null, 1)}\n`);
  chmodSync(output, 0o755);
  for (const folder of ['cli/demo', 'api/openapi']) {
    cpSync(join(root, 'src', folder), join(root, 'dist', basename(folder)), { recursive: true });
  }
}
