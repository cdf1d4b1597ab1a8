import { expect, test } from 'vitest';
import { Shares } from '../../src/solver/forest-shares.ts';
import { atLower, atUpper, basic, Forest } from '../../src/solver/price-forest.ts';

/** The worked example of program.ts: short, medium and long requests on A and B. */
const loads = Float64Array.of(0.2, 0.6, 0.5, 2.5, 0.9, Number.POSITIVE_INFINITY);
const [A, B, medium] = [0, 1, 1];
/** Medium is split between A, at a bound, and B, the root; short goes to B and long to A, each where it is cheapest. */
const shared = (status: number, mostA: number) => {
  const forest = new Forest(2, 3);
  forest.start(Float64Array.of(4, 1), loads);
  forest.split(medium, A, B);
  forest.status[A] = status;
  const shares = new Shares(2);
  shares.update(forest, loads, Float64Array.of(0, 0), Float64Array.of(mostA, 4));
  return { onA: shares.share[A], left: shares.rest[0], need: [...shares.need] };
};

test('a type at its bound takes of a split what its other load leaves free, and the root has the rest', () => {
  const { onA, left, need } = shared(atUpper, 1);
  expect([onA, left]).toEqual([expect.closeTo(0.2, 12), expect.closeTo(0.8, 12)]);
  expect(need).toEqual([expect.closeTo(0.9, 12), expect.closeTo(2.6, 12)]);
});

test('a type whose bound is below its other load takes a negative share: that basis is not feasible', () => {
  const { onA, left, need } = shared(atLower, 1);
  expect([onA, left]).toEqual([expect.closeTo(-1.8, 12), expect.closeTo(2.8, 12)]);
  expect(need[B]).toBeCloseTo(7.6, 12);
});

test('what is free by rounding alone is nothing, and so is what is left by it', () => {
  expect(shared(atUpper, 0.9 * (1 + 1e-14)).onA).toBe(0);
  expect(shared(atUpper, 0.9 * (1 + 1e-12)).onA).toBeGreaterThan(0);
  // A takes all of medium but a few parts in 10^15.
  expect(shared(atUpper, 1.4 - 1e-15).left).toBe(0);
});

test('along a chain of splits shares follow from the leaves up, and the order from the root down', () => {
  const forest = new Forest(3, 2);
  forest.split(1, 1, 2);
  forest.split(0, 0, 1);
  forest.status.set([basic, atUpper, atUpper]);
  const shares = new Shares(3);
  shares.update(forest, new Float64Array(6).fill(1), new Float64Array(3), Float64Array.of(9, 1, 0.25));
  expect([[...shares.order], [...shares.splitOrder.slice(0, 2)]]).toEqual([
    [0, 1, 2],
    [1, 0],
  ]);
  expect([[...shares.parent.slice(0, 2)], [...shares.above]]).toEqual([
    [1, 0],
    [-1, 1, 0],
  ]);
  // Type 2 takes a quarter of class 1, so 1 has three quarters of it, and room for a quarter of class 0.
  expect([shares.share[2], shares.rest[0], shares.share[3 + 1], shares.rest[1]]).toEqual([0.25, 0.75, 0.25, 0.75]);
  expect([...shares.need]).toEqual([0.75, 0.75, 0]);
});

test('a forest without a root for every type is an error of the solver', () => {
  const forest = new Forest(2, 1);
  forest.status.set([basic, atUpper]);
  expect(() => new Shares(2).update(forest, Float64Array.of(1, 1), new Float64Array(2), new Float64Array(2))).toThrow(
    'lost a root',
  );
});
