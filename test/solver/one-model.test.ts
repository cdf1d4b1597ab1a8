import { describe, expect, test } from 'vitest';
import type { FleetModel, FleetVariant, Way } from '../../src/solver/fleet.ts';
import { solveModel, wayPrograms, withoutDominated } from '../../src/solver/one-model.ts';
import type { Program } from '../../src/solver/program.ts';
import { Random } from './random.ts';
import { example } from './worked-example.ts';

const options = { nodeLimit: 1000, tieLimit: 100 };
const never = Number.POSITIVE_INFINITY;
const variant = (price: number, more: Partial<FleetVariant> = {}): FleetVariant => ({
  ...{ price, lower: 0, upper: 20, pools: [], gpus: 1, running: null },
  ...more,
});
const way = (loads: readonly number[], open: readonly number[]): Way => ({
  ...{ loads: Float64Array.from(loads), open: Uint8Array.from(open) },
});
const model = (variants: readonly FleetVariant[], ways: readonly Way[], more: Partial<FleetModel> = {}): FleetModel => {
  const classes = ways[0]!.loads.length / variants.length;
  return { priority: 0, rates: new Float64Array(classes).fill(1), variants, ways, previous: null, ...more };
};
const solved = (given: FleetModel) => {
  const { mix, ...rest } = solveModel(given, options);
  return { ...rest, mix: mix === null ? null : [...mix] };
};

describe('one model', () => {
  const both = way([2.5, 2.5], [1, 1]);

  test('goes the cheapest of its ways, and the bound is that of all', () => {
    const ways = [way([4, never], [1, 0]), way([never, 3], [0, 1]), way([never, 2.5], [0, 1])];
    const dear = [variant(1), variant(1.2)];
    expect(solved(model(dear, ways))).toMatchObject({ status: 'optimal', way: 1, mix: [0, 3], cost: expect.closeTo(3.6, 9) });
    expect(solved(model([variant(0.5), variant(1)], ways))).toMatchObject({ status: 'optimal', way: 0, mix: [4, 0], bound: 2 });
  });

  test('of ways that cost the same it goes the one whose mix changes less', () => {
    const ways = [way([2, never], [1, 0]), way([never, 2], [0, 1])];
    expect(solved(model([variant(1), variant(1)], ways))).toMatchObject({ way: 0, mix: [2, 0] });
    const running = [variant(1, { running: 0 }), variant(1, { running: 2 })];
    expect(solved(model(running, ways))).toMatchObject({ way: 1, mix: [0, 2] });
  });

  test('has its floors where there is nothing to serve, and no mix where no way serves all or the search could not begin', () => {
    const floors = [variant(2, { lower: 3 }), variant(1)];
    expect(solved(model(floors, [both], { rates: new Float64Array() }))).toMatchObject({
      status: 'optimal',
      mix: [3, 0],
      cost: 6,
    });
    expect(solved(model([variant(1, { upper: 1 }), variant(1, { upper: 1 })], [both]))).toMatchObject({
      ...{ status: 'infeasible', mix: null, way: -1 },
    });
    const three = model([variant(4), variant(1), variant(2)], [way([0.2, 0.6, 0.3, 0.5, 2.5, 0.9], [1, 1, 1])]);
    expect(solveModel(three, { nodeLimit: 0, tieLimit: 0 })).toMatchObject({ status: 'stopped', mix: null, nodes: 0 });
  });
});

test('a way is left out where it closes a variant with a floor, or a class has nowhere to go', () => {
  const ways = [way([1, 1, never, never], [1, 1]), way([1, never, 1, never], [1, 0]), way([1, 1, 1, 1], [1, 1])];
  const waysOf = (lower: number) => wayPrograms(model([variant(1), variant(1, { lower })], ways)).map(({ way: index }) => index);
  expect(waysOf(0)).toEqual([1, 2]);
  expect(waysOf(1)).toEqual([2]);
  expect([...wayPrograms(model([variant(1), variant(1)], ways))[0]!.program.upper]).toEqual([20, 0]);
});

test('one class whose load is the same everywhere takes whole replicas, unless something may be left unserved', () => {
  const loadsOf = (loads: readonly number[], more: Partial<FleetModel> = {}) => [
    ...wayPrograms(model([variant(1), variant(1)], [way(loads, [1, 1])], more))[0]!.program.loads,
  ];
  expect(loadsOf([2.5, 2.5])).toEqual([3, 3]);
  expect(loadsOf([2.5, never])).toEqual([3, never]);
  expect(loadsOf([2.5, 2.4])).toEqual([2.5, 2.4]);
  expect(loadsOf([2.5, 2.5], { fluid: 1 })).toEqual([2.5, 2.5]);
  expect(loadsOf([2.5, 2.5, 1, 1])).toEqual([2.5, 2.5, 1, 1]);
});

test('a type that a cheaper one does all the work of has its floor only, if there is enough of the cheaper one', () => {
  const program = (upperOfA: number): Program => ({
    ...{ types: 3, classes: 2, loads: Float64Array.of(1, 1, 2, 2, never, 1), prices: Float64Array.of(1, 2, 2) },
    ...{ lower: Float64Array.of(0, 1, 0), upper: Float64Array.of(upperOfA, 9, 9) },
  });
  expect([...withoutDominated(program(3)).upper]).toEqual([3, 1, 9]);
  expect([...withoutDominated(program(2)).upper]).toEqual([2, 9, 9]);
  expect(withoutDominated(example)).toBe(example);
});

test('1,000 models of three types cost what their cheapest mix does', () => {
  const random = new Random(5);
  let served = 0;
  for (let i = 0; i < 1_000; i++) {
    const variants = [1, 2, 3].map(() => variant(random.whole(1, 5), { upper: random.whole(0, 4), lower: 0 }));
    const load = random.between(0.2, 2);
    const speeds = variants.map(() => random.whole(1, 3));
    // The classes are served alike, so that a mix serves them where its replicas' speeds add up to the load.
    const given = model(variants, [
      way(
        [...speeds, ...speeds].map((speed) => load / speed),
        [1, 1, 1],
      ),
    ]);
    let least = never;
    for (let a = 0; a <= variants[0]!.upper; a++)
      for (let b = 0; b <= variants[1]!.upper; b++)
        for (let c = 0; c <= variants[2]!.upper; c++)
          if (a * speeds[0]! + b * speeds[1]! + c * speeds[2]! >= 2 * load)
            least = Math.min(least, a * variants[0]!.price + b * variants[1]!.price + c * variants[2]!.price);
    const { status, cost } = solved(given);
    expect([status, cost], `${i}`).toEqual([least === never ? 'infeasible' : 'optimal', least]);
    served += least === never ? 0 : 1;
  }
  expect(served).toBeGreaterThan(600);
  expect(served).toBeLessThan(1_000);
});
