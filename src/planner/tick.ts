import type { Bounds } from '../cluster/bounds.ts';
import type { EngineReport } from '../cluster/engine-metrics.ts';
import type { Pace } from '../cluster/pace.ts';
import type { DeploymentPod } from '../cluster/pods.ts';
import type { Supply } from '../cluster/stock.ts';
import type { ModelDeployment } from '../cluster/variant.ts';
import type { Profiles } from '../profiles/profile-document.ts';
import { ownerKey } from '../vocabulary/deployment-key.ts';
import { messageOf } from '../vocabulary/errors.ts';
import type { Plan, Snapshot } from '../vocabulary/planning-documents.ts';
import type { Workload } from '../workload/workload.ts';
import { decide, type PlannerSettings, type Reading } from './pipeline.ts';
import { type Decided, emptyMemory } from './publish/decided.ts';
import { type PublishParts, publish } from './publish/publish.ts';
import type { StoredPlan } from './publish/stored-plan.ts';
import { problemsOf, undercount } from './publish/tick-problems.ts';

/** The cluster as the loop sees it. Reading it asks nobody. */
export interface ClusterView {
  readonly deployments: ReadonlyMap<string, ModelDeployment>;
  readonly pods: ReadonlyMap<string, DeploymentPod>;
  bounds(now: number): ReadonlyMap<string, Bounds>;
  gatewayUnchangedSince(now: number): number | null;
  gatewayReplicas(): number;
  /** These are absent where there is no cluster to ask. */
  supply?(): Supply;
  paces?(): ReadonlyMap<string, Pace>;
  unsynced(): readonly string[];
  problems(): readonly string[];
}

/** The engines as the loop sees them. */
export interface Engines {
  observe(pods: readonly DeploymentPod[], clock: () => number): void;
  report(pods: readonly DeploymentPod[], now: number): EngineReport | null;
}

export interface LoopParts extends PublishParts {
  readonly cluster: ClusterView;
  readWorkload(names: readonly string[]): Promise<Workload>;
  readProfiles(wanted: readonly ModelDeployment[], now: number): Promise<Profiles>;
  /** Asked of models that no request is seen of, or whose records are not believed; absent = nobody is asked. */
  readonly engines?: Engines | undefined;
  solve(snapshot: Snapshot): Plan;
  readonly settings: PlannerSettings & { readonly intervalSeconds: number };
  /** Called after each tick, with everything that is wrong at the moment, one line each. */
  onTick(decided: Decided, problems: readonly string[]): void;
}

export interface Loop {
  /** Reads, decides, publishes. Never throws: what cannot be read is a problem, and what stood goes on standing. */
  tick(): Promise<void>;
  /** Whether the records of another interval should be there since the last tick. */
  due(): boolean;
  /** Starts from what an earlier leader decided. */
  restore(last: Pick<StoredPlan, 'decisions' | 'recent' | 'behaviours' | 'strains' | 'trials'>): void;
}

