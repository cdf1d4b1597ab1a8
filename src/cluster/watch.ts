import { parse } from 'yaml';
import { messageOf } from '../vocabulary/errors.ts';
import {
  type AutoscalerBounds,
  type AutoscalerObject,
  type Bounds,
  boundsOfAutoscaler,
  boundsOfPodAutoscaler,
  boundsOfScaledObject,
  rememberVanished,
} from './bounds.ts';
import { type ClaimObject, claimedDevices, type DeviceClaim, deviceClaim } from './claims.ts';
import { selectedPods, unchangedSince } from './gateway-pods.ts';
import { gpuLabels } from './gpu-types.ts';
import type { Kubernetes } from './kubernetes-connection.ts';
import { type KubernetesObject, objectKey } from './kubernetes-object.ts';
import type { Pace } from './pace.ts';
import { type DeploymentPod, deploymentPod, type PodObject } from './pods.ts';
import { allOf, defaultTiming, type Reflector, type ReflectorTiming, type Resource, reflector } from './reflector.ts';
import {
  type DeviceSlice,
  deviceSlice,
  type GpuNode,
  type GpuQuota,
  gpuNode,
  gpuQuota,
  type NodeObject,
  type QuotaObject,
  type SliceObject,
  type StockLimits,
  type Supply,
  stockLimits,
} from './stock.ts';
import { type DeploymentObject, type ModelDeployment, modelDeployment } from './variant.ts';

/** The cluster as gpumix sees it: a view that watches keep up to date. Reading it asks nobody. */
export interface Cluster {
  /** Deployments that carry a model, by `namespace/name`. */
  readonly deployments: ReadonlyMap<string, ModelDeployment>;
  /** Pods of Deployments, by `namespace/name`. */
  readonly pods: ReadonlyMap<string, DeploymentPod>;
  /** Limits that autoscalers set to a Deployment now, or set within the last five minutes. */
  bounds(now: number): ReadonlyMap<string, Bounds>;
  /** The same by our own clock, for what is answered between two ticks: each remembers by one clock what vanished. */
  boundsNow(now: number): ReadonlyMap<string, Bounds>;
  /** How the autoscaler of a Deployment goes about changes. */
  paces(): ReadonlyMap<string, Pace>;
  /** Since when the gateway's pods have all been Ready and the same (Unix s); null = they are not, or there are none. */
  gatewayUnchangedSince(now: number): number | null;
  /** Pods of the gateway, in any phase. */
  gatewayReplicas(): number;
  /** What it shows of its GPUs. What may not be read, or is not served, is left out. */
  supply(): Supply;
  /** What has not been read yet; empty = everything has. */
  unsynced(): readonly string[];
  /** What of Deployments is read as something near it, one line each. */
  notes(): readonly string[];
  /** What is wrong now, one line each. */
  problems(): readonly string[];
  stop(): void;
}

/**
 * @param gatewaySelector the gateway's pods: name of their Deployment, or labels `key=value,key=value`
 * @param stockConfig the ConfigMap with limits to GPUs, `namespace/name`; it need not be there
 * @param ownGpuLabels labels that say which GPU a Node has, beside those that are known
 */
export const watchCluster = (
  kubernetes: Kubernetes,
  gatewaySelector: string,
  stockConfig: string,
  ownGpuLabels: readonly string[] = [],
  timing: ReflectorTiming = defaultTiming,
): Cluster => {
  const follow: Follow = (resource) => reflector(kubernetes, resource, timing);
  const labelKeys = gpuLabels(ownGpuLabels);
  const deployments = follow<DeploymentObject, ModelDeployment>({
    path: '/apis/apps/v1/deployments',
    keep: (object, previous) => modelDeployment(object, previous, labelKeys),
  });
  const pods = follow<PodObject, DeploymentPod>({ path: '/api/v1/pods', keep: deploymentPod });
  const autoscalers = followAutoscalers(follow);
  const limits = Object.values(autoscalers).map(({ items }) => items);
  const stock = followStock(follow, stockConfig, labelKeys);
  const inStock = new Set<Reflector<unknown>>(Object.values(stock));
  const all = allOf(
    { Deployments: deployments, Pods: pods, ...autoscalers, ...stock },
    // Without a view of its GPUs plans are made all the same, so what cannot be read there is not waited for.
    (one) => one.problem() === null || !inStock.has(one),
  );
  const gatewayPods = selectedPods(pods.items, gatewaySelector);
  return {
    deployments: deployments.items,
    pods: pods.items,
    bounds: rememberVanished(limits),
    boundsNow: rememberVanished(limits),
    paces: () => new Map(limits.flatMap((items) => [...items.values()].map(({ deployment, pace }) => [deployment, pace]))),
    gatewayUnchangedSince: unchangedSince(gatewayPods),
    gatewayReplicas: () => gatewayPods().length,
    supply: () => supplyOf(stock, pods.items),
    unsynced: all.unsynced,
    notes: () => [...deployments.items.values()].flatMap(({ note }) => note ?? []),
    problems: () => [
      ...all.problems(),
      ...[...deployments.items.values()].flatMap(({ problem }) => problem ?? []),
      ...[...stock.ConfigMap.items.values()].flatMap(({ problem }) => problem ?? []),
    ],
    stop: all.stop,
  };
};

