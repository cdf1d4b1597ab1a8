import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gpuNode } from '../../hack/cluster/control-plane.ts';
import { writeSteadyRecords } from '../../hack/peers/steady-records.ts';
import { freePort, type RedisServer, startRedis } from '../helpers/redis.ts';
import { autoscaler } from './autoscaler.ts';
import { apply, eventually, field, kubectl, ownCluster } from './cluster.ts';
import { gpumix, kubeconfigWithToken, type Running, serveFlags } from './gpumix-process.ts';
import { apiServices, installOnHost, uninstall } from './install.ts';

/**
 * A fleet that `gpumix serve` plans for, with a fault in each of its models but one. `gpumix doctor` names each fault, the
 * commands that it prints are run as they are printed, and then every model scales to its target.
 */
const namespace = 'e2e-mends';
const root = resolve(import.meta.dirname, '../..');
const crds = ['autoscaling.aibrix.ai_podautoscalers', 'keda.sh_scaledobjects'].map((name) =>
  join(root, `test/fixtures/crds/${name}.yaml`),
);
const folder = mkdtempSync(join(tmpdir(), 'gpumix-mends-'));
/** Of one replica, and of each model (req/s): with headroom a model needs four, and one of many more eleven. */
const throughput = 10;
const rateOf = (name: string): number => (name === 'tolerant' ? 100 : 30);
const wantedOf = (name: string): string => (name === 'tolerant' ? '11' : '4');

type Hpa = ReturnType<typeof autoscaler>;
/** The HPA of a model with other fields in its spec. */
const hpa = (name: string, spec: Partial<Hpa['spec']> | Record<string, unknown> = {}, own = name) => {
  const right = autoscaler(namespace, name, 9, 1);
  return { ...right, metadata: { ...right.metadata, name: own }, spec: { ...right.spec, ...spec } };
};
/** The HPA of a model with another target, another object or another name of its metric. */
const reading = (name: string, more: Record<string, unknown>) => {
  const [metric] = autoscaler(namespace, name).spec.metrics;
  return hpa(name, { metrics: [{ ...metric!, object: { ...metric!.object, ...more } }] });
};
const cpu = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } };
const described = { apiVersion: 'apps/v1', kind: 'Deployment' };
const scaledObject = (name: string) => ({
  apiVersion: 'keda.sh/v1alpha1',
  kind: 'ScaledObject',
  metadata: { name, namespace },
  spec: { scaleTargetRef: { name }, minReplicaCount: 1, maxReplicaCount: 9, triggers: [{ type: 'cron', metadata: {} }] },
});
const podAutoscaler = (name: string) => ({
  apiVersion: 'autoscaling.aibrix.ai/v1alpha1',
  kind: 'PodAutoscaler',
  metadata: { name, namespace, annotations: { 'autoscaling.aibrix.ai/panic-threshold': '0' } },
  spec: {
    scalingStrategy: 'KPA',
    minReplicas: 1,
    maxReplicas: 9,
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
    metricsSources: [{ metricSourceType: 'custom', targetMetric: 'gpumix_target_centi', targetValue: '100' }],
  },
});

interface Fault {
  /** Id of the finding. */
  readonly id: string;
  readonly replicas?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** What scales it; absent = an HPA that is right. */
  readonly scaledBy?: (name: string) => readonly object[];
}
const faults: Readonly<Record<string, Fault>> = {
  value: { id: 'hpa-target-type', scaledBy: (name) => [reading(name, { target: { type: 'Value', value: '1' } })] },
  hundred: {
    id: 'hpa-average-value',
    scaledBy: (name) => [reading(name, { target: { type: 'AverageValue', averageValue: '100' } })],
  },
  half: {
    id: 'hpa-average-value',
    scaledBy: (name) => [reading(name, { target: { type: 'AverageValue', averageValue: '500m' } })],
  },
  other: {
    id: 'hpa-described-object',
    scaledBy: (name) => [reading(name, { describedObject: { ...described, name: 'value' } })],
  },
  centi: { id: 'hpa-metric', scaledBy: (name) => [reading(name, { metric: { name: 'gpumix_target_centi' } })] },
  cpu: {
    id: 'hpa-other-metric',
    scaledBy: (name) => [hpa(name, { metrics: [...autoscaler(namespace, name).spec.metrics, cpu] })],
  },
  frozen: {
    id: 'hpa-disabled',
    replicas: 6,
    scaledBy: (name) => [hpa(name, { behavior: { scaleDown: { selectPolicy: 'Disabled', stabilizationWindowSeconds: 0 } } })],
  },
  asleep: { id: 'hpa-disabled', replicas: 0 },
  slow: {
    id: 'hpa-slow',
    scaledBy: (name) => [hpa(name, { behavior: { scaleUp: { policies: [{ type: 'Pods', value: 1, periodSeconds: 1800 }] } } })],
  },
  tolerant: { id: 'hpa-tolerance', replicas: 10, scaledBy: (name) => [hpa(name, { maxReplicas: 20, behavior: {} })] },
  twice: { id: 'two-autoscalers', scaledBy: (name) => [hpa(name), hpa(name, {}, `${name}-again`)] },
  'and-aibrix': { id: 'two-autoscalers', scaledBy: (name) => [hpa(name), podAutoscaler(name)] },
  'and-keda': { id: 'two-autoscalers', scaledBy: (name) => [hpa(name), scaledObject(name)] },
  paused: { id: 'paused', annotations: { 'gpumix.io/paused': 'true' } },
  pinned: { id: 'pinned', annotations: { 'gpumix.io/pin': '2' } },
};
const names = [...Object.keys(faults), 'sound'];

