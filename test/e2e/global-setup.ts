import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { builtBinaries, type ControlPlane, startControlPlane } from '../../hack/cluster/control-plane.ts';
import { build } from './gpumix-process.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The cluster that tests run on. Whatever is restarted through `control` is back before the answer. */
    clusters: readonly {
      readonly kubeconfig: string;
      readonly kubectl: string;
      /** Whether it is the control plane of hack/cluster: it reaches this host as localhost, and its pods are fake. */
      readonly ours: boolean;
      /** Where `POST /restart-api-server` does that; null where the cluster is not ours to restart. */
      readonly control: string | null;
    }[];
  }
}

const named = process.env['KUBECONFIG'] ?? '';

/** How many files run side by side: one installation of gpumix serves the metrics of a whole cluster. */
export const controlPlanes = named === '' ? 2 : 1;

/** Starts a control plane for each worker, or takes the cluster that KUBECONFIG names, and says which. */
export default async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  build();
  const kubectl = join(await builtBinaries(), 'kubectl');
  if (named !== '') {
    const version = execFileSync(kubectl, ['version'], { encoding: 'utf8' }).match(/Server Version: (.*)/)?.[1];
    const ours = named.includes('gpumix-cluster-');
    console.log(`cluster: the one of KUBECONFIG=${named}, Kubernetes ${version}`);
    provide('clusters', [{ kubeconfig: named, kubectl, ours, control: null }]);
    return async () => {};
  }
  const started = await Promise.all(Array.from({ length: controlPlanes }, () => startControlPlane()));
  const controls = await Promise.all(started.map(startControl));
  for (const { server } of started) console.log(`cluster: own control plane, ${server}, etcd and kwok; no containers`);
  provide(
    'clusters',
    started.map(({ kubeconfig }, index) => ({ kubeconfig, kubectl, ours: true, control: controls[index]!.url })),
  );
  return async () => {
    for (const control of controls) control.stop();
    await Promise.all(started.map(({ stop }) => stop()));
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
