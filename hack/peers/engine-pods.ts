import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../free-ports.ts';
import { type Started, startEngine } from '../gateway/processes.ts';
import type { Stack } from './stack.ts';

/** kwok leaves pods with this annotation alone: here they become Ready once their engine listens. */
export const statusByHand = { 'gpumix.io/status-by-hand': 'yes' };

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly deletionTimestamp?: string;
    readonly labels: Record<string, string>;
  };
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly podIP?: string };
}

/** One engine model per pod, at an address of its own on loopback. */
export interface EnginePods {
  /** The port of all engines. */
  readonly port: number;
  /** Origins of the engines of Ready pods by Deployment (label `app`). */
  readonly origins: () => ReadonlyMap<string, readonly string[]>;
  readonly stop: () => Promise<void>;
}

/** How long an engine goes on after its pod is gone (s): requests that it works on are finished. */
const grace = 60;
let lastAddress = 0;

/**
 * Follows the pods of a namespace.
 * @param gpuOf GPU type of a Deployment's engines, by the pods' label `app`
 * @param changed called after pods came or went
 */
export const startEnginePods = async (
  stack: Stack,
  namespace: string,
  gpuOf: (deployment: string) => string,
  changed: () => void,
): Promise<EnginePods> => {
  const [port = 0] = await freePorts(1);
  const engines = new Map<string, { readonly deployment: string; readonly started: Started; readonly address: string }>();
  const leaving = new Set<Started>();
  let stopped = false;

  const bringUp = async ({ metadata: { name, labels } }: Pod): Promise<void> => {
    const [deployment, model] = [labels['app'] ?? '', labels['model.aibrix.ai/name'] ?? ''];
    lastAddress += 1;
    const address = `127.77.${Math.floor(lastAddress / 200)}.${1 + (lastAddress % 200)}`;
    const flags = ['--gpu', gpuOf(deployment), '--model', model, '--host', address, '--port', String(port)];
    engines.set(name, { deployment, address, started: await startEngine(...flags) });
    const patch = JSON.stringify({ status: readyStatus(address) });
    await stack.controlPlane.kubectl([
      'patch',
      'pod',
      name,
      '-n',
      namespace,
      '--subresource=status',
      '--type=merge',
      '-p',
      patch,
    ]);
  };
  const takeDown = (name: string): void => {
    const started = engines.get(name)?.started;
    engines.delete(name);
    if (started === undefined) return;
    leaving.add(started);
    void sleep(1000 * grace, undefined, { ref: false }).then(async () => {
      if (leaving.delete(started)) await started.stop();
    });
  };
  const look = async (): Promise<void> => {
    const { items } = await stack.get<{ readonly items: readonly Pod[] }>(`/api/v1/namespaces/${namespace}/pods`);
    const present = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const fresh = present.filter(({ metadata, spec }) => spec.nodeName !== undefined && !engines.has(metadata.name));
    const gone = [...engines.keys()].filter((name) => !present.some(({ metadata }) => metadata.name === name));
    for (const name of gone) takeDown(name);
    await Promise.all(fresh.map(bringUp));
    if (fresh.length + gone.length > 0) changed();
  };
  const looking = (async () => {
    while (!stopped) {
      await look().catch((error: unknown) => {
        if (!stopped) console.error(`engines: ${error}`);
      });
      await sleep(250);
    }
  })();
  return {
    port,
    origins: () => {
      const origins = new Map<string, string[]>();
      for (const { deployment, address } of engines.values())
        origins.set(deployment, [...(origins.get(deployment) ?? []), `http://${address}:${port}`]);
      return origins;
    },
    stop: async () => {
      stopped = true;
      await looking;
      for (const { started } of engines.values()) await started.kill();
      for (const started of leaving) await started.kill();
    },
  };
};

const readyStatus = (address: string) => {
  const now = new Date().toISOString();
  const conditions = ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
    type,
    status: 'True',
    lastTransitionTime: now,
  }));
  return {
    phase: 'Running',
    startTime: now,
    podIP: address,
    podIPs: [{ ip: address }],
    conditions,
    containerStatuses: [
      {
        name: 'engine',
        image: 'engine:none',
        imageID: '',
        ready: true,
        restartCount: 0,
        state: { running: { startedAt: now } },
      },
    ],
  };
};
