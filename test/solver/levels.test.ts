import { expect, test } from 'vitest';
import type { FleetModel } from '../../src/solver/fleet.ts';
import { levelsOf, requestsPerMoney } from '../../src/solver/levels.ts';

const model = (priority: number, rates: readonly number[] = [1], loads: readonly number[] = [1, 1]): FleetModel => ({
  ...{ priority, rates: Float64Array.from(rates), previous: null },
  variants: [2, 3].map((price) => ({ price, lower: 0, upper: 9, pools: [], gpus: 1, running: null })),
  ways: [{ loads: Float64Array.from(loads), open: Uint8Array.of(1, 1) }],
});

test('models of one priority are one level, the highest first', () => {
  const fleet = { models: [model(0), model(5), model(0), model(-1)], stock: [], budget: Number.POSITIVE_INFINITY };
  expect(levelsOf(fleet)).toEqual([{ models: [1] }, { models: [0, 2] }, { models: [3] }]);
});

test('requests per money are those where each class goes to its cheapest variant, by the cheapest way', () => {
  // 4 req/s for 2 x 1 + 3 x 0.5.
  const given = model(0, [1, 3], [1, 1, 2, 0.5]);
  expect(requestsPerMoney(given)).toBeCloseTo(4 / 3.5, 12);
  const cheaper = { loads: Float64Array.of(0.5, 1, 2, 0.5), open: Uint8Array.of(1, 1) };
  expect(requestsPerMoney({ ...given, ways: [...given.ways, cheaper] })).toBeCloseTo(4 / 2.5, 12);
});
