import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { components } from '../../hack/chart/sources.ts';
import { builtHelm } from '../../hack/cluster/helm/helm.ts';
import { kustomization } from '../../hack/kustomization.ts';
import { field, kubectl, ownCluster } from './cluster.ts';

/** charts/gpumix with a real Helm: the same objects as kustomize, and what Helm does with them on a real API server. */
const root = resolve(import.meta.dirname, '../..');
const chart = join(root, 'charts/gpumix');
const program = builtHelm();
const run = promisify(execFile);
const helm = async (...args: readonly string[]): Promise<string> => {
  const { stdout, stderr } = await run(program, [...args, '--kubeconfig', ownCluster.kubeconfig], { maxBuffer: 64 << 20 });
  return stdout + stderr;
};
const set = (name: string) => ['-f', join(chart, 'sets', `${name}.yaml`)];
/** In the order to keep: a component changes what stands before it. */
const names = components;

// biome-ignore lint/suspicious/noExplicitAny: objects of many kinds
type KubernetesObject = any;
/** Lists whose order means nothing are in the order of their names; the Namespace is Helm's to make. */
const byName = (text: string): Readonly<Record<string, KubernetesObject>> => {
  const objects = parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject);
  const sorted = (node: KubernetesObject): KubernetesObject => {
    if (Array.isArray(node)) {
      const items = node.map(sorted);
      return items.every((item) => item?.name !== undefined) ? items.toSorted((a, b) => (a.name < b.name ? -1 : 1)) : items;
    }
    return node !== null && typeof node === 'object'
      ? Object.fromEntries(Object.entries(node).map(([key, value]) => [key, sorted(value)]))
      : node;
  };
  const kept = objects.filter((object) => object && object.kind !== 'Namespace');
  return Object.fromEntries(
    kept.map((object) => [`${object.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name}`, sorted(object)]),
  );
};

describe('the same objects as kustomize', () => {
  const templated = (namespace: string, sets: readonly string[]) =>
    helm('template', 'gpumix', chart, '-n', namespace, ...sets.flatMap(set));
  const pairs = names.flatMap((one, index) => names.slice(index + 1).map((other) => [one, other]));

  test.each([[], ...names.map((name) => [name]), names].map((sets) => ({ sets, title: sets.join(' + ') || 'no component' })))(
    '$title',
    async ({ sets }) => {
      const wanted = byName(await kubectl(['kustomize', kustomization({ components: sets })]));
      expect(Object.keys(wanted).length).toBeGreaterThan(15);
      expect(byName(await templated('gpumix-system', sets))).toEqual(wanted);
    },
  );

  test('every pair of components', async () => {
    for (const pair of pairs) {
      const wanted = byName(await kubectl(['kustomize', kustomization({ components: pair })]));
      expect(byName(await templated('gpumix-system', pair)), pair.join(' + ')).toEqual(wanted);
    }
  });

  test('another namespace, everything in it', async () => {
    const wrapper = kustomization({ namespace: 'elsewhere', components: names, transformers: ['manifests/names'] });
    const wanted = byName(await kubectl(['kustomize', wrapper]));
    // kustomize takes these for objects of a namespace; the API server drops it.
    const strayed = Object.entries(wanted).map(([key, { metadata, ...object }]) => {
      if (!object.kind.startsWith('ValidatingAdmissionPolicy')) return [key, { ...object, metadata }];
      const { namespace: _, ...rest } = metadata;
      return [`${object.kind} /${metadata.name}`, { ...object, metadata: rest }];
    });
    expect(byName(await templated('elsewhere', names))).toEqual(Object.fromEntries(strayed));
  });

  test('a second installation', async () => {
    const wanted = byName(await kubectl(['kustomize', join(root, 'manifests/samples/second')]));
    expect(byName(await templated('gpumix-second', ['second']))).toEqual(wanted);
  });
});

test('values that are none of the chart’s are refused, and so are settings that other values make', async () => {
  const template = (...values: readonly string[]) =>
    helm('template', 'gpumix', chart, ...values.flatMap((one) => ['--set', one]));
  await expect(template('gatway.enabled=true')).rejects.toThrow(/additional properties 'gatway' not allowed/);
  await expect(template('settings.GPUMIX_UPSTREAM=a/b:1')).rejects.toThrow(/GPUMIX_UPSTREAM/);
  await expect(template('redis.url=redis.example.com')).rejects.toThrow(/redis/);
});

describe('on a cluster', () => {
  const first = ['gpumix', chart, '-n', 'gpumix-system'];
  const second = ['second', chart, '-n', 'gpumix-second', '--create-namespace'];
  const replicas = () => field('{.spec.replicas}', 'deployment', 'gpumix', '-n', 'gpumix-system');

  beforeAll(async () => {
    await helm('install', ...first, '--create-namespace');
  });
  afterAll(async () => {
    for (const [release, namespace] of [
      ['second', 'gpumix-second'],
      ['gpumix', 'gpumix-system'],
    ] as const)
      await helm('uninstall', release, '-n', namespace, '--ignore-not-found');
    await kubectl(['delete', 'namespace', 'gpumix-second', 'gpumix-system', '--ignore-not-found']);
  });

  test('a second installation is refused with one line, before anything of it is there', async () => {
    const stderr = await helm('install', ...second).catch((error: { stderr: string }) => error.stderr);
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(
        /APIService v1beta1\.custom\.metrics\.k8s\.io leads to gpumix-system\/gpumix: a second installation says/,
      ),
    ]);
    expect(await kubectl(['get', 'deployments', '-n', 'gpumix-second', '-o', 'name'])).toBe('');
    expect(await field('{.spec.service.namespace}', 'apiservice', 'v1beta1.custom.metrics.k8s.io')).toBe('gpumix-system');
  });

  test('a second one without the API group comes and goes beside the first', async () => {
    await helm('install', ...second, ...set('second'));
    await helm('uninstall', 'second', '-n', 'gpumix-second');
    expect(await kubectl(['get', 'clusterrolebinding', 'gpumix:gpumix-system', '-o', 'name'])).not.toBe('');
    expect(await kubectl(['get', 'clusterrolebindings', '-o', 'name'])).not.toContain('gpumix-second');
  });

  test('upgrade and rollback', async () => {
    await helm('upgrade', ...first, '--set', 'replicas=3');
    expect(await replicas()).toBe('3');
    await helm('rollback', 'gpumix', '-n', 'gpumix-system');
    expect(await replicas()).toBe('2');
  });

  test('uninstall takes the APIServices before the Service that they lead to, and leaves nothing', async () => {
    const said = await helm('uninstall', 'gpumix', '-n', 'gpumix-system', '--debug');
    const kinds = [...said.matchAll(/starting delete resource.*kind=(\w+)/g)].map(([, kind]) => kind);
    expect(kinds.lastIndexOf('APIService')).toBe(1);
    expect(kinds.indexOf('Service')).toBeGreaterThan(1);
    const left = await kubectl(['get', 'clusterroles,clusterrolebindings,apiservices,validatingadmissionpolicies', '-o', 'name']);
    expect(left.split('\n').filter((name) => /gpumix|custom\.metrics/.test(name))).toEqual([]);
  });
});
