import { expect, test } from 'vitest';
import type { FleetModel } from '../../src/solver/fleet.ts';
import { withNowhere } from '../../src/solver/nowhere.ts';

test('nowhere takes any class by its rate, is no machine, and draws on nothing', () => {
  const model: FleetModel = {
    ...{ priority: 0, rates: Float64Array.of(4, 6), previous: [1] },
    variants: [{ price: 2, lower: 0, upper: 9, pools: [0], gpus: 1, running: null }],
    ways: [{ loads: Float64Array.of(1, Number.POSITIVE_INFINITY), open: Uint8Array.of(1) }],
  };
  const { fluid, previous, variants, ways } = withNowhere(model, 100, 10, 2);
  expect([fluid, previous]).toEqual([1, null]);
  expect(variants[1]).toMatchObject({ price: 200, lower: 0, pools: [], gpus: 0 });
  expect(variants[1]!.upper).toBeCloseTo(5, 6);
  expect([...ways[0]!.loads]).toEqual([1, 2, Number.POSITIVE_INFINITY, 3]);
  expect([...ways[0]!.open]).toEqual([1, 1]);
});
