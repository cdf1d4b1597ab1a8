import { describe, expect, test } from 'vitest';
import { type BranchOptions, branch } from '../../src/solver/branch.ts';
import type { Program } from '../../src/solver/program.ts';
import { twoTypes } from '../../src/solver/two-types.ts';
import { Random } from './random.ts';
import { example } from './worked-example.ts';

/** More of the first type is preferred. */
const options: BranchOptions = {
  nodeLimit: 10_000,
  tieLimit: 10_000,
  unit: 0,
  known: null,
  trusted: false,
  gapTolerance: 1e-11,
  prefers: (mix, other) => mix[0]! > other[0]!,
  favourite: (lower, upper, mix) => mix.set([upper[0]!, lower[1]!]),
};
const solved = (program: Program, more: Partial<BranchOptions> = {}) => {
  const { mix, ...rest } = twoTypes(program, program.loads, { ...options, ...more });
  return { ...rest, mix: mix === null ? null : [...mix] };
};

describe('the worked example', () => {
  test('costs 7, and medium requests fill what long ones leave of the A', () => {
    const { assignment, ...rest } = solved(example);
    expect(rest).toMatchObject({ status: 'optimal', mix: [1, 3], cost: 7, bound: 7 });
    expect([...assignment]).toEqual([0, 1, expect.closeTo(0.2, 9), expect.closeTo(0.8, 9), 1, 0]);
  });

  test('floors and limits of either type hold', () => {
    expect(solved({ ...example, lower: Float64Array.of(2, 1) })).toMatchObject({ status: 'optimal', mix: [2, 1], cost: 9 });
    expect(solved({ ...example, upper: Float64Array.of(2, 2) })).toMatchObject({ mix: [2, 0], cost: 8 });
    expect(solved({ ...example, upper: Float64Array.of(1, 2) })).toMatchObject({ status: 'infeasible', mix: null });
    expect(solved({ ...example, upper: Float64Array.of(0, 99) })).toMatchObject({ status: 'infeasible', mix: null });
    const unlimited = new Float64Array(2).fill(Number.POSITIVE_INFINITY);
    expect(solved({ ...example, upper: unlimited })).toMatchObject({ status: 'optimal', mix: [1, 3], cost: 7 });
  });
});

test('of mixes that cost the same it takes the preferred one', () => {
  const alike: Program = { ...example, classes: 1, loads: Float64Array.of(3, 3), prices: Float64Array.of(1, 1) };
  const wide = { ...alike, upper: Float64Array.of(9, 9) };
  expect(solved(wide).mix).toEqual([3, 0]);
  expect(solved(wide, { prefers: (mix, other) => mix[0]! < other[0]! }).mix).toEqual([0, 3]);
});

test('without a class the floors are the answer', () => {
  const floors = Float64Array.of(1, 2);
  expect(solved({ ...example, classes: 0, loads: new Float64Array(), lower: floors })).toMatchObject({
    ...{ status: 'optimal', mix: [1, 2], cost: 6, assignment: new Float64Array() },
  });
});

test('a type that may serve nothing has its floor, and a class that may go nowhere else has its own type', () => {
  const apart = Float64Array.of(0.4, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 1.5);
  expect(solved({ ...example, classes: 2, loads: apart })).toMatchObject({
    mix: [1, 2],
    assignment: Float64Array.of(1, 0, 0, 1),
  });
  const onlyOne = Float64Array.of(0.4, Number.POSITIVE_INFINITY);
  expect(solved({ ...example, classes: 1, loads: onlyOne, lower: Float64Array.of(0, 1) })).toMatchObject({ mix: [1, 1] });
});

describe('random programs', () => {
  const programOf = (random: Random): Program => {
    const classes = random.whole(1, 6);
    const whole = random.chance(0.4);
    const load = () => (whole ? random.whole(1, 8) / 4 : random.between(0.05, 4));
    const pair = () => {
      const apart = random.next();
      return [apart < 0.25 ? Number.POSITIVE_INFINITY : load(), apart > 0.75 ? Number.POSITIVE_INFINITY : load()];
    };
    const lower = Float64Array.from({ length: 2 }, () => (random.chance(0.3) ? random.whole(0, 3) : 0));
    return {
      ...{ types: 2, classes, lower, loads: Float64Array.from(Array.from({ length: classes }, pair).flat()) },
      prices: Float64Array.from({ length: 2 }, () => (whole ? random.whole(1, 4) : random.between(0.5, 5))),
      upper: lower.map((least) => least + random.whole(0, 12)),
    };
  };

  test('3,000 cost what branch and bound says, with the same mix, and their shares fit the replicas', () => {
    const random = new Random(21);
    const seen = { optimal: 0, infeasible: 0 };
    for (let i = 0; i < 3_000; i++) {
      const program = programOf(random);
      const { status, mix, cost, assignment } = solved(program);
      const other = branch(program, program.loads, options);
      expect([status, mix], `${i}`).toEqual([other.status, other.mix === null ? null : [...other.mix]]);
      seen[status === 'optimal' ? 'optimal' : 'infeasible']++;
      if (mix === null) continue;
      expect(cost, `${i}`).toBeCloseTo(other.cost, 9);
      for (let g = 0; g < 2; g++) {
        const load = program.loads.reduce(
          (sum, each, at) => sum + (at % 2 === g && assignment[at]! > 0 ? each * assignment[at]! : 0),
          0,
        );
        expect(load, `${i}`).toBeLessThanOrEqual(mix[g]! * (1 + 1e-10));
      }
      for (let c = 0; c < program.classes; c++) expect(assignment[2 * c]! + assignment[2 * c + 1]!, `${i}`).toBeCloseTo(1, 12);
    }
    expect(seen.optimal).toBeGreaterThan(1_000);
    expect(seen.infeasible).toBeGreaterThan(200);
  });

  test('one that the node limit ends bounds the optimum from below, and its own mix from above', () => {
    const random = new Random(22);
    let stopped = 0;
    for (let i = 0; i < 1_000; i++) {
      const program = programOf(random);
      const [early, whole] = [solved(program, { nodeLimit: random.whole(1, 6) }), solved(program)];
      if (early.mix === null) continue;
      expect(early.bound, `${i}`).toBeLessThanOrEqual(whole.cost * (1 + 1e-10));
      expect(early.cost, `${i}`).toBeGreaterThanOrEqual(whole.cost * (1 - 1e-10));
      if (early.status === 'feasible') stopped++;
    }
    expect(stopped).toBeGreaterThan(20);
  });
});

test('a second type’s floor does not make the first look dear', () => {
  const one = { types: 2, classes: 1, loads: Float64Array.of(8, 8), prices: Float64Array.of(1, 2) };
  const program = { ...one, lower: Float64Array.of(0, 8), upper: Float64Array.of(20, 20) };
  expect(solved(program, { nodeLimit: 4 })).toMatchObject({ cost: 16, mix: [0, 8] });
});
