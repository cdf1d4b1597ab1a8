import { expect, test } from 'vitest';
import type { BranchOptions } from '../../src/solver/branch.ts';
import { branch } from '../../src/solver/branch.ts';
import { commonUnit } from '../../src/solver/one-model.ts';
import { carries, dualBound, fullLoads, lineScale, replicasFor } from '../../src/solver/program.ts';
import { twoTypes } from '../../src/solver/two-types.ts';
import { example } from './worked-example.ts';

const options: BranchOptions = {
  ...{ nodeLimit: 1000, tieLimit: 100, unit: 0, known: null, trusted: false, gapTolerance: 1e-11 },
  prefers: () => false,
  favourite: () => {},
};

test.each([
  { load: 2.4, replicas: 3 },
  { load: 2, replicas: 2 },
  { load: 2 * (1 + 0.9e-9), replicas: 2 },
  { load: 2 * (1 + 1.1e-9), replicas: 3 },
  { load: 1e-12, replicas: 1 },
  { load: 0, replicas: 0 },
])('a load of $load takes $replicas replicas', ({ load, replicas }) => {
  expect(replicasFor(load)).toBe(replicas);
  expect(carries(load, replicas)).toBe(true);
  if (replicas > 0) expect(carries(load, replicas - 1)).toBe(false);
});

test('the bounds of the worked example', () => {
  expect(dualBound(example, Float64Array.of(4, 1))).toBeCloseTo(6.2, 12);
  expect(dualBound({ ...example, upper: Float64Array.of(1, 4) }, Float64Array.of(5, 1))).toBeCloseTo(6.6, 12);
  expect([...fullLoads(example)]).toEqual([1.6, 3.1]);
});

test.each([
  { name: 'branch and bound', solve: branch },
  { name: 'closed form', solve: twoTypes },
])('the optimum of the worked example by $name', ({ solve }) => {
  const { cost, mix, bound, status, assignment } = solve(
    example,
    example.loads.map((load) => load / lineScale),
    options,
  );
  expect({ cost, bound, status, mix: [...mix!] }).toEqual({ cost: 7, bound: 7, status: 'optimal', mix: [1, 3] });
  expect(assignment[4]).toBe(1);
  expect(assignment[2]).toBeCloseTo(0.2, 8);
});

test.each([
  { prices: [9.8, 1.9, 0.8], unit: 0.1 },
  { prices: [4, 2], unit: 2 },
  { prices: [1 / 3, 1], unit: 0 },
])('the common unit of $prices is $unit', ({ prices, unit }) => {
  expect(commonUnit(prices)).toBe(unit);
});
