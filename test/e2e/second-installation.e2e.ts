import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { kustomization } from '../../hack/kustomization.ts';
import { eventually, field, kubectl } from './cluster.ts';

/** What a second installation does to the first, whichever way it is made. */
const root = resolve(import.meta.dirname, '../..');
const manifests = join(root, 'manifests');
const second = join(root, 'manifests/samples/second');
const apiServices = ['v1beta1.custom.metrics.k8s.io', 'v1beta2.custom.metrics.k8s.io'];
const apply = (folder: string) => kubectl(['apply', '--server-side', '--force-conflicts', '-k', folder]);
/** What is refused, one line each; throws where nothing is. */
const refusals = async (folder: string): Promise<readonly string[]> => {
  const error = await apply(folder).then(
    () => {
      throw new Error('nothing was refused');
    },
    ({ stderr }: { stderr: string }) => stderr,
  );
  return error.trim().split('\n');
};
const elsewhere = (namespace: string, transformers: readonly string[]) => kustomization({ namespace, transformers });

/** APIServices, and who has which right: what the first lives by. */
const livesBy = async (): Promise<unknown> => {
  const objects = parseAllDocuments(await kubectl(['kustomize', manifests])).map((document) => document.toJS());
  const wanted = objects.filter(({ kind }) => /^(APIService|ClusterRole|ClusterRoleBinding|RoleBinding)$/.test(kind));
  const list = { apiVersion: 'v1', kind: 'List', items: wanted };
  const { items } = JSON.parse(await kubectl(['get', '-f', '-', '-o', 'json'], list)) as {
    items: readonly {
      kind: string;
      metadata: { name: string };
      spec?: unknown;
      subjects?: unknown;
      roleRef?: unknown;
      rules?: unknown;
    }[];
  };
  return items.map(({ kind, metadata, spec, subjects, roleRef, rules }) => [kind, metadata.name, spec, subjects, roleRef, rules]);
};
let first: unknown;

beforeAll(async () => {
  await apply(manifests);
  // An admission policy is enforced a moment after it is there.
  const move = ['patch', 'apiservice', apiServices[0]!, '--type=merge', '--dry-run=server', '-p'];
  const tried = () => kubectl([...move, '{"spec":{"service":{"namespace":"nowhere"}}}']).catch(({ stderr }) => stderr);
  await eventually('the policy', tried, /leads to the gpumix of gpumix-system/);
  first = await livesBy();
});

afterAll(async () => {
  await kubectl(['delete', 'apiservice', ...apiServices, '--ignore-not-found']);
  for (const folder of [second, elsewhere('gpumix-other', ['manifests/names']), manifests])
    await kubectl(['delete', '-k', folder, '--ignore-not-found']);
});

test('a second installation with the API group is refused, one line for each APIService; the first is as it was', async () => {
  const lines = await refusals(elsewhere('gpumix-other', ['manifests/names']));
  expect(lines).toHaveLength(2);
  for (const line of lines)
    expect(line).toMatch(
      /leads to the gpumix of gpumix-system\/gpumix, and would be taken away by gpumix-other\/gpumix: leave apiservice\/ out/,
    );
  expect(await livesBy()).toEqual(first);
});

test('`namespace:` alone over manifests/ is refused too: the first keeps its rights', async () => {
  const lines = await refusals(elsewhere('gpumix-other', []));
  expect(lines.filter((line) => /second installation needs names of its own/.test(line)).length).toBeGreaterThan(3);
  expect(lines.filter((line) => !/denied request/.test(line))).toEqual([]);
  expect(await livesBy()).toEqual(first);
});

test('a second one without the API group, for namespaces of its own, comes and goes beside the first', async () => {
  await apply(second);
  const may = (verb: string, what: string, ...more: string[]) =>
    kubectl([...['auth', 'can-i', verb, what, ...more], '--as=system:serviceaccount:gpumix-second:gpumix']).then(
      (answer) => answer.trim(),
      ({ stdout }: { stdout: string }) => stdout.trim(),
    );
  // without these it does not start, or answers nobody
  expect(await may('get', 'configmaps/extension-apiserver-authentication', '-n', 'kube-system')).toBe('yes');
  expect(await may('create', 'subjectaccessreviews.authorization.k8s.io')).toBe('yes');
  expect(await may('watch', 'deployments.apps', '-A')).toBe('yes');
  expect(await may('update', `apiservices.apiregistration.k8s.io/${apiServices[1]}`)).toBe('no');
  expect(await livesBy()).toEqual(first);
  // Nobody serves the API group here, so that no namespace can end.
  await kubectl(['delete', '-k', second, '--wait=false']);
  expect(await livesBy()).toEqual(first);
});

test('in another namespace manifests/ name nothing of gpumix-system', async () => {
  const all = kustomization({
    namespace: 'gpumix-other',
    transformers: ['manifests/names'],
    components: ['gateway', 'external-metrics', 'upstream', 'service-monitor', 'pod-monitor', 'cert-manager'],
  });
  const rendered = await kubectl(['kustomize', all]);
  expect(rendered.split('\n').filter((line) => line.includes('gpumix-system'))).toEqual([]);
});

test('the group moves on purpose, by an annotation that names where to, and nowhere else', async () => {
  const service = (namespace: string) => JSON.stringify({ spec: { service: { namespace } } });
  const move = (namespace: string) => kubectl(['patch', 'apiservice', apiServices[0]!, '--type=merge', '-p', service(namespace)]);
  await expect(move('gpumix-other')).rejects.toThrow(/leads to the gpumix of gpumix-system/);
  await kubectl(['annotate', 'apiservice', apiServices[0]!, 'gpumix.io/service=gpumix-other/gpumix']);
  await expect(move('gpumix-third')).rejects.toThrow(/leads to the gpumix of gpumix-system/);
  await move('gpumix-other');
});

test('`namespace:` alone, for a first installation: gpumix has all that it needs to start', async () => {
  const moved = elsewhere('gpumix-moved', []);
  await kubectl(['delete', 'apiservice', ...apiServices]);
  await kubectl(['delete', '-k', manifests, '--ignore-not-found', '--wait=false']);
  await apply(moved);
  const as = '--as=system:serviceaccount:gpumix-moved:gpumix';
  for (const right of [
    ['get', 'configmaps/extension-apiserver-authentication', '-n', 'kube-system'],
    ['create', 'tokenreviews.authentication.k8s.io'],
    ['watch', 'deployments.apps', '-A'],
    ['update', 'secrets/gpumix-serving-certificate', '-n', 'gpumix-moved'],
    ['update', `apiservices.apiregistration.k8s.io/${apiServices[0]}`],
  ])
    expect((await kubectl(['auth', 'can-i', ...right, as])).trim(), right.join(' ')).toBe('yes');
  expect(await field('{.spec.service.namespace}', 'apiservice', apiServices[0]!)).toBe('gpumix-moved');
  await kubectl(['delete', 'apiservice', ...apiServices]);
  await kubectl(['delete', '-k', moved, '--ignore-not-found', '--wait=false']);
});
