import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import { recordKey } from '../../src/workload/histogram.ts';
import { recordWriter } from '../../src/workload/record-writer.ts';
import { type RedisSettings, redisDefaults, redisStore } from '../../src/workload/redis.ts';
import type { IntervalRecord } from '../../src/workload/request-counts.ts';
import type { Store } from '../../src/workload/store.ts';
import { type RedisServer, startCluster, startRedis, until } from '../helpers/redis.ts';

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end();
});

const server = async (...config: Parameters<typeof startRedis>): Promise<RedisServer> => {
  const started = await startRedis(...config);
  cleanup.push(() => started.kill());
  return started;
};
const clientOf = ({ port }: RedisServer): Redis => {
  const client = new Redis(port);
  cleanup.push(() => client.disconnect());
  return client;
};
const open = (url: string, more: Partial<RedisSettings> = {}): Store => {
  const store = redisStore({ ...redisDefaults, redisUrl: url, ...more }, () => {});
  cleanup.push(() => store.close());
  return store;
};

/**
 * An endpoint as a managed Redis has it: new connections go to another server after a move, and open ones stay where they are.
 */
const movingEndpoint = async (first: RedisServer) => {
  const sockets = new Set<Socket>();
  const endpoint = { target: first.port, port: 0 };
  const proxy = createServer((client) => {
    const upstream = connect(endpoint.target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
  endpoint.port = (proxy.address() as { port: number }).port;
  cleanup.push(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  return endpoint;
};

const record = (time: number): IntervalRecord => ({
  model: 'm',
  time,
  round: 1,
  fields: { meta_v: 4, meta_interval_sec: 10, meta_precision: 10, meta_total_reqs: 7, '100:60': 7 },
});
const writerOf = (store: Store, instance = 'gateway') =>
  recordWriter(store, { instance, keyPrefix: 'gpumix:', intervalSeconds: 10 });
const arrivalsIn = async (client: Redis, time: number): Promise<number | null> => {
  const text = await client.get(recordKey('m', time));
  return text === null ? null : JSON.parse(text)['meta_total_reqs'];
};

describe('a primary that becomes a replica while connections to it stay open', () => {
  test('records go on at the next write, and what had not been replicated is written again, 20 times of 20', {
    timeout: 60_000,
  }, async () => {
    // A replica is served at once, not after the seconds in which others may come.
    const servers = [await server(['repl-diskless-sync-delay 0']), await server(['repl-diskless-sync-delay 0'])];
    const clients = servers.map(clientOf);
    await clients[1]!.replicaof('127.0.0.1', servers[0]!.port);
    const endpoint = await movingEndpoint(servers[0]!);
    const writer = writerOf(open(`redis://127.0.0.1:${endpoint.port}`));
    const caughtUp = (replica: Redis) => until(async () => (await replica.info('replication')).includes('master_link_status:up'));
    let time = 1000;
    for (let tried = 0; tried < 20; tried += 1) {
      const [primary, replica] = tried % 2 === 0 ? [0, 1] : [1, 0];
      await caughtUp(clients[replica]!);
      await writer.write([record(time)], time);
      await until(async () => (await arrivalsIn(clients[replica]!, time)) === 7);
      // Written to the old primary alone, and lost with it.
      await clients[replica]!.replicaof('NO', 'ONE');
      await writer.write([record(time + 10)], time + 10);
      await clients[primary]!.replicaof('127.0.0.1', servers[replica]!.port);
      endpoint.target = servers[replica]!.port;
      await writer.write([record(time + 20)], time + 20);
      expect(writer.kept()).toBe(0);
      const seen = await Promise.all([0, 10, 20].map((later) => arrivalsIn(clients[replica]!, time + later)));
      expect(seen).toEqual([7, 7, 7]);
      time += 30;
    }
  });

  test('where every server refuses, the reason is said', async () => {
    const only = await server();
    await clientOf(only).replicaof('127.0.0.1', 1);
    await expect(open(only.url).write('k', 'v', null)).rejects.toThrow(/READONLY/);
  });
});

test('a slot of a Cluster that moves takes its records along', async () => {
  const nodes = await startCluster();
  cleanup.push(() => Promise.all(nodes.map((node) => node.kill())));
  const clients = nodes.map(clientOf);
  const store = open(`redis://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`, { redisMode: 'cluster' });
  const writer = writerOf(store);
  await writer.write([record(1000)], 1000);
  const slot = Number(await clients[0]!.call('CLUSTER', 'KEYSLOT', recordKey('m', 1000)));
  const ids = await Promise.all(clients.map((client) => client.call('CLUSTER', 'MYID') as Promise<string>));
  const from = slot < 5461 ? 0 : slot < 10_923 ? 1 : 2;
  const to = (from + 1) % 3;
  await clients[to]!.call('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', ids[from]!);
  await clients[from]!.call('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', ids[to]!);
  await clients[from]!.call('MIGRATE', '127.0.0.1', String(nodes[to]!.port), recordKey('m', 1000), '0', '5000');
  for (const client of [clients[to]!, clients[from]!, clients[3 - from - to]!])
    await client.call('CLUSTER', 'SETSLOT', String(slot), 'NODE', ids[to]!);
  await writerOf(store, 'another').write([record(1000)], 1000);
  expect(await store.read([recordKey('m', 1000)])).toEqual([expect.stringContaining('"meta_total_reqs":14')]);
});

test('through Sentinel over TLS', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gpumix-tls-'));
  cleanup.push(() => rmSync(folder, { recursive: true }));
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem'];
  execFileSync('openssl', ['req', '-x509', ...key, '-out', 'cert.pem', '-days', '2', ...subject], {
    cwd: folder,
    stdio: 'ignore',
  });
  const tls = [
    'tls-port {port}',
    `tls-cert-file ${folder}/cert.pem`,
    `tls-key-file ${folder}/key.pem`,
    `tls-ca-cert-file ${folder}/cert.pem`,
    'tls-auth-clients no',
    'tls-replication yes',
  ];
  const master = await server(tls);
  const sentinel = await server(
    [...tls, `sentinel monitor group 127.0.0.1 ${master.port} 1`, 'sentinel down-after-milliseconds group 1000'],
    undefined,
    ['--sentinel'],
  );
  const more = { redisMode: 'sentinel', redisMasterName: 'group', redisCaFile: `${folder}/cert.pem` } as const;
  const store = open(`rediss://127.0.0.1:${sentinel.port}`, more);
  await until(async () =>
    store.write('k', 'v', null).then(
      () => true,
      () => false,
    ),
  );
  expect(await store.read(['k'])).toEqual(['v']);
});
