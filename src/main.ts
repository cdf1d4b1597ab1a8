import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { certificateFromSecret } from './api/certificate-secret.ts';
import { startPlainMetrics } from './api/plain-metrics.ts';
import { certificateFromFiles } from './api/serving-certificate.ts';
import { startServer } from './api/start.ts';
import { upstreamAdapter } from './api/upstream-adapter.ts';
import { readMetrics } from './cluster/engine-poll.ts';
import { type EngineSamples, sampleEngines } from './cluster/engine-samples.ts';
import { type EngineWatch, watchEngines } from './cluster/engines.ts';
import { writeWarning } from './cluster/events.ts';
import { kubernetes as connectKubernetes, type Kubernetes } from './cluster/kubernetes-connection.ts';
import { type Lease, wantLease } from './cluster/lease.ts';
import type { ModelDeployment } from './cluster/variant.ts';
import { type Cluster, watchCluster } from './cluster/watch.ts';
import { type Config, historySeconds, stockConfigName } from './config/serve-config.ts';
import { priceTable } from './planner/believe/candidates.ts';
import { leaderOrFollower, shareThrough } from './planner/leader-or-follower.ts';
import { planOf } from './planner/plan/plan-of-snapshot.ts';
import { type DriftWatch, watchDrift } from './planner/profile-drift-watch.ts';
import { type Board, createBoard } from './planner/publish/board.ts';
import { cannotWakeText } from './planner/publish/cannot-wake.ts';
import { driftGauge, plannerRegistry } from './planner/publish/planner-metrics.ts';
import { type RoutingPlanSettings, routingPlanWriter } from './planner/publish/routing-plan-writer.ts';
import { snapshotsFolder } from './planner/publish/snapshots-folder.ts';
import { type StoredPlans, storedPlans } from './planner/publish/stored-plan.ts';
import { tickLog } from './planner/publish/tick-log.ts';
import type { ModelReport } from './planner/publish/tick-outcome.ts';
import { createTicker, type Ticker } from './planner/tick.ts';
import type { Profiles } from './profiles/profile-document.ts';
import { profileSources } from './profiles/sources.ts';
import { garbage } from './runtime/garbage.ts';
import { createLogger } from './runtime/logger.ts';
import { turns } from './runtime/one-turn-a-second.ts';
import { untilTold } from './runtime/until-told.ts';
import { version } from './runtime/version.ts';
import { messageOf } from './vocabulary/errors.ts';
import { workloadReader } from './workload/reader.ts';
import { redisStore } from './workload/redis.ts';
import type { Store } from './workload/store.ts';

const clock = () => Date.now() / 1000;

/** Runs `gpumix serve` until it is told to stop. Of the places that name both Redis and Kubernetes the one that plans. */
export const serve = async (config: Config): Promise<void> => {
  const log = createLogger(config.logLevel);
  const { collect, collectIfMuch } = garbage();
  const outside = connected(config, collectIfMuch, log);
  const { lease, stored, store, cluster } = outside;
  const board = createBoard(cluster.deployments, cluster.pods, config.staleAfterSeconds, clock, cluster.boundsNow);
  const loop = tickerOf(config, outside, board, collectIfMuch, log);
  const servers = await startServers(config, outside, board, log);
  const onProblem = (problem: string | null) =>
    problem === null ? log.info({}, 'stored plan is read again') : log.warn({ problem }, 'stored plan cannot be read');
  const stopTicking = turns(leaderOrFollower({ leadership: lease, stored, loop, board, clock, onProblem }), collect, log);
  await untilTold(log);
  await letGo(lease, log);
  await servers.stop();
  stopTicking();
  cluster.stop();
  await store.close();
};

/** What lies outside of the process: the cluster, the store, and what is kept there. */
interface Outside {
  readonly kubernetes: Kubernetes;
  readonly cluster: Cluster;
  readonly lease: Lease;
  readonly store: Store;
  readonly stored: StoredPlans;
  readonly drift: DriftWatch;
}

const connected = (config: Config, collectIfMuch: () => void, log: Logger): Outside => {
  const kubernetes = connectKubernetes(config.kubeconfig);
  const redis = redisStore(config, (problem) => log.warn({ problem }, 'redis connection'));
  const store: Store = {
    ...redis,
    read: async (keys) => {
      collectIfMuch();
      return await redis.read(keys);
    },
  };
  const installation = `${config.serviceNamespace ?? kubernetes.namespace}/${config.serviceName}`;
  return {
    kubernetes,
    store,
    lease: leaseOf(config, kubernetes, log),
    stored: storedPlans(store, `${config.planPrefix}plans`, installation),
    drift: watchDrift(samplesOf(config), clock),
    cluster: watchCluster(kubernetes, config.gatewaySelector, stockConfigName(config, kubernetes.namespace), config.gpuLabels),
  };
};

