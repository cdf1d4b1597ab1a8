import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePorts } from '../../hack/free-ports.ts';

/** A real redis-server (or valkey-server) on a loopback port of its own. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  readonly process: ChildProcess;
  /** Stops it at once, as a crash would. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export const freePort = async (): Promise<number> => (await freePorts(1))[0]!;

const binary = (() => {
  for (const name of ['redis-server', 'valkey-server']) {
    try {
      execFileSync(name, ['--version'], { stdio: 'ignore' });
      return name;
    } catch {}
  }
  throw new Error('neither redis-server nor valkey-server is on PATH; npm test says how to get one');
})();

/** @param config lines of redis.conf; `{dir}` in them stands for the server's own folder */
export const startRedis = async (
  config: readonly string[] = [],
  port?: number,
  flags: readonly string[] = [],
): Promise<RedisServer> => {
  const directory = mkdtempSync(join(tmpdir(), 'gpumix-redis-'));
  const chosen = port ?? (await freePort());
  const tls = config.some((line) => line.startsWith('tls-port'));
  const lines = [...(tls ? ['port 0'] : [`port ${chosen}`]), 'bind 127.0.0.1', 'save ""', `dir ${directory}`, ...config];
  writeFileSync(
    join(directory, 'redis.conf'),
    `${lines.join('\n').replaceAll('{dir}', directory).replaceAll('{port}', String(chosen))}\n`,
  );
  const child = spawn(binary, [join(directory, 'redis.conf'), ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  let log = '';
  await new Promise<void>((ready, failed) => {
    const listen = (chunk: Buffer) => {
      log += chunk.toString();
      if (/Ready to accept connections|Loading RDB|Sentinel ID is/.test(log)) ready();
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.once('exit', () => failed(new Error(`${binary} ended:\n${log}`)));
  });
  const end = async (signal: NodeJS.Signals) => {
    child.kill('SIGCONT');
    child.kill(signal);
    await exited;
    rmSync(directory, { recursive: true, force: true });
  };
  return {
    port: chosen,
    url: `${tls ? 'rediss' : 'redis'}://127.0.0.1:${chosen}`,
    process: child,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  };
};

/** Three masters that share the slots. */
export const startCluster = async (): Promise<readonly RedisServer[]> => {
  // By itself a node takes the port 10,000 above its own for the others, which may be an outgoing connection's.
  const buses = await freePorts(3);
  const nodes = await Promise.all(
    buses.map((bus) => startRedis(['cluster-enabled yes', `cluster-port ${bus}`, 'cluster-config-file {dir}/nodes.conf'])),
  );
  const clients = nodes.map(({ port }) => new Redis(port));
  const edges = [0, 5461, 10923, 16384];
  for (const [index, client] of clients.entries()) {
    await client.call('CLUSTER', 'ADDSLOTSRANGE', String(edges[index]), String((edges[index + 1] as number) - 1));
    await client.call('CLUSTER', 'MEET', '127.0.0.1', String(nodes[0]?.port), String(buses[0]));
  }
  for (const client of clients) {
    await until(async () => String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok'));
    client.disconnect();
  }
  return nodes;
};

/** One master, one replica, three Sentinels that watch them. */
export const startSentinel = async (masterName: string) => {
  const master = await startRedis();
  const replica = await startRedis([`replicaof 127.0.0.1 ${master.port}`]);
  const sentinels = await Promise.all(
    [0, 1, 2].map(() =>
      startRedis(
        [
          `sentinel monitor ${masterName} 127.0.0.1 ${master.port} 2`,
          `sentinel down-after-milliseconds ${masterName} 1000`,
          `sentinel failover-timeout ${masterName} 5000`,
        ],
        undefined,
        ['--sentinel'],
      ),
    ),
  );
  const client = new Redis(sentinels[0]?.port as number);
  await until(async () => {
    const state = new Map(pairs((await client.call('SENTINEL', 'MASTER', masterName)) as string[]));
    return state.get('num-slaves') === '1' && state.get('num-other-sentinels') === '2';
  });
  client.disconnect();
  return { master, replica, sentinels, url: `redis://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}` };
};

export const until = async (holds: () => Promise<boolean> | boolean, timeoutSeconds = 20): Promise<void> => {
  const deadline = Date.now() + timeoutSeconds * 1000;
  for (;;) {
    if (await holds()) return;
    if (Date.now() > deadline) throw new Error(`did not hold within ${timeoutSeconds} s: ${holds}`);
    await sleep(100);
  }
};

const pairs = (flat: readonly string[]): [string, string][] =>
  flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] as string] as [string, string]] : []));
