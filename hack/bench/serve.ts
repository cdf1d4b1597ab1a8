import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { startRedis } from '../../test/helpers/redis.ts';
import { cpuSeconds } from '../api/bundled-server.ts';
import { exchange, open } from '../api/exchange.ts';
import { servingTarget } from '../api/serving-target.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { freePorts } from '../free-ports.ts';
import { benchProgress } from './bench-progress.ts';
import { quantile, significant } from './timing.ts';

/**
 * The whole of `gpumix serve` from dist/, with a real kube-apiserver and a real Redis, while every model's requests change their
 * sizes: CPU seconds of a tick in the thread that plans, resident memory, and how long a read of the metrics API takes while that
 * thread works, and while it does not.
 *
 *   npm run bench -- serve [--json] [--quick]
 */
const argv = process.argv.slice(2);
const sizes = argv.includes('--quick') ? [250] : [250, 500, 1000, 1250];
const ticksMeasured = argv.includes('--quick') ? 4 : 8;
const types = [
  { gpu: 'l4', product: 'NVIDIA-L4', throughput: 1 },
  { gpu: 'l40s', product: 'NVIDIA-L40S', throughput: 2 },
  { gpu: 'a100', product: 'NVIDIA-A100-SXM4-80GB', throughput: 4 },
  { gpu: 'h100', product: 'NVIDIA-H100-80GB-HBM3', throughput: 9 },
];
const modelName = (index: number) => `model-${index}`;
const namespace = 'bench';

const deploymentsOf = (index: number) =>
  types.map(({ gpu, product }) => {
    const name = `${modelName(index)}-${gpu}`;
    const labels = { app: name, 'model.aibrix.ai/name': modelName(index) };
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace, labels },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels },
          spec: {
            nodeSelector: { 'nvidia.com/gpu.product': product },
            containers: [{ name: 'engine', image: 'engine:none' }],
          },
        },
      },
    };
  });

const grid = [64, 128, 256, 512, 1024];
const profileOf = (index: number, { gpu, throughput }: (typeof types)[number]) => {
  const tputs = grid.map((output) => grid.map((input) => (throughput * 1000) / (input + 8 * output)));
  return JSON.stringify({ gpu: `${modelName(index)}-${gpu}`, cost: throughput ** 0.9, indexes: [grid, grid], tputs });
};

/** Twelve sizes, other ones each time. */
const recordOf = (index: number, time: number) => {
  const buckets = Object.fromEntries(
    Array.from({ length: 12 }, (_, bucket) => [
      `${70 + bucket}:${60 + ((index + bucket + time / 10) % 20)}`,
      10 + ((bucket * 7 + time / 10) % 5),
    ]),
  );
  const meta = { meta_v: 4, meta_interval_sec: 10, meta_precision: 10, meta_total_reqs: 200, meta_pending_reqs: 0 };
  return JSON.stringify({ ...meta, ...buckets });
};

/** CPU seconds of each thread of a process, by its number. */
const cpuByThread = (pid: number): ReadonlyMap<string, number> =>
  new Map(
    readdirSync(`/proc/${pid}/task`).map((thread) => {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return [thread, (Number(fields[11]) + Number(fields[12])) / 100];
    }),
  );
const peakMiB = (pid: number): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/** Says on stderr, every two seconds, the longest turn of the main thread since the last time (ms). */
const turnsOfMainThread = `data:text/javascript,${encodeURIComponent(`
  import { monitorEventLoopDelay } from 'node:perf_hooks';
  import { isMainThread } from 'node:worker_threads';
  if (isMainThread) {
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    setInterval(() => { console.error('turn ' + (delay.max / 1e6 - 5)); delay.reset(); }, 2000).unref();
  }`)}`;

const controlPlane = await startControlPlane();
const redis = await startRedis();
const client = new Redis(redis.port);
try {
  const { certificate, key, target } = servingTarget(controlPlane);
  await controlPlane.kubectl(['create', 'namespace', namespace]);
  let made = 0;
  const rows: Awaited<ReturnType<typeof measured>>[] = [];
  const progress = benchProgress('serve');
  for (const models of sizes) {
    for (; made < models; made += 25) {
      const some = Array.from({ length: 25 }, (_, at) => made + at);
      const items = some.flatMap(deploymentsOf);
      await controlPlane.kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
      for (const index of some)
        for (const type of types)
          await client.set(`aibrix:profile_${modelName(index)}_${modelName(index)}-${type.gpu}`, profileOf(index, type));
    }
    rows.push(await measured(models, target, certificate, key, (share) => progress.tell((rows.length + share) / sizes.length)));
    if (!argv.includes('--json')) progress.print(JSON.stringify(rows.at(-1)));
  }
  progress.end();
  if (argv.includes('--json')) process.stdout.write(`${JSON.stringify(rows)}\n`);
} finally {
  client.disconnect();
  await redis.kill();
  await controlPlane.stop();
}

async function writeRecords(models: number, time: number): Promise<void> {
  const pipeline = client.pipeline();
  for (let index = 0; index < models; index += 1)
    pipeline.set(`aibrix:${modelName(index)}_request_trace_${time}`, recordOf(index, time), 'EX', 600);
  await pipeline.exec();
}

