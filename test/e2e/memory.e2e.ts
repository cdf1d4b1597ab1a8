import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, type RedisServer, startRedis } from '../helpers/redis.ts';
import { apply, eventually, field, kubectl, ownCluster } from './cluster.ts';
import { gpumix, kubeconfigWithToken, type Running, serveFlags } from './gpumix-process.ts';
import { installOnHost, uninstall } from './install.ts';

/**
 * `gpumix serve` with 1,000 Deployments, 200 pods (the controller makes 20 a second) and records of 250 models on four GPU
 * types: those of the last ten minutes, which is as far back as any is of use, and new ones every 10 s.
 */
const { ours, kubeconfig } = ownCluster;
const namespace = 'e2e-memory';
const folder = mkdtempSync(join(tmpdir(), 'gpumix-memory-'));
const limitMebibytes = 180;
let redis: RedisServer;
let adapter: Running;

const gpus = [
  { name: 'l4', product: 'NVIDIA-L4', throughput: 1 },
  { name: 'l40s', product: 'NVIDIA-L40S', throughput: 2 },
  { name: 'a100', product: 'NVIDIA-A100-SXM4-80GB', throughput: 4 },
  { name: 'h100', product: 'NVIDIA-H100-80GB-HBM3', throughput: 9 },
];
const models = Array.from({ length: 250 }, (_, index) => `model-${index}`);
const deployments = models.flatMap((model, index) =>
  gpus.map(({ name: gpu, product }) => {
    const name = `${model}-${gpu}`;
    const labels = { app: name, 'model.aibrix.ai/name': model };
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace, labels },
      spec: {
        replicas: index < 50 ? 1 : 0,
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
  }),
);

const writeRecords = async (client: Redis, time: number): Promise<void> => {
  const pipeline = client.pipeline();
  for (const [index, model] of models.entries()) {
    const buckets = Object.fromEntries(
      Array.from({ length: 12 }, (_, bucket) => [
        `${70 + bucket}:${60 + ((index + bucket + time / 10) % 20)}`,
        10 + (bucket % 3),
      ]),
    );
    const meta = { meta_v: 4, meta_interval_sec: 10, meta_precision: 10, meta_total_reqs: 200, meta_pending_reqs: 0 };
    pipeline.set(`aibrix:${model}_request_trace_${time}`, JSON.stringify({ ...meta, ...buckets }), 'EX', 600);
  }
  await pipeline.exec();
};

/** The most that it ever was. */
const residentMebibytes = (): number => {
  const status = readFileSync(`/proc/${adapter.process.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
};

describe.runIf(ours)('memory', () => {
  beforeAll(async () => {
    redis = await startRedis();
    const client = new Redis(redis.port);
    const grid = [64, 128, 256, 512, 1024];
    for (const model of models)
      for (const { name, throughput } of gpus) {
        const tputs = grid.map((output) => grid.map((input) => (throughput * 1000) / (input + 8 * output)));
        const document = { gpu: `${model}-${name}`, cost: 1, indexes: [grid, grid], tputs };
        await client.set(`aibrix:profile_${model}_${model}-${name}`, JSON.stringify(document));
      }
    const now = Math.floor(Date.now() / 10_000) * 10;
    for (let time = now - 590; time <= now; time += 10) await writeRecords(client, time);
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
    adapter = gpumix(['serve', ...serveFlags(join(folder, 'kubeconfig'), redis.url, port), '--log-level=warn']);
  }, 300_000);

  afterAll(async () => {
    await uninstall(async () => adapter?.kill());
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
    await redis?.kill();
    rmSync(folder, { recursive: true, force: true });
  }, 120_000);

  test(`stays under ${limitMebibytes} MiB`, async () => {
    const client = new Redis(redis.port);
    for (let turn = 0; turn < 9; turn += 1) {
      const time = Math.ceil(Date.now() / 10_000) * 10;
      await sleep(time * 1000 - Date.now());
      await writeRecords(client, time);
      await sleep(1000);
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
      `serve with ${deployments.length} Deployments, ${answer.items.length} of them decided: ${residentMebibytes().toFixed(0)} MiB at most`,
    );
    expect(answer.items.length).toBe(1000);
    expect(residentMebibytes()).toBeLessThan(limitMebibytes);
  }, 180_000);
});
