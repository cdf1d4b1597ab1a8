import type { Bounds } from '../cluster/bounds.ts';
import type { EngineReport } from '../cluster/engine-metrics.ts';
import type { Pace } from '../cluster/pace.ts';
import type { DeploymentPod } from '../cluster/pods.ts';
import type { Supply } from '../cluster/stock.ts';
import type { ModelDeployment } from '../cluster/variant.ts';
import type { Plan, Snapshot } from '../vocabulary/planning-documents.ts';
import { messageOf } from '../vocabulary/errors.ts';
import type { Profiles } from '../profiles/profile.ts';
import { recordDefectText } from './believe/trusted-records.ts';
import type { Workload } from '../workload/rates.ts';
import type { Board } from './publish/board.ts';
import { type Decided, decide } from './pipeline.ts';
import { type DecideSettings, emptyMemory, type Memory } from './believe/believe.ts';
import { cannotWakeText } from './publish/cannot-wake.ts';

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

export interface LoopParts {
  readonly cluster: ClusterView;
  readWorkload(names: readonly string[]): Promise<Workload>;
  readProfiles(wanted: readonly ModelDeployment[], now: number): Promise<Profiles>;
  /** Asked of models that no request is seen of, or whose records are not believed; absent = nobody is asked. */
  readonly engines?: Engines | undefined;
  solve(snapshot: Snapshot): Plan;
  readonly board: Board;
  readonly settings: DecideSettings & { readonly intervalSeconds: number };
  /** Unix seconds, our own clock. */
  clock(): number;
  /** Lets the other replicas know, before anything is published here; absent where there are none. */
  share?(decided: Decided, now: number): Promise<Shared>;
  /** Tells routers where requests go, after it is published; absent where nobody listens. Answers what is wrong. */
  route?(decided: Decided, ready: (key: string) => number, now: number): Promise<readonly string[]>;
  /** Called after each tick, with everything that is wrong at the moment, one line each. */
  onTick(decided: Decided, problems: readonly string[]): void;
}

export interface Shared {
  /** Another replica leads by now: what was decided here is void. */
  readonly superseded: boolean;
  readonly problems: readonly string[];
}

export interface Loop {
  /** Reads, decides, publishes. Never throws: what cannot be read is a problem, and what stood goes on standing. */
  tick(): Promise<void>;
  /** Whether the records of another interval should be there since the last tick. */
  due(): boolean;
  /** Starts from what an earlier leader decided. */
  restore(last: Pick<Memory, 'decisions' | 'recent' | 'observed' | 'strains' | 'trials'>): void;
}

export const createLoop = (parts: LoopParts): Loop => {
  const { cluster, settings, board, clock } = parts;
  let memory = emptyMemory;
  let workload: Workload | null = null;
  /** Redis' clock minus ours (s). */
  let clockOffset = 0;
  let lastInterval = 0;

  const redisNow = () => clock() + clockOffset;
  /** The shortest that a record names; until one does, the setting. */
  const intervalNow = (): number => {
    const named = [...(workload?.names.values() ?? [])].filter(({ lastRecordAt }) => lastRecordAt !== null);
    return named.length === 0
      ? settings.intervalSeconds
      : Math.min(...named.map(({ intervalSeconds }) => intervalSeconds));
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

  const engineReports = (pods: ReadonlyMap<string, readonly DeploymentPod[]>, now: number) =>
    new Map(
      [...pods].flatMap(([key, some]) => {
        const report = parts.engines?.report(some, now) ?? null;
        return report === null ? [] : [[key, report] as const];
      }),
    );

  const tick = async (): Promise<void> => {
    const deployments = new Map([...cluster.deployments].sort(([a], [b]) => (a < b ? -1 : 1)));
    const names = new Set([...deployments.values()].flatMap(({ model, aliases }) => [model, ...aliases]));
    const workloadProblems = await readWorkload([...names]);
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
      engines: engineReports(pods, now),
      unsynced: cluster.unsynced(),
    };
    const decided = decide(reading, memory, settings, parts.solve);
    memory = decided.memory;
    const overwriting = cluster.gatewayReplicas() > 1;
    const unsure = decided.models.filter(
      ({ state, recordDefect }) => overwriting || state !== 'fresh' || recordDefect !== null,
    );
    parts.engines?.observe(
      unsure.flatMap((model) => model.deployments).flatMap((key) => pods.get(key) ?? []),
      redisNow,
    );
    const shared = await parts.share?.(decided, now);
    if (!shared?.superseded) board.publish(decided, clock());
    const routed = shared?.superseded ? [] : await parts.route?.(decided, (key) => reading.ready.get(key) ?? 0, now);
    parts.onTick(decided, [
      ...(shared?.problems ?? []),
      ...(routed ?? []),
      ...workloadProblems,
      ...profiles.problems,
      ...cluster.problems(),
      ...undercount(cluster.gatewayReplicas()),
      ...shortages(decided),
    ]);
  };
  return {
    tick,
    // Another one, not only a later one: a clock may step back.
    due: () => intervalNumber() !== lastInterval,
    restore: ({ decisions, recent, observed, strains, trials }) => {
      const restored = new Map([...decisions].map(([key, one]) => [key, { ...one, restored: true }]));
      memory = { ...memory, decisions: restored, recent, observed, strains, trials };
    },
  };
};

