import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { kubernetes } from './cluster/kubernetes-connection.ts';
import type { ModelEndpoints } from './cluster/model-endpoints.ts';
import { watchEndpoints } from './cluster/watch-endpoints.ts';
import type { GatewayConfig } from './config/gateway-config.ts';
import { startAdminServer } from './gateway/admin-server.ts';
import { gatewayMetrics } from './gateway/gateway-metrics.ts';
import { atIntervalEnds } from './gateway/interval-ends.ts';
import { createModelPods, type ModelPods } from './gateway/model-pods.ts';
import { startGatewayServer } from './gateway/openai-server.ts';
import { podConnections } from './gateway/pod-connections.ts';
import { createGateway, type Gateway } from './gateway/proxy.ts';
import { type ReadPlans, watchPlans } from './gateway/routing-plan-reader.ts';
import { sharedThrough } from './gateway/shared-response-origins.ts';
import { endpointsFile } from './gateway/static-endpoints.ts';
import { storeClock } from './gateway/store-clock.ts';
import { tellHeldRequests } from './gateway/tell-held-requests.ts';
import { createLogger, problemReporter } from './runtime/logger.ts';
import { untilTold } from './runtime/until-told.ts';
import { version } from './runtime/version.ts';
import { messageOf } from './vocabulary/errors.ts';
import { recordWriter } from './workload/record-writer.ts';
import { redisStore } from './workload/redis.ts';
import { type EndedInterval, requestCounts } from './workload/request-counts.ts';
import type { Store } from './workload/store.ts';

const podsMilliseconds = 250;
const plansMilliseconds = 2_000;

/** Runs `gpumix gateway` until it is told to stop: the place where its Redis, its Kubernetes and its servers meet. */
export const serveGateway = async (config: GatewayConfig): Promise<void> => {
  const log = createLogger(config.logLevel);
  const outside = connected(config, log);
  const { clock, endpoints, writer, instance } = outside;
  const { gateway, modelPods, metrics, work } = assembled(config, outside, log);
  await clock.read();
  work.look();
  await work.refresh();
  let draining = false;
  const notReady = () => (draining ? 'draining' : (endpoints.unsynced().at(0) ?? null));
  const admin = await startAdminServer(metrics.registry, notReady, config.bindAddress, config.adminPort);
  const server = await startGatewayServer({
    gateway,
    models: modelPods.models,
    host: config.bindAddress,
    port: config.port,
    mostBodyBytes: config.bodyMebibytes * 2 ** 20,
    mostConnections: config.mostConnections,
  });
  const timers = [setInterval(work.look, podsMilliseconds), setInterval(() => void work.refresh(), plansMilliseconds)];
  const endIntervals = atIntervalEnds(config.intervalSeconds, clock, (interval) => void work.write(interval));
  log.info({ url: server.url, admin: admin.url, instance, version }, 'serving');

  await untilTold(log);
  draining = true;
  await sleep(config.drainSeconds * 1000);
  await server.close(config.finishSeconds);
  for (const timer of timers) clearInterval(timer);
  await work.write(endIntervals());
  await writer.leave().catch((error) => log.warn({ problem: messageOf(error) }, 'the heartbeat stays'));
  endpoints.stop();
  await outside.connections.close();
  await admin.close();
  await outside.store.close();
  log.info({}, 'stopped');
};

/** What lies outside of the process: Redis and what is there, the pods and where they are. */
const connected = (config: GatewayConfig, log: Logger) => {
  const store = redisStore(config, (problem) => log.warn({ problem }, 'redis connection'));
  const instance = config.instance === '' ? `${hostname()}-${process.pid}` : config.instance;
  return {
    store,
    instance,
    clock: storeClock(store.time, steady, () => Date.now() / 1000),
    endpoints: config.endpoints === null ? watchEndpoints(kubernetes(config.kubeconfig)) : fixed(config.endpoints),
    plans: watchPlans(config.plans === 'redis' ? fromRedis(store, config.planPrefix) : fromUrl(config.plans.url)),
    writer: recordWriter(store, { ...config, instance }),
    connections: podConnections(config),
  };
};
type Outside = ReturnType<typeof connected>;

