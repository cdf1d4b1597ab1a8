import { existsSync } from 'node:fs';
import { join } from 'node:path';

const bundled = existsSync(join(import.meta.dirname, 'gpumix.js'));
/** Where a file lies that comes with gpumix: seen from the bundle in dist/, or from this source. */
const shipped = (fromBundle: string, fromSource: string): string => join(import.meta.dirname, bundled ? fromBundle : fromSource);

export const shippedProfiles = shipped('../profiles', '../../profiles');
export const shippedOpenapi = shipped('openapi', '../api/openapi');
export const demoTrace = shipped('demo/azure-conversation-10min.csv', '../cli/demo/azure-conversation-10min.csv');
