import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startControlPlane } from '../../hack/cluster/control-plane.ts';
import { issueAuthority, issueCertificate } from '../../src/api/x509.ts';
import { freePort, type RedisServer, startRedis } from '../helpers/redis.ts';
import { apply, eventually, kubectl, ownCluster } from './cluster.ts';
import { gpumix, kubeconfigWithToken, serveFlags } from './gpumix-process.ts';
import { apiServices, installOnHost, uninstall } from './install.ts';

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

/** HPAs that the API server takes and that scale wrongly, or do not scale. */
const ours = (
  name: string,
  target: object = { type: 'AverageValue', averageValue: '1' },
  of = name,
  metric = 'gpumix_target_replicas',
) => ({
  type: 'Object',
  object: { describedObject: { apiVersion: 'apps/v1', kind: 'Deployment', name: of }, metric: { name: metric }, target },
});
const cpu = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } };
const wrongHpas = [
  { name: 'h-value', id: 'hpa-target-type', spec: { metrics: [ours('h-value', { type: 'Value', value: '1' })] } },
  {
    name: 'h-hundred',
    id: 'hpa-average-value',
    spec: { metrics: [ours('h-hundred', { type: 'AverageValue', averageValue: '100' })] },
  },
  {
    name: 'h-half',
    id: 'hpa-average-value',
    spec: { metrics: [ours('h-half', { type: 'AverageValue', averageValue: '500m' })] },
  },
  { name: 'h-other', id: 'hpa-described-object', spec: { metrics: [ours('h-other', undefined, 'h-value')] } },
  { name: 'h-cpu', id: 'hpa-other-metric', spec: { metrics: [ours('h-cpu'), cpu] } },
  { name: 'h-centi', id: 'hpa-metric', spec: { metrics: [ours('h-centi', undefined, 'h-centi', 'gpumix_target_centi')] } },
  { name: 'h-frozen', id: 'hpa-disabled', spec: { behavior: { scaleDown: { selectPolicy: 'Disabled' } } } },
  { name: 'h-twice', id: 'two-autoscalers', spec: {} },
];
const hpa = (name: string, spec: object) => {
  const scaling = {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
    minReplicas: 1,
    maxReplicas: 9,
    metrics: [ours(name)],
    ...spec,
  };
  const named = (own: string) => ({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: own, namespace },
    spec: scaling,
  });
  const model = deployment(namespace, name, { labels: { 'model.aibrix.ai/name': name } });
  // At 0 an HPA is off.
  const running = { ...model, spec: { ...model.spec, replicas: 1 } };
  return [running, named(name), ...(name === 'h-twice' ? [named(`${name}-again`)] : [])];
};
/** A printed command as a shell takes it apart. */
const wordsOf = (command: string): readonly string[] =>
  (command.match(/(?:[^\s']|'[^']*')+/g) ?? []).map((word) => word.replaceAll("'", ''));

const doctor = async (...more: readonly string[]): Promise<string> => {
  const running = gpumix(['doctor', '--verbose', ...flags, ...more]);
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

  test('HPAs that scale wrongly are found, and the commands that are printed mend them', async () => {
    await apply(...wrongHpas.flatMap(({ name, spec }) => hpa(name, spec)));
    // No serve runs here, of which the HPAs complain themselves.
    const wrongOf = (output: string) =>
      [...output.matchAll(/^WRONG {2}(?:HPA|Deployment) e2e-doctor\/h-.*\n {7}\[([\w-]+)\] fix: (.*)$/gm)].filter(
        ([, id]) => id !== 'hpa-failing',
      );
    const found = wrongOf(await doctor());
    expect(found.map(([, id]) => id).toSorted()).toEqual(wrongHpas.map(({ id }) => id).toSorted());
    for (const [, , mend] of found) await kubectl(wordsOf(mend!.replace(/^keep one: /, '')).slice(1));
    expect(wrongOf(await doctor())).toEqual([]);
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

  test('a certificate that nobody renews and a caBundle of another authority are named, and mended by the command and by serve', async () => {
    const found = async () => {
      const running = gpumix(['doctor', '--json', ...flags]);
      await once(running.process, 'exit');
      const { findings } = JSON.parse(running.output().split('\n')[0] ?? '') as {
        readonly findings: readonly {
          readonly id: string;
          readonly object: string;
          readonly seen: string;
          readonly mend: string;
        }[];
      };
      return findings.filter(({ id }) => id === 'certificate' || id === 'apiservice-authority');
    };
    expect(await found()).toEqual([]);
    const [from, to] = [new Date(Date.now() - 89 * 86_400_000), new Date(Date.now() + 43_200_000)];
    const [authority, stranger] = [issueAuthority('old', from, to), issueAuthority('another', from, to)];
    const { certificate } = issueCertificate(
      { commonName: 'gpumix', usages: ['serverAuth'], notBefore: from, notAfter: to },
      authority,
    );
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const merge = (kind: string, name: string, patch: object, ...more: readonly string[]) =>
      kubectl(['patch', kind, name, '--type=merge', '-p', JSON.stringify(patch), ...more]);
    await merge('secret', 'gpumix-serving-certificate', { data: { 'tls.crt': base64(certificate) } }, '-n', 'gpumix-system');
    for (const name of apiServices) await merge('apiservice', name, { spec: { caBundle: base64(stranger.certificate) } });
    const planted = await found();
    expect(planted.map(({ object, seen }) => `${object} ${seen}`)).toEqual([
      expect.stringMatching(
        /^Secret gpumix-system\/gpumix-serving-certificate has a serving certificate that expires at .* nobody renews it/,
      ),
      ...apiServices.map((name) => expect.stringMatching(new RegExp(`^APIService ${name} has a caBundle that did not sign`))),
    ]);
    for (const { mend } of planted.slice(1)) await kubectl(wordsOf(mend).slice(1));
    expect((await found()).map(({ id }) => id)).toEqual(['certificate']);
    const serving = gpumix(['serve', ...flags]);
    try {
      await eventually('renewed by serve', async () => JSON.stringify(await found()), '[]');
    } finally {
      await serving.kill();
    }
  });

  test('where HPAs cannot be at 0, a label of 0 is told as such, and the command mends it', async () => {
    const without = await startControlPlane(['--feature-gates=HPAScaleToZero=false']);
    try {
      const items = hpa('asleep', {}).map((object) => ({ ...object, metadata: { ...object.metadata, namespace: 'default' } }));
      items[0]!.metadata = {
        ...items[0]!.metadata,
        labels: { 'model.aibrix.ai/name': 'asleep', 'model.aibrix.ai/min_replicas': '0' },
      };
      await without.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
      const found = async (): Promise<string> => {
        const running = gpumix(['doctor', `--kubeconfig=${without.kubeconfig}`, `--redis-url=${redis.url}`]);
        await once(running.process, 'exit');
        return running.output();
      };
      const seen =
        /^note {3}HPA default\/asleep has minReplicas 1: .*cannot be at 0, as HPAScaleToZero is off\n {7}\[hpa-minimum\] fix: (.*)$/m;
      const output = await found();
      expect(output).toMatch(seen);
      await without.kubectl(wordsOf(seen.exec(output)![1]!).slice(1));
      expect(await found()).not.toMatch(/hpa-minimum/);
    } finally {
      await without.stop();
    }
  });
});
