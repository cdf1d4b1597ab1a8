import { expect, test } from 'vitest';
import { plantedFleet } from '../../hack/bench/planted-fleets.ts';
import { costCeiling, type Fleet, mixCost, prepared } from '../../src/solver/fleet.ts';
import { bestPrices, gpusOver, isHopeless } from '../../src/solver/pool-prices.ts';
import { PricedFleet } from '../../src/solver/priced-fleet.ts';
import { defaultOptions, solve } from '../../src/solver/solve.ts';

const fleetOf = (seed: number, share = 1): Fleet => {
  const { fleet } = plantedFleet(seed, { models: 5, types: 3, classes: 8 });
  return prepared({ ...fleet, stock: fleet.stock.map((gpus) => Math.floor(gpus * share)) }).fleet;
};

test('the bound at the best prices is below what the fleet costs, and near it', () => {
  for (let seed = 0; seed < 8; seed++) {
    const fleet = fleetOf(700 + seed);
    const cost = solve(fleet).models.reduce((sum, { mix }, m) => sum + mixCost(fleet.models[m]!, mix), 0);
    const best = bestPrices(new PricedFleet(fleet, defaultOptions), costCeiling(fleet));
    expect(best!.bound, `${seed}`).toBeLessThanOrEqual(cost * (1 + 1e-9));
    expect(best!.bound, `${seed}`).toBeGreaterThan(0.9 * cost);
    expect(best!.poolPrices.every((price) => price >= 0)).toBe(true);
  }
});

test('plenty has no price, and nothing is over', () => {
  const fleet = fleetOf(700, 5);
  const priced = new PricedFleet(fleet, defaultOptions);
  expect(gpusOver(priced)!.every((over) => over <= 0)).toBe(true);
  expect([...bestPrices(priced, costCeiling(fleet))!.poolPrices].every((price) => price === 0)).toBe(true);
});

test('where there is a third of what is needed, prices prove that it does not suffice; where there is enough, none do', () => {
  const without = new PricedFleet(fleetOf(700, 0.33), defaultOptions);
  const ceiling = costCeiling(without.fleet);
  const at = bestPrices(without, ceiling);
  expect(at === null || isHopeless(without, at.poolPrices, ceiling)).toBe(true);
  const enough = new PricedFleet(fleetOf(700), defaultOptions);
  expect(isHopeless(enough, bestPrices(enough, costCeiling(enough.fleet))!.poolPrices, costCeiling(enough.fleet))).toBe(false);
});
