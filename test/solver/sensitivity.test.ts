import { describe, expect, test } from 'vitest';
import type { Fleet, FleetModel, FleetVariant } from '../../src/solver/fleet.ts';
import { costWithOnly, sensitivity } from '../../src/solver/sensitivity.ts';
import { solve } from '../../src/solver/solve.ts';

const variant = (price: number, more: Partial<FleetVariant> = {}): FleetVariant => ({
  ...{ price, lower: 0, upper: 9, pools: [], gpus: 1, running: null },
  ...more,
});
/** A model of one class whose load is the same on every variant. */
const evenModel = (load: number, ...variants: FleetVariant[]): FleetModel => ({
  priority: 0,
  rates: Float64Array.of(1),
  variants,
  ways: [{ loads: new Float64Array(variants.length).fill(load), open: new Uint8Array(variants.length).fill(1) }],
  previous: null,
});
/** The worked example in program.ts: one A and three B cost 7, two A cost 8. */
const example = (a: Partial<FleetVariant> = {}, b: Partial<FleetVariant> = {}): FleetModel => ({
  priority: 0,
  rates: Float64Array.of(1, 1, 1),
  variants: [variant(4, a), variant(1, b)],
  ways: [{ loads: Float64Array.of(0.2, 0.6, 0.5, 2.5, 0.9, Number.POSITIVE_INFINITY), open: Uint8Array.of(1, 1) }],
  previous: null,
});
const fleetOf = (models: readonly FleetModel[], stock: readonly number[] = []): Fleet => ({
  ...{ models, stock, budget: Number.POSITIVE_INFINITY },
});
const answers = (fleet: Fleet) => sensitivity(fleet, solve(fleet));

describe('bounds', () => {
  test('an upper bound is named with what one replica more would save', () => {
    const cheapLimited = evenModel(2, variant(1, { upper: 1 }), variant(3));
    expect(answers(fleetOf([cheapLimited])).bounds).toEqual([{ model: 0, variant: 0, bound: 'upper', saves: 2 }]);
  });

  test('a floor is named with what one replica less would save', () => {
    const dearKept = evenModel(2, variant(1), variant(3, { lower: 1 }));
    expect(answers(fleetOf([dearKept])).bounds).toEqual([{ model: 0, variant: 1, bound: 'lower', saves: 2 }]);
  });

  test('one that costs nothing is not named', () => {
    expect(answers(fleetOf([example({}, { upper: 3 })])).bounds).toEqual([]);
    expect(answers(fleetOf([evenModel(2, variant(1, { lower: 2, upper: 2 }), variant(3, { upper: 0 }))])).bounds).toEqual([]);
  });

  test('each counts with the stock that the other models leave', () => {
    const limited = evenModel(2, variant(1, { upper: 1, pools: [0] }), variant(3));
    const other = evenModel(1, variant(2, { pools: [0] }));
    expect(answers(fleetOf([limited, other], [3])).bounds).toEqual([{ model: 0, variant: 0, bound: 'upper', saves: 2 }]);
    expect(answers(fleetOf([limited, other], [2])).bounds).toEqual([]);
  });
});

describe('stock', () => {
  test('a pool that is short is named with the GPUs of one more replica, and what they would save', () => {
    const model = evenModel(2, variant(2, { pools: [0], gpus: 2 }), variant(5, { pools: [1] }));
    expect(answers(fleetOf([model], [2, 9])).stock).toEqual([{ pool: 0, gpus: 2, saves: 3 }]);
  });

  test('one with a replica to spare, and one that nobody wants more of, are not', () => {
    const model = evenModel(2, variant(2, { pools: [0] }), variant(5, { pools: [1] }));
    expect(answers(fleetOf([model], [3, 0])).stock).toEqual([]);
  });
});

describe('the next best mix', () => {
  test('is dearer, and one from which no replica can be taken', () => {
    expect(answers(fleetOf([example()])).runnersUp).toEqual([Float64Array.of(2, 0)]);
    expect(answers(fleetOf([example({}, { upper: 2 })])).runnersUp).toEqual([null]);
  });

  test('is the cheapest of them', () => {
    // Each class has two variants of its own: instead of one and one for 2, another costs 4 or 3.
    const [here, away] = [1, Number.POSITIVE_INFINITY];
    const apart: FleetModel = {
      ...evenModel(1, variant(1), variant(3), variant(1), variant(2)),
      rates: Float64Array.of(1, 1),
      ways: [{ loads: Float64Array.of(here, here, away, away, away, away, here, here), open: new Uint8Array(4).fill(1) }],
    };
    expect(answers(fleetOf([apart])).runnersUp).toEqual([Float64Array.of(1, 0, 0, 1)]);
  });

  test('may cost the same', () => {
    expect(answers(fleetOf([evenModel(1, variant(2), variant(2))])).runnersUp).toEqual([Float64Array.of(0, 1)]);
  });

  test('is within the stock that the other models leave', () => {
    const [own, other] = [example({ pools: [0] }), evenModel(1, variant(9, { pools: [0] }))];
    expect(answers(fleetOf([own, other], [3])).runnersUp).toEqual([Float64Array.of(2, 0), null]);
    expect(answers(fleetOf([own, other], [2])).runnersUp).toEqual([null, null]);
  });
});

test('the cost with only some variants is above that with all, and null where they do not carry the demand', () => {
  const fleet = fleetOf([example({}, { lower: 1 }), evenModel(2, variant(3))]);
  const only = (...kept: readonly string[]) => costWithOnly(fleet, (_, model, at) => kept.includes(`${model}${at}`));
  expect(only('00', '01', '10')).toBeCloseTo(13, 9);
  expect(only('00', '10')).toBeCloseTo(15, 9);
  expect(only('01', '10')).toBeNull();
  expect(only('00', '01')).toBeNull();
});
