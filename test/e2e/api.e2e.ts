import { afterAll, beforeAll, expect, test } from 'vitest';
import { authority, clientCertificate } from '../../hack/cluster/pki.ts';
import type { RunningServer } from '../../src/api/start.ts';
import type { KeyPair } from '../../src/api/x509.ts';
import { decided, type FakeBoard, fakeBoard, undecided } from '../helpers/fake-board.ts';
import { httpsClient } from '../helpers/https-client.ts';
import { autoscaler } from './autoscaler.ts';
import { apply, cluster, eventually, field, kubectl, ownCluster } from './cluster.ts';
import { publishedBundle, serveOnHost, uninstall } from './install.ts';

/**
 * The API server behind the real aggregator, read by the real HPA controller. The board is written by the test and the
 * process runs on this host; its rights are those of manifests/, and its certificate is the one that it makes itself.
 */
const { ours } = ownCluster;
const system = 'gpumix-system';
const models = 'e2e-api-models';
const board: FakeBoard = fakeBoard();
let server: RunningServer;
let bundle = '';

const base = (version: string, namespace = models) =>
  `/apis/custom.metrics.k8s.io/${version}/namespaces/${namespace}/deployments.apps`;
const metric = (version: string, name: string) => `${base(version)}/${name}/gpumix_target_replicas`;
const ask = httpsClient(
  () => server.url,
  () => bundle,
  `gpumix.${system}.svc`,
);

const deployment = (name: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: models, labels: { app: name } },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'engine', image: 'engine:none' }] },
    },
  },
});

beforeAll(async () => {
  server = await serveOnHost(cluster, { board });
  bundle = await publishedBundle();
  await apply(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: models } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'nobody', namespace: models } },
  );
}, 90_000);

afterAll(async () => {
  await uninstall(() => server.drain(0));
  await kubectl(['delete', 'namespace', models, '--ignore-not-found', '--wait=false']);
});

test('both APIServices become available (item 103)', async () => {
  for (const version of ['v1beta1', 'v1beta2']) {
    const ask = () =>
      field('{.status.conditions[?(@.type=="Available")].reason}', 'apiservice', `${version}.custom.metrics.k8s.io`);
    await eventually(version, ask, 'Passed', 30);
  }
});

test('kubectl get --raw of both versions (items 1, 2, 103)', async () => {
  board.set(decided(models, 'raw', 7, { gpu: 'h100' }));
  for (const version of ['v1beta1', 'v1beta2']) {
    const one = JSON.parse(await kubectl(['get', '--raw', metric(version, 'raw')]));
    expect(one).toMatchObject({ kind: 'MetricValueList', apiVersion: `custom.metrics.k8s.io/${version}` });
    expect(one.items).toMatchObject([{ describedObject: { kind: 'Deployment', name: 'raw' }, value: '7' }]);
    const all = JSON.parse(await kubectl(['get', '--raw', `${metric(version, '*')}?labelSelector=gpu%3Dh100`]));
    expect(all.items).toEqual(one.items);
  }
});

test('an object without a model is not found, by the exact text', async () => {
  const asked = kubectl(['get', '--raw', metric('v1beta2', 'stranger')]);
  await expect(asked).rejects.toThrow(
    'the server could not find the metric gpumix_target_replicas for deployments.apps stranger',
  );
});

test('the HPA follows 5 -> 11 -> 0 -> 3 (items 104, 106, 107)', async () => {
  board.set(decided(models, 'web', 1));
  await apply(deployment('web'), autoscaler(models, 'web'));
  for (const replicas of [5, 11, 0, 3]) {
    board.set(decided(models, 'web', replicas));
    await eventually(`spec.replicas`, () => field('{.spec.replicas}', 'deployment', 'web', '-n', models), String(replicas), 20);
  }
});

test('an undecided Deployment makes the HPA hold, and its condition quotes our reason (items 34, 49, 105)', async () => {
  const reason = 'no request record of model llama-8b for 312 s';
  board.set(undecided(models, 'web', reason));
  const message = () => field('{.status.conditions[?(@.type=="ScalingActive")].message}', 'hpa', 'web', '-n', models);
  expect(await eventually('condition', message, new RegExp(reason), 20)).toMatch(
    `unable to fetch metrics from custom metrics API: ${reason}`,
  );
  expect(await field('{.spec.replicas}', 'deployment', 'web', '-n', models)).toBe('3');
  board.set(decided(models, 'web', 4));
  await eventually('resumed', () => field('{.spec.replicas}', 'deployment', 'web', '-n', models), '4', 20);
});

const frontProxyCertificate = (signer: KeyPair, name = 'front-proxy-client') => {
  const { certificate, privateKey } = clientCertificate(signer, name);
  return { cert: certificate, key: privateKey };
};
const forged = { 'X-Remote-User': 'system:admin', 'X-Remote-Group': 'system:masters' };
const stranger = authority('some other CA');

test.each([
  { name: 'no credentials (item 88)', code: 403, options: {} },
  { name: 'forged X-Remote-User without a certificate (item 84)', code: 403, options: { headers: forged } },
  {
    name: 'front-proxy certificate of the wrong CA (item 84)',
    code: 401,
    options: { headers: forged, ...frontProxyCertificate(stranger) },
  },
  { name: 'client certificate of the wrong CA (item 98)', code: 401, options: frontProxyCertificate(stranger, 'admin') },
  { name: 'a made-up token (item 87)', code: 401, options: { headers: { authorization: 'Bearer x.y.z' } } },
])('nobody in: $name', async ({ code, options }) => {
  board.set(decided(models, 'web', 4));
  const answer = await ask(metric('v1beta2', 'web'), options);
  expect(answer.body).toMatchObject({ kind: 'Status', code, status: 'Failure' });
  expect(answer.code).toBe(code);
});

test('a token is known, and refused without rights, and let in with them (items 86, 91)', async () => {
  const token = (await kubectl(['create', 'token', 'nobody', '-n', models])).trim();
  const headers = { authorization: `Bearer ${token}` };
  const refused = await ask(metric('v1beta2', 'web'), { headers });
  expect(refused.body.message).toBe(
    `deployments.apps.custom.metrics.k8s.io "web" is forbidden: User "system:serviceaccount:${models}:nobody" cannot get resource "deployments.apps/gpumix_target_replicas" in API group "custom.metrics.k8s.io" in the namespace "${models}"`,
  );
  await apply(
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'metric-reader', namespace: models },
      rules: [
        {
          apiGroups: ['custom.metrics.k8s.io'],
          resources: ['deployments.apps/gpumix_target_replicas'],
          verbs: ['get'],
        },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'metric-reader', namespace: models },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'metric-reader' },
      subjects: [{ kind: 'ServiceAccount', name: 'nobody', namespace: models }],
    },
  );
  const code = async () => String((await ask(metric('v1beta2', 'web'), { headers })).code);
  await eventually('let in once the cached refusal is over', code, '200', 30);
});

test.runIf(ours)('the real front proxy is let in for whom it names (item 89)', async () => {
  const whoami = await kubectl(['get', '--raw', metric('v1beta2', 'web'), '--as=alice']).catch((error: Error) => error.message);
  expect(whoami).toMatch('User "alice" cannot get resource');
});

test('namespaces are deleted while we serve, and after the APIServices are gone', async () => {
  const removed = async (name: string) => {
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await kubectl(['delete', 'namespace', name, '--timeout=60s']);
  };
  await removed('e2e-api-brief');
  await kubectl(['delete', 'apiservice', 'v1beta1.custom.metrics.k8s.io', 'v1beta2.custom.metrics.k8s.io']);
  await removed('e2e-api-brief');
});
