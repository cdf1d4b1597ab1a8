import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { arrivalRate } from '../../src/planner/believe/rates-and-shapes.ts';
import { memoryStore } from '../../src/workload/memory-store.ts';
import { workloadReader } from '../../src/workload/reader.ts';
import { type RedisSettings, redisAddress, redisStore } from '../../src/workload/redis.ts';
import type { Store } from '../../src/workload/store.ts';
import { freePort, type RedisServer, startCluster, startRedis, startSentinel, until } from '../helpers/redis.ts';

const model = 'org/llama*8b';
const settings = (url: string, rest: Partial<RedisSettings> = {}): RedisSettings => ({
  redisUrl: url,
  redisMode: 'single',
  redisMasterName: 'mymaster',
  redisUsername: null,
  redisPassword: null,
  redisSentinelPassword: null,
  redisCaFile: null,
  redisTimeoutSeconds: 2,
  ...rest,
});

const cleanup: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo();
});
const open = (given: RedisSettings, onProblem: (message: string) => void = () => {}): Store => {
  const store = redisStore(given, onProblem);
  cleanup.push(() => store.close());
  return store;
};
const running = async (config: readonly string[] = []): Promise<RedisServer> => {
  const server = await startRedis(config);
  cleanup.push(() => server.kill());
  return server;
};

/** Writes two minutes of records, 42 requests each, and reads the rate that they mean. */
const writtenAndReadRate = async (store: Store): Promise<number> => {
  const now = await store.time();
  const newest = Math.floor((now - 2) / 10) * 10;
  const record = JSON.stringify({
    meta_v: 4,
    meta_interval_sec: 10,
    meta_precision: 10,
    meta_total_reqs: 42,
    '80:60': 40,
  });
  for (let time = newest; time > newest - 120; time -= 10)
    await store.write(`aibrix:${model}_request_trace_${time}`, record, 600);
  return await readRate(store);
};
const readRate = async (store: Store): Promise<number> => {
  const reader = workloadReader(store, {
    intervalSeconds: 10,
    settleSeconds: 2,
    historySeconds: 600,
    keyPrefix: 'gpumix:',
    instance: 'test',
  });
  const { names } = await reader.read([model]);
  return arrivalRate(names.get(model)?.intervals ?? [], 10, 60, {
    silentUntil: Number.NEGATIVE_INFINITY,
    lostUntil: Number.NEGATIVE_INFINITY,
  });
};

describe('the same rates are read from every kind of Redis', () => {
  const tls = mkdtempSync(join(tmpdir(), 'gpumix-tls-'));
  beforeAll(() => {
    const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: tls, stdio: 'ignore' });
    openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      'key.pem',
      '-out',
      'cert.pem',
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=IP:127.0.0.1',
    );
  });
  afterAll(() => rmSync(tls, { recursive: true }));

  test('without a password', async () => {
    expect(await writtenAndReadRate(open(settings((await running()).url)))).toBe(4.2);
  });

  test('with a password that needs percent-encoding', async () => {
    const { port } = await running(['requirepass "p@ss:w/rd"']);
    expect(await writtenAndReadRate(open(settings(`redis://:p%40ss%3Aw%2Frd@127.0.0.1:${port}/3`)))).toBe(4.2);
  });

  test('with a user that may touch only these keys', async () => {
    const { port } = await running([
      'user default off',
      'user gpumix on >secret ~aibrix:* ~gpumix:* +get +mget +set +time +hgetall +hmget +hset +expire +eval +select +client',
    ]);
    expect(
      await writtenAndReadRate(open(settings(`redis://127.0.0.1:${port}`, { redisUsername: 'gpumix', redisPassword: 'secret' }))),
    ).toBe(4.2);
  });

  test('over TLS, the certificate checked', async () => {
    const { port } = await running([
      'tls-port {port}',
      `tls-cert-file ${tls}/cert.pem`,
      `tls-key-file ${tls}/key.pem`,
      'tls-auth-clients no',
    ]);
    const url = `rediss://127.0.0.1:${port}`;
    expect(await writtenAndReadRate(open(settings(url, { redisCaFile: `${tls}/cert.pem` })))).toBe(4.2);
    await expect(open(settings(url)).time()).rejects.toThrow(/certificate/);
  });

  test('as a Cluster', async () => {
    const nodes = await startCluster();
    cleanup.push(() => Promise.all(nodes.map((node) => node.kill())));
    const url = `redis://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
    expect(await writtenAndReadRate(open(settings(url, { redisMode: 'cluster' })))).toBe(4.2);
    const single = open(settings(`redis://127.0.0.1:${nodes[0]?.port}`));
    await expect(Promise.all(['a', 'b', 'c', 'd'].map((key) => single.read([key])))).rejects.toThrow(
      /MOVED.*--redis-mode cluster/,
    );
  });

  test('through Sentinel, also after its failover', async () => {
    const { master, replica, sentinels, url } = await startSentinel('mymaster');
    cleanup.push(() => Promise.all([replica, ...sentinels].map((server) => server.kill())));
    const store = open(settings(url, { redisMode: 'sentinel' }));
    expect(await writtenAndReadRate(store)).toBe(4.2);
    const second = new Redis(replica.port);
    cleanup.push(() => second.disconnect());
    await until(async () => (await second.keys('aibrix:*')).length === 12);
    await master.kill();
    await until(async () => (await second.role())[0] === 'master', 240);
    await until(
      async () =>
        await store.write('gpumix:x', '1', 9).then(
          () => true,
          () => false,
        ),
      // A Sentinel that was held up by others stands aside for half a minute (TILT).
      240,
    );
    expect(await readRate(store)).toBe(4.2);
  });
});

