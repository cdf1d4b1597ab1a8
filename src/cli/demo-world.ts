import { objectKey } from '../cluster/kubernetes-object.ts';
import type { DeploymentPod } from '../cluster/pods.ts';
import type { ModelDeployment } from '../cluster/variant.ts';
import { historySeconds, readConfig } from '../config/serve-config.ts';
import { standInCluster } from '../planner/cluster-stand-in.ts';
import { planOf } from '../planner/plan/plan-of-snapshot.ts';
import { type Board, createBoard } from '../planner/publish/board.ts';
import type { TickOutcome } from '../planner/report/tick-outcome.ts';
import { createTicker } from '../planner/tick.ts';
import type { FoundProfile } from '../profiles/profile-document.ts';
import type { ProfileSet } from '../simulation/profile-sets.ts';
import type { SimulatedVariant } from '../simulation/replicas.ts';
import { simulatedDeployment } from '../simulation/simulated-deployment.ts';
import { gatewayCounter, type TraceRequest } from '../workload/gateway-records.ts';
import { recordKey } from '../workload/histogram.ts';
import type { memoryStore } from '../workload/memory-store.ts';
import { workloadReader } from '../workload/reader.ts';
import { heartbeatsKey, type Store } from '../workload/store.ts';

export const demoModel = 'llama-3.1-8b';
export const demoNamespace = 'serving';
/** Length of a record's interval (s). */
export const demoInterval = 10;
/** From the creation of a replica to Ready (s). */
export const demoStartup = 60;
/** Seconds of output tokens, as far as the gateway's records go. */
const secondsPerToken = 0.02;

/** A fleet that gpumix plans for: its Deployments do what their targets say. */
export interface DemoFleet {
  readonly board: Board;
  /** One tick: what it decided. */
  tick(): Promise<TickOutcome | null>;
  /** Money per hour of all replicas that run, those that start included. */
  cost(): number;
  replicas(key: string): number;
}

/**
 * A gateway that writes the records of requests, over and over, to a store in memory.
 * @param requests in order of time, from 0 to `seconds`
 */
export const demoGateway = (requests: readonly TraceRequest[], seconds: number, store: Store, start: number) => {
  const again = () => gatewayCounter(requests, demoInterval, secondsPerToken);
  let [counter, began, written] = [again(), start, start];
  return async (until: number): Promise<void> => {
    for (; written + demoInterval <= until; written += demoInterval) {
      if (written - began >= seconds) [counter, began] = [again(), written];
      const record = counter.recordUntil(written + demoInterval - began);
      if (record !== null) await store.write(recordKey(demoModel, written + demoInterval), record, 600);
      await store.writeField(heartbeatsKey('gpumix:'), 'demo', String(written + demoInterval));
    }
  };
};

/** What `gpumix serve` runs, with its default settings, on a store in memory and Deployments in memory. */
export const demoFleet = (
  store: ReturnType<typeof memoryStore>,
  variants: readonly SimulatedVariant[],
  profiles: ProfileSet['profiles'],
  clock: () => number,
): DemoFleet => {
  const config = readConfig([], {});
  const deployments = new Map(variants.map((variant) => [variant.key, deploymentOf(variant)]));
  const pods = new Map<string, DeploymentPod>();
  const board = createBoard(deployments, pods, config.staleAfterSeconds, clock);
  const reader = workloadReader(store, { ...config, historySeconds: historySeconds(config), instance: 'demo' });
  const found = new Map<string, FoundProfile>(
    variants.map(({ key }) => [key, { profile: profiles.get(key)!, source: key, seenAt: 0, digest: key }]),
  );
  let decided: TickOutcome | null = null;
  const loop = createTicker({
    cluster: standInCluster(deployments, pods),
    readWorkload: (names) => reader.read(names),
    readProfiles: async () => ({ found, problems: [] }),
    makePlan: (snapshot, detail) => planOf(snapshot, detail, () => performance.now()),
    board,
    settings: { ...config, prices: {}, keepSnapshot: true },
    clock,
    onTick: (outcome) => {
      decided = outcome;
    },
  });
  const replicas = (key: string): number => deployments.get(key)?.replicas ?? 0;
  return {
    board,
    replicas,
    cost: () => variants.reduce((sum, { key, price }) => sum + price * replicas(key), 0),
    tick: async () => {
      getReady(pods, clock());
      await loop.tick();
      follow(deployments, pods, board, clock());
      return decided;
    },
  };
};

const deploymentOf = (variant: SimulatedVariant): ModelDeployment => ({
  ...simulatedDeployment(variant, demoModel),
  labels: { 'model.aibrix.ai/name': demoModel },
});

/** Plays the autoscaler: every Deployment gets its target at once. The newest pods go first. */
const follow = (deployments: Map<string, ModelDeployment>, pods: Map<string, DeploymentPod>, board: Board, now: number): void => {
  for (const [key, deployment] of deployments) {
    const decision = board.target(deployment.namespace, deployment.name)?.decision;
    if (decision === undefined || !('replicas' in decision)) continue;
    deployments.set(key, { ...deployment, replicas: decision.replicas });
    const own = [...pods].filter(([, pod]) => pod.deployment === deployment.name).map(([name]) => name);
    for (const name of own.slice(decision.replicas)) pods.delete(name);
    for (let index = own.length; index < decision.replicas; index += 1) {
      const name = `${deployment.name}-${now}-${index}`;
      pods.set(objectKey({ namespace: deployment.namespace, name }), startingPod(deployment, name, now));
    }
  }
};

const startingPod = ({ namespace, name: deployment }: ModelDeployment, name: string, now: number): DeploymentPod => ({
  namespace,
  name,
  deployment,
  labels: {},
  ready: false,
  ip: null,
  incarnation: name,
  gpus: 1,
  node: 'node',
  createdAt: now,
  readinessAt: null,
  placedAt: now,
  unschedulable: false,
  ended: false,
  terminating: false,
});

const getReady = (pods: Map<string, DeploymentPod>, now: number): void => {
  for (const [key, pod] of pods)
    if (!pod.ready && now >= pod.createdAt + demoStartup)
      pods.set(key, { ...pod, ready: true, readinessAt: pod.createdAt + demoStartup });
};
