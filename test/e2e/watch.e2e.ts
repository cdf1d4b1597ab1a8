import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { kubernetes } from '../../src/cluster/kubernetes-connection.ts';
import { type Cluster, watchCluster } from '../../src/cluster/watch.ts';
import { apply, eventually, kubectl, ownCluster } from './cluster.ts';

/** The watches of `serve` on the real kube-apiserver, through a TCP proxy that can stop forwarding, or refuse. */
const { kubeconfig } = ownCluster;
const namespace = 'e2e-watch';
const watched = { gatewaySelector: 'no-gateway', stockConfig: `${namespace}/stock` };
const folder = mkdtempSync(join(tmpdir(), 'gpumix-watch-'));
const proxy = { frozen: new WeakSet<Socket>(), sockets: new Set<Socket>(), refusing: false, connections: 0 };
let server: ReturnType<typeof createServer>;
let cluster: Cluster;

const deployment = (name: string, min: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace, labels: { 'model.aibrix.ai/name': 'm', 'model.aibrix.ai/min_replicas': min } },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'engine', image: 'engine:none' }] } },
  },
});
const idleReplicas = async (name: string): Promise<string> =>
  String(cluster.deployments.get(`${namespace}/${name}`)?.idleReplicas);

beforeAll(async () => {
  const document = parse(readFileSync(kubeconfig, 'utf8'));
  const upstream = new URL(document.clusters[0].cluster.server);
  server = createServer((socket) => {
    proxy.connections += 1;
    if (proxy.refusing) {
      socket.destroy();
      return;
    }
    proxy.sockets.add(socket);
    const behind = connect(Number(upstream.port), upstream.hostname);
    socket.on('data', (chunk) => proxy.frozen.has(socket) || behind.write(chunk));
    behind.on('data', (chunk) => proxy.frozen.has(socket) || socket.write(chunk));
    socket.on('error', () => {}).on('close', () => behind.destroy());
    behind.on('error', () => {}).on('close', () => proxy.frozen.has(socket) || socket.destroy());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  document.clusters[0].cluster.server = `https://127.0.0.1:${(server.address() as { port: number }).port}`;
  document.clusters[0].cluster['tls-server-name'] = upstream.hostname === '127.0.0.1' ? undefined : upstream.hostname;
  writeFileSync(join(folder, 'kubeconfig'), JSON.stringify(document));
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, deployment('a', '1'));
  cluster = watchCluster(kubernetes(join(folder, 'kubeconfig')), watched);
  await eventually('synced', async () => JSON.stringify(cluster.unsynced()), '[]');
});

afterAll(async () => {
  cluster?.stop();
  for (const socket of proxy.sockets) socket.destroy();
  server?.close();
  rmSync(folder, { recursive: true, force: true });
  await kubectl(['delete', 'namespace', namespace]);
});

test('with --namespaces, Deployments of others are not seen', async () => {
  const connection = kubernetes(join(folder, 'kubeconfig'));
  for (const [namespaces, seen] of [
    [[namespace, 'elsewhere'], 1],
    [['elsewhere'], 0],
  ] as const) {
    const watching = watchCluster(connection, { ...watched, namespaces });
    await eventually('synced', async () => JSON.stringify(watching.unsynced()), '[]');
    expect(watching.deployments.size).toBe(seen);
    watching.stop();
  }
});

test('changes are seen at once; a broken label harms one Deployment, and what it said before stands', async () => {
  await apply(deployment('a', '2'), deployment('b', '3'));
  await eventually('a', () => idleReplicas('a'), '2');
  await apply(deployment('a', 'many'), deployment('b', '4'));
  await eventually('b', () => idleReplicas('b'), '4');
  expect(await idleReplicas('a')).toBe('2');
  expect(cluster.problems()).toEqual([
    `Deployment ${namespace}/a: model.aibrix.ai/min_replicas is "many", not a whole number from 0`,
  ]);
});

test('a Deployment deleted and made again is a new one', async () => {
  const before = cluster.deployments.get(`${namespace}/b`)?.uid;
  await kubectl(['delete', 'deployment', 'b', '-n', namespace]);
  await eventually('gone', () => idleReplicas('b'), 'undefined');
  await apply(deployment('b', '7'));
  await eventually('again', () => idleReplicas('b'), '7');
  expect(cluster.deployments.get(`${namespace}/b`)?.uid).not.toBe(before);
});

test('fault: watches whose connections are silently dead are noticed within a minute', async () => {
  for (const socket of proxy.sockets) proxy.frozen.add(socket);
  await apply(deployment('a', '5'));
  await eventually('seen over a new connection', () => idleReplicas('a'), '5', 60);
});

test('fault: an API server that refuses every connection is not flooded, and is followed again when it is back', async () => {
  proxy.refusing = true;
  for (const socket of proxy.sockets) socket.destroy();
  const before = proxy.connections;
  await eventually(
    'said',
    async () => cluster.problems().join('\n'),
    /deployments: GET .*(socket hang up|ECONNRESET|disconnected)/,
  );
  await new Promise((done) => setTimeout(done, 20_000));
  // Seven kinds are watched (two more are not installed): at most one attempt each at 0.25 s, 0.5 s, 1 s ... 15 s.
  expect(proxy.connections - before).toBeLessThan(90);
  expect(await idleReplicas('a')).toBe('5');
  proxy.refusing = false;
  await apply(deployment('a', '6'));
  await eventually('followed again', () => idleReplicas('a'), '6', 60);
  await eventually(
    'no problem left',
    async () =>
      cluster
        .problems()
        .filter((problem) => problem.includes('GET'))
        .join('\n'),
    '',
    60,
  );
});
