import { readFileSync } from 'node:fs';
import * as z from 'zod/mini';
import { knownRouters, type NamedRouter, routerOf } from '../cluster/router-names.ts';
import { positive, readDocument } from '../formats/documents.ts';
import { stockSources } from '../planner/plan/stock-limits.ts';
import { attainmentExpected, isAttainment } from '../vocabulary/attainment.ts';
import { type RouterKnowledge, routerKnowledges } from '../vocabulary/planning-documents.ts';
import { recordLifetimeSeconds } from '../workload/histogram.ts';
import { redisAddress } from '../workload/redis.ts';
import {
  anyText,
  atLeast,
  type Environment,
  flag,
  flagOf,
  grouped,
  oneOfTexts,
  portNumber,
  portOrNull,
  readableOrNull,
  readSettings,
  type SettingsOf,
  type SettingsTable,
  seconds,
  setting,
  textOrNull,
  wholeFrom,
  zeroToOne,
} from './settings.ts';

const upstream = (value: string): { readonly name: string; readonly url: string } | null => {
  if (value === '') return null;
  const [, namespace, service, port] = /^([a-z0-9-]+)\/([a-z0-9-]+):(\d+)$/.exec(value) ?? [];
  if (namespace === undefined) throw new Error('not NAMESPACE/SERVICE:PORT');
  return { name: `${namespace}/${service}`, url: `https://${service}.${namespace}.svc:${port}` };
};
const configMapName = (value: string): string => {
  if (!/^([a-z0-9-]+\/)?[a-z0-9.-]+$/.test(value)) throw new Error('not [NAMESPACE/]NAME');
  return value;
};
const router = (value: string): NamedRouter => {
  const named = routerOf(value);
  if (named === null) throw new Error(`not ${knownRouters}`);
  if (typeof named === 'string') throw new Error(named);
  return named;
};
const attainment = (value: string): number => {
  const share = zeroToOne(value);
  if (!isAttainment(share)) throw new Error(`not ${attainmentExpected}`);
  return share;
};
const labelList = (value: string): readonly string[] => {
  const keys = value.split(',').filter((key) => key !== '');
  const broken = keys.find((key) => !/^([a-z0-9.-]+\/)?[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?$/.test(key));
  if (broken !== undefined) throw new Error(`${JSON.stringify(broken)} is no label key`);
  return keys;
};
const namespaceList = (value: string): readonly string[] => {
  const names = value.split(',').filter((name) => name !== '');
  const broken = names.find((name) => !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name));
  if (broken !== undefined) throw new Error(`${JSON.stringify(broken)} is no name of a namespace`);
  return names;
};
const budget = (value: string): number | null => (value === '' ? null : atLeast(0)(value));
/** The format of a file of prices: $ per GPU and hour by type. */
export const pricesSchema = z.record(z.string(), positive);
const prices = (file: string): Readonly<Record<string, number>> =>
  file === ''
    ? {}
    : readDocument(pricesSchema, JSON.parse(readFileSync(file, 'utf8')), (what) => {
        throw new Error(what);
      });

const redisUrl = (value: string): string => {
  redisAddress(value);
  return value;
};

/** How Redis is reached; the gateway has the same. */
export const redisSettings = grouped('Redis', {
  redisUrl: setting(
    redisUrl,
    'redis://localhost:6379',
    'the Redis that the gateway writes to: redis://[user:password@]host[:port][/db]; rediss: uses TLS; separate several hosts by commas',
    'REDIS_URL',
  ),
  redisMode: setting(
    oneOfTexts('single', 'sentinel', 'cluster'),
    'single',
    'single, sentinel (the hosts are Sentinels) or cluster',
  ),
  redisMasterName: setting(anyText, 'mymaster', 'name of the master group, for Sentinel'),
  redisUsername: setting(textOrNull, '', 'user name; overrides the one in the URL', 'REDIS_USERNAME'),
  redisPassword: setting(
    textOrNull,
    '',
    'password; overrides the one in the URL. Set it in the environment rather than as a flag',
    'REDIS_PASSWORD',
  ),
  redisSentinelPassword: setting(textOrNull, '', 'password of the Sentinels', 'REDIS_SENTINEL_PASSWORD'),
  redisCaFile: setting(readableOrNull, '', 'PEM file of the authorities that may sign the certificate of Redis'),
  redisTimeoutSeconds: setting(seconds, '3', 'longest wait for one answer of Redis (s)'),
} satisfies SettingsTable);

