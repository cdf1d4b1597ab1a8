import fc from 'fast-check';
import { expect, test } from 'vitest';
import { exponential, seeded, seedOf } from '../../src/vocabulary/random.ts';

test('the same numbers for the same seed, in any run and on any machine', () => {
  const random = seeded(42);
  expect([random(), random(), random()]).toEqual([0.6011037519201636, 0.44829055899754167, 0.8524657934904099]);
  expect(seedOf('llama-8b')).toBe(seedOf('llama-8b'));
  expect(seedOf('')).toBe(0x811c9dc5);
});

test('numbers in [0, 1), spread evenly, and other ones for another seed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 2 }), (seed) => {
      const [random, next] = [seeded(seed), seeded(seed + 1)];
      const numbers = Array.from({ length: 2000 }, random);
      expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
      // Of two thousand numbers each tenth has 200: seven standard deviations are 94.
      for (let tenth = 0; tenth < 10; tenth += 1)
        expect(Math.abs(numbers.filter((number) => Math.floor(10 * number) === tenth).length - 200)).toBeLessThan(94);
      expect(numbers.slice(0, 5)).not.toEqual(Array.from({ length: 5 }, next));
    }),
    { numRuns: 30 },
  );
});

test('the time between two arrivals of a Poisson process: its mean, and its share beyond the mean', () => {
  const random = seeded(7);
  const gaps = Array.from({ length: 20_000 }, () => exponential(random, 3));
  expect(gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length).toBeCloseTo(3, 1);
  // Five standard deviations.
  expect(Math.abs(gaps.filter((gap) => gap > 3).length / gaps.length - 1 / Math.E)).toBeLessThan(0.017);
  expect(exponential(() => 0, 3)).toBeCloseTo(0, 12);
});

test('texts that differ in one letter have seeds far apart', () => {
  const seeds = Array.from({ length: 1000 }, (_, index) => seedOf(`model-${index}`));
  expect(new Set(seeds).size).toBe(1000);
});
