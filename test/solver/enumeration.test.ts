import { expect, test } from 'vitest';
import { enumerateMixes } from '../../src/solver/enumeration.ts';
import type { Program } from '../../src/solver/program.ts';
import { mostServed } from './brute-force.ts';
import { Random } from './random.ts';
import { example } from './worked-example.ts';

const search = (program: Program, cutoff: number, nodeLimit = 10_000) => {
  const mixes: number[][] = [];
  const { complete, nodes } = enumerateMixes(program, program.loads, cutoff, nodeLimit, (mix) => void mixes.push([...mix]));
  return { mixes: mixes.sort((a, b) => a[0]! - b[0]!), complete, nodes };
};

test('mixes are found up to the cutoff, those that cost just as much among them', () => {
  expect(search(example, 6.9)).toMatchObject({ mixes: [], complete: true });
  expect(search(example, 7)).toMatchObject({ mixes: [[1, 3]], complete: true });
  expect(search(example, 7.9).mixes).toEqual([[1, 3]]);
  expect(search(example, 8).mixes).toEqual([
    [1, 3],
    [2, 0],
  ]);
});

test('a mix with a replica to spare is not found, however much it may cost', () => {
  expect(search(example, 100).mixes).toEqual([
    [1, 3],
    [2, 0],
  ]);
});

test('floors that carry the demand are the only minimal mix, and limits that carry none leave nothing', () => {
  expect(search({ ...example, lower: Float64Array.of(1, 3) }, 100).mixes).toEqual([[1, 3]]);
  expect(search({ ...example, upper: Float64Array.of(1, 2) }, 100)).toMatchObject({ mixes: [], complete: true });
});

test('a search that the node limit ends says that it is not complete', () => {
  const { nodes } = search(example, 100);
  expect(search(example, 100, nodes).complete).toBe(true);
  expect(search(example, 100, nodes - 1)).toMatchObject({ complete: false, nodes: nodes - 1 });
  expect(search(example, 100, 0)).toEqual({ mixes: [], complete: false, nodes: 0 });
});

test('500 small programs: every minimal mix within the cutoff is found, once, and all that is found carries the demand', () => {
  const random = new Random(3);
  let minimal = 0;
  for (let i = 0; i < 500; i++) {
    const [types, classes] = [random.whole(1, 4), random.whole(1, 4)];
    const table = Array.from({ length: classes }, () =>
      Array.from({ length: types }, () => (random.chance(0.15) ? Number.POSITIVE_INFINITY : random.between(0.1, 2))),
    );
    const prices = Float64Array.from({ length: types }, () => random.whole(1, 6));
    const [lower, upper] = [new Float64Array(types), new Float64Array(types).fill(3)];
    const served = (mix: readonly number[]) =>
      mostServed(
        table.map(() => 1),
        table,
        mix,
      ) >
      classes - 1e-9;
    const all = prices.reduce<number[][]>((some) => some.flatMap((head) => [0, 1, 2, 3].map((y) => [...head, y])), [[]]);
    const cost = (mix: readonly number[]) => mix.reduce((sum, y, g) => sum + prices[g]! * y, 0);
    const cutoff = random.whole(3, 20);
    const expected = all.filter(
      (mix) => cost(mix) <= cutoff && served(mix) && !mix.some((y, g) => y > 0 && served(mix.with(g, y - 1))),
    );
    const { mixes, complete } = search({ types, classes, loads: Float64Array.from(table.flat()), prices, lower, upper }, cutoff);
    const found = mixes.map((mix) => mix.join());
    expect(complete, `${i}`).toBe(true);
    expect(new Set(found).size, `${i}`).toBe(found.length);
    expect(found, `${i}`).toEqual(expect.arrayContaining(expected.map((mix) => mix.join())));
    expect(
      mixes.every((mix) => served(mix) && cost(mix) <= cutoff),
      `${i}`,
    ).toBe(true);
    minimal += expected.length;
  }
  expect(minimal).toBeGreaterThan(500);
});