/** The settings of `gpumix serve`. */
export const settings = {
  ...redisSettings,
  ...grouped('Redis', {
    keyPrefix: setting(anyText, 'gpumix:', 'prefix of every Redis key that gpumix writes'),
    planPrefix: setting(anyText, 'gpumix:', 'prefix of the keys of plans; installations that share a Redis need different ones'),
    routingPlans: setting(
      flag,
      'false',
      'write a routing plan for each model to Redis, <plan-prefix>plan:<model>, for routers that follow it',
    ),
  }),
  ...grouped('What is read', {
    kubeconfig: setting(textOrNull, '', 'kubeconfig file; empty = KUBECONFIG, else the pod’s ServiceAccount'),
    profiles: setting(readableOrNull, '', 'folder of profiles, <model>/<file>.json; profiles in Redis come first'),
    namespaces: setting(namespaceList, '', 'plan only for Deployments in these namespaces, NAME[,NAME]; empty = all namespaces'),
    prices: setting(prices, '', 'JSON file of prices per GPU and hour, by GPU type; overrides the built-in list'),
    intervalSeconds: setting(atLeast(1), '10', 'the gateway’s interval, unless its records state another (s)'),
    settleSeconds: setting(seconds, '2', 'how long after the end of its interval a record is written (s)'),
  }),
  ...grouped('Demand', {
    windowSeconds: setting(
      atLeast(1),
      '120',
      'time over which arrivals are averaged, or less if the rate has certainly changed meanwhile (s)',
    ),
    shapeWindowSeconds: setting(atLeast(1), '240', 'time over which the sizes of ended requests are counted (s)'),
    startupSeconds: setting(
      seconds,
      '600',
      'startup time of a replica, until gpumix has learned it from pods; also how far ahead demand is forecast (s)',
    ),
    backlogSeconds: setting(atLeast(1), '120', 'time in which what runs works off requests that wait longer than usual (s)'),
    attainment: setting(
      attainment,
      '0.99',
      'share of the requests that are to be within the limits of the profiles; extra demand is planned for by it',
    ),
    headroom: setting(atLeast(0), '0', 'least extra demand to plan for; 0.1 = 10 %'),
    wakeAhead: setting(
      flag,
      'true',
      'start replicas of an idle model ahead of the time of day at which its requests came on earlier days',
    ),
  }),
  ...grouped('Targets', {
    holdDownSeconds: setting(seconds, '120', 'how long plans must want a lower target before it is published (s)'),
    growAtOnce: setting(
      atLeast(1),
      '3',
      'factor by which a target may grow at once; more growth waits for a second plan that agrees',
    ),
    followAfterSeconds: setting(
      seconds,
      '120',
      'if spec.replicas does not move toward its target for this time, plus the autoscaler’s own delays, plan around the Deployment (s)',
    ),
    switchSavings: setting(
      atLeast(0),
      '0.1',
      'share of the cost that a change of mix must save if it needs more of some GPU type; 0.1 = 10 %; 0 = every plan is followed at once',
    ),
  }),
  ...grouped('Silence', {
    idleAfterSeconds: setting(seconds, '240', 'time without requests after which a model is idle (s)'),
    staleAfterSeconds: setting(seconds, '300', 'how long a plan stays valid without new data (s)'),
    trustSilence: setting(
      flag,
      'false',
      'count a missing record as an interval without requests; for gateways that gpumix cannot see',
    ),
  }),
  ...grouped('Engines, gateways and routers', {
    engineMetricsPort: setting(
      portOrNull,
      '8000',
      'port of the engine’s metrics, for pods without the label model.aibrix.ai/metric-port or model.aibrix.ai/port; empty = do not ask engines',
    ),
    gatewaySelector: setting(
      anyText,
      'aibrix-gateway-plugins',
      'the gateway’s pods: name of their Deployment, or labels key=value,key=value',
    ),
    gpuLabels: setting(
      labelList,
      '',
      'Node labels that name the GPU type, KEY[,KEY]; they come before the known ones (docs/gpu-stock.md)',
    ),
    poolNamespaces: setting(flag, 'false', 'treat a model in several namespaces as one'),
    routing: setting(
      oneOfTexts('auto', ...routerKnowledges),
      'auto',
      'what the router in front knows of a request: size, input, load or none; auto = input behind gpumix gateway, else the value of --router',
    ),
    router: setting(
      router,
      'none',
      'what another router knows of a request: size, input, load or none (round robin); or an AIBrix routing strategy, such as least-request',
    ),
  }),
  ...grouped('Limits', {
    stock: setting(
      oneOfTexts(...stockSources),
      'auto',
      'where the number of GPUs comes from: nodes = Nodes; auto = Nodes, but no limit for types in node pools that may grow; config = only the ConfigMap and ResourceQuotas; none = no limit. The ConfigMap overrides Nodes',
    ),
    stockConfig: setting(
      configMapName,
      'gpumix-stock',
      'the ConfigMap of GPU limits, [NAMESPACE/]NAME, by default in the namespace of the Service. It is optional',
    ),
    budget: setting(budget, '', 'maximum cost per hour of all models together; empty = no limit'),
    nodeLimit: setting(wholeFrom(1), '200000', 'maximum number of nodes in one search, after which the best mix so far is used'),
  }),
  ...grouped('Servers', {
    bindAddress: setting(anyText, '0.0.0.0', 'address to listen on'),
    securePort: setting(portNumber, '6443', 'HTTPS port of the metrics API; 0 = any free port'),
    externalMetrics: setting(flag, 'false', 'also serve external.metrics.k8s.io, unless KEDA or another adapter owns it'),
    tlsCertFile: setting(
      readableOrNull,
      '',
      'serving certificate (PEM), read again when it changes; empty = gpumix makes one and keeps it in a Secret',
    ),
    tlsPrivateKeyFile: setting(readableOrNull, '', 'private key of the serving certificate (PEM)'),
    serviceName: setting(anyText, 'gpumix', 'the Service that the APIServices name'),
    serviceNamespace: setting(textOrNull, '', 'namespace of that Service; empty = the one that gpumix runs in'),
    plainMetricsPort: setting(
      portOrNull,
      '',
      'plain HTTP port of GET /routing/MODEL and GET /metrics/NAMESPACE/DEPLOYMENT; empty = none. The latter is for PodAutoscalers of AIBrix up to v0.4.1, and of releases that fix its issue 2615. v0.5.0 to v0.7.0 read it as 0',
    ),
    upstream: setting(
      upstream,
      '',
      'NAMESPACE/SERVICE:PORT of another metrics adapter, which serves all other metrics (manifests/components/upstream)',
    ),
    upstreamCaFile: setting(
      readableOrNull,
      '',
      'PEM file of the authorities that may sign the certificate of --upstream; empty = the system’s',
    ),
    drainSeconds: setting(seconds, '5', 'how long to keep answering after SIGTERM (s)'),
  }),
  ...grouped('Log and snapshots', {
    snapshots: setting(textOrNull, '', 'folder in which to keep the snapshot and the plan of each tick'),
    snapshotsKept: setting(wholeFrom(1), '360', 'number of ticks to keep in that folder'),
    logLevel: setting(oneOfTexts('trace', 'debug', 'info', 'warn', 'error'), 'info', 'trace, debug, info, warn or error'),
  }),
} satisfies SettingsTable;

