import { objectKey } from '../cluster/kubernetes-object.ts';
import type { DeploymentPod } from '../cluster/pods.ts';
import type { ModelDeployment } from '../cluster/variant.ts';
import { standInCluster } from '../planner/cluster-stand-in.ts';
import type { PlannerSettings } from '../planner/decide.ts';
import { createBoard } from '../planner/publish/board.ts';
import type { ModelReport } from '../planner/report/tick-outcome.ts';
import { createTicker } from '../planner/tick.ts';
import type { FoundProfile, Profile } from '../profiles/profile-document.ts';
import { ownerKey } from '../vocabulary/deployment-key.ts';
import type { Plan, Snapshot } from '../vocabulary/planning-documents.ts';
import { recordKey } from '../workload/histogram.ts';
import { memoryStore } from '../workload/memory-store.ts';
import { type ReaderSettings, workloadReader } from '../workload/reader.ts';
import { heartbeatsKey, type Store } from '../workload/store.ts';
import { type Fault, storeState, timesEmptied } from './faults.ts';
import { faultyStore } from './faulty-store.ts';
import type { Policy, ReplicaView, SimulatedPod } from './policy.ts';
import type { SimulatedVariant } from './replicas.ts';
import { simulatedDeployment } from './simulated-deployment.ts';

/** What a simulation begins at (Unix s); any multiple of the interval would do. */
const epoch = 1_764_028_800;

export interface PlannerParts {
  readonly name: string;
  readonly model: string;
  readonly variants: readonly SimulatedVariant[];
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly settings: PlannerSettings & ReaderSettings;
  readonly solve: (snapshot: Snapshot) => Plan;
  /** Replicas that are not the planner's to choose: those of a fleet of fixed size. */
  readonly pinned?: ReadonlyMap<string, number>;
  /** Labels `min_replicas`, which idle models keep; absent = 0. */
  readonly warm?: ReadonlyMap<string, number>;
  /** What goes wrong with the store. */
  readonly faults?: readonly Fault[];
  /** Told of the model after each tick. */
  readonly onReport?: (report: ModelReport) => void;
}

/**
 * gpumix itself: its reader, its loop and its board, on a store in memory to which the gateway's records are written, with
 * a heartbeat. Only the clock and the cluster are not real.
 */
export const plannerPolicy = ({
  name,
  model,
  variants,
  profiles,
  settings,
  solve,
  pinned,
  warm,
  faults = [],
  onReport,
}: PlannerParts): Policy => {
  let now = 0;
  const clock = (): number => epoch + now;
  const store = storeWith(faults, () => now, clock);
  const deployments = new Map(variants.map((variant) => [variant.key, deploymentOf(variant, model, { pinned, warm })]));
  const found = new Map(variants.map(({ key }) => [key, { profile: profiles.get(key)!, source: key, seenAt: 0, digest: key }]));
  const pods = new Map<string, DeploymentPod>();
  const board = createBoard(deployments, pods, settings.staleAfterSeconds, clock);
  const reader = workloadReader(store, settings);
  let planned: { snapshot: Snapshot; plan: Plan } | null = null;
  const loop = createTicker({
    cluster: standInCluster(deployments, pods),
    readWorkload: (names) => reader.read(names),
    readProfiles: async () => ({ found: found as ReadonlyMap<string, FoundProfile>, problems: [] }),
    makePlan: solve,
    board,
    settings: { ...settings, keepSnapshot: true },
    clock,
    onTick: ({ snapshot, plan, models }) => {
      for (const report of models) onReport?.(report);
      if (snapshot !== null && plan !== null) planned = { snapshot, plan };
    },
  });
  return {
    name,
    syncSeconds: 15,
    observe: async (record, time) => {
      now = time;
      try {
        if (record !== null) await store.write(recordKey(model, epoch + time), record, 600);
        await store.writeField(heartbeatsKey(settings.keyPrefix), 'simulation', String(epoch + time));
      } catch {
        // The store is away: what the gateway could not write is lost.
      }
    },
    tick: async (view) => {
      now = view.now;
      look(view, deployments, pods);
      await loop.tick();
    },
    sync: (view) => {
      now = view.now;
      const targets = [...deployments.values()].map(({ namespace, name: deployment }) => board.target(namespace, deployment));
      return new Map(
        targets.flatMap((target) =>
          target !== undefined && 'replicas' in target.decision ? [[ownerKey(target), target.decision.replicas] as const] : [],
        ),
      );
    },
    plan: () => planned,
  };
};

/** The gateway's and the planner's store, with what goes wrong with it. */
const storeWith = (faults: readonly Fault[], now: () => number, clock: () => number): Store => {
  let [store, emptied] = [memoryStore(clock), 0];
  const inner = (): Store => {
    const times = timesEmptied(faults, now());
    if (times > emptied) [store, emptied] = [memoryStore(clock), times];
    return store;
  };
  return faults.length === 0 ? store : faultyStore(inner, () => storeState(faults, now()), now);
};

const deploymentOf = (
  variant: SimulatedVariant,
  model: string,
  { pinned, warm }: { readonly [Key in 'pinned' | 'warm']: PlannerParts[Key] | undefined },
): ModelDeployment => {
  const pin = pinned?.get(variant.key);
  return {
    ...simulatedDeployment(variant, model),
    pin: pin === undefined ? null : { replicas: pin, until: null },
    idleReplicas: warm?.get(variant.key) ?? 0,
  };
};

/** What the watches would have seen. */
const look = (view: ReplicaView, deployments: Map<string, ModelDeployment>, pods: Map<string, DeploymentPod>): void => {
  pods.clear();
  for (const [key, deployment] of deployments) {
    deployments.set(key, { ...deployment, replicas: view.spec(key) });
    const { namespace, name: owner } = deployment;
    for (const pod of view.pods(key)) pods.set(objectKey({ namespace, name: pod.name }), podOf(pod, namespace, owner, view.now));
  }
};

const podOf = (
  { name, createdAt, placedAt, readyAt }: SimulatedPod,
  namespace: string,
  deployment: string,
  now: number,
): DeploymentPod => ({
  namespace,
  name,
  deployment,
  labels: {},
  ready: readyAt <= now,
  ip: null,
  incarnation: name,
  gpus: 1,
  node: placedAt <= now ? 'node' : null,
  createdAt: epoch + createdAt,
  readinessAt: readyAt <= now ? epoch + readyAt : null,
  placedAt: placedAt <= now ? epoch + placedAt : null,
  unschedulable: placedAt > now,
  ended: false,
  terminating: false,
});
