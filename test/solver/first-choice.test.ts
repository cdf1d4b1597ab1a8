import { expect, test } from 'vitest';
import { plantedFleet } from '../../hack/bench/planted-fleets.ts';
import { tickWork } from '../../src/planner/plan/work-limit.ts';
import { mixCost } from '../../src/solver/fleet.ts';
import { defaultOptions, solve } from '../../src/solver/solve.ts';

const shape = { models: 50, types: 8, classes: 40 };

test.for([
  // The columns at the best prices overdraw one scarce pool, and nothing that was met draws less on it.
  { limits: { priorities: true }, seed: 800_003, share: 1.05 },
  { limits: { budget: true }, seed: 1_600_001, share: 1 },
  { limits: { budget: true }, seed: 1_600_001, share: 1.2 },
])('where no choice fits, mixes are asked for that draw less on what is short: $limits, $share', ({ limits, seed, share }) => {
  const { fleet } = plantedFleet(seed, { ...shape, ...limits });
  const scaled = { ...fleet, stock: fleet.stock.map((gpus) => Math.floor(gpus * share)) };
  const { servable, bound, models } = solve(scaled, { ...defaultOptions, workLimit: tickWork });
  expect(servable).toBeNull();
  const cost = models.reduce((sum, { mix }, m) => sum + mixCost(fleet.models[m]!, mix), 0);
  expect(cost / bound!).toBeLessThan(1.005);
});
