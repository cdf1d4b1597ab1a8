import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { gpuNode } from '../../hack/cluster/control-plane.ts';
import { freePort, type RedisServer, startRedis } from '../helpers/redis.ts';
import { autoscaler } from './autoscaler.ts';
import { apply, eventually, field, kubectl, ownCluster } from './cluster.ts';
import { gpumix, kubeconfigWithToken, type Running, savedPlans, serveFlags } from './gpumix-process.ts';
import { installOnHost, uninstall } from './install.ts';

export type Replicas = Readonly<Record<string, number>>;
export const total = (replicas: Replicas): number => Object.values(replicas).reduce((sum, count) => sum + count, 0);
/** HPAs of the test cluster look this often (s). */
export const syncSeconds = 2;

const model = 'llama-3.1-8b';
const products = { l40s: 'NVIDIA-L40S', 'a100-80': 'NVIDIA-A100-SXM4-80GB', h100: 'NVIDIA-H100-80GB-HBM3' };
/** The Deployments of a fleet, one per GPU type. */
export const names = Object.keys(products).map((gpu) => `llama-${gpu}`);

/**
 * One model on three GPU types, served by `gpumix serve` as users run it: from the bundle, with the rights of manifests/, a
 * real Redis that `gpumix replay` writes to, a real control plane, the real HPA controller. Intervals of 1 s, HPA sync every
 * 2 s, and short windows, so that the hours of production pass in minutes.
 * @param labels of a Deployment, by name
 */
