import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Daemon, startDaemon, waitUntil } from '../../cluster/processes.ts';
import { freePorts } from '../../free-ports.ts';
import type { Binaries } from './binaries.ts';

/** AIBrix's gateway: Envoy before one or more replicas of its ext_proc server. */
export interface AibrixGateway {
  /** Envoy, which clients speak to. */
  readonly url: string;
  readonly daemons: readonly Daemon[];
  readonly stop: () => Promise<void>;
}

/** How its server learns of pods: from Kubernetes, or from a file of its own format. */
export type Discovery = { readonly kubeconfig: string } | { readonly endpointsFile: string };

/**
 * Without the two settings about key-value events these releases write no records, whatever the tracing flag says.
 * The synchronisation itself then fails for want of ZeroMQ, which the server logs and lives with.
 */
const tracing = {
  AIBRIX_GPU_OPTIMIZER_TRACING_FLAG: 'true',
  AIBRIX_PREFIX_CACHE_KV_EVENT_SYNC_ENABLED: 'true',
  AIBRIX_PREFIX_CACHE_USE_REMOTE_TOKENIZER: 'true',
  AIBRIX_PREFIX_CACHE_TOKENIZER_TYPE: 'character',
  AIBRIX_PREFIX_CACHE_BLOCK_SIZE: '128',
  POD_NAMESPACE: 'aibrix-system',
};

/**
 * Starts it; requests go to Envoy's replicas in turns.
 * @param folder for configuration and logs
 * @param replicas of the ext_proc server
 */
export const startAibrixGateway = async (
  { plugins, envoy, envoyConfiguration }: Binaries,
  folder: string,
  redisPort: number,
  discovery: Discovery,
  replicas = 1,
): Promise<AibrixGateway> => {
  const daemons: Daemon[] = [];
  const stop = async () => {
    for (const daemon of [...daemons].reverse()) await daemon.stop();
  };
  try {
    const servers: Ports[] = [];
    for (let index = 0; index < replicas; index += 1) {
      const [grpc = 0, http = 0] = await freePorts(2);
      servers.push({ grpc, http });
      daemons.push(startPlugins(plugins, folder, index, { grpc, http }, redisPort, discovery));
    }
    const [port = 0, admin = 0] = await freePorts(2);
    const file = join(folder, 'envoy.json');
    writeFileSync(file, JSON.stringify(envoyOnPorts(envoyConfiguration, port, admin, servers)));
    for (const [index, { http }] of servers.entries())
      await waitUntil(`AIBrix's gateway ${index}`, () => answers(`http://127.0.0.1:${http}/metrics`), daemons[index]);
    const flags = ['-c', file, '--log-level', 'warning', '--concurrency', '1', '--use-dynamic-base-id'];
    const proxy = startDaemon(folder, 'envoy', envoy, flags);
    daemons.push(proxy);
    const url = `http://127.0.0.1:${port}`;
    await waitUntil('Envoy', () => answers(`http://127.0.0.1:${admin}/ready`), proxy);
    return { url, daemons, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

interface Ports {
  readonly grpc: number;
  readonly http: number;
}

const startPlugins = (
  plugins: string,
  folder: string,
  index: number,
  { grpc, http }: Ports,
  redisPort: number,
  discovery: Discovery,
): Daemon => {
  const environment = {
    ...tracing,
    REDIS_HOST: '127.0.0.1',
    REDIS_PORT: String(redisPort),
    POD_NAME: `aibrix-gateway-plugins-${index}`,
  };
  const where =
    'kubeconfig' in discovery
      ? [`-kubeconfig=${discovery.kubeconfig}`]
      : ['-standalone', `-endpoints-config=${discovery.endpointsFile}`];
  const hosts = join(folder, `hosts-${index}`);
  // Its gRPC port is nobody else's, and so is this address.
  writeFileSync(hosts, `127.${grpc >> 8}.${grpc & 255}.1 localhost\n`);
  return startDaemon(folder, `plugins-${index}`, 'unshare', [
    ...ownLocalhost(hosts),
    'env',
    ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    plugins,
    `-grpc-bind-address=127.0.0.1:${grpc}`,
    `-metrics-bind-address=127.0.0.1:${http}`, // v0.6.0 has no other name for it
    '-v=1',
    ...where,
  ]);
};

/**
 * Each server listens at localhost:6060 for profiling and dies where that is taken. So each has a name localhost of its
 * own: a file over /etc/hosts in a mount namespace. As another user than root that takes a user namespace as well.
 */
const ownLocalhost = (hosts: string): readonly string[] => [
  ...(process.getuid?.() === 0 ? [] : ['--map-root-user']),
  '--mount',
  'sh',
  '-c',
  'mount --bind "$1" /etc/hosts && shift && exec "$@"',
  'sh',
  hosts,
];

/** AIBrix's own configuration, with other ports and one endpoint per replica. */
const envoyOnPorts = (file: string, port: number, admin: number, servers: readonly Ports[]): object => {
  const configuration = parse(readFileSync(file, 'utf8'));
  configuration.admin.address.socket_address.port_value = admin;
  configuration.static_resources.listeners[0].address.socket_address = { address: '127.0.0.1', port_value: port };
  for (const cluster of configuration.static_resources.clusters) {
    // With the 1024 requests of the default, Envoy answers 500 to those that come while a small fleet has a queue.
    const most = { max_connections: 10_000, max_pending_requests: 10_000, max_requests: 10_000 };
    cluster.circuit_breakers = { thresholds: [most] };
    const own = ({ grpc, http }: Ports) => (cluster.name === 'gateway_ext_proc' ? grpc : http);
    if (cluster.load_assignment !== undefined)
      cluster.load_assignment.endpoints[0].lb_endpoints = servers.map((server) => ({
        endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: own(server) } } },
      }));
  }
  return configuration;
};

const answers = async (url: string): Promise<boolean> => {
  const response = await fetch(url);
  await response.arrayBuffer();
  return response.ok;
};