async function measured(
  models: number,
  target: Omit<Parameters<typeof open>[0], 'port'>,
  certificate: string,
  key: string,
  tell: (share: number) => void,
): Promise<object> {
  const begun = Math.floor(Date.now() / 10_000) * 10;
  for (let time = begun - 290; time <= begun; time += 10) await writeRecords(models, time);
  const [port] = (await freePorts(1)) as [number];
  const child = spawn(
    process.execPath,
    [
      ...['--max-semi-space-size=2', `--import=${turnsOfMainThread}`, join(import.meta.dirname, '../../dist/gpumix.js'), 'serve'],
      ...[`--kubeconfig=${controlPlane.kubeconfig}`, `--redis-url=${redis.url}`, '--bind-address=127.0.0.1'],
      ...[`--secure-port=${port}`, `--tls-cert-file=${certificate}`, `--tls-private-key-file=${key}`, '--log-level=debug'],
      '--engine-metrics-port=',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env['PATH'], MALLOC_ARENA_MAX: '1' } },
  );
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  let [ticks, longestTurn, log] = [0, 0, ''];
  child.stderr.on('data', (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-4000);
    ticks += chunk.toString().split('"msg":"planned"').length - 1;
    for (const [, turn] of chunk.toString().matchAll(/^turn ([\d.]+)/gm)) longestTurn = Math.max(longestTurn, Number(turn));
  });
  const ended = { value: false };
  const writer = (async () => {
    for (let time = begun + 10; !ended.value; time += 10) {
      while (Date.now() < time * 1000 && !ended.value) await sleep(100);
      await writeRecords(models, time);
    }
  })();
  try {
    while (ticks < 2) {
      if (child.exitCode !== null) throw new Error(`serve has ended:\n${log}`);
      await sleep(50);
    }
    longestTurn = 0;
    const pid = child.pid!;
    const alive = () => {
      if (child.exitCode !== null) throw new Error(`serve has ended:\n${log}`);
    };
    // First without a reader: all that the process takes is a tick's, and the watches'.
    const tickSeconds: number[] = [];
    const main = cpuByThread(pid).get(String(pid))!;
    for (let turn = 0; turn < ticksMeasured; turn += 1) {
      tell(turn / (2 * ticksMeasured));
      const [spent, until] = [cpuSeconds(pid), ticks + 1];
      while (ticks < until) {
        alive();
        await sleep(20);
      }
      tickSeconds.push(cpuSeconds(pid) - spent);
    }
    const mainSeconds = (cpuByThread(pid).get(String(pid))! - main) / ticksMeasured;
    const waits: Record<'busy' | 'idle', number[]> = { busy: [], idle: [] };
    const socket = await open({ ...target, port });
    for (let [index, until] = [0, ticks + ticksMeasured]; ticks < until; index += 1) {
      tell(1 - (until - ticks) / (2 * ticksMeasured));
      alive();
      // A read during which the thread that plans took a part of its time is a read beside a tick.
      const [asked, spent] = [performance.now(), planning(pid)];
      await exchange(socket, readOf(index % models));
      const waited = performance.now() - asked;
      await sleep(15);
      const share = (planning(pid) - spent) / ((performance.now() - asked) / 1000);
      (share > 0.3 ? waits.busy : waits.idle).push(waited);
    }
    socket.destroy();
    return {
      models,
      deployments: models * types.length,
      tickCpuSeconds: significant(quantile(tickSeconds, 0.5), 3),
      worstTickCpuSeconds: significant(Math.max(...tickSeconds), 3),
      mainThreadCpuSecondsPerTick: significant(mainSeconds, 3),
      longestTurnOfMainThreadMs: significant(longestTurn, 3),
      reads: [waits.idle.length, waits.busy.length],
      readP99IdleMs: significant(quantile(waits.idle, 0.99), 3),
      readP99WhilePlanningMs: significant(quantile(waits.busy, 0.99), 3),
      peakMiB: Math.round(peakMiB(pid)),
    };
  } finally {
    ended.value = true;
    child.kill('SIGTERM');
    await exited;
    await writer;
  }
}

/** CPU seconds of the thread that plans: the one that Node calls so. */
function planning(pid: number): number {
  const worker = readdirSync(`/proc/${pid}/task`).find(
    (thread) => readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8').trim() === 'WorkerThread',
  );
  return worker === undefined ? 0 : (cpuByThread(pid).get(worker) ?? 0);
}

function readOf(index: number): Buffer {
  const { gpu } = types[index % types.length]!;
  const path = `/apis/custom.metrics.k8s.io/v1beta2/namespaces/${namespace}/deployments.apps/${modelName(index)}-${gpu}/gpumix_target_replicas`;
  const identity = [
    'X-Remote-User: system:serviceaccount:kube-system:horizontal-pod-autoscaler',
    'X-Remote-Group: system:masters',
  ];
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${identity.join('\r\n')}\r\nAccept: application/json\r\n\r\n`);
}
