import { expect, test } from 'vitest';
import type { Column } from '../../src/solver/partial-choices.ts';
import { repaired } from '../../src/solver/repair.ts';

/** A column that is called by a number, and costs as much more as it is worse than the best. */
const column = (name: number, use: readonly number[], reduced: number, cost = 10 + reduced): Column => ({
  ...{ mix: Float64Array.of(name), use, cost, changes: 0, reduced },
});
const names = (columns: readonly (readonly Column[])[], stock: readonly number[]) => {
  const { choice } = repaired(columns, stock);
  return choice === null ? null : [...choice.columns.map(({ mix }) => mix[0]!), choice.cost];
};

test('best columns that fit together stay', () => {
  const columns = [
    [column(1, [2], 0), column(2, [1], 1)],
    [column(3, [2], 0), column(4, [1], 1)],
  ];
  expect(names(columns, [4])).toEqual([1, 3, 20]);
  expect(names([], [4])).toEqual([0]);
});

test('the model gives way that is paid least for it', () => {
  const columns = [
    [column(1, [2], 0), column(2, [1], 1)],
    [column(3, [2], 0), column(4, [1], 0.5)],
  ];
  expect(names(columns, [3])).toEqual([1, 4, 20.5]);
  expect(names(columns, [2])).toEqual([2, 4, 21.5]);
});

test('what an exchange costs counts by GPU, and GPUs beyond what is short count for nothing', () => {
  // The first takes two GPUs off for 1.6, the second three for 1.8.
  const columns = [
    [column(1, [4], 0), column(2, [2], 1.6, 10)],
    [column(3, [4], 0), column(4, [1], 1.8, 10)],
  ];
  expect(names(columns, [5])).toEqual([1, 4, 20]);
  expect(names(columns, [6])).toEqual([2, 3, 20]);
});

test('where no model alone can help, two do it together', () => {
  // The second pool is full: whoever comes from the first must find a GPU there that another leaves for the third.
  const columns = [
    [column(1, [1, 0, 0], 0), column(2, [0, 1, 0], 1)],
    [column(3, [1, 0, 0], 0)],
    [column(4, [0, 1, 0], 0), column(5, [0, 0, 1], 2)],
  ];
  expect(names(columns, [1, 1, 1])).toEqual([2, 3, 5, 33]);
  expect(names(columns, [1, 1, 0])).toBeNull();
});

test('nothing is repaired where a model has no column, or takes more than there is in every one', () => {
  expect(names([[column(1, [1], 0)], []], [9])).toBeNull();
  expect(names([[column(1, [3], 0), column(2, [2], 1)]], [1])).toBeNull();
});

test('what is left of the stock makes the choice cheaper', () => {
  const columns = [[column(1, [0], 0, 10), column(2, [1], 2, 7), column(3, [2], 3, 5)], [column(4, [1], 0, 1)]];
  expect(names(columns, [3])).toEqual([3, 4, 6]);
  expect(names(columns, [2])).toEqual([2, 4, 8]);
  expect(names(columns, [1])).toEqual([1, 4, 11]);
});
