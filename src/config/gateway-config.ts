import { settings as ofServe, redisSettings, tooLongInterval } from './serve-config.ts';
import {
  anyText,
  atLeast,
  type Environment,
  grouped,
  portNumber,
  readableOrNull,
  readSettings,
  type SettingsOf,
  type SettingsTable,
  seconds,
  setting,
  whole,
  wholeFrom,
  zeroToOne,
} from './settings.ts';

const plans = (value: string): 'redis' | { readonly url: string } => {
  if (value === 'redis') return value;
  if (!/^https?:\/\//.test(value) || !URL.canParse(value)) throw new Error('neither redis nor an http URL');
  return { url: value.replace(/\/$/, '') };
};

/** The settings of `gpumix gateway`. Those that it shares with `serve` are the same rows. */
export const gatewaySettings = {
  ...redisSettings,
  ...grouped('Redis', {
    keyPrefix: ofServe.keyPrefix,
    planPrefix: setting(anyText, 'gpumix:', 'prefix of the keys of routing plans; the same as that of gpumix serve'),
  }),
  ...grouped('What is read', {
    plans: setting(
      plans,
      'redis',
      'where to read routing plans: redis, or the URL of gpumix serve’s plain port (--plain-metrics-port)',
    ),
    kubeconfig: ofServe.kubeconfig,
    endpoints: setting(
      readableOrNull,
      '',
      'JSON file of origins by model and NAMESPACE/DEPLOYMENT, read again when it changes; empty = watch Kubernetes',
    ),
  }),
  ...grouped('Records', {
    intervalSeconds: setting(atLeast(1), '10', 'length of a record’s interval (s)'),
    instance: setting(anyText, '', 'name of this gateway among others; empty = host name and process'),
  }),
  ...grouped('Servers', {
    bindAddress: ofServe.bindAddress,
    // Not GPUMIX_PORT: Kubernetes sets that for a Service called gpumix.
    port: setting(portNumber, '8080', 'HTTP port of the OpenAI calls; 0 = any free port', 'GPUMIX_HTTP_PORT'),
    adminPort: setting(portNumber, '9090', 'HTTP port of /metrics, /livez and /readyz; 0 = any free port'),
  }),
  ...grouped('Routing', {
    overflow: setting(
      atLeast(1),
      '1.5',
      'a Deployment takes at most this many times the requests in flight at which its profile was measured; the others take the rest',
    ),
    serveLate: setting(
      zeroToOne,
      '0.1',
      'share of the turns for late requests, while others can still get their first token in time; 1 = first come, first served',
    ),
    attempts: setting(wholeFrom(1), '3', 'number of pods to offer a request to before it is refused'),
  }),
  ...grouped('Limits', {
    mostRequests: setting(wholeFrom(1), '10000', 'maximum number of requests in flight, held ones included; more get 429'),
    mostConnections: setting(wholeFrom(1), '20000', 'maximum number of client connections; more are closed at once'),
    heldRequests: setting(whole, '1000', 'maximum number of requests of one model that wait for a replica; more get 429'),
    heldMebibytes: setting(atLeast(0), '64', 'maximum size of these requests together (MiB)'),
    heldSeconds: setting(seconds, '600', 'maximum time that each of them waits (s)'),
    requestSeconds: setting(atLeast(1), '1800', 'maximum duration of a request (s)'),
    connectSeconds: setting(atLeast(0.1), '2', 'maximum time for a pod to accept a connection (s)'),
    silenceSeconds: setting(atLeast(1), '300', 'maximum silence of a pod that works on a request (s)'),
    bodyMebibytes: setting(atLeast(0.001), '16', 'maximum size of a request body (MiB); a larger one gets 413'),
  }),
  ...grouped('Ending', {
    drainSeconds: setting(seconds, '5', 'how long to keep accepting requests after SIGTERM (s)'),
    finishSeconds: setting(seconds, '300', 'how long requests in flight may take after that (s)'),
  }),
  ...grouped('Log', {
    logLevel: ofServe.logLevel,
  }),
} satisfies SettingsTable;

export type GatewayConfig = SettingsOf<typeof gatewaySettings>;

/** @throws GpumixError BAD_SETTING */
export const readGatewayConfig = (argv: readonly string[], environment: Environment): GatewayConfig =>
  readSettings(gatewaySettings, argv, environment, ({ intervalSeconds, heldSeconds, requestSeconds }) => [
    ...tooLongInterval(intervalSeconds),
    ...(heldSeconds > requestSeconds ? [`--held-seconds ${heldSeconds} is longer than --request-seconds ${requestSeconds}`] : []),
  ]);
