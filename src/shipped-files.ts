import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Files that come with gpumix. They lie at the same place seen from src/ and from dist/, but for what the bundle carries along. */
export const shippedProfiles = join(import.meta.dirname, '../profiles');

/** At one place seen from src/, at the other from dist/. */
const present = (...paths: readonly [string, string]): string =>
  paths.map((path) => join(import.meta.dirname, path)).find(existsSync) ?? paths[0];

const trace = 'demo/azure-conversation-10min.csv';
export const demoTrace = present(trace, `cli/${trace}`);
export const shippedOpenapi = present('openapi', 'api/openapi');
