import { resolve } from 'node:path';
import { apply, field, kubectl } from './cluster.ts';

const manifests = resolve(import.meta.dirname, '../../manifests');
const apiServices = ['v1beta1.custom.metrics.k8s.io', 'v1beta2.custom.metrics.k8s.io'];

/**
 * Applies manifests/ as users do, with the API server led to a process on this host in place of the Deployment's pods:
 * the Service becomes an ExternalName. Answers a token of gpumix's ServiceAccount.
 */
export const installOnHost = async (): Promise<{
  readonly token: string;
  readonly serve: (port: number) => Promise<void>;
}> => {
  await kubectl(['apply', '--server-side', '--field-manager=e2e', '--force-conflicts', '-k', manifests]);
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
    for (const name of apiServices) await kubectl(['patch', 'apiservice', name, '--type=merge', '-p', patch]);
  };
  return { token, serve };
};

/** Removes what installOnHost applied; `stop` ends the process once nobody is led to it any more. */
export const uninstall = async (stop: () => Promise<void>): Promise<void> => {
  await kubectl(['delete', 'apiservice', ...apiServices, '--ignore-not-found']);
  await stop();
  await kubectl(['delete', '-k', manifests, '--ignore-not-found']);
};

/** The authorities that the API server checks our certificate against, PEM. */
export const publishedBundle = async (): Promise<string> =>
  Buffer.from(await field('{.spec.caBundle}', 'apiservice', apiServices[1] ?? ''), 'base64').toString();
