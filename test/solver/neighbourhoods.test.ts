import { expect, test } from 'vitest';
import { improvedChoice } from '../../src/solver/neighbourhoods.ts';
import type { Column } from '../../src/solver/partial-choices.ts';
import { Random } from './random.ts';

const column = (cost: number, ...use: readonly number[]): Column => ({
  ...{ mix: Float64Array.of(cost), cost, use, changes: 0, reduced: cost },
});
const costOf = (columns: readonly Column[]) => columns.reduce((sum, { cost }) => sum + cost, 0);
const free = new Float64Array(2);

test('two models that have each what the other should have exchange it', () => {
  const lists = [
    [column(1, 1, 0), column(3, 0, 1)],
    [column(1, 1, 0), column(2, 0, 1)],
  ];
  const start = [lists[0]![1]!, lists[1]![0]!];
  expect(costOf(improvedChoice(lists, [1, 1], free, start))).toBe(3);
});

test('of many models a few at a time, and the stock is kept: the sixteen that gain most get it', () => {
  const random = new Random(4);
  const gains = random.shuffled(Array.from({ length: 40 }, (_, i) => i + 1));
  const lists = gains.map((gain) => [column(1, 1, 0), column(1 + gain, 0, 1)]);
  const start = lists.map((list, m) => list[m < 16 ? 0 : 1]!);
  const found = improvedChoice(lists, [16, 40], free, start);
  expect(found.reduce((sum, { use }) => sum + use[0]!, 0)).toBe(16);
  expect(costOf(found)).toBe(40 + (24 * 25) / 2);
});

test('a column that is in no list may stay', () => {
  const own = column(1, 0, 0);
  const found = improvedChoice([[column(5, 1, 0)], [column(7, 0, 1), column(9, 1, 0)]], [1, 1], free, [own, column(9, 1, 0)]);
  expect([found[0], costOf(found)]).toEqual([own, 8]);
});

test('it is never worse than what it starts from, within the stock, and the same each time', () => {
  const random = new Random(3);
  for (let i = 0; i < 6; i++) {
    const lists = Array.from({ length: 10 }, () =>
      Array.from({ length: 5 }, () => column(random.whole(1, 30), random.whole(0, 3), random.whole(0, 3))).sort(
        (a, b) => a.cost - b.cost,
      ),
    );
    const start = lists.map((list) => random.pick(list));
    const usedBy = (columns: readonly Column[]) => [0, 1].map((k) => columns.reduce((sum, { use }) => sum + use[k]!, 0));
    const stock = usedBy(start);
    const [once, again] = [1, 2].map(() => improvedChoice(lists, stock, free, start));
    expect(costOf(once!)).toBeLessThanOrEqual(costOf(start));
    expect(usedBy(once!).every((gpus, k) => gpus <= stock[k]!)).toBe(true);
    expect(costOf(again!)).toBe(costOf(once!));
  }
});