type Settings = SettingsOf<typeof settings>;
export interface Config extends Omit<Settings, 'routing' | 'router' | 'stock'> {
  /** Of `--routing`. */
  readonly routerKnowledge: Settings['routing'];
  /** Of `--router`. */
  readonly otherRouterKnowledge: RouterKnowledge;
  /** Of `--stock`. */
  readonly stockSource: Settings['stock'];
  /** What of the router is an approximation, one line; null = nothing. */
  readonly routerNote: string | null;
}

/**
 * The settings of `gpumix serve`.
 * @throws GpumixError BAD_SETTING
 */
export const readConfig = (argv: readonly string[], environment: Environment): Config => {
  const { routing, router, stock, ...config } = readSettings(settings, argv, environment, contradictions);
  const { routerKnowledge: otherRouterKnowledge, note } = router;
  return {
    ...config,
    routerKnowledge: routing,
    otherRouterKnowledge,
    stockSource: stock,
    routerNote: note === null ? null : `--router: ${note}`,
  };
};

/** Settings that cannot both be meant, one line each. */
const contradictions = (config: SettingsOf<typeof settings>): readonly string[] => {
  const { intervalSeconds, settleSeconds, tlsCertFile, tlsPrivateKeyFile } = config;
  const tooLong = tooLongInterval(intervalSeconds);
  // All else would be said of an interval that cannot be.
  if (tooLong.length > 0) return tooLong;
  const notBelowInterval = ['windowSeconds', 'shapeWindowSeconds', 'idleAfterSeconds', 'staleAfterSeconds'] as const;
  return [
    ...notBelowInterval
      .filter((name) => config[name] < intervalSeconds)
      .map((name) => `--${flagOf(name)} ${config[name]} is shorter than --interval-seconds ${intervalSeconds}`),
    ...(settleSeconds < intervalSeconds
      ? []
      : [`--settle-seconds ${settleSeconds} is not shorter than --interval-seconds ${intervalSeconds}`]),
    ...((tlsCertFile === null) === (tlsPrivateKeyFile === null)
      ? []
      : ['--tls-cert-file and --tls-private-key-file go together']),
    ...(config.upstreamCaFile !== null && config.upstream === null ? ['--upstream-ca-file is of no use without --upstream'] : []),
  ];
};

/** A record lives ten minutes. */
export const tooLongInterval = (intervalSeconds: number): readonly string[] =>
  intervalSeconds <= recordLifetimeSeconds
    ? []
    : [`--interval-seconds ${intervalSeconds} is longer than a record lives (${recordLifetimeSeconds} s)`];

/**
 * How far back records are of use (s): the longest of the windows, and a minute for late ones. Redis keeps them ten minutes,
 * we longer.
 */
export const historySeconds = (config: Config): number =>
  Math.max(config.windowSeconds, config.shapeWindowSeconds, config.idleAfterSeconds) + 60;

/**
 * `NAMESPACE/NAME` of the ConfigMap of GPU limits; one without a namespace is beside our Service. @param ours the namespace
 * that we run in
 */
export const stockConfigName = ({ stockConfig, serviceNamespace }: Config, ours: string): string =>
  stockConfig.includes('/') ? stockConfig : `${serviceNamespace ?? ours}/${stockConfig}`;