const deployment = (name: string, { replicas = 1, labels = {}, annotations = {} }: Partial<Fault>, port: number) => {
  const carried = { app: name, 'model.aibrix.ai/name': name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels: { ...carried, ...labels }, annotations },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { ...carried, 'model.aibrix.ai/metric-port': String(port) } },
        spec: {
          nodeSelector: { 'nvidia.com/gpu.product': 'NVIDIA-L40S' },
          tolerations: [{ operator: 'Exists' }],
          containers: [{ name: 'engine', image: 'engine:none', resources: { limits: { 'nvidia.com/gpu': '1' } } }],
        },
      },
    },
  };
};
const gateway = (env: readonly string[]) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'aibrix-gateway-plugins', namespace },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: 'gateway' } },
    template: {
      metadata: { labels: { app: 'gateway' } },
      spec: {
        containers: [
          {
            name: 'gateway-plugin',
            image: 'aibrix/gateway-plugins:v0.7.0',
            env: env.map((name) => ({ name, value: 'true' })),
          },
        ],
      },
    },
  },
});

interface Finding {
  readonly verdict: string;
  readonly id: string | null;
  readonly object: string;
  readonly seen: string;
  readonly mend: string | null;
}
/** A printed command as a shell takes it apart. */
const wordsOf = (command: string): readonly string[] =>
  (command.match(/(?:[^\s']|'[^']*')+/g) ?? []).map((word) => word.replaceAll("'", ''));
/** Runs a printed command as it is printed. */
const run = async (mend: string): Promise<void> => {
  const command = mend.replace(/^keep one: /, '');
  expect(command).toMatch(/^kubectl /);
  await kubectl(wordsOf(command).slice(1));
};

/** Gives the pods of a model this host's address, where the engines that stand for them are. */
const setAddressOfPods = async (name: string): Promise<string> => {
  const status = { podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }] };
  const path = '{.items[?(@.status.phase=="Running")].metadata.name}';
  const pods = (await field(path, 'pods', '-l', `app=${name}`, '-n', namespace)).split(' ').filter((pod) => pod !== '');
  for (const pod of pods)
    await kubectl([
      'patch',
      'pod',
      pod,
      '-n',
      namespace,
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status }),
    ]);
  return String(pods.length);
};

