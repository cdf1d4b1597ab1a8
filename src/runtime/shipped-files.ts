import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The project's folder, seen from the bundle in dist/ or from this source. */
const root = ['..', '../..']
  .map((path) => join(import.meta.dirname, path))
  .find((folder) => existsSync(join(folder, 'package.json')))!;

/** Files that come with gpumix. */
export const shippedProfiles = join(root, 'profiles');
const trace = 'demo/azure-conversation-10min.csv';
export const demoTrace = ['dist', 'src/cli'].map((path) => join(root, path, trace)).find(existsSync) ?? trace;
