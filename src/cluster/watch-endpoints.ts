import { type EndpointSliceObject, type ServicePods, servicePods } from './endpoint-slices.ts';
import type { Kubernetes } from './kubernetes-connection.ts';
import { type ModelEndpoints, modelEndpoints } from './model-endpoints.ts';
import { type DeploymentPod, deploymentPod, type PodObject } from './pods.ts';
import { allOf, defaultTiming, type ReflectorTiming, reflector } from './reflector.ts';
import { type DeploymentObject, type ModelDeployment, modelDeployment } from './variant.ts';

/** Where the pods of each model are, kept up to date by watches. */
export interface WatchedEndpoints {
  /** What is known now. Nothing is called unreachable before everything has been read. */
  endpoints(): ModelEndpoints;
  /** What has not been read yet; empty = everything has. */
  unsynced(): readonly string[];
  problems(): readonly string[];
  stop(): void;
}

export const watchEndpoints = (kubernetes: Kubernetes, timing: ReflectorTiming = defaultTiming): WatchedEndpoints => {
  const givenIn = 'ClusterRole gpumix-gateway in manifests/';
  const deployments = reflector<DeploymentObject, ModelDeployment>(
    kubernetes,
    { path: '/apis/apps/v1/deployments', keep: modelDeployment, givenIn },
    timing,
  );
  const pods = reflector<PodObject, DeploymentPod>(kubernetes, { path: '/api/v1/pods', keep: deploymentPod, givenIn }, timing);
  const slices = reflector<EndpointSliceObject, ServicePods>(
    kubernetes,
    { path: '/apis/discovery.k8s.io/v1/endpointslices', keep: servicePods, givenIn },
    timing,
  );
  const all = allOf({ Deployments: deployments, Pods: pods, EndpointSlices: slices });
  return {
    ...all,
    endpoints: () => {
      const found = modelEndpoints(deployments.items, pods.items, slices.items.values());
      return all.unsynced().length === 0 ? found : { ...found, unreachable: new Map() };
    },
  };
};
