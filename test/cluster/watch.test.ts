import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { Kubernetes } from '../../src/cluster/kubernetes-connection.ts';
import { type Cluster, type WatchSettings, watchCluster } from '../../src/cluster/watch.ts';

const timing = { watchSeconds: 60, graceSeconds: 1, pauseSeconds: 0.01, longestPauseSeconds: 0.02 };
type Lists = Readonly<Record<string, { readonly status: number; readonly body: unknown }>>;
const page = (...items: object[]) => ({ status: 200, body: { metadata: { resourceVersion: '1' }, items } });
const forbidden = { status: 403, body: { message: 'no' } };
const deployment = (namespace: string) => ({
  metadata: { name: 'a', namespace, uid: namespace, resourceVersion: '1', labels: { 'model.aibrix.ai/name': 'm' } },
  spec: { replicas: 2, template: { spec: {} } },
});
const stock = (text: string) => ({
  metadata: { name: 'limits', namespace: 'gpumix', resourceVersion: '1' },
  data: { 'stock.yaml': text },
});

const clusters: Cluster[] = [];
afterEach(() => {
  for (const cluster of clusters.splice(0)) cluster.stop();
});
/** Watches an API server that has these lists, by the last part of the path, and is empty beside them. */
const watched = (lists: Lists, more: Partial<WatchSettings> = {}) => {
  const asked = new Set<string>();
  const changes = new Map<string, PassThrough>();
  const kubernetes: Kubernetes = {
    namespace: 'gpumix',
    request: async (_method, path) => {
      asked.add(path);
      return lists[path.split('?')[0]!.split('/').at(-1)!] ?? page();
    },
    stream: async (path, signal) => {
      const body = new PassThrough();
      signal.addEventListener('abort', () => body.destroy(signal.reason));
      changes.set(path.split('?')[0]!.split('/').at(-1)!, body);
      return Object.assign(body, { statusCode: 200 }) as never;
    },
  };
  const cluster = watchCluster(kubernetes, { gatewaySelector: 'gateway', stockConfig: 'gpumix/limits', ...more }, timing);
  clusters.push(cluster);
  /** Once the watch of that kind is there. */
  const change = async (kind: string, type: string, object: object) => {
    await until(() => changes.has(kind));
    changes.get(kind)!.write(`${JSON.stringify({ type, object })}\n`);
  };
  return { cluster, asked, change };
};
const until = async (holds: () => boolean) => {
  for (const deadline = performance.now() + 5000; !holds(); await sleep(2))
    if (performance.now() > deadline) throw new Error(`did not hold: ${holds}`);
};
const synced = async (cluster: Cluster) => await until(() => cluster.unsynced().length === 0);

test('Deployments are those of the namespaces that are planned for; none named = of every one', async () => {
  const lists = { deployments: page(deployment('ours'), deployment('theirs')) };
  const [all, some] = [watched(lists).cluster, watched(lists, { namespaces: ['ours'] }).cluster];
  await synced(all);
  await synced(some);
  expect([[...all.deployments.keys()], [...some.deployments.keys()]]).toEqual([['ours/a', 'theirs/a'], ['ours/a']]);
});

test('of ConfigMaps only that of the GPU limits is asked for, in its namespace', async () => {
  const { cluster, asked } = watched({});
  await synced(cluster);
  const [path] = [...asked].filter((one) => one.includes('configmaps'));
  expect(path).toMatch(/^\/api\/v1\/namespaces\/gpumix\/configmaps\?fieldSelector=metadata\.name%3Dlimits&/);
});

test('limits that can no longer be read stand as they were, and what is wrong with them is said', async () => {
  const { cluster, change } = watched({ configmaps: page(stock('ceilings: { H100: 8 }')) });
  await synced(cluster);
  expect([cluster.supply().limits?.ceilings, cluster.problems()]).toEqual([{ H100: 8 }, []]);
  await change('configmaps', 'MODIFIED', stock('ceilings: { H100: many }'));
  await until(() => cluster.problems().length > 0);
  expect(cluster.supply().limits?.ceilings).toEqual({ H100: 8 });
  expect(cluster.problems()[0]).toMatch(/^ConfigMap gpumix\/limits: stock\.yaml: ceilings/);
  await change('configmaps', 'MODIFIED', stock('ceilings: { H100: 4 }'));
  await until(() => cluster.problems().length === 0);
  expect(cluster.supply().limits?.ceilings).toEqual({ H100: 4 });
});

test('a ConfigMap without its key, or with broken YAML, limits nothing', async () => {
  for (const [given, problem] of [
    [{ ...stock(''), data: {} }, 'is missing'],
    [stock('ceilings: {'), ''],
  ] as const) {
    const { cluster } = watched({ configmaps: page(given) });
    await synced(cluster);
    expect([cluster.supply().limits, cluster.problems()]).toEqual([null, [expect.stringContaining(`stock.yaml: ${problem}`)]]);
  }
});

test('plans wait for Deployments that may not be read, and not for Nodes: they make do without a view of the GPUs', async () => {
  const [blind, lost] = [watched({ nodes: forbidden }).cluster, watched({ deployments: forbidden }).cluster];
  await synced(blind);
  await until(() => blind.problems().length > 0 && lost.unsynced().length === 1);
  expect(blind.problems()[0]).toMatch(/^may not list nodes/);
  expect(lost.unsynced()[0]).toMatch(/^may not list deployments/);
});

test('kinds that are not installed are no problem', async () => {
  const unknown = { status: 404, body: {} };
  const { cluster } = watched({
    podautoscalers: unknown,
    scaledobjects: unknown,
    resourceslices: unknown,
    resourceclaims: unknown,
  });
  await synced(cluster);
  expect(cluster.problems()).toEqual([]);
});
