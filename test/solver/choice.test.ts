import { expect, test } from 'vitest';
import { choose } from '../../src/solver/choice.ts';
import type { Column } from '../../src/solver/partial-choices.ts';
import { repaired } from '../../src/solver/repair.ts';
import { Random } from './random.ts';

/** Columns of some models in two pools, in order of their cost (no prices on the stock), and a stock that may be too small. */
const instance = (random: Random) => {
  const columns = Array.from({ length: random.whole(1, 5) }, () => {
    const list = Array.from({ length: random.whole(1, 4) }, () => ({
      ...{
        mix: Float64Array.of(random.whole(0, 3), random.whole(0, 3)),
        use: [random.whole(0, 4), random.whole(0, 4)],
      },
      ...{ cost: random.whole(1, 6), changes: random.whole(0, 2) },
    })).sort((a, b) => a.cost - b.cost);
    return list.map((column): Column => ({ ...column, reduced: column.cost - list[0]!.cost }));
  });
  return { columns, stock: [random.whole(2, 12), random.whole(2, 12)] };
};

const every = (columns: readonly (readonly Column[])[]): (readonly Column[])[] =>
  columns.reduce<(readonly Column[])[]>(
    (choices, list) => choices.flatMap((choice) => list.map((column) => [...choice, column])),
    [[]],
  );

const fits = (choice: readonly Column[], stock: readonly number[]): boolean =>
  stock.every((gpus, k) => choice.reduce((sum, { use }) => sum + use[k]!, 0) <= gpus);

test('the choice is as good as the best of all, with as few changes; a repaired one fits the stock', () => {
  const seen = { found: 0, none: 0, repaired: 0 };
  const random = new Random(77);
  const total = (choice: readonly Column[], of: 'cost' | 'changes') => choice.reduce((sum, each) => sum + each[of], 0);
  for (let i = 0; i < 3_000; i++) {
    const { columns, stock } = instance(random);
    const { choice, dropped } = choose(columns, stock, new Float64Array(2), Number.POSITIVE_INFINITY, 10_000);
    const [best] = every(columns)
      .filter((each) => fits(each, stock))
      .sort((a, b) => total(a, 'cost') - total(b, 'cost') || total(a, 'changes') - total(b, 'changes'));
    expect(dropped, `${i}`).toBe(Number.POSITIVE_INFINITY);
    expect(choice === null, `${i}`).toBe(best === undefined);
    const other = repaired(columns, stock).choice;
    if (other !== null) expect(fits(other.columns, stock), `${i}`).toBe(true);
    if (choice === null || best === undefined) {
      expect(other).toBeNull();
      seen.none++;
      continue;
    }
    seen.found++;
    seen.repaired += other === null ? 0 : 1;
    expect(fits(choice.columns, stock), `${i}`).toBe(true);
    expect([choice.cost, total(choice.columns, 'cost')], `${i}`).toEqual([total(best, 'cost'), total(best, 'cost')]);
    expect(total(choice.columns, 'changes'), `${i}`).toBe(total(best, 'changes'));
    if (other !== null) expect(other.cost, `${i}`).toBeGreaterThanOrEqual(choice.cost);
  }
  expect(seen.found).toBeGreaterThan(1_000);
  expect(seen.none).toBeGreaterThan(200);
  expect(seen.repaired).toBeGreaterThan(0.9 * seen.found);
});
