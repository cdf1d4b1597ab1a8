import { describe, expect, test } from 'vitest';
import type { FleetModel, FleetVariant } from '../../src/solver/fleet.ts';
import { PricedModel } from '../../src/solver/priced-model.ts';
import { defaultOptions } from '../../src/solver/solve.ts';
import { Random } from './random.ts';

const variant = (price: number, pool: number, gpus: number, upper: number): FleetVariant => ({
  ...{ price, lower: 0, upper, pools: [pool], gpus, running: null },
});
/** The worked example in program.ts. An A takes two GPUs of the first pool, a B one of the second. */
const example: FleetModel = {
  priority: 0,
  rates: Float64Array.of(1, 1, 1),
  variants: [variant(4, 0, 2, 2), variant(1, 1, 1, 4)],
  ways: [{ loads: Float64Array.of(0.2, 0.6, 0.5, 2.5, 0.9, Number.POSITIVE_INFINITY), open: Uint8Array.of(1, 1) }],
  previous: null,
};
const prices = (...lambda: number[]) => Float64Array.from(lambda);
const about = (...numbers: number[]) => numbers.map((each) => expect.closeTo(each, 6));
const whole = (model: PricedModel, lambda: Float64Array) => model.whole(lambda, defaultOptions, 0);

describe('the relaxation', () => {
  test('counts the GPUs of fractional replicas', () => {
    const { value, use } = new PricedModel(example, 2).relaxed(prices(0, 0));
    expect([value, ...use]).toEqual(about(6.2, 2.8, 0.6));
  });

  test('moves to the other type when stock has a price', () => {
    // A B then costs 2: short requests cost 0.8 on A and 1.2 on B.
    const { value, use } = new PricedModel(example, 2).relaxed(prices(0, 1));
    expect([value, ...use]).toEqual(about(6.4, 3.2, 0));
  });

  test('is below the cheapest whole mix, and a concave function of prices with its use as slope', () => {
    const [random, model] = [new Random(4), new PricedModel(example, 2)];
    const points = Array.from({ length: 30 }, () => prices(random.between(0, 3), random.between(0, 3)));
    const values = points.map((lambda) => model.relaxed(lambda).value);
    for (const lambda of points) {
      const { value, use } = model.relaxed(lambda);
      expect(value).toBeLessThanOrEqual(whole(model, lambda).value + 1e-9);
      for (const [i, other] of points.entries())
        expect(values[i]!).toBeLessThanOrEqual(
          value + use.reduce((sum, gpus, k) => sum + gpus * (other[k]! - lambda[k]!), 0) + 1e-6,
        );
    }
  });
});

test('the cheapest whole mix depends on what stock costs, and each that was found is kept', () => {
  const model = new PricedModel(example, 2);
  expect(whole(model, prices(0, 0))).toMatchObject({ value: 7, use: [2, 3] });
  expect(model.cheapestColumn(prices(0, 1))).toEqual({ value: 10, use: [2, 3], mix: Float64Array.of(1, 3) });
  expect(whole(model, prices(0, 1))).toMatchObject({ value: 8, use: [4, 0] });
  expect(model.cheapestColumn(prices(0, 1)).mix).toEqual(Float64Array.of(2, 0));
  expect(model.cheapestColumn(prices(0, 0)).mix).toEqual(Float64Array.of(1, 3));
  const columns = (lambda: Float64Array, least: number) =>
    model.columnsAt(lambda, least).map(({ mix, cost, reduced }) => `${mix.join()} costs ${cost}, ${reduced} above the least`);
  expect(columns(prices(0, 0), 7)).toEqual(['1,3 costs 7, 0 above the least', '2,0 costs 8, 1 above the least']);
  expect(columns(prices(0, 1), 8)).toEqual(['2,0 costs 8, 0 above the least', '1,3 costs 7, 2 above the least']);
});

describe('mixes within an excess', () => {
  /** Each with what it costs above the least, and `...` where the node limit ended the search. */
  const within = (model: FleetModel, lambda: Float64Array, least: number, excess: number, nodeLimit = 1000) => {
    const { columns, complete } = new PricedModel(model, 2).within(lambda, least, excess, nodeLimit);
    return [...columns.map(({ mix, reduced }) => `${mix.join()} +${reduced}`), ...(complete ? [] : ['...'])];
  };

  test('are all that cost no more than it above the least, cheapest first', () => {
    expect(within(example, prices(0, 0), 7, 0.9)).toEqual(['1,3 +0']);
    expect(within(example, prices(0, 0), 7, 1)).toEqual(['1,3 +0', '2,0 +1']);
    expect(within(example, prices(0, 1), 8, 2)).toEqual(['2,0 +0', '1,3 +2']);
    expect(within(example, prices(0, 0), 7, 1, 0)).toEqual(['...']);
  });

  test('leave out what costs more and takes no fewer GPUs of any pool', () => {
    const even = { loads: Float64Array.of(1, 1), open: Uint8Array.of(1, 1) };
    const beside = (other: FleetVariant) =>
      within({ ...example, rates: Float64Array.of(1), variants: [variant(4, 0, 2, 2), other], ways: [even] }, prices(0, 0), 4, 9);
    expect(beside(variant(5, 0, 2, 2))).toEqual(['1,0 +0']);
    expect(beside(variant(5, 0, 1, 2))).toEqual(['1,0 +0', '0,1 +1']);
    expect(beside(variant(5, 1, 2, 2))).toEqual(['1,0 +0', '0,1 +1']);
    // As dear and as large: the preferred one of the two is enough.
    expect(beside(variant(4, 0, 2, 2))).toEqual(['1,0 +0']);
  });
});

test('a model without demand has its floors, at whatever price', () => {
  const variants = [{ ...variant(4, 0, 2, 2), lower: 1 }, variant(1, 1, 1, 4)];
  const model = new PricedModel({ ...example, rates: new Float64Array(), variants, ways: [] }, 2);
  expect(model.relaxed(prices(3, 5))).toEqual({ value: 10, use: [2, 0] });
  expect(whole(model, prices(3, 5))).toMatchObject({ value: 10, use: [2, 0], nodes: 0 });
  const { columns, complete } = model.within(prices(3, 5), 10, 0, 0);
  expect([columns[0]?.mix, columns[0]?.cost, complete]).toEqual([Float64Array.of(1, 0), 4, true]);
});
