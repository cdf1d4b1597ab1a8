import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { startDaemon } from '../../cluster/processes.ts';
import type { Stack } from '../stack.ts';
import type { Binaries } from './binaries.ts';

const account = { namespace: 'aibrix-system', name: 'aibrix-controller-manager' };
/** What of AIBrix's own manifests its controller needs to run outside the cluster. */
const kinds = new Set(['Namespace', 'ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding']);

/** Applies AIBrix's CRDs and rights, and the right to read gpumix's metrics that manifests/samples/aibrix has. */
export const installAibrix = async ({ controlPlane: { kubectl }, apply }: Stack, { module }: Binaries): Promise<void> => {
  await kubectl(['apply', '--server-side', '--force-conflicts', '-k', join(module, 'config/crd')]);
  const rendered = await kubectl(['kustomize', join(module, 'config/default')]);
  const objects = parseAllDocuments(rendered).map((document) => document.toJS());
  const wanted = objects.filter((object) => kinds.has(object?.kind));
  await apply(...wanted.filter(({ kind }) => kind === 'Namespace'));
  await apply(...wanted.filter(({ kind }) => kind !== 'Namespace'));
  const rights = join(import.meta.dirname, '../../../manifests/samples/aibrix/custom/rbac.yaml');
  await kubectl(['apply', '--server-side', '-f', rights]);
};

/** AIBrix's PodAutoscaler controller, with the rights of its ServiceAccount. */
export const startController = async (stack: Stack, { controllers }: Binaries) => {
  const kubeconfig = await stack.kubeconfigOf(account.namespace, account.name);
  return stack.keep(
    startDaemon(stack.folder, 'aibrix-controllers', controllers, [
      `-kubeconfig=${kubeconfig}`,
      '-controllers=pod-autoscaler-controller',
      '-disable-webhook',
      '-metrics-bind-address=127.0.0.1:0',
      '-health-probe-bind-address=127.0.0.1:0',
      '-v=1',
    ]),
  );
};

/** A PodAutoscaler of strategy KPA on the pods' metric gpumix_target_centi. */
export const podAutoscaler = (namespace: string, name: string, annotations: Readonly<Record<string, string>>): object => ({
  apiVersion: 'autoscaling.aibrix.ai/v1alpha1',
  kind: 'PodAutoscaler',
  metadata: {
    name,
    namespace,
    annotations: Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`autoscaling.aibrix.ai/${key}`, value])),
  },
  spec: {
    scalingStrategy: 'KPA',
    minReplicas: 1,
    maxReplicas: 40,
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
    metricsSources: [{ metricSourceType: 'custom', targetMetric: 'gpumix_target_centi', targetValue: '100' }],
  },
});

/** The samples beside a release's own CRD: which of them a strict apply takes, and what it says of the others. */
export const samplesTaken = async ({ controlPlane: { kubectl }, apply }: Stack): Promise<string> => {
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'serving' } });
  const samples = ['hpa', 'external', 'custom'].map(async (name) => {
    const folder = join(import.meta.dirname, '../../../manifests/samples/aibrix', name);
    const flags = ['--server-side', '--validate=strict', '--dry-run=server', '--field-manager=peers', '-k', folder];
    return kubectl(['apply', ...flags]).then(
      () => `${name}: accepted`,
      (error: Error) =>
        `${name}: refused (${/\S+: field not declared in schema|[^\n]*Invalid value: [^\n]*/.exec(error.message)?.[0] ?? error.message})`,
    );
  });
  return (await Promise.all(samples)).join('; ');
};
