import { expect, test } from 'vitest';
import { scenario, synthetic } from '../../hack/simulate/scenarios.ts';
import { mixFor, runPlanner, worldOf } from '../../src/simulation/compare.ts';
import { mixtures } from '../../src/simulation/mixtures.ts';
import { plotOf } from '../../src/simulation/plot.ts';
import { steady, step } from '../../src/simulation/traffic.ts';

test('the same seed gives the same bytes, another seed others', async () => {
  const run = async (seed: number) => await runPlanner(scenario(synthetic(step(5, 12, 200), 500, 'mixed', seed)));
  const [first, again, other] = [await run(1), await run(1), await run(2)];
  expect(JSON.stringify(again)).toBe(JSON.stringify(first));
  expect(plotOf([again])).toBe(plotOf([first]));
  expect(other.requests).not.toBe(first.requests);
});

test('nothing is lost: requests are within the SLO, beyond it, or unserved', async () => {
  const outcome = await runPlanner(scenario(synthetic(steady(10), 600)));
  expect(outcome.requests).toBeGreaterThan(5000);
  expect(outcome.attainment).toBeGreaterThan(0.99);
  expect(outcome.unserved).toBe(0);
});

test('what costs money is what has a GPU: one type without stock is never paid', async () => {
  const without = scenario(synthetic(steady(10), 600), { stock: () => ({ L40S: 0, 'A100-80': 0, H100: 0 }) });
  const outcome = await runPlanner({ ...without, traffic: { ...without.traffic, demandAt: () => [] } });
  // It starts with nothing, and nothing can be had: every request waits a minute and is given up.
  expect([outcome.cost, outcome.attainment, outcome.unserved]).toEqual([0, 0, outcome.requests]);
});

test('the best answer of the specialists is a mix, 15 % cheaper than either alone', () => {
  const world = worldOf(scenario(synthetic(steady(10), 10), { set: 'specialists' }));
  const demand = mixtures['services']!.map(({ share, ...size }) => ({ ...size, arrivalRate: 100 * share }));
  const cost = (variants: typeof world.variants) => {
    const mix = mixFor(demand, { ...world, variants });
    return variants.reduce((sum, { key, price }) => sum + price * mix.get(key)!, 0);
  };
  const mix = mixFor(demand, world);
  expect([...mix.values()].filter((count) => count > 0).length).toBeGreaterThan(1);
  const single = Math.min(...world.variants.map((variant) => cost([variant])));
  expect(cost(world.variants)).toBeLessThanOrEqual(0.85 * single);
});
