import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { builtBinaries, type ControlPlane, startControlPlane } from '../../hack/cluster/control-plane.ts';
import type { RunningServer } from '../../src/api/start.ts';
import { decided, fakeBoard } from '../helpers/fake-board.ts';
import { type AskOptions, httpsClient } from '../helpers/https-client.ts';
import { type Cluster, clusterAt } from './cluster.ts';
import { publishedBundle, serveOnHost } from './install.ts';

/**
 * Who may do what, asked twice: of us directly, and of kube-apiserver, which authorizes by itself before it passes a
 * request on. Both must say the same, word for word. It has a control plane of its own.
 */
let controlPlane: ControlPlane;
let cluster: Cluster;
let server: RunningServer;
const board = fakeBoard();
const group = 'custom.metrics.k8s.io';
const [teamA, teamB] = ['team-a', 'team-b'];

const role = (name: string, namespace: string | undefined, rules: readonly object[]) => {
  const rbac = 'rbac.authorization.k8s.io';
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
  const prefix = namespace === undefined ? 'Cluster' : '';
  return [
    { apiVersion: `${rbac}/v1`, kind: `${prefix}Role`, metadata, rules },
    {
      apiVersion: `${rbac}/v1`,
      kind: `${prefix}RoleBinding`,
      metadata,
      roleRef: { apiGroup: rbac, kind: `${prefix}Role`, name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: teamA }],
    },
  ];
};
const rule = (resources: readonly string[], verbs: readonly string[], more = {}) => ({
  apiGroups: [group],
  resources,
  verbs,
  ...more,
});
const metric = 'deployments.apps/gpumix_target_replicas';
const identities = [
  { name: 'nobody', grants: [] },
  { name: 'one-metric', grants: role('one-metric', teamA, [rule([metric], ['get'])]) },
  { name: 'one-object', grants: role('one-object', teamA, [rule([metric], ['get'], { resourceNames: ['web'] })]) },
  {
    name: 'wildcard-object',
    grants: role('wildcard-object', teamA, [rule([metric], ['get'], { resourceNames: ['*'] })]),
  },
  { name: 'any-object', grants: role('any-object', undefined, [rule(['*/gpumix_target_replicas'], ['get'])]) },
  { name: 'lists-only', grants: role('lists-only', undefined, [rule(['*'], ['list'])]) },
  {
    name: 'other-group',
    grants: role('other-group', undefined, [{ apiGroups: ['apps'], resources: ['*'], verbs: ['*'] }]),
  },
  {
    name: 'namespace-metrics',
    grants: role('namespace-metrics', teamB, [rule(['metrics', 'pods/gpumix_target_centi'], ['get'])]),
  },
  { name: 'everything', grants: role('everything', undefined, [rule(['*'], ['*'])]) },
];

const base = `/apis/${group}`;
const paths = [
  ...['v1beta1', 'v1beta2'].flatMap((version) => [
    `${base}/${version}`,
    ...[teamA, teamB].flatMap((namespace) => [
      `${base}/${version}/namespaces/${namespace}/deployments.apps/web/gpumix_target_replicas`,
      `${base}/${version}/namespaces/${namespace}/deployments.apps/other/gpumix_target_replicas`,
      `${base}/${version}/namespaces/${namespace}/deployments.apps/%2A/gpumix_target_replicas`,
      `${base}/${version}/namespaces/${namespace}/pods/web-1/gpumix_target_centi`,
      `${base}/${version}/namespaces/${namespace}/metrics/tokens`,
    ]),
  ]),
  `${base}/v1beta2/namespaces/${teamA}/foo`,
  `${base}/v1beta2/nodes/n1/gpumix_target_replicas`,
  `${base}/v1beta2/nodes/%2A/busy`,
  `${base}/v1beta2/namespaces/${teamA}/deployments.apps%2Fweb%2Fgpumix_target_replicas`,
  `${base}/v1beta2/namespaces/${teamA}/deployments.apps/web/gpumix_target_replicas/more`,
  `${base}/v1beta2/watch/namespaces/${teamA}/deployments.apps/web/gpumix_target_replicas`,
];
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

beforeAll(async () => {
  controlPlane = await startControlPlane();
  cluster = clusterAt(controlPlane.kubeconfig, join(await builtBinaries(), 'kubectl'));
  await cluster.apply(...[teamA, teamB].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })));
  const accounts = identities.map(({ name }) => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace: teamA },
  }));
  await cluster.apply(...accounts, ...identities.flatMap(({ grants }) => grants));
  board.set(decided(teamA, 'web', 4));
  board.addPod({ namespace: teamA, name: 'web-1', deployment: 'web', labels: {} });
  server = await serveOnHost(cluster, { board });
}, 120_000);

afterAll(async () => {
  await server.drain(0);
  await controlPlane.stop();
});

/** What was decided; the rest of an answer that was let in is not about access. */
const decision = ({ code, body }: { code: number; body?: { message?: string; details?: object } }) =>
  code === 403 || code === 401 ? { code, message: body?.message, details: body?.details } : 'in';

test('identities x paths x verbs: we decide as kube-apiserver does (items 91, 46)', async () => {
  const bundle = await publishedBundle(cluster);
  const ca = readFileSync(controlPlane.pki.cluster.certificate, 'utf8');
  const ours = httpsClient(
    () => server.url,
    () => bundle,
    'gpumix.gpumix-system.svc',
  );
  const theirs = httpsClient(
    () => controlPlane.server,
    () => ca,
    'localhost',
  );
  const bearers = await Promise.all(
    identities.map(async ({ name }) => ({
      name,
      options: {
        headers: { authorization: `Bearer ${(await cluster.kubectl(['create', 'token', name, '-n', teamA])).trim()}` },
      } as AskOptions,
    })),
  );
  const everybody = [
    ...bearers,
    { name: 'anonymous', options: {} as AskOptions },
    { name: 'bad token', options: { headers: { authorization: 'Bearer x' } } as AskOptions },
  ];
  const counts = { in: 0, out: 0 };
  const differences: object[] = [];
  for (const { name, options } of everybody) {
    for (const path of paths) {
      await Promise.all(
        methods.map(async (method) => {
          const [mine, other] = await Promise.all([ours(path, { ...options, method }), theirs(path, { ...options, method })]);
          if (decision(mine) === 'in') counts.in += 1;
          else counts.out += 1;
          if (JSON.stringify(decision(mine)) !== JSON.stringify(decision(other))) {
            differences.push({ name, method, path, ours: decision(mine), theirs: decision(other) });
          }
        }),
      );
    }
  }
  console.log(
    `access matrix: ${everybody.length} identities x ${paths.length} paths x ${methods.length} verbs: ${counts.in} in, ${counts.out} out`,
  );
  expect(differences).toEqual([]);
  expect(counts.in).toBeGreaterThan(100);
  expect(counts.out).toBeGreaterThan(500);
}, 180_000);
