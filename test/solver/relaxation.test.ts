import { describe, expect, test } from 'vitest';
import type { Program } from '../../src/solver/program.ts';
import { drawIn, Relaxation } from '../../src/solver/relaxation.ts';

/** The worked example in program.ts: short, medium and long requests on A and B. */
const program = (mostA: number, mostB = 4): Program => ({
  types: 2,
  classes: 3,
  loads: Float64Array.of(0.2, 0.6, 0.5, 2.5, 0.9, Number.POSITIVE_INFINITY),
  prices: Float64Array.of(4, 1),
  lower: new Float64Array(2),
  upper: Float64Array.of(mostA, mostB),
});
const relaxationOf = (given: Program) => new Relaxation(given, given.loads);
const solved = (given: Program, cutoff = Number.POSITIVE_INFINITY) => {
  const relaxation = relaxationOf(given);
  return { status: relaxation.solve(cutoff), relaxation };
};

describe('the worked example', () => {
  test('without a bound that matters every class is where it is cheapest', () => {
    const { status, relaxation } = solved(program(2));
    expect(status).toBe('optimal');
    expect(relaxation.pivots).toBe(0);
    expect(relaxation.bound).toBeCloseTo(6.2, 9);
    expect([relaxation.replicas(0), relaxation.replicas(1)]).toEqual([expect.closeTo(1.4, 9), expect.closeTo(0.6, 9)]);
  });

  test('with at most one A one pivot ties medium to both types', () => {
    const { status, relaxation } = solved(program(1));
    expect(status).toBe('optimal');
    expect(relaxation.pivots).toBe(1);
    expect(relaxation.bound).toBeCloseTo(6.6, 9);
    expect(relaxation.certifiedBound()).toBeCloseTo(6.6, 9);
    expect([...relaxation.forest.pi]).toEqual([expect.closeTo(5, 9), expect.closeTo(1, 9)]);
    expect([relaxation.replicas(0), relaxation.replicas(1)]).toEqual([1, expect.closeTo(2.6, 9)]);
    const [shortOnB, mediumOnA, mediumOnB, longOnA] = [1, 2, 3, 4].map((at) => relaxation.assignment()[at]);
    expect([shortOnB, longOnA]).toEqual([1, 1]);
    expect([mediumOnA, mediumOnB]).toEqual([expect.closeTo(0.2, 9), expect.closeTo(0.8, 9)]);
  });

  test('it stops once the bound has passed the cutoff', () => {
    expect(solved(program(1), 6.4).status).toBe('cutoff');
    expect(solved(program(1), 6.7).status).toBe('optimal');
  });

  test('nothing carries long requests without an A, nor medium ones on one A and two B', () => {
    expect(solved(program(0)).status).toBe('infeasible');
    expect(solved(program(1, 2)).status).toBe('infeasible');
  });

  test('after its bounds have changed it goes on from the forest at hand, and after a restart it finds the same', () => {
    const { relaxation } = solved(program(2));
    relaxation.upper[0] = 1;
    expect(relaxation.solve(Number.POSITIVE_INFINITY)).toBe('optimal');
    expect(relaxation.bound).toBeCloseTo(6.6, 9);
    relaxation.restart();
    expect(relaxation.solve(Number.POSITIVE_INFINITY)).toBe('optimal');
    expect(relaxation.bound).toBeCloseTo(6.6, 9);
  });
});

describe('bounds are drawn in to where mixes within the cutoff may lie', () => {
  test('of a type at its upper bound, by what fewer of it would cost', () => {
    // With pi = (5, 1) each A less costs 5 - 4 = 1 more than the 6.6.
    const { relaxation } = solved(program(1));
    drawIn(relaxation, 7);
    expect([...relaxation.lower]).toEqual([1, 0]);
    expect([...relaxation.upper]).toEqual([1, 4]);
  });

  test('not where the cutoff leaves room, nor without one', () => {
    const { relaxation } = solved(program(1));
    drawIn(relaxation, 7.7);
    drawIn(relaxation, Number.POSITIVE_INFINITY);
    expect([...relaxation.lower]).toEqual([0, 0]);
  });
});
