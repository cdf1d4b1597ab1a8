import {
  type AutoscalerBounds,
  type AutoscalerObject,
  type Bounds,
  boundsOfAutoscaler,
  boundsOfScaledObject,
  rememberVanished,
} from './bounds.ts';
import { selectedPods, unchangedSince } from './gateway.ts';
import type { Kubernetes } from './kubernetes.ts';
import { type DeploymentPod, deploymentPod, type PodObject } from './pods.ts';
import {
  defaultTiming,
  type KubernetesObject,
  type Reflector,
  type ReflectorTiming,
  type Resource,
  reflector,
} from './reflector.ts';
import { type DeploymentObject, type ModelDeployment, modelDeployment } from './variant.ts';

/** The cluster as gpumix sees it: a view that watches keep up to date. Reading it asks nobody. */
export interface Cluster {
  /** Deployments that carry a model, by `namespace/name`. */
  readonly deployments: ReadonlyMap<string, ModelDeployment>;
  /** Pods of Deployments, by `namespace/name`. */
  readonly pods: ReadonlyMap<string, DeploymentPod>;
  /** Limits that autoscalers set to a Deployment now, or set within the last five minutes. */
  bounds(now: number): ReadonlyMap<string, Bounds>;
  /** Since when the gateway's pods have all been Ready and the same (Unix s); null = they are not, or there are none. */
  gatewayUnchangedSince(now: number): number | null;
  /** Pods of the gateway, in any phase. */
  gatewayReplicas(): number;
  /** What has not been read yet; empty = everything has. */
  unsynced(): readonly string[];
  /** What is wrong now, one line each. */
  problems(): readonly string[];
  stop(): void;
}

/**
 * @param gatewaySelector the gateway's pods: name of their Deployment, or labels `key=value,key=value`
 */
export const watchCluster = (
  kubernetes: Kubernetes,
  gatewaySelector: string,
  timing: ReflectorTiming = defaultTiming,
): Cluster => {
  const follow = <Source extends KubernetesObject, Kept>(resource: Resource<Source, Kept>): Reflector<Kept> =>
    reflector(kubernetes, resource, timing);
  const deployments = follow<DeploymentObject, ModelDeployment>({
    path: '/apis/apps/v1/deployments',
    keep: modelDeployment,
  });
  const pods = follow<PodObject, DeploymentPod>({ path: '/api/v1/pods', keep: deploymentPod });
  const autoscalers = [
    follow<AutoscalerObject, AutoscalerBounds>({
      path: '/apis/autoscaling/v2/horizontalpodautoscalers',
      keep: boundsOfAutoscaler,
    }),
    follow<AutoscalerObject, AutoscalerBounds>({
      path: '/apis/autoscaling.aibrix.ai/v1alpha1/podautoscalers',
      keep: boundsOfAutoscaler,
      optional: true,
    }),
    follow<AutoscalerObject, AutoscalerBounds>({
      path: '/apis/keda.sh/v1alpha1/scaledobjects',
      keep: boundsOfScaledObject,
      optional: true,
    }),
  ];
  const all = {
    Deployments: deployments,
    Pods: pods,
    HorizontalPodAutoscalers: autoscalers[0],
    PodAutoscalers: autoscalers[1],
    ScaledObjects: autoscalers[2],
  };
  const reflectors = Object.entries(all) as [string, Reflector<unknown>][];
  const boundsNow = rememberVanished(autoscalers.map(({ items }) => items));
  const gatewayPods = selectedPods(pods.items, gatewaySelector);
  return {
    deployments: deployments.items,
    pods: pods.items,
    bounds: boundsNow,
    gatewayUnchangedSince: unchangedSince(gatewayPods),
    gatewayReplicas: () => gatewayPods().length,
    unsynced: () =>
      reflectors.flatMap(([name, one]) => (one.synced() ? [] : [one.problem() ?? `${name} have not been read yet`])),
    problems: () => [
      ...reflectors.flatMap(([, one]) => one.problem() ?? []),
      ...[...deployments.items.values()].flatMap(({ problem }) => problem ?? []),
    ],
    stop: () => {
      for (const [, one] of reflectors) one.stop();
    },
  };
};
