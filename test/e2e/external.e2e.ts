import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningServer } from '../../src/api/start.ts';
import { decided, fakeBoard, undecided } from '../helpers/fake-board.ts';
import { autoscaler } from './autoscaler.ts';
import { apply, cluster, eventually, field, kubectl, ownCluster } from './cluster.ts';
import { serveOnHost, uninstall } from './install.ts';

/**
 * external.metrics.k8s.io behind the real aggregator, as manifests/components/external-metrics installs it, read by the real HPA
 * controller.
 */
const { ours } = ownCluster;
const namespace = 'e2e-external';
const board = fakeBoard();
let server: RunningServer;

const base = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${namespace}`;
const raw = async (path: string) => JSON.parse(await kubectl(['get', '--raw', `${base}/${path}`]));
const replicas = () => field('{.spec.replicas}', 'deployment', 'web', '-n', namespace);

/** As {@link autoscaler}, by an External metric. */
const externalAutoscaler = () => {
  const object = autoscaler(namespace, 'web');
  const metric = { name: 'gpumix_target_replicas', selector: { matchLabels: { deployment: 'web' } } };
  const external = { metric, target: { type: 'AverageValue', averageValue: '1' } };
  return { ...object, spec: { ...object.spec, metrics: [{ type: 'External', external }] } };
};

beforeAll(async () => {
  if (!ours) return;
  server = await serveOnHost(cluster, { board, external: true });
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
}, 90_000);

afterAll(async () => {
  if (!ours) return;
  await uninstall(() => server.drain(0));
  await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=false']);
});

test.runIf(ours)('kubectl get --raw, selected and unknown (items 8, 9, 10)', async () => {
  board.set(decided(namespace, 'a', 7));
  board.set(decided(namespace, 'b', 2));
  const all = await raw('gpumix_target_replicas');
  expect(all).toMatchObject({ kind: 'ExternalMetricValueList', apiVersion: 'external.metrics.k8s.io/v1beta1' });
  expect(all.items.map(({ value }: { value: string }) => value)).toEqual(['7', '2']);
  const one = await raw('gpumix_target_replicas?labelSelector=deployment%3Db');
  expect(one.items).toMatchObject([{ metricName: 'gpumix_target_replicas', value: '2' }]);
  expect((await raw('gpumix-a')).items).toMatchObject([{ value: '650' }]);
  expect((await raw('nothing')).items).toEqual([]);
});

test.runIf(ours)('the HPA follows an External metric, and holds where there is no answer (items 8, 34)', async () => {
  board.set(decided(namespace, 'web', 1));
  await apply(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'engine', image: 'engine:none' }] },
        },
      },
    },
    externalAutoscaler(),
  );
  for (const target of [5, 11, 0, 3]) {
    board.set(decided(namespace, 'web', target));
    await eventually('spec.replicas', replicas, String(target), 20);
  }
  board.set(undecided(namespace, 'web', 'no request record for 312 s'));
  const message = () => field('{.status.conditions[?(@.type=="ScalingActive")].message}', 'hpa', 'web', '-n', namespace);
  await eventually('condition', message, /no request record for 312 s/, 20);
  expect(await replicas()).toBe('3');
});
