import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gpuNode } from '../../hack/cluster/control-plane.ts';
import type { Snapshot } from '../../src/vocabulary/planning-documents.ts';
import { freePort, type RedisServer, startRedis } from '../helpers/redis.ts';
import { autoscaler } from './autoscaler.ts';
import { apply, eventually, field, kubectl, ownCluster } from './cluster.ts';
import { gpumix, kubeconfigWithToken, planAgain, type Running, savedPlans, serveFlags, steadyTrace } from './gpumix-process.ts';
import { installOnHost, uninstall } from './install.ts';

/**
 * `gpumix serve` with the rights of manifests/ on a cluster whose GPUs are few: what Nodes, pods of others, quotas and the
 * ConfigMap leave goes into the snapshot, and what the plan cannot have on one type it takes from another.
 */
const { ours, kubeconfig } = ownCluster;
const namespace = 'e2e-stock';
const model = 'llama-3.1-8b';
const products = { l40s: 'NVIDIA-L40S', h100: 'NVIDIA-H100-80GB-HBM3' };
const variants = { L40S: `${namespace}/llama-l40s`, H100: `${namespace}/llama-h100` };
const folder = mkdtempSync(join(tmpdir(), 'gpumix-stock-'));
const snapshots = join(folder, 'snapshots');
let redis: RedisServer;
let adapter: Running;
let traffic: Running;

const podSpec = (product: string, gpus: number) => ({
  nodeSelector: { 'nvidia.com/gpu.product': product },
  tolerations: [{ operator: 'Exists' }],
  containers: [{ name: 'engine', image: 'engine:none', resources: { limits: { 'nvidia.com/gpu': String(gpus) } } }],
});
const deployment = (name: string, product: string) => {
  const labels = { app: name, 'model.aibrix.ai/name': model };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels }, spec: podSpec(product, 1) },
    },
  };
};
const limits = (text: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'gpumix-stock', namespace: 'gpumix-system' },
  data: { 'stock.yaml': text },
});

const resources = (kind: string, metadata: object, spec: object) => ({
  apiVersion: 'resource.k8s.io/v1',
  kind,
  metadata,
  spec,
});
/** H100s of a Node as NVIDIA's driver offers them, and the class by which they are claimed. */
const devicesOf = (node: string, count: number) => [
  resources('DeviceClass', { name: 'gpu.nvidia.com' }, { selectors: [] }),
  resources(
    'ResourceSlice',
    { name: node },
    {
      driver: 'gpu.nvidia.com',
      nodeName: node,
      pool: { name: node, generation: 1, resourceSliceCount: 1 },
      devices: Array.from({ length: count }, (_, index) => ({
        name: `gpu-${index}`,
        attributes: { type: { string: 'gpu' }, productName: { string: 'NVIDIA H100 80GB HBM3' } },
      })),
    },
  ),
];
const gpuClaim = (name: string, count: number) =>
  resources(
    'ResourceClaim',
    { name, namespace },
    { devices: { requests: [{ name: 'gpus', exactly: { deviceClassName: 'gpu.nvidia.com', count } }] } },
  );
const podWithClaim = (name: string, claim: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace },
  spec: {
    tolerations: [{ operator: 'Exists' }],
    resourceClaims: [{ name: 'gpus', resourceClaimName: claim }],
    containers: [{ name: 'job', image: 'job:none', resources: { claims: [{ name: 'gpus' }] } }],
  },
});

const last = () => savedPlans(snapshots).at(-1);
const snapshot = (): Snapshot => JSON.parse(readFileSync(last()!.snapshot, 'utf8'));
const stock = async (): Promise<string> => JSON.stringify(snapshot().stock);
const replicas = (): Readonly<Record<string, number>> => last()!.plan.models[0]!.replicas;
const waitingPods = async (): Promise<readonly string[]> =>
  (await kubectl(['get', 'pods', '-n', namespace, '--field-selector=status.phase=Pending', '-o', 'name']))
    .split('\n')
    .filter((name) => name !== '');