describe('what is wrong with Redis is one clear line', () => {
  test('nothing listens', async () => {
    const port = await freePort();
    await expect(open(settings(`redis://127.0.0.1:${port}`)).time()).rejects.toThrow(
      new RegExp(`ECONNREFUSED 127.0.0.1:${port}`),
    );
  });

  test('NOAUTH', async () => {
    const { url } = await running(['requirepass secret']);
    await expect(open(settings(url)).time()).rejects.toThrow(/NOAUTH/);
  });

  test('a wrong password', async () => {
    const { port } = await running(['requirepass secret']);
    await expect(open(settings(`redis://:wrong@127.0.0.1:${port}`)).time()).rejects.toThrow(/WRONGPASS/);
  });

  test('one that answers slowly is given up for this time, and read again the next', async () => {
    const { port, url } = await running(['enable-debug-command yes']);
    const store = open(settings(url, { redisTimeoutSeconds: 0.3 }));
    expect(await store.time()).toBeGreaterThan(0);
    const sleeper = new Redis(port);
    cleanup.push(() => sleeper.disconnect());
    void sleeper.call('DEBUG', 'SLEEP', '1.5');
    await sleep(100);
    await expect(store.time()).rejects.toThrow(/timed out/);
    await until(
      () =>
        store.time().then(
          () => true,
          () => false,
        ),
      10,
    );
  });

  test('READONLY: rates are read, and the own write says why silence proves nothing', async () => {
    const { url } = await running(['replicaof 127.0.0.1 1', 'replica-serve-stale-data yes']);
    const reader = workloadReader(open(settings(url)), {
      intervalSeconds: 10,
      settleSeconds: 2,
      historySeconds: 600,
      keyPrefix: 'gpumix:',
      instance: 'test',
    });
    expect(await reader.read([model])).toMatchObject({
      writableSince: null,
      writeProblem: expect.stringMatching(/^READONLY/),
    });
  });

  test('LOADING, until it has', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gpumix-rdb-'));
    cleanup.push(() => rmSync(directory, { recursive: true }));
    const first = await running([`dir ${directory}`]);
    const filler = new Redis(first.port);
    await filler.mset(Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`key:${index}`, 'x'.repeat(100)])));
    await filler.save();
    filler.disconnect();
    await first.kill();
    const slowly = [`dir ${directory}`, 'key-load-delay 1000', 'loading-process-events-interval-bytes 1024'];
    const store = open(settings((await running(slowly)).url));
    await expect(store.read(['key:1'])).rejects.toThrow(/LOADING.*as soon as it has/);
    await until(
      () =>
        store.read(['key:1']).then(
          () => true,
          () => false,
        ),
      15,
    );
  });

  test('a connection that no longer forwards is given up, and the next one is used', async () => {
    const server = await running();
    let frozen = false;
    const port = await listen((socket) => {
      const upstream = connect(server.port, '127.0.0.1');
      const stuck = () => frozen;
      socket.on('data', (chunk) => stuck() || upstream.write(chunk));
      upstream.on('data', (chunk) => stuck() || socket.write(chunk));
      socket.on('error', () => {}).on('close', () => upstream.destroy());
    });
    const store = open(settings(`redis://127.0.0.1:${port}`, { redisTimeoutSeconds: 0.3 }));
    expect(await store.time()).toBeGreaterThan(0);
    frozen = true;
    await expect(store.time()).rejects.toThrow(/timed out/);
    await sleep(700);
    frozen = false;
    await until(
      () =>
        store.time().then(
          () => true,
          () => false,
        ),
      5,
    );
  });

  const listen = async (onSocket: (socket: import('node:net').Socket) => void): Promise<number> => {
    const sockets = new Set<import('node:net').Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      onSocket(socket);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    cleanup.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return (server.address() as { port: number }).port;
  };
});

