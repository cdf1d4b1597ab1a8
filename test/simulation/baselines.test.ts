import { describe, expect, test } from 'vitest';
import { clustersOf } from '../../hack/simulate/aibrix-clusters.ts';
import { createKpa, kpaDefaults } from '../../hack/simulate/aibrix-kpa.ts';
import { aibrixOptimizer } from '../../hack/simulate/aibrix-optimizer.ts';
import { profileOf } from '../../src/profiles/profile-document.ts';
import type { View } from '../../src/simulation/policy.ts';
import { queuePolicy } from '../../src/simulation/queue-policy.ts';
import { recordText } from '../helpers/records.ts';

describe("AIBrix's KPA does what its description says", () => {
  // Target 100, defaults, both windows at the value.
  test.each([
    [3, 105, 3],
    [0, 100, 0],
    [10, 100, 10],
    [1, 350, 2],
    [2, 350, 4],
    [10, 50, 5],
    [1, 0, 0],
    [0, 250, 1],
    [3, 89.9, 1],
    [3, 110.1, 2],
  ])('from %i replicas at a value of %f to %i', (current, value, wanted) => {
    expect(createKpa(kpaDefaults)(0, value, current)).toBe(wanted);
  });
});

describe("AIBrix's optimizer does what its description says", () => {
  const [a, b] = [
    { key: 'a', profile: profileOf({ gpu: 'a', cost: 4, indexes: [[64], [64, 1024]], tputs: [[20, 4]] }, 'a') },
    { key: 'b', profile: profileOf({ gpu: 'b', cost: 1, indexes: [[64], [64, 1024]], tputs: [[6, 0.5]] }, 'b') },
  ];
  /** Half of 8 req/s of each size, and after the first minutes the points of as many seconds as there are. */
  const record = recordText(80, { '60:60': 40, '100:60': 40 });

  test('hundredths of replicas, each cell where it is cheapest', () => {
    const optimizer = aibrixOptimizer([a!, b!], new Map());
    let answer: ReadonlyMap<string, number> = new Map();
    for (let time = 10; time <= 600; time += 10) answer = optimizer.round(record, time).replicas;
    // The window is one interval short: 24 intervals count as 230 s, or fewer.
    const rate = (intervals: number) => (80 * intervals) / (10 * (intervals - 1));
    const [least, most] = [rate(24), rate(18)];
    expect(answer.get('a')).toBeGreaterThanOrEqual(Math.ceil((100 * least) / 2 / 4) - 1);
    expect(answer.get('a')).toBeLessThanOrEqual(Math.ceil((100 * most) / 2 / 4));
    expect(answer.get('b')).toBeGreaterThanOrEqual(Math.ceil((100 * least) / 2 / 6) - 1);
    expect(answer.get('b')).toBeLessThanOrEqual(Math.ceil((100 * most) / 2 / 6));
  });

  test('the first interval counts as one second, so the first answer is ten times too large', () => {
    const first = aibrixOptimizer([a!, b!], new Map()).round(record, 10).replicas;
    expect(first.get('a')).toBe(Math.ceil((100 * 80) / 2 / 4));
  });

  test('with fewer than ten points in a neighbourhood the last answer stands, first of all the replicas undivided', () => {
    const optimizer = aibrixOptimizer([a!, b!], new Map([['a', 3]]));
    expect(optimizer.round(recordText(4, { '60:60': 4 }), 10).replicas.get('a')).toBe(3);
  });

  test('without a point everything goes to the minimum', () => {
    expect([
      ...aibrixOptimizer([a!, b!], new Map([['a', 3]]))
        .round(null, 10)
        .replicas.values(),
    ]).toEqual([0, 0]);
  });

  test('neighbours chain: many sizes become one cluster of their geometric mean', () => {
    const points = Array.from({ length: 41 }, (_, k) => ({
      time: 10,
      input: 7 + 0.1 * k,
      output: 2 + 0.15 * k,
      count: 120,
    }));
    const clusters = clustersOf(points);
    expect(clusters).toHaveLength(1);
    expect([2 ** clusters[0]!.input, 2 ** clusters[0]!.output]).toEqual([expect.closeTo(512, 6), expect.closeTo(32, 6)]);
  });
});

describe('the HPA on queue length', () => {
  const view = (now: number, spec: number, waiting: number): View => ({
    now,
    spec: () => spec,
    ready: () => spec,
    running: () => 0,
    waiting: () => waiting,
    pods: () => [],
  });

  test('rises by the ratio, twice or four at a time, and no further than its limit', () => {
    const wanted = (spec: number, waiting: number) =>
      [
        ...queuePolicy('q', 'a', 9)
          .sync(view(0, spec, waiting))
          .values(),
      ][0];
    expect([wanted(2, 3), wanted(2, 40), wanted(5, 40), wanted(3, 3.2)]).toEqual([3, 6, 9, 3]);
  });

  test('falls to the highest recommendation of five minutes, and never to 0', () => {
    const policy = queuePolicy('q', 'a', 9);
    const at = (now: number, spec: number, waiting: number) => [...policy.sync(view(now, spec, waiting)).values()][0];
    expect([at(0, 4, 4), at(15, 4, 0), at(299, 4, 0), at(301, 4, 0)]).toEqual([4, 4, 4, 1]);
  });
});
