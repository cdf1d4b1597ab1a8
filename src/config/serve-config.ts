import { readFileSync } from 'node:fs';
import * as z from 'zod/mini';
import { knownRouters, type NamedRouter, routerOf } from '../cluster/router-names.ts';
import { positive, readDocument } from '../formats/documents.ts';
import { stockSources } from '../planner/plan/stock-limits.ts';
import { type RouterKnowledge, routerKnowledges } from '../vocabulary/planning-documents.ts';
import { recordLifetimeSeconds } from '../workload/histogram.ts';
import { redisAddress } from '../workload/redis.ts';
import {
  anyText,
  atLeast,
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
    'where the gateway writes: redis://[user:password@]host[:port][/db]; rediss: with TLS; host,host: several',
    'REDIS_URL',
  ),
  redisMode: setting(
    oneOfTexts('single', 'sentinel', 'cluster'),
    'single',
    'single, sentinel (the hosts are Sentinels) or cluster',
  ),
  redisMasterName: setting(anyText, 'mymaster', 'with Sentinel: name of the master group'),
  redisUsername: setting(textOrNull, '', 'in place of the one in the URL', 'REDIS_USERNAME'),
  redisPassword: setting(
    textOrNull,
    '',
    'in place of the one in the URL; better in the environment than as a flag',
    'REDIS_PASSWORD',
  ),
  redisSentinelPassword: setting(textOrNull, '', 'of the Sentinels themselves', 'REDIS_SENTINEL_PASSWORD'),
  redisCaFile: setting(readableOrNull, '', 'PEM file of the authorities that may sign the certificate of Redis'),
  redisTimeoutSeconds: setting(seconds, '3', 'how long one answer of Redis may take (s)'),
} satisfies SettingsTable);