export const startFleet = async (
  namespace: string,
  flags: readonly string[],
  labels: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
) => {
  const folder = mkdtempSync(join(tmpdir(), 'gpumix-fleet-'));
  const snapshots = join(folder, 'snapshots');
  const processes = new Set<Running>();
  /** What writes records now. */
  let traffic: Running | null = null;
  const start = (...args: string[]): Running => {
    const running = gpumix(args);
    processes.add(running);
    return running;
  };
  const fleet: { redis: RedisServer; adapter: Running } = { redis: await startRedis(), adapter: undefined as never };
  const port = await freePort();
  const installed = await installOnHost();
  await installed.serve(port);
  kubeconfigWithToken(ownCluster.kubeconfig, installed.token, join(folder, 'kubeconfig'));
  const nodes = Object.entries(products).map(([gpu, product]) => gpuNode(`${namespace}-${gpu}`, product, 64));
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, ...nodes);
  await apply(
    ...Object.entries(products).flatMap(([gpu, product]) => [
      deployment(namespace, `llama-${gpu}`, product, labels[`llama-${gpu}`] ?? {}),
      autoscaler(namespace, `llama-${gpu}`),
    ]),
  );

  const allFlags = (): readonly string[] => [
    ...serveFlags(join(folder, 'kubeconfig'), fleet.redis.url, port),
    ...[`--profiles=${join(import.meta.dirname, '../../profiles')}`, `--snapshots=${snapshots}`],
    ...['--interval-seconds=1', '--settle-seconds=0.3', '--window-seconds=10', '--shape-window-seconds=20'],
    '--redis-timeout-seconds=1',
    ...flags,
  ];
  const serve = () => {
    fleet.adapter = start('serve', ...allFlags());
  };
  serve();
  await eventually(
    'APIService',
    () => field('{.status.conditions[?(@.type=="Available")].status}', 'apiservice', 'v1beta2.custom.metrics.k8s.io'),
    'True',
  );

  const specReplicas = async (): Promise<Replicas> => {
    const path = 'jsonpath={range .items[*]}{.metadata.name}={.spec.replicas}{"\\n"}{end}';
    const lines = (await kubectl(['get', 'deployments', '-n', namespace, '-o', path])).trim().split('\n');
    return Object.fromEntries(lines.map((line) => line.split('=')).map(([name, count]) => [name, Number(count)]));
  };
  return {
    /** The Redis and the gpumix that run now; a test that starts others puts them here. */
    now: fleet,
    folder,
    snapshots,
    nodes,
    serve,
    /** Runs another command with the flags of serve, and some over them, to its end: exit status and output. */
    beside: async (
      command: readonly string[],
      over: readonly string[] = [],
    ): Promise<{ readonly status: number | null; readonly output: string }> => {
      const running = gpumix([...command, ...allFlags(), ...over]);
      const [status] = await once(running.process, 'exit');
      return { status, output: running.output() };
    },
    specReplicas,
    replay: (trace: string, ...more: string[]): Running => {
      const to = ['--model', model, '--redis-url', fleet.redis.url, '--interval', '1'];
      traffic = start('replay', '--trace', trace, ...to, ...more);
      return traffic;
    },
    /** What the metrics API says, by Deployment. */
    published: async (): Promise<Replicas> => {
      const path = `/apis/custom.metrics.k8s.io/v1beta2/namespaces/${namespace}/deployments.apps/*/gpumix_target_replicas`;
      const items: readonly { describedObject: { name: string }; value: string }[] = JSON.parse(
        await kubectl(['get', '--raw', path]),
      ).items;
      return Object.fromEntries(items.map(({ describedObject, value }) => [describedObject.name, Number(value)]));
    },
    /** Watches spec.replicas for some seconds; no Deployment may fall below where it was at the start. */
    neverFalls: async (seconds: number): Promise<void> => {
      const before = await specReplicas();
      expect(total(before)).toBeGreaterThan(0);
      for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await sleep(300)) {
        const now = await specReplicas();
        for (const name of names)
          expect(
            now[name],
            `${name} fell from ${before[name]} after gpumix said:\n${fleet.adapter.output().slice(-3000)}`,
          ).toBeGreaterThanOrEqual(before[name] as number);
      }
    },
    /** What the HPA of the L40S says of its metric. */
    condition: () => field('{.status.conditions[?(@.type=="ScalingActive")].message}', 'hpa', 'llama-l40s', '-n', namespace),
    /** Until so many plans in a row of a steady load were the same and the HPA has carried it out. */
    settled: (alike = 12) =>
      eventually(
        'steady plan',
        async () => {
          // The plans of an earlier load, where it was the same one, say nothing of this.
          if (!/meta_total_reqs/.test(traffic?.output() ?? '')) return 'no record yet';
          const plans = savedPlans(snapshots).slice(-alike);
          const fresh = plans.length === alike && (plans[0]?.at ?? 0) > Date.now() / 1000 - alike - 4;
          const mixes = new Set(plans.map(({ plan }) => JSON.stringify(plan.models[0]?.replicas)));
          const replicas = await specReplicas();
          const planned = plans.at(-1)?.plan.models[0]?.replicas;
          const follows = names.every((name) => planned?.[`${namespace}/${name}`] === replicas[name]);
          return String(fresh && mixes.size === 1 && follows && total(replicas) > 0);
        },
        'true',
      ),
    /** Ends what a test has started, gpumix apart. */
    endTraffic: async () => {
      for (const running of processes) if (running !== fleet.adapter) await running.kill();
    },
    stop: async () => {
      await uninstall(async () => fleet.adapter.kill());
      await kubectl(['delete', 'namespace', namespace, '--ignore-not-found']);
      await kubectl(['delete', 'node', ...nodes.map(({ metadata }) => metadata.name), '--ignore-not-found']);
      for (const running of processes) await running.kill();
      await fleet.redis.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

export type Fleet = Awaited<ReturnType<typeof startFleet>>;

const deployment = (namespace: string, name: string, product: string, labels: Readonly<Record<string, string>>) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace, labels: { 'model.aibrix.ai/name': model, ...labels } },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name, 'model.aibrix.ai/name': model } },
      spec: {
        nodeSelector: { 'nvidia.com/gpu.product': product },
        tolerations: [{ operator: 'Exists' }],
        containers: [{ name: 'engine', image: 'engine:none', resources: { limits: { 'nvidia.com/gpu': '1' } } }],
      },
    },
  },
});
