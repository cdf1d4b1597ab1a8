import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const source = resolve(import.meta.dirname, '../src');

/** Which layer a module is in: 0 vocabulary, 1 pure, 1.5 what edges share, 2 edges, 3 roots. A folder's name stands for all its files. */
const layers: Record<string, number> = {
  domain: 0,
  errors: 0,
  element: 0,
  json: 0,
  documents: 0,
  sse: 0,
  'workload/histogram': 1,
  'workload/bucket-index': 1,
  'workload/rates': 1,
  'workload/believed': 1,
  'workload/forecast': 1,
  'workload/gateway-records': 1,
  'workload/request-counts': 1,
  'workload/spread': 1,
  'profiles/profile': 1,
  'profiles/throughput': 1,
  'profiles/served': 1,
  'profiles/drift': 1,
  'profiles/iterations': 1,
  'cluster/object': 1,
  'cluster/variant': 1,
  'cluster/bounds': 1,
  'cluster/schedules': 1,
  'cluster/pods': 1,
  'cluster/claims': 1,
  'cluster/engine-metrics': 1,
  'cluster/gateway-pods': 1,
  'cluster/gpu-types': 1,
  'cluster/list-prices': 1,
  'cluster/stock': 1,
  'cluster/pace': 1,
  'cluster/router-names': 1,
  'cluster/endpoint-slices': 1,
  'cluster/model-endpoints': 1,
  benchmark: 2,
  'benchmark/results': 1,
  'benchmark/profile-of': 1,
  'benchmark/strict': 1,
  'benchmark/sizes': 1,
  'benchmark/rate-search': 1,
  'benchmark/samples': 1,
  'benchmark/words': 1,
  'benchmark/duration': 1,
  'benchmark/answer-chunk': 1,
  'benchmark/verdict': 1,
  'benchmark/queue': 1,
  solver: 1,
  'planner/plan': 1,
  'planner/snapshot': 1,
  'planner/states': 1,
  'planner/offers': 1,
  'planner/decide': 1,
  'planner/situation': 1,
  'planner/demand': 1,
  'planner/belief': 1,
  'planner/durations': 1,
  'planner/kubernetes-says': 1,
  'planner/profile-trial': 1,
  'planner/profiles-now': 1,
  'planner/strain': 1,
  'planner/transition': 1,
  'planner/toward-plan': 1,
  'planner/routing': 1,
  'planner/routing-plan': 1,
  'planner/routes': 1,
  'simulation/engine': 1,
  'simulation/engine-speeds': 1,
  'simulation/random': 1,
  'simulation/slo': 1,
  'simulation/measure': 1,
  'planner/pools': 1,
  'planner/stock': 1,
  'planner/surge': 1,
  'planner/wake': 1,
  'planner/snapshot-now': 1,
  'planner/startup': 1,
  'planner/outage': 1,
  'planner/followed': 1,
  'planner/observed': 1,
  'planner/sights': 1,
  'planner/wishes': 1,
  version: 0,
  'shipped-files': 2,
  'every-second': 2,
  'unused-connections': 1.5,
  gauges: 1.5,
  turns: 2,
  garbage: 2,
  'until-told': 2,
  settings: 2,
  'drift-watch': 3,
  config: 2,
  telemetry: 2,
  workload: 2,
  profiles: 2,
  cluster: 2,
  planner: 2,
  gateway: 2,
  'gateway/request': 1,
  'gateway/token-estimate': 1,
  'gateway/usage-filter': 1,
  'gateway/model-pods': 1,
  'gateway/choose': 1,
  api: 2,
  main: 3,
  'main-gateway': 3,
  'gateway-config': 2,
  simulation: 3,
  cli: 3,
};
const layerOf = (module: string): number => {
  const layer = layers[module] ?? layers[module.split('/')[0] ?? ''];
  if (layer === undefined) throw new Error(`${module} is in no layer: name it in test/layers.test.ts`);
  return layer;
};

/** The pure files of the planner join the other pure parts; everything else of layers 1 and 2 stays in its own folder. */
const mayImport = (from: string, to: string): boolean => {
  const [fromLayer, toLayer] = [layerOf(from), layerOf(to)];
  if (fromLayer === 3) return true;
  if (toLayer < fromLayer) return true;
  if (toLayer > fromLayer) return false;
  return (
    dirname(from) === dirname(to) ||
    [
      'planner/plan',
      'planner/snapshot',
      'planner/states',
      'planner/offers',
      'planner/decide',
      'planner/situation',
      'planner/demand',
      'planner/belief',
      'planner/durations',
      'planner/kubernetes-says',
      'planner/profile-trial',
      'planner/profiles-now',
      'planner/strain',
      'planner/stock',
      'planner/snapshot-now',
      'planner/followed',
      'planner/observed',
      'planner/sights',
      'planner/wishes',
    ].includes(from)
  );
};

const modules = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => path.slice(0, -'.ts'.length));
const read = (module: string) => readFileSync(join(source, `${module}.ts`), 'utf8');
const importsOf = (module: string) =>
  [...read(module).matchAll(/(?:from|import\()\s*'([^']+)'/g)].map((match) => match[1] ?? '');
const arrows = modules.flatMap((from) =>
  importsOf(from)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => ({ from, to: relative(source, join(source, dirname(from), specifier)).replace(/\.ts$/, '') })),
);

test('imports run one way', () => {
  const wrong = arrows.filter(({ from, to }) => !to.startsWith('..') && !mayImport(from, to));
  expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
});

test('the pure layers import nothing with effects', () => {
  const wrong = modules
    .filter((module) => layerOf(module) <= 1)
    .flatMap((module) => importsOf(module).map((specifier) => ({ module, specifier })))
    .filter(({ specifier }) => !specifier.startsWith('.') && specifier !== 'ml-matrix' && specifier !== 'zod/mini');
  expect(wrong).toEqual([]);
});

test('only the composition roots name both Redis and Kubernetes', () => {
  const both = modules.filter(
    (module) => layerOf(module) < 3 && /ioredis/.test(read(module)) && /client-node/.test(read(module)),
  );
  expect(both).toEqual([]);
});
