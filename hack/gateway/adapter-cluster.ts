import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { autoscaler } from '../../test/e2e/autoscaler.ts';
import { gpuNode, startControlPlane } from '../cluster/control-plane.ts';
import { freePorts } from '../free-ports.ts';
import { startAdapter } from './processes.ts';

export interface VariantInCluster {
  readonly name: string;
  readonly gpu: string;
  readonly price: number;
  /** Of its HPA; absent = more than any plan wants. */
  readonly maxReplicas?: number;
  /** To begin with; absent = 1. */
  readonly replicas?: number;
}

/**
 * A real control plane with one Deployment per variant and its HPA, and `gpumix serve` beside it, as the aggregator's
 * backend. Pods are fake (kwok): they are Ready, and serve nothing.
 */
export const startAdapterCluster = async (
  model: string,
  namespace: string,
  variants: readonly VariantInCluster[],
  redisUrl: string,
  profiles: string,
  ...flags: readonly string[]
) => {
  const controlPlane = await startControlPlane();
  const { kubectl } = controlPlane;
  const apply = (...objects: readonly object[]) =>
    kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  const [port] = (await freePorts(1)) as [number];
  await kubectl(['apply', '--server-side', '-k', join(import.meta.dirname, '../../manifests')]);
  await kubectl(['delete', 'deployment,service', 'gpumix', '-n', 'gpumix-system']);
  await apply(
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'gpumix', namespace: 'gpumix-system' },
      spec: { type: 'ExternalName', externalName: 'localhost', ports: [{ port, name: 'https' }] },
    },
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...variants.map(({ gpu }) => gpuNode(`node-${gpu.toLowerCase()}`, gpu, 64)),
  );
  for (const version of ['v1beta1', 'v1beta2'])
    await kubectl([
      ...['patch', 'apiservice', `${version}.custom.metrics.k8s.io`, '--type=merge'],
      ...['-p', JSON.stringify({ spec: { service: { port } } })],
    ]);
  await apply(
    ...variants.flatMap((one) => [deployment(namespace, model, one), autoscaler(namespace, one.name, one.maxReplicas)]),
  );
  const adapter = await startAdapter(
    `--kubeconfig=${controlPlane.kubeconfig}`,
    `--redis-url=${redisUrl}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    '--service-namespace=gpumix-system',
    `--profiles=${profiles}`,
    '--routing-plans',
    '--engine-metrics-port=',
    ...flags,
  );
  /** Ready replicas by `namespace/deployment`. */
  const ready = async (): Promise<Readonly<Record<string, number>>> => {
    const { items } = JSON.parse(await kubectl(['get', 'deployments', '-n', namespace, '-o', 'json'])) as {
      items: readonly { metadata: { name: string }; status: { readyReplicas?: number } }[];
    };
    return Object.fromEntries(items.map(({ metadata, status }) => [`${namespace}/${metadata.name}`, status.readyReplicas ?? 0]));
  };
  return {
    adapter,
    ready,
    /** Calls with what is Ready, twice a second, one call after the other, until it is stopped. */
    follow: (onReady: (counts: Readonly<Record<string, number>>) => Promise<void>): (() => Promise<void>) => {
      let stopped = false;
      const following = (async () => {
        while (!stopped) {
          await onReady(await ready());
          await sleep(500);
        }
      })();
      return async () => {
        stopped = true;
        await following;
      };
    },
    stop: async () => {
      await adapter.stop();
      await controlPlane.stop();
    },
  };
};

const deployment = (namespace: string, model: string, { name, gpu, price, replicas = 1 }: VariantInCluster) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name,
    namespace,
    labels: { 'model.aibrix.ai/name': model },
    annotations: { 'gpumix.io/gpu': gpu, 'gpumix.io/price': String(price) },
  },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        nodeSelector: { 'nvidia.com/gpu.product': gpu },
        tolerations: [{ operator: 'Exists' }],
        containers: [{ name: 'engine', image: 'engine:none', resources: { limits: { 'nvidia.com/gpu': '1' } } }],
      },
    },
  },
});
