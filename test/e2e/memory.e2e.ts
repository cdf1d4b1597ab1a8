import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { freePort, type RedisServer, startRedis } from '../helpers/redis.ts';
import { apply, eventually, field, kubectl } from './cluster.ts';
import { build, gpumix, kubeconfigWithToken, type Running } from './gpumix-process.ts';
import { installOnHost, uninstall } from './install.ts';

/** `gpumix serve` with 1,000 Deployments, 200 pods (the controller makes 20 a second) and records of 500 models every 10 s. */
const { ours, kubeconfig } = inject('cluster');
const namespace = 'e2e-memory';
const folder = mkdtempSync(join(tmpdir(), 'gpumix-memory-'));
const limitMebibytes = 150;
let redis: RedisServer;
let adapter: Running;

const deployments = Array.from({ length: 1000 }, (_, index) => {
  const name = `model-${Math.floor(index / 2)}-${index % 2 === 0 ? 'l40s' : 'h100'}`;
  const labels = { app: name, 'model.aibrix.ai/name': `model-${Math.floor(index / 2)}` };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels },
    spec: {
      replicas: index < 200 ? 1 : 0,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels },
        spec: {
          nodeSelector: { 'nvidia.com/gpu.product': index % 2 === 0 ? 'NVIDIA-L40S' : 'NVIDIA-H100-80GB-HBM3' },
          containers: [{ name: 'engine', image: 'engine:none' }],
        },
      },
    },
  };
});

const residentMebibytes = (): number => {
  const status = readFileSync(`/proc/${adapter.process.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
};

describe.runIf(ours)('memory', () => {
  beforeAll(async () => {
    build();
    redis = await startRedis();
    const client = new Redis(redis.port);
    for (let model = 0; model < 500; model += 1)
      for (const [gpu, throughput] of [
        ['l40s', 2],
        ['h100', 9],
      ] as const) {
        const grid = [64, 128, 256, 512, 1024];
        const document = {
          gpu: `model-${model}-${gpu}`,
          cost: 1,
          indexes: [grid, grid],
          tputs: grid.map((output) => grid.map((input) => (throughput * 1000) / (input + 8 * output))),
        };
        await client.set(`aibrix:profile_model-${model}_model-${model}-${gpu}`, JSON.stringify(document));
      }
    client.disconnect();
    const installed = await installOnHost();
    const port = await freePort();
    await installed.serve(port);
    kubeconfigWithToken(kubeconfig, installed.token, join(folder, 'kubeconfig'));
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    for (let start = 0; start < deployments.length; start += 250)
      await kubectl(['create', '-f', '-'], {
        apiVersion: 'v1',
        kind: 'List',
        items: deployments.slice(start, start + 250),
      });
    await eventually(
      'pods',
      async () => (await field('{.items[*].metadata.name}', 'pods', '-n', namespace)).split(' ').length.toString(),
      '200',
      120,
    );
    adapter = gpumix([
      'serve',
      ...[
        '--kubeconfig',
        join(folder, 'kubeconfig'),
        '--redis-url',
        redis.url,
        '--bind-address',
        '127.0.0.1',
        '--secure-port',
        String(port),
      ],
      ...[
        '--service-namespace',
        'gpumix-system',
        '--interval-seconds',
        '1',
        '--settle-seconds',
        '0.3',
        '--log-level',
        'warn',
      ],
    ]);
  }, 300_000);

  afterAll(async () => {
    await uninstall(async () => adapter?.kill());
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
    await redis?.kill();
    rmSync(folder, { recursive: true, force: true });
  }, 120_000);

  test(`stays under ${limitMebibytes} MiB`, async () => {
    const client = new Redis(redis.port);
    let most = 0;
    for (let turn = 0; turn < 9; turn += 1) {
      const time = Math.ceil(Date.now() / 10_000) * 10;
      await sleep(time * 1000 - Date.now());
      const pipeline = client.pipeline();
      for (let model = 0; model < 500; model += 1) {
        const buckets = Object.fromEntries(
          Array.from({ length: 12 }, (_, bucket) => [
            `${70 + bucket}:${60 + ((model + bucket + turn) % 20)}`,
            10 + (bucket % 3),
          ]),
        );
        const record = {
          meta_v: 4,
          meta_interval_sec: 10,
          meta_precision: 10,
          meta_total_reqs: 200,
          meta_pending_reqs: 0,
          ...buckets,
        };
        pipeline.set(`aibrix:model-${model}_request_trace_${time}`, JSON.stringify(record), 'EX', 600);
      }
      await pipeline.exec();
      for (let second = 0; second < 8; second += 1) {
        await sleep(1000);
        most = Math.max(most, residentMebibytes());
      }
    }
    client.disconnect();
    const answer = JSON.parse(
      await kubectl([
        'get',
        '--raw',
        `/apis/custom.metrics.k8s.io/v1beta2/namespaces/${namespace}/deployments.apps/*/gpumix_target_replicas`,
      ]),
    ) as { items: unknown[] };
    console.log(
      `serve with ${deployments.length} Deployments and pods, ${answer.items.length} of them decided: ${most.toFixed(0)} MiB at most, ${residentMebibytes().toFixed(0)} MiB now`,
    );
    expect(answer.items.length).toBe(1000);
    expect(most).toBeLessThan(limitMebibytes);
  }, 180_000);
});
