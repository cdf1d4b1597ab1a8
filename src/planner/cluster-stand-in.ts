import type { DeploymentPod } from '../cluster/pods.ts';
import type { ModelDeployment } from '../cluster/variant.ts';
import type { ClusterSeen } from './read.ts';

/** A cluster that is made of Deployments and their pods and nothing else: no autoscaler's bounds, one gateway, all read. */
export const standInCluster = (
  deployments: ReadonlyMap<string, ModelDeployment>,
  pods: ReadonlyMap<string, DeploymentPod>,
): ClusterSeen => ({
  deployments,
  pods,
  bounds: () => new Map(),
  gatewayUnchangedSince: () => null,
  gatewayReplicas: () => 1,
  unsynced: () => [],
  problems: () => [],
});
