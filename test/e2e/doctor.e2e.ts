import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, type RedisServer, startRedis } from '../helpers/redis.ts';
import { apply, eventually, kubectl, ownCluster } from './cluster.ts';
import { gpumix, kubeconfigWithToken, serveFlags } from './gpumix-process.ts';
import { installOnHost, uninstall } from './install.ts';

/**
 * `gpumix doctor` with the rights that manifests/ give, on a cluster with AIBrix's PodAutoscaler: the CRD that came after
 * v0.7.0, and a Deployment with the name and image of its controller. That no controller runs does not matter here.
 */
const namespace = 'e2e-doctor';
const root = resolve(import.meta.dirname, '../..');
const crd = join(root, 'test/fixtures/crds/autoscaling.aibrix.ai_podautoscalers.yaml');
/** What the sample for source custom gives the controller, wherever in the folder it is. */
const readerRights = (): string => {
  const samples = join(root, 'manifests/samples/aibrix');
  const found = readdirSync(samples, { recursive: true, encoding: 'utf8' })
    .map((path) => join(samples, path))
    .find((path) => path.endsWith('rbac.yaml') && readFileSync(path, 'utf8').includes('[custom.metrics.k8s.io]'));
  if (found === undefined) throw new Error(`no rbac.yaml in ${samples} gives a right to custom.metrics.k8s.io`);
  return found;
};
const folder = mkdtempSync(join(tmpdir(), 'gpumix-doctor-'));
let redis: RedisServer;
let flags: readonly string[];

const deployment = (
  within: string,
  name: string,
  more: { labels?: object; annotations?: object; account?: string; image?: string },
) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: within, labels: more.labels ?? {}, annotations: more.annotations ?? {} },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        ...(more.account === undefined ? {} : { serviceAccountName: more.account }),
        containers: [{ name: 'manager', image: more.image ?? 'engine:none' }],
      },
    },
  },
});
const controller = (image: string) =>
  deployment('aibrix-system', 'aibrix-controller-manager', { account: 'aibrix-controller-manager', image });
const podAutoscaler = (name: string, spec: object, source: object) => [
  deployment(namespace, name, { labels: { 'model.aibrix.ai/name': name } }),
  {
    apiVersion: 'autoscaling.aibrix.ai/v1alpha1',
    kind: 'PodAutoscaler',
    metadata: { name, namespace, annotations: { 'autoscaling.aibrix.ai/panic-threshold': '0' } },
    spec: {
      scalingStrategy: 'KPA',
      minReplicas: 1,
      maxReplicas: 9,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      metricsSources: [{ targetValue: '100', ...source }],
      ...spec,
    },
  },
];
const custom = { metricSourceType: 'custom', targetMetric: 'gpumix_target_centi' };
const http = { protocolType: 'http', endpoint: 'gpumix:8080', path: '/metrics/x/y', targetMetric: 'y' };

const doctor = async (...more: readonly string[]): Promise<string> => {
  const running = gpumix(['doctor', ...flags, ...more]);
  await once(running.process, 'exit');
  return running.output();
};

