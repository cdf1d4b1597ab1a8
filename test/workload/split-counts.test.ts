import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitter } from '../../src/workload/split-counts.ts';

const sum = (parts: readonly number[]) => parts.reduce((total, part) => total + part, 0);
/** Weights that sum to 1, some of them 0. */
const weights = fc
  .array(fc.nat(20), { minLength: 1, maxLength: 6 })
  .filter((some) => sum(some) > 0)
  .map((some) => some.map((one) => one / sum(some)));

test('what one part was denied it is given of the next count', () => {
  const split = splitter([0.5, 0.5]);
  expect([split(3), split(3), split(1), split(1), split(4)]).toEqual([
    [2, 1],
    [1, 2],
    [1, 0],
    [0, 1],
    [2, 2],
  ]);
});

test('single requests come out by weight in the long run, and none of them goes to a part without weight', () => {
  const split = splitter([0.6, 0, 0.3, 0.1]);
  const totals = Array.from({ length: 100 }, () => split(1)).reduce((all, parts) => all.map((total, at) => total + parts[at]!));
  expect(totals).toEqual([60, 0, 30, 10]);
});

test('nothing is split into nothing, and one part takes all', () => {
  const split = splitter([0.2, 0.8]);
  expect([split(0), split(0)]).toEqual([
    [0, 0],
    [0, 0],
  ]);
  expect(splitter([1])(7)).toEqual([7]);
});

test('each splitter has its own memory', () => {
  const [one, other] = [splitter([0.5, 0.5]), splitter([0.5, 0.5])];
  expect([one(1), other(1), one(1)]).toEqual([
    [1, 0],
    [1, 0],
    [0, 1],
  ]);
});

test('parts are whole, at least 0 and sum up to the count, and over time no part strays from its share by the number of parts', () => {
  fc.assert(
    fc.property(weights, fc.array(fc.nat(30), { minLength: 1, maxLength: 60 }), (shares, counts) => {
      const split = splitter(shares);
      const totals = shares.map(() => 0);
      for (const [at, count] of counts.entries()) {
        const parts = split(count);
        expect(parts.every((part) => Number.isInteger(part) && part >= 0)).toBe(true);
        expect(sum(parts)).toBe(count);
        for (const [index, part] of parts.entries()) totals[index]! += part;
        const given = sum(counts.slice(0, at + 1));
        for (const [index, share] of shares.entries())
          expect(Math.abs(totals[index]! - given * share)).toBeLessThan(Math.max(1, shares.length - 1) + 1e-6);
      }
    }),
  );
});
