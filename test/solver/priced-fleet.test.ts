import { expect, test } from 'vitest';
import { plantedFleet } from '../../hack/bench/planted-fleets.ts';
import { prepared } from '../../src/solver/fleet.ts';
import { PricedFleet } from '../../src/solver/priced-fleet.ts';
import { boundlessWork } from '../../src/solver/work-budget.ts';
import { seeded } from '../../src/vocabulary/random.ts';

const options = { nodeLimit: 100_000, tieLimit: 0 };

test('at any prices: relaxations promise no more than whole mixes, and these no more than the columns met so far', () => {
  for (let seed = 0; seed < 10; seed++) {
    const { fleet } = prepared(plantedFleet(600 + seed, { models: 4, types: 3, classes: 8 }).fleet);
    const priced = new PricedFleet(fleet, options);
    const random = seeded(seed);
    for (let round = 0; round < 4; round++) {
      const poolPrices = Float64Array.from(fleet.stock, () => 2 * random());
      const relaxed = priced.relaxed(poolPrices).value;
      const whole = priced.byWholeMixes(poolPrices, 1e-9, boundlessWork);
      const columns = priced.byColumns(poolPrices).value;
      expect(relaxed).toBeLessThanOrEqual(whole.bound + 1e-6 * Math.abs(whole.bound));
      expect(whole.bound).toBeLessThanOrEqual(columns + 1e-6 * Math.abs(columns));
      // Each model's best mix is a column now, so that they meet.
      expect(columns - whole.bound).toBeLessThan(1e-6 * Math.abs(columns) + 1e-6);
    }
  }
});

test('a tangent is above the bound everywhere', () => {
  const { fleet } = prepared(plantedFleet(650, { models: 4, types: 3, classes: 8 }).fleet);
  const priced = new PricedFleet(fleet, options);
  const random = seeded(1);
  const at = Float64Array.from(fleet.stock, () => random());
  const { value, slope } = priced.relaxed(at);
  for (let other = 0; other < 20; other++) {
    const there = Float64Array.from(fleet.stock, () => 3 * random());
    const promised = slope.reduce((sum, along, k) => sum + along * (there[k]! - at[k]!), value);
    expect(priced.relaxed(there).value).toBeLessThanOrEqual(promised + 1e-6 * Math.abs(promised));
  }
});

test('what mixes leave of the stock is told by pool, below 0 where they do not fit', () => {
  const { fleet } = prepared(plantedFleet(660, { models: 2, types: 2, classes: 4 }).fleet);
  const priced = new PricedFleet(fleet, options);
  const none = fleet.models.map(({ variants }) => new Float64Array(variants.length));
  expect(priced.left(none)).toEqual([...fleet.stock]);
  const [first] = fleet.models[0]!.variants;
  const many = none.map((mix, m) => (m === 0 ? Float64Array.from(mix, (_, g) => (g === 0 ? 1000 : 0)) : mix));
  expect(priced.left(many)[first!.pools[0]!]).toBe(fleet.stock[first!.pools[0]!]! - 1000 * first!.gpus);
});