/** Without rates, which change all the time: a problem is said once. The gauges have them. */
const shortages = ({ models }: Decided): readonly string[] =>
  models.flatMap(({ name, unserved, beyondSlo, variants, swapBlocked, cannotWake, recordDefect }) => [
    ...(recordDefect === null ? [] : [recordDefectText(name, recordDefect)]),
    ...Object.keys(unserved).map((reason) => `model ${name}: not all demand can be served: ${reason}`),
    ...(cannotWake ? [cannotWakeText(name)] : []),
    ...(swapBlocked
      ? [`model ${name}: swap blocked: there is no stock for what would be given up and what would replace it at once`]
      : []),
    ...variants.flatMap(({ deployment, outOfStock, podsRefused, notFollowed, profileProblem, beyondGrid }) => [
      ...(profileProblem ? [`${deployment}: ${profileProblem}`] : []),
      ...beyondGridTexts(deployment, beyondGrid?.share ?? 0),
      ...(outOfStock
        ? [
            `${deployment}: out of stock: ${podsRefused ?? 'its pods do not come within their startup time'}; planned with what it has`,
          ]
        : []),
      ...(notFollowed
        ? [
            `${deployment}: not followed: spec.replicas does not move toward the target; the others are planned around it`,
          ]
        : []),
    ]),
    ...(beyondSlo > 0 ? [`model ${name}: some requests are beyond the SLO of every variant`] : []),
  ]);

/** In steps, so that it is not said anew at each tick. */
const beyondGridTexts = (deployment: string, share: number): readonly string[] => {
  const much = share >= 0.5 ? 'half' : 'a tenth';
  return share < 0.1
    ? []
    : [
        `${deployment}: over ${much} of the demand is larger than its profile measured, and extrapolated: long prompts may be undercharged there`,
      ];
};

/** Replicas of AIBrix's gateway overwrite each other's record: of each interval only one replica's share is left. */
const undercount = (gatewayReplicas: number): readonly string[] =>
  gatewayReplicas < 2
    ? []
    : [
        `undercount possible: the gateway has ${gatewayReplicas} replicas, which overwrite each other's records; demand may be ${gatewayReplicas} times what is seen`,
      ];

const podsByDeployment = (pods: ReadonlyMap<string, DeploymentPod>): ReadonlyMap<string, readonly DeploymentPod[]> =>
  Map.groupBy(pods.values(), ({ namespace, deployment }) => `${namespace}/${deployment}`);

const alive = (pods: ReadonlyMap<string, readonly DeploymentPod[]>): ReadonlyMap<string, readonly DeploymentPod[]> =>
  new Map([...pods].map(([key, some]) => [key, some.filter(({ ended, terminating }) => !ended && !terminating)]));

const readyPods = (pods: ReadonlyMap<string, readonly DeploymentPod[]>): ReadonlyMap<string, number> =>
  new Map([...pods].map(([key, some]) => [key, some.filter(({ ready }) => ready).length]));
