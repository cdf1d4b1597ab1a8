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
import { type ClaimObject, type DeviceClaim, deviceClaim } from './claims.ts';
import { autoscalersIn, type ClusterObjects, type ClusterView, type StockConfig, viewOf } from './cluster-view.ts';
import { gpuLabels } from './gpu-types.ts';
import type { Kubernetes } from './kubernetes-connection.ts';
import { type KubernetesObject, objectKey } from './kubernetes-object.ts';
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
  stockLimits,
} from './stock.ts';
import { type DeploymentObject, type ModelDeployment, modelDeployment } from './variant.ts';

/** A view of the cluster that watches keep up to date. */
export interface Cluster extends ClusterView {
  readonly objects: ClusterObjects;
  /** Limits by our own clock, for what is answered between two ticks: each remembers by one clock what vanished. */
  boundsNow(now: number): ReadonlyMap<string, Bounds>;
  stop(): void;
}

/** What is looked for in a cluster. */
export interface WatchSettings {
  /** The gateway's pods: name of their Deployment, or labels `key=value,key=value`. */
  readonly gatewaySelector: string;
  /** The ConfigMap with limits to GPUs, `namespace/name`; it need not be there. */
  readonly stockConfig: string;
  /** Labels that say which GPU a Node has, beside those that are known. */
  readonly gpuLabels?: readonly string[];
  /** Whose Deployments are planned for; none = those of every namespace. */
  readonly namespaces?: readonly string[];
}

export const watchCluster = (
  kubernetes: Kubernetes,
  { gatewaySelector, stockConfig, gpuLabels: ownLabels = [], namespaces = [] }: WatchSettings,
  timing: ReflectorTiming = defaultTiming,
): Cluster => {
  const follow: Follow = (resource) => reflector(kubernetes, resource, timing);
  const labelKeys = gpuLabels(ownLabels);
  const isOurs = ({ metadata }: DeploymentObject) => namespaces.length === 0 || namespaces.includes(metadata.namespace ?? '');
  const Deployments = follow<DeploymentObject, ModelDeployment>({
    path: '/apis/apps/v1/deployments',
    keep: (object, previous) => (isOurs(object) ? modelDeployment(object, previous, labelKeys) : null),
  });
  const Pods = follow<PodObject, DeploymentPod>({ path: '/api/v1/pods', keep: deploymentPod });
  const autoscalers = followAutoscalers(follow);
  const stock = followStock(follow, stockConfig, labelKeys);
  const inStock = new Set<Reflector<unknown>>(Object.values(stock));
  const all = allOf(
    { Deployments, Pods, ...autoscalers, ...stock },
    // Without a view of its GPUs plans are made all the same, so what cannot be read there is not waited for.
    (kind) => kind.problem() === null || !inStock.has(kind),
  );
  const objects: ClusterObjects = {
    deployments: Deployments.items,
    pods: Pods.items,
    horizontalPodAutoscalers: autoscalers.HorizontalPodAutoscalers.items,
    podAutoscalers: autoscalers.PodAutoscalers.items,
    scaledObjects: autoscalers.ScaledObjects.items,
    nodes: stock.Nodes.items,
    quotas: stock.ResourceQuotas.items,
    slices: stock.ResourceSlices.items,
    claims: stock.ResourceClaims.items,
    stockConfigs: stock.ConfigMap.items,
  };
  return {
    ...viewOf(objects, all, gatewaySelector),
    objects,
    boundsNow: rememberVanished(autoscalersIn(objects)),
    stop: all.stop,
  };
};

type Follow = <Source extends KubernetesObject, Kept>(resource: Resource<Source, Kept>) => Reflector<Kept>;

/** Everything that may set bounds to a Deployment. */
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

interface ConfigMapObject extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
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
