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
import { writeWarning } from './cluster/events.ts';
import { kubernetes as connectKubernetes, type Kubernetes } from './cluster/kubernetes-connection.ts';
import { type Lease, wantLease } from './cluster/lease.ts';
import type { ModelDeployment } from './cluster/variant.ts';
import { type Cluster, watchCluster } from './cluster/watch.ts';
import { type Config, stockConfigName } from './config/serve-config.ts';
import { type ModelThatCannotWake, servingThread } from './planner/planner-thread.ts';
import { type Board, createBoard } from './planner/publish/board.ts';
import { driftGauge, plannerRegistry } from './planner/publish/planner-metrics.ts';
import { cannotWakeText } from './planner/report/cannot-wake.ts';
import type { Drift } from './profiles/drift.ts';
import { garbage } from './runtime/garbage.ts';
import { lastingThread } from './runtime/lasting-thread.ts';
import { createLogger } from './runtime/logger.ts';
import { callsThrough } from './runtime/thread-calls.ts';
import { untilTold } from './runtime/until-told.ts';
import { version } from './runtime/version.ts';
import { messageOf } from './vocabulary/errors.ts';
import { redisStore } from './workload/redis.ts';

const clock = () => Date.now() / 1000;
/** Beside this file, in the sources as in the bundle. */
const plannerFile = new URL(import.meta.url.endsWith('.ts') ? './main-planner.ts' : './main-planner.js', import.meta.url);

/** Runs `gpumix serve` until it is told to stop: this thread serves and watches the cluster, another plans. */
export const serve = async (config: Config): Promise<void> => {
  const log = createLogger(config.logLevel);
  const kubernetes = connectKubernetes(config.kubeconfig);
  const lease = leaseOf(config, kubernetes, log);
  const stockConfig = stockConfigName(config, kubernetes.namespace);
  const cluster = watchCluster(kubernetes, { ...config, stockConfig });
  const board = createBoard(cluster.deployments, cluster.pods, config.staleAfterSeconds, clock, cluster.boundsNow);
  const planner = startPlanner(config, { kubernetes, cluster, lease, board }, log);
  const servers = await startServers(config, { kubernetes, cluster, lease, board, drifts: planner.drifts }, log);
  await untilTold(log);
  await letGo(lease, log);
  await servers.stop();
  await planner.stop();
  cluster.stop();
};

interface Served {
  readonly kubernetes: Kubernetes;
  readonly cluster: Cluster;
  readonly lease: Lease;
  readonly board: Board;
}

type Planner = ReturnType<typeof startPlanner>;

/** The thread that plans. While there is none what was said last stands, and ages. */
const startPlanner = (config: Config, { kubernetes, cluster, lease, board }: Served, log: Logger) => {
  const warn = cannotWakeWarnings(cluster.deployments, kubernetes, log);
  const { collectIfMuch } = garbage(12 << 20, 0.4);
  let drifts: ReadonlyMap<string, Drift> = new Map();
  const thread = lastingThread({
    file: plannerFile,
    workerData: { config, installation: `${config.serviceNamespace ?? kubernetes.namespace}/${config.serviceName}` },
    onStart: (worker) => {
      callsThrough(
        worker,
        servingThread({
          objects: cluster.objects,
          watches: cluster,
          board: {
            publish: (said, at) => {
              board.publish(said, at);
              collectIfMuch();
            },
          },
          leadership: () => ({ leads: lease.leads(), term: lease.term() }),
          onNotes: (cannotWake, found) => {
            warn(cannotWake);
            drifts = found;
          },
        }),
      );
    },
    onEnd: (problem, pauseSeconds) => log.error({ problem, pauseSeconds }, 'the planner has died; it is started again'),
  });
  return { drifts: () => (lease.leads() ? drifts : new Map<string, Drift>()), stop: thread.stop };
};

/** The aggregated API server, and plain metrics where they are asked for. */
const startServers = async (config: Config, served: Served & Pick<Planner, 'drifts'>, log: Logger) => {
  const { kubernetes, cluster, lease, board, drifts } = served;
  const registry = plannerRegistry(board, lease.leads, clock);
  driftGauge(registry, drifts);
  const plainMetrics =
    config.plainMetricsPort === null ? null : await plainMetricsAt(config.plainMetricsPort, config, board, log);
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
      await plainMetrics?.();
    },
  };
};

/** @returns what closes the port */
const plainMetricsAt = async (port: number, config: Config, board: Board, log: Logger): Promise<() => Promise<void>> => {
  const store = redisStore(config, (problem) => log.warn({ problem }, 'redis connection of the plain metrics port'));
  const routingPlan = async (model: string) => (await store.read([`${config.planPrefix}plan:${model}`]))[0] ?? null;
  const server = await startPlainMetrics(board, config.bindAddress, port, routingPlan);
  return async () => {
    await server.close();
    await store.close();
  };
};

/** An Event of each Deployment of a model that nothing will wake, once. */
const cannotWakeWarnings = (
  deployments: ReadonlyMap<string, ModelDeployment>,
  { request }: Kubernetes,
  log: Logger,
): ((cannotWake: readonly ModelThatCannotWake[]) => void) => {
  let warned = new Set<string>();
  const write = async (deployment: ModelDeployment, message: string): Promise<void> => {
    try {
      await writeWarning(request, deployment, { reason: 'CannotWake', message }, new Date());
    } catch (error) {
      log.warn({ problem: messageOf(error) }, 'problem');
    }
  };
  return (cannotWake) => {
    for (const { name, deployments: keys } of cannotWake.filter((model) => !warned.has(model.name)))
      for (const deployment of keys.flatMap((key) => deployments.get(key) ?? [])) void write(deployment, cannotWakeText(name));
    warned = new Set(cannotWake.map(({ name }) => name));
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