type Follow = <Source extends KubernetesObject, Kept>(resource: Resource<Source, Kept>) => Reflector<Kept>;

/** Everything that may set limits to a Deployment. */
const followAutoscalers = (follow: Follow) => ({
  HorizontalPodAutoscalers: follow<AutoscalerObject, AutoscalerBounds>({
    path: '/apis/autoscaling/v2/horizontalpodautoscalers',
    keep: boundsOfAutoscaler,
  }),
  PodAutoscalers: follow<AutoscalerObject, AutoscalerBounds>({
    path: '/apis/autoscaling.aibrix.ai/v1alpha1/podautoscalers',
    keep: boundsOfPodAutoscaler,
    optional: true,
  }),
  ScaledObjects: follow<AutoscalerObject, AutoscalerBounds>({
    path: '/apis/keda.sh/v1alpha1/scaledobjects',
    keep: boundsOfScaledObject,
    optional: true,
  }),
});

/** Everything that says how many GPUs there are. */
const followStock = (follow: Follow, stockConfig: string, labelKeys: readonly string[]) => {
  const [configNamespace = '', configName = ''] = stockConfig.split('/');
  return {
    Nodes: follow<NodeObject, GpuNode>({ path: '/api/v1/nodes', keep: (object) => gpuNode(object, labelKeys) }),
    ResourceQuotas: follow<QuotaObject, GpuQuota>({ path: '/api/v1/resourcequotas', keep: gpuQuota }),
    ResourceSlices: follow<SliceObject, DeviceSlice>({
      path: '/apis/resource.k8s.io/v1/resourceslices',
      keep: deviceSlice,
      optional: true,
    }),
    ResourceClaims: follow<ClaimObject, DeviceClaim>({
      path: '/apis/resource.k8s.io/v1/resourceclaims',
      keep: deviceClaim,
      optional: true,
    }),
    ConfigMap: follow<ConfigMapObject, StockConfig>({
      path: `/api/v1/namespaces/${configNamespace}/configmaps`,
      name: configName,
      keep: stockConfigOf,
      givenIn: 'Role gpumix in manifests/',
    }),
  };
};

const supplyOf = (stock: ReturnType<typeof followStock>, pods: ReadonlyMap<string, DeploymentPod>): Supply => {
  const slices = [...stock.ResourceSlices.items.values()];
  const claims = [...stock.ResourceClaims.items.values()];
  return {
    nodes: stock.Nodes.items,
    slices,
    holders: [
      ...[...pods.values()].filter(({ gpus }) => gpus > 0),
      ...claimedDevices(claims, slices, (pod) => pods.get(pod)?.deployment ?? ''),
    ],
    quotas: [...stock.ResourceQuotas.items.values()],
    limits: [...stock.ConfigMap.items.values()].at(0)?.limits ?? null,
  };
};

interface ConfigMapObject extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** What the ConfigMap said when it could last be read, and what is wrong with it now. */
interface StockConfig {
  readonly limits: StockLimits | null;
  readonly problem: string | null;
}

/** The key of the ConfigMap that is read. */
const stockKey = 'stock.yaml';

const stockConfigOf = ({ metadata, data }: ConfigMapObject, previous: StockConfig | undefined): StockConfig => {
  const broken = (what: string): StockConfig => ({
    limits: previous?.limits ?? null,
    problem: `ConfigMap ${objectKey(metadata)}: ${stockKey}: ${what}`,
  });
  const text = data?.[stockKey];
  if (text === undefined) return broken('is missing');
  try {
    const limits = stockLimits(parse(text));
    return typeof limits === 'string' ? broken(limits) : { limits, problem: null };
  } catch (error) {
    return broken(messageOf(error).split('\n')[0]!);
  }
};
