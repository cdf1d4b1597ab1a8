import { type EndpointSliceObject, modelEndpoints, type ServicePods, servicePods } from './endpoint-slices.ts';
import type { Kubernetes } from './kubernetes.ts';
import { type DeploymentPod, deploymentPod, type PodObject } from './pods.ts';
import { defaultTiming, type KubernetesObject, type Reflector, type ReflectorTiming, reflector } from './reflector.ts';
import { type DeploymentObject, type ModelDeployment, modelDeployment } from './variant.ts';

/** Where the pods of each model are, kept up to date by watches. */
export interface WatchedEndpoints {
  /** Origins by `namespace/deployment`, by model and alias. */
  endpoints(): ReturnType<typeof modelEndpoints>;
  /** What has not been read yet; empty = everything has. */
  unsynced(): readonly string[];
  problems(): readonly string[];
  stop(): void;
}

export const watchEndpoints = (kubernetes: Kubernetes, timing: ReflectorTiming = defaultTiming): WatchedEndpoints => {
  const givenIn = 'ClusterRole gpumix-gateway in manifests/';
  const deployments = reflector<DeploymentObject & KubernetesObject, ModelDeployment>(
    kubernetes,
    { path: '/apis/apps/v1/deployments', keep: modelDeployment, givenIn },
    timing,
  );
  const pods = reflector<PodObject & KubernetesObject, DeploymentPod>(
    kubernetes,
    { path: '/api/v1/pods', keep: deploymentPod, givenIn },
    timing,
  );
  const slices = reflector<EndpointSliceObject & KubernetesObject, ServicePods>(
    kubernetes,
    { path: '/apis/discovery.k8s.io/v1/endpointslices', keep: servicePods, givenIn },
    timing,
  );
  const all = { Deployments: deployments, Pods: pods, EndpointSlices: slices };
  const reflectors = Object.entries(all) as [string, Reflector<unknown>][];
  return {
    endpoints: () => modelEndpoints(deployments.items, pods.items, slices.items.values()),
    unsynced: () =>
      reflectors.flatMap(([name, one]) => (one.synced() ? [] : [one.problem() ?? `${name} have not been read yet`])),
    problems: () => reflectors.flatMap(([, one]) => one.problem() ?? []),
    stop: () => {
      for (const [, one] of reflectors) one.stop();
    },
  };
};