const tickerOf = (config: Config, outside: Outside, board: Board, collectIfMuch: () => void, log: Logger): Ticker => {
  const { kubernetes, cluster, store, stored, lease, drift } = outside;
  const reader = workloadReader(store, {
    ...config,
    historySeconds: historySeconds(config),
    instance: `${hostname()}-${process.pid}`,
  });
  const profiles = profileSources((keys) => store.read(keys), config.profiles);
  let lastProfiles: Profiles = { found: new Map(), problems: [] };
  const save = config.snapshots === null ? null : snapshotsFolder(config.snapshots, config.snapshotsKept);
  const report = tickLog(log);
  const warn = sleepWarnings(cluster.deployments, kubernetes, log);
  return createTicker({
    cluster,
    readWorkload: (names) => reader.read(names),
    readProfiles: async (wanted, now) => {
      lastProfiles = await profiles(wanted, now);
      return lastProfiles;
    },
    engines: enginesOf(config),
    makePlan: (snapshot) => {
      collectIfMuch();
      return planOf(snapshot, () => performance.now(), { routed: save !== null || config.routingPlans });
    },
    board,
    settings: { ...config, prices: priceTable(config.prices), keepSnapshot: save !== null },
    clock,
    share: shareThrough(stored, lease),
    ...(config.routingPlans ? { route: routingPlanWriter(store, routersOf(config)) } : {}),
    onTick: (decided, problems) => {
      report(decided, [
        ...problems,
        ...drift.compare(cluster.pods.values(), lastProfiles.found),
        ...(config.routerNote === null ? [] : [config.routerNote]),
        ...cluster.notes(),
      ]);
      warn(decided.models);
      if (save !== null && decided.snapshot !== null && decided.plan !== null) save(decided.snapshot, decided.plan);
    },
  });
};

/** The aggregated API server, and plain metrics where they are asked for. */
const startServers = async (config: Config, { kubernetes, cluster, lease, store, drift }: Outside, board: Board, log: Logger) => {
  const registry = plannerRegistry(board, lease.leads, clock);
  driftGauge(registry, () => (lease.leads() ? drift.drifts() : new Map()));
  const routingPlan = async (model: string) => (await store.read([`${config.planPrefix}plan:${model}`]))[0] ?? null;
  const { plainMetricsPort: port } = config;
  const plainMetrics = port === null ? null : await startPlainMetrics(board, config.bindAddress, port, routingPlan);
  const server = await startServer({
    upstream: config.upstream === null ? undefined : upstreamFrom(config, config.upstream, log),
    kubernetes: kubernetes.request,
    certificate: await servingCertificate(config, kubernetes, lease, log),
    board,
    version,
    log,
    host: config.bindAddress,
    port: config.securePort,
    external: config.externalMetrics,
    registry,
    readyChecks: [{ name: 'watch-caches', problem: () => cluster.unsynced().at(0) }],
  });
  log.info({ url: server.url, version }, 'serving');
  return {
    stop: async (): Promise<void> => {
      await server.drain(config.drainSeconds);
      log.info({}, 'stopped');
      await plainMetrics?.close();
    },
  };
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

/** An Event of each Deployment of a model that nothing will wake, once. */
const sleepWarnings = (
  deployments: ReadonlyMap<string, ModelDeployment>,
  { request }: Kubernetes,
  log: Logger,
): ((models: readonly ModelReport[]) => void) => {
  let warned = new Set<string>();
  const write = async (deployment: ModelDeployment, message: string): Promise<void> => {
    try {
      await writeWarning(request, deployment, { reason: 'CannotWake', message }, new Date());
    } catch (error) {
      log.warn({ problem: messageOf(error) }, 'problem');
    }
  };
  return (models) => {
    const now = models.filter(({ cannotWake }) => cannotWake);
    for (const { name, deployments: keys } of now.filter((model) => !warned.has(model.name)))
      for (const deployment of keys.flatMap((key) => deployments.get(key) ?? [])) void write(deployment, cannotWakeText(name));
    warned = new Set(now.map(({ name }) => name));
  };
};

/** Of several replicas the holder of a Lease beside the Service plans and makes certificates. */
const leaseOf = (config: Config, kubernetes: Kubernetes, log: Logger): Lease =>
  wantLease({
    request: kubernetes.request,
    namespace: config.serviceNamespace ?? kubernetes.namespace,
    name: config.serviceName,
    identity: `${hostname()}_${randomUUID()}`,
    onProblem: (problem) =>
      problem === null ? log.info({}, 'Lease is reached again') : log.warn({ problem }, 'Lease not reached'),
    onChange: (leads) => log.info({}, leads ? 'leading' : 'no longer leading'),
  });

/** Another replica need not wait until our Lease runs out. */
const letGo = async (lease: Lease, log: Logger): Promise<void> => {
  try {
    await lease.release();
  } catch (error) {
    log.warn({ problem: messageOf(error) }, 'Lease not released; it runs out by itself');
  }
};

const servingCertificate = (config: Config, kubernetes: Kubernetes, lease: Lease, log: Logger) =>
  config.tlsCertFile !== null && config.tlsPrivateKeyFile !== null
    ? certificateFromFiles(config.tlsCertFile, config.tlsPrivateKeyFile, log)
    : certificateFromSecret({
        kubernetes: kubernetes.request,
        namespace: config.serviceNamespace ?? kubernetes.namespace,
        secret: `${config.serviceName}-serving-certificate`,
        service: config.serviceName,
        apiServices: [
          'v1beta1.custom.metrics.k8s.io',
          'v1beta2.custom.metrics.k8s.io',
          ...(config.externalMetrics ? ['v1beta1.external.metrics.k8s.io'] : []),
        ],
        leads: lease.leads,
        log,
      });

const tokenFile = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** Another adapter behind us, asked in the name of the pod's ServiceAccount; its token is renewed in place. */
const upstreamFrom = (config: Config, { name, url }: { readonly name: string; readonly url: string }, log: Logger) =>
  upstreamAdapter({
    name,
    url,
    ca: config.upstreamCaFile === null ? null : readFileSync(config.upstreamCaFile, 'utf8'),
    token: async () => (await readFile(tokenFile, 'utf8')).trim(),
    groupVersions: [
      'custom.metrics.k8s.io/v1beta1',
      'custom.metrics.k8s.io/v1beta2',
      ...(config.externalMetrics ? ['external.metrics.k8s.io/v1beta1'] : []),
    ],
    log,
  });
