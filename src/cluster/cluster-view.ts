import { type AutoscalerBounds, type Bounds, rememberVanished } from './bounds.ts';
import { claimedDevices, type DeviceClaim } from './claims.ts';
import { selectedPods, unchangedSince } from './gateway-pods.ts';
import type { Pace } from './pace.ts';
import type { DeploymentPod } from './pods.ts';
import type { DeviceSlice, GpuNode, GpuQuota, StockLimits, Supply } from './stock.ts';
import type { ModelDeployment } from './variant.ts';

/** What is kept of a cluster's objects, kind by kind, each by `namespace/name`. */
export interface ClusterObjects {
  /** Those that carry a model. */
  readonly deployments: ReadonlyMap<string, ModelDeployment>;
  /** Those of Deployments, and those that hold GPUs. */
  readonly pods: ReadonlyMap<string, DeploymentPod>;
  readonly horizontalPodAutoscalers: ReadonlyMap<string, AutoscalerBounds>;
  readonly podAutoscalers: ReadonlyMap<string, AutoscalerBounds>;
  readonly scaledObjects: ReadonlyMap<string, AutoscalerBounds>;
  readonly nodes: ReadonlyMap<string, GpuNode>;
  readonly quotas: ReadonlyMap<string, GpuQuota>;
  readonly slices: ReadonlyMap<string, DeviceSlice>;
  readonly claims: ReadonlyMap<string, DeviceClaim>;
  /** The ConfigMap of GPU limits, if it is there. */
  readonly stockConfigs: ReadonlyMap<string, StockConfig>;
}

/** What the ConfigMap said when it could last be read, and what is wrong with it now. */
export interface StockConfig {
  readonly limits: StockLimits | null;
  readonly problem: string | null;
}

/** How the watches of the objects are doing, one line each. */
export interface WatchState {
  /** What has not been read yet; empty = everything has. */
  unsynced(): readonly string[];
  /** What cannot be read now. */
  problems(): readonly string[];
}

/** The cluster as gpumix sees it. Reading it asks nobody. */
export interface ClusterView extends WatchState {
  readonly deployments: ReadonlyMap<string, ModelDeployment>;
  readonly pods: ReadonlyMap<string, DeploymentPod>;
  /** Bounds that autoscalers set to a Deployment now, or set within the last five minutes. */
  bounds(now: number): ReadonlyMap<string, Bounds>;
  /** How the autoscaler of a Deployment goes about changes. */
  paces(): ReadonlyMap<string, Pace>;
  /** Since when the gateway's pods have all been Ready and the same (Unix s); null = they are not, or there are none. */
  gatewayUnchangedSince(now: number): number | null;
  /** Pods of the gateway, in any phase. */
  gatewayReplicas(): number;
  /** What it shows of its GPUs. What may not be read, or is not served, is left out. */
  supply(): Supply;
  /** What of Deployments is read as something near it, one line each. */
  notes(): readonly string[];
}

/**
 * What follows from the objects; the maps are looked into anew each time.
 * @param gatewaySelector the gateway's pods: name of their Deployment, or labels `key=value,key=value`
 */
export const viewOf = (objects: ClusterObjects, watches: WatchState, gatewaySelector: string): ClusterView => {
  const { deployments, pods, stockConfigs } = objects;
  const autoscalers = autoscalersIn(objects);
  const gatewayPods = selectedPods(pods, gatewaySelector);
  return {
    deployments,
    pods,
    bounds: rememberVanished(autoscalers),
    paces: () => new Map(autoscalers.flatMap((items) => [...items.values()].map(({ deployment, pace }) => [deployment, pace]))),
    gatewayUnchangedSince: unchangedSince(gatewayPods),
    gatewayReplicas: () => gatewayPods().length,
    supply: () => supplyOf(objects),
    unsynced: watches.unsynced,
    notes: () => [...deployments.values()].flatMap(({ note }) => note ?? []),
    problems: () => [
      ...watches.problems(),
      ...[...deployments.values()].flatMap(({ problem }) => problem ?? []),
      ...[...stockConfigs.values()].flatMap(({ problem }) => problem ?? []),
    ],
  };
};

/** All that may set bounds to a Deployment. */
export const autoscalersIn = ({ horizontalPodAutoscalers, podAutoscalers, scaledObjects }: ClusterObjects) => [
  horizontalPodAutoscalers,
  podAutoscalers,
  scaledObjects,
];

const supplyOf = ({ pods, nodes, quotas, slices, claims, stockConfigs }: ClusterObjects): Supply => {
  const deviceSlices = [...slices.values()];
  return {
    nodes,
    slices: deviceSlices,
    holders: [
      ...[...pods.values()].filter(({ gpus }) => gpus > 0),
      ...claimedDevices([...claims.values()], deviceSlices, (pod) => pods.get(pod)?.deployment ?? ''),
    ],
    quotas: [...quotas.values()],
    limits: [...stockConfigs.values()].at(0)?.limits ?? null,
  };
};
