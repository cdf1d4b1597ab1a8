import type { DeploymentPod } from '../../src/cluster/pods.ts';

/** A Ready pod of Deployment `d` in namespace `ns`. */
export const deploymentPod = (name: string, more: Partial<DeploymentPod> = {}): DeploymentPod => ({
  namespace: 'ns',
  name,
  deployment: 'd',
  labels: {},
  ready: true,
  ip: null,
  incarnation: name,
  gpus: 0,
  node: null,
  createdAt: 0,
  readinessAt: null,
  placedAt: null,
  unschedulable: false,
  ended: false,
  terminating: false,
  ...more,
});