export const createLoop = (parts: LoopParts): Loop => {
  const { cluster, settings, clock } = parts;
  let memory = emptyMemory;
  let workload: Workload | null = null;
  /** Redis' clock minus ours (s). */
  let clockOffset = 0;
  let lastInterval = 0;

  const redisNow = () => clock() + clockOffset;
  /** The shortest that a record names; until one does, the setting. */
  const intervalNow = (): number => {
    const named = [...(workload?.names.values() ?? [])].filter(({ lastRecordAt }) => lastRecordAt !== null);
    return named.length === 0 ? settings.intervalSeconds : Math.min(...named.map(({ intervalSeconds }) => intervalSeconds));
  };
  const intervalNumber = () => Math.floor((redisNow() - settings.settleSeconds) / intervalNow());

  const readWorkload = async (names: readonly string[]): Promise<readonly string[]> => {
    try {
      const before = clock();
      workload = await parts.readWorkload(names);
      // Redis' time is of some moment of the reads, which may take long: an offset that agrees with that stands.
      clockOffset = Math.min(Math.max(clockOffset, workload.now - clock()), workload.now - before);
      return [
        ...workload.problems,
        ...(workload.writeProblem === null ? [] : [`Redis takes no write of ours: ${workload.writeProblem}`]),
        ...(Math.abs(clockOffset) > 2
          ? [`our clock differs from that of Redis by ${clockOffset.toFixed(0)} s; that of Redis counts`]
          : []),
      ];
    } catch (error) {
      return [messageOf(error)];
    }
  };

  const read = async (): Promise<{ readonly reading: Reading; readonly problems: readonly string[] }> => {
    const deployments = new Map([...cluster.deployments].sort(([a], [b]) => (a < b ? -1 : 1)));
    const names = new Set([...deployments.values()].flatMap(({ model, aliases }) => [model, ...aliases]));
    const problems = await readWorkload([...names]);
    const now = redisNow();
    lastInterval = intervalNumber();
    const profiles = await parts.readProfiles([...deployments.values()], now);
    const pods = podsByDeployment(cluster.pods);
    const supply = cluster.supply?.();
    const paces = cluster.paces?.();
    const reading = {
      ...(supply === undefined ? {} : { supply }),
      ...(paces === undefined ? {} : { paces }),
      pods: alive(pods),
      now,
      workload,
      deployments,
      profiles: profiles.found,
      bounds: cluster.bounds(now),
      ready: readyPods(pods),
      gatewayUnchangedSince: cluster.gatewayUnchangedSince(now),
      engines: engineReports(parts.engines, pods, now),
      unsynced: cluster.unsynced(),
    };
    return { reading, problems: [...problems, ...profiles.problems] };
  };

  /** Of models whose records alone do not tell enough, the engines are asked until the next tick. */
  const askEngines = ({ models }: Decided): void => {
    const overwriting = cluster.gatewayReplicas() > 1;
    const unsure = models.filter(({ state, recordDefect }) => overwriting || state !== 'fresh' || recordDefect !== null);
    const pods = podsByDeployment(cluster.pods);
    parts.engines?.observe(
      unsure.flatMap(({ deployments }) => deployments).flatMap((key) => pods.get(key) ?? []),
      redisNow,
    );
  };

  return {
    tick: async () => {
      const { reading, problems } = await read();
      const decided = decide(reading, memory, settings, parts.solve);
      memory = decided.memory;
      askEngines(decided);
      const unpublished = await publish(decided, reading, parts);
      const seen = [...cluster.problems(), ...undercount(cluster.gatewayReplicas()), ...problemsOf(decided.models)];
      parts.onTick(decided, [...unpublished, ...problems, ...seen]);
    },
    // Another one, not only a later one: a clock may step back.
    due: () => intervalNumber() !== lastInterval,
    restore: ({ decisions, recent, behaviours, strains, trials }) => {
      const restored = new Map([...decisions].map(([key, one]) => [key, { ...one, restored: true }]));
      memory = {
        ...memory,
        believed: { ...memory.believed, behaviours, strains, trials },
        moved: { decisions: restored, recent },
      };
    },
  };
};

const engineReports = (
  engines: Engines | undefined,
  pods: ReadonlyMap<string, readonly DeploymentPod[]>,
  now: number,
): ReadonlyMap<string, EngineReport> =>
  new Map(
    [...pods].flatMap(([key, some]) => {
      const report = engines?.report(some, now) ?? null;
      return report === null ? [] : [[key, report] as const];
    }),
  );

const podsByDeployment = (pods: ReadonlyMap<string, DeploymentPod>): ReadonlyMap<string, readonly DeploymentPod[]> =>
  Map.groupBy(pods.values(), ownerKey);

const alive = (pods: ReadonlyMap<string, readonly DeploymentPod[]>): ReadonlyMap<string, readonly DeploymentPod[]> =>
  new Map([...pods].map(([key, some]) => [key, some.filter(({ ended, terminating }) => !ended && !terminating)]));

const readyPods = (pods: ReadonlyMap<string, readonly DeploymentPod[]>): ReadonlyMap<string, number> =>
  new Map([...pods].map(([key, some]) => [key, some.filter(({ ready }) => ready).length]));
