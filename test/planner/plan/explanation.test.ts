import { expect, test } from 'vitest';
import { explanationOf } from '../../../src/planner/plan/explanation.ts';
import { snapshotOf } from '../../../src/planner/plan/snapshot-document.ts';

const demand = [
  { inputTokens: 512, outputTokens: 64, arrivalRate: 10 },
  { inputTokens: 2048, outputTokens: 256, arrivalRate: 10 },
];
const a = { name: 'serving/a', gpu: 'A', price: 4, throughput: [20, 4] };
const b = { name: 'serving/b', gpu: 'B', price: 1, throughput: [6, 0.5] };
const of = (variants: readonly object[], more: object = {}) =>
  explanationOf(snapshotOf({ models: [{ name: 'm', demand, variants }], ...more }));

test('one more GPU of a short type, and what it saves', () => {
  // With one A: 1 A + 14 B = 18; with two: 2 A + 6 B = 14.
  expect(of([a, b], { stock: { A: 1 } }).stock).toEqual([{ gpu: 'A', gpus: 1, saves: 4 }]);
  expect(of([a, b], { stock: { A: 9 } }).stock).toEqual([]);
});

test('bounds that cost something', () => {
  expect(of([{ ...a, maxReplicas: 1 }, b]).bounds).toEqual([{ variant: 'serving/a', bound: 'maxReplicas', saves: 4 }]);
  expect(of([{ ...a, minReplicas: 5 }, b]).bounds).toEqual([{ variant: 'serving/a', bound: 'minReplicas', saves: 4 }]);
  expect(of([a, b]).bounds).toEqual([]);
});

test('what has set a bound is told with it, and what is fixed costs in either direction', () => {
  const fixed = (replicas: number, heldBy: string) =>
    of([{ ...a, minReplicas: replicas, maxReplicas: replicas, heldBy }, b]).bounds;
  expect(fixed(1, 'notFollowed')).toEqual([{ variant: 'serving/a', bound: 'maxReplicas', heldBy: 'notFollowed', saves: 4 }]);
  expect(fixed(5, 'pinned')).toEqual([{ variant: 'serving/a', bound: 'minReplicas', heldBy: 'pinned', saves: 4 }]);
});

test('the cost under every router and with one type alone', () => {
  const { routing, singleType } = of([a, b]);
  expect(routing).toEqual({ size: 12, input: 12, load: 12, none: 12 });
  expect(singleType).toEqual([
    { gpu: 'A', cost: 12 },
    { gpu: 'B', cost: 22 },
  ]);
  expect(of([{ ...a, throughput: [20, 0] }, b], { stock: { B: 3 } }).singleType).toEqual([
    { gpu: 'A', cost: null },
    { gpu: 'B', cost: null },
  ]);
});

test('every router is asked of every model, whatever is in front of it now', () => {
  const variants = [
    { ...a, throughput: [5, 4] },
    { ...b, throughput: [20, 0] },
  ];
  const under = (more: object) => explanationOf(snapshotOf({ models: [{ name: 'm', demand, variants, ...more }] })).routing;
  expect(under({ routing: 'none' })).toEqual(under({}));
  expect(under({})).toMatchObject({ size: 13, none: 20 });
});

test('the next best mix has fewer of something', () => {
  const { runnersUp } = of([a, b]);
  expect(runnersUp).toEqual([{ model: 'm', replicas: { 'serving/a': 2, 'serving/b': 6 }, cost: 14 }]);
  expect(of([{ ...b, maxReplicas: 22 }]).runnersUp).toEqual([]);
});

test('best effort has no savings, but costs all the same', () => {
  const explanation = of([{ ...b, maxReplicas: 3 }]);
  expect(explanation.stock).toEqual([]);
  expect(explanation.runnersUp).toEqual([]);
  expect(explanation.routing.size).toBeNull();
});
