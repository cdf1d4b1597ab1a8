import { expect, test } from 'vitest';
import { fleetInstance } from '../../hack/bench/instances.ts';
import { costOf, fleetOf } from '../../hack/bench/timing.ts';
import { type Fleet, poolUse, prepared } from '../../src/solver/fleet.ts';
import { Joint } from '../../src/solver/joint.ts';
import { searchJointly } from '../../src/solver/joint-search.ts';
import { SharedStock } from '../../src/solver/shared-stock.ts';
import { defaultOptions, solve } from '../../src/solver/solve.ts';

const small = (seed: number): Fleet => prepared(fleetOf(fleetInstance(seed, { types: 3, classes: 6, models: 3 }))).fleet;

test('40 small fleets: prices of stock and one search over all models find the same cost', () => {
  const seen = { optimal: 0, infeasible: 0 };
  for (let seed = 0; seed < 40; seed++) {
    const fleet = small(seed);
    const joint = new Joint(
      fleet,
      fleet.models.map(({ rates }) => rates.length),
    );
    const zeros = fleet.models.map(() => 0);
    const goal = {
      ...{ unserved: zeros, most: zeros, groups: [], same: 0, ties: true },
      replicas: fleet.models.flatMap(({ variants }) => variants.map(({ price }) => price)),
    };
    const whole = searchJointly(joint, goal, 2_000_000, null);
    const priced = new SharedStock(fleet, defaultOptions).run();
    expect(priced.status, `${seed}`).toBe(whole.status);
    seen[priced.status === 'optimal' ? 'optimal' : 'infeasible']++;
    if (priced.status === 'optimal') expect(priced.bound, `${seed}`).toBeCloseTo(whole.value, 7);
  }
  expect(seen.optimal).toBeGreaterThan(25);
});

test('stock holds, and the bound is no more than the cost, also where the node limit ends the search', () => {
  const seen = { optimal: 0, feasible: 0, other: 0 };
  for (const nodeLimit of [10, 200, 200_000])
    for (let seed = 0; seed < 12; seed++) {
      const fleet = fleetOf(fleetInstance(500 + seed, { types: 4, classes: 12, models: 6 }));
      const outcome = solve(fleet, { ...defaultOptions, nodeLimit });
      seen[outcome.status === 'optimal' || outcome.status === 'feasible' ? outcome.status : 'other']++;
      const used = fleet.stock.map((_, pool) =>
        outcome.models.reduce((sum, { mix }, m) => sum + poolUse(fleet.models[m]!, mix, fleet.stock.length)[pool]!, 0),
      );
      expect(used.every((gpus, pool) => gpus <= fleet.stock[pool]!)).toBe(true);
      if (outcome.bound !== null) expect(outcome.bound).toBeLessThanOrEqual(costOf(fleet, outcome) * (1 + 1e-9));
    }
  expect(seen.optimal).toBeGreaterThan(12);
  expect(seen.feasible + seen.other).toBeGreaterThan(0);
});