describe('of several plans under one key the latest is kept', () => {
  const plan = (lease: string, transitions: number, sequence: number, at: number, leaseCreatedAt = 0, installation = 'n/s') => ({
    installation,
    lease,
    leaseCreatedAt,
    transitions,
    sequence,
    at,
    document: `${lease} ${transitions} ${sequence}`,
  });
  const kinds = {
    'in Redis': async () => open(settings((await running()).url)),
    'in a Cluster': async () => {
      const nodes = await startCluster();
      cleanup.push(() => Promise.all(nodes.map((node) => node.kill())));
      return open(
        settings(
          nodes
            .map(({ url }) => url.replace(/^redis:\/\//, ''))
            .join(',')
            .replace(/^/, 'redis://'),
          { redisMode: 'cluster' },
        ),
      );
    },
    'in memory': async () => memoryStore(() => 1000),
  };
  test.each(Object.entries(kinds))('%s', async (_kind, start) => {
    const store = await start();
    const keep = (...order: Parameters<typeof plan>) => store.keepPlan('p', plan(...order), 3600);
    expect(await keep('a', 9, 5, 1000)).toBe('kept');
    expect(await keep('a', 9, 5, 1000)).toBe('later');
    expect(await keep('a', 9, 4, 1010)).toBe('later');
    expect(await keep('a', 8, 99, 1010)).toBe('later');
    expect(await keep('a', 10, 1, 1010.5)).toBe('kept');
    // Another installation may have what nobody renews.
    expect(await keep('b', 0, 1, 1070, 0, 'n/other')).toBe('other');
    expect(await keep('b', 0, 1, 1071, 0, 'n/other')).toBe('kept');
    // One Lease made anew takes over at once from the one that was deleted, and never the other way round.
    expect(await keep('b', 4, 7, 1080, 50, 'n/other')).toBe('kept');
    expect(await keep('c', 0, 1, 1081, 60, 'n/other')).toBe('kept');
    expect(await keep('b', 5, 9, 1082, 50, 'n/other')).toBe('other');
    expect(await store.readFields('p', ['installation', 'lease', 'at', 'document', 'nothing'])).toEqual({
      installation: 'n/other',
      lease: 'c',
      at: '1081',
      document: 'c 0 1',
    });
  });
});

describe('redisAddress', () => {
  test.each([
    ['redis://u:p%40ss@h:6380/3', { tls: false, username: 'u', password: 'p@ss', hosts: [{ host: 'h', port: 6380 }], db: 3 }],
    ['redis://h', { tls: false, username: null, password: null, hosts: [{ host: 'h', port: 6379 }], db: 0 }],
    [
      'rediss://:x@a:1,b:2',
      {
        tls: true,
        username: null,
        password: 'x',
        hosts: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
        ],
        db: 0,
      },
    ],
    ['redis://[::1]:7000', { tls: false, username: null, password: null, hosts: [{ host: '::1', port: 7000 }], db: 0 }],
  ])('%s', (url, address) => {
    expect(redisAddress(url)).toEqual(address);
  });

  test('a broken URL is named without its password', () => {
    expect(() => redisAddress('http://u:secret@h')).toThrow(/^Redis URL http:\/\/\.\.\.@h: expected/);
  });
});
