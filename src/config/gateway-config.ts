import { settings as ofServe, redisSettings, tooLongInterval } from './serve-config.ts';
import {
  anyText,
  atLeast,
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
    planPrefix: setting(anyText, 'gpumix:', 'before the keys of the routing plans, as gpumix serve has it'),
  }),
  ...grouped('What is read', {
    plans: setting(
      plans,
      'redis',
      'where routing plans are read: redis, or the URL of gpumix serve’s plain port (--plain-metrics-port)',
    ),
    kubeconfig: ofServe.kubeconfig,
    endpoints: setting(
      readableOrNull,
      '',
      'JSON file of model to NAMESPACE/DEPLOYMENT to origins, read again when it changes; empty = Kubernetes is watched',
    ),
  }),
  ...grouped('Records', {
    intervalSeconds: setting(atLeast(1), '10', 'length of a record’s interval (s)'),
    instance: setting(anyText, '', 'names this gateway among others; empty = host name and process'),
  }),
  ...grouped('Servers', {
    bindAddress: ofServe.bindAddress,
    // Not GPUMIX_PORT: Kubernetes sets that for a Service called gpumix.
    port: setting(portNumber, '8080', 'HTTP port of the OpenAI calls; 0 = any free one', 'GPUMIX_HTTP_PORT'),
    adminPort: setting(portNumber, '9090', 'HTTP port of /metrics, /livez and /readyz; 0 = any free one'),
  }),
  ...grouped('Routing', {
    overflow: setting(
      atLeast(1),
      '1.5',
      'a variant takes at most so many times the requests in flight that its profile was measured at; then another does',
    ),
    serveLate: setting(
      zeroToOne,
      '0.1',
      'share of the turns that late requests get while others can still have their first token in time; 1 = first come, first served',
    ),
    attempts: setting(wholeFrom(1), '3', 'pods that a request is offered to before it is refused'),
  }),
  ...grouped('Limits', {
    mostRequests: setting(wholeFrom(1), '10000', 'requests in flight, held ones included; more are answered 429'),
    mostConnections: setting(wholeFrom(1), '20000', 'connections of clients; more are closed at once'),
    heldRequests: setting(whole, '1000', 'requests of one model that may wait for a replica; more are answered 429'),
    heldMebibytes: setting(atLeast(0), '64', 'what they may be together (MiB)'),
    heldSeconds: setting(seconds, '600', 'how long each of them waits (s)'),
    requestSeconds: setting(atLeast(1), '1800', 'longest time of one request (s)'),
    connectSeconds: setting(atLeast(0.1), '2', 'how long a pod may take to accept a connection (s)'),
    silenceSeconds: setting(atLeast(1), '300', 'longest silence of a pod that works on a request (s)'),
    bodyMebibytes: setting(atLeast(0.001), '16', 'longest body of a request (MiB); a longer one is answered 413'),
  }),
  ...grouped('Ending', {
    drainSeconds: setting(seconds, '5', 'how long to go on taking requests after SIGTERM (s)'),
    finishSeconds: setting(seconds, '300', 'how long requests in flight may take after that (s)'),
  }),
  ...grouped('Log', {
    logLevel: ofServe.logLevel,
  }),
} satisfies SettingsTable;

export type GatewayConfig = SettingsOf<typeof gatewaySettings>;

/** @throws GpumixError BAD_SETTING */
export const readGatewayConfig = (
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): GatewayConfig =>
  readSettings(gatewaySettings, argv, environment, ({ intervalSeconds, heldSeconds, requestSeconds }) => [
    ...tooLongInterval(intervalSeconds),
    ...(heldSeconds > requestSeconds ? [`--held-seconds ${heldSeconds} is longer than --request-seconds ${requestSeconds}`] : []),
  ]);
