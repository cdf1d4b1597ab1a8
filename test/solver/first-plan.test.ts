import { describe, expect, test } from 'vitest';
import { plantedFleet } from '../../hack/bench/planted-fleets.ts';
import { firstPlan, lastMixes, trimmed, withinLimits } from '../../src/solver/first-plan.ts';
import type { Fleet, FleetModel, FleetVariant } from '../../src/solver/fleet.ts';
import { levelsOf } from '../../src/solver/levels.ts';
import { boundlessWork, WorkBudget } from '../../src/solver/work-budget.ts';

const never = Number.POSITIVE_INFINITY;
const variant = (price: number, more: Partial<FleetVariant> = {}): FleetVariant => ({
  ...{ price, lower: 0, upper: 9, pools: [0], gpus: 1, running: null },
  ...more,
});
/** One class of 1 req/s whose load is the same on every variant. */
const model = (load: number, priority: number, ...variants: FleetVariant[]): FleetModel => ({
  ...{ priority, rates: Float64Array.of(1), variants, previous: null },
  ways: [{ loads: new Float64Array(variants.length).fill(load), open: new Uint8Array(variants.length).fill(1) }],
});
const planned = (fleet: Fleet): number[][] => firstPlan(fleet, levelsOf(fleet), boundlessWork).map((mix) => [...mix]);

describe('a first plan', () => {
  test('takes what the relaxation does, whole', () => {
    expect(planned({ models: [model(2.4, 0, variant(2), variant(1))], stock: [9], budget: never })).toEqual([[0, 3]]);
  });

  test('gives the highest priority its part first, and the next what is left', () => {
    const models = [model(3, 0, variant(1)), model(3, 1, variant(1))];
    expect(planned({ models, stock: [4], budget: never })).toEqual([[1], [3]]);
  });

  test('within one priority the most requests per money come first', () => {
    const models = [model(3, 0, variant(2)), model(3, 0, variant(1))];
    expect(planned({ models, stock: [4], budget: never })).toEqual([[1], [3]]);
  });

  test('what does not fit on one variant goes to the others', () => {
    const models = [model(3, 0, variant(1), variant(2, { pools: [1] }))];
    expect(planned({ models, stock: [2, 9], budget: never })).toEqual([[2, 1]]);
  });

  test('keeps the budget and the floors', () => {
    const models = [model(5, 1, variant(2)), model(1, 0, variant(1, { lower: 2 }))];
    expect(planned({ models, stock: [9], budget: 7 })).toEqual([[2], [2]]);
  });

  test('goes the way that leaves least unserved', () => {
    const two = model(2, 0, variant(1, { upper: 1 }), variant(3));
    const ways = [
      { loads: Float64Array.of(2, never), open: Uint8Array.of(1, 0) },
      { loads: Float64Array.of(never, 2), open: Uint8Array.of(0, 1) },
    ];
    expect(planned({ models: [{ ...two, ways }], stock: [9], budget: never })).toEqual([[0, 2]]);
  });

  test('is within every limit, of fleets with too little, whatever it holds in any case and at whatever prices of the pools', () => {
    for (let seed = 0; seed < 12; seed++) {
      const { fleet } = plantedFleet(300 + seed, {
        models: 4,
        types: 4,
        classes: 8,
        quota: seed % 2 === 0,
        budget: seed % 3 === 0,
      });
      const short = { ...fleet, stock: fleet.stock.map((gpus) => Math.floor(gpus * (0.5 + (seed % 4) / 6))) };
      const levels = levelsOf(short);
      const first = firstPlan(short, levels, new WorkBudget(0));
      const dear = firstPlan(short, levels, new WorkBudget(0), undefined, new Float64Array(short.stock.length).fill(3));
      const more = firstPlan({ ...short, stock: fleet.stock }, levels, new WorkBudget(0), first);
      expect([withinLimits(short, first), withinLimits(short, dear), withinLimits(fleet, more)]).toEqual([true, true, true]);
      expect(more.every((mix, m) => mix.every((replicas, g) => replicas >= first[m]![g]!))).toBe(true);
    }
  });
});

describe('the last plan', () => {
  const fleetOf = (known: readonly (readonly number[] | null)[], stock = 9): Fleet => ({
    models: known.map((replicas, m) => ({ ...model(2, m, variant(1, { lower: 1, upper: 4 })), previous: replicas })),
    ...{ stock: [stock], budget: never },
  });
  const last = (fleet: Fleet) => lastMixes(fleet, levelsOf(fleet))?.map((mix) => [...mix]) ?? null;

  test('is brought within today’s bounds; a model without one has its floors', () => {
    expect(last(fleetOf([[0], [7], null]))).toEqual([[1], [4], [1]]);
    expect(last(fleetOf([null, null]))).toBeNull();
  });

  test('where stock does not hold it, models of the lowest priority go back to their floors', () => {
    expect(last(fleetOf([[3], [3], [3]], 8))).toEqual([[1], [3], [3]]);
    expect(last(fleetOf([[3], [3], [3]], 5))).toEqual([[1], [1], [3]]);
  });
});

describe('without what it need not have', () => {
  const fleet: Fleet = { models: [model(2, 0, variant(2), variant(1)), model(9, 0, variant(1))], stock: [9], budget: never };
  const mixes = (...each: number[][]) => each.map((mix) => Float64Array.from(mix));
  const kept = (given: readonly Float64Array[], work = boundlessWork) => trimmed(fleet, given, work).map((mix) => [...mix]);

  test('a model that is served has the cheapest of what it has, one that is not has all of it', () => {
    expect(kept(mixes([3, 1], [4]))).toEqual([[1, 1], [4]]);
    expect(kept(mixes([1, 4], [4]))).toEqual([[0, 2], [4]]);
  });

  test('without work nothing changes', () => {
    expect(kept(mixes([3, 1], [4]), new WorkBudget(0))).toEqual([[3, 1], [4]]);
  });
});
