import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { eventually, field, kubectl } from './cluster.ts';

/** Everything that users apply, applied. */
const root = resolve(import.meta.dirname, '../..');
const crds = join(root, 'test/fixtures/crds');
const folders = ['manifests', 'apiservice']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
  )
  .filter((path) => path.endsWith('kustomization.yaml'))
  .map((path) => path.slice(0, -'/kustomization.yaml'.length))
  .sort();

const strict = ['apply', '--server-side', '--validate=strict', '--field-manager=e2e'];

beforeAll(async () => {
  await kubectl(['apply', '--server-side', '-f', crds]);
  await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
});

afterAll(async () => {
  await kubectl(['delete', '-k', join(root, 'manifests'), '--ignore-not-found', '--wait=false']);
  await kubectl(['delete', '-k', join(root, 'manifests/samples/aibrix'), '--ignore-not-found', '--wait=false']);
  await kubectl(['delete', '-f', crds, '--ignore-not-found', '--wait=false']);
});

test('every folder of manifests/ and apiservice/ is known', () => {
  expect(folders).toEqual([
    'apiservice',
    'apiservice/external',
    'manifests',
    'manifests/base',
    'manifests/overlays/external-metrics',
    'manifests/overlays/network-policy',
    'manifests/overlays/upstream',
    'manifests/samples/aibrix',
    'manifests/samples/hpa',
  ]);
});

test('manifests apply for real, and the namespace enforces the restricted pod security standard', async () => {
  await kubectl([...strict, '-k', join(root, 'manifests')]);
  const admitted = () =>
    field('{.status.conditions[?(@.type=="Progressing")].reason}', 'deployment', 'gpumix', '-n', 'gpumix-system');
  // a pod that breaks the standard would be refused: ReplicaSetCreateError, FailedCreate
  await eventually(
    'pod of gpumix admitted',
    () => field('{.items[*].metadata.name}', 'pods', '-n', 'gpumix-system'),
    /^gpumix-/,
  );
  expect(await admitted()).not.toMatch(/Error|Failed/);
});

test('the samples apply for real; the cluster keeps the tolerance of 0 and the minimum of 0', async () => {
  await kubectl([...strict, '-k', join(root, 'manifests/samples/aibrix')]);
  await kubectl([...strict, '-k', join(root, 'manifests/samples/hpa')]);
  for (const name of ['llama-8b-h100', 'llama-8b-l40s']) {
    const seen = await field(
      '{.spec.minReplicas} {.spec.behavior.scaleUp.tolerance} {.spec.behavior.scaleDown.tolerance}',
      'hpa',
      name,
      '-n',
      'serving',
    );
    expect(seen).toBe('0 0 0');
  }
});

test.each(folders)('%s: valid for the API server, strictly', async (folder) => {
  const objects = parseAllDocuments(await kubectl(['kustomize', join(root, folder)])).length;
  const out = await kubectl([...strict, '--dry-run=server', '-k', join(root, folder)]);
  expect(out.trim().split('\n')).toHaveLength(objects);
});

test('gpumix may do what it must, and nothing that it need not', async () => {
  const may = async (verb: string, resource: string, ...more: string[]) => {
    const as = '--as=system:serviceaccount:gpumix-system:gpumix';
    const out = await kubectl(['auth', 'can-i', verb, resource, as, ...more]).catch(
      (error: { stdout?: string }) => error.stdout ?? '',
    );
    return out.trim();
  };
  const needed = [
    ['watch', 'deployments.apps', '-A'],
    ['watch', 'pods', '-A'],
    ['list', 'horizontalpodautoscalers.autoscaling', '-A'],
    ['list', 'podautoscalers.autoscaling.aibrix.ai', '-A'],
    ['update', 'secrets/gpumix-serving-certificate', '-n', 'gpumix-system'],
    ['update', 'apiservices.apiregistration.k8s.io/v1beta2.custom.metrics.k8s.io'],
    ['create', 'subjectaccessreviews.authorization.k8s.io'],
    ['create', 'tokenreviews.authentication.k8s.io'],
    ['get', 'configmaps/extension-apiserver-authentication', '-n', 'kube-system'],
    ['update', 'leases.coordination.k8s.io/gpumix', '-n', 'gpumix-system'],
    ['create', 'leases.coordination.k8s.io', '-n', 'gpumix-system'],
  ];
  const needless = [
    ['update', 'deployments.apps', '-n', 'serving'],
    ['delete', 'pods', '-n', 'serving'],
    ['list', 'secrets', '-n', 'gpumix-system'],
    ['create', 'secrets', '-n', 'gpumix-system'],
    ['get', 'secrets/other', '-n', 'gpumix-system'],
    ['update', 'apiservices.apiregistration.k8s.io/v1.apps'],
    ['update', 'leases.coordination.k8s.io/other', '-n', 'gpumix-system'],
    ['create', 'leases.coordination.k8s.io', '-n', 'kube-system'],
  ];
  const answers = (list: string[][]) =>
    Promise.all(
      list.map(async ([verb = '', what = '', ...more]) => `${verb} ${what}: ${await may(verb, what, ...more)}`),
    );
  expect(await answers(needed)).toEqual(needed.map(([verb, what]) => `${verb} ${what}: yes`));
  expect(await answers(needless)).toEqual(needless.map(([verb, what]) => `${verb} ${what}: no`));
});
