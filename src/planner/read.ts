import type { ClusterView } from '../cluster/cluster-view.ts';
import type { EngineActivity } from '../cluster/engine-metrics.ts';
import type { EngineWatch } from '../cluster/engines.ts';
import type { DeploymentPod } from '../cluster/pods.ts';
import type { ModelDeployment } from '../cluster/variant.ts';
import type { Profiles } from '../profiles/profile-document.ts';
import { ownerKey } from '../vocabulary/deployment-key.ts';
import type { Reading } from './decide.ts';
import type { WorkloadAndClock } from './workload-and-clock.ts';

/** The cluster as the loop sees it. What is absent is so where there is no cluster to ask. */
export interface ClusterSeen
  extends Omit<ClusterView, 'supply' | 'paces' | 'notes'>,
    Partial<Pick<ClusterView, 'supply' | 'paces'>> {
  /** Brings the view up to date; absent where it always is. */
  update?(): Promise<void>;
}

export interface ReadParts {
  readonly cluster: ClusterSeen;
  readProfiles(deployments: readonly ModelDeployment[], now: number): Promise<Profiles>;
  /** Asked of models that no request is seen of, or whose records are not believed; absent = nobody is asked. */
  readonly engines?: EngineWatch | undefined;
}

export interface TickReading {
  readonly reading: Reading;
  /** Of the newest interval whose records were due when they were read. */
  readonly intervalNumber: number;
  readonly problems: readonly string[];
}

/** Reads all that a tick decides by. What Redis does not give is a problem, one line each. */
export const read = async ({ cluster, readProfiles, engines }: ReadParts, workload: WorkloadAndClock): Promise<TickReading> => {
  await cluster.update?.();
  const deployments = new Map([...cluster.deployments].sort(([a], [b]) => (a < b ? -1 : 1)));
  const names = new Set([...deployments.values()].flatMap(({ model, aliases }) => [model, ...aliases]));
  const problems = await workload.read([...names]);
  const now = workload.time();
  const intervalNumber = workload.intervalNumber();
  const profiles = await readProfiles([...deployments.values()], now);
  const pods = podsByDeployment(cluster.pods);
  const supply = cluster.supply?.();
  const paces = cluster.paces?.();
  const reading = {
    ...(supply === undefined ? {} : { supply }),
    ...(paces === undefined ? {} : { paces }),
    pods: alive(pods),
    now,
    workload: workload.last(),
    deployments,
    profiles: profiles.found,
    bounds: cluster.bounds(now),
    ready: readyPods(pods),
    gatewayUnchangedSince: cluster.gatewayUnchangedSince(now),
    gatewayReplicas: cluster.gatewayReplicas(),
    engines: engineActivities(engines, pods, now),
    unsynced: cluster.unsynced(),
  };
  return {
    reading,
    intervalNumber,
    problems: [...problems, ...profiles.problems, ...cluster.problems(), ...undercount(reading.gatewayReplicas)],
  };
};

/** Replicas of AIBrix's gateway overwrite each other's record: of each interval only one replica's share is left. */
export const undercount = (gatewayReplicas: number): readonly string[] =>
  gatewayReplicas < 2
    ? []
    : [
        `undercount possible: the gateway has ${gatewayReplicas} replicas, which overwrite each other's records; demand may be ${gatewayReplicas} times what is seen`,
      ];

const engineActivities = (
  engines: EngineWatch | undefined,
  pods: ReadonlyMap<string, readonly DeploymentPod[]>,
  now: number,
): ReadonlyMap<string, EngineActivity> =>
  new Map(
    [...pods].flatMap(([key, theirs]) => {
      const activity = engines?.activity(theirs, now) ?? null;
      return activity === null ? [] : [[key, activity] as const];
    }),
  );

export const podsByDeployment = (pods: ReadonlyMap<string, DeploymentPod>): ReadonlyMap<string, readonly DeploymentPod[]> =>
  Map.groupBy(pods.values(), ownerKey);

const alive = (pods: ReadonlyMap<string, readonly DeploymentPod[]>): ReadonlyMap<string, readonly DeploymentPod[]> =>
  new Map([...pods].map(([key, theirs]) => [key, theirs.filter(({ ended, terminating }) => !ended && !terminating)]));

const readyPods = (pods: ReadonlyMap<string, readonly DeploymentPod[]>): ReadonlyMap<string, number> =>
  new Map([...pods].map(([key, theirs]) => [key, theirs.filter(({ ready }) => ready).length]));
