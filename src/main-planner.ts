import { hostname, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { Logger } from 'pino';
import { viewOf } from './cluster/cluster-view.ts';
import { readMetrics } from './cluster/engine-poll.ts';
import { type EngineSamples, sampleEngines } from './cluster/engine-samples.ts';
import { type EngineWatch, watchEngines } from './cluster/engines.ts';
import { type Config, historySeconds } from './config/serve-config.ts';
import { priceTable } from './planner/believe/candidates.ts';
import { type Leadership, leaderOrFollower, tellingReplicas } from './planner/leader-or-follower.ts';
import { planOf } from './planner/plan/plan-of-snapshot.ts';
import { workLimitOfMachine } from './planner/plan/work-limit.ts';
import { type ServingThread, servedBy } from './planner/planner-thread.ts';
import { watchDrift } from './planner/profile-drift-watch.ts';
import { type RoutingPlanSettings, routingPlanWriter } from './planner/publish/routing-plan-writer.ts';
import { snapshotsFolder } from './planner/publish/snapshots-folder.ts';
import { type StoredPlans, storedPlans } from './planner/publish/stored-plan.ts';
import { tickLog } from './planner/publish/tick-log.ts';
import { createTicker, type Ticker } from './planner/tick.ts';
import { profileSources } from './profiles/sources.ts';
import { everySecond } from './runtime/every-second.ts';
import { garbage } from './runtime/garbage.ts';
import { createLogger } from './runtime/logger.ts';
import { turns } from './runtime/one-turn-a-second.ts';
import { callsThrough, type Remote } from './runtime/thread-calls.ts';
import { workloadReader } from './workload/reader.ts';
import { redisStore } from './workload/redis.ts';
import type { Store } from './workload/store.ts';

/** What the thread that plans is given when it starts. */
export interface PlannerThreadData {
  readonly config: Config;
  /** `namespace/name` of our Service. */
  readonly installation: string;
}

const clock = () => Date.now() / 1000;

/**
 * The thread of `gpumix serve` that plans, or follows who does. It reads Redis and asks engines; the cluster, the Lease and the
 * board are those of the thread that serves, which waits for nothing that is done here.
 */
const planInThread = ({ config, installation }: PlannerThreadData): void => {
  // Of this thread alone: where cores are short, who answers goes before.
  setPriority(2);
  const log = createLogger(config.logLevel);
  const { collect, collectIfMuch } = garbage(12 << 20, 1);
  const redis = redisStore(config, (problem) => log.warn({ problem }, 'redis connection'));
  const store: Store = {
    ...redis,
    read: async (keys) => {
      collectIfMuch();
      return await redis.read(keys);
    },
  };
  const serving = callsThrough<ServingThread>(parentPort!, {});
  const stored = storedPlans(store, `${config.planPrefix}plans`, installation);
  const { leadership } = serving;
  const { board, ...cluster } = servedBy(serving);
  const ticker = tickerOf(config, { store, stored, leadership, board, cluster, serving }, collectIfMuch, log);
  const onProblem = (problem: string | null) =>
    problem === null ? log.info({}, 'stored plan is read again') : log.warn({ problem }, 'stored plan cannot be read');
  turns(leaderOrFollower({ leadership, stored, ticker, board, clock, onProblem }), collect, log);
  everySecond(() => void serving.alive());
};

interface TickerNeeds {
  readonly store: Store;
  readonly stored: StoredPlans;
  readonly leadership: Leadership;
  readonly board: ReturnType<typeof servedBy>['board'];
  readonly cluster: Omit<ReturnType<typeof servedBy>, 'board'>;
  readonly serving: Remote<ServingThread>;
}

const tickerOf = (config: Config, needs: TickerNeeds, collectIfMuch: () => void, log: Logger): Ticker => {
  const { store, stored, leadership, board, serving } = needs;
  const { objects, watches, update } = needs.cluster;
  const cluster = { ...viewOf(objects, watches, config.gatewaySelector), update };
  const drift = watchDrift(samplesOf(config), clock);
  const reader = workloadReader(store, {
    ...config,
    historySeconds: historySeconds(config),
    instance: `${hostname()}-${process.pid}`,
  });
  const save = config.snapshots === null ? null : snapshotsFolder(config.snapshots, config.snapshotsKept);
  const logTick = tickLog(log);
  const work = workLimitOfMachine();
  return createTicker({
    cluster,
    readWorkload: (names) => reader.read(names),
    readProfiles: profileSources((keys) => store.read(keys), config.profiles),
    engines: enginesOf(config),
    makePlan: (snapshot, detail) => {
      collectIfMuch();
      const plan = planOf(snapshot, detail ?? { routed: save !== null || config.routingPlans }, threadMilliseconds);
      work.saw(plan.solve.work, plan.solve.milliseconds);
      return plan;
    },
    board,
    workLimit: work.limit,
    settings: { ...config, prices: priceTable(config.prices), keepSnapshot: save !== null },
    clock,
    tellReplicas: tellingReplicas(stored, leadership),
    ...(config.routingPlans ? { tellRouters: routingPlanWriter(store, routersOf(config)) } : {}),
    onTick: (decided, { profiles }, problems) => {
      logTick(decided, [
        ...problems,
        ...drift.compare(cluster.pods.values(), profiles),
        ...(config.routerNote === null ? [] : [config.routerNote]),
        ...cluster.notes(),
      ]);
      const unwoken = decided.models.filter(({ cannotWake }) => cannotWake);
      void serving.note(
        unwoken.map(({ name, deployments }) => ({ name, deployments })),
        drift.drifts(),
      );
      if (save !== null && decided.snapshot !== null && decided.plan !== null) save(decided.snapshot, decided.plan);
    },
  });
};

/** What this thread has computed, whatever else the machine did (ms). */
const threadMilliseconds = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

/** Routers follow a plan as long as a plan stands without new data. */
const routersOf = ({ planPrefix, staleAfterSeconds }: Config): RoutingPlanSettings => ({
  prefix: planPrefix,
  lifetimeSeconds: Math.max(1, Math.round(staleAfterSeconds)),
});

const enginesOf = ({ engineMetricsPort: port, intervalSeconds }: Config): EngineWatch | undefined =>
  port === null ? undefined : watchEngines({ port, timeoutSeconds: 2, validSeconds: 3 * intervalSeconds }, readMetrics);

/** Where engines are not asked, none is sampled either. */
const samplesOf = ({ engineMetricsPort: port }: Config): EngineSamples | null =>
  port === null ? null : sampleEngines({ port, timeoutSeconds: 2, windowSeconds: 300 }, readMetrics);

planInThread(workerData as PlannerThreadData);
