import { describe, expect, test } from 'vitest';
import {
  type Fleet,
  type FleetModel,
  type FleetVariant,
  favourite,
  poolUse,
  preference,
  prepared,
  takes,
  withBudgetAsPool,
} from '../../src/solver/fleet.ts';

const variant = (more: Partial<FleetVariant> = {}): FleetVariant => ({
  ...{ price: 1, lower: 0, upper: 100, pools: [0], gpus: 1, running: null },
  ...more,
});
/** One class whose whole load is the same on every variant. */
const model = (variants: readonly FleetVariant[], load = 10): FleetModel => ({
  ...{ priority: 0, rates: Float64Array.of(1), variants, previous: null },
  ways: [{ loads: new Float64Array(variants.length).fill(load), open: new Uint8Array(variants.length).fill(1) }],
});
const fleet = (models: readonly FleetModel[], more: Partial<Fleet> = {}): Fleet => ({
  ...{ models, stock: [100], budget: Number.POSITIVE_INFINITY },
  ...more,
});

describe('a prepared fleet', () => {
  const upperOf = (given: Fleet) => prepared(given).fleet.models[0]!.variants.map(({ upper }) => upper);

  test('no variant has more replicas than the demand could use or the stock beside the floors could hold', () => {
    expect(upperOf(fleet([model([variant()], 2.5)]))).toEqual([3]);
    expect(upperOf(fleet([model([variant({ lower: 5 })], 2.5)]))).toEqual([5]);
    expect(upperOf(fleet([model([variant({ lower: 1 }), variant({ lower: 2, gpus: 2 })])], { stock: [9] }))).toEqual([5, 4]);
    expect(upperOf(fleet([model([variant({ gpus: 0 })])], { stock: [0] }))).toEqual([10]);
  });

  test('stock that no number of replicas uses up is left out', () => {
    const stockOf = (...gpus: number[]) => prepared(fleet([model(gpus.map((each) => variant({ gpus: each })))], { stock: [15] }));
    expect(stockOf(4, 8).fleet.stock).toEqual([12]);
    expect(stockOf(4, 6).fleet.stock).toEqual([14]);
  });

  test('floors come before stock and budget, and it says whether they fit', () => {
    const floors = [model([variant({ lower: 3, price: 2 })])];
    const { fleet: raised, floorsFit } = prepared(fleet(floors, { stock: [2], budget: 5 }));
    expect([raised.stock, raised.budget, floorsFit]).toEqual([[3], 6, false]);
    expect(prepared(fleet(floors, { stock: [3], budget: 6 })).floorsFit).toBe(true);
    expect(prepared(fleet(floors, { stock: [3], budget: 5.9 })).floorsFit).toBe(false);
  });

  test('no price is 0, and one that was says next to nothing beside the others', () => {
    const pricesOf = (...prices: number[]) =>
      prepared(fleet([model(prices.map((price) => variant({ price })))])).fleet.models[0]!.variants.map(({ price }) => price);
    expect(pricesOf(0, 0)).toEqual([1, 1]);
    const [free, paid] = pricesOf(0, 4);
    expect([free! > 0, free! < 1e-9, paid]).toEqual([true, true, 4]);
  });
});

test('a replica takes its GPUs of each of its pools, unless it is said how much of each', () => {
  const one = variant({ pools: [0, 2], gpus: 4 });
  expect(takes(one)).toEqual([
    [0, 4],
    [2, 4],
  ]);
  expect(poolUse(model([one, variant({ pools: [2], amounts: [7] })]), [2, 3], 3)).toEqual([8, 0, 8 + 21]);
});

test('the budget as a pool is in whole units, rounded against the replicas', () => {
  const limited = fleet([model([variant({ price: 2.5, gpus: 4 })])], { budget: 9.99 });
  const pooled = withBudgetAsPool(limited, 1);
  expect([pooled.stock, pooled.budget]).toEqual([[100, 9], Number.POSITIVE_INFINITY]);
  expect(takes(pooled.models[0]!.variants[0]!)).toEqual([
    [0, 4],
    [1, 3],
  ]);
  expect(withBudgetAsPool(limited, 0.5).stock).toEqual([100, 19]);
  expect(withBudgetAsPool(fleet([]), 1)).toEqual(fleet([]));
});

test('fewer changes are preferred, then more of the first variant, and the favourite is preferred to all others', () => {
  const known = [model([variant({ running: 2 }), variant({ running: 1 }), variant()])];
  const order = (a: readonly number[], b: readonly number[], of = known) => Math.sign(preference(of, [a], [b]));
  expect(order([2, 1, 0], [2, 0, 5])).toBe(-1);
  expect(order([3, 1, 0], [1, 1, 0])).toBe(-1);
  expect(order([2, 1, 1], [2, 1, 1])).toBe(0);
  const mix = new Float64Array(3);
  favourite(known[0]!, Float64Array.of(0, 2, 0), Float64Array.of(1, 3, 2), mix);
  expect([...mix]).toEqual([1, 2, 2]);
  for (const a of [0, 1])
    for (const b of [2, 3]) for (const c of [0, 1, 2]) expect(order([...mix], [a, b, c]), `${[a, b, c]}`).toBeLessThanOrEqual(0);
});
