import fc from 'fast-check';
import { expect, test } from 'vitest';
import { doubling, guessedRate, sizeKey, sizesOf } from '../../src/benchmark/sizes.ts';

test.each([
  { start: 4, limit: 20, grid: [4, 8, 16] },
  { start: 4, limit: 16, grid: [4, 8, 16] },
  { start: 5, limit: 5, grid: [5] },
  { start: 5, limit: 4, grid: [] },
])('from $start to $limit by doubling', ({ start, limit, grid }) => {
  expect(doubling(start, limit)).toEqual(grid);
});

test('every size once, after the smaller ones beside it', () => {
  const grid = fc.uniqueArray(fc.nat({ max: 4096 }), { minLength: 1, maxLength: 6 }).map((ticks) => ticks.sort((a, b) => a - b));
  fc.assert(
    fc.property(grid, grid, (inputs, outputs) => {
      const sizes = sizesOf(inputs, outputs);
      const places = new Map(sizes.map((size, place) => [sizeKey(size), place]));
      expect(places.size).toBe(inputs.length * outputs.length);
      for (const size of sizes)
        for (const smaller of sizes)
          if (smaller.inputTokens <= size.inputTokens && smaller.outputTokens <= size.outputTokens)
            expect(places.get(sizeKey(smaller))).toBeLessThanOrEqual(places.get(sizeKey(size))!);
    }),
  );
});

const served = (rates: Readonly<Record<string, number>>) => new Map(Object.entries(rates));
const beside = { input: 128, output: 64 };

test.each([
  { name: 'the same step at both inputs', rates: { '128 64': 8, '128 128': 4, '256 64': 6 }, rate: 3 },
  { name: 'a little less than the smaller output', rates: { '256 64': 6 }, rate: 6 / Math.SQRT2 },
  { name: 'a little less than the smaller input', rates: { '128 128': 4 }, rate: 4 / Math.SQRT2 },
  { name: 'nothing of neighbours that serve nothing', rates: { '128 64': 8, '128 128': 0, '256 64': 0 }, rate: null },
  { name: 'nothing of the corner alone', rates: { '128 64': 8 }, rate: null },
])('what 256 + 128 tokens may serve: $name', ({ rates, rate }) => {
  const guessed = guessedRate({ inputTokens: 256, outputTokens: 128 }, served(rates), beside);
  if (rate === null) expect(guessed).toBeNull();
  else expect(guessed).toBeCloseTo(rate, 12);
});

test('the first size of the grid has no neighbours to guess by', () => {
  const none = { input: undefined, output: undefined };
  expect(guessedRate({ inputTokens: 128, outputTokens: 64 }, served({ '128 64': 8 }), none)).toBeNull();
});
