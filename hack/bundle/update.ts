/**
 * Writes THIRD_PARTY_NOTICES of what the bundler puts into the bundle.
 *
 *   node hack/bundle/update.ts           write it
 *   node hack/bundle/update.ts --check   fail where it differs
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleOfSources, outputOptions } from './bundle.ts';
import { notices } from './notices.ts';
import { bundledPackages } from './packages.ts';

const file = join(import.meta.dirname, '../../THIRD_PARTY_NOTICES');
const bundle = await bundleOfSources();
const text = notices(bundledPackages(await bundle.generate(outputOptions)));
await bundle.close();
if (!process.argv.includes('--check')) writeFileSync(file, text);
else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
  console.error('THIRD_PARTY_NOTICES does not name what is in the bundle');
  process.exitCode = 1;
}
