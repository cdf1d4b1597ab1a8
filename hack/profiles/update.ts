/**
 * Writes profiles/: throughput within limits of models on GPU types, measured, simulated or derived, and the README that says how
 * far they can be trusted.
 *
 *   node hack/profiles/update.ts           write them
 *   node hack/profiles/update.ts --check   fail where one differs
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { shipped } from './documents.ts';
import { readmeOf } from './readme.ts';
import { replicas } from './replicas.ts';

const folder = join(import.meta.dirname, '../../profiles');
const check = process.argv.includes('--check');
const all = replicas.map(shipped);
const texts = [
  ...all.map(({ path, document }) => ({
    path,
    text: `${JSON.stringify(document).replaceAll('],[', '],\n  [').replaceAll(',"', ',\n "')}\n`,
  })),
  { path: 'README.md', text: readmeOf(all) },
];
for (const { path, text } of texts) {
  const file = join(folder, path);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
  if (check) {
    console.error(`profiles/${path} differs: run npm run update`);
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    console.log(`profiles/${path}`);
  }
}
