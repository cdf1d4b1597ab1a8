import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { builtBinaries, startControlPlane } from '../../hack/cluster/control-plane.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The cluster that tests run on. Tests that stop or restart parts of one start a control plane of their own. */
    cluster: {
      readonly kubeconfig: string;
      readonly kubectl: string;
      /** Whether it is the control plane of hack/cluster: it reaches this host as localhost, and its pods are fake. */
      readonly ours: boolean;
    };
  }
}

/** Starts a control plane for all test files, or takes the cluster that KUBECONFIG names, and says which. */
export default async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const kubectl = join(await builtBinaries(), 'kubectl');
  const named = process.env['KUBECONFIG'];
  if (named !== undefined && named !== '') {
    const version = execFileSync(kubectl, ['version'], { encoding: 'utf8' }).match(/Server Version: (.*)/)?.[1];
    const ours = named.includes('gpumix-cluster-');
    console.log(`cluster: the one of KUBECONFIG=${named}, Kubernetes ${version}`);
    provide('cluster', { kubeconfig: named, kubectl, ours });
    return async () => {};
  }
  const controlPlane = await startControlPlane();
  console.log(`cluster: own control plane, ${controlPlane.server}, etcd and kwok; no containers`);
  provide('cluster', { kubeconfig: controlPlane.kubeconfig, kubectl, ours: true });
  return controlPlane.stop;
};
