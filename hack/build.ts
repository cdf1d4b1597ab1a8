/**
 * Bundles src/ into dist/gpumix.js with what it needs at run time beside it. A bundle leaves out what is never called:
 * the generated Kubernetes clients alone would cost 50 MiB of memory.
 *
 *   node hack/build.ts              build
 *   node hack/build.ts --if-stale   build unless dist/ is newer than every source
 */
import { chmodSync, cpSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Plugin, rolldown } from 'rolldown';

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
  );
  return statSync(output).mtimeMs < sources;
};

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

if (!process.argv.includes('--if-stale') || stale()) {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  const bundle = await rolldown({
    input: { gpumix: join(root, 'src/cli/entry.ts'), 'main-planner': join(root, 'src/main-planner.ts') },
    platform: 'node',
    plugins: [withoutUnusedHttpClient],
    treeshake: { moduleSideEffects: (id) => !id.includes('@kubernetes/client-node') },
    onLog: (level, log, handler) => {
      // Third-party packages warn about themselves; what concerns us is an error.
      if (level !== 'warn' || !String(log.id ?? log.loc?.file ?? log.message).includes('node_modules')) handler(level, log);
    },
  });
  await bundle.write({
    dir: join(root, 'dist'),
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    minify: true,
  });
  await bundle.close();
  chmodSync(output, 0o755);
  for (const folder of ['cli/demo', 'api/openapi']) {
    cpSync(join(root, 'src', folder), join(root, 'dist', basename(folder)), { recursive: true });
  }
}
