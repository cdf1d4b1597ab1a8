import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Files that come with gpumix. They lie at the same place seen from src/ and from dist/, but for what the bundle carries along. */
export const shippedProfiles = join(import.meta.dirname, '../profiles');

const trace = 'demo/azure-conversation-10min.csv';
export const demoTrace =
  [trace, `cli/${trace}`].map((path) => join(import.meta.dirname, path)).find(existsSync) ?? trace;
