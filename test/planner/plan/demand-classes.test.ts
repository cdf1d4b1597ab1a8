import { expect, test } from 'vitest';
import { demandClasses, rowShares } from '../../../src/planner/plan/demand-classes.ts';
import { extrapolated } from '../../../src/planner/plan/snapshot-document.ts';
import type { DemandRow, Model, Variant } from '../../../src/vocabulary/planning-documents.ts';

const demand: readonly DemandRow[] = [
  { inputTokens: 512, outputTokens: 64, arrivalRate: 3 },
  { inputTokens: 512, outputTokens: 256, arrivalRate: 1 },
  { inputTokens: 2048, outputTokens: 64, arrivalRate: 2 },
];

const variant = (name: string, throughput: readonly number[], changes: Partial<Variant> = {}): Variant => ({
  ...{ name, gpu: name, gpusPerReplica: 1, price: 1, minReplicas: 0, maxReplicas: null, running: null, ready: null },
  ...{ throughput, throughputBeyondSlo: extrapolated(demand, throughput), e2eSeconds: null, sloShare: null },
  ...changes,
});
const model = (...variants: Variant[]): Model => ({ name: 'm', priority: 0, demand, variants, previous: null });
const loadsOf = (classes: ReturnType<typeof demandClasses>, way = 0) => [...classes.ways[way]!.loads];

test('size: every row is a class, its load rate over throughput', () => {
  const classes = demandClasses(model(variant('a', [6, 4, 1]), variant('b', [3, 0, 2])), 'size');
  expect([...classes.classOf]).toEqual([0, 1, 2]);
  expect([...classes.rates]).toEqual([3, 1, 2]);
  expect(loadsOf(classes)).toEqual([0.5, 1, 0.25, Number.POSITIVE_INFINITY, 2, 1]);
});

test('input: rows of one input size are one class, their loads add', () => {
  const classes = demandClasses(model(variant('a', [6, 4, 1])), 'input');
  expect([...classes.classOf]).toEqual([0, 0, 1]);
  expect(loadsOf(classes)).toEqual([0.75, 2]);
});

test('a class stays away from a variant where more than sloShare of it is beyond the SLO', () => {
  const rare: DemandRow[] = [
    { inputTokens: 512, outputTokens: 64, arrivalRate: 99 },
    { inputTokens: 512, outputTokens: 512, arrivalRate: 1 },
  ];
  const at = (throughput: number[], sloShare: number | null) => ({
    ...variant('a', throughput, { sloShare }),
    throughputBeyondSlo: extrapolated(rare, throughput),
  });
  const sure = { ...variant('b', [1, 1]), throughputBeyondSlo: [1, 1] };
  const load = (variants: Variant[]) => loadsOf(demandClasses({ ...model(...variants), demand: rare }, 'input'));
  expect(load([at([10, 0], null), sure])[0]).toBeCloseTo(9.9 + 0.1 * (1024 / 576), 12);
  expect(load([at([10, 0], 0.001), sure])[0]).toBe(Number.POSITIVE_INFINITY);
});

test('a class that is beyond every SLO goes where the least of it is beyond', () => {
  const classes = demandClasses(model(variant('a', [6, 0, 0]), variant('b', [0, 0, 2])), 'input');
  expect(loadsOf(classes).map((load) => load < Number.POSITIVE_INFINITY)).toEqual([true, false, false, true]);
});

test('none: one way per slowest variant, whose load all in use share', () => {
  const classes = demandClasses(model(variant('a', [6, 4, 4]), variant('b', [3, 2, 2]), variant('c', [12, 8, 8])), 'none');
  const infinite = Number.POSITIVE_INFINITY;
  expect(classes.ways.map(({ loads }) => [...loads])).toEqual([
    [infinite, infinite, 0.625],
    [1.25, infinite, 1.25],
    [2.5, 2.5, 2.5],
  ]);
  expect(classes.ways.map(({ open }) => [...open])).toEqual([
    [0, 0, 1],
    [1, 0, 1],
    [1, 1, 1],
  ]);
});

test('none: a floor puts a slow variant into use, so it sets the pace', () => {
  const classes = demandClasses(model(variant('a', [6, 4, 4]), variant('b', [3, 2, 2], { minReplicas: 1 })), 'none');
  expect(classes.ways.map(({ loads }) => [...loads])).toEqual([[2.5, 2.5]]);
});

test('load: every replica holds what the smallest in-flight limit allows', () => {
  const a = variant('a', [6, 6, 6], { e2eSeconds: [2, 2, 2] });
  const b = variant('b', [2, 2, 2], { e2eSeconds: [4, 4, 4] });
  const classes = demandClasses(model(a, b), 'load');
  // In flight: a 12, b 8. With b in use a holds 8 of its 12: two thirds of 6 req/s.
  expect(classes.ways.map(({ loads }) => [...loads])).toEqual([
    [1, Number.POSITIVE_INFINITY],
    [1.5, 3],
  ]);
});

test('load without end-to-end times is none', () => {
  const timed = variant('a', [6, 6, 6], { e2eSeconds: [2, 2, 2] });
  expect(demandClasses(model(timed, variant('b', [2, 2, 2])), 'load').routerKnowledge).toBe('none');
  expect(demandClasses(model(timed, variant('b', [2, 2, 2], { e2eSeconds: [1, Number.NaN, 1] })), 'load').routerKnowledge).toBe(
    'none',
  );
  expect(demandClasses(model(timed, variant('b', [0, 0, 0])), 'load').routerKnowledge).toBe('load');
});

test('rows at which nothing arrives, or that nothing serves, are in no class', () => {
  const idle = {
    ...model(variant('a', [6, 4, 4])),
    demand: demand.map((row, i) => (i === 1 ? { ...row, arrivalRate: 0 } : row)),
  };
  expect([...demandClasses(idle, 'size').classOf]).toEqual([0, -1, 1]);
  expect([...demandClasses(model(variant('a', [0, 0, 0])), 'size').classOf]).toEqual([-1, -1, -1]);
});

test('shares of rows: the class, or by turns the replicas, or in flight the replicas over their time', () => {
  const a = variant('a', [6, 6, 6], { e2eSeconds: [2, 2, 2] });
  const b = variant('b', [2, 2, 2], { e2eSeconds: [4, 4, 4] });
  const input = demandClasses(model(a, b), 'input');
  expect(rowShares(input, 0, [1, 1], Float64Array.of(0.25, 0.75, 0.3, 0))).toEqual([
    [0.25, 0.75],
    [0.25, 0.75],
    [1, 0],
  ]);
  expect(rowShares(demandClasses(model(a, b), 'none'), 1, [1, 3], new Float64Array())[0]).toEqual([0.25, 0.75]);
  expect(rowShares(demandClasses(model(a, b), 'load'), 1, [1, 2], new Float64Array())[0]).toEqual([0.5, 0.5]);
});

test('classes do not depend on the order of rows', () => {
  const [one, two] = [model(variant('a', [6, 4, 1])), model(variant('a', [1, 6, 4]))];
  const turned = { ...two, demand: [demand[2]!, demand[0]!, demand[1]!] };
  expect(loadsOf(demandClasses(one, 'none'))).toEqual(loadsOf(demandClasses(turned, 'none')));
  expect([...demandClasses(turned, 'size').classOf]).toEqual([2, 0, 1]);
});