/** By no clock that can be set (s). */
const steady = () => performance.now() / 1000;

/** The gateway, and the work that it has to do again and again. */
const assembled = (config: GatewayConfig, { store, clock, endpoints, plans, writer, connections }: Outside, log: Logger) => {
  const modelPods = createModelPods();
  const counts = requestCounts(config.intervalSeconds);
  const reportProblems = problemReporter(log);
  /** Gateways that no longer write, and models of which no pod can be reached, with the reasons. */
  let missing: readonly string[] = [];
  let unreachableModels: ReadonlyMap<string, readonly string[]> = new Map();
  let gateway: Gateway;
  const metrics = gatewayMetrics({
    waiting: () =>
      modelPods.models().map((model) => ({ model, requests: gateway.waiting(model), queued: gateway.queued(model) })),
    pods: () => podsByVariant(modelPods),
    keptRecords: writer.kept,
    missingGateways: () => missing.length,
    inFlight: () => gateway.inFlight(),
  });
  const heldTeller = tellHeldRequests(
    (model) => gateway.held(model),
    writer.hold,
    clock.now,
    (problem) => log.warn({ problem }, 'problem'),
  );
  gateway = createGateway(
    {
      modelPods,
      plan: (model) => plans.current(model, clock.now()),
      connections,
      counts,
      metrics,
      clock: steady,
      unreachable: (model) => unreachableModels.get(model)?.join('; ') ?? null,
      onNoPods: heldTeller.began,
      sharedResponses: sharedThrough(store, config.keyPrefix),
    },
    { ...config, heldBytes: config.heldMebibytes * 2 ** 20 },
  );
  const work = {
    look: (): void => {
      const { origins, unreachable } = endpoints.endpoints();
      unreachableModels = unreachable;
      modelPods.update(origins);
      gateway.podsChanged();
    },
    refresh: async (): Promise<void> => {
      await plans.refresh(modelPods.models());
      await heldTeller.renew();
      const unreachable = new Set([...unreachableModels.values()].flat());
      reportProblems([...endpoints.problems(), ...unreachable, ...plans.problems(modelPods.models(), clock.now()), ...missing]);
    },
    write: async (interval: EndedInterval): Promise<void> => {
      const records = counts.end(interval, modelPods.models(), (model) => gateway.waiting(model));
      try {
        await writer.write(records, interval.time);
        missing = await writer.missing(clock.now());
      } catch (error) {
        log.warn({ problem: messageOf(error), kept: writer.kept() }, 'records are kept until they can be written');
      }
    },
  };
  return { gateway, modelPods, metrics, work };
};

const podsByVariant = (modelPods: ModelPods) =>
  [...new Map(modelPods.models().flatMap((model) => [...(modelPods.variants(model) ?? [])]))].map(([variant, all]) => ({
    variant,
    ready: all.length,
    requests: all.reduce((sum, { requests }) => sum + requests, 0),
  }));

const fixed = (path: string) => {
  const file = endpointsFile(path);
  return {
    endpoints: (): ModelEndpoints => ({ origins: file.origins(), unreachable: new Map() }),
    problems: file.problems,
    unsynced: (): readonly string[] => [],
    stop: () => {},
  };
};

const fromRedis =
  (store: Store, prefix: string): ReadPlans =>
  (models) =>
    models.length === 0 ? Promise.resolve([]) : store.read(models.map((model) => `${prefix}plan:${model}`));

const fromUrl =
  (url: string): ReadPlans =>
  (models) =>
    Promise.all(
      models.map(async (model) => {
        const answer = await fetch(`${url}/routing/${encodeURIComponent(model)}`, {
          signal: AbortSignal.timeout(2_000),
          redirect: 'error',
        });
        if (answer.status === 404) return null;
        if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
        return await answer.text();
      }),
    );
