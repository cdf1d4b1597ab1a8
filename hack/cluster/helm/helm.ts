import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Path of Helm, built where it is not in the cache; the build's progress goes to our standard error. */
export const builtHelm = (): string =>
  execFileSync(join(import.meta.dirname, 'build.sh'), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
