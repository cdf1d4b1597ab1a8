import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Files that come with gpumix lie beside the bundle; in a clone they lie where they are kept. */
const shipped = (besideBundle: string, inClone: string): string =>
  [besideBundle, inClone].map((path) => join(import.meta.dirname, path)).find(existsSync) ??
  join(import.meta.dirname, inClone);

export const shippedProfiles = shipped('profiles', '../profiles');
export const demoTrace = shipped('demo/azure-conversation-10min.csv', 'cli/demo/azure-conversation-10min.csv');
