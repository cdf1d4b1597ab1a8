import { expect, test } from 'vitest';
import { plantedFleet } from '../../hack/bench/planted-fleets.ts';
import { exchanged } from '../../src/solver/exchanges.ts';
import { firstPlan, withinLimits } from '../../src/solver/first-plan.ts';
import type { Fleet, FleetModel } from '../../src/solver/fleet.ts';
import { Joint } from '../../src/solver/joint.ts';
import { levelsOf } from '../../src/solver/levels.ts';
import { boundlessWork, WorkBudget } from '../../src/solver/work-budget.ts';

/** One class of so many req/s, of which a replica serves 1. */
const model = (rate: number, priority = 0, price = 1): FleetModel => ({
  ...{ priority, rates: Float64Array.of(rate), previous: null },
  variants: [{ price, lower: 0, upper: 9, pools: [0], gpus: 1, running: null }],
  ways: [{ loads: Float64Array.of(rate), open: Uint8Array.of(1) }],
});
const jointOf = (fleet: Fleet): Joint =>
  new Joint(
    fleet,
    fleet.models.map(({ priority }) =>
      fleet.models.reduce(
        (sum, other) => sum + (other.priority === priority ? other.rates.reduce((all, rate) => all + rate, 0) : 0),
        0,
      ),
    ),
  );
const made = (fleet: Fleet, start: readonly (readonly number[])[], work = boundlessWork): number[][] =>
  exchanged(
    jointOf(fleet),
    levelsOf(fleet),
    start.map((mix) => Float64Array.from(mix)),
    work,
  ).map((mix) => [...mix]);

test('a replica goes from where it serves little to where it serves more, and into what is left', () => {
  const fleet = { models: [model(2.1), model(3)], stock: [5], budget: Number.POSITIVE_INFINITY };
  expect(made(fleet, [[3], [2]])).toEqual([[2], [3]]);
  expect(made({ ...fleet, stock: [6] }, [[3], [2]])).toEqual([[3], [3]]);
});

test('a higher priority takes it, however little that serves', () => {
  const fleet = { models: [model(2.1, 1), model(3)], stock: [5], budget: Number.POSITIVE_INFINITY };
  expect(made(fleet, [[2], [3]])).toEqual([[3], [2]]);
});

test('the budget is kept', () => {
  const fleet = { models: [model(2.1, 0, 2), model(3, 0, 3)], stock: [9], budget: 12 };
  expect(made(fleet, [[3], [2]])).toEqual([[3], [2]]);
  expect(made({ ...fleet, budget: 13 }, [[3], [2]])).toEqual([[2], [3]]);
});

test('of fleets with too little it serves no less than it starts from, by priority, within every limit; without work it changes nothing', () => {
  let more = 0;
  for (let seed = 0; seed < 10; seed++) {
    const { fleet } = plantedFleet(800 + seed, { models: 5, types: 4, classes: 8, priorities: true, quota: seed % 2 === 0 });
    const short = { ...fleet, stock: fleet.stock.map((gpus) => Math.floor(gpus * 0.8)) };
    const joint = jointOf(short);
    const levels = levelsOf(short);
    const start = firstPlan(short, levels, boundlessWork);
    const found = exchanged(joint, levels, start, boundlessWork);
    expect(withinLimits(short, found)).toBe(true);
    const unserved = (mixes: readonly Float64Array[]): number[] =>
      levels.map(({ models }) => models.reduce((sum, m) => sum + joint.unserved(m, mixes[m]!) / joint.totals[m]!, 0));
    const [before, after] = [unserved(start), unserved(found)];
    const at = after.findIndex((share, level) => Math.abs(share - before[level]!) > 1e-7);
    if (at >= 0) {
      expect(after[at]!).toBeLessThan(before[at]!);
      more++;
    }
    expect(exchanged(joint, levels, start, new WorkBudget(0)).map((mix) => [...mix])).toEqual(start.map((mix) => [...mix]));
  }
  expect(more).toBeGreaterThan(5);
});
