import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fleetOfSnapshot } from '../../src/planner/plan/plan-of-snapshot.ts';
import { parseSnapshot } from '../../src/planner/plan/snapshot-document.ts';
import { type BranchOptions, type BranchResult, branch } from '../../src/solver/branch.ts';
import { branchByNumber, cheaperOf } from '../../src/solver/by-number.ts';
import { lineScale, type Program } from '../../src/solver/program.ts';
import { solve } from '../../src/solver/solve.ts';
import { lineTolerance } from '../../src/solver/tolerances.ts';
import { overload } from './highs.ts';
import { Random } from './random.ts';

const options: BranchOptions = {
  ...{ nodeLimit: 50_000, tieLimit: 0, unit: 0, known: null, trusted: false, gapTolerance: 1e-11 },
  prefers: () => false,
  favourite: () => {},
};
const scaled = ({ loads }: Program): Float64Array => loads.map((load) => load / lineScale);

const alike = (random: Random): Program => {
  const [types, classes] = [random.whole(3, 5), random.whole(1, 8)];
  const within = random.pick([0, 0.01, 0.05, 0.5]);
  const loads = Array.from({ length: classes }, () => random.between(0.1, 1));
  const [few, many] = random.chance(0.3) ? [1, 1] : [4, 50];
  return {
    ...{ types, classes },
    loads: Float64Array.from({ length: types * classes }, (_, at) =>
      random.chance(0.05) ? Number.POSITIVE_INFINITY : loads[Math.floor(at / types)]! * random.between(1 - within, 1 + within),
    ),
    prices: Float64Array.from({ length: types }, () => Math.round(100 * random.between(1 - within, 1 + within)) / 100),
    lower: Float64Array.from({ length: types }, () => (random.chance(0.1) ? 1 : 0)),
    upper: Float64Array.from({ length: types }, () => (random.chance(0.4) ? random.whole(1, few) : many)),
    ...(random.chance(0.15) ? { fluid: types - 1 } : {}),
  };
};

const costOf = ({ prices }: Program, mix: Float64Array): number => mix.reduce((sum, y, g) => sum + y * prices[g]!, 0);

test('400 programs cost what they cost type by type, whatever is known first, and their shares fit the replicas', () => {
  let infeasible = 0;
  for (let seed = 0; seed < 400; seed++) {
    const program = alike(new Random(seed));
    const loads = scaled(program);
    const plain = branch(program, loads, options);
    for (const nodeLimit of [0, 1, 5]) {
      const first = branch(program, loads, { ...options, nodeLimit });
      const result = branchByNumber(program, loads, options, first, Number.NEGATIVE_INFINITY)!;
      if (plain.mix === null) {
        expect(result.mix).toBeNull();
        infeasible++;
        continue;
      }
      expect(result.status).toBe('optimal');
      expect(result.cost).toBeCloseTo(plain.cost, 8);
      expect(costOf(program, result.mix!)).toBeCloseTo(plain.cost, 8);
      expect(overload(program, [...result.mix!], result.assignment)).toBeLessThanOrEqual(lineTolerance);
    }
  }
  expect(infeasible).toBeGreaterThan(10);
});

test('stopped anywhere it has a bound that holds, and nothing worse than it was given', () => {
  for (let seed = 1_000; seed < 1_150; seed++) {
    const program = alike(new Random(seed));
    const loads = scaled(program);
    const plain = branch(program, loads, options);
    const first = branch(program, loads, { ...options, nodeLimit: 2 });
    for (const [nodeLimit, gapTolerance] of [
      [10, 1e-11],
      [40, 1e-11],
      [200, 0.02],
    ] as const) {
      const { mix, cost, bound } = branchByNumber(
        program,
        loads,
        { ...options, nodeLimit, gapTolerance },
        first,
        Number.NEGATIVE_INFINITY,
      )!;
      expect(bound).toBeGreaterThanOrEqual(first.bound);
      expect(bound).toBeLessThanOrEqual(plain.cost * (1 + 1e-9));
      expect(cost).toBeLessThanOrEqual(first.cost);
      if (mix !== null) expect(cost).toBeGreaterThanOrEqual(plain.cost * (1 - 1e-9));
    }
  }
});

test('types that are alike are proven to the cent, which type by type 200,000 nodes do not prove', () => {
  for (const [name, cost] of [
    ['4-alike-types', 3151.46],
    ['6-alike-types', 147.18],
  ] as const) {
    const file = join(import.meta.dirname, `../fixtures/scarcity/${name}.snapshot.json`);
    const { fleet } = fleetOfSnapshot(parseSnapshot(readFileSync(file, 'utf8')));
    const outcome = solve(fleet);
    expect(outcome.status).toBe('optimal');
    expect(outcome.bound).toBeCloseTo(cost, 9);
    expect(outcome.nodes).toBeLessThan(30_000);
  }
});

test('types that differ are left to the search type by type', () => {
  const types = [1, 2, 4, 8];
  const program: Program = {
    ...{ types: 4, classes: 1, lower: new Float64Array(4), upper: new Float64Array(4).fill(9) },
    loads: Float64Array.from(types, (speed) => 10.3 / speed ** 1.1),
    prices: Float64Array.from(types),
  };
  const first = branch(program, scaled(program), { ...options, nodeLimit: 1 });
  expect(branchByNumber(program, scaled(program), options, first, 0.15)).toBeNull();
  expect(branchByNumber(program, scaled(program), options, first, 0)?.status).toBe('optimal');
});

test('of two results the better mix counts; of one and the same the first, whose shares are known', () => {
  const result = (mix: readonly number[] | null, cost: number): BranchResult => ({
    ...{ status: 'feasible', assignment: new Float64Array(), cost, bound: 0, nodes: 0 },
    mix: mix === null ? null : Float64Array.from(mix),
  });
  const none = result(null, Number.POSITIVE_INFINITY);
  const [one, same, other] = [result([1, 0], 2), result([1, 0], 2), result([0, 1], 2)];
  const more = (a: Float64Array, b: Float64Array) => a[1]! > b[1]!;
  expect(cheaperOf(none, one, more)).toBe(one);
  expect(cheaperOf(one, none, more)).toBe(one);
  expect(cheaperOf(one, same, more)).toBe(one);
  expect(cheaperOf(one, other, more)).toBe(other);
  expect(cheaperOf(other, one, more)).toBe(other);
  expect(cheaperOf(one, result([1, 0], 1.9), more).cost).toBe(1.9);
});