describe.runIf(ownCluster.ours)('what doctor prints mends a fleet', () => {
  let redis: RedisServer;
  let serve: Running;
  let flags: readonly string[];
  let records: ReturnType<typeof writeSteadyRecords>;
  /** Leads the APIServices to this host, as the tests' Service does. */
  let led: () => Promise<void>;
  /** An engine that tells how busy it is, and one that asks who wants to know. */
  let engines: readonly Server[] = [];

  const doctor = async (...more: readonly string[]): Promise<readonly Finding[]> => {
    const running = gpumix(['doctor', '--json', ...flags, ...more]);
    await once(running.process, 'exit');
    const [line = ''] = running.output().split('\n');
    return (JSON.parse(line) as { readonly findings: readonly Finding[] }).findings;
  };
  const isOf = ({ object }: Finding, name: string): boolean =>
    object === `HPA ${namespace}/${name}` || object === `Deployment ${namespace}/${name}`;
  const specReplicas = (name: string) => field('{.spec.replicas}', 'deployment', name, '-n', namespace);

  beforeAll(async () => {
    redis = await startRedis();
    const metrics = ['vllm:num_requests_running 0', 'vllm:num_requests_waiting 0', 'vllm:request_success_total 3', ''].join('\n');
    engines = [
      createServer((_, response) => response.end(metrics)).listen(0, '127.0.0.1'),
      createServer((_, response) => response.writeHead(401).end()).listen(0, '127.0.0.1'),
    ];
    await Promise.all(engines.map((server) => once(server, 'listening')));
    const [open, strict] = engines.map((server) => (server.address() as AddressInfo).port) as [number, number];
    for (const crd of crds) await kubectl(['apply', '--server-side', '-f', crd]);
    await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
    const installed = await installOnHost();
    const port = await freePort();
    led = () => installed.serve(port);
    await led();
    kubeconfigWithToken(ownCluster.kubeconfig, installed.token, join(folder, 'kubeconfig'));
    for (const name of names) {
      mkdirSync(join(folder, 'profiles', name), { recursive: true });
      const profile = { gpuType: 'L40S', cost: 1, indexes: [[128], [1024]], tputs: [[throughput]] };
      writeFileSync(join(folder, 'profiles', name, 'L40S.json'), JSON.stringify(profile));
    }
    const node = gpuNode('mends-l40s', 'NVIDIA-L40S', 200);
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    await apply(node);
    await apply(
      ...names.flatMap((name) => [
        deployment(name, faults[name] ?? {}, name === 'sound' ? strict : open),
        ...(faults[name]?.scaledBy?.(name) ?? [hpa(name)]),
      ]),
      gateway(['AIBRIX_GPU_OPTIMIZER_TRACING_FLAG']),
    );
    records = writeSteadyRecords(redis.url, names, rateOf);
    flags = [
      ...serveFlags(join(folder, 'kubeconfig'), redis.url, port),
      ...[`--profiles=${join(folder, 'profiles')}`, '--interval-seconds=1', '--settle-seconds=0.3', '--window-seconds=10'],
      ...['--shape-window-seconds=20', '--hold-down-seconds=0', '--switch-savings=0', '--grow-at-once=1000'],
      ...['--startup-seconds=20', '--follow-after-seconds=30'],
    ];
    serve = gpumix(['serve', ...flags]);
    await eventually('the sound model scales', () => specReplicas('sound'), wantedOf('sound'));
  });

  afterAll(async () => {
    records?.stop();
    await uninstall(async () => serve?.kill());
    await kubectl(['delete', 'namespace', namespace, '--ignore-not-found']);
    await kubectl(['delete', 'node', 'mends-l40s', '--ignore-not-found']);
    for (const crd of crds) await kubectl(['delete', '-f', crd, '--ignore-not-found', '--wait=false']);
    for (const server of engines) server.close();
    await redis?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  test('each fault is found, what is printed is run, and every model scales to its target', async () => {
    const found = await eventually(
      'each fault is found',
      async () => {
        const findings = await doctor();
        const missing = Object.entries(faults).filter(
          ([name, { id }]) => !findings.some((one) => isOf(one, name) && one.id === id),
        );
        return missing.length === 0
          ? `found ${JSON.stringify(findings)}`
          : `missing: ${missing.map(([name]) => name).join(', ')}`;
      },
      /^found /,
    );
    const findings = JSON.parse(found.replace(/^found /, '')) as readonly Finding[];
    expect(findings.filter((one) => isOf(one, 'sound') && one.verdict !== 'ok')).toEqual([]);
    for (const [name, { id }] of Object.entries(faults)) {
      const { mend } = findings.find((one) => isOf(one, name) && one.id === id)!;
      await run(mend!);
    }
    for (const name of names) await eventually(name, () => specReplicas(name), wantedOf(name), 90);
    const left = (await doctor()).filter(
      ({ verdict, id }) => verdict !== 'ok' && Object.values(faults).some((fault) => fault.id === id),
    );
    expect(left).toEqual([]);
  });

  test('rights of serve that are taken away are named, and the commands give them back', async () => {
    const missing = async (...more: readonly string[]) => (await doctor(...more)).filter(({ id }) => id === 'right-missing');
    expect(await missing()).toEqual([]);
    await kubectl(['delete', 'clusterrolebinding', 'gpumix-auth-reader:gpumix-system']);
    await kubectl(['delete', 'clusterrolebinding', 'gpumix-auth-delegator:gpumix-system']);
    await eventually('both are missed', async () => String((await missing()).length), '3');
    const found = await missing();
    expect(found.map(({ object, seen }) => `${object} ${seen}`)).toEqual([
      expect.stringMatching(/^ServiceAccount gpumix-system\/gpumix may not get configmaps extension-apiserver-authentication/),
      expect.stringMatching(/may not create tokenreviews: /),
      expect.stringMatching(/may not create subjectaccessreviews: /),
    ]);
    for (const mend of new Set(found.map((one) => one.mend!))) await run(mend);
    await eventually('given back', async () => String((await missing()).length), '0');
  });

  test.each([
    ['is not there', 'apiservice-missing', ['delete', 'apiservice', apiServices[1]!]],
    [
      'belongs to another Service',
      'apiservice-foreign',
      [
        ...['patch', 'apiservice', apiServices[1]!, '--type=merge', '-p'],
        '{"metadata":{"annotations":{"gpumix.io/service":"gpumix-system/other"}},"spec":{"service":{"name":"other"}}}',
      ],
    ],
    [
      'believes anybody',
      'apiservice-insecure',
      ['patch', 'apiservice', apiServices[1]!, '--type=merge', '-p', '{"spec":{"caBundle":null,"insecureSkipTLSVerify":true}}'],
    ],
  ] as const)('an APIService that %s is named, and with the command the fleet scales again', async (_what, id, plant) => {
    await kubectl(plant);
    const found = async () => (await doctor()).filter((one) => one.id === id);
    const [seen] = await found();
    expect(seen).toMatchObject({ verdict: 'wrong', object: `APIService ${apiServices[1]}` });
    await run(seen!.mend!.replace(/, with --upstream.*$/, ''));
    await led();
    expect(await found()).toEqual([]);
    await kubectl(['scale', 'deployment', 'sound', '-n', namespace, '--replicas=1']);
    await eventually('it scales again', () => specReplicas('sound'), wantedOf('sound'), 90);
  });

  test('AIBrix’s gateway without its switches is named, and the command turns them on', async () => {
    const off = async () => (await doctor()).filter(({ id }) => id === 'tracing-off');
    // While each model has records nobody asks why there are none.
    expect(await off()).toEqual([]);
    await apply(deployment('silent', { replicas: 0 }, 1));
    const [found] = await off();
    expect(found).toMatchObject({ verdict: 'wrong', object: `Deployment ${namespace}/aibrix-gateway-plugins (v0.7.0)` });
    await run(found!.mend!);
    expect(await off()).toEqual([]);
    await kubectl(['delete', 'deployment', 'silent', '-n', namespace]);
  });

  test('a gateway whose clock is behind is named', async () => {
    const client = new Redis(redis.url);
    const clocks = async () => (await doctor()).filter(({ id }) => id === 'clock').map(({ object, seen }) => `${object} ${seen}`);
    expect(await clocks()).toEqual([]);
    records.stop();
    records = writeSteadyRecords(redis.url, names.slice(1), rateOf);
    const model = names[0]!;
    // A record whose interval is over by now, and that has come to live only now, was written by a clock behind.
    const at = Math.floor(Date.now() / 1000) - 40;
    const early = await client.keys(`aibrix:${model}_request_trace_*`);
    const text = await client.get(early[0]!);
    await client.del(...early);
    await client.set(`aibrix:${model}_request_trace_${at}`, text!, 'EX', 600);
    expect(await clocks()).toEqual([
      expect.stringMatching(new RegExp(`^The gateway of model ${model} writes its records late .* \\d+ s behind it$`)),
    ]);
    client.disconnect();
  });

  test('an engine that asks for credentials, and one that nobody can reach, are named', async () => {
    const told = async () => (await doctor()).filter(({ id }) => id === 'engine-metrics');
    // kwok's pods have addresses that lead nowhere.
    expect(await told()).toMatchObject([{ verdict: 'unknown', object: 'Engines' }]);
    for (const name of ['sound', 'hundred']) await eventually(name, () => setAddressOfPods(name), wantedOf(name));
    const found = await told();
    const strict = found.find(({ object }) => object === `Deployment ${namespace}/sound`);
    expect(strict).toMatchObject({
      verdict: 'note',
      seen: expect.stringMatching(/^has an engine that asks for credentials at http:\/\/127/),
    });
    expect(found.map(({ object }) => object)).not.toContain(`Deployment ${namespace}/hundred`);
  });
});
