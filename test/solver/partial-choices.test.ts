import { describe, expect, test } from 'vitest';
import { type Column, emptyChoice, lexicalOrder, type PartialChoice, PartialChoices } from '../../src/solver/partial-choices.ts';

const column = (mix: readonly number[], use: readonly number[], more: Partial<Column> = {}): Column => ({
  ...{ mix: Float64Array.from(mix), use, cost: 5, changes: 0, reduced: 0 },
  ...more,
});
/** What is kept of columns of one model, each with the value of its state; values within 0.01 are the same. */
const kept = (...columns: readonly (readonly [Column, number])[]) => {
  const states = new PartialChoices([0], 0.01);
  for (const [one, value] of columns) states.add(emptyChoice(one.use.length), one, value, value);
  return states.list.map(({ use, column: chosen, value }) => ({ use: [...use], mix: [...chosen!.mix], value }));
};

test('a state adds its column to the one before it', () => {
  const states = new PartialChoices([0, 1], 0);
  const before: PartialChoice = { ...emptyChoice(2), use: Float64Array.of(1, 2), cost: 7, changes: 3 };
  const own = column([4], [2, 0], { changes: 1 });
  states.add(before, own, 0.5, 0.75);
  const sums = { use: Float64Array.of(3, 2), value: 0.5, promise: 0.75, cost: 12, changes: 4 };
  expect(states.list).toEqual([{ ...sums, column: own, before }]);
});

describe('of the states with one use', () => {
  test('the one of less value is kept, whichever comes first', () => {
    const [dear, cheap] = [column([1], [2, 1]), column([2], [2, 1])];
    const cheapest = [{ use: [2, 1], mix: [2], value: 2 }];
    expect(kept([dear, 3], [cheap, 2])).toEqual(cheapest);
    expect(kept([cheap, 2], [dear, 3])).toEqual(cheapest);
  });

  test('values that are the same but for rounding leave it to the changes', () => {
    const [still, moved] = [column([1], [2, 1], { changes: 0 }), column([9], [2, 1], { changes: 1 })];
    expect(kept([moved, 2], [still, 2.005])).toMatchObject([{ mix: [1] }]);
    expect(kept([still, 2.005], [moved, 2])).toMatchObject([{ mix: [1] }]);
    expect(kept([still, 2.02], [moved, 2])).toMatchObject([{ mix: [9] }]);
  });

  test('and after these to the replicas of the variant that comes first', () => {
    const [first, second] = [column([2, 0], [1]), column([1, 9], [1])];
    expect(kept([second, 2], [first, 2])).toMatchObject([{ mix: [2, 0] }]);
    expect(kept([first, 2], [second, 2])).toMatchObject([{ mix: [2, 0] }]);
  });

  test('the model that comes first decides, though it chose last', () => {
    const first = new PartialChoices([1], 0);
    for (const one of [column([5], [1]), column([2], [2])]) first.add(emptyChoice(1), one, 0, 0);
    const [afterA, afterB] = first.list as [PartialChoice, PartialChoice];
    const [few, many] = [column([1], [2]), column([3], [1])];
    for (const manyFirst of [true, false]) {
      const states = new PartialChoices([1, 0], 0);
      if (manyFirst) states.add(afterB, many, 0, 0);
      states.add(afterA, few, 0, 0);
      if (!manyFirst) states.add(afterB, many, 0, 0);
      expect(states.list).toMatchObject([{ column: many, before: afterB }]);
    }
  });
});

test('each use has a state of its own, also where two uses have the same hash', () => {
  const [one, other] = [
    [1, 0],
    [0, 0x01000193],
  ] as const;
  expect(kept([column([1], one), 1], [column([2], other), 2], [column([3], one), 0], [column([4], other), 3])).toEqual([
    { use: one, mix: [3], value: 0 },
    { use: other, mix: [2], value: 2 },
  ]);
});

test('of two mixes the one with more replicas of the first variant that differs comes first', () => {
  const sign = (a: readonly number[], b: readonly number[]) =>
    Math.sign(lexicalOrder(Float64Array.from(a), Float64Array.from(b)));
  expect([sign([2, 0], [1, 9]), sign([1, 1], [1, 2]), sign([1, 2], [1, 2]), sign([], [])]).toEqual([-1, 1, 0, 0]);
});
