import { resolve } from 'node:path';
import { kustomization } from '../../hack/kustomization.ts';
import { certificateFromSecret } from '../../src/api/certificate-secret.ts';
import type { Lifetimes } from '../../src/api/rotation.ts';
import { type RunningServer, type StartOptions, startServer } from '../../src/api/start.ts';
import type { Upstream } from '../../src/api/upstream-adapter.ts';
import { type Cluster, cluster, eventually } from './cluster.ts';

const manifests = resolve(import.meta.dirname, '../../manifests');
const externalMetrics = kustomization({ components: ['external-metrics'] });
export const apiServices = ['v1beta1.custom.metrics.k8s.io', 'v1beta2.custom.metrics.k8s.io'];
const externalApiServices = [...apiServices, 'v1beta1.external.metrics.k8s.io'];

/**
 * Applies manifests/ as users do, with the API server led to a process on this host in place of the Deployment's pods:
 * the Service becomes an ExternalName. Answers a token of gpumix's ServiceAccount.
 */
export const installOnHost = async ({ kubectl, apply, field }: Cluster = cluster, external = false) => {
  const ending = await field('{.metadata.deletionTimestamp}', 'namespace', 'gpumix-system', '--ignore-not-found');
  if (ending !== '') await kubectl(['wait', '--for=delete', 'namespace/gpumix-system', '--timeout=60s']);
  await kubectl([
    'apply',
    '--server-side',
    '--field-manager=e2e',
    '--force-conflicts',
    '-k',
    external ? externalMetrics : manifests,
  ]);
  await kubectl(['delete', 'deployment', 'gpumix', '-n', 'gpumix-system']);
  await kubectl(['delete', 'service', 'gpumix', '-n', 'gpumix-system']);
  const token = (await kubectl(['create', 'token', 'gpumix', '-n', 'gpumix-system', '--duration=2h'])).trim();
  const serve = async (port: number) => {
    await apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'gpumix', namespace: 'gpumix-system' },
      spec: { type: 'ExternalName', externalName: 'localhost', ports: [{ port, name: 'https' }] },
    });
    const patch = JSON.stringify({ spec: { service: { port } } });
    for (const name of external ? externalApiServices : apiServices)
      await kubectl(['patch', 'apiservice', name, '--type=merge', '-p', patch]);
  };
  return { token, serve };
};

/** The API server in this process, behind the aggregator, with the rights of manifests/ and its own certificate. */
export const serveOnHost = async (
  at: Cluster,
  options: Pick<StartOptions, 'board'> & {
    readonly lifetimes?: Lifetimes;
    readonly upstream?: (token: string) => Upstream;
    readonly external?: boolean;
  },
): Promise<RunningServer> => {
  const { external = false } = options;
  const names = external ? externalApiServices : apiServices;
  const installed = await installOnHost(at, external);
  const kubernetes = at.requestWithToken(installed.token);
  const log = { info: () => {}, warn: console.warn, error: console.error };
  const certificate = certificateFromSecret({
    kubernetes,
    namespace: 'gpumix-system',
    secret: 'gpumix-serving-certificate',
    service: 'gpumix',
    apiServices: names,
    leads: () => true,
    log,
    ...(options.lifetimes ? { lifetimes: options.lifetimes, pollMilliseconds: 1_000 } : {}),
  });
  const { board } = options;
  const common = { board, external, version: '0.0.0', log, host: '127.0.0.1', port: 0, readyChecks: [] };
  const upstream = options.upstream?.(installed.token);
  const server = await startServer({ ...common, kubernetes, certificate, upstream });
  await installed.serve(Number(new URL(server.url).port));
  await eventually('caBundle', () => publishedBundle(at), /BEGIN CERTIFICATE/, 30);
  for (const name of names) {
    const available = () => at.field('{.status.conditions[?(@.type=="Available")].reason}', 'apiservice', name);
    await eventually(name, available, 'Passed', 30);
  }
  return server;
};

/** Removes what installOnHost applied; `stop` ends the process once nobody is led to it any more. */
export const uninstall = async (stop: () => Promise<void>, { kubectl }: Cluster = cluster): Promise<void> => {
  await kubectl(['delete', 'apiservice', ...externalApiServices, '--ignore-not-found']);
  await stop();
  await kubectl(['delete', '-k', externalMetrics, '--ignore-not-found']);
};

/** The authorities that the API server checks our certificate against, PEM. */
export const publishedBundle = async ({ field }: Cluster = cluster): Promise<string> =>
  Buffer.from(await field('{.spec.caBundle}', 'apiservice', apiServices[1] ?? ''), 'base64').toString();
