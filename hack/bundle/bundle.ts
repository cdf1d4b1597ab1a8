import { join } from 'node:path';
import { type Plugin, type RolldownBuild, rolldown } from 'rolldown';

const root = join(import.meta.dirname, '../..');

/**
 * The Kubernetes client names undici for requests that we make ourselves (src/cluster/kubernetes-connection.ts): 6 MiB of
 * memory.
 */
const withoutUnusedHttpClient: Plugin = {
  name: 'without-unused-http-client',
  resolveId: (source, importer) =>
    source === 'undici' && importer?.includes('@kubernetes/client-node') ? '\0no-http-client' : null,
  load: (id) =>
    id === '\0no-http-client'
      ? ['Agent', 'ProxyAgent', 'fetch'].map((name) => `export const ${name} = undefined;`).join('\n')
      : null,
};

/** src/ with what it needs at run time; the caller writes or generates it, and closes it. */
export const bundleOfSources = (): Promise<RolldownBuild> =>
  rolldown({
    input: { gpumix: join(root, 'src/cli/entry.ts'), 'main-planner': join(root, 'src/main-planner.ts') },
    platform: 'node',
    plugins: [withoutUnusedHttpClient],
    treeshake: { moduleSideEffects: (id) => !id.includes('@kubernetes/client-node') },
    onLog: (level, log, handler) => {
      // Third-party packages warn about themselves; what concerns us is an error.
      if (level !== 'warn' || !String(log.id ?? log.loc?.file ?? log.message).includes('node_modules')) handler(level, log);
    },
  });

/** How it is written. */
export const outputOptions = {
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: '[name].js',
  minify: true,
} as const;
