import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { gpuNode } from '../../hack/cluster/control-plane.ts';
import type { Plan, Snapshot } from '../../src/domain.ts';
import { freePort, type RedisServer, startRedis } from '../helpers/redis.ts';
import { autoscaler } from './autoscaler.ts';
import { apply, eventually, field, kubectl } from './cluster.ts';
import {
  build,
  gpumix,
  kubeconfigWithToken,
  planAgain,
  type Running,
  savedPlans,
  serveFlags,
  steadyTrace,
} from './gpumix-process.ts';
import { installOnHost, uninstall } from './install.ts';

/**
 * `gpumix serve` as users run it, from the bundle, with the rights of manifests/: a real Redis that `gpumix replay` writes
 * to, a real control plane, the real HPA controller. Intervals of 1 s, HPA sync every 2 s, and short windows, so that the
 * hours of production pass in minutes.
 */
const { ours, kubeconfig, control } = inject('cluster');
/** Stops kube-apiserver and starts it again on the same port and data. */
const restartApiServer = async (): Promise<void> => {
  const answer = await fetch(`${control}/restart-api-server`, { method: 'POST' });
  expect(answer.status).toBe(200);
};
const namespace = 'e2e-main';
const model = 'llama-3.1-8b';
const gpus = { l40s: 'NVIDIA-L40S', 'a100-80': 'NVIDIA-A100-SXM4-80GB', h100: 'NVIDIA-H100-80GB-HBM3' };
const names = Object.keys(gpus).map((gpu) => `llama-${gpu}`);
const idleAfter = 8;
const staleAfter = 12;
const syncSeconds = 2;

const folder = mkdtempSync(join(tmpdir(), 'gpumix-main-'));
const snapshots = join(folder, 'snapshots');
const azure = join(import.meta.dirname, '../../src/cli/demo/azure-conversation-10min.csv');
/** 60 requests per second of one size. */
const steady = join(folder, 'steady.csv');
const processes = new Set<Running>();
let redis: RedisServer;
let adapter: Running;
let port = 0;

const deployment = (name: string, product: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name,
    namespace,
    labels: {
      'model.aibrix.ai/name': model,
      ...(name === 'llama-a100-80' ? { 'model.aibrix.ai/min_replicas': '2' } : {}),
    },
  },
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
const start = (...args: string[]): Running => {
  const running = gpumix(args);
  processes.add(running);
  return running;
};
const serve = (): Running =>
  start(
    'serve',
    ...serveFlags(join(folder, 'kubeconfig'), redis.url, port),
    ...[`--profiles=${join(import.meta.dirname, '../../profiles')}`, `--snapshots=${snapshots}`],
    ...['--interval-seconds=1', '--settle-seconds=0.3', '--window-seconds=10', '--shape-window-seconds=20'],
    ...['--hold-down-seconds=0', '--switch-savings=0', '--grow-at-once=1000'],
    ...[`--idle-after-seconds=${idleAfter}`, `--stale-after-seconds=${staleAfter}`, '--redis-timeout-seconds=1'],
  );
const replay = (trace: string, ...more: string[]): Running =>
  start('replay', '--trace', trace, '--model', model, '--redis-url', redis.url, '--interval', '1', ...more);

const specReplicas = async (): Promise<Readonly<Record<string, number>>> => {
  const text = await kubectl([
    'get',
    'deployments',
    '-n',
    namespace,
    '-o',
    'jsonpath={range .items[*]}{.metadata.name}={.spec.replicas}{"\\n"}{end}',
  ]);
  return Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map((line) => line.split('='))
      .map(([name, count]) => [name, Number(count)]),
  );
};
/** What the metrics API says, by Deployment. */
const published = async (): Promise<Readonly<Record<string, number>>> => {
  const path = `/apis/custom.metrics.k8s.io/v1beta2/namespaces/${namespace}/deployments.apps/*/gpumix_target_replicas`;
  const { items } = JSON.parse(await kubectl(['get', '--raw', path]));
  return Object.fromEntries(
    items.map(({ describedObject, value }: { describedObject: { name: string }; value: string }) => [
      describedObject.name,
      Number(value),
    ]),
  );
};
/** Whether the plan of a snapshot wants more replicas of some variant than were Ready. */
const starting = (snapshot: string, { models }: Plan): boolean =>
  (JSON.parse(readFileSync(snapshot, 'utf8')) as Snapshot).models.some(({ name, variants }) =>
    variants.some((variant) => {
      const replicas = models.find((model) => model.name === name)?.replicas[variant.name] ?? 0;
      return replicas > (variant.ready ?? 0);
    }),
  );
const total = (replicas: Readonly<Record<string, number>>): number =>
  Object.values(replicas).reduce((sum, count) => sum + count, 0);

