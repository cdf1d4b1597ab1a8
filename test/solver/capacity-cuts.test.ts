import { expect, test } from 'vitest';
import { CapacityCuts } from '../../src/solver/capacity-cuts.ts';
import { mostServed } from './brute-force.ts';
import { Random } from './random.ts';

/** The worked example in program.ts: short, medium and long requests on A and B; of short ones arrive two per second. */
const loads = Float64Array.of(0.2, 0.6, 0.5, 2.5, 0.9, Number.POSITIVE_INFINITY);
const rates = Float64Array.of(2, 1, 1);
const example = () => new CapacityCuts(loads, rates);

test.each([
  { name: 'a mix that carries all', replicas: [2, 0], unserved: 0, served: [1, 1, 1] },
  { name: 'the cheapest mix that carries all', replicas: [1, 3], unserved: 0, served: [1, 1, 1] },
  { name: 'nothing at all', replicas: [0, 0], unserved: 4, served: [0, 0, 0] },
  // 0.2 + 0.5 of the one A: long requests have the other 0.3 of the 0.9 that they need.
  { name: 'one A', replicas: [1, 0], unserved: 2 / 3, served: [1, 1, 1 / 3] },
  // Short ones need 0.6, medium ones have the other 0.4 of 2.5, and long ones may not go there.
  { name: 'one B', replicas: [0, 1], unserved: 1.84, served: [1, 0.16, 0] },
  { name: 'half an A', replicas: [0.5, 0], unserved: 1.4, served: [1, 0.6, 0] },
  { name: 'as many B as there can be', replicas: [0, 1000], unserved: 1, served: [1, 1, 0] },
])('$name leaves $unserved req/s unserved', ({ replicas, unserved, served }) => {
  const service = example().at(replicas);
  expect(service.unserved).toBeCloseTo(unserved, 7);
  expect([...service.served]).toEqual(served.map((share) => expect.closeTo(share, 7)));
});

test('the shares on each type sum to what is served, and are no more than the replicas carry', () => {
  const cuts = example();
  const { served } = cuts.at([1, 1]);
  const assignment = cuts.assignment();
  const [onA, onB] = [0, 1].map((g) => [0, 2, 4].map((at) => assignment[at + g]!));
  expect(onA!.map((share, c) => share + onB![c]!)).toEqual([...served].map((share) => expect.closeTo(share, 9)));
  expect(onB![2]).toBe(0);
  expect(0.2 * onA![0]! + 0.5 * onA![1]! + 0.9 * onA![2]!).toBeLessThanOrEqual(1 + 1e-8);
  expect(0.6 * onB![0]! + 2.5 * onB![1]!).toBeLessThanOrEqual(1 + 1e-8);
});

test('100 random models: as much is served as by a simplex, and a cut touches its point and is nowhere above', () => {
  const random = new Random(11);
  for (let i = 0; i < 100; i++) {
    const [types, classes] = [random.whole(1, 3), random.whole(1, 4)];
    const table = Array.from({ length: classes }, () =>
      Array.from({ length: types }, () => (random.chance(0.2) ? Number.POSITIVE_INFINITY : random.between(0.1, 3))),
    );
    const arriving = Float64Array.from(table, () => random.between(0.1, 5));
    const total = arriving.reduce((sum, rate) => sum + rate, 0);
    const cuts = new CapacityCuts(Float64Array.from(table.flat()), arriving);
    const points = Array.from({ length: 6 }, () => Array.from({ length: types }, () => random.pick([0, 1, 2, 3, 0.4])));
    const least = points.map((replicas) => total - mostServed([...arriving], table, replicas));
    for (const [at, replicas] of points.entries()) {
      const { unserved, cut } = cuts.at(replicas);
      const plane = (y: readonly number[]) => y.reduce((value, each, g) => value - cut.slopes[g]! * each, cut.constant);
      expect(unserved, `${i}`).toBeCloseTo(least[at]!, 6);
      if (least[at]! < 1e-9) expect(unserved, `${i}`).toBe(0);
      expect(plane(replicas), `${i}`).toBeCloseTo(unserved, 6);
      for (const [other, y] of points.entries()) expect(plane(y), `${i}`).toBeLessThanOrEqual(least[other]! + 1e-6);
    }
  }
});