describe.runIf(ours)('stock', () => {
  beforeAll(async () => {
    redis = await startRedis();
    const installed = await installOnHost();
    const port = await freePort();
    await installed.serve(port);
    kubeconfigWithToken(kubeconfig, installed.token, join(folder, 'kubeconfig'));
    await apply(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
      gpuNode('stock-l40s', products.l40s, 3),
      gpuNode('stock-h100-a', products.h100, 4),
      gpuNode('stock-h100-b', products.h100, 4),
    );
    await apply(
      ...Object.entries(products).flatMap(([gpu, product]) => [
        deployment(`llama-${gpu}`, product),
        autoscaler(namespace, `llama-${gpu}`),
      ]),
    );
    // L40S is cheaper, so that all of it is wanted, and more.
    for (const [gpuType, throughput] of Object.entries({ L40S: 10, H100: 20 })) {
      const profile = { gpuType, cost: 1, indexes: [[128], [1024]], tputs: [[throughput]] };
      mkdirSync(join(folder, 'profiles', model), { recursive: true });
      writeFileSync(join(folder, 'profiles', model, `${gpuType}.json`), JSON.stringify(profile));
    }
    const trace = steadyTrace(join(folder, 'steady.csv'), 60, 900);
    adapter = gpumix([
      'serve',
      ...serveFlags(join(folder, 'kubeconfig'), redis.url, port),
      ...[`--profiles=${join(folder, 'profiles')}`, `--snapshots=${snapshots}`],
      ...['--interval-seconds=1', '--settle-seconds=0.3', '--window-seconds=10', '--shape-window-seconds=20'],
      ...[
        '--hold-down-seconds=0',
        '--switch-savings=0',
        '--grow-at-once=1000',
        // So long kwok's pods do not take, also where the machine is busy.
        '--startup-seconds=20',
        // Longer than the HPA ever takes, also where the machine is busy.
        '--follow-after-seconds=30',
        '--service-namespace=gpumix-system',
      ],
    ]);
    traffic = gpumix([
      ...['replay', '--trace', trace, '--model', model, '--redis-url', redis.url, '--interval', '1'],
      ...['--seconds-per-token', '0'],
    ]);
    await eventually('a plan', async () => String(last()?.plan.status), /optimal|infeasible/);
  });

  afterAll(async () => {
    await traffic?.kill();
    await uninstall(async () => adapter?.kill());
    await kubectl(['delete', 'namespace', namespace, '--ignore-not-found']);
    await kubectl(['delete', 'node', 'stock-l40s', 'stock-l40s-b', 'stock-h100-a', 'stock-h100-b', '--ignore-not-found']);
    await redis?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  test('the GPUs of Nodes limit the plan, which solves to the same again', async () => {
    await eventually('stock', stock, '{"H100":8,"L40S":3}');
    await eventually('all L40S, the rest on H100', async () => String(replicas()[variants.L40S]), '3');
    expect(replicas()[variants.H100]).toBeGreaterThan(0);
    const { plan, snapshot: file } = last()!;
    const { solve: _again, ...again } = planAgain(file);
    const { solve: _then, ...then } = plan;
    expect(again).toEqual(then);
  });

  test('one pod waits for a GPU that may come, and no more', async () => {
    await eventually('a pod waits', async () => String((await waitingPods()).length), '1');
    expect((await waitingPods())[0]).toContain('llama-l40s');
  });

  test('what a pod of somebody else takes is gone, and comes back', async () => {
    const stranger = { name: 'stranger', namespace };
    await apply({ apiVersion: 'v1', kind: 'Pod', metadata: stranger, spec: podSpec(products.h100, 3) });
    await eventually('fewer', stock, '{"H100":5,"L40S":3}');
    await kubectl(['delete', 'pod', 'stranger', '-n', namespace, '--force', '--grace-period=0']);
    await eventually('as before', stock, '{"H100":8,"L40S":3}');
  });

  test('what a pod of somebody else holds by a ResourceClaim is gone, and comes back', async () => {
    await apply(...devicesOf('stock-h100-a', 4), gpuClaim('stranger', 3), podWithClaim('stranger', 'stranger'));
    await eventually('fewer', stock, '{"H100":5,"L40S":3}');
    await kubectl(['delete', 'pod', 'stranger', '-n', namespace, '--force', '--grace-period=0']);
    await eventually('as before', stock, '{"H100":8,"L40S":3}');
    await kubectl(['delete', 'resourceclaim', 'stranger', '-n', namespace]);
    await kubectl(['delete', 'resourceslice', 'stock-h100-a', '--ignore-not-found']);
    await kubectl(['delete', 'deviceclass', 'gpu.nvidia.com']);
  });

  test('a cordoned Node counts as far as our pods are on it', async () => {
    await kubectl(['cordon', 'stock-l40s']);
    await new Promise((done) => setTimeout(done, 3000));
    expect(await stock()).toBe('{"H100":8,"L40S":3}');
    await kubectl(['cordon', 'stock-h100-a', 'stock-h100-b']);
    const used = replicas()[variants.H100]!;
    await eventually('no more H100 than run', stock, new RegExp(`^{"H100":${used},"L40S":3}$`));
    await kubectl(['uncordon', 'stock-l40s', 'stock-h100-a', 'stock-h100-b']);
    await eventually('as before', stock, '{"H100":8,"L40S":3}');
  });

  test('ceilings of the ConfigMap count before Nodes; a broken one changes nothing and is named', async () => {
    await apply(limits('ceilings: {L40S: 2}'));
    await eventually('the ceiling, but not below what runs', stock, '{"H100":8,"L40S":3}');
    await apply(limits('ceilings: {L40S: 40}'));
    await eventually('a pool that can grow', stock, '{"H100":8,"L40S":40}');
    await apply(limits('ceilings: {L40S: many}'));
    await eventually('named', async () => adapter.output(), /ceilings\.L40S: must be a whole number of at least 0, not .*many/);
    expect(await stock()).toBe('{"H100":8,"L40S":40}');
    await kubectl(['delete', 'configmap', 'gpumix-stock', '-n', 'gpumix-system']);
    await eventually('Nodes again', stock, '{"H100":8,"L40S":3}');
  });

  test('a type whose pods find no place is planned around, with one pod that waits, until it gets one', async () => {
    await kubectl(['label', 'node', 'stock-l40s', 'karpenter.sh/nodepool=a']);
    await eventually('not limited by Nodes', stock, '{"H100":8}');
    await eventually('out of stock', async () => adapter.output(), /llama-l40s: out of stock/);
    await eventually('with what it has', async () => String(replicas()[variants.L40S]), '3');
    expect(replicas()[variants.H100]).toBeGreaterThan(0);
    await eventually('a pod waits', async () => String((await waitingPods()).length), '1');
    await apply(gpuNode('stock-l40s-b', products.l40s, 8));
    await eventually('all on L40S', async () => JSON.stringify(replicas()), `{"${variants.H100}":0,"${variants.L40S}":7}`);
    await eventually(
      'said',
      async () => adapter.output(),
      /problem gone.*llama-l40s: out of stock|llama-l40s: out of stock.*problem gone/,
    );
    await kubectl(['label', 'node', 'stock-l40s', 'karpenter.sh/nodepool-']);
  });

  test('a target that nobody follows is planned around', async () => {
    // Pods that still start while others are taken away would look as if they did not come.
    const readyReplicas = () => field('{.status.readyReplicas}', 'deployment', 'llama-l40s', '-n', namespace);
    await eventually('all of them Ready', readyReplicas, '7', 120);
    await kubectl(['delete', 'hpa', 'llama-l40s', '-n', namespace]);
    await kubectl(['scale', 'deployment', 'llama-l40s', '-n', namespace, '--replicas=1']);
    await eventually('said', async () => adapter.output(), /llama-l40s: not followed/, 90);
    await eventually('the others make up for it', async () => JSON.stringify(replicas()), new RegExp(`"${variants.L40S}":1}`));
    expect(last()!.plan.status).toBe('optimal');
    await apply(autoscaler(namespace, 'llama-l40s'));
  });

  test('a ResourceQuota bounds the types of its namespace together', async () => {
    await apply({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'gpus', namespace },
      spec: { hard: { 'requests.nvidia.com/gpu': '20' } },
    });
    await eventually('quota', async () => JSON.stringify(snapshot().quotas), `{"${namespace}":{"*":20}}`);
    await kubectl(['delete', 'resourcequota', 'gpus', '-n', namespace]);
    await eventually('none', async () => String(snapshot().quotas), 'undefined');
  });
});
