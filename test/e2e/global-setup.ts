import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { builtBinaries, type ControlPlane, startControlPlane } from '../../hack/cluster/control-plane.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The cluster that tests run on. Whatever is restarted through `control` is back before the answer. */
    cluster: {
      readonly kubeconfig: string;
      readonly kubectl: string;
      /** Whether it is the control plane of hack/cluster: it reaches this host as localhost, and its pods are fake. */
      readonly ours: boolean;
      /** Where `POST /restart-api-server` does that; null where the cluster is not ours to restart. */
      readonly control: string | null;
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
    provide('cluster', { kubeconfig: named, kubectl, ours, control: null });
    return async () => {};
  }
  const controlPlane = await startControlPlane();
  console.log(`cluster: own control plane, ${controlPlane.server}, etcd and kwok; no containers`);
  const control = await startControl(controlPlane);
  provide('cluster', { kubeconfig: controlPlane.kubeconfig, kubectl, ours: true, control: control.url });
  return async () => {
    control.stop();
    await controlPlane.stop();
  };
};

/** Test files run in processes of their own; through this they reach the control plane that this one started. */
const startControl = async (controlPlane: ControlPlane): Promise<{ readonly url: string; readonly stop: () => void }> => {
  const server = createServer(async (_request, response) => {
    await controlPlane.restartApiServer();
    response.end('restarted');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop: () => server.close() };
};
