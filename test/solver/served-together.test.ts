import { expect, test } from 'vitest';
import { plantedFleet } from '../../hack/bench/planted-fleets.ts';
import { type Fleet, prepared, withBudgetAsPool } from '../../src/solver/fleet.ts';
import { Joint } from '../../src/solver/joint.ts';
import { levelsOf } from '../../src/solver/levels.ts';
import { servedTogether } from '../../src/solver/served-together.ts';
import { defaultOptions, solve } from '../../src/solver/solve.ts';

const shape = { models: 6, types: 4, classes: 10 };
const scaled = (fleet: Fleet, share: number): Fleet => ({ ...fleet, stock: fleet.stock.map((gpus) => Math.floor(gpus * share)) });
const servedOf = (outcome: ReturnType<typeof solve>, models: readonly number[]) =>
  models.reduce((sum, m) => sum + outcome.models[m]!.served.reduce((all, share) => all + share, 0), 0);

test('a fleet whose stock is known to be enough is served in full, whatever limits it', () => {
  for (let seed = 0; seed < 5; seed++)
    for (const limits of [{}, { quota: true }, { budget: true }, { priorities: true }]) {
      const { fleet } = plantedFleet(seed, { ...shape, ...limits });
      const { status, servable } = solve(fleet);
      expect([status === 'optimal' || status === 'feasible', servable], `${seed} ${JSON.stringify(limits)}`).toEqual([
        true,
        null,
      ]);
    }
});

test('more stock never serves less, and what may be servable beyond is said', () => {
  for (let seed = 0; seed < 3; seed++) {
    const { fleet } = plantedFleet(100 + seed, shape);
    const outcomes = [0.4, 0.6, 0.8, 1].map((share) => solve(scaled(fleet, share)));
    const all = fleet.models.map((_, m) => m);
    for (let i = 1; i < outcomes.length; i++)
      expect(servedOf(outcomes[i]!, all)).toBeGreaterThanOrEqual(servedOf(outcomes[i - 1]!, all) - 1e-6);
    for (const { status, servable } of outcomes) expect(servable === null).toBe(status !== 'infeasible');
  }
});

test('the highest priority is served as if there were no other', () => {
  let compared = 0;
  for (let seed = 0; seed < 8; seed++) {
    const given = plantedFleet(200 + seed, { ...shape, priorities: true }).fleet;
    const { fleet } = prepared(scaled(given, 0.5));
    const levels = levelsOf(fleet);
    const highest = levels[0]!.models;
    if (levels.length < 2) continue;
    const alone = { ...fleet, models: fleet.models.filter((_, m) => highest.includes(m)) };
    const unserved = (of: Fleet, mixes: readonly Float64Array[], models: readonly number[]) => {
      const joint = new Joint(
        of,
        of.models.map(() => 1),
      );
      return models.reduce((sum, m) => sum + (joint.bestWay(m, mixes[m]!)?.service.unserved ?? Number.NaN), 0);
    };
    const among = alone.models.map((_, m) => m);
    const first = servedTogether(fleet, levels, defaultOptions);
    const best = servedTogether(alone, [{ models: among }], defaultOptions);
    expect(unserved(fleet, first.mixes, highest), `${seed}`).toBeLessThanOrEqual(unserved(alone, best.mixes, among) + 0.01);
    compared++;
  }
  expect(compared).toBeGreaterThan(4);
});

test('what fits the budget as a pool fits the budget', () => {
  const planted = plantedFleet(300, { ...shape, budget: true }).fleet;
  const fleet = { ...planted, budget: 0.6 * planted.budget };
  const pooled = withBudgetAsPool(fleet, 0.01);
  expect([pooled.stock.length, pooled.budget]).toEqual([fleet.stock.length + 1, Number.POSITIVE_INFINITY]);
  const { mixes } = servedTogether(pooled, levelsOf(pooled), defaultOptions);
  const cost = mixes.reduce(
    (sum, mix, m) => sum + fleet.models[m]!.variants.reduce((part, { price }, g) => part + price * mix[g]!, 0),
    0,
  );
  expect(cost).toBeLessThanOrEqual(fleet.budget * (1 + 1e-9));
  expect(cost).toBeGreaterThan(0.9 * fleet.budget);
});