describe.runIf(ownCluster.ours)('doctor and AIBrix', () => {
  beforeAll(async () => {
    redis = await startRedis();
    const { token } = await installOnHost();
    kubeconfigWithToken(ownCluster.kubeconfig, token, join(folder, 'kubeconfig'));
    flags = serveFlags(join(folder, 'kubeconfig'), redis.url, await freePort());
    await kubectl(['apply', '--server-side', '-f', crd]);
    await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
    for (const name of [namespace, 'aibrix-system']) await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await apply(
      controller('aibrix/controller-manager:v0.7.0'),
      ...podAutoscaler('sound', {}, custom),
      ...podAutoscaler('sleeper', { minReplicas: 0 }, custom),
      ...podAutoscaler('bare', {}, { metricSourceType: 'external', targetMetric: 'gpumix-bare' }),
      ...podAutoscaler('by-http', {}, { metricSourceType: 'external', ...http }),
      ...podAutoscaler('apa', { scalingStrategy: 'APA' }, custom),
      ...podAutoscaler('hpa', { scalingStrategy: 'HPA' }, custom),
    );
  });
  afterAll(async () => {
    await kubectl(['delete', '-f', readerRights(), '--ignore-not-found']);
    await kubectl(['delete', '-f', crd, '--ignore-not-found', '--wait=false']);
    await kubectl(['delete', 'namespace', namespace, 'aibrix-system', '--ignore-not-found', '--wait=false']);
    await uninstall(async () => {});
    await redis?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  test('with the rights of serve it names each trap of v0.7.0, and that the controller lacks the right', async () => {
    const output = await doctor();
    expect(output).toMatch(/^ok {5}AIBrix's controller aibrix-system\/aibrix-controller-manager is v0\.7\.0$/m);
    expect(output).toMatch(/^ok {5}PodAutoscaler e2e-doctor\/sound scales sound$/m);
    expect(output).toMatch(/^note {3}PodAutoscaler e2e-doctor\/sound has source custom: while its metric cannot be read/m);
    const wrongs = {
      sleeper: 'has source custom and minReplicas 0',
      bare: 'has source external without an endpoint',
      'by-http': 'has a source that is read by HTTP',
      apa: 'has scalingStrategy APA',
      hpa: 'has scalingStrategy HPA',
    };
    for (const [name, text] of Object.entries(wrongs))
      expect(output).toMatch(new RegExp(`^WRONG {2}PodAutoscaler e2e-doctor/${name} ${text}`, 'm'));
    expect(output).toMatch(/^WRONG {2}ServiceAccount aibrix-system\/aibrix-controller-manager .* may not get pods\/gpumix/m);
  });

  test('routers by AIBrix’s names: an approximation is a note, in the log of serve too; one that fits no mode is wrong', async () => {
    const routed = (name: string, router: string) =>
      deployment(namespace, name, {
        labels: { 'model.aibrix.ai/name': name },
        annotations: { 'gpumix.io/router': router },
      });
    await apply(routed('sound', 'least-latency'), routed('bare', 'slo'));
    const flag = '--router=power-of-two';
    const notes = [
      /--router: AIBrix's power-of-two is planned for as none: /,
      /Deployment e2e-doctor\/sound: gpumix\.io\/router: AIBrix's least-latency is planned for as none: /,
    ];
    const refused = /Deployment e2e-doctor\/bare: gpumix\.io\/router is left out: AIBrix's slo sends nearly every request/;
    const output = await doctor(flag);
    for (const note of notes) expect(output).toMatch(new RegExp(`^note {3}${note.source}`, 'm'));
    expect(output).toMatch(new RegExp(`^WRONG {2}${refused.source}`, 'm'));
    const serving = gpumix(['serve', ...flags, flag]);
    try {
      for (const said of [...notes, refused]) await eventually('log', async () => serving.output(), said);
    } finally {
      await serving.kill();
    }
    const slo = gpumix(['serve', ...flags, '--router=slo']);
    const [status] = await once(slo.process, 'exit');
    expect(status).toBe(2);
    expect(slo.output()).toMatch(/--router is "slo": AIBrix's slo sends nearly every request to the fastest GPU type/);
  });

  test('the right of the sample is seen, and where the image does not say the release, the CRD does', async () => {
    await kubectl(['apply', '-f', readerRights()]);
    await apply(controller('aibrix/controller-manager:nightly'));
    const output = await doctor();
    expect(output).toMatch(/^ok {5}ServiceAccount aibrix-system\/aibrix-controller-manager .* may get pods\/gpumix/m);
    expect(output).toMatch(
      /^\? {6}the version of AIBrix's controller is not known: the image .*:nightly, names none; by the fields of its CRD it is after v0\.7\.0$/m,
    );
    expect(output).toMatch(/^ok {5}PodAutoscaler e2e-doctor\/bare scales bare$/m);
    expect(output).toMatch(/^\? {6}with some AIBrix after v0\.7\.0, PodAutoscaler e2e-doctor\/by-http/m);
  });
});
