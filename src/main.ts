import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { schedule } from 'node-cron';
import type { Logger } from 'pino';
import { certificateFromSecret } from './api/certificates.ts';
import { startPlainMetrics } from './api/plain-metrics.ts';
import type { RunningServer } from './api/start.ts';
import { startServer } from './api/start.ts';
import { certificateFromFiles } from './api/tls.ts';
import { upstreamAdapter } from './api/upstream.ts';
import { kubernetes as connectKubernetes, type Kubernetes } from './cluster/kubernetes.ts';
import { watchCluster } from './cluster/watch.ts';
import { type Config, historySeconds } from './config.ts';
import { messageOf } from './errors.ts';
import { createBoard } from './planner/board.ts';
import { createLoop, type Loop } from './planner/loop.ts';
import { priceTable } from './planner/offers.ts';
import { planOf } from './planner/plan.ts';
import { snapshotsFolder } from './planner/snapshots-folder.ts';
import { profileSources } from './profiles/sources.ts';
import { createLogger, plannerRegistry, tickReporter } from './telemetry.ts';
import { version } from './version.ts';
import { workloadReader } from './workload/reader.ts';
import { redisStore } from './workload/redis.ts';

/** Runs `gpumix serve` until it is told to stop. The one place that names both Redis and Kubernetes. */
export const serve = async (config: Config): Promise<void> => {
  const log = createLogger(config.logLevel);
  const kubernetes = connectKubernetes(config.kubeconfig);
  const store = redisStore(
    {
      url: config.redisUrl,
      mode: config.redisMode,
      masterName: config.redisMasterName,
      username: config.redisUsername,
      password: config.redisPassword,
      sentinelPassword: config.redisSentinelPassword,
      caFile: config.redisCaFile,
      timeoutSeconds: config.redisTimeoutSeconds,
    },
    (problem) => log.warn({ problem }, 'redis connection'),
  );
  const clock = () => Date.now() / 1000;
  const reader = workloadReader(store, { ...config, historySeconds: historySeconds(config), instance: hostname() });
  const profiles = profileSources((keys) => store.read(keys), config.profiles);
  const cluster = watchCluster(kubernetes, config.gatewaySelector);
  const board = createBoard(cluster.deployments, cluster.pods, config.staleAfterSeconds, clock);
  const save = config.snapshots === null ? null : snapshotsFolder(config.snapshots, config.snapshotsKept);
  const report = tickReporter(log);
  const loop = createLoop({
    cluster,
    readWorkload: (names) => reader.read(names),
    readProfiles: (wanted, now) => profiles(wanted, now),
    solve: (snapshot) => planOf(snapshot, () => performance.now(), { routing: save !== null }),
    board,
    settings: { ...config, prices: priceTable(config.prices), keepSnapshot: save !== null },
    clock,
    onTick: (decided, problems) => {
      report(decided, problems);
      if (save !== null && decided.snapshot !== null && decided.plan !== null) save(decided.snapshot, decided.plan);
    },
  });
  const upstream = config.upstream === null ? undefined : upstreamFrom(config, config.upstream, log);
  const plainMetrics =
    config.plainMetricsPort === null
      ? null
      : await startPlainMetrics(board, config.bindAddress, config.plainMetricsPort);
  const server = await startServer({
    upstream,
    kubernetes: kubernetes.request,
    certificate: await servingCertificate(config, kubernetes, log),
    board,
    version,
    log,
    host: config.bindAddress,
    port: config.securePort,
    external: config.externalMetrics,
    registry: plannerRegistry(board, clock),
    readyChecks: [{ name: 'watch-caches', problem: () => cluster.unsynced().at(0) }],
  });
  log.info({ url: server.url, version }, 'serving');
  const stopTicking = tickOnTheClock(loop, log);
  await told(log);
  await stop(server, config.drainSeconds, log);
  await plainMetrics?.close();
  stopTicking();
  cluster.stop();
  await store.close();
};

const servingCertificate = (config: Config, kubernetes: Kubernetes, log: Logger) =>
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
        leads: () => true,
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

/** Looks every second of the wall clock whether new records should be there; one tick at a time. */
const tickOnTheClock = (loop: Loop, log: Logger): (() => void) => {
  let ticking = false;
  const collect = garbageCollector();
  const turn = async () => {
    if (ticking || !loop.due()) return;
    ticking = true;
    try {
      await loop.tick();
    } catch (error) {
      log.error({ problem: messageOf(error), stack: (error as Error).stack }, 'tick failed');
    } finally {
      ticking = false;
      collect();
    }
  };
  const task = schedule('* * * * * *', turn);
  return () => void task.destroy();
};

/**
 * What a tick allocates is garbage at its end. Left to itself V8 lets the heap grow to several times what is alive before
 * it looks; with 1,000 Deployments that is 300 MiB more, and 50 ms of collecting every ten seconds less.
 */
const garbageCollector = (): (() => void) => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
};

/** Until SIGTERM or SIGINT. */
const told = (log: Logger): Promise<void> =>
  new Promise((done) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        log.info({ signal }, 'stopping');
        done();
      });
    }
  });

const stop = async (server: RunningServer, drainSeconds: number, log: Logger): Promise<void> => {
  await server.drain(drainSeconds);
  log.info({}, 'stopped');
};
