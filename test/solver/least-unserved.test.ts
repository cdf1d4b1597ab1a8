import { expect, test } from 'vitest';
import { plantedFleet } from '../../hack/bench/planted-fleets.ts';
import { costCeiling, type Fleet, prepared } from '../../src/solver/fleet.ts';
import { leastUnservedOfLowest } from '../../src/solver/least-unserved.ts';
import { levelsOf } from '../../src/solver/levels.ts';
import { defaultOptions, solve } from '../../src/solver/solve.ts';

const demandOf = (fleet: Fleet, models: readonly number[]) =>
  models.reduce((sum, m) => sum + fleet.models[m]!.rates.reduce((all, rate) => all + rate, 0), 0);

test('no plan leaves less of the lowest priority than the limit, and some limits are near what one leaves', () => {
  const nearness: number[] = [];
  for (let seed = 0; seed < 12; seed++) {
    const given = plantedFleet(400 + seed, { models: 5, types: 3, classes: 6, priorities: true }).fleet;
    const { fleet } = prepared({ ...given, stock: given.stock.map((gpus) => Math.floor(0.7 * gpus)) });
    const levels = levelsOf(fleet);
    if (levels.length < 2) continue;
    const outcome = solve(fleet);
    const left = levels.map(({ models }) =>
      models.reduce(
        (sum, m) => sum + fleet.models[m]!.rates.reduce((all, rate, c) => all + rate * (1 - outcome.models[m]!.served[c]!), 0),
        0,
      ),
    );
    const ceiling = costCeiling(fleet);
    const demand = demandOf(fleet, levels.at(-1)!.models);
    const worth = { ceiling, unit: 1, price: (1e4 * ceiling) / demand };
    const { leastUnserved } = leastUnservedOfLowest(fleet, levels, left, worth, defaultOptions);
    expect(leastUnserved, `${seed}`).toBeLessThanOrEqual(left.at(-1)! + 1e-6 * demand);
    nearness.push((left.at(-1)! - leastUnserved) / demand);
  }
  expect(nearness.length).toBeGreaterThan(6);
  expect(nearness.filter((gap) => gap < 0.05).length).toBeGreaterThan(2);
});
