import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

/** Rooms, the lowest layer first. A file imports from its own room and layers below; rooms of a layer do not know each other. */
const layers = [
  ['vocabulary'],
  ['formats', 'runtime'],
  ['workload', 'profiles', 'cluster', 'solver'],
  ['planner/believe'],
  ['planner/plan'],
  ['planner/move'],
  ['planner/remember'],
  ['planner/report'],
  ['planner/publish'],
  ['planner'],
  ['config', 'api', 'gateway', 'benchmark'],
  ['simulation'],
  ['main', 'main-planner', 'main-gateway'],
  ['cli'],
];
/** Below the layer that publishes, only these know of sockets, files, clocks or settings. */
const edges = ['runtime', 'workload', 'profiles', 'cluster'];
/** The other rooms below it are handed everything that they need; so will one be that is added. */
const pure = layers
  .slice(
    0,
    layers.findIndex((rooms) => rooms.includes('planner/publish')),
  )
  .flat()
  .filter((room) => !edges.includes(room));

const source = resolve(import.meta.dirname, '../src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
const roomOf = (file: string): string =>
  (layers.flat().includes(dirname(file)) ? dirname(file) : file.split('/')[0]!).replace(/\.ts$/, '');
const layerOf = (file: string): number => layers.findIndex((rooms) => rooms.includes(roomOf(file)));
const importsOf = (file: string): string[] =>
  [...readFileSync(join(source, file), 'utf8').matchAll(/(?:from|import\()\s*'([^']+)'/g)].map(([, name]) =>
    name!.startsWith('.') ? relative(source, join(source, dirname(file), name!)) : name!,
  );
const reachedFrom = (file: string, seen = new Set<string>()): Set<string> => {
  for (const imported of importsOf(file))
    if (!seen.has(imported) && seen.add(imported) && files.includes(imported)) reachedFrom(imported, seen);
  return seen;
};

test('imports run one way', () => {
  const arrows = files.flatMap((from) =>
    importsOf(from)
      .filter((to) => files.includes(to))
      .map((to) => ({ from, to })),
  );
  const wrong = arrows.filter(({ from, to }) => roomOf(from) !== roomOf(to) && layerOf(to) >= layerOf(from));
  expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
});

test('the pure rooms reach nothing with effects', () => {
  const outside = files
    .filter((file) => pure.includes(roomOf(file)))
    .flatMap((file) =>
      [...reachedFrom(file)].filter((reached) => !files.includes(reached)).map((outer) => `${file} -> ${outer}`),
    );
  expect(outside.filter((arrow) => !/ -> (ml-matrix|zod\/mini)$/.test(arrow))).toEqual([]);
});

test('the pure rooms name nothing with effects either', () => {
  const effects =
    /\b(Date\.now|new Date\(\)|performance\.|process\.|Math\.random|fetch\(|set(Timeout|Interval|Immediate)\(|console\.)/;
  const named = files
    .filter((file) => pure.includes(roomOf(file)) || file === 'planner/decide.ts')
    .flatMap((file) =>
      readFileSync(join(source, file), 'utf8')
        .split('\n')
        .flatMap((line, at) =>
          !/^\s*(\*|\/[/*])/.test(line) && effects.test(line) ? [`${file}:${at + 1}: ${line.trim()}`] : [],
        ),
    );
  expect(named).toEqual([]);
});

test('no file imports itself by way of others', () => {
  const cycles = files.filter((file) => reachedFrom(file).has(file));
  expect(cycles).toEqual([]);
});

test('the environment is read where a process starts', () => {
  const readers = files.filter((file) => readFileSync(join(source, file), 'utf8').includes('process.env'));
  // The client library reads KUBECONFIG itself.
  expect(readers.sort()).toEqual(['cli/gpumix.ts', 'cluster/kubeconfig.ts']);
});