/** The settings of `gpumix serve`. */
export const settings = {
  ...redisSettings,
  ...grouped('Redis', {
    keyPrefix: setting(anyText, 'gpumix:', 'before every Redis key of ours'),
    planPrefix: setting(
      anyText,
      'gpumix:',
      'before the key under which the plan is kept; each installation on one Redis needs its own',
    ),
    routingPlans: setting(
      flag,
      'false',
      'write where requests of each size go to Redis, <plan-prefix>plan:<model>, for routers that follow it',
    ),
  }),
  ...grouped('What is read', {
    kubeconfig: setting(textOrNull, '', 'kubeconfig file; empty = KUBECONFIG, else the pod’s ServiceAccount'),
    profiles: setting(readableOrNull, '', 'folder of profiles, <model>/<file>.json; those in Redis come first'),
    namespaces: setting(namespaceList, '', 'plan only for Deployments in these namespaces, NAME[,NAME]; empty = in all'),
    prices: setting(prices, '', 'JSON file of GPU type to price per GPU and hour, over the built-in list'),
    intervalSeconds: setting(atLeast(1), '10', 'the gateway’s interval, until its records name another (s)'),
    settleSeconds: setting(seconds, '2', 'how long after its interval a record is there (s)'),
  }),
  ...grouped('Demand', {
    windowSeconds: setting(
      atLeast(1),
      '120',
      'span over which arrivals become a rate, or the part of it since the rate last changed for certain (s)',
    ),
    shapeWindowSeconds: setting(atLeast(1), '240', 'span over which ended requests become a shape (s)'),
    startupSeconds: setting(
      seconds,
      '600',
      'what a replica takes to start, until that is learned from its pods; and how far ahead demand is looked for (s)',
    ),
    backlogSeconds: setting(atLeast(1), '120', 'time within which requests that wait beyond the normal are worked off (s)'),
    headroom: setting(atLeast(0), '0.1', 'extra demand planned for; 0.1 = 10 %'),
  }),
  ...grouped('Targets', {
    holdDownSeconds: setting(seconds, '120', 'how long a lower target must have been wanted before it is published (s)'),
    growAtOnce: setting(
      atLeast(1),
      '3',
      'factor by which a target may grow at once; growth beyond it waits for a second plan that wants it',
    ),
    followAfterSeconds: setting(
      seconds,
      '120',
      'a target toward which spec.replicas has not moved for so long, and for what its autoscaler may wait, is planned around (s)',
    ),
    switchSavings: setting(
      atLeast(0),
      '0.1',
      'share of the cost that another mix must save if some GPU type would have to grow for it; 0.1 = 10 %',
    ),
  }),
  ...grouped('Silence', {
    idleAfterSeconds: setting(seconds, '240', 'how long nothing must happen before a model is idle (s)'),
    staleAfterSeconds: setting(seconds, '300', 'how long a plan stands without new data (s)'),
    trustSilence: setting(
      flag,
      'false',
      'take a missing record for an interval without requests; for gateways that gpumix cannot see',
    ),
  }),
  ...grouped('Engines, gateways and routers', {
    engineMetricsPort: setting(
      portOrNull,
      '8000',
      'where pods serve their engine’s metrics if their label model.aibrix.ai/metric-port or model.aibrix.ai/port does not say; empty = engines are not asked',
    ),
    gatewaySelector: setting(
      anyText,
      'aibrix-gateway-plugins',
      'the gateway’s pods: name of their Deployment, or labels key=value,key=value',
    ),
    gpuLabels: setting(
      labelList,
      '',
      'labels of Nodes that say which GPU they have, KEY[,KEY], before those that are known (README)',
    ),
    poolNamespaces: setting(flag, 'false', 'treat a model that lives in several namespaces as one'),
    routing: setting(
      oneOfTexts('auto', ...routerKnowledges),
      'auto',
      'what the router in front knows of a request: size, input, load or none; auto = input while a gateway of ours is there, else what --router says',
    ),
    router: setting(
      router,
      'none',
      'what a router that is not ours knows of a request: size, input, load or none (round robin); or the name of an AIBrix routing strategy, such as least-request',
    ),
  }),
  ...grouped('Limits', {
    stock: setting(
      oneOfTexts(...stockSources),
      'auto',
      'how many GPUs there are: nodes = what Nodes show; auto = the same, but for types in node pools that may grow; config = only the ConfigMap and ResourceQuotas; none = no limit. The ConfigMap counts before Nodes',
    ),
    stockConfig: setting(
      configMapName,
      'gpumix-stock',
      'the ConfigMap of GPU limits, [NAMESPACE/]NAME; without a namespace that of the Service. It need not be there',
    ),
    budget: setting(budget, '', 'most that all models together may cost per hour; empty = no limit'),
    nodeLimit: setting(wholeFrom(1), '200000', 'most nodes of one search; the best mix so far is used then'),
  }),
  ...grouped('Servers', {
    bindAddress: setting(anyText, '0.0.0.0', 'address to listen on'),
    securePort: setting(portNumber, '6443', 'HTTPS port of the metrics API; 0 = any free one'),
    externalMetrics: setting(flag, 'false', 'serve external.metrics.k8s.io too; KEDA or another adapter may own it'),
    tlsCertFile: setting(
      readableOrNull,
      '',
      'serving certificate (PEM), read again when it changes; empty = made by gpumix, kept in a Secret',
    ),
    tlsPrivateKeyFile: setting(readableOrNull, '', 'its private key (PEM)'),
    serviceName: setting(anyText, 'gpumix', 'Service that the APIService objects name'),
    serviceNamespace: setting(textOrNull, '', 'its namespace; empty = the one that gpumix runs in'),
    plainMetricsPort: setting(
      portOrNull,
      '',
      'plain HTTP port for GET /routing/MODEL, and for GET /metrics/NAMESPACE/DEPLOYMENT, which PodAutoscalers with an endpoint read in AIBrix up to v0.4.1 and in releases that mend its issue 2615, but not in v0.5.0 to v0.7.0, which take it for 0; empty = none',
    ),
    upstream: setting(
      upstream,
      '',
      'NAMESPACE/SERVICE:PORT of another metrics adapter, which serves what is not ours (manifests/components/upstream)',
    ),
    upstreamCaFile: setting(
      readableOrNull,
      '',
      'PEM file of the authorities that may sign its certificate; empty = the system’s',
    ),
    drainSeconds: setting(seconds, '5', 'how long to go on answering after SIGTERM (s)'),
  }),
  ...grouped('Log and snapshots', {
    snapshots: setting(textOrNull, '', 'folder that keeps the snapshot and the plan of each tick'),
    snapshotsKept: setting(wholeFrom(1), '360', 'how many ticks that folder keeps'),
    logLevel: setting(oneOfTexts('trace', 'debug', 'info', 'warn', 'error'), 'info', 'trace, debug, info, warn or error'),
  }),
} satisfies SettingsTable;

type Settings = SettingsOf<typeof settings>;
export interface Config extends Omit<Settings, 'router'> {
  readonly router: RouterKnowledge;
  /** What of the router is an approximation, one line; null = nothing. */
  readonly routerNote: string | null;
}

/**
 * The settings of `gpumix serve`.
 * @throws GpumixError BAD_SETTING
 */
export const readConfig = (argv: readonly string[], environment: Readonly<Record<string, string | undefined>>): Config => {
  const config = readSettings(settings, argv, environment, contradictions);
  const { routing, note } = config.router;
  return { ...config, router: routing, routerNote: note === null ? null : `--router: ${note}` };
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
