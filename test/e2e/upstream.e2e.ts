import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Peer, startPeer } from '../../hack/api/peer.ts';
import { builtBinaries, type ControlPlane, startControlPlane } from '../../hack/cluster/control-plane.ts';
import { authority } from '../../hack/cluster/pki.ts';
import type { RunningServer } from '../../src/api/start.ts';
import { upstreamAdapter } from '../../src/api/upstream-adapter.ts';
import { issueCertificate } from '../../src/api/x509.ts';
import { decided, fakeBoard } from '../helpers/fake-board.ts';
import { httpsClient } from '../helpers/https-client.ts';
import { type Cluster, clusterAt, eventually } from './cluster.ts';
import { serveOnHost } from './install.ts';

/** The Go test-adapter behind us: its users keep their metrics. It has a control plane of its own. */
let controlPlane: ControlPlane;
let cluster: Cluster;
let server: RunningServer;
let peer: Peer;
const board = fakeBoard();
const group = 'custom.metrics.k8s.io';
const ca = authority('upstream serving CA');
const admin = () => ({
  cert: readFileSync(controlPlane.pki.admin.certificate, 'utf8'),
  key: readFileSync(controlPlane.pki.admin.privateKey, 'utf8'),
});
const caFile = () => readFileSync(controlPlane.pki.cluster.certificate, 'utf8');
const throughUs = httpsClient(() => controlPlane.server, caFile, 'localhost');
const directly = httpsClient(
  () => `https://127.0.0.1:${peer.port}`,
  () => ca.certificate,
  'localhost',
);

beforeAll(async () => {
  controlPlane = await startControlPlane();
  cluster = clusterAt(controlPlane.kubeconfig, join(await builtBinaries(), 'kubectl'));
  const hour = 3_600_000;
  const validity = { notBefore: new Date(Date.now() - hour), notAfter: new Date(Date.now() + hour) };
  const pair = issueCertificate({ commonName: 'localhost', dnsNames: ['localhost'], usages: ['serverAuth'], ...validity }, ca);
  const [certificate, key] = [join(controlPlane.folder, 'peer.crt'), join(controlPlane.folder, 'peer.key')];
  writeFileSync(certificate, pair.certificate);
  writeFileSync(key, pair.privateKey);
  peer = await startPeer(controlPlane.folder, controlPlane.kubeconfig, certificate, key);
  await peer.write('namespaces/default/deployments.apps/web/queue_depth', '1500m');
  await peer.write('nodes/gpu-3/gpu_busy', '7');
  await cluster.apply(
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'gpumix-upstream' },
      rules: [{ apiGroups: [group], resources: ['*'], verbs: ['get', 'list'] }],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'gpumix-upstream' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'gpumix-upstream' },
      subjects: [{ kind: 'ServiceAccount', name: 'gpumix', namespace: 'gpumix-system' }],
    },
  );
  board.set(decided('default', 'web', 4));
  server = await serveOnHost(cluster, {
    board,
    upstream: (token) =>
      upstreamAdapter({
        url: `https://localhost:${peer.port}`,
        name: 'monitoring/test-adapter',
        ca: ca.certificate,
        token: async () => token,
        groupVersions: [`${group}/v1beta1`, `${group}/v1beta2`],
        log: { info: () => {}, warn: () => {}, error: () => {} },
        pollMilliseconds: 500,
      }),
  });
}, 600_000);

afterAll(async () => {
  await server.drain(0);
  await peer.stop();
  await controlPlane.stop();
});

const base = `/apis/${group}/v1beta2`;
const foreign = `${base}/namespaces/default/deployments.apps/web/queue_depth`;
const own = `${base}/namespaces/default/deployments.apps/web/gpumix_target_replicas`;

test('our own metric is ours (item 1)', async () => {
  const { body } = await throughUs(own, admin());
  expect(body.items[0].value).toBe('4');
});

test.each([
  { item: '6', path: `${base}/nodes/gpu-3/gpu_busy`, code: 200 },
  { item: '27', path: foreign, code: 200 },
  { item: '2', path: foreign.replace('v1beta2', 'v1beta1'), code: 200 },
  { item: '36', path: foreign.replace('/web/', '/none/'), code: 404 },
  { item: '41', path: `${foreign}?metricLabelSelector=a%20in`, code: 500 },
])('$item: $path is passed on: the same bytes as asked directly', async ({ path, code }) => {
  for (const accept of ['application/json', 'application/vnd.kubernetes.protobuf', 'application/yaml']) {
    const [passed, asked] = [
      await throughUs(path, { ...admin(), headers: { accept } }),
      await directly(path, { ...admin(), headers: { accept } }),
    ];
    expect(passed.code).toBe(code);
    const shown = ({ bytes, headers }: typeof passed) =>
      `${headers['content-type']} ${bytes.toString('latin1').replace(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'TIME')}`;
    expect(shown(passed)).toBe(shown(asked));
  }
});

test('the caller is authorized, not our ServiceAccount (item 46)', async () => {
  const refused = await cluster.kubectl(['get', '--raw', foreign, '--as=alice']).catch((error: Error) => error.message);
  expect(refused).toContain('User "alice" cannot get resource "deployments.apps/queue_depth"');
});

test('discovery is merged (items 52, 59)', async () => {
  const names = async () => {
    const { body } = await throughUs(base, admin());
    return body.resources.map(({ name }: { name: string }) => name).join(' ');
  };
  // the test-adapter lists a dummy in place of its metrics
  await eventually('resources', names, 'deployments.apps/gpumix_target_replicas pods/gpumix_target_centi /custommetrics');
});

test('with the upstream away ours are served, its metrics are 503, and we stay available (items 51, 49)', async () => {
  await peer.stop();
  expect((await throughUs(own, admin())).code).toBe(200);
  expect((await throughUs(base, admin())).code).toBe(200);
  const { body } = await throughUs(foreign, admin());
  expect(body).toMatchObject({
    code: 503,
    message: 'the upstream metrics adapter monitoring/test-adapter does not answer',
  });
});