/** Watches spec.replicas for some seconds; no Deployment may fall below where it was at the start. */
const neverFalls = async (seconds: number): Promise<void> => {
  const before = await specReplicas();
  expect(total(before)).toBeGreaterThan(0);
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await sleep(300)) {
    const now = await specReplicas();
    for (const name of names)
      expect(
        now[name],
        `${name} fell from ${before[name]} after gpumix said:\n${adapter.output().slice(-3000)}`,
      ).toBeGreaterThanOrEqual(before[name] as number);
  }
};
const condition = () =>
  field('{.status.conditions[?(@.type=="ScalingActive")].message}', 'hpa', 'llama-l40s', '-n', namespace);
const asList = (replicas: Readonly<Record<string, number>>) =>
  names.map((name) => `${name}=${replicas[name]}`).join(' ');

describe.runIf(ours)('the main job', () => {
  beforeAll(async () => {
    build();
    steadyTrace(steady, 60, 900);
    redis = await startRedis();
    port = await freePort();
    const installed = await installOnHost();
    await installed.serve(port);
    kubeconfigWithToken(kubeconfig, installed.token, join(folder, 'kubeconfig'));
    await apply(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
      ...Object.entries(gpus).map(([gpu, product]) => gpuNode(`main-${gpu}`, product, 64)),
    );
    await apply(
      ...Object.entries(gpus).flatMap(([gpu, product]) => [
        deployment(`llama-${gpu}`, product),
        autoscaler(namespace, `llama-${gpu}`),
      ]),
    );
    adapter = serve();
    await eventually(
      'APIService',
      () => field('{.status.conditions[?(@.type=="Available")].status}', 'apiservice', 'v1beta2.custom.metrics.k8s.io'),
      'True',
    );
  });

  afterEach(async () => {
    for (const running of processes) if (running !== adapter) await running.kill();
  });

  afterAll(async () => {
    await uninstall(async () => adapter?.kill());
    await kubectl(['delete', 'namespace', namespace, '--ignore-not-found']);
    await kubectl(['delete', 'node', ...Object.keys(gpus).map((gpu) => `main-${gpu}`), '--ignore-not-found']);
    for (const running of processes) await running.kill();
    await redis?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  test('before there is any record nothing moves, and the HPA says why', async () => {
    await eventually('condition', condition, /no request record of this model has been seen/);
    expect(await specReplicas()).toEqual(
      Object.fromEntries(names.map((name) => [name, name === 'llama-a100-80' ? 2 : 1])),
    );
  });

  test('(a) replicas follow the plan within 3 syncs, up and down, while the Azure trace is replayed', async () => {
    interface Sample {
      readonly from: number;
      readonly until: number;
      readonly replicas: Readonly<Record<string, number>>;
      readonly published: Readonly<Record<string, number>>;
    }
    const samples: Sample[] = [];
    const observe = async (seconds: number) => {
      for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await sleep(400)) {
        const from = Date.now() / 1000;
        const [replicas, said] = await Promise.all([specReplicas(), published()]);
        samples.push({ from, until: Date.now() / 1000, replicas, published: said });
      }
    };
    for (const speed of ['3', '20', '6']) {
      const traffic = replay(azure, '--speed', speed);
      await observe(16);
      await traffic.kill();
    }
    const plans = savedPlans(snapshots).map(({ at, plan, snapshot }) => ({
      at,
      plan,
      starts: starting(snapshot, plan),
    }));
    const first = plans[0]?.at ?? 0;
    const distinct = new Set<string>();
    let compared = 0;
    for (const { from, until, replicas, published: said } of samples) {
      const since = from - 3 * syncSeconds;
      if (first > since) continue;
      // What it may be now: anything that stood within the last three syncs.
      const standing = plans.filter((plan) => plan.at <= until);
      const recent = standing.filter((_plan, index) => (standing[index + 1]?.at ?? Number.POSITIVE_INFINITY) > since);
      const heard = samples.filter((sample) => sample.until >= since && sample.from <= until);
      const swaps = recent.some(({ starts }) => starts);
      for (const name of names) {
        const at = `${name} at ${new Date(from * 1000).toISOString()}`;
        const planned = recent.map(({ plan }) => plan.models[0]?.replicas[`${namespace}/${name}`] ?? Number.NaN);
        expect([...planned, ...heard.map((sample) => sample.published[name])], at).toContain(replicas[name]);
        // While a variant starts, another may be kept above the plan; nothing else is published than the plan.
        if (!(swaps && (said[name] as number) > Math.min(...planned))) expect(planned, at).toContain(said[name]);
      }
      compared += 1;
      distinct.add(asList(replicas));
    }
    const sizes = samples.map(({ replicas }) => total(replicas));
    expect(compared).toBeGreaterThan(40);
    expect(distinct.size).toBeGreaterThan(3);
    expect(sizes.some((size, index) => index > 0 && size > (sizes[index - 1] as number))).toBe(true);
    expect(sizes.some((size, index) => index > 0 && size < (sizes[index - 1] as number))).toBe(true);
  });

  test("(b) each saved snapshot gives gpumix plan the same plan as serve's", () => {
    const plans = savedPlans(snapshots);
    const step = Math.max(1, Math.floor(plans.length / 12));
    const chosen = plans.filter((_, index) => index % step === 0);
    expect(chosen.length).toBeGreaterThanOrEqual(12);
    for (const { plan, snapshot } of chosen) {
      const { solve: _again, ...again } = planAgain(snapshot);
      const { solve: _then, ...then } = plan;
      expect(again).toEqual(then);
      expect(then.status).toBe('optimal');
    }
  });

  test('(c) the label does nothing while there is traffic; idle goes to it, and to 0 without one; and back', async () => {
    // 20 req/s of one small size: L40S only, so that the A100's label of 2 would show.
    const trace = steadyTrace(join(folder, 'small.csv'), 20, 600);
    const traffic = replay(trace, '--seconds-per-token', '0');
    await eventually('label ignored', async () => asList(await specReplicas()), /llama-a100-80=0/);
    await traffic.kill();
    const shortTrace = steadyTrace(join(folder, 'short.csv'), 20, 3);
    replay(shortTrace, '--seconds-per-token', '0', '--linger', '60');
    await eventually(
      'idle',
      async () => asList(await specReplicas()),
      'llama-l40s=0 llama-a100-80=2 llama-h100=0',
      idleAfter + 20,
    );
    await kubectl(['label', 'deployment', '-n', namespace, 'llama-a100-80', 'model.aibrix.ai/min_replicas-']);
    await eventually(
      'label gone',
      async () => asList(await specReplicas()),
      'llama-l40s=0 llama-a100-80=0 llama-h100=0',
    );
    replay(trace, '--seconds-per-token', '0');
    await eventually('back from 0', async () => String(total(await specReplicas()) > 0), 'true');
  });

  test('(d) Redis away for longer than a plan stands: nothing falls, the HPA quotes our reason, and it resumes', async () => {
    replay(steady, '--seconds-per-token', '0');
    await settled();
    await redis.kill();
    await neverFalls(staleAfter + 10);
    expect(await condition()).toMatch(
      /unable to fetch metrics from custom metrics API: stale: no request record for \d+ s; our own write to Redis does not succeed/,
    );
    redis = await startRedis([], redis.port);
    await eventually('resumed', condition, /HPA was able to successfully calculate a replica count/, 40);
    expect(total(await specReplicas())).toBeGreaterThan(0);
  });

  test('(d) the writer killed right after a record with nothing pending, while pods run: nothing falls', async () => {
    const traffic = replay(steady, '--seconds-per-token', '0');
    await settled();
    await traffic.kill();
    expect(traffic.output()).toMatch(/"meta_pending_reqs":0/);
    await neverFalls(staleAfter + idleAfter + 8);
    expect(await condition()).toMatch(/stale: no request record for \d+ s; nothing makes the silence credible/);
  });

  test('(e) gpumix killed and started again under load: nothing falls', async () => {
    replay(steady, '--seconds-per-token', '0');
    await settled();
    const watched = neverFalls(14);
    await sleep(1000);
    await adapter.kill();
    await sleep(3000);
    adapter = serve();
    await watched;
    await eventually('resumed', condition, /HPA was able to successfully calculate a replica count/, 40);
  });

  test('(f) kube-apiserver restarted under load: nothing falls, and gpumix follows the cluster again', async () => {
    replay(steady, '--seconds-per-token', '0');
    await settled();
    const before = await specReplicas();
    await restartApiServer();
    await eventually('answers', async () => String(total(await specReplicas()) >= total(before)), 'true', 60);
    await kubectl(['annotate', 'deployment', '-n', namespace, 'llama-l40s', 'gpumix.io/price=900']);
    await eventually('the new price counts', async () => asList(await specReplicas()), /llama-l40s=0/, 60);
  });

  /** Until the plan of a steady load stands and the HPA has carried it out. */
  const settled = async (): Promise<void> => {
    await eventually(
      'steady plan',
      async () => {
        const plans = savedPlans(snapshots).slice(-12);
        const fresh = plans.length === 12 && (plans[0]?.at ?? 0) > Date.now() / 1000 - 16;
        const mixes = new Set(plans.map(({ plan }) => JSON.stringify(plan.models[0]?.replicas)));
        const replicas = await specReplicas();
        const follows = names.every(
          (name) => plans.at(-1)?.plan.models[0]?.replicas[`${namespace}/${name}`] === replicas[name],
        );
        return String(fresh && mixes.size === 1 && follows && total(replicas) > 0);
      },
      'true',
    );
  };
});
